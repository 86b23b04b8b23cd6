//! One route as the engine runs it: its ready queue, its health, and its connector.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::ids::ConversationId;
use domain::model::consent;
use domain::model::control::{ControlMode, RouteControl};
use domain::model::failure::FailureClass;
use domain::model::message::TrafficClass;
use domain::model::receipt::SubmitOutcome;
use domain::model::route::{QuotaFacts, Route, RouteCondition, RouteFacts};
use domain::model::tariff::NamedVolumes;
use domain::rules::health::{
    Breaker, BreakerState, ERROR_WINDOW_SECONDS, HealthEvent, HealthFigures,
};
use domain::time::Timestamp;
use parking_lot::{Mutex, RwLock};
use ports::connector::{Connector, LinkState, Slots, Submission, SubmissionKey, Wake};
use tokio::sync::Notify;

use crate::outcomes::Outcomes;
use crate::ready::{Drawn, InHand, Ready, ReadyQueue};
use crate::withdrawn::{GivenBack, LeftBehind};

/// One route as the engine runs it.
pub(crate) struct RouteLine {
    /// Its configuration.
    pub(crate) route: Arc<Route>,
    /// Whether what leaves is marked first.
    pub(crate) marks_started: bool,
    state: Mutex<State>,
    wakes: RwLock<Vec<Wake>>,
    is_disabled: AtomicBool,
    /// Whether its connector has something that is not wanted any more.
    has_withdrawn: AtomicBool,
    /// Woken when the pump of its lanes may have something to do.
    pub(crate) pump: Notify,
    connector: RwLock<Option<Arc<dyn Connector>>>,
    successes: AtomicU64,
    failures: AtomicU64,
    /// How its messages ended of late, for alerts.
    pub(crate) outcomes: Mutex<Outcomes>,
}

struct State {
    queue: ReadyQueue,
    breaker: Breaker,
    is_linked: bool,
    down_because: Option<Box<str>>,
    /// When the automatics last changed their mind.
    turned_at: Timestamp,
    /// A person's word, which goes before the automatics (R-HEALTH).
    control: Option<Arc<RouteControl>>,
}

/// A route as it stands, for people.
pub(crate) struct Standing {
    /// Whether it takes submissions.
    pub(crate) condition: RouteCondition,
    /// Why it does not.
    pub(crate) because: Option<Box<str>>,
    /// Since when it is so.
    pub(crate) since: Timestamp,
    /// A person's word over it.
    pub(crate) control: Option<Arc<RouteControl>>,
    /// What the breaker goes by.
    pub(crate) health: HealthFigures,
}

/// What an event changed of a route's condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing that others need to know.
    None,
    /// It takes submissions again.
    CameUp,
    /// It takes none for now: what is ready goes back to its lanes.
    WentDown,
}

impl RouteLine {
    /// `marks_started`: [`Topology::marks_started`](crate::topology::Topology::marks_started).
    pub(crate) fn new(route: Arc<Route>, marks_started: bool, now: Timestamp) -> Self {
        let queue = ReadyQueue::new(route.throughput, marks_started, now);
        Self {
            route,
            marks_started,
            state: Mutex::new(State {
                queue,
                breaker: Breaker::disconnected(),
                is_linked: false,
                down_because: Some("not connected yet".into()),
                turned_at: now,
                control: None,
            }),
            wakes: RwLock::new(Vec::new()),
            is_disabled: AtomicBool::new(false),
            has_withdrawn: AtomicBool::new(false),
            pump: Notify::new(),
            connector: RwLock::new(None),
            successes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            outcomes: Mutex::default(),
        }
    }

    pub(crate) fn attach(&self, connector: Arc<dyn Connector>) {
        *self.connector.write() = Some(connector);
    }

    pub(crate) fn connector(&self) -> Option<Arc<dyn Connector>> {
        self.connector.read().clone()
    }

    pub(crate) fn on_ready(&self, wake: Wake) {
        let first = Wake::clone(&wake);
        self.wakes.write().push(wake);
        first();
    }

