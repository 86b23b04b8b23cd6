//! What happened in a run? Everything that providers saw, that people asked for and that was made
//! durable, in its order. The invariants are checked on this, not on what the engine thinks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use domain::ids::{MessageId, RouteKey, VolumeKey};
use domain::model::address::Address;
use domain::model::attempt::PlannedAttempt;
use domain::model::channel::Channel;
use domain::model::event::{EventKinds, EventSeq};
use domain::model::failure::FailureClass;
use domain::model::message::TrafficClass;
use domain::model::progress::Waiting;
use domain::model::receipt::{ReceiptState, SubmitOutcome};
use domain::time::Timestamp;
use ports::clock::Clock;
use ports::conformance::store::kit::ask;
use ports::connector::SubmissionKey;
use ports::store::events::{EventFilter, EventRecord};
use ports::store::operations::{Accept, Changed, FirstStep, PlanStep};
use ports::store::{Op, Outcome, Store};

use crate::clock::MadeUpClock;
use crate::scenery::PROJECT;

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    /// The message that it is about; what is about none is about all.
    pub(crate) message: Option<MessageId>,
    pub(crate) words: String,
}

/// What the answer to a submission was, as it was made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Accepted,
    Partly,
    /// It was told to slow down: it was not tried (R-ROUTE-4).
    Throttled,
    NotAccepted,
    Rejected,
    Unknown,
}

/// Parts of a message as they were handed to a provider.
#[derive(Debug, Clone)]
pub(crate) struct Handed {
    /// Its place among all that happened.
    pub(crate) seq: usize,
    pub(crate) at: Timestamp,
    pub(crate) route: RouteKey,
    pub(crate) channel: Channel,
    pub(crate) key: SubmissionKey,
    pub(crate) class: TrafficClass,
    pub(crate) to: Address,
    pub(crate) text: Box<str>,
    /// Of how many parts the message is.
    pub(crate) parts: u16,
    /// Those that were handed over.
    pub(crate) pieces: Vec<u16>,
    /// Those that the provider took.
    pub(crate) taken: BTreeSet<u16>,
    /// Whether it is the rest of a message of which parts were known to be taken.
    pub(crate) is_rest: bool,
    /// When what it takes of the quotas was reserved.
    pub(crate) reserved_at: Option<Timestamp>,
    /// What of it was told, and is durable.
    pub(crate) told: Option<Told>,
    /// When that was made durable.
    pub(crate) told_seq: Option<usize>,
}

/// A receipt that a provider sends.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Its number among what was handed over.
    pub(crate) handed: usize,
    /// The part, or [`PartSet::WHOLE`].
    pub(crate) part: u16,
    pub(crate) state: ReceiptState,
    /// When it was made durable.
    pub(crate) kept: Option<usize>,
    /// Which message it was taken for at once.
    pub(crate) taken_for: Option<MessageId>,
}

/// A message that was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) seq: usize,
    pub(crate) expires_at: Timestamp,
    /// Which route it went to, or waited for, at first.
    pub(crate) route: Option<RouteKey>,
}

/// A change of a message, as it was made durable.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) seq: usize,
    pub(crate) changed: Changed,
    pub(crate) by: &'static str,
}

/// What a person holds, or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByPerson {
    Takes,
    GivesBack,
    Sent,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) message: Option<MessageId>,
    pub(crate) words: String,
}

pub(crate) struct Chronicle {
    clock: Arc<MadeUpClock>,
    pub(crate) lines: Vec<Line>,
    pub(crate) handed: Vec<Handed>,
    pub(crate) reports: Vec<Report>,
    pub(crate) taken: BTreeMap<MessageId, Taken>,
    pub(crate) steps: BTreeMap<MessageId, Vec<Step>>,
    pub(crate) people: Vec<(usize, MessageId, ByPerson)>,
    /// When each message last reserved what it takes of the quotas.
    reserved: BTreeMap<MessageId, Timestamp>,
    /// In which volumes of each route something was planned to be charged; `None`: in none.
    pub(crate) volumes: BTreeMap<RouteKey, BTreeSet<Option<VolumeKey>>>,
    /// The newest message that each person wrote to us.
    pub(crate) inbound: BTreeMap<Address, MessageId>,
    /// Everything that was told, as long as it is kept.
    pub(crate) events: Vec<EventRecord>,
    pub(crate) violations: Vec<Violation>,
}

