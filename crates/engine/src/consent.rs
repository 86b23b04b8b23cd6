//! Consent on the line (R-IN-2, R-CHAN-5): what a keyword, a provider or a caller of the API says is kept, what
//! was about to leave is taken back, and a keyword gets its one answer.

use std::sync::Arc;

use domain::decision::Decision;
use domain::ids::{ContactId, ConversationId, MessageId, ProjectKey, SenderKey};
use domain::model::address::Address;
use domain::model::attempt::AttemptState;
use domain::model::audit::Actor;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource, Standing};
use domain::model::content::{Content, EmailParts, MessageType};
use domain::model::failure::{Failure, FailureClass};
use domain::model::message::{Category, Purpose, Status, TrafficClass};
use domain::model::progress::{FallbackPolicy, Waiting};
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::model::sender::Sender;
use domain::rules::class::{ClassFacts, classify};
use domain::rules::keyword::{Keyword, Said, keyword, reply};
use domain::rules::validity::{ValidityFacts, expires_at};
use domain::time::Timestamp;
use ports::connector::{Ack, ConsentSignal, Heard, SubmissionKey};
use ports::store::consent::{Consent, ConsentSubject, Towards};
use ports::store::fold::is_answerable;
use ports::store::messages::{
    InboundMessage, MessageFilter, MessageView, NewMessage, Outbound, ViewKind,
};
use ports::store::operations::{Accept, FirstStep};
use ports::store::{Op, Outcome, Unavailable};

use crate::plan::is_unwanted;
use crate::{Inner, audit, settle};

/// Messages of a conversation that are looked at in one query.
const PAGE: u16 = 200;

/// The keyword that an inbound message consists of, by its sender's words. Only what a person wrote
/// counts: the words of a button that they pressed, too, but no caption of a picture.
pub(crate) fn said(content: &Content, sender: &Sender) -> Option<Said> {
    let text = content.text.as_deref()?;
    let is_text = content.kind == MessageType::Text;
    is_text.then(|| keyword(text, &sender.keywords)).flatten()
}

/// What a keyword asks to change.
pub(crate) fn asked(said: Option<Said>, content: &Content) -> Option<ConsentChange> {
    said?.keyword.change(content.text.as_deref()?)
}

/// The answer to a keyword in this message, should one turn out to be owed: a message that is due
/// at once, on the channel of the keyword, by a simulator where that came by one (R-TEST). `None`
/// where the operator wants no answer, and for who got many lately.
pub(crate) fn answer(
    inner: &Inner,
    said: Said,
    sender: &Sender,
    inbound: &InboundMessage,
    test: bool,
) -> Option<Accept> {
    let text = reply(said, sender)?;
    let topology = inner.topology();
    let policy = &topology.project(sender.project)?.policy;
    let now = inbound.received_at;
    let to = (sender.key, inbound.from.clone());
    if !inner.answers.lock().may_get(&to, now) {
        tracing::warn!(sender = %sender.id, "a keyword is not answered: this person got many answers lately");
        return None;
    }
    let mut content = Content::text(text);
    if inbound.channel == Channel::Email {
        content.email = Some(EmailParts {
            subject: Box::from(&*sender.name),
            html: None,
            reply_to: None,
            attachments: Vec::new(),
        });
    }
    let category = Category::Transactional;
    let (class, class_reason) = classify(&ClassFacts {
        caller: Some(TrafficClass::Direct),
        reply: true,
        broadcast: false,
        scheduled: false,
        promotional: false,
        same_text_to_many: false,
    });
    let context = inbound.provider_id.clone();
    let message = NewMessage {
        project: sender.project,
        sender: sender.key,
        to: inbound.from.clone(),
        content: Arc::new(content),
        class,
        class_reason,
        category,
        purpose: Purpose::KeywordAnswer,
        speed: policy.speed_of(None, category),
        explicit: Some(inbound.channel),
        reply_to: None,
        context: context.filter(|_| is_answerable(inbound.channel)),
        test,
        metadata: None,
        campaign: None,
        scheduled_at: None,
        accepted_at: now,
    };
    let validity = ValidityFacts {
        accepted_at: now,
        scheduled_at: None,
        requested: None,
        category,
        class,
    };
    Some(Accept {
        message,
        fallback: FallbackPolicy {
            enabled: false,
            after: sender.fallback_after,
            untried: topology.channels_of(sender, test),
        },
        expires_at: expires_at(&validity, policy),
        // Planned by the timer, as what was scheduled for now.
        first: FirstStep::Schedule(now),
        decision: Decision {
            class,
            class_reason,
            channels: Vec::new(),
            routes: Vec::new(),
        },
        idempotency: None,
        epoch: inner.epoch,
    })
}