    /// Tells the connector that there may be something to take.
    pub(crate) fn wake(&self) {
        for wake in self.wakes.read().iter() {
            wake();
        }
    }

    /// What the plan rule needs to know of it.
    pub(crate) fn facts(
        &self,
        is_last: bool,
        quota: QuotaFacts,
        volumes: NamedVolumes,
        now: Timestamp,
    ) -> RouteFacts {
        let state = self.state.lock();
        let condition = state.condition(is_last, now);
        RouteFacts {
            route: Arc::clone(&self.route),
            condition,
            quota,
            volumes,
            successes: self.successes.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            free_throughput: state.queue.throughput.free(),
            control: state.control.clone(),
        }
    }

    /// All that people are shown of it.
    pub(crate) fn standing(&self, is_last: bool, now: Timestamp) -> Standing {
        let (condition, because) = self.condition(is_last, now);
        let state = self.state.lock();
        let held = state.control.as_ref().filter(|it| it.mode.holds());
        Standing {
            condition,
            because,
            since: held.map_or(state.turned_at, |it| it.since),
            control: state.control.clone(),
            health: state.breaker.figures(now),
        }
    }

    /// A person's word over it.
    pub(crate) fn control(&self) -> Option<Arc<RouteControl>> {
        self.state.lock().control.clone()
    }

    /// Goes by a person's word from now on, or by the automatics again. What is ready on a route
    /// that is held stays there until it is [drained](Self::drain).
    pub(crate) fn set_control(&self, control: Option<RouteControl>) {
        let mut state = self.state.lock();
        state.control = control.map(Arc::new);
        let is_disabled = state.mode() == Some(ControlMode::Disable);
        self.is_disabled.store(is_disabled, Ordering::SeqCst);
        state.reopen();
    }

    /// Whether people let it be used at all.
    pub(crate) fn in_use(&self) -> bool {
        !self.is_disabled.load(Ordering::SeqCst)
    }

    /// Its condition, and why it is not up.
    pub(crate) fn condition(
        &self,
        is_last: bool,
        now: Timestamp,
    ) -> (RouteCondition, Option<Box<str>>) {
        let state = self.state.lock();
        let condition = state.condition(is_last, now);
        let because = match condition {
            RouteCondition::Up => None,
            RouteCondition::Throttled => Some("the provider asked to slow down".into()),
            RouteCondition::Drained | RouteCondition::Disabled => {
                state.control.as_ref().map(|it| it.words().into())
            }
            RouteCondition::Down => match state.breaker.state() {
                BreakerState::Lost => state.down_because.clone(),
                BreakerState::Open { .. } | BreakerState::Probing | BreakerState::Closed => {
                    Some("too many submissions failed".into())
                }
            },
        };
        (condition, because)
    }

    /// Whether people, statistics and the connection let it take submissions.
    pub(crate) fn admits(&self, now: Timestamp) -> bool {
        let state = self.state.lock();
        !state.is_held() && state.breaker.admits(now, state.is_pinned())
    }

    /// How many more messages of this class it could take from its lane, and of how many.
    pub(crate) fn room(&self, class: TrafficClass) -> (usize, usize) {
        let mut state = self.state.lock();
        (state.queue.room(class), state.queue.bound())
    }

