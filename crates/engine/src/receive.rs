//! Stations 3 and 4 as connectors see them: they draw submissions from here, and tell here what
//! became of them and what they heard. Whatever is heard is committed before it is answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::ids::{MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::address::Address;
use domain::model::audit::AuditAction;
use domain::model::channel::Channel;
use domain::model::progress::Waiting;
use domain::model::receipt::SubmitOutcome;
use domain::model::route::Route;
use domain::model::sender::Sender;
use domain::phone::PhoneNumber;
use domain::time::Millis;
use ports::connector::{
    Ack, Bill, ConsentSignal, Heard, IncomingMessage, IncomingReceipt, LinkState, RouteEvents,
    Slots, SubmissionKey, SubmissionSource, Taken, Wake,
};
use ports::provider::TemplateUpdate;
use ports::store::messages::{InboundMessage, MessageFilter};
use ports::store::operations::{AnsweredInbound, Receipt, Start, Submitted};
use ports::store::{Op, Outcome};
use tokio::sync::oneshot;

use crate::consent::{self, Elsewhere};
use crate::line::{RouteLine, Turn, is_throttling};
use crate::withdrawn::GivenBack;
use crate::{Inner, SimulateError, bill, facts, health_log, settle, templates};

/// What is ready on a route that pauses for so long may go elsewhere: as long as a message may hold back
/// those behind it (R-ORDER).
const LONG_PAUSE: Millis = Millis::seconds(5);

/// One route, towards its connector.
pub(crate) struct RoutePort {
    inner: Arc<Inner>,
    line: Arc<RouteLine>,
}

impl RoutePort {
    pub(crate) fn new(inner: &Arc<Inner>, route: RouteKey) -> Option<Arc<Self>> {
        let line = Arc::clone(inner.lines.get(&route)?);
        Some(Arc::new(Self {
            inner: Arc::clone(inner),
            line,
        }))
    }

    fn key(&self) -> RouteKey {
        self.line.route.key
    }

    /// The senders that an inbound message on this route may be for: those of the route with its
    /// address and then those of other routes with it, else all that use the route. It is kept for
    /// the first; what it says of consent holds for all.
    fn addressees(&self, to: &str) -> Vec<Arc<Sender>> {
        let topology = self.inner.topology();
        let senders = topology.senders(self.line.route.project);
        let (here, elsewhere): (Vec<_>, Vec<_>) = senders
            .cloned()
            .partition(|it| it.routes.contains(&self.key()));
        let has_address = |it: &Arc<Sender>| digits(&it.address) == digits(to);
        if to.is_empty() || !here.iter().any(has_address) {
            return here;
        }
        let all = here.into_iter().chain(elsewhere);
        all.filter(has_address).collect()
    }
}

/// Our address in the form in which the operator wrote it; the provider's where the sender has none.
fn our_address(sender: &Sender, given: Box<str>) -> Box<str> {
    if digits(&sender.address) == digits(&given) {
        Box::from(&*sender.address)
    } else {
        given
    }
}

fn digits(address: &str) -> &str {
    address.trim_start_matches('+')
}

impl SubmissionSource for RoutePort {
    fn take(&self, slots: Slots) -> Taken {
        let now = self.inner.now();
        // Asked of the others only when its own breaker is open: their locks are theirs.
        let is_last = !self.line.admits(now) && facts::is_last(&self.inner, &self.line, now);
        let drawn = self.line.draw(slots, is_last, now, self.inner.random());
        for key in drawn.expired {
            settle::put_back(&self.inner, key);
        }
        for key in drawn.to_start {
            let op = Op::Start(Start {
                message: key.message,
                attempt: key.attempt,
                epoch: self.inner.epoch,
            });
            let inner = Arc::clone(&self.inner);
            let line = Arc::clone(&self.line);
            let after_commit = move |result| {
                let kept = matches!(result, Ok(Outcome::Changed(_)));
                let is_late = matches!(result, Ok(Outcome::Stale));
                let was_there = line.started(key, kept, inner.now());
                if is_late && was_there {
                    // A receipt ended it meanwhile: it has certainly not left.
                    settle::put_back(&inner, key);
                }
            };
            self.inner.store.commit(op, Box::new(after_commit));
        }
        Taken {
            submissions: drawn.submissions,
            ask_again_at: drawn.ask_again_at,
        }
    }

