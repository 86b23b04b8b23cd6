//! [`Op::Consent`], and consent in the operations that ask it.

use domain::ids::{ContactId, SenderKey};
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentRecord, ConsentScope, ConsentSource};
use domain::model::message::{Category, Purpose};
use domain::model::progress::Waiting;
use domain::rules::keyword::Keyword;

use super::kit::*;
use crate::store::consent::{Consent, ConsentSubject};
use crate::store::messages::{InboundMessage, ViewKind};
use crate::store::operations::{Accept, AnsweredInbound, FirstStep, PlanStep};
use crate::store::{Op, Outcome, Store};

const OTHER: SenderKey = SenderKey(2);

fn asked(opted_out: bool, scope: ConsentScope) -> ConsentChange {
    ConsentChange {
        opted_out,
        scope,
        only_if_out: false,
        wording: "stop".into(),
    }
}

fn told(who: ConsentSubject, senders: &[SenderKey], change: ConsentChange, millis: i64) -> Consent {
    Consent {
        project: PROJECT,
        who,
        senders: senders.to_vec(),
        change,
        source: ConsentSource::Provider,
        channel: Some(Channel::Sms),
        at: at(millis),
    }
}

fn keep(store: &dyn Store, consent: Consent) -> (ContactId, Vec<SenderKey>) {
    match commit(store, Op::Consent(Box::new(consent))) {
        Outcome::ConsentKept { contact, changed } => (contact, changed),
        other => panic!("not kept: {other:?}"),
    }
}

fn opt_out(store: &dyn Store, last: u32, millis: i64) -> ContactId {
    let who = ConsentSubject::Address(phone(last).into());
    let change = asked(true, ConsentScope::Everything);
    keep(store, told(who, &[SENDER], change, millis)).0
}

fn keyword(last: u32, opted_out: bool, id: &str, millis: i64) -> InboundMessage {
    InboundMessage {
        consent: Some(asked(opted_out, ConsentScope::Everything)),
        ..written(phone(last), Channel::WhatsApp, id, at(millis))
    }
}

fn is_accepted(store: &dyn Store, accept: Accept) -> bool {
    match commit(store, Op::Accept(Box::new(accept))) {
        Outcome::Accepted { .. } => true,
        Outcome::OptedOut => false,
        other => panic!("neither: {other:?}"),
    }
}

pub fn an_opt_out_holds_for_the_sender_and_is_reversed(store: &dyn Store) {
    let contact = opt_out(store, 1, 0);
    assert!(facts(store, phone(1)).thread.opted_out);
    assert!(!is_accepted(store, sent_at_once(phone(1), at(1))));
    let mut other = sent_at_once(phone(1), at(2));
    other.message.sender = OTHER;
    assert!(is_accepted(store, other));
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    assert_eq!(view.opted_out, [SENDER]);
    let who = ConsentSubject::Contact(contact);
    let change = asked(false, ConsentScope::Everything);
    assert_eq!(
        keep(store, told(who, &[SENDER, OTHER], change, 3)),
        (contact, vec![SENDER])
    );
    assert!(is_accepted(store, sent_at_once(phone(1), at(4))));
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    assert_eq!(view.opted_out, []);
}

pub fn a_refused_message_is_not_counted(store: &dyn Store) {
    let contact = opt_out(store, 1, 0);
    assert!(!is_accepted(store, sent_at_once(phone(1), at(1))));
    assert_eq!(facts(store, phone(1)).thread.last_outbound_at, None);
    let (first, _) = accept(store, sent_at_once(phone(2), at(2)));
    let id = domain::ids::ConversationId {
        contact,
        sender: SENDER,
    };
    assert_eq!(ask(store.conversation(PROJECT, id)), None);
    assert!(first.key() > contact.key());
}

pub fn a_stranger_who_opts_out_becomes_a_contact(store: &dyn Store) {
    let contact = opt_out(store, 1, 0);
    assert_eq!(facts(store, phone(1)).id, Some(contact));
    let who = ConsentSubject::Contact(ContactId::from_key(4_711));
    let change = asked(true, ConsentScope::Everything);
    let nobody = told(who, &[SENDER], change.clone(), 1);
    let outcome = commit(store, Op::Consent(Box::new(nobody)));
    assert!(matches!(outcome, Outcome::Missing));
    let elsewhere = Consent {
        project: domain::ids::ProjectKey(2),
        ..told(ConsentSubject::Contact(contact), &[SENDER], change, 2)
    };
    let outcome = commit(store, Op::Consent(Box::new(elsewhere)));
    assert!(matches!(outcome, Outcome::Missing));
}

