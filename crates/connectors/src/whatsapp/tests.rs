//! The connector as a whole, against a machine on the loopback that plays Meta.

use domain::model::attempt::PartSet;
use domain::model::content::PriceCategory;
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::model::template::TemplateStatus;
use ports::clock::SystemClock;
use ports::connector::{Heard, LinkState};
use serde_json::Value;

use super::*;
use crate::testing::{Lanes, Record, Told, key, submission};
use crate::web::testing::{Play, Wire, answer, hook};

const NUMBER: &str = "106540352242922";

fn config(url: &str, number: &str) -> WhatsAppConfig {
    WhatsAppConfig {
        phone_number_id: number.to_owned(),
        waba_id: Some("5467".to_owned()),
        access_token: "hush-token".to_owned(),
        app_secret: "appsecret123".to_owned(),
        base_url: format!("{url}/v23.0"),
        ..WhatsAppConfig::default()
    }
}

struct Bench {
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    connector: Arc<dyn Connector>,
}

fn bench(config: WhatsAppConfig, directory: &Arc<Directory>) -> Bench {
    let lanes = Arc::new(Lanes::default());
    let record = Arc::new(Record::default());
    let connector = start(
        config,
        Arc::clone(directory),
        Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
        Arc::clone(&record) as Arc<dyn RouteEvents>,
        Arc::new(SystemClock),
    );
    Bench {
        lanes,
        record,
        connector,
    }
}

fn good(body: &Value) -> Play {
    Play::Answer(answer(200, &body.to_string()))
}

fn probe_then(plays: impl IntoIterator<Item = Play>) -> Vec<Play> {
    let probe = good(&json!({"id": NUMBER}));
    [probe].into_iter().chain(plays).collect()
}

/// The right signature of this body, in hexadecimal digits.
pub(super) fn signature(secret: &str, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, body.as_bytes());
    let digit = |it: u8| char::from_digit(u32::from(it), 16).unwrap();
    let bytes = tag.as_ref().iter();
    bytes
        .flat_map(|it| [digit(it >> 4), digit(it & 15)])
        .collect()
}

pub(super) fn signed(secret: &str, body: &Value) -> HookCall {
    let body = body.to_string();
    let mut call = hook("POST", "https://msg.example/hooks/wa", &body);
    let header = format!("sha256={}", signature(secret, &body));
    let header = header.into_bytes().into();
    call.headers.push(("x-hub-signature-256".into(), header));
    call
}

fn status_of(number: &str, id: &str) -> Value {
    json!({"field": "messages", "value": {
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
        "statuses": [{"id": id, "status": "delivered"}]}})
}

pub(super) fn changes(account: &str, changes: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": account, "changes": changes}]})
}

/// What a route was told beside the state of its link, each thing acknowledged.
fn heard(bench: &Bench, heard: Heard) -> Vec<String> {
    while bench.record.waiting_acks() > 0 {
        bench.record.ack(heard);
    }
    let words = bench.record.take().into_iter().filter_map(|it| match it {
        Told::Receipt(receipt) => Some(format!("{}", receipt.references[0])),
        Told::Template(update) => Some(format!("template {}", update.provider_id)),
        Told::Submitted(..)
        | Told::Returned(_)
        | Told::Inbound(_)
        | Told::Consent(_)
        | Told::Billed(..)
        | Told::Paused(_)
        | Told::Link(_) => None,
    });
    words.collect()
}