/// Follows an inbound message that was a keyword, once it is kept; `answers` is whom an answer goes
/// to, should one be owed. Runs on the store's writer.
pub(crate) fn heard(
    inner: &Arc<Inner>,
    said: Said,
    sender: SenderKey,
    answers: Option<Address>,
    outcome: &Outcome,
) {
    let Outcome::InboundKept {
        contact,
        consent_changed,
        ..
    } = outcome
    else {
        return;
    };
    if *consent_changed {
        let thread = ConversationId {
            contact: *contact,
            sender,
        };
        let opted_out = said.keyword == Keyword::Stop;
        noted(inner, thread, opted_out, ConsentScope::Everything);
    }
    let owed = answers.filter(|_| said.keyword.is_answered(*consent_changed));
    if let Some(to) = owed {
        inner.answers.lock().given((sender, to), inner.now());
        metrics::counter!("tandem_accepted_total", "class" => TrafficClass::Direct.code())
            .increment(1);
        inner.timer.notify_one();
    }
}

/// Whom else a keyword speaks for, than the contact and the sender that its message was kept for.
pub(crate) struct Elsewhere {
    /// The other senders that write from the address that it came to: the person cannot tell them
    /// apart.
    pub(crate) senders: Vec<SenderKey>,
    /// The writer's other addresses: they may be another contact's.
    pub(crate) aliases: Vec<Address>,
    /// What it asks for.
    pub(crate) change: ConsentChange,
    /// On which channel it was said.
    pub(crate) channel: Channel,
    /// When.
    pub(crate) at: Timestamp,
}

impl Elsewhere {
    /// The changes of consent that follow for the others, once the keyword of this sender is kept
    /// for this contact.
    fn consents(self, sender: &Sender, contact: ContactId) -> Vec<Consent> {
        let all = [&[sender.key], self.senders.as_slice()].concat();
        let consent = |who, senders| Consent {
            project: sender.project,
            who,
            towards: Towards::Senders(senders),
            change: self.change.clone(),
            source: ConsentSource::Keyword,
            channel: Some(self.channel),
            at: self.at,
        };
        let mut consents = Vec::new();
        if !self.senders.is_empty() {
            consents.push(consent(
                ConsentSubject::Contact(contact),
                self.senders.clone(),
            ));
        }
        let aliases = self.aliases.iter().cloned().map(ConsentSubject::Address);
        consents.extend(aliases.map(|it| consent(it, all.clone())));
        consents
    }
}

/// Keeps what a keyword changes elsewhere; `then` hears whether all of it was kept.
pub(crate) fn keep_elsewhere(
    inner: &Arc<Inner>,
    elsewhere: Elsewhere,
    sender: &Sender,
    contact: ContactId,
    then: impl FnOnce(bool) + Send + 'static,
) {
    let mut consents = elsewhere.consents(sender, contact);
    // Operations are kept in their order: when the last one is, so are the others.
    let Some(last) = consents.pop() else {
        return then(true);
    };
    for consent in consents {
        keep(inner, consent, drop);
    }
    keep(inner, last, move |result| then(result.is_ok()));
}

/// A change of consent that is durable: counted, and what it forbids is taken back from the ready
/// queues, so that it is looked at again before its bytes leave. Connectors learn of what they have of
/// it, and give back what has not left.
fn noted(inner: &Arc<Inner>, thread: ConversationId, opted_out: bool, scope: ConsentScope) {
    count(opted_out);
    if !opted_out {
        return;
    }
    let standing = Standing {
        opted_out: scope == ConsentScope::Everything,
        no_promotions: true,
    };
    for line in inner.lines.values() {
        for key in line.withdraw(thread, standing) {
            settle::put_back_unwanted(inner, key);
        }
    }
    let ending = Arc::clone(inner);
    inner.spawn(async move {
        if let Err(error) = end_waiting(&ending, thread).await {
            tracing::error!(%error, "what waits for who opted out was not ended: it ends when it is planned");
        }
    });
}