pub fn a_change_is_remembered_and_what_changes_nothing_is_not(store: &dyn Store) {
    let contact = opt_out(store, 1, 10);
    assert_eq!(opt_out(store, 1, 20), contact);
    receive(store, keyword(1, false, "a", 30));
    receive(store, keyword(1, false, "b", 40));
    let record = |millis, opted_out, source, channel| ConsentRecord {
        at: at(millis),
        change: asked(opted_out, ConsentScope::Everything),
        source,
        channel: Some(channel),
    };
    assert_eq!(
        ask(store.consents(contact, SENDER)),
        [
            record(10, true, ConsentSource::Provider, Channel::Sms),
            record(30, false, ConsentSource::Keyword, Channel::WhatsApp),
        ]
    );
    assert_eq!(ask(store.consents(contact, OTHER)), []);
}

pub fn a_keyword_changes_consent_with_its_message(store: &dyn Store) {
    for (id, opted_out, changes) in [
        ("a", false, false),
        ("b", true, true),
        ("c", true, false),
        ("d", false, true),
    ] {
        let stop = keyword(1, opted_out, id, 0);
        let outcome = commit(store, Op::Inbound(Box::new(stop.clone())));
        let changed = match outcome {
            Outcome::InboundKept {
                consent_changed, ..
            } => consent_changed,
            other => panic!("not kept: {other:?}"),
        };
        assert_eq!(changed, changes, "{id}");
        assert_eq!(facts(store, phone(1)).thread.opted_out, opted_out, "{id}");
        // A repeat changes nothing, also when consent changed since.
        let again = commit(store, Op::Inbound(Box::new(stop)));
        assert!(matches!(again, Outcome::InboundRepeated { .. }));
    }
    receive(store, keyword(1, true, "e", 1));
    receive(store, keyword(1, false, "f", 2));
    commit(store, Op::Inbound(Box::new(keyword(1, true, "e", 3))));
    assert!(!facts(store, phone(1)).thread.opted_out);
}

pub fn an_everyday_word_changes_consent_only_where_the_person_is_out(store: &dyn Store) {
    let yes = |id, millis| {
        let mut inbound = keyword(1, false, id, millis);
        inbound.consent = inbound.consent.map(|it| ConsentChange {
            only_if_out: true,
            ..it
        });
        inbound
    };
    let who = ConsentSubject::Address(phone(1).into());
    let promotions = asked(true, ConsentScope::Promotions);
    let (contact, _) = keep(store, told(who, &[SENDER], promotions, 0));
    receive(store, yes("a", 1));
    assert!(facts(store, phone(1)).thread.no_promotions);
    assert_eq!(ask(store.consents(contact, SENDER)).len(), 1);
    opt_out(store, 1, 2);
    let (told, _) = receive(store, yes("b", 3));
    let thread = facts(store, phone(1)).thread;
    assert!(!thread.opted_out && !thread.no_promotions);
    let records = ask(store.consents(contact, SENDER));
    assert_eq!(records.len(), 3);
    assert!(!records[2].change.only_if_out, "kept is what came of it");
    let kept = ask(store.message(PROJECT, told)).unwrap();
    let ViewKind::Inbound(kept) = kept.kind else {
        panic!("not inbound");
    };
    assert_eq!(kept.consent, yes("b", 3).consent);
}

pub fn the_answer_to_a_keyword_goes_out_also_after_an_opt_out(store: &dyn Store) {
    opt_out(store, 1, 0);
    let mut answer = waiting(phone(1), at(1));
    answer.message.purpose = Purpose::KeywordAnswer;
    let (id, _) = accept(store, answer);
    let outbound = ask(store.outbound(id)).unwrap();
    assert_eq!(outbound.message.purpose, Purpose::KeywordAnswer);
    let step = PlanStep::Start(planned(Channel::Sms, SMS));
    let version = outbound.progress.version;
    let changed = change(store, plan(id, version, step, at(2)));
    assert_eq!(changed.waiting, Waiting::No);
}