    /// When its pause or its breaker lets it try again, if one of them holds it.
    pub(crate) fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.state.lock();
        let probe = match state.breaker.state() {
            BreakerState::Open { probe_at } => Some(probe_at),
            BreakerState::Closed | BreakerState::Probing | BreakerState::Lost => None,
        };
        state
            .queue
            .pause
            .until(now)
            .max(probe.filter(|it| *it > now))
    }

    pub(crate) fn reserve(&self, class: TrafficClass) -> bool {
        self.state.lock().queue.reserve(class)
    }

    pub(crate) fn unreserve(&self, class: TrafficClass) {
        self.state.lock().queue.unreserve(class);
    }

    /// Puts a submission in its place. `reserved`: a place was promised to it. `Err` when the
    /// route went down in the meantime: it is to be released.
    pub(crate) fn push(&self, ready: Ready, reserved: bool) -> Result<(), SubmissionKey> {
        let mut state = self.state.lock();
        if reserved {
            state.queue.unreserve(ready.submission.class);
        }
        if !state.queue.open {
            return Err(ready.submission.key);
        }
        state.queue.push(ready);
        drop(state);
        self.wake();
        Ok(())
    }

    /// Takes out a submission that is not wanted any more; whether it was there. Where the connector
    /// has it, that is told.
    pub(crate) fn cancel(&self, key: SubmissionKey) -> bool {
        self.changing_withdrawn(|queue| queue.cancel(key))
    }

    /// Takes out a submission that the connector has not taken; whether it was there.
    pub(crate) fn remove(&self, key: SubmissionKey) -> bool {
        self.state.lock().queue.remove(key)
    }

    /// Takes out what may not be sent to a contact any more. Of what the connector has, it is told.
    pub(crate) fn withdraw(
        &self,
        thread: ConversationId,
        standing: consent::Standing,
    ) -> Vec<SubmissionKey> {
        self.changing_withdrawn(|queue| queue.withdraw(thread, standing))
    }

    /// Notes that a submission from before an interruption is not wanted any more, should the connector
    /// have it still; its outcome is waited for until then.
    pub(crate) fn withdraw_left_behind(
        &self,
        key: SubmissionKey,
        until: Timestamp,
        now: Timestamp,
    ) {
        let mut state = self.state.lock();
        let noted = state.queue.withdrawn.add_left_behind(key, until, now);
        self.note_withdrawn(&state);
        drop(state);
        match noted {
            LeftBehind::News => self.wake(),
            LeftBehind::Known => {}
            LeftBehind::NoRoom => {
                tracing::warn!(message = %key.message, route = %self.route.id,
                    "too much of before the interruption is not wanted any more: should a phone have                      this still, it is not told to leave it");
            }
        }
    }

    /// Changes what is not wanted any more, and tells the connector.
    fn changing_withdrawn<T>(&self, change: impl FnOnce(&mut ReadyQueue) -> T) -> T {
        let mut state = self.state.lock();
        let changed = change(&mut state.queue);
        let has_some = self.note_withdrawn(&state);
        drop(state);
        if has_some {
            self.wake();
        }
        changed
    }

    fn note_withdrawn(&self, state: &State) -> bool {
        let has_some = !state.queue.withdrawn.is_empty();
        self.has_withdrawn.store(has_some, Ordering::SeqCst);
        has_some
    }

    /// What its connector has that is not wanted any more.
    pub(crate) fn withdrawn(&self, now: Timestamp) -> Vec<SubmissionKey> {
        if !self.has_withdrawn.load(Ordering::SeqCst) {
            return Vec::new();
        }
        let mut state = self.state.lock();
        let keys = state.queue.withdrawn.keys(now);
        self.note_withdrawn(&state);
        keys
    }

    /// Gives the connector what may be sent now (R-HEALTH, R-CLASS-3).
    pub(crate) fn draw(&self, slots: Slots, is_last: bool, now: Timestamp, random: u64) -> Drawn {
        let mut state = self.state.lock();
        let is_last = is_last || state.is_pinned();
        if !state.breaker.admits(now, is_last) {
            let ask_again_at = match state.breaker.state() {
                BreakerState::Open { probe_at } => Some(probe_at),
                BreakerState::Closed | BreakerState::Probing | BreakerState::Lost => None,
            };
            return Drawn {
                ask_again_at,
                ..Drawn::default()
            };
        }
        let closed = state.breaker.state() == BreakerState::Closed;
        state.queue.probes_only = !closed && !is_last;
        let drawn = state.queue.draw(slots, now);
        if !closed && !drawn.submissions.is_empty() {
            state.breaker.observe(HealthEvent::Started, now, random);
        }
        let low = state.queue.room(TrafficClass::Direct) * 2 > state.queue.bound()
            || state.queue.room(TrafficClass::Bulk) * 2 > state.queue.bound();
        drop(state);
        if low {
            self.pump.notify_one();
        }
        drawn
    }

    /// The mark of a submission was kept, or not; whether it was still waited for.
    pub(crate) fn started(&self, key: SubmissionKey, kept: bool, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        let was_there = if kept {
            state.queue.started(key, now)
        } else {
            state.queue.not_started(key)
        };
        drop(state);
        self.wake();
        was_there
    }

    /// Notes an outcome: health, pause and counters. `None` when the connector did not have it.
    pub(crate) fn answered(
        &self,
        key: SubmissionKey,
        outcome: &SubmitOutcome,
        now: Timestamp,
        random: u64,
    ) -> Option<(InHand, Turn)> {
        let event = health_event(outcome);
        let mut state = self.state.lock();
        let taken = state.queue.settle(key)?;
        self.note_withdrawn(&state);
        if is_throttling(outcome) {
            state.queue.pause.throttled(now, unit_interval(random));
        } else {
            state.queue.pause.answered(now);
        }
        match event {
            HealthEvent::Succeeded => self.successes.fetch_add(1, Ordering::Relaxed),
            HealthEvent::Errored => self.failures.fetch_add(1, Ordering::Relaxed),
            HealthEvent::Started
            | HealthEvent::Neutral
            | HealthEvent::Lost
            | HealthEvent::Recovered => 0,
        };
        let turn = state.observe(event, now, random);
        Some((taken, turn))
    }

    /// Notes that the provider wants to be left alone until then.
    pub(crate) fn paused(&self, until: Timestamp) {
        self.state.lock().queue.pause.asked(until);
    }

    /// Notes that the connector gave a submission back; whether anybody wants it still. `None` when it did
    /// not have it.
    pub(crate) fn returned(
        &self,
        key: SubmissionKey,
        now: Timestamp,
        random: u64,
    ) -> Option<GivenBack> {
        let mut state = self.state.lock();
        let had = if state.queue.withdrawn.has_in_hand(key) {
            GivenBack::Unwanted
        } else {
            GivenBack::Wanted
        };
        state.queue.settle(key)?;
        self.note_withdrawn(&state);
        // It may have been the probe: another one may leave.
        state.observe(HealthEvent::Neutral, now, random);
        Some(had)
    }

    /// Notes that the link changed; what that turns, and whether it is news.
    pub(crate) fn link(&self, link: LinkState, now: Timestamp, random: u64) -> (Turn, bool) {
        let mut state = self.state.lock();
        state.is_linked = link == LinkState::Up;
        let (because, event) = match link {
            LinkState::Up => (None, HealthEvent::Recovered),
            LinkState::Down(why) => (Some(why), HealthEvent::Lost),
        };
        let is_news = state.down_because != because;
        state.down_because = because;
        state.reopen();
        (state.observe(event, now, random), is_news)
    }

    /// What its breaker goes by, in words.
    pub(crate) fn errors(&self, now: Timestamp) -> String {
        let figures = self.state.lock().breaker.figures(now);
        format!(
            "{} of {} submissions in {ERROR_WINDOW_SECONDS} s failed, the last {} in a row",
            figures.errors, figures.submissions, figures.consecutive
        )
    }

    /// Takes nothing more and gives up what was not taken.
    pub(crate) fn close(&self) -> Vec<SubmissionKey> {
        let mut state = self.state.lock();
        state.queue.open = false;
        state.queue.drain()
    }

    /// Empties the ready queue; what was taken stays with the connector.
    pub(crate) fn drain(&self) -> Vec<SubmissionKey> {
        self.state.lock().queue.drain()
    }

    /// Takes what is not with the connector yet and is of this kind out of the ready queue.
    pub(crate) fn take_back(&self, kind: impl Fn(&Submission) -> bool) -> Vec<SubmissionKey> {
        self.state.lock().queue.take_back(kind)
    }

    /// How many submissions its connector has, and how many are ready for it.
    pub(crate) fn load(&self) -> (usize, usize) {
        let queue = &self.state.lock().queue;
        (queue.in_hand(), queue.ready())
    }
}

