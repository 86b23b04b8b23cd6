//! A whole route against a machine that answers as Twilio does.

use domain::model::attempt::PartSet;
use domain::model::receipt::{PartReference, ReceiptState};
use ports::clock::ManualClock;
use ports::connector::{Heard, LinkState};

use super::fixtures::{config, form, signed};
use super::*;
use crate::testing::{Lanes, Record, Told, key, submission};
use crate::web::testing::{Play, Wire, answer};

struct Bench {
    route: Arc<dyn Connector>,
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    wire: Wire,
}

impl Bench {
    async fn new(plays: impl IntoIterator<Item = Answer>) -> Self {
        let wire = Wire::new(plays.into_iter().map(Play::Answer)).await;
        let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
        let config = TwilioConfig {
            base_url: wire.url().to_owned(),
            ..config(TwilioChannel::Sms)
        };
        let route = start(
            config,
            Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
            Arc::clone(&record) as Arc<dyn RouteEvents>,
            Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000))),
        );
        Self {
            route,
            lanes,
            record,
            wire,
        }
    }
}

fn account(status: &str) -> Answer {
    answer(200, &format!(r#"{{"sid":"AC0123","status":"{status}"}}"#))
}

#[tokio::test]
async fn a_message_goes_from_the_probe_to_its_receipt() {
    let created = answer(
        201,
        r#"{"sid":"SM11","status":"queued","num_segments":"1"}"#,
    );
    let bench = Bench::new([account("active"), created]).await;
    bench.lanes.put([submission(7, "+4917012345678", "Hi")]);
    let reference = PartReference {
        part: PartSet::WHOLE,
        reference: "SM11".into(),
    };
    let accepted = SubmitOutcome::Accepted {
        references: vec![reference],
    };
    assert_eq!(
        bench.record.wait(2).await,
        [Told::Link(LinkState::Up), Told::Submitted(key(7), accepted),]
    );
    let asked = bench.wire.asked();
    let targets: Vec<_> = asked.iter().map(|it| (&*it.method, &*it.target)).collect();
    assert_eq!(
        targets,
        [
            ("GET", "/2010-04-01/Accounts/AC0123.json"),
            ("POST", "/2010-04-01/Accounts/AC0123/Messages.json"),
        ]
    );
    for it in &asked {
        assert_eq!(
            it.header("authorization"),
            Some("Basic QUMwMTIzOnMzY3JldC10MGtlbg==")
        );
    }

    let body = form(&[
        ("MessageSid", "SM11"),
        ("MessageStatus", "delivered"),
        ("To", "+4917012345678"),
    ]);
    let call = signed("ref=msg_0000000000007.1", &body);
    let told = async {
        let told = bench.record.wait(1).await;
        bench.record.ack(Heard::Kept);
        told
    };
    let hooks = bench.route.hooks().unwrap();
    let (answer, told) = tokio::join!(hooks.call(call), told);
    assert_eq!(answer.status, 204);
    let [Told::Receipt(receipt)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(receipt.ours, Some(key(7)));
    assert_eq!(receipt.state, ReceiptState::Delivered);
    bench.route.stop(Millis::seconds(1)).await;
}

#[tokio::test]
async fn a_suspended_account_takes_no_messages() {
    let bench = Bench::new([account("suspended")]).await;
    bench.lanes.put([submission(7, "+4917012345678", "Hi")]);
    let told = bench.record.wait(1).await;
    let why = "the account is suspended at Twilio".into();
    assert_eq!(told, [Told::Link(LinkState::Down(why))]);
    assert_eq!(bench.lanes.left(), 1);
    bench.route.stop(Millis::ZERO).await;
}

#[tokio::test]
async fn a_refused_probe_keeps_the_route_down() {
    let bench = Bench::new([answer(401, r#"{"code":20003,"status":401}"#)]).await;
    let told = bench.record.wait(1).await;
    assert!(
        matches!(&told[..], [Told::Link(LinkState::Down(_))]),
        "{told:?}"
    );
    bench.route.stop(Millis::ZERO).await;
}

#[tokio::test]
async fn media_are_fetched_with_the_routes_credentials() {
    let mut image = answer(200, "jpeg");
    image.headers[0].1 = "image/jpeg".to_owned();
    let bench = Bench::new([account("active"), image]).await;
    bench.record.wait(1).await;
    let path = "/2010-04-01/Accounts/AC0123/Messages/MM1/Media/ME1";
    let url = format!("{}{path}", bench.wire.url());
    let medium = bench.route.media().unwrap().fetch(&url).await.unwrap();
    assert_eq!(&*medium.content_type, "image/jpeg");
    assert_eq!(medium.bytes, b"jpeg");
    let asked = bench.wire.asked().pop().unwrap();
    assert_eq!(asked.target, path);
    assert!(asked.header("authorization").is_some());
}
