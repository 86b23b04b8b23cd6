//! The pool by itself: when is a message handed out, when is it certain that it does not leave, and
//! what is the engine told?

use domain::ids::RouteKey;
use domain::model::audit::Actor;
use domain::model::failure::FailureClass;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::time::{Millis, Timestamp};
use ports::connector::{LinkState, SubmissionKey};
use ports::phones::PhoneCaller;
use ports::store::phones::{Handing, HandingState, PhoneChange};

use super::config::{CLOCK_MARGIN, SmsGateConfig};
use super::listing::Shown;
use super::pairing::Credential;
use super::pool::{Act, Open, Pool};
use super::receipt::Report;
use super::wire::DeviceIn;
use crate::testing::{key, submission};

pub(super) const ANA: &str = "+40721000001";

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000)
}

pub(super) fn pool() -> Pool {
    Pool::new(SmsGateConfig::new(RouteKey(1)))
}

/// Pairs a phone that has a stream; its id.
pub(super) fn join(pool: &mut Pool, name: &str, now: Timestamp) -> String {
    let (pairing, _) = pool.pair(None, Actor::system(), now);
    let token = Credential::Token(pairing.token.to_string());
    let Some(PhoneCaller::Newcomer(permission)) = pool.whose(&token, now) else {
        panic!("no newcomer")
    };
    let device: DeviceIn = serde_json::from_value(serde_json::json!({ "name": name })).unwrap();
    let (registered, _) = pool.register(permission, &device, now).unwrap();
    let phone = pool.phones.get_mut(&registered.id).unwrap();
    phone.streams = 1;
    registered.id.to_string()
}

/// Hands test submission `no` to a phone, and keeps that; its id.
pub(super) fn hand(pool: &mut Pool, no: i64, now: Timestamp) -> String {
    let id = format!("id-{no}");
    let acts = pool.place(&submission(no, ANA, "Salut"), id.as_str().into(), now);
    assert!(
        matches!(&acts[..], [Act::Hand(_), Act::Keep(PhoneChange::Peer(_))]),
        "{acts:?}"
    );
    pool.kept(&id, true, now);
    id
}

fn fetch(pool: &mut Pool, id: &str, now: Timestamp) {
    let phone = pool.open[id].handing.phone.to_string();
    let listed = pool.list(&phone, 100, now);
    let is_it = |it: &&(&Open, Shown)| &*it.0.handing.id == id && it.1 == Shown::Send;
    assert!(listed.iter().find(is_it).is_some(), "{id}: {listed:?}");
}

pub(super) fn says(id: &str, state: &str, error: Option<&str>) -> Report {
    let recipient = serde_json::json!({ "state": state, "error": error });
    let report = serde_json::json!({ "id": id, "state": state, "recipients": [recipient] });
    serde_json::from_value(report).unwrap()
}

/// What the engine is told, in short.
pub(super) fn told(acts: Vec<Act>) -> Vec<String> {
    let word = |act| match act {
        Act::Submitted(_, SubmitOutcome::Accepted { .. }) => Some("accepted".to_owned()),
        Act::Submitted(_, SubmitOutcome::NotAccepted(it)) => {
            Some(format!("not accepted: {}", it.code))
        }
        Act::Submitted(_, SubmitOutcome::Rejected(it)) => Some(format!("rejected: {}", it.code)),
        Act::Submitted(_, SubmitOutcome::Unknown { .. }) => Some("unknown".to_owned()),
        Act::Submitted(_, SubmitOutcome::PartlyAccepted { .. }) => Some("partly".to_owned()),
        Act::Returned(_) => Some("returned".to_owned()),
        Act::Receipt(it) => Some(it.state.code().to_owned()),
        Act::Keep(_) | Act::Told(..) | Act::Hand(_) | Act::Link(_) => None,
    };
    acts.into_iter().filter_map(word).collect()
}

pub(super) fn report(pool: &mut Pool, phone: &str, report: &Report, now: Timestamp) -> Vec<String> {
    told(pool.report(phone, report, now).unwrap())
}

pub(super) fn tick(pool: &mut Pool, now: Timestamp) -> Vec<String> {
    told(pool.tick(now))
}

#[test]
fn a_message_is_shown_to_its_phone_only_once_that_is_kept() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let mut wakes = pool.phones[&*phone].subscribe();
    pool.place(&submission(1, ANA, "Salut"), "id-1".into(), at(0));
    assert_eq!(pool.open["id-1"].shown(at(0)), None);
    assert!(wakes.try_recv().is_err());
    pool.kept("id-1", true, at(0));
    assert_eq!(pool.open["id-1"].shown(at(0)), Some(Shown::Send));
    assert_eq!(wakes.try_recv().unwrap().name, "MessageEnqueued");
    // One that could not be kept goes back.
    pool.place(&submission(2, ANA, "Salut"), "id-2".into(), at(1));
    pool.kept("id-2", false, at(1));
    assert_eq!(tick(&mut pool, at(1)), ["returned"]);
}

