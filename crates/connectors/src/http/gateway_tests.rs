//! A gateway that somebody built at home, described in a few lines, through the driver.

use std::sync::Arc;

use domain::model::attempt::PartSet;
use domain::model::failure::FailureClass;
use domain::model::money::Currency;
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::time::Millis;
use ports::clock::{Clock, ManualClock};
use ports::connector::{Heard, LinkState, RouteEvents, SubmissionSource};
use ports::hooks::HookAnswer;

use super::fixtures::{KEY, NOW, described, submission};
use super::*;
use crate::testing::{Lanes, Record, Told};
use crate::web::testing::{Play, Wire, answer, hook};

fn gateway(base_url: &str) -> HttpConfig {
    let mut table: toml::Table = toml::from_str(include_str!("gateway.toml")).unwrap();
    table.insert("base_url".to_owned(), base_url.into());
    described(table, &[("key", "s3 cret")], Currency::EUR)
}

#[tokio::test]
async fn a_home_made_gateway_works_from_twenty_lines() {
    let plays = ["OK", "ERR 5"].map(|it| Play::Answer(answer(200, it)));
    let wire = Wire::new(plays).await;
    let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
    let route = start(
        &gateway(&format!("{}/api", wire.url())),
        Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
        Arc::clone(&record) as Arc<dyn RouteEvents>,
        Arc::new(ManualClock::at(NOW)) as Arc<dyn Clock>,
    );
    let mut told = Vec::new();
    for text in ["Hi & bye", "again"] {
        lanes.put([submission(text)]);
        while !matches!(told.last(), Some(Told::Submitted(..))) {
            told.extend(record.wait(1).await);
        }
        match told.pop() {
            Some(Told::Submitted(key, SubmitOutcome::Accepted { references })) => {
                let reference = PartReference {
                    part: PartSet::WHOLE,
                    reference: "msg_0000000000007.1".into(),
                };
                assert_eq!((key, references, text), (KEY, vec![reference], "Hi & bye"));
            }
            Some(Told::Submitted(_, SubmitOutcome::Rejected(failure))) => {
                assert_eq!(failure.class, FailureClass::RecipientInvalid);
                assert_eq!(text, "again");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(told.contains(&Told::Link(LinkState::Up)), "{told:?}");
    let asked = wire.asked();
    assert_eq!(asked[0].method, "POST");
    assert_eq!(asked[0].target, "/api/send?key=s3+cret");
    assert_eq!(
        asked[0].body,
        "from=0040700000001&id=msg_0000000000007.1&msg=Hi+%26+bye&to=0040712345678"
    );

    let url = "https://router.example/hooks/r?token=s3%20cret&id=msg_0000000000007.1&st=D";
    let hooks = route.hooks().unwrap();
    let acknowledged = async {
        let told = record.wait(1).await;
        record.ack(Heard::Kept);
        told
    };
    let (reply, told) = tokio::join!(hooks.call(hook("GET", url, "")), acknowledged);
    let want = HookAnswer {
        status: 200,
        content_type: None,
        body: b"ACK".to_vec(),
    };
    assert_eq!(reply, want);
    let [Told::Receipt(receipt)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(receipt.state, ReceiptState::Delivered);
    assert_eq!(receipt.ours, Some(KEY));
    assert!(receipt.whole);
    assert_eq!(*receipt.references, ["msg_0000000000007.1".into()]);

    let stranger = hook("GET", &url.replace("s3", "s4"), "");
    assert_eq!(hooks.call(stranger).await.status, 403);
    route.stop(Millis::seconds(1)).await;
}

#[test]
fn the_described_gateway_stands_in_the_documents() {
    let page = include_str!("../../../../docs/reference/http-provider.md");
    for line in include_str!("gateway.toml").lines() {
        // A table of the description is one of the route's there.
        let name = line.trim_start_matches('[');
        let signs = "[".repeat(line.len() - name.len());
        let line = match &*signs {
            "" => line.to_owned(),
            _ => format!("{signs}route.http.{name}"),
        };
        assert!(page.contains(&line), "{line}");
    }
}