pub fn an_answer_is_accepted_with_its_keyword_where_it_is_owed(store: &dyn Store) {
    // Another owner has the work meanwhile: the answer waits for it.
    ask(store.raise_epoch());
    ask(store.raise_epoch());
    let said = |what, inbound| -> usize {
        let mut answer = first(FirstStep::Schedule(at(5)), phone(1), at(5));
        answer.message.purpose = Purpose::KeywordAnswer;
        answer.message.explicit = Some(Channel::WhatsApp);
        let op = Op::Keyword(Box::new(AnsweredInbound {
            inbound,
            keyword: what,
            answer,
        }));
        let before = ask(store.due(at(5), 100)).len();
        let outcome = commit(store, op);
        let due = ask(store.due(at(5), 100));
        let answers = due.len() - before;
        if answers > 0 {
            let Outcome::InboundKept { message, .. } = outcome else {
                panic!("{outcome:?}")
            };
            let newest = due.iter().map(|it| it.message).max().unwrap();
            let answer = ask(store.outbound(newest)).unwrap().message;
            assert_eq!(answer.reply_to, Some((message, Channel::WhatsApp)));
            assert_eq!(answer.purpose, Purpose::KeywordAnswer);
        }
        answers
    };
    let help = |id| InboundMessage {
        consent: None,
        ..keyword(1, true, id, 4)
    };
    assert_eq!(said(Keyword::Stop, keyword(1, true, "a", 1)), 1);
    assert_eq!(said(Keyword::Stop, keyword(1, true, "a", 1)), 0, "a repeat");
    assert_eq!(
        said(Keyword::Stop, keyword(1, true, "b", 2)),
        0,
        "no change"
    );
    assert_eq!(said(Keyword::Help, help("c")), 1);
    assert_eq!(said(Keyword::Help, help("c")), 0);
    assert!(facts(store, phone(1)).thread.opted_out);
}

pub fn who_wants_no_promotions_gets_everything_else(store: &dyn Store) {
    let who = ConsentSubject::Address(phone(1).into());
    let none = asked(true, ConsentScope::Promotions);
    keep(store, told(who.clone(), &[SENDER], none, 0));
    let of = |category, millis| {
        let mut accept = sent_at_once(phone(1), at(millis));
        accept.message.category = category;
        accept
    };
    assert!(is_accepted(store, of(Category::Otp, 1)));
    assert!(is_accepted(store, of(Category::Transactional, 2)));
    assert!(!is_accepted(store, of(Category::Promotional, 3)));
    let thread = facts(store, phone(1)).thread;
    assert!(thread.no_promotions && !thread.opted_out);
    let again = asked(false, ConsentScope::Promotions);
    keep(store, told(who, &[SENDER], again, 4));
    assert!(is_accepted(store, of(Category::Promotional, 5)));
}

pub fn what_waits_is_not_handed_over_after_an_opt_out(store: &dyn Store) {
    let (id, _) = accept(store, waiting(phone(1), at(0)));
    opt_out(store, 1, 1);
    let before = progress(store, id);
    let start = PlanStep::Start(planned(Channel::Sms, SMS));
    let outcome = commit(store, plan(id, before.version, start.clone(), at(2)));
    assert!(matches!(outcome, Outcome::OptedOut));
    assert_eq!(progress(store, id), before);
    let stale = commit(store, plan(id, before.version + 1, start, at(2)));
    assert!(matches!(stale, Outcome::Stale));
    let step = PlanStep::Fail(failure(domain::model::failure::FailureClass::OptedOut));
    change(store, plan(id, before.version, step, at(3)));
}

pub fn consent_survives_a_merge_and_goes_with_the_contact(store: &dyn Store) {
    use crate::store::contacts::ContactChange;
    let (_, target) = accept(store, sent_at_once(phone(1), at(0)));
    let source = opt_out(store, 2, 1);
    for change in [
        ContactChange::Merge { target, source },
        ContactChange::Delete { contact: target },
    ] {
        let is_merge = matches!(change, ContactChange::Merge { .. });
        commit(
            store,
            Op::Contact {
                project: PROJECT,
                change: Box::new(change),
                at: at(2),
            },
        );
        assert_eq!(facts(store, phone(1)).thread.opted_out, is_merge);
        assert_eq!(
            ask(store.consents(target, SENDER)).len(),
            usize::from(is_merge)
        );
    }
}