/// Makes a call, and acknowledges with `kept` what it tells to any of the routes.
async fn call(
    called: &Bench,
    others: &[&Bench],
    hook: HookCall,
    kept: Heard,
) -> (HookAnswer, Vec<Vec<String>>) {
    let benches: Vec<&Bench> = [called].into_iter().chain(others.iter().copied()).collect();
    let mut told = vec![Vec::new(); benches.len()];
    let hooks = called.connector.hooks().unwrap();
    let mut answer = hooks.call(hook);
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return (answer, told),
            () = tokio::task::yield_now() => {
                for (told, bench) in told.iter_mut().zip(&benches) {
                    told.extend(heard(bench, kept));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_message_leaves_with_the_token_and_is_accepted_under_metas_id() {
    let accepted = good(&json!({"messages": [{"id": "wamid.A"}]}));
    let wire = Wire::new(probe_then([accepted])).await;
    let bench = bench(config(wire.url(), NUMBER), &Arc::default());
    bench.lanes.put([submission(77, "+4917012345678", "Hello")]);
    let told = bench.record.wait(2).await;
    let outcome = SubmitOutcome::Accepted {
        references: vec![PartReference {
            part: PartSet::WHOLE,
            reference: "wamid.A".into(),
        }],
    };
    assert_eq!(
        told,
        [Told::Link(LinkState::Up), Told::Submitted(key(77), outcome)]
    );
    let asked = wire.asked();
    assert_eq!(asked[0].target, format!("/v23.0/{NUMBER}?fields=id"));
    assert_eq!(asked[1].target, format!("/v23.0/{NUMBER}/messages"));
    for asked in asked {
        assert_eq!(asked.header("authorization"), Some("Bearer hush-token"));
    }
    bench.connector.stop(Millis::seconds(1)).await;
}

#[tokio::test]
async fn a_wrong_token_is_a_link_that_is_down_with_metas_words() {
    let expired = json!({"error": {"code": 190, "message": "Token expired"}});
    let wire = Wire::new([Play::Answer(answer(401, &expired.to_string()))]).await;
    let bench = bench(config(wire.url(), NUMBER), &Arc::default());
    let told = bench.record.wait(1).await;
    let [Told::Link(LinkState::Down(why))] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        why.contains("190") && why.contains("Token expired"),
        "{why}"
    );
    assert!(!why.contains("hush"), "{why}");
}

#[tokio::test]
async fn what_concerns_another_number_of_the_same_app_reaches_its_route() {
    let wire = Wire::new([good(&json!({"id": "1"}))]).await;
    let directory = Arc::new(Directory::new());
    let one = bench(config(wire.url(), "1"), &directory);
    let two = bench(config(wire.url(), "2"), &directory);
    let other_app = WhatsAppConfig {
        app_secret: "another".to_owned(),
        ..config(wire.url(), "3")
    };
    let stranger = bench(other_app, &directory);
    let body = changes(
        "W",
        &[
            status_of("2", "out.2"),
            status_of("1", "out.1"),
            status_of("3", "out.3"),
            status_of("4", "out.4"),
        ],
    );
    let hook = signed("appsecret123", &body);
    let (answer, told) = call(&one, &[&two, &stranger], hook, Heard::Kept).await;
    assert_eq!(answer, HookAnswer::empty(200));
    assert_eq!(told, [vec!["out.1"], vec!["out.2"], vec![]]);

    // A route that is gone hears nothing more, and Meta is answered all the same.
    drop(two.connector);
    let body = changes("W", &[status_of("2", "out.5")]);
    let hook = signed("appsecret123", &body);
    let (answer, told) = call(&one, &[&stranger], hook, Heard::Kept).await;
    assert_eq!(answer, HookAnswer::empty(200));
    assert_eq!(told.concat(), Vec::<String>::new());
}

#[tokio::test]
async fn meta_is_asked_to_come_again_when_one_route_cannot_keep_its_share() {
    let wire = Wire::new([good(&json!({"id": "1"}))]).await;
    let directory = Arc::new(Directory::new());
    let one = bench(config(wire.url(), "1"), &directory);
    let body = changes("W", &[status_of("1", "out.1")]);
    let hook = signed("appsecret123", &body);
    let (answer, told) = call(&one, &[], hook, Heard::TryAgain).await;
    assert_eq!(answer, HookAnswer::empty(503));
    assert_eq!(told, [["out.1"]]);
}

#[tokio::test]
async fn a_changed_template_is_told_to_one_route_of_its_account() {
    let wire = Wire::new([good(&json!({"id": "1"}))]).await;
    let directory = Arc::new(Directory::new());
    let nameless = WhatsAppConfig {
        waba_id: None,
        ..config(wire.url(), "1")
    };
    let one = bench(nameless, &directory);
    let two = bench(config(wire.url(), "2"), &directory);
    let three = bench(config(wire.url(), "3"), &directory);
    let change = |id: u32| {
        json!({"field": "message_template_status_update",
            "value": {"event": "APPROVED", "message_template_id": id}})
    };
    let known = signed("appsecret123", &changes("5467", &[change(8)]));
    let (_, told) = call(&one, &[&two, &three], known, Heard::Kept).await;
    assert_eq!(told, [vec![], vec![], vec!["template 8"]]);

    let unknown = signed("appsecret123", &changes("9999", &[change(9)]));
    let (_, told) = call(&one, &[&two, &three], unknown, Heard::Kept).await;
    assert_eq!(told, [vec!["template 9"], vec![], vec![]]);
}

#[tokio::test]
async fn a_wrong_signature_tells_nobody_anything() {
    let wire = Wire::new([good(&json!({"id": "1"}))]).await;
    let one = bench(config(wire.url(), "1"), &Arc::default());
    let body = changes("W", &[status_of("1", "out.1")]);
    let (answer, told) = call(&one, &[], signed("another", &body), Heard::Kept).await;
    assert_eq!(answer, HookAnswer::empty(403));
    assert_eq!(told.concat(), Vec::<String>::new());
}

#[tokio::test]
async fn typing_marks_the_message_as_read() {
    let wire = Wire::new(probe_then([good(&json!({"success": true}))])).await;
    let bench = bench(config(wire.url(), NUMBER), &Arc::default());
    bench.record.wait(1).await;
    let presence = bench.connector.presence().unwrap();
    assert_eq!(presence.typing("wamid.IN").await, Ok(()));
    let asked = wire.asked();
    assert_eq!(
        serde_json::from_str::<Value>(&asked[1].body).unwrap(),
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN",
            "typing_indicator": {"type": "text"}})
    );
}

