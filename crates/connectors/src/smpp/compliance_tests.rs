//! SMPP is held to what every connector is held to, by an SMSC on a loopback socket.

use domain::phone::PhoneNumber;
use domain::time::Millis;
use ports::connector::Submission;
use ports::hooks::Pending;
use tokio::net::TcpListener;

use super::codes::status;
use super::pdu::{Address, RESPONSE, Submit};
use super::smsc::{Act, Smsc, delivery};
use super::*;
use crate::compliance::provider::{
    AccountFault, Answered, FirstWord, Has, MessageName, Opening, Provider, Receipts, Says,
    Started, Strangers, Treatment, Voice, Word, Written,
};
use crate::compliance::{Bench, REFERENCE, TEXT, World, complies};
use crate::testing::submission;

const PASSWORD: &str = "s3cret-of-the-bind";
/// An answer to nothing that SMPP has.
const NO_ANSWER: u32 = RESPONSE | 0x99;
const ISO_8859_1: u8 = 3;
const RECEIPT: u8 = 4;

struct Bind;

fn config(port: u16) -> SmppConfig {
    SmppConfig {
        host: "127.0.0.1".into(),
        port,
        system_id: "acme".into(),
        password: PASSWORD.into(),
        reconnect_min: Millis::new(10),
        login_retry: Millis::new(50),
        ..SmppConfig::default()
    }
}

fn act(treatment: Treatment) -> Act {
    match treatment {
        Treatment::Accept(reference) => Act::Accept(reference),
        Treatment::Reject => Act::Refuse(0x0B),
        Treatment::Throttle => Act::Refuse(status::THROTTLED),
        Treatment::AccountFault => Act::Refuse(0x100),
        Treatment::LoseAnswer => Act::Close,
        Treatment::Undocumented => Act::Answer(NO_ANSWER),
    }
}

/// The states of receipts, each in a `deliver_sm` of its own, and what each says.
const STATES: [(&str, &str); 3] = [
    ("ACCEPTD", "in_transit"),
    ("DELIVRD", "delivered"),
    ("UNDELIV", "failed"),
];

/// What the SMSC delivers. Receipts quote the message, as many do.
fn said(word: Word) -> Vec<u8> {
    let (esm_class, text, sequence) = match word {
        Word::Receipt(no) => {
            let state = STATES[no].0;
            let text = format!("id:{REFERENCE} sub:001 dlvrd:001 stat:{state} err:000 text:{TEXT}");
            (RECEIPT, text, 100 + u32::try_from(no).unwrap())
        }
        Word::Inbound => (0, TEXT.to_owned(), 200),
    };
    let octets: Vec<u8> = text.chars().map(|it| u8::try_from(it).unwrap()).collect();
    let address = |text| Address {
        ton: 1,
        npi: 1,
        text,
    };
    let submit = Submit {
        source: address(b"40712345001"),
        destination: address(b"40700000001"),
        esm_class,
        data_coding: ISO_8859_1,
        text: &octets,
        ..Submit::default()
    };
    delivery(&submit, sequence)
}

impl Bench for Bind {
    fn start<'a>(
        &'a self,
        opening: Opening,
        script: &'a [Treatment],
        world: World,
    ) -> Pending<'a, Started> {
        Box::pin(async move {
            let refuses_with = (opening == Opening::RefusesLogin)
                .then(|| vec![said(Word::Receipt(1)), said(Word::Inbound)]);
            let smsc = Smsc::new(script.iter().map(|it| act(*it)), refuses_with).await;
            let mut config = config(smsc.port());
            if opening == Opening::NobodyListens {
                config.port = closed().await;
            }
            if script.contains(&Treatment::Undocumented) {
                // What nobody knows is no answer: there is nothing but time to wait for.
                config.response_timeout = Millis::new(300);
            }
            let route = start(config, world.source, world.events, world.clock).unwrap();
            let provider = Box::new(Centre(smsc));
            Started { route, provider }
        })
    }

    fn debug(&self) -> String {
        format!("{:?}", config(2775))
    }

    fn secrets(&self) -> Has<Vec<String>> {
        Has::It(vec![PASSWORD.to_owned()])
    }

    fn submission(&self, no: i64, _: Treatment) -> Submission {
        submission(no, &format!("+40712345{no:03}"), TEXT)
    }

    fn known_as(&self, _: &Submission, reference: &str) -> Has<String> {
        Has::It(reference.to_owned())
    }

    fn first_word(&self) -> FirstWord {
        FirstWord::OurOwn
    }

    fn account_fault(&self) -> AccountFault {
        AccountFault::IsOfTheSubmission(
            "the account shows at the bind; a status says it of one kind of service only",
        )
    }

    fn undocumented(&self) -> Has<()> {
        Has::It(())
    }

    fn receipts(&self) -> Has<Receipts> {
        let says = STATES.iter().map(|it| Says::state(it.1));
        Has::It(Receipts::Told(says.collect()))
    }

    fn inbound(&self) -> Has<Written> {
        Has::It(Written {
            from: PhoneNumber::parse("+40712345001").unwrap().into(),
            // As it stands there: whose number that is, is found when it is kept.
            to: "40700000001",
            id: MessageName::Nothing("a `deliver_sm` has no id that outlives its connection"),
        })
    }

    fn strangers(&self) -> Strangers {
        Strangers::AreNotLetIn
    }
}

async fn closed() -> u16 {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    closed.local_addr().unwrap().port()
}

struct Centre(Smsc);

impl Provider for Centre {
    fn asked(&self) -> Has<usize> {
        Has::It(self.0.asked())
    }

    fn tell(&self, word: Word, voice: Voice) -> Pending<'_, Answered> {
        assert_eq!(voice, Voice::Own, "a stranger is not let in");
        Box::pin(async move {
            match self.0.deliver(said(word)).await {
                status::OK => Answered::Kept,
                status::QUEUE_FULL => Answered::TryAgain,
                other => Answered::Otherwise(format!("0x{other:08X}")),
            }
        })
    }

    fn settle(&self) -> Pending<'_, ()> {
        Box::pin(self.0.test_link())
    }
}

#[tokio::test]
async fn the_connector_complies() {
    complies(&Bind).await;
}