    fn in_use(&self) -> bool {
        self.line.in_use()
    }

    fn withdrawn(&self) -> Vec<SubmissionKey> {
        self.line.withdrawn(self.inner.now())
    }

    fn on_ready(&self, wake: Wake) {
        self.line.on_ready(wake);
    }
}

impl RouteEvents for RoutePort {
    fn submitted(&self, key: SubmissionKey, outcome: SubmitOutcome) {
        let inner = &self.inner;
        let now = inner.now();
        let Some((taken, turn)) = self.line.answered(key, &outcome, now, inner.random()) else {
            tracing::warn!(message = %key.message, route = %self.line.route.id,
                "a connector answered for a submission that it did not have");
            return;
        };
        count_outcome(&self.line.route.id, &outcome);
        let receipts = self.line.route.receipts;
        let mut outcomes = self.line.outcomes.lock();
        outcomes.submitted(&outcome, receipts, taken.country, now);
        drop(outcomes);
        if matches!(outcome, SubmitOutcome::Unknown { .. }) {
            metrics::counter!("tandem_unknown_total").increment(1);
        }
        let plan_again = matches!(
            outcome,
            SubmitOutcome::NotAccepted(_)
                | SubmitOutcome::PartlyAccepted {
                    retriable: true,
                    ..
                }
        );
        if is_throttling(&outcome) {
            tracing::debug!(route = %self.line.route.id, "throttled");
        }
        let opted_out = consent::refused_by_recipient(&outcome);
        let channel = self.line.route.channel;
        let op = Op::Submitted(Box::new(Submitted {
            message: key.message,
            attempt: key.attempt,
            route: self.key(),
            outcome,
            submitted_at: taken.taken_at,
            resolve_at: now.plus(self.line.route.unknown_wait.of(taken.class)),
            marks_started: self.line.marks_started,
            at: now,
            epoch: inner.epoch,
        }));
        let after_commit = {
            let inner = Arc::clone(inner);
            move |result| {
                let waits_in_lane = matches!(&result, Ok(Outcome::Changed(it))
                    if matches!(it.waiting, Waiting::Lane(_)));
                settle::follow(&inner, result);
                if let Some(code) = opted_out {
                    consent::learn(&inner, key.message, channel, code);
                }
                if plan_again && waits_in_lane {
                    // Safe because: the planner only goes away when the engine stops.
                    let _stopped = inner.replan.send(key.message);
                }
            }
        };
        inner.store.commit(op, Box::new(after_commit));
        match turn {
            Turn::None => {}
            Turn::CameUp => {
                health_log::note(inner, &self.line, AuditAction::BreakerClosed, None);
            }
            Turn::WentDown => {
                let errors = self.line.errors(now);
                let opened = AuditAction::BreakerOpened;
                health_log::note(inner, &self.line, opened, Some(&errors));
            }
        }
        settle::turned(inner, self.key(), turn);
    }

    fn paused(&self, wait: Millis) {
        let inner = &self.inner;
        self.line.paused(inner.now().plus(wait));
        if wait >= LONG_PAUSE && facts::has_alternative(&inner.topology(), &self.line.route) {
            // What waits is planned again; where nothing else takes it, it waits in its lane.
            settle::give_back(inner, &self.line);
            self.line.pump.notify_one();
        }
    }

    fn returned(&self, key: SubmissionKey) {
        let inner = &self.inner;
        match self.line.returned(key, inner.now(), inner.random()) {
            Some(GivenBack::Unwanted) => settle::put_back_unwanted(inner, key),
            Some(GivenBack::Wanted) => settle::put_back(inner, key),
            None => {}
        }
    }

