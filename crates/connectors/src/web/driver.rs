//! Carries a route's submissions to a provider that is spoken to by HTTP: the one loop that all such
//! providers share. A submission that was taken gets exactly one outcome, or is given back before it left.
//!
//! Rules: R-ORDER ([`recipients`](super::recipients)), R-HEALTH ([`health`](super::health)), R-ROUTE-4
//! and R-ROUTE-5 ([`client`](super::client)), R-LIFE-4 (nothing is sent late), R-IN-2 (nothing that waits is
//! sent to who has opted out meanwhile).

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use domain::time::Millis;
use ports::clock::Clock;
use ports::connector::{Connector, LinkState, RouteEvents, Slots, Submission, SubmissionSource};
use ports::hooks::{HookAnswer, HookCall, Hooks, Pending};
use rand::RngExt;
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use super::client::{Client, NoAnswer, Transport};
use super::health::{Due, Health, Jitter, UNTRIED};
use super::hear::hear;
use super::protocol::{Answered, Protocol};
use super::recipients::{Next, Recipients, Taken};

/// Submissions that may wait for their recipient; while there are so many, only as much is taken as
/// the source keeps for direct (R-CLASS-3).
const WAITING_MAX: usize = 1_000;
/// While there are so many, nothing more is taken.
const WAITING_MAX_DIRECT: usize = 2 * WAITING_MAX;
/// A time to ask again that is over by now is so long from now.
const SOON: Duration = Duration::from_millis(1);
/// How long one submission is held altogether because its recipient is to be left alone; then the
/// engine is told, which has the means for longer waits.
const HOLD_MAX: Duration = Duration::from_mins(1);
/// A sleep that nothing wakes from.
const FAR: Duration = Duration::from_hours(24);

/// How a route is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DriverSettings {
    /// Parts under way at a time.
    pub(crate) window: u16,
    /// How long one exchange may take.
    pub(crate) timeout: Millis,
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            window: 20,
            timeout: Millis::seconds(30),
        }
    }
}

/// Starts a route. Must be called inside a tokio runtime.
pub(crate) fn start<P: Protocol>(
    protocol: Arc<P>,
    settings: DriverSettings,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<WebRoute<P>> {
    let transport = Arc::new(Client::new(settings.timeout));
    let jitter: Jitter = Box::new(|most| most.mul_f64(rand::rng().random::<f64>()));
    let shared = Arc::new(Shared {
        protocol,
        transport,
        events,
        clock,
    });
    start_over(shared, settings.window, source, jitter)
}

fn start_over<P: Protocol>(
    shared: Arc<Shared<P>>,
    window: u16,
    source: Arc<dyn SubmissionSource>,
    jitter: Jitter,
) -> Arc<WebRoute<P>> {
    let bell = Arc::new(Notify::new());
    let (stop, stopped) = watch::channel(None);
    let wake = Arc::clone(&bell);
    source.on_ready(Arc::new(move || wake.notify_one()));
    let has_probe = shared.protocol.probe().is_some();
    let health = Health::new(has_probe, Instant::now(), jitter);
    let driver = Driver {
        shared: Arc::clone(&shared),
        source,
        window: window.max(1),
        open: 0,
        recipients: Recipients::default(),
        flight: JoinSet::new(),
        under_way: HashMap::new(),
        health,
        told: LinkState::Down(UNTRIED.into()),
        ask_again: None,
    };
    let tasks = TaskTracker::new();
    tasks.spawn(driver.run(bell, stopped));
    tasks.close();
    Arc::new(WebRoute {
        shared,
        stop,
        tasks,
    })
}

/// What the loop, the requests and the outside share.
struct Shared<P> {
    protocol: Arc<P>,
    transport: Arc<dyn Transport>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
}

/// A running route. Connectors whose provider can do more than carry messages wrap it.
pub(crate) struct WebRoute<P> {
    shared: Arc<Shared<P>>,
    stop: watch::Sender<Option<Instant>>,
    tasks: TaskTracker,
}

impl<P: Protocol> WebRoute<P> {
    /// Its provider.
    pub(crate) fn protocol(&self) -> &P {
        &self.shared.protocol
    }

    /// What carries its requests, for what the provider can do beside carrying messages.
    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.shared.transport
    }
}