impl Chronicle {
    pub(crate) fn new(clock: Arc<MadeUpClock>) -> Self {
        Self {
            clock,
            lines: Vec::new(),
            handed: Vec::new(),
            reports: Vec::new(),
            taken: BTreeMap::new(),
            steps: BTreeMap::new(),
            people: Vec::new(),
            reserved: BTreeMap::new(),
            volumes: BTreeMap::new(),
            inbound: BTreeMap::new(),
            events: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Writes a line; its place among all that happened.
    pub(crate) fn line(&mut self, message: Option<MessageId>, words: impl Into<String>) -> usize {
        let at = self.clock.now();
        let words = words.into();
        self.lines.push(Line { at, message, words });
        self.lines.len() - 1
    }

    pub(crate) fn violated(&mut self, message: Option<MessageId>, words: impl Into<String>) {
        let words = words.into();
        self.line(message, format!("!!! {words}"));
        self.violations.push(Violation { message, words });
    }

    /// Something was handed to a provider; its number.
    pub(crate) fn hand(&mut self, mut handed: Handed, fate: &str) -> usize {
        let Handed {
            key, route, pieces, ..
        } = &handed;
        let words = format!(
            "attempt {} leaves by route{}, parts {pieces:?} of {}: {fate}",
            key.attempt, route.0, handed.parts
        );
        handed.seq = self.line(Some(handed.key.message), words);
        handed.reserved_at = self.reserved.get(&handed.key.message).copied();
        self.handed.push(handed);
        self.handed.len() - 1
    }

    /// An operation was committed.
    pub(crate) fn committed(&mut self, note: &Note, outcome: &Outcome) {
        match (note, outcome) {
            (Note::Accept(accept), Outcome::Accepted { message, .. }) => {
                self.accepted(*message, accept);
            }
            (Note::Report(report), outcome) => self.reported(*report, outcome),
            (note, Outcome::Changed(changed)) => self.changed(note, changed),
            (Note::Inbound(from), Outcome::InboundKept { message, .. }) => {
                self.inbound.insert(from.clone(), *message);
                self.line(None, format!("kept: inbound of {from}: {message}"));
            }
            (Note::Other(name), _) => {
                let words = short(outcome);
                if !matches!(*name, "prune" | "alert outcomes") {
                    self.line(None, format!("kept: {name}: {words}"));
                }
            }
            (note, outcome) => {
                let words = format!("{}: {}", note.name(), short(outcome));
                self.line(note.message(), words);
            }
        }
    }

    fn accepted(&mut self, id: MessageId, accept: &Accept) {
        let message = &accept.message;
        let words = format!(
            "accepted for {}: {:?} {:?} {:?}, {}, until {}",
            message.to,
            message.class,
            message.category,
            message.explicit,
            first(&accept.first),
            Self::hour(accept.expires_at),
        );
        let seq = self.line(Some(id), words);
        if let FirstStep::Send(planned) = &accept.first {
            self.planned(id, planned);
        }
        let taken = Taken {
            seq,
            expires_at: accept.expires_at,
            route: match &accept.first {
                FirstStep::Send(planned) => Some(planned.route),
                FirstStep::Wait(lane) => Some(lane.route),
                FirstStep::Schedule(_) | FirstStep::Person(_) => None,
            },
        };
        self.taken.insert(id, taken);
    }

    fn planned(&mut self, message: MessageId, planned: &PlannedAttempt) {
        self.reserved.insert(message, planned.reservation.at);
        let of_route = self.volumes.entry(planned.route).or_default();
        of_route.insert(planned.reservation.volume);
    }

    fn changed(&mut self, note: &Note, changed: &Changed) {
        let id = changed.message;
        let words = format!(
            "{}: {} -> {}, {}{}",
            note.words(),
            changed.was.code(),
            changed.status.code(),
            waits(changed.waiting),
            changed
                .cancelled
                .map_or(String::new(), |it| format!(", attempt {it} cancelled")),
        );
        let seq = self.line(Some(id), words);
        match note {
            Note::Plan(_, step) => match &**step {
                PlanStep::Start(planned) | PlanStep::Continue(planned) => {
                    self.planned(id, planned);
                }
                PlanStep::Wait(_) | PlanStep::Fail(_) => {}
            },
            Note::Submitted(key, route, told) => self.told(*key, *route, *told),
            Note::Accept(_)
            | Note::Report(_)
            | Note::About(..)
            | Note::Inbound(_)
            | Note::Other(_) => {}
        }
        let step = Step {
            seq,
            changed: changed.clone(),
            by: note.name(),
        };
        self.steps.entry(id).or_default().push(step);
        if let Some(other) = &changed.resolved {
            self.changed(&Note::About(other.message, "parked receipt"), other);
        }
    }

    fn told(&mut self, key: SubmissionKey, route: RouteKey, told: Told) {
        let seq = self.lines.len() - 1;
        let mut theirs = self.handed.iter_mut().rev();
        let it = theirs.find(|it| it.key == key && it.route == route);
        if let Some(it) = it.filter(|it| it.told.is_none_or(|it| it == Told::Unknown)) {
            it.told = Some(told);
            it.told_seq = Some(seq);
        }
    }

    fn reported(&mut self, no: Option<usize>, outcome: &Outcome) {
        let Some(no) = no else { return };
        self.reports[no].kept.get_or_insert(self.lines.len());
        let report = self.reports[no].clone();
        let handed = &self.handed[report.handed];
        let theirs = handed.key.message;
        let words = format!("receipt {no} ({:?} of part {})", report.state, report.part);
        let Outcome::Changed(changed) = outcome else {
            self.line(Some(theirs), format!("{words}: {}", short(outcome)));
            return;
        };
        self.changed(&Note::About(changed.message, "receipt"), changed);
        self.reports[no].taken_for = Some(changed.message);
        let words = if changed.message == theirs {
            words
        } else {
            format!("{words} was taken for {}", changed.message)
        };
        self.line(Some(theirs), words);
    }

    /// The time of day, for reading.
    pub(crate) fn hour(at: Timestamp) -> String {
        let at = jiff::Timestamp::from_millisecond(at.as_millis());
        at.map_or_else(
            |_| "?".into(),
            |it| it.strftime("%dT%H:%M:%S%.3f").to_string(),
        )
    }

    /// Everything that is about these messages, and about all.
    pub(crate) fn history(&self, message: Option<MessageId>) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let is_theirs = message.is_none() || line.message.is_none() || line.message == message;
            if is_theirs {
                let about = line.message.map_or(String::new(), |it| it.to_string());
                // Safe because: writing to a string does not fail.
                let _ = writeln!(text, "{} {about:17} {}", Self::hour(line.at), line.words);
            }
        }
        text
    }
}