/// What waits in a lane or has been taken by a person ends now: nobody should be offered it, or go on
/// writing it, until a route comes up. What a connector may have from before an interruption it is not
/// to send.
async fn end_waiting(inner: &Inner, thread: ConversationId) -> Result<(), Unavailable> {
    let topology = inner.topology();
    let Some(sender) = topology.sender(thread.sender) else {
        return Ok(());
    };
    for status in [Status::Queued, Status::Sending] {
        let mut before = None;
        loop {
            let filter = MessageFilter {
                project: sender.project,
                status: Some(status),
                to: None,
                channel: None,
                conversation: Some(thread),
                before,
                limit: PAGE,
            };
            let page = inner.store.messages(filter).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            for view in page.iter().filter(|it| is_waiting(it) || is_in_doubt(it)) {
                let found = inner.store.outbound(view.id).await?;
                let Some(found) = found.filter(is_unwanted) else {
                    continue;
                };
                match in_doubt_until(&found) {
                    Some(until) => stop_left_behind(inner, &found, until),
                    None => {
                        // Safe because: the planner only goes away when the engine stops.
                        let _stopped = inner.replan.send(view.id);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Whether it waits for a route or is in a person's hands; what waits for its time is refused then.
const fn is_waiting(view: &MessageView) -> bool {
    match &view.kind {
        ViewKind::Outbound { progress, .. } => {
            matches!(progress.waiting, Waiting::Lane(_) | Waiting::Person(_))
        }
        ViewKind::Inbound(_) => false,
    }
}

/// Whether nobody knows what became of its submission.
fn is_in_doubt(view: &MessageView) -> bool {
    match &view.kind {
        ViewKind::Outbound { progress, .. } => {
            let attempt = progress.last_attempt();
            attempt.is_some_and(|it| it.state == AttemptState::Unknown)
        }
        ViewKind::Inbound(_) => false,
    }
}

/// How long its outcome is waited for, where nobody knows what became of its submission.
fn in_doubt_until(outbound: &Outbound) -> Option<Timestamp> {
    let attempt = outbound.progress.last_attempt()?;
    (attempt.state == AttemptState::Unknown)
        .then_some(attempt.resolve_at)
        .flatten()
}

/// Tells the connector not to send what it may have of this message from before an interruption, where its
/// recipient has opted out; the outcome is waited for until then.
pub(crate) fn stop_left_behind(inner: &Inner, outbound: &Outbound, until: Timestamp) {
    let attempt = outbound.progress.last_attempt();
    let Some(attempt) = attempt.filter(|_| is_unwanted(outbound)) else {
        return;
    };
    if let Some(line) = inner.lines.get(&attempt.route) {
        let key = SubmissionKey {
            message: outbound.id,
            attempt: attempt.no,
        };
        line.withdraw_left_behind(key, until, inner.now());
    }
}

fn count(opted_out: bool) {
    let word = if opted_out { "out" } else { "in" };
    metrics::counter!("tandem_consent_total", "opted" => word).increment(1);
}

/// Follows a change of consent that was committed. One towards the whole project is followed in each
/// thread that it changed: what is ready has one.
fn follow(
    inner: &Arc<Inner>,
    opted_out: bool,
    scope: ConsentScope,
    result: &Result<Outcome, Unavailable>,
) {
    match result {
        Ok(Outcome::ConsentKept {
            contact,
            changed,
            everywhere,
        }) => {
            if *everywhere {
                count(opted_out);
            }
            for sender in changed {
                let thread = ConversationId {
                    contact: *contact,
                    sender: *sender,
                };
                noted(inner, thread, opted_out, scope);
            }
        }
        Ok(other) => tracing::debug!(?other, "a change of consent met nobody"),
        Err(error) => tracing::error!(%error, "a change of consent was not kept"),
    }
}

/// Commits a change; `then` hears the result after what follows from it was set going.
fn keep(
    inner: &Arc<Inner>,
    consent: Consent,
    then: impl FnOnce(Result<Outcome, Unavailable>) + Send + 'static,
) {
    let (op, followed) = following(inner, None, consent);
    let after_commit = move |result| {
        followed(&result);
        then(result);
    };
    inner.store.commit(op, Box::new(after_commit));
}

/// The operation of a change, on somebody's behalf perhaps, and what follows its commit.
fn following(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    consent: Consent,
) -> (
    Op,
    impl FnOnce(&Result<Outcome, Unavailable>) + Send + use<>,
) {
    let (opted_out, scope) = (consent.change.opted_out, consent.change.scope);
    let op = audit::audited(inner, by, Op::Consent(Box::new(consent)));
    let inner = Arc::clone(inner);
    let followed = move |result: &Result<Outcome, Unavailable>| {
        follow(&inner, opted_out, scope, result);
    };
    (op, followed)
}

/// Keeps what a caller of the API says of a person's consent.
pub(crate) async fn change(
    inner: &Arc<Inner>,
    by: Option<&Actor>,
    consent: Consent,
) -> Result<Outcome, Unavailable> {
    let (op, followed) = following(inner, by, consent);
    inner.apply_then(op, followed).await
}

/// Keeps what a person told the provider.
pub(crate) fn told(
    inner: &Arc<Inner>,
    project: ProjectKey,
    senders: Vec<SenderKey>,
    channel: Channel,
    signal: ConsentSignal,
    ack: Ack,
) {
    let scope = if signal.promotions_only {
        ConsentScope::Promotions
    } else {
        ConsentScope::Everything
    };
    let consent = Consent {
        project,
        who: ConsentSubject::Address(signal.from),
        towards: Towards::Senders(senders),
        change: ConsentChange {
            opted_out: signal.opted_out,
            scope,
            only_if_out: false,
            wording: signal.raw,
        },
        source: ConsentSource::Provider,
        channel: Some(channel),
        at: inner.now(),
    };
    keep(inner, consent, move |result| {
        ack(if result.is_ok() {
            Heard::Kept
        } else {
            Heard::TryAgain
        });
    });
}

/// The provider's code, where the answer to a submission says that the recipient opted out.
pub(crate) fn refused_by_recipient(outcome: &SubmitOutcome) -> Option<Box<str>> {
    match outcome {
        SubmitOutcome::Rejected(failure) => code_of_opt_out(failure),
        SubmitOutcome::Accepted { .. }
        | SubmitOutcome::PartlyAccepted { .. }
        | SubmitOutcome::NotAccepted(_)
        | SubmitOutcome::Unknown { .. } => None,
    }
}

/// The provider's code, where a receipt says that the recipient opted out.
pub(crate) fn failed_by_recipient(state: &ReceiptState) -> Option<Box<str>> {
    match state {
        ReceiptState::Failed(failure) => code_of_opt_out(failure),
        ReceiptState::InTransit | ReceiptState::Delivered | ReceiptState::Read => None,
    }
}

fn code_of_opt_out(failure: &Failure) -> Option<Box<str>> {
    (failure.class == FailureClass::OptedOut).then(|| failure.code.clone())
}

/// A provider refused a message because its recipient opted out there: from now on that is known
/// here. WhatsApp knows an opt-out from promotions only. `channel` is the provider's: the message
/// may have been tried on another one since.
pub(crate) fn learn(inner: &Arc<Inner>, message: MessageId, channel: Channel, code: Box<str>) {
    let learning = Arc::clone(inner);
    inner.spawn(async move {
        let outbound = match learning.store.outbound(message).await {
            Ok(Some(outbound)) => outbound,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, %message, "an opt-out at the provider is not kept");
                return;
            }
        };
        let scope = match channel {
            Channel::WhatsApp => ConsentScope::Promotions,
            Channel::Sms | Channel::Telegram | Channel::Email => ConsentScope::Everything,
        };
        let consent = Consent {
            project: outbound.message.project,
            who: ConsentSubject::Contact(outbound.contact),
            towards: Towards::Senders(vec![outbound.message.sender]),
            change: ConsentChange {
                opted_out: true,
                scope,
                only_if_out: false,
                wording: code,
            },
            source: ConsentSource::Provider,
            channel: Some(channel),
            at: learning.now(),
        };
        keep(&learning, consent, drop);
    });
}