impl<P: Protocol> Connector for WebRoute<P> {
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let until = Instant::now() + patience.to_duration();
        self.stop.send_replace(Some(until));
        Box::pin(self.tasks.wait())
    }

    fn hooks(&self) -> Option<&dyn Hooks> {
        Some(self)
    }
}

impl<P: Protocol> Hooks for WebRoute<P> {
    fn call(&self, call: HookCall) -> Pending<'_, HookAnswer> {
        Box::pin(async move {
            let callback = self
                .shared
                .protocol
                .callback(&call, self.shared.clock.now());
            hear(callback, &*self.shared.events).await
        })
    }
}

/// What a request brought back.
enum Back {
    /// The outcome of a submission, and whether the provider said it.
    Submitted { answered: Answered, is_heard: bool },
    /// Whether the account works.
    Probed(Result<(), Box<str>>),
}

struct Driver<P> {
    shared: Arc<Shared<P>>,
    source: Arc<dyn SubmissionSource>,
    window: u16,
    /// Slots of what is under way.
    open: u16,
    recipients: Recipients,
    flight: JoinSet<Back>,
    under_way: HashMap<Id, Taken>,
    health: Health,
    /// The state of the link as it was told last.
    told: LinkState,
    ask_again: Option<Instant>,
}

impl<P: Protocol> Driver<P> {
    async fn run(mut self, bell: Arc<Notify>, mut stop: watch::Receiver<Option<Instant>>) {
        loop {
            let now = Instant::now();
            let until = *stop.borrow_and_update();
            let due = match until {
                Some(until) => {
                    self.give_back();
                    if self.under_way.is_empty() || until <= now {
                        break;
                    }
                    Some(until)
                }
                None if self.source.in_use() => self.turn(now),
                // Its provider is left alone, and what waits may go elsewhere.
                None => {
                    self.give_back();
                    None
                }
            };
            tokio::select! {
                Some(back) = self.flight.join_next_with_id() => self.came_back(back),
                () = bell.notified() => {}
                () = sleep_until(due.unwrap_or(now + FAR)) => {}
                // Nobody holds the connector any more.
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        self.give_up();
        let stopped = LinkState::Down("stopped".into());
        self.shared.events.link(stopped);
    }

    /// Does what is due at `now`; gives when something is next.
    fn turn(&mut self, now: Instant) -> Option<Instant> {
        if self.health.turn(now) == Due::Probe {
            self.probe(now);
        }
        self.tell_link();
        self.give_back_unwanted();
        if let Some(window) = self.health.window(self.window) {
            self.fill(window, now);
        } else {
            // Another route may have room for it.
            self.give_back();
        }
        let ask_again = self.ask_again.filter(|it| *it > now);
        let expires = self.recipients.expires().map(|it| {
            let left = it.since(self.shared.clock.now()).to_duration();
            now + left.clamp(SOON, FAR)
        });
        self.health
            .due()
            .into_iter()
            .chain(self.recipients.due().filter(|it| *it > now))
            .chain(ask_again)
            .chain(expires)
            .min()
    }

    fn tell_link(&mut self) {
        let link = self.health.link();
        if self.told != link {
            self.told = link.clone();
            self.shared.events.link(link);
        }
    }

    fn probe(&mut self, now: Instant) {
        let Some(request) = self.shared.protocol.probe() else {
            self.health.probed(Ok(()), now);
            return;
        };
        let shared = Arc::clone(&self.shared);
        self.flight.spawn(async move {
            Back::Probed(match shared.transport.ask(request).await {
                Ok(answer) => shared.protocol.probed(&answer),
                Err(NoAnswer::NotSent(why) | NoAnswer::Unknown(why)) => {
                    Err(format!("the provider cannot be reached: {why}").into())
                }
            })
        });
    }

    /// Sends what waits and its recipient is free, then takes more, as far as there is room.
    fn fill(&mut self, window: u16, now: Instant) {
        loop {
            let (open, free) = (self.open, window.saturating_sub(self.open));
            let fits = |slots| slots <= free || open == 0;
            match self.recipients.next(now, fits) {
                Next::Send(taken) => self.send(*taken),
                Next::NoRoom => return,
                Next::Nothing => break,
            }
        }
        self.ask_again = None;
        while self.open < window && self.recipients.waiting() < WAITING_MAX_DIRECT {
            let free = if self.recipients.waiting() < WAITING_MAX {
                window - self.open
            } else {
                1
            };
            let taken = self.source.take(Slots {
                free,
                window,
                links: 1,
            });
            let clock_now = self.shared.clock.now();
            self.ask_again = taken
                .ask_again_at
                .map(|it| now + it.since(clock_now).to_duration().max(SOON));
            if taken.submissions.is_empty() {
                break;
            }
            for submission in taken.submissions {
                if let Some(taken) = self.recipients.offer(submission) {
                    self.send(taken);
                }
            }
        }
    }

    fn send(&mut self, taken: Taken) {
        if taken.submission.expires_at <= self.shared.clock.now() {
            self.recipients.done(&taken.submission.to);
            self.shared.events.returned(taken.submission.key);
            return;
        }
        self.open = self.open.saturating_add(taken.slots());
        let shared = Arc::clone(&self.shared);
        let submission = taken.submission.clone();
        let task = self
            .flight
            .spawn(async move { submit(&shared, &submission).await });
        self.under_way.insert(task.id(), taken);
    }

    fn came_back(&mut self, back: Result<(Id, Back), JoinError>) {
        let now = Instant::now();
        let (id, back) = match back {
            Ok((id, back)) => (id, Some(back)),
            Err(error) => (error.id(), None),
        };
        let Some(taken) = self.under_way.remove(&id) else {
            let found = match back {
                Some(Back::Probed(found)) => found,
                Some(Back::Submitted { .. }) | None => Err("the probe broke".into()),
            };
            self.health.probed(found, now);
            return;
        };
        self.open = self.open.saturating_sub(taken.slots());
        match back {
            Some(Back::Submitted { answered, is_heard }) => {
                self.settle(taken, answered, is_heard, now);
            }
            // It broke somewhere: nobody knows where.
            Some(Back::Probed(_)) | None => self.settle(taken, unknown().into(), false, now),
        }
    }

    fn settle(&mut self, taken: Taken, answered: Answered, is_heard: bool, now: Instant) {
        let class = failure(&answered.outcome).map(|it| it.class);
        let is_throttled = class == Some(FailureClass::Throttled);
        if let Some(failure) = failure(&answered.outcome)
            && failure.class == FailureClass::AccountFault
        {
            let why = format!("{} ({})", failure.text, failure.code);
            self.health.fault(why.into(), now);
        } else if is_heard {
            self.health.works();
        }
        if is_throttled && answered.recipient_only && self.can_hold(&taken, &answered) {
            self.hold(taken, &answered, now);
            return;
        }
        let mut pause = None;
        if is_throttled
            && !answered.recipient_only
            && let Some(wait) = answered.retry_after
        {
            self.health.pause(wait.to_duration(), now);
            pause = Some(wait);
        }
        self.recipients.done(&taken.submission.to);
        let key = taken.submission.key;
        let outcome = if answered.recipient_only {
            of_recipient(answered.outcome)
        } else {
            answered.outcome
        };
        self.shared.events.submitted(key, outcome);
        if let Some(wait) = pause {
            self.shared.events.paused(wait);
        }
        if let Some(bill) = answered.bill {
            self.shared.events.billed(key, bill);
        }
    }

    /// Whether it may wait here for its recipient: nothing of it was taken, there is room, and it
    /// takes not too long.
    fn can_hold(&self, taken: &Taken, answered: &Answered) -> bool {
        matches!(answered.outcome, SubmitOutcome::NotAccepted(_))
            && self.recipients.waiting() < WAITING_MAX_DIRECT
            && taken.held.saturating_add(hold_time(taken, answered)) <= HOLD_MAX
    }

    /// A limit on one recipient is nobody else's: the engine, which would slow the whole route down,
    /// is not told.
    fn hold(&mut self, mut taken: Taken, answered: &Answered, now: Instant) {
        let wait = hold_time(&taken, answered);
        taken.holds += 1;
        taken.held = taken.held.saturating_add(wait);
        let left = taken.submission.expires_at.since(self.shared.clock.now());
        let until = now + wait.min(left.to_duration());
        self.recipients.hold(taken, until);
    }

    /// Gives back what waits and must not leave any more: nobody wants it, or its time is over.
    fn give_back_unwanted(&mut self) {
        let unwanted = self.source.withdrawn();
        let now = self.shared.clock.now();
        let is_over = self.recipients.expires().is_some_and(|it| it <= now);
        if unwanted.is_empty() && !is_over {
            return;
        }
        let goes = |it: &Submission| it.expires_at <= now || unwanted.contains(&it.key);
        for taken in self.recipients.take_out(Instant::now(), goes) {
            self.shared.events.returned(taken.submission.key);
        }
    }

    /// Gives back what waits.
    fn give_back(&mut self) {
        for taken in self.recipients.drain() {
            let key = taken.submission.key;
            // What was refused for its recipient's sake was certainly not taken either.
            self.shared.events.returned(key);
        }
    }

    /// The end: what has no answer yet is unknown.
    fn give_up(&mut self) {
        self.give_back();
        while let Some(back) = self.flight.try_join_next_with_id() {
            self.came_back(back);
        }
        self.flight.abort_all();
        for (_, taken) in self.under_way.drain() {
            self.shared
                .events
                .submitted(taken.submission.key, unknown());
        }
        self.give_back();
    }
}

/// One submission to its outcome.
async fn submit<P: Protocol>(shared: &Shared<P>, submission: &Submission) -> Back {
    let silent = |outcome: SubmitOutcome| Back::Submitted {
        answered: outcome.into(),
        is_heard: false,
    };
    let request = match shared.protocol.submit(submission, shared.clock.now()) {
        Ok(request) => request,
        Err(outcome) => return silent(outcome),
    };
    let message = submission.key.message;
    match shared.transport.ask(request).await {
        Ok(answer) => Back::Submitted {
            answered: shared.protocol.answer(submission, &answer),
            is_heard: true,
        },
        Err(NoAnswer::NotSent(why)) => {
            tracing::debug!(%message, %why, "a request was not sent");
            let text = format!("The provider cannot be reached: {why}.");
            silent(SubmitOutcome::NotAccepted(Failure::new(
                FailureClass::RouteFault,
                "not_reached",
                text,
            )))
        }
        Err(NoAnswer::Unknown(why)) => {
            tracing::debug!(%message, %why, "a request has no answer");
            silent(unknown())
        }
    }
}

/// How long a recipient is left alone: as the provider asks, else 1 s, 4 s, 16 s.
fn hold_time(taken: &Taken, answered: &Answered) -> Duration {
    let default = || Duration::from_secs(4_u64.saturating_pow(taken.holds));
    answered
        .retry_after
        .map_or_else(default, Millis::to_duration)
}

const fn unknown() -> SubmitOutcome {
    SubmitOutcome::Unknown {
        references: Vec::new(),
    }
}

/// A limit on one recipient that could not be waited for: the recipient is not to be had now, by this
/// route. As throttling it would slow the whole route down.
fn of_recipient(outcome: SubmitOutcome) -> SubmitOutcome {
    match &outcome {
        SubmitOutcome::NotAccepted(failure) if failure.class == FailureClass::Throttled => {
            SubmitOutcome::NotAccepted(Failure {
                class: FailureClass::RecipientAbsent,
                ..failure.clone()
            })
        }
        SubmitOutcome::Accepted { .. }
        | SubmitOutcome::PartlyAccepted { .. }
        | SubmitOutcome::NotAccepted(_)
        | SubmitOutcome::Rejected(_)
        | SubmitOutcome::Unknown { .. } => outcome,
    }
}

const fn failure(outcome: &SubmitOutcome) -> Option<&Failure> {
    match outcome {
        SubmitOutcome::NotAccepted(failure)
        | SubmitOutcome::PartlyAccepted { failure, .. }
        | SubmitOutcome::Rejected(failure) => Some(failure),
        SubmitOutcome::Accepted { .. } | SubmitOutcome::Unknown { .. } => None,
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
