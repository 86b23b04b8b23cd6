//! The one task that plays all scripts of a route, in order of time.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::model::channel::Channel;
use domain::model::content::MessageType;
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::template::TemplateDefinition;
use domain::time::Millis;
use parking_lot::Mutex;
use ports::clock::Clock;
use ports::connector::{
    Ack, Connector, Heard, IncomingMessage, IncomingReceipt, LinkState, RouteEvents, Simulator,
    Slots, Submission, SubmissionKey, SubmissionSource,
};
use ports::hooks::Pending;
use ports::provider::{
    ProviderError, ProviderTemplate, SubmittedTemplate, TemplateRegistrar, TemplateUpdate,
};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use super::config::SimulatorConfig;
use super::numbers;
use super::script::{Answer, Facts, Script, script};
use super::templates::{REVIEW, Templates};
use super::window::Windows;

/// Scenes that may lie ahead; beyond, nothing more is taken.
const AHEAD: usize = 200_000;
/// Submissions that are remembered for having been throttled.
const THROTTLED: usize = 10_000;
/// When a receipt that could not be kept comes again.
const AGAIN: Duration = Duration::from_secs(1);
/// A sleep that nothing wakes from.
const FAR: Duration = Duration::from_hours(24);

/// Starts the task.
pub(super) fn start(
    config: SimulatorConfig,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    let props = Arc::new(Props {
        events,
        clock,
        channel: config.channel,
        bell: Arc::new(Notify::new()),
        windows: Mutex::new(Windows::default()),
        again: Mutex::new(Vec::new()),
        inbound_no: Mutex::new(0),
        templates: Templates::default(),
    });
    let bell = Arc::clone(&props.bell);
    source.on_ready(Arc::new(move || bell.notify_one()));
    let (stop, stopped) = watch::channel(None);
    let tasks = TaskTracker::new();
    let stage = Stage {
        config,
        source,
        props: Arc::clone(&props),
        ahead: BinaryHeap::new(),
        scene_no: 0,
        reference_no: 0,
        open: 0,
        throttled: BTreeSet::new(),
    };
    tasks.spawn(stage.play(stopped));
    tasks.close();
    Arc::new(SimulatedRoute { props, stop, tasks })
}

/// What the task and the outside share.
struct Props {
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
    channel: Channel,
    bell: Arc<Notify>,
    windows: Mutex<Windows>,
    /// Receipts that could not be kept.
    again: Mutex<Vec<IncomingReceipt>>,
    inbound_no: Mutex<u64>,
    templates: Templates,
}

struct SimulatedRoute {
    props: Arc<Props>,
    stop: watch::Sender<Option<Instant>>,
    tasks: TaskTracker,
}

impl Connector for SimulatedRoute {
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.stop
            .send_replace(Some(Instant::now() + patience.to_duration()));
        Box::pin(self.tasks.wait())
    }

    fn simulator(&self) -> Option<&dyn Simulator> {
        Some(self)
    }

    fn templates(&self) -> Option<&dyn TemplateRegistrar> {
        (self.props.channel == Channel::WhatsApp).then_some(self as &dyn TemplateRegistrar)
    }
}

impl TemplateRegistrar for SimulatedRoute {
    fn account(&self) -> &'static str {
        "simulator"
    }

    fn submit(
        &self,
        definition: TemplateDefinition,
    ) -> Pending<'_, Result<SubmittedTemplate, ProviderError>> {
        let taken = self.props.templates.submit(definition);
        self.props.bell.notify_one();
        Box::pin(std::future::ready(Ok(taken)))
    }

    fn list(&self) -> Pending<'_, Result<Vec<ProviderTemplate>, ProviderError>> {
        let templates = self.props.templates.list();
        Box::pin(std::future::ready(Ok(templates)))
    }
}

impl Simulator for SimulatedRoute {
    fn inject_inbound(&self, mut message: IncomingMessage, ack: Ack) {
        let at = *message
            .sent_at
            .get_or_insert_with(|| self.props.clock.now());
        if message.provider_id.is_none() {
            let mut no = self.props.inbound_no.lock();
            *no += 1;
            message.provider_id = Some(format!("sim-in-{}-{no}", at.as_millis()).into());
        }
        if self.props.channel == Channel::WhatsApp {
            self.props
                .windows
                .lock()
                .open(&message.from, &message.to, at);
        }
        self.props.events.inbound(message, ack);
    }
}

