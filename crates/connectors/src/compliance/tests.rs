//! The suite itself, on the tiny protocol.

use domain::phone::PhoneNumber;
use ports::hooks::HookCall;

use super::provider::{MessageName, Says, Written};
use super::web::{Aside, Bench, complies};
use super::*;
use crate::web::driver::{self, DriverSettings};
use crate::web::protocol::Answer;
use crate::web::testing::{Tiny, answer, hook};

struct TinyBench {
    has_probe: bool,
}

impl TinyBench {
    fn tiny(&self, base_url: &str) -> Tiny {
        Tiny {
            has_probe: self.has_probe,
            ..Tiny::at(base_url)
        }
    }

    fn signed(body: &str) -> HookCall {
        let mut call = hook("POST", "https://example.org/hooks/tiny", body);
        call.headers
            .push(("x-token".into(), b"t0ken".as_slice().into()));
        call
    }
}

impl Bench for TinyBench {
    fn start(&self, base_url: &str, world: World) -> Arc<dyn Connector> {
        let World {
            source,
            events,
            clock,
        } = world;
        let tiny = Arc::new(self.tiny(base_url));
        driver::start(tiny, DriverSettings::default(), source, events, clock)
    }

    fn debug(&self) -> String {
        format!("{:?}", self.tiny("http://tiny.example"))
    }

    fn secrets(&self) -> Vec<String> {
        vec!["t0ken".to_owned()]
    }

    fn accepted(&self, reference: &str) -> Answer {
        answer(200, reference)
    }

    fn rejected(&self) -> Answer {
        answer(400, "")
    }

    fn throttled(&self) -> Answer {
        answer(429, "")
    }

    fn account_fault(&self) -> Answer {
        answer(401, "")
    }

    fn aside(&self) -> Option<Aside> {
        self.has_probe
            .then(|| -> Aside { (|asked| asked.target == "/account", answer(200, "")) })
    }

    fn receipts(&self, reference: &str) -> Has<Vec<(HookCall, Says)>> {
        let receipt = |word: &str, state| {
            let call = Self::signed(&format!("{word} {reference}"));
            (call, Says::state(state))
        };
        Has::It(vec![
            receipt("sent", "in_transit"),
            receipt("delivered", "delivered"),
            receipt("failed", "failed"),
        ])
    }

    fn inbound(&self) -> Has<(HookCall, Written)> {
        let call = Self::signed(&format!("+40712345678 {TEXT}"));
        let written = Written {
            from: PhoneNumber::parse("+40712345678").unwrap().into(),
            to: "ACME",
            id: MessageName::Nothing("the tiny protocol has no ids of inbound messages"),
        };
        Has::It((call, written))
    }

    fn forged(&self, mut call: HookCall) -> HookCall {
        call.headers.clear();
        call.headers
            .push(("x-token".into(), b"guess".as_slice().into()));
        call
    }
}

#[tokio::test]
async fn a_connector_without_a_probe_complies() {
    complies(&TinyBench { has_probe: false }).await;
}

#[tokio::test]
async fn a_connector_with_a_probe_complies() {
    complies(&TinyBench { has_probe: true }).await;
}