#[tokio::test]
async fn templates_are_listed_page_by_page() {
    let listed = |name: &str, status: &str| {
        json!({"id": name, "name": name, "language": "ro", "status": status,
            "category": "UTILITY", "components": [{"type": "BODY", "text": "Hi"}]})
    };
    let first = json!({"data": [listed("a", "APPROVED"), {"id": "broken"}],
        "paging": {"cursors": {"before": "x", "after": "QVF/+="},
            "next": "https://graph.example/?access_token=hush"}});
    let second = json!({"data": [listed("b", "SOMETHING_NEW")],
        "paging": {"cursors": {"before": "x", "after": "y"}}});
    let wire = Wire::new(probe_then([good(&first), good(&second)])).await;
    let bench = bench(config(wire.url(), NUMBER), &Arc::default());
    bench.record.wait(1).await;
    let templates = bench.connector.templates().unwrap();
    assert_eq!(templates.account(), "5467");
    let listed = templates.list().await.unwrap();
    let found: Vec<_> = listed
        .iter()
        .map(|it| (&*it.provider_id, it.status))
        .collect();
    let want = [
        ("a", TemplateStatus::Approved),
        ("b", TemplateStatus::Disabled),
    ];
    assert_eq!(found, want);
    let asked = wire.asked();
    let fields = "fields=id%2Cname%2Cstatus%2Ccategory%2Clanguage%2Ccomponents&limit=100";
    assert_eq!(
        asked[1].target,
        format!("/v23.0/5467/message_templates?{fields}")
    );
    assert_eq!(
        asked[2].target,
        format!("/v23.0/5467/message_templates?{fields}&after=QVF%2F%2B%3D")
    );
}

fn greeting() -> TemplateDefinition {
    TemplateDefinition {
        name: "greeting".into(),
        language: "ro".into(),
        category: PriceCategory::Utility,
        header: None,
        body: "Salut {{1}}".into(),
        footer: None,
        buttons: Vec::new(),
        add_security_recommendation: false,
        code_expiration_minutes: None,
    }
}

#[tokio::test]
async fn a_template_is_given_to_meta_which_may_choose_another_category() {
    let pending = json!({"id": "594425479261596", "status": "PENDING", "category": "MARKETING"});
    let wire = Wire::new(probe_then([good(&pending)])).await;
    let bench = bench(config(wire.url(), NUMBER), &Arc::default());
    bench.record.wait(1).await;
    let submitted = bench
        .connector
        .templates()
        .unwrap()
        .submit(greeting())
        .await;
    let want = SubmittedTemplate {
        provider_id: "594425479261596".into(),
        status: TemplateStatus::Pending,
        category: PriceCategory::Marketing,
    };
    assert_eq!(submitted, Ok(want));
    assert_eq!(wire.asked()[1].target, "/v23.0/5467/message_templates");
}

#[tokio::test]
async fn what_meta_says_of_a_refused_template_is_passed_on() {
    let refusal = json!({"error": {"code": 100, "error_subcode": 2_388_024,
        "message": "Invalid parameter", "error_user_msg": "There is already one in Romanian."}});
    let wire = Wire::new(probe_then([
        Play::Answer(answer(400, &refusal.to_string())),
        Play::Answer(answer(502, "<html>")),
        Play::HangUp,
    ]))
    .await;
    let bench = bench(config(wire.url(), NUMBER), &Arc::default());
    bench.record.wait(1).await;
    let templates = bench.connector.templates().unwrap();
    let refused = ProviderError::Refused {
        code: "100".into(),
        text: "There is already one in Romanian.".into(),
    };
    assert_eq!(templates.submit(greeting()).await, Err(refused));
    for _ in 0..2 {
        let unreachable = templates.submit(greeting()).await;
        assert!(
            matches!(unreachable, Err(ProviderError::Unreachable(_))),
            "{unreachable:?}"
        );
    }
}

#[tokio::test]
async fn without_an_account_no_template_is_submitted_or_listed() {
    let wire = Wire::new(probe_then([])).await;
    let nameless = WhatsAppConfig {
        waba_id: None,
        ..config(wire.url(), NUMBER)
    };
    let bench = bench(nameless, &Arc::default());
    bench.record.wait(1).await;
    let templates = bench.connector.templates().unwrap();
    assert_eq!(templates.account(), NUMBER);
    assert!(matches!(
        templates.list().await,
        Err(ProviderError::NotConfigured(_))
    ));
    let submitted = templates.submit(greeting()).await;
    assert!(matches!(submitted, Err(ProviderError::NotConfigured(_))));
    assert_eq!(wire.asked().len(), 1);
}