#[test]
fn it_counts_as_sent_when_the_phone_sent_it_and_as_delivered_by_the_carriers_word() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    fetch(&mut pool, &id, at(1));
    assert!(report(&mut pool, &phone, &says(&id, "Pending", None), at(1)).is_empty());
    assert!(report(&mut pool, &phone, &says(&id, "Processed", None), at(2)).is_empty());
    assert_eq!(
        report(&mut pool, &phone, &says(&id, "Sent", None), at(3)),
        ["accepted"]
    );
    assert!(
        pool.report(&phone, &says(&id, "Delivered", None), at(4))
            .is_none()
    );
    let other = hand(&mut pool, 2, at(5));
    let quick = report(&mut pool, &phone, &says(&other, "Delivered", None), at(6));
    assert_eq!(quick, ["accepted", "delivered"]);
}

#[test]
fn another_phone_cannot_report_on_it() {
    let mut pool = pool();
    join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    assert!(report(&mut pool, "stranger", &says(&id, "Sent", None), at(1)).is_empty());
    assert_eq!(pool.open[&*id].handing.state, HandingState::Offered);
}

#[test]
fn what_was_never_fetched_goes_back_at_once_and_its_phone_counts_as_away() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    hand(&mut pool, 1, at(0));
    assert!(tick(&mut pool, at(19)).is_empty());
    assert_eq!(tick(&mut pool, at(20)), ["returned"]);
    assert_eq!(pool.slots(at(20)).free, 0);
    pool.phones.get_mut(&*phone).unwrap().seen(at(21));
    assert_eq!(pool.slots(at(21)).free, 10);
    hand(&mut pool, 2, at(22));
    pool.phones.get_mut(&*phone).unwrap().streams = 0;
    assert!(tick(&mut pool, at(41)).is_empty(), "it may come back");
    assert_eq!(tick(&mut pool, at(42)), ["returned"]);
}

#[test]
fn what_a_phone_may_have_leaves_it_only_when_it_says_so() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    fetch(&mut pool, &id, at(1));
    let mut wakes = pool.phones[&*phone].subscribe();
    pool.phones.get_mut(&*phone).unwrap().silent = true;
    assert!(tick(&mut pool, at(2)).is_empty());
    let event = wakes.try_recv().unwrap();
    assert_eq!(
        (event.name, &*event.data),
        ("MessageCancelled", r#"{"messageId":"id-1"}"#)
    );
    assert!(pool.open[&*id].handing.cancelling);
    // Had it never seen it, `Cancelling` would be answered and not remembered.
    assert_eq!(pool.open[&*id].shown(at(2)), Some(Shown::Ask));
    assert_eq!(
        report(&mut pool, &phone, &says(&id, "Cancelled", None), at(3)),
        ["returned"]
    );
}

#[test]
fn a_silent_phone_is_believed_to_be_done_only_after_its_validity_by_any_clock() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    fetch(&mut pool, &id, at(1));
    pool.phones.remove(&*phone);
    let over = at(300).plus(CLOCK_MARGIN);
    let before = Timestamp::from_millis(over.as_millis() - 1);
    assert!(tick(&mut pool, before).is_empty());
    assert_eq!(tick(&mut pool, over), ["returned"]);
    // `unknown_wait` is longer than that.
    let config = SmsGateConfig::new(RouteKey(1));
    assert!(at(0).plus(config.settled_after()) > over);
}

#[test]
fn what_was_given_to_android_counts_as_sent_when_nothing_more_is_heard() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    report(&mut pool, &phone, &says(&id, "Processed", None), at(1));
    pool.phones.get_mut(&*phone).unwrap().silent = true;
    assert!(tick(&mut pool, at(60)).is_empty());
    assert_eq!(tick(&mut pool, at(61)), ["accepted"]);
    assert!(tick(&mut pool, at(62)).is_empty());
    assert_eq!(
        report(&mut pool, &phone, &says(&id, "Sent", None), at(70)),
        ["in_transit"]
    );
}

#[test]
fn each_failure_has_its_remedy() {
    for (error, want, rests) in [
        ("RESULT_ERROR_NO_SERVICE", vec!["returned"], true),
        ("RESULT_ERROR_LIMIT_EXCEEDED", vec!["returned"], true),
        ("TTL expired", vec!["returned"], true),
        (
            "RESULT_ERROR_GENERIC_FAILURE",
            vec!["not accepted: generic_failure"],
            false,
        ),
        ("RESULT_ERROR_NULL_PDU", vec!["rejected: null_pdu"], false),
        (
            "Delivery result from SC +4072: 65",
            vec!["accepted", "failed"],
            false,
        ),
    ] {
        let mut pool = pool();
        let phone = join(&mut pool, "a", at(0));
        let id = hand(&mut pool, 1, at(0));
        let found = report(&mut pool, &phone, &says(&id, "Failed", Some(error)), at(1));
        assert_eq!(found, want, "{error}");
        assert_eq!(pool.phones[&*phone].rests(at(2)), rests, "{error}");
        let link = pool.tick(at(2)).into_iter().find_map(|it| match it {
            Act::Link(link) => Some(link),
            Act::Keep(_)
            | Act::Told(..)
            | Act::Hand(_)
            | Act::Submitted(..)
            | Act::Returned(_)
            | Act::Receipt(_) => None,
        });
        assert_eq!(link == Some(LinkState::Up), !rests, "{error}");
    }
}