impl State {
    fn mode(&self) -> Option<ControlMode> {
        self.control.as_ref().map(|it| it.mode)
    }

    fn is_held(&self) -> bool {
        self.mode().is_some_and(ControlMode::holds)
    }

    fn is_pinned(&self) -> bool {
        self.mode() == Some(ControlMode::Pin)
    }

    /// Gives and takes only while there is a link and no person holds it.
    fn reopen(&mut self) {
        self.queue.open = self.is_linked && !self.is_held();
    }

    fn condition(&self, is_last: bool, now: Timestamp) -> RouteCondition {
        match self.mode() {
            Some(ControlMode::Drain) => return RouteCondition::Drained,
            Some(ControlMode::Disable) => return RouteCondition::Disabled,
            Some(ControlMode::Pin) | None => {}
        }
        match self.breaker.condition(now, is_last || self.is_pinned()) {
            RouteCondition::Up if self.queue.pause.until(now).is_some() => {
                RouteCondition::Throttled
            }
            condition @ (RouteCondition::Up
            | RouteCondition::Down
            | RouteCondition::Throttled
            | RouteCondition::Drained
            | RouteCondition::Disabled) => condition,
        }
    }

    fn observe(&mut self, event: HealthEvent, now: Timestamp, random: u64) -> Turn {
        let before = self.breaker.state();
        self.breaker.observe(event, now, random);
        let turn = self.turn(before);
        if turn != Turn::None {
            self.turned_at = now;
        }
        turn
    }

