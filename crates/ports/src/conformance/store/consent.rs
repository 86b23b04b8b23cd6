//! [`Op::Consent`], and consent in the operations that ask it.

use domain::ids::{ContactId, SenderKey};
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentRecord, ConsentScope, ConsentSource};
use domain::model::message::{Category, Purpose};
use domain::model::progress::Waiting;
use domain::rules::keyword::Keyword;

use super::kit::*;
use crate::store::consent::{Consent, ConsentSubject, Towards};
use crate::store::contacts::{ContactChange, ContactOutcome, NewAddress};
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
        towards: Towards::Senders(senders.to_vec()),
        change,
        source: ConsentSource::Provider,
        channel: Some(Channel::Sms),
        at: at(millis),
    }
}

/// What a caller of the API tells for the whole project.
fn told_all(who: ConsentSubject, opted_out: bool, millis: i64) -> Consent {
    Consent {
        towards: Towards::Project,
        source: ConsentSource::Api,
        channel: None,
        ..told(who, &[], asked(opted_out, ConsentScope::Everything), millis)
    }
}

fn keep(store: &dyn Store, consent: Consent) -> (ContactId, Vec<SenderKey>) {
    match commit(store, Op::Consent(Box::new(consent))) {
        Outcome::ConsentKept {
            contact, changed, ..
        } => (contact, changed),
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
    assert_eq!(view.opted_out.senders, [SENDER]);
    let who = ConsentSubject::Contact(contact);
    let change = asked(false, ConsentScope::Everything);
    assert_eq!(
        keep(store, told(who, &[SENDER, OTHER], change, 3)),
        (contact, vec![SENDER])
    );
    assert!(is_accepted(store, sent_at_once(phone(1), at(4))));
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    assert!(!view.opted_out.is_any());
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
        sender: Some(SENDER),
        at: at(millis),
        change: asked(opted_out, ConsentScope::Everything),
        source,
        channel: Some(channel),
    };
    assert_eq!(
        ask(store.consents(contact)),
        [
            record(10, true, ConsentSource::Provider, Channel::Sms),
            record(30, false, ConsentSource::Keyword, Channel::WhatsApp),
        ]
    );
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
    assert_eq!(ask(store.consents(contact)).len(), 1);
    opt_out(store, 1, 2);
    let (told, _) = receive(store, yes("b", 3));
    let thread = facts(store, phone(1)).thread;
    assert!(!thread.opted_out && !thread.no_promotions);
    let records = ask(store.consents(contact));
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

fn contact_op(store: &dyn Store, change: ContactChange, millis: i64) -> ContactOutcome {
    let op = Op::Contact {
        project: PROJECT,
        change: Box::new(change),
        at: at(millis),
    };
    match commit(store, op) {
        Outcome::Contact(outcome) => outcome,
        other => panic!("no contact: {other:?}"),
    }
}

/// A message of a sender, sent at once.
fn from(sender: SenderKey, last: u32, millis: i64) -> Accept {
    let mut accept = sent_at_once(phone(last), at(millis));
    accept.message.sender = sender;
    accept
}

fn out_of_all(store: &dyn Store, last: u32, millis: i64) -> ContactId {
    let who = ConsentSubject::Address(phone(last).into());
    keep(store, told_all(who, true, millis)).0
}

pub fn consent_survives_a_merge_and_its_history_goes_with_the_contact(store: &dyn Store) {
    let (_, target) = accept(store, sent_at_once(phone(1), at(0)));
    let source = opt_out(store, 2, 1);
    contact_op(store, ContactChange::Merge { target, source }, 2);
    assert!(facts(store, phone(1)).thread.opted_out);
    assert_eq!(ask(store.consents(target)).len(), 1);
    contact_op(store, ContactChange::Delete { contact: target }, 3);
    assert_eq!(ask(store.consents(target)), []);
}

pub fn an_opt_out_of_the_project_holds_for_senders_that_are_made_later(store: &dyn Store) {
    let contact = accept(store, sent_at_once(phone(1), at(0))).1;
    let who = ConsentSubject::Contact(contact);
    let change = told_all(who.clone(), true, 1);
    let outcome = commit(store, Op::Consent(Box::new(change.clone())));
    let Outcome::ConsentKept {
        changed,
        everywhere,
        ..
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    // Towards the others there is no thread.
    assert_eq!((changed, everywhere), (vec![SENDER], true));
    for sender in [SENDER, OTHER, SenderKey(4_711)] {
        let known = store.contact_facts(PROJECT, sender, &phone(1).into());
        assert!(ask(known).thread.opted_out, "{sender:?}");
        assert!(!is_accepted(store, from(sender, 1, 2)), "{sender:?}");
    }
    let mut answer = from(SenderKey(4_712), 1, 3);
    answer.message.purpose = Purpose::KeywordAnswer;
    assert!(is_accepted(store, answer));
    // A thread that began since stands as the project does.
    assert!(!is_accepted(store, from(SenderKey(4_712), 1, 4)));
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    assert!(view.opted_out.project && view.opted_out.covers(SenderKey(4_713)));
    let again = commit(store, Op::Consent(Box::new(change)));
    let Outcome::ConsentKept {
        changed,
        everywhere,
        ..
    } = again
    else {
        panic!("{again:?}");
    };
    assert_eq!((changed, everywhere), (vec![], false));
    let records = ask(store.consents(contact));
    assert_eq!(records.len(), 1, "what changes nothing is not kept");
    assert_eq!(records[0].sender, None);

    keep(store, told_all(who, false, 5));
    for sender in [SENDER, OTHER, SenderKey(4_711)] {
        assert!(is_accepted(store, from(sender, 1, 6)), "{sender:?}");
    }
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    assert!(!view.opted_out.is_any());
}

pub fn who_is_in_again_for_one_sender_stays_out_of_the_others(store: &dyn Store) {
    let contact = out_of_all(store, 1, 0);
    receive(store, keyword(1, false, "a", 1));
    assert!(is_accepted(store, from(SENDER, 1, 2)));
    assert!(!is_accepted(store, from(OTHER, 1, 3)));
    assert!(!is_accepted(store, from(SenderKey(4_711), 1, 4)));
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    assert!(view.opted_out.project);
    assert_eq!(view.opted_out.except, [SENDER]);
    assert!(!view.opted_out.covers(SENDER) && view.opted_out.covers(OTHER));
    // Out of all once more: the exception goes.
    out_of_all(store, 1, 5);
    assert!(!is_accepted(store, from(SENDER, 1, 6)));
    // In for all: also where the person had stopped one sender.
    let who = ConsentSubject::Contact(contact);
    let change = asked(true, ConsentScope::Everything);
    keep(store, told(who.clone(), &[OTHER], change, 7));
    keep(store, told_all(who, false, 8));
    assert!(is_accepted(store, from(OTHER, 1, 9)));
}

pub fn a_project_without_promotions_gets_everything_else(store: &dyn Store) {
    let who = ConsentSubject::Address(phone(1).into());
    let mut none = told_all(who, true, 0);
    none.change.scope = ConsentScope::Promotions;
    let (contact, _) = keep(store, none);
    let promotion = |sender, millis| {
        let mut accept = from(sender, 1, millis);
        accept.message.category = Category::Promotional;
        accept
    };
    assert!(!is_accepted(store, promotion(SENDER, 1)));
    assert!(is_accepted(store, from(SENDER, 1, 2)));
    // The thread that this made knows of it.
    assert!(!is_accepted(store, promotion(SENDER, 3)));
    assert!(!is_accepted(store, promotion(OTHER, 4)));
    receive(
        store,
        InboundMessage {
            consent: None,
            ..keyword(1, true, "a", 5)
        },
    );
    assert!(!is_accepted(store, promotion(SENDER, 6)));
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    assert!(!view.opted_out.is_any());
}

pub fn a_thread_that_an_inbound_message_begins_stands_as_the_project(store: &dyn Store) {
    out_of_all(store, 1, 0);
    let plain = InboundMessage {
        consent: None,
        ..keyword(1, true, "a", 1)
    };
    receive(store, plain);
    assert!(facts(store, phone(1)).thread.opted_out);
    assert!(!is_accepted(store, from(SENDER, 1, 2)));
}

pub fn what_waits_of_any_sender_is_not_handed_over_after_an_opt_out_of_the_project(
    store: &dyn Store,
) {
    let mut later = waiting(phone(1), at(0));
    later.message.sender = OTHER;
    let (id, _) = accept(store, later);
    out_of_all(store, 1, 1);
    let before = progress(store, id);
    let start = PlanStep::Start(planned(Channel::Sms, SMS));
    let outcome = commit(store, plan(id, before.version, start, at(2)));
    assert!(matches!(outcome, Outcome::OptedOut));
}

pub fn of_merged_contacts_the_stricter_one_counts_for_each_sender(store: &dyn Store) {
    for (target_is_out, first) in [(true, 1), (false, 3)] {
        let out = out_of_all(store, first, 0);
        // It asked one sender for messages again; the other contact wrote with both.
        let who = ConsentSubject::Contact(out);
        let again = asked(false, ConsentScope::Everything);
        keep(store, told(who, &[SENDER], again, 1));
        let (_, open) = accept(store, from(SENDER, first + 1, 2));
        accept(store, from(OTHER, first + 1, 3));
        let (target, source) = if target_is_out {
            (out, open)
        } else {
            (open, out)
        };
        contact_op(store, ContactChange::Merge { target, source }, 4);
        for last in [first, first + 1] {
            assert!(is_accepted(store, from(SENDER, last, 5)));
            assert!(!is_accepted(store, from(OTHER, last, 6)));
            assert!(!is_accepted(store, from(SenderKey(4_711), last, 7)));
        }
    }
}

pub fn who_is_erased_stays_opted_out(store: &dyn Store) {
    let one = opt_out(store, 1, 0);
    let all = out_of_all(store, 2, 1);
    let (_, none) = accept(store, sent_at_once(phone(3), at(2)));
    let scheduled = accept(store, first(FirstStep::Schedule(at(9)), phone(3), at(2))).0;
    for contact in [one, all, none] {
        let gone = contact_op(store, ContactChange::Delete { contact }, 3);
        assert!(matches!(gone, ContactOutcome::Gone));
    }
    for (sender, last, want) in [
        (SENDER, 1, false),
        (SENDER, 2, false),
        (OTHER, 2, false),
        (SenderKey(4_711), 2, false),
        (SENDER, 3, true),
    ] {
        let known = store.contact_facts(PROJECT, sender, &phone(last).into());
        let known = ask(known);
        assert_eq!((known.id, known.thread.opted_out), (None, !want));
        assert_eq!(
            is_accepted(store, from(sender, last, 4)),
            want,
            "{sender:?} {last}"
        );
    }
    // Nobody was made again to say no.
    assert_eq!(facts(store, phone(2)).id, None);
    let before = progress(store, scheduled);
    let start = PlanStep::Start(planned(Channel::Sms, SMS));
    change(store, plan(scheduled, before.version, start, at(5)));
    // Whom the person did not stop may write, and knows whom they stopped.
    assert!(is_accepted(store, from(OTHER, 1, 6)));
    assert!(!is_accepted(store, from(SENDER, 1, 7)));
    let contact = facts(store, phone(1)).id.unwrap();
    let view = ask(store.contact(PROJECT, contact)).unwrap();
    assert_eq!(view.opted_out.senders, [SENDER]);
    assert_eq!(ask(store.consents(contact)), [], "the history is gone");
}

pub fn what_waits_for_who_is_erased_is_not_handed_over(store: &dyn Store) {
    let (id, contact) = accept(store, waiting(phone(1), at(0)));
    out_of_all(store, 1, 1);
    contact_op(store, ContactChange::Delete { contact }, 2);
    let start = || PlanStep::Start(planned(Channel::Sms, SMS));
    let version = progress(store, id).version;
    let outcome = commit(store, plan(id, version, start(), at(3)));
    assert!(matches!(outcome, Outcome::OptedOut));
    assert!(ask(store.outbound(id)).unwrap().facts.thread.opted_out);
    // Also once the person has written, and is a contact again.
    let plain = InboundMessage {
        consent: None,
        ..keyword(1, true, "a", 4)
    };
    receive(store, plain);
    let outcome = commit(store, plan(id, version, start(), at(5)));
    assert!(matches!(outcome, Outcome::OptedOut));
}

pub fn who_was_erased_and_is_made_again_stands_as_before(store: &dyn Store) {
    let number = |last| NewAddress {
        kind: domain::model::contact::AddressKind::Sms,
        identifier: phone(last).as_str().into(),
        is_primary: false,
        label: None,
    };
    for last in [1, 2, 3] {
        let contact = out_of_all(store, last, 0);
        contact_op(store, ContactChange::Delete { contact }, 1);
    }
    // Made by the API, or given to a contact, or by what the person writes.
    let made = ContactChange::Create {
        display_name: None,
        metadata: None,
        addresses: vec![number(1)],
    };
    let ContactOutcome::Done(view) = contact_op(store, made, 2) else {
        panic!("not made");
    };
    assert!(view.opted_out.project);
    let (_, other) = accept(store, sent_at_once(phone(4), at(3)));
    let added = ContactChange::AddChannel {
        contact: other,
        address: number(2),
    };
    let ContactOutcome::Done(view) = contact_op(store, added, 4) else {
        panic!("not added");
    };
    assert!(view.opted_out.covers(SENDER) && view.opted_out.covers(OTHER));
    receive(store, keyword(3, false, "a", 5));
    assert!(is_accepted(store, from(SENDER, 3, 6)));
    assert!(!is_accepted(store, from(OTHER, 3, 7)));
    // What it says from then on counts, also after it was erased once more.
    let contact = facts(store, phone(3)).id.unwrap();
    keep(store, told_all(ConsentSubject::Contact(contact), false, 8));
    contact_op(store, ContactChange::Delete { contact }, 9);
    assert!(is_accepted(store, from(OTHER, 3, 10)));
}

pub fn who_is_erased_in_one_project_is_a_stranger_in_another(store: &dyn Store) {
    let contact = out_of_all(store, 1, 0);
    contact_op(store, ContactChange::Delete { contact }, 1);
    let mut elsewhere = from(SENDER, 1, 2);
    elsewhere.message.project = domain::ids::ProjectKey(2);
    assert!(is_accepted(store, elsewhere));
}