#[test]
fn what_nobody_waits_for_is_told_by_receipts() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    let ids = [1, 2, 3].map(|no| hand(&mut pool, no, at(0)));
    for id in &ids {
        fetch(&mut pool, id, at(1));
    }
    let acts = pool.close();
    assert_eq!(told(acts), ["unknown", "unknown", "unknown"]);
    assert_eq!(
        report(&mut pool, &phone, &says(&ids[0], "Sent", None), at(2)),
        ["in_transit"]
    );
    let never = says(&ids[1], "Failed", Some("RESULT_ERROR_NULL_PDU"));
    assert_eq!(report(&mut pool, &phone, &never, at(2)), ["failed"]);
    // Not sent, and no failure of the message: it is planned again when the wait is over.
    let resting = says(&ids[2], "Failed", Some("RESULT_ERROR_NO_SERVICE"));
    assert!(report(&mut pool, &phone, &resting, at(2)).is_empty());
}

#[test]
fn stopping_gives_back_what_was_not_fetched() {
    let mut pool = pool();
    join(&mut pool, "a", at(0));
    hand(&mut pool, 1, at(0));
    assert_eq!(told(pool.close()), ["returned"]);
    assert_eq!(pool.slots(at(1)).free, 0);
}

fn settled(state: HandingState) -> Handing {
    let mut pool = pool();
    join(&mut pool, "a", at(0));
    let id = hand(&mut pool, 1, at(0));
    let mut handing = pool.open[&*id].handing.clone();
    handing.state = state;
    handing
}

#[test]
fn a_late_report_is_told_when_it_says_something_and_never_of_what_was_cancelled() {
    let mut pool = pool();
    let sent = settled(HandingState::Sent);
    let mut late = |known: &Handing, report: &Report| pool.late(known, report, at(9));
    let acts = late(&sent, &says("id-1", "Delivered", None));
    assert!(
        matches!(&acts[..], [Act::Receipt(_), Act::Keep(PhoneChange::Handing(kept))]
        if kept.state == HandingState::Delivered)
    );
    let again = told(late(&sent, &says("id-1", "Sent", None)));
    assert_eq!(again, ["in_transit"], "the first may not have been kept");
    assert!(late(&sent, &says("id-1", "Processed", None)).is_empty());
    assert!(
        late(
            &settled(HandingState::Delivered),
            &says("id-1", "Sent", None)
        )
        .is_empty()
    );
    assert!(
        late(
            &settled(HandingState::Cancelled),
            &says("id-1", "Sent", None)
        )
        .is_empty()
    );
    let acts = late(&sent, &says("id-1", "Failed", Some("Delivery result: 70")));
    let Some(Act::Receipt(receipt)) = acts.first() else {
        panic!("{acts:?}")
    };
    let ReceiptState::Failed(failure) = &receipt.state else {
        panic!("{receipt:?}")
    };
    assert_eq!(failure.class, FailureClass::Undeliverable);
    assert_eq!(receipt.ours, Some(SubmissionKey { ..key(1) }));
}

#[test]
fn limits_are_counted_for_each_card_and_what_was_not_sent_does_not_count() {
    let mut pool = pool();
    let phone = join(&mut pool, "a", at(0));
    pool.phones.get_mut(&*phone).unwrap().record.per_hour = Some(2);
    hand(&mut pool, 1, at(0));
    let id = hand(&mut pool, 2, at(1));
    assert_eq!(pool.slots(at(2)).free, 0);
    assert!(matches!(
        &pool.tick(at(2))[..],
        [Act::Link(LinkState::Down(_))]
    ));
    report(&mut pool, &phone, &says(&id, "Cancelled", None), at(3));
    assert_eq!(pool.slots(at(3)).free, 1);
    hand(&mut pool, 3, at(3));
    assert_eq!(pool.slots(at(3_599)).free, 0);
    report(&mut pool, &phone, &says("id-1", "Sent", None), at(3_600));
    assert_eq!(pool.slots(at(3_600)).free, 1, "an hour later");
}

#[test]
fn validity_is_the_least_of_what_bounds_it() {
    let mut pool = pool();
    join(&mut pool, "a", at(0));
    let mut short = submission(1, ANA, "Salut");
    short.validity = Some(Millis::seconds(40));
    pool.place(&short, "a".into(), at(0));
    assert_eq!(pool.open["a"].handing.valid_until, at(40));
    let mut ending = submission(2, ANA, "Salut");
    ending.expires_at = at(20);
    pool.place(&ending, "b".into(), at(0));
    assert_eq!(pool.open["b"].handing.valid_until, at(20));
    let mut gone = submission(3, ANA, "Salut");
    gone.expires_at = at(0);
    assert_eq!(told(pool.place(&gone, "c".into(), at(0))), ["returned"]);
}