/// A receipt that was told: it comes again when its acknowledgement is dropped, called or not, before it
/// was kept.
struct ToldReceipt {
    props: Arc<Props>,
    again: Option<IncomingReceipt>,
}

impl ToldReceipt {
    fn kept(mut self) {
        self.again = None;
    }
}

impl Drop for ToldReceipt {
    fn drop(&mut self) {
        if let Some(receipt) = self.again.take() {
            self.props.again.lock().push(receipt);
            self.props.bell.notify_one();
        }
    }
}

/// Something that will happen.
enum Scene {
    Answer {
        key: SubmissionKey,
        parts: u16,
        outcome: SubmitOutcome,
    },
    Receipt(IncomingReceipt),
    Template(TemplateUpdate),
}

/// A scene with its time; of two at the same time, the one written first.
struct Cue {
    at: Instant,
    no: u64,
    scene: Scene,
}

impl PartialEq for Cue {
    fn eq(&self, other: &Self) -> bool {
        self.no == other.no
    }
}
impl Eq for Cue {}
impl PartialOrd for Cue {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Cue {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.no).cmp(&(other.at, other.no))
    }
}

struct Stage {
    config: SimulatorConfig,
    source: Arc<dyn SubmissionSource>,
    props: Arc<Props>,
    ahead: BinaryHeap<Reverse<Cue>>,
    scene_no: u64,
    reference_no: u64,
    /// Parts without an answer.
    open: u16,
    throttled: BTreeSet<SubmissionKey>,
}