    fn turn(&self, before: BreakerState) -> Turn {
        match (before, self.breaker.state()) {
            (BreakerState::Closed, BreakerState::Closed) => Turn::None,
            (_, BreakerState::Closed) => Turn::CameUp,
            // A failed probe, too: what became ready meanwhile goes elsewhere.
            (
                BreakerState::Closed | BreakerState::Probing,
                BreakerState::Open { .. } | BreakerState::Lost,
            ) => Turn::WentDown,
            (
                BreakerState::Open { .. } | BreakerState::Lost,
                BreakerState::Open { .. } | BreakerState::Probing | BreakerState::Lost,
            )
            | (BreakerState::Closed | BreakerState::Probing, BreakerState::Probing) => Turn::None,
        }
    }
}

/// What an outcome says of the route's health (R-HEALTH): throttling and what the recipient or
/// the content caused say nothing.
fn health_event(outcome: &SubmitOutcome) -> HealthEvent {
    match outcome {
        SubmitOutcome::Accepted { .. } => HealthEvent::Succeeded,
        SubmitOutcome::Unknown { .. } => HealthEvent::Errored,
        SubmitOutcome::NotAccepted(failure)
        | SubmitOutcome::PartlyAccepted { failure, .. }
        | SubmitOutcome::Rejected(failure) => match failure.class {
            FailureClass::RouteFault | FailureClass::AccountFault | FailureClass::NoRoute => {
                HealthEvent::Errored
            }
            FailureClass::Throttled
            | FailureClass::SenderFault
            | FailureClass::RecipientAbsent
            | FailureClass::RecipientIncapable
            | FailureClass::RecipientInvalid
            | FailureClass::Undeliverable
            | FailureClass::Expired
            | FailureClass::WindowClosed
            | FailureClass::TemplateFault
            | FailureClass::ContentBlocked
            | FailureClass::OptedOut
            | FailureClass::InvalidRequest
            | FailureClass::UnknownOutcome => HealthEvent::Neutral,
        },
    }
}

/// Whether the provider asked to slow down.
pub(crate) fn is_throttling(outcome: &SubmitOutcome) -> bool {
    match outcome {
        SubmitOutcome::NotAccepted(failure)
        | SubmitOutcome::PartlyAccepted { failure, .. }
        | SubmitOutcome::Rejected(failure) => failure.class == FailureClass::Throttled,
        SubmitOutcome::Accepted { .. } | SubmitOutcome::Unknown { .. } => false,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits of randomness are plenty"
)]
fn unit_interval(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}