    fn receipt(&self, receipt: IncomingReceipt, ack: Ack) {
        let inner = &self.inner;
        let state = receipt.state.code();
        metrics::counter!("tandem_receipts_total",
            "route" => self.line.route.id.to_string(), "state" => state)
        .increment(1);
        let opted_out = consent::failed_by_recipient(&receipt.state);
        let channel = self.line.route.channel;
        let recipient = receipt.recipient.as_ref().and_then(Address::phone);
        let country = recipient.and_then(PhoneNumber::country);
        let mut outcomes = self.line.outcomes.lock();
        outcomes.receipt(&receipt.state, country, inner.now());
        drop(outcomes);
        let op = Op::Receipt(Box::new(Receipt {
            route: self.key(),
            references: receipt.references,
            ours: receipt.ours.map(|it| (it.message, it.attempt)),
            recipient: receipt.recipient,
            whole: receipt.whole,
            state: receipt.state,
            marks_started: self.line.marks_started,
            raw: receipt.raw,
            at: inner.now(),
        }));
        let after_commit = {
            let inner = Arc::clone(inner);
            move |result: Result<Outcome, _>| {
                match result {
                    Ok(outcome) => {
                        ack(Heard::Kept);
                        if let (Some(code), Outcome::Changed(changed)) = (opted_out, &outcome) {
                            consent::learn(&inner, changed.message, channel, code);
                        }
                        settle::follow(&inner, Ok(outcome));
                    }
                    // The provider brings it again: nothing is lost.
                    Err(error) => {
                        tracing::warn!(%error, "a receipt was not kept");
                        ack(Heard::TryAgain);
                    }
                }
            }
        };
        inner.store.commit(op, Box::new(after_commit));
    }

    fn inbound(&self, message: IncomingMessage, ack: Ack) {
        let inner = &self.inner;
        let senders = self.addressees(&message.to);
        let Some((sender, others)) = senders.split_first() else {
            tracing::warn!(route = %self.line.route.id, "an inbound message for no sender is dropped");
            ack(Heard::Kept);
            return;
        };
        let now = inner.now();
        let route = &self.line.route;
        let said = consent::said(&message.content, sender).filter(|_| !message.unsupported);
        let asked = consent::asked(said, &message.content);
        let elsewhere = asked.clone().map(|change| Elsewhere {
            senders: others.iter().map(|it| it.key).collect(),
            aliases: message.aliases.clone(),
            change,
            channel: self.line.route.channel,
            at: now,
        });
        let inbound = InboundMessage {
            project: self.line.route.project,
            sender: sender.key,
            route: self.key(),
            channel: self.line.route.channel,
            from: message.from,
            aliases: message.aliases,
            profile_name: message.profile_name,
            to: our_address(sender, message.to),
            content: message.content,
            unsupported: message.unsupported,
            quotes: message.quotes,
            provider_id: message.provider_id,
            consent: asked,
            sent_at: message.sent_at.unwrap_or(now).min(now),
            received_at: now,
        };
        let answer = said.filter(|_| !route.answers_stop).and_then(|said| {
            let answer = consent::answer(inner, said, sender, &inbound, route.simulator)?;
            Some((said.keyword, answer))
        });
        let answers = answer.is_some().then(|| inbound.from.clone());
        let op = match answer {
            Some((keyword, answer)) => Op::Keyword(Box::new(AnsweredInbound {
                inbound,
                keyword,
                answer,
            })),
            None => Op::Inbound(Box::new(inbound)),
        };
        metrics::counter!("tandem_inbound_total", "route" => self.line.route.id.to_string())
            .increment(1);
        let after_commit = {
            let inner = Arc::clone(inner);
            let sender = Arc::clone(sender);
            move |result: Result<Outcome, _>| {
                if let (Some(said), Ok(outcome)) = (said, &result) {
                    consent::heard(&inner, said, sender.key, answers, outcome);
                }
                match (elsewhere, result) {
                    (Some(elsewhere), Ok(Outcome::InboundKept { contact, .. })) => {
                        let then = |is_kept| ack(heard(is_kept));
                        consent::keep_elsewhere(&inner, elsewhere, &sender, contact, then);
                    }
                    (_, result) => ack(heard(result.is_ok())),
                }
            }
        };
        inner.store.commit(op, Box::new(after_commit));
    }

    fn consent(&self, signal: ConsentSignal, ack: Ack) {
        let inner = &self.inner;
        let Route {
            project, channel, ..
        } = *self.line.route;
        tracing::info!(route = %self.line.route.id, opted_out = signal.opted_out,
            "a person told the provider whether they want messages");
        let senders = self.addressees(&signal.to);
        let senders = senders.iter().map(|it| it.key).collect();
        consent::told(inner, project, senders, channel, signal, ack);
    }