impl Stage {
    async fn play(mut self, mut stop: watch::Receiver<Option<Instant>>) {
        self.props.events.link(LinkState::Up);
        let mut ask_again = None;
        loop {
            let now = Instant::now();
            let until = *stop.borrow_and_update();
            self.repeat_receipts(now);
            self.review_templates(now);
            self.act(now);
            match until {
                Some(until) if self.open == 0 || until <= now => break,
                Some(_) => {}
                None => {
                    if let Some(at) = self.pull(now) {
                        ask_again = Some(at);
                    } else if ask_again.is_some_and(|it| it <= now) {
                        ask_again = None;
                    }
                }
            }
            let next = self.ahead.peek().map(|it| it.0.at);
            let wake_at = [next, until, ask_again].into_iter().flatten().min();
            tokio::select! {
                () = sleep_until(wake_at.unwrap_or(now + FAR)) => {}
                () = self.props.bell.notified() => {}
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        self.give_up();
        self.props.events.link(LinkState::Down("stopped".into()));
    }

    /// Plays everything whose time has come.
    fn act(&mut self, now: Instant) {
        while self.ahead.peek().is_some_and(|it| it.0.at <= now) {
            let Some(Reverse(cue)) = self.ahead.pop() else {
                return;
            };
            match cue.scene {
                Scene::Answer {
                    key,
                    parts,
                    outcome,
                } => {
                    self.open = self.open.saturating_sub(parts);
                    self.props.events.submitted(key, outcome);
                }
                Scene::Receipt(receipt) => self.tell(receipt),
                Scene::Template(update) => {
                    self.props.templates.decided(&update);
                    // A template whose review was not kept is found by the next sync.
                    self.props.events.template(update, Box::new(|_| ()));
                }
            }
        }
    }

    fn tell(&self, receipt: IncomingReceipt) {
        let told = ToldReceipt {
            props: Arc::clone(&self.props),
            again: Some(receipt.clone()),
        };
        let ack: Ack = Box::new(move |heard| {
            if heard == Heard::Kept {
                told.kept();
            }
        });
        self.props.events.receipt(receipt, ack);
    }

    fn repeat_receipts(&mut self, now: Instant) {
        let again = std::mem::take(&mut *self.props.again.lock());
        for receipt in again {
            self.cue(now + AGAIN, Scene::Receipt(receipt));
        }
    }

    fn review_templates(&mut self, now: Instant) {
        for update in self.props.templates.to_review() {
            self.cue(now + REVIEW.to_duration(), Scene::Template(update));
        }
    }

    fn cue(&mut self, at: Instant, scene: Scene) {
        self.scene_no += 1;
        self.ahead.push(Reverse(Cue {
            at,
            no: self.scene_no,
            scene,
        }));
    }

    /// Takes what the window has room for; gives when to ask again.
    fn pull(&mut self, now: Instant) -> Option<Instant> {
        let window = self.config.window.max(1);
        let mut ask_again = None;
        while self.open < window && self.ahead.len() < AHEAD {
            let slots = Slots {
                free: window - self.open,
                window,
                links: 1,
            };
            let taken = self.source.take(slots);
            let clock_now = self.props.clock.now();
            ask_again = taken
                .ask_again_at
                .map(|it| now + it.since(clock_now).to_duration());
            if taken.submissions.is_empty() {
                break;
            }
            for submission in taken.submissions {
                if submission.expires_at <= clock_now {
                    self.props.events.returned(submission.key);
                } else {
                    self.begin(&submission, now);
                }
            }
            self.act(now);
        }
        ask_again
    }

    /// Writes the scenes of one submission.
    fn begin(&mut self, submission: &Submission, now: Instant) {
        let key = submission.key;
        let facts = self.facts(submission);
        let script = script(&self.config, facts);
        let parts = submission.parts_left();
        self.open = self.open.saturating_add(parts);
        let missing = (0..submission.parts).filter(|it| !submission.accepted.contains(*it));
        self.reference_no += 1;
        let references: Vec<_> = missing
            .map(|part| PartReference {
                part,
                reference: self.reference(key, part),
            })
            .collect();
        let outcome = self.outcome(key, &script, &references);
        // Receipts first: where one comes at the time of the answer, it shall come before it.
        for (at, state) in script.receipts {
            for it in &references {
                let receipt = self.receipt(submission, &it.reference, state.clone());
                self.cue(now + at.to_duration(), Scene::Receipt(receipt));
            }
        }
        let answer = Scene::Answer {
            key,
            parts,
            outcome,
        };
        self.cue(now + script.answer_at.to_duration(), answer);
    }

    fn facts(&mut self, submission: &Submission) -> Facts {
        let channel = self.config.channel;
        let is_window_closed = channel == Channel::WhatsApp
            && self.config.enforce_window
            && submission.template.is_none()
            && submission.content.kind != MessageType::Template
            && !self.props.windows.lock().is_open(
                &submission.to,
                &submission.from,
                self.props.clock.now(),
            );
        Facts {
            key: submission.key,
            play: numbers::play(&submission.to, channel),
            was_throttled: self.throttled.remove(&submission.key),
            is_window_closed,
            validity: submission.validity,
        }
    }

    /// Unlike any other, also after a restart or when the same message is sent again.
    fn reference(&self, key: SubmissionKey, part: u16) -> Box<str> {
        format!(
            "sim-{}-{}-{part}-{}",
            key.message, key.attempt, self.reference_no
        )
        .into()
    }

    fn outcome(
        &mut self,
        key: SubmissionKey,
        script: &Script,
        references: &[PartReference],
    ) -> SubmitOutcome {
        match &script.answer {
            Answer::Accept => SubmitOutcome::Accepted {
                references: references.to_vec(),
            },
            Answer::Reject(failure) => SubmitOutcome::Rejected(failure.clone()),
            Answer::Silence => SubmitOutcome::Unknown {
                references: Vec::new(),
            },
            Answer::Throttle => {
                if self.throttled.len() >= THROTTLED {
                    self.throttled.pop_first();
                }
                self.throttled.insert(key);
                SubmitOutcome::NotAccepted(Failure::new(
                    FailureClass::Throttled,
                    "throttled",
                    "The simulated provider asked to slow down.",
                ))
            }
        }
    }

    fn receipt(
        &self,
        submission: &Submission,
        reference: &str,
        state: ReceiptState,
    ) -> IncomingReceipt {
        let raw = match &state {
            ReceiptState::Failed(failure) => format!("failed {}", failure.code).into(),
            ReceiptState::InTransit | ReceiptState::Delivered | ReceiptState::Read => {
                state.code().into()
            }
        };
        IncomingReceipt {
            references: vec![reference.into()],
            // Meta gives our reference back; an SMSC does not.
            ours: (self.config.channel == Channel::WhatsApp).then_some(submission.key),
            recipient: Some(submission.to.clone()),
            whole: false,
            state,
            raw,
        }
    }

    /// The end: what has no answer yet is unknown. Receipts that lie ahead are lost.
    fn give_up(&mut self) {
        for Reverse(cue) in std::mem::take(&mut self.ahead)
            .into_sorted_vec()
            .into_iter()
            .rev()
        {
            if let Scene::Answer { key, .. } = cue.scene {
                self.props.events.submitted(
                    key,
                    SubmitOutcome::Unknown {
                        references: Vec::new(),
                    },
                );
            }
        }
    }
}

#[cfg(test)]
#[path = "stage_tests.rs"]
mod tests;