/// What an operation is about.
pub(crate) enum Note {
    Accept(Box<Accept>),
    Plan(MessageId, Box<PlanStep>),
    Submitted(SubmissionKey, RouteKey, Told),
    Report(Option<usize>),
    About(MessageId, &'static str),
    Inbound(Address),
    Other(&'static str),
}

impl Note {
    pub(crate) fn of(op: &Op) -> Self {
        match op {
            Op::Accept(it) => Self::Accept(it.clone()),
            Op::Plan(it) => Self::Plan(it.message, Box::new(it.step.clone())),
            Op::Start(it) => Self::About(it.message, "marked as started"),
            Op::Release(it) => Self::About(it.message, "released"),
            Op::Submitted(it) => {
                let key = SubmissionKey {
                    message: it.message,
                    attempt: it.attempt,
                };
                Self::Submitted(key, it.route, told(&it.outcome))
            }
            Op::Receipt(it) => Self::Report(it.raw.parse().ok()),
            Op::Settle(it) => Self::About(it.message, "settled by the clock"),
            Op::Billed(it) => Self::About(it.message, "billed"),
            Op::Interrupted(it) => Self::About(it.message, "interrupted"),
            Op::Person(it) => Self::About(it.message, "by a person"),
            Op::Inbound(it) => Self::Inbound(it.from.clone()),
            Op::Keyword(it) => Self::Inbound(it.inbound.from.clone()),
            Op::Consent(_) => Self::Other("consent"),
            Op::Control(_) => Self::Other("control"),
            Op::Audited(it) => match &it.op {
                Op::Control(_) => Self::Other("control"),
                _ => Self::Other("audited"),
            },
            Op::Alert(it) => match **it {
                ports::store::alerts::AlertStep::Outcomes { .. } => Self::Other("alert outcomes"),
                _ => Self::Other("alert"),
            },
            Op::Prune { .. } | Op::PruneHistory(_) | Op::PruneEvents(_) | Op::Audit(_) => {
                Self::Other("prune")
            }
            _ => Self::Other("other"),
        }
    }

    /// What it takes of the quotas.
    pub(crate) fn reserves(&self) -> Option<&PlannedAttempt> {
        match self {
            Self::Accept(accept) => match &accept.first {
                FirstStep::Send(planned) => Some(planned),
                FirstStep::Wait(_) | FirstStep::Schedule(_) | FirstStep::Person(_) => None,
            },
            Self::Plan(_, step) => match &**step {
                PlanStep::Start(planned) | PlanStep::Continue(planned) => Some(planned),
                PlanStep::Wait(_) | PlanStep::Fail(_) => None,
            },
            Self::Submitted(..)
            | Self::Report(_)
            | Self::About(..)
            | Self::Inbound(_)
            | Self::Other(_) => None,
        }
    }

    /// Whether an attempt goes on: the rest of a message may need no new place.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Self::Plan(_, step) if matches!(**step, PlanStep::Continue(_)))
    }

    const fn message(&self) -> Option<MessageId> {
        match self {
            Self::Plan(message, _) | Self::About(message, _) => Some(*message),
            Self::Submitted(key, ..) => Some(key.message),
            Self::Accept(_) | Self::Report(_) | Self::Inbound(_) | Self::Other(_) => None,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Accept(_) => "accept",
            Self::Plan(..) => "planned",
            Self::Submitted(..) => "answered",
            Self::Report(_) => "receipt",
            Self::Inbound(_) => "inbound",
            Self::About(_, name) | Self::Other(name) => name,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Plan(_, step) => match &**step {
                PlanStep::Start(it) => format!("planned for route{}", it.route.0),
                PlanStep::Continue(it) => format!("planned on for route{}", it.route.0),
                PlanStep::Wait(_) => "planned to wait".into(),
                PlanStep::Fail(it) => format!("planned to fail: {}", it.code),
            },
            Self::Submitted(key, route, told) => {
                format!(
                    "answer of route{} to attempt {}: {told:?}",
                    route.0, key.attempt
                )
            }
            Self::Accept(_)
            | Self::Report(_)
            | Self::About(..)
            | Self::Inbound(_)
            | Self::Other(_) => self.name().into(),
        }
    }
}

fn told(outcome: &SubmitOutcome) -> Told {
    match outcome {
        SubmitOutcome::Accepted { .. } => Told::Accepted,
        SubmitOutcome::PartlyAccepted { .. } => Told::Partly,
        SubmitOutcome::NotAccepted(failure) if failure.class == FailureClass::Throttled => {
            Told::Throttled
        }
        SubmitOutcome::NotAccepted(_) => Told::NotAccepted,
        SubmitOutcome::Rejected(_) => Told::Rejected,
        SubmitOutcome::Unknown { .. } => Told::Unknown,
    }
}

fn first(step: &FirstStep) -> String {
    match step {
        FirstStep::Send(planned) => format!("goes to route{}", planned.route.0),
        FirstStep::Wait(lane) => format!("waits for route{}", lane.route.0),
        FirstStep::Schedule(_) => "scheduled".into(),
        FirstStep::Person(_) => "with a person".into(),
    }
}

fn waits(waiting: Waiting) -> String {
    match waiting {
        Waiting::Schedule { at } => format!("waits until {}", at.as_millis()),
        Waiting::Lane(lane) => format!("waits for route{}", lane.route.0),
        Waiting::Fallback { at } => format!("falls back at {}", at.as_millis()),
        Waiting::Person(_) => "with a person".into(),
        Waiting::No => "waits for nothing".into(),
    }
}

/// The name of an outcome without what it holds.
fn short(outcome: &Outcome) -> String {
    let words = format!("{outcome:?}");
    let name = words.chars().take_while(|it| it.is_alphanumeric());
    match outcome {
        Outcome::QuotaGone(_) | Outcome::PersonRefused(_) => words,
        _ => name.collect(),
    }
}

impl Chronicle {
    /// Notes the events that the store has and that were not noted: it forgets old ones.
    pub(crate) fn hear_events(&mut self, store: &dyn Store) {
        loop {
            let page = ask(store.events(EventFilter {
                project: PROJECT,
                sender: None,
                kinds: EventKinds::ALL,
                steps_in: None,
                after: self.events.last().map_or(EventSeq(0), |it| it.seq),
                limit: 500,
                look_at: EventFilter::LOOK_AT,
            }));
            let is_last = page.events.is_empty();
            self.events.extend(page.events);
            if is_last {
                return;
            }
        }
    }
}