    fn template(&self, update: TemplateUpdate, ack: Ack) {
        templates::told(&self.inner, &self.line, update, ack);
    }

    fn billed(&self, key: SubmissionKey, bill: Bill) {
        let inner = Arc::clone(&self.inner);
        let route = Arc::clone(&self.line.route);
        self.inner
            .tasks
            .spawn(async move { bill::settle(&inner, &route, key, bill).await });
    }

    fn link(&self, state: LinkState) {
        let stopping = !self.inner.accepting.load(Ordering::SeqCst);
        match &state {
            LinkState::Up => tracing::info!(route = %self.line.route.id, "route is up"),
            LinkState::Down(_) if stopping => {}
            LinkState::Down(why) => {
                tracing::warn!(route = %self.line.route.id, %why, "route is down");
            }
        }
        let is_up = state == LinkState::Up;
        let why = match &state {
            LinkState::Up => None,
            LinkState::Down(why) => Some(why.clone()),
        };
        let (inner, line) = (&self.inner, &self.line);
        let (turn, is_news) = line.link(state, inner.now(), inner.random());
        if is_news && !stopping {
            let action = if is_up {
                AuditAction::RouteUp
            } else {
                AuditAction::RouteDown
            };
            health_log::note(inner, line, action, why.as_deref());
        }
        metrics::gauge!("tandem_route_up", "route" => self.line.route.id.to_string())
            .set(f64::from(u8::from(is_up)));
        if !is_up && turn == Turn::None {
            // It was down before; something may have been planned for it in between.
            settle::give_back(&self.inner, &self.line);
        }
        settle::turned(&self.inner, self.key(), turn);
    }
}

/// What a provider is told of something that was kept, or was not.
const fn heard(is_kept: bool) -> Heard {
    if is_kept {
        Heard::Kept
    } else {
        Heard::TryAgain
    }
}

fn count_outcome(route: &str, outcome: &SubmitOutcome) {
    let word = match outcome {
        SubmitOutcome::Accepted { .. } => "accepted",
        SubmitOutcome::PartlyAccepted { .. } => "partly_accepted",
        SubmitOutcome::NotAccepted(_) => "not_accepted",
        SubmitOutcome::Rejected(_) => "rejected",
        SubmitOutcome::Unknown { .. } => "unknown",
    };
    metrics::counter!("tandem_submissions_total", "route" => route.to_string(), "outcome" => word)
        .increment(1);
}

/// Has a simulator play an inbound message, and finds what it became.
pub(crate) async fn simulate_inbound(
    inner: &Inner,
    project: ProjectKey,
    sender: SenderKey,
    channel: Channel,
    message: IncomingMessage,
) -> Result<MessageId, SimulateError> {
    let topology = inner.topology();
    let routes = topology
        .sender(sender)
        .map(|it| it.routes.as_slice())
        .unwrap_or_default();
    let connector = routes
        .iter()
        .filter_map(|it| inner.lines.get(it))
        .filter(|it| it.route.project == project && it.route.channel == channel)
        .filter_map(|it| it.connector())
        .find(|it| it.simulator().is_some())
        .ok_or(SimulateError::NoSimulator)?;
    let simulator = connector.simulator().ok_or(SimulateError::NoSimulator)?;
    let from = message.from.clone();
    let (heard, answer) = oneshot::channel();
    simulator.inject_inbound(
        message,
        Box::new(move |it| {
            // Safe because: a caller that went away has no use for the answer.
            let _unheard = heard.send(it);
        }),
    );
    if answer.await != Ok(Heard::Kept) {
        return Err(SimulateError::NotKept);
    }
    let newest = MessageFilter {
        project,
        status: Some(domain::model::message::Status::Received),
        to: Some(from),
        channel: Some(channel),
        conversation: None,
        before: None,
        limit: 1,
    };
    let kept = inner
        .store
        .messages(newest)
        .await
        .map_err(|_| SimulateError::NotKept)?;
    kept.first().map(|it| it.id).ok_or(SimulateError::NotKept)
}
