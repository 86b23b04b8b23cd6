//! A provider that does as its script says, and the connector to it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::ids::RouteKey;
use domain::model::address::Address;
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::{PartReference, ReceiptState, SubmitOutcome};
use domain::model::template::{TemplateDefinition, TemplateStatus};
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::clock::Clock;
use ports::connector::{
    Connector, Heard, IncomingReceipt, LinkState, RouteEvents, Slots, Submission, SubmissionKey,
    SubmissionSource,
};
use ports::hooks::Pending;
use ports::provider::{
    ProviderError, ProviderTemplate, SubmittedTemplate, TemplateRegistrar, TemplateUpdate,
};
use tokio::sync::Notify;

use super::WorldClock;

/// What a provider answers to one submission.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Accept,
    /// Certainly not taken: another route may.
    Refuse(FailureClass),
    /// The same for going too fast, and it asks for a pause of so many milliseconds.
    SlowDown(i64),
    /// Never: neither here nor elsewhere on this channel.
    Reject(FailureClass),
    /// Taken or not: nobody knows.
    Unknown,
    /// The bytes left, and no answer ever comes.
    Silent,
    /// The connector gives it back unsent.
    Return,
    /// The connector has it and does not send it before its time; it gives it back where nobody wants
    /// it any more.
    Linger,
    /// The first parts that were handed over are taken, the next is refused.
    Partly {
        taken: u16,
        class: FailureClass,
        retriable: bool,
    },
}

/// What a provider does with one submission.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) after: i64,
    pub(crate) answer: Answer,
    /// Receipts for every part, each so many milliseconds after the submission.
    pub(crate) receipts: Vec<(i64, ReceiptState)>,
}

impl Act {
    pub(crate) const fn new(answer: Answer) -> Self {
        Self {
            after: 10,
            answer,
            receipts: Vec::new(),
        }
    }

    pub(crate) fn accept() -> Self {
        Self::new(Answer::Accept)
    }

    pub(crate) fn refuse(class: FailureClass) -> Self {
        Self::new(Answer::Refuse(class))
    }

    pub(crate) fn reject(class: FailureClass) -> Self {
        Self::new(Answer::Reject(class))
    }

    pub(crate) fn answered_after(mut self, millis: i64) -> Self {
        self.after = millis;
        self
    }

    pub(crate) fn then(mut self, millis: i64, state: ReceiptState) -> Self {
        self.receipts.push((millis, state));
        self
    }

    pub(crate) fn delivered_after(self, millis: i64) -> Self {
        self.then(millis, ReceiptState::Delivered)
    }

    pub(crate) fn fails_after(self, millis: i64, class: FailureClass) -> Self {
        self.then(millis, failed(class))
    }
}

pub(crate) fn failed(class: FailureClass) -> ReceiptState {
    ReceiptState::Failed(failure(class))
}

pub(crate) fn failure(class: FailureClass) -> Failure {
    Failure::new(class, class.code(), "scripted")
}

/// One submission as the provider saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Timestamp,
    pub(crate) route: RouteKey,
    pub(crate) submission: Submission,
}

type Script = Box<dyn FnMut(&Submission) -> Act + Send>;

/// The provider behind one route; outlives the engine.
pub(crate) struct Provider {
    pub(crate) route: RouteKey,
    clock: Arc<WorldClock>,
    log: Arc<Mutex<Vec<Seen>>>,
    script: Mutex<Script>,
    window: Mutex<u16>,
    in_flight: Mutex<u16>,
    count: Mutex<u32>,
    /// The engine that is connected, if one is.
    events: Mutex<Option<Arc<dyn RouteEvents>>>,
    /// And where its connector takes from.
    source: Mutex<Option<Arc<dyn SubmissionSource>>>,
    bell: Arc<Notify>,
    templates: Mutex<Vec<ProviderTemplate>>,
}

impl Provider {
    pub(crate) fn new(
        route: RouteKey,
        clock: Arc<WorldClock>,
        log: Arc<Mutex<Vec<Seen>>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            route,
            clock,
            log,
            script: Mutex::new(Box::new(|_| Act::accept().delivered_after(1_000))),
            window: Mutex::new(100),
            in_flight: Mutex::new(0),
            count: Mutex::new(0),
            events: Mutex::new(None),
            source: Mutex::new(None),
            bell: Arc::new(Notify::new()),
            templates: Mutex::default(),
        })
    }

    /// From now on does this with each submission.
    pub(crate) fn does(&self, script: impl FnMut(&Submission) -> Act + Send + 'static) {
        *self.script.lock() = Box::new(script);
    }

    /// Does these in turn, and then the last one for ever.
    pub(crate) fn does_in_turn(&self, acts: impl IntoIterator<Item = Act>) {
        let mut acts = Vec::from_iter(acts).into_iter();
        let mut last = None;
        self.does(move |_| {
            last = acts.next().or_else(|| last.take());
            last.clone().unwrap()
        });
    }

    pub(crate) fn set_window(&self, window: u16) {
        *self.window.lock() = window;
    }

    pub(crate) fn events(&self) -> Option<Arc<dyn RouteEvents>> {
        self.events.lock().clone()
    }

    /// What its connector is told that nobody wants any more.
    pub(crate) fn withdrawn(&self) -> Vec<SubmissionKey> {
        let source = self.source.lock().clone();
        source.map(|it| it.withdrawn()).unwrap_or_default()
    }

    /// The link is lost, or works again.
    pub(crate) fn link(&self, up: bool) {
        self.link_is(if up {
            LinkState::Up
        } else {
            LinkState::Down("flap".into())
        });
    }

    /// Tells how the link is.
    pub(crate) fn link_is(&self, state: LinkState) {
        if let Some(events) = self.events() {
            events.link(state);
        }
        self.bell.notify_one();
    }

    /// Sends a receipt to whoever is connected, and waits until someone is.
    pub(crate) async fn tell(&self, receipt: IncomingReceipt) {
        loop {
            if let Some(events) = self.events() {
                events.receipt(receipt, Box::new(|_| ()));
                return;
            }
            tokio::time::sleep(Millis::new(50).to_duration()).await;
        }
    }

    /// The templates that it has from now on.
    pub(crate) fn has_templates(&self, templates: impl IntoIterator<Item = ProviderTemplate>) {
        *self.templates.lock() = Vec::from_iter(templates);
    }

    /// Tells of a change of a template; whether that was kept.
    pub(crate) async fn changes_template(&self, update: TemplateUpdate) -> Heard {
        let (heard, answer) = tokio::sync::oneshot::channel();
        let ack = Box::new(move |it| heard.send(it).unwrap());
        self.events().unwrap().template(update, ack);
        answer.await.unwrap()
    }

    /// A receipt that names this reference and nothing else.
    pub(crate) fn receipt(reference: &str, to: Address, state: ReceiptState) -> IncomingReceipt {
        IncomingReceipt {
            references: vec![reference.into()],
            ours: None,
            recipient: Some(to),
            whole: false,
            raw: format!("{reference} {}", state.code()).into(),
            state,
        }
    }

    /// Connects an engine; `dead` cuts it off.
    pub(crate) fn connect(
        self: &Arc<Self>,
        source: Arc<dyn SubmissionSource>,
        events: Arc<dyn RouteEvents>,
        dead: Arc<AtomicBool>,
    ) -> Arc<Link> {
        *self.in_flight.lock() = 0;
        *self.events.lock() = Some(Arc::clone(&events));
        *self.source.lock() = Some(Arc::clone(&source));
        let told = Arc::clone(&events);
        let link = Arc::new(Link {
            provider: Arc::clone(self),
            stopped: AtomicBool::new(false),
            dead,
        });
        let bell = Arc::clone(&self.bell);
        source.on_ready(Arc::new(move || bell.notify_one()));
        tokio::spawn(Arc::clone(&link).run(source, events));
        told.link(LinkState::Up);
        link
    }

    pub(crate) fn disconnect(&self) {
        *self.events.lock() = None;
        *self.source.lock() = None;
    }
}

/// One engine's connector to a provider.
pub(crate) struct Link {
    provider: Arc<Provider>,
    stopped: AtomicBool,
    dead: Arc<AtomicBool>,
}

impl Link {
    fn is_over(&self) -> bool {
        self.stopped.load(Ordering::SeqCst) || self.dead.load(Ordering::SeqCst)
    }

    async fn run(self: Arc<Self>, source: Arc<dyn SubmissionSource>, events: Arc<dyn RouteEvents>) {
        let provider = &self.provider;
        while !self.is_over() {
            let window = *provider.window.lock();
            let free = window.saturating_sub(*provider.in_flight.lock());
            let taken = source.take(Slots {
                free,
                window,
                links: 1,
            });
            for submission in taken.submissions {
                let slots = submission.parts_left().max(1);
                *provider.in_flight.lock() += slots;
                let (source, events) = (Arc::clone(&source), Arc::clone(&events));
                tokio::spawn(Arc::clone(&self).carry(submission, slots, source, events));
            }
            let again = taken
                .ask_again_at
                .map_or(Millis::days(10_000), |it| it.since(provider.clock.now()));
            tokio::select! {
                () = provider.bell.notified() => {}
                () = tokio::time::sleep(again.to_duration()) => {}
            }
        }
    }

    async fn carry(
        self: Arc<Self>,
        submission: Submission,
        slots: u16,
        source: Arc<dyn SubmissionSource>,
        events: Arc<dyn RouteEvents>,
    ) {
        let provider = &self.provider;
        let mut act = (provider.script.lock())(&submission);
        if matches!(act.answer, Answer::Linger) {
            act.answer = linger(&submission, act.after, &*source).await;
            act.after = 0;
        }
        let is_sent = !matches!(act.answer, Answer::Return);
        if is_sent {
            provider.log.lock().push(Seen {
                at: provider.clock.now(),
                route: provider.route,
                submission: submission.clone(),
            });
        }
        let started = tokio::time::Instant::now();
        let references = provider.name_parts(&submission);
        for (after, state) in act.receipts {
            tokio::spawn(Arc::clone(provider).report(
                started + Millis::new(after).to_duration(),
                references.clone(),
                submission.to.clone(),
                state,
            ));
        }
        tokio::time::sleep(Millis::new(act.after).to_duration()).await;
        if self.dead.load(Ordering::SeqCst) {
            return;
        }
        match outcome(&act.answer, references) {
            Some(outcome) => {
                events.submitted(submission.key, outcome);
                if let Answer::SlowDown(wait) = act.answer {
                    events.paused(Millis::new(wait));
                }
            }
            None if is_sent => return,
            None => events.returned(submission.key),
        }
        let mut in_flight = provider.in_flight.lock();
        *in_flight = in_flight.saturating_sub(slots);
        provider.bell.notify_one();
    }
}

/// What becomes of a submission that waits in the connector for so long.
async fn linger(submission: &Submission, millis: i64, source: &dyn SubmissionSource) -> Answer {
    let until = tokio::time::Instant::now() + Millis::new(millis).to_duration();
    while tokio::time::Instant::now() < until {
        if source.withdrawn().contains(&submission.key) {
            return Answer::Return;
        }
        tokio::time::sleep(Millis::new(10).to_duration()).await;
    }
    Answer::Accept
}

impl Provider {
    /// Names for the parts that are handed over.
    fn name_parts(&self, submission: &Submission) -> Vec<PartReference> {
        let mut count = self.count.lock();
        *count += 1;
        (0..submission.parts)
            .filter(|part| !submission.accepted.contains(*part))
            .map(|part| PartReference {
                part,
                reference: format!("r{}-{count}-{part}", self.route.0).into(),
            })
            .collect()
    }

    async fn report(
        self: Arc<Self>,
        at: tokio::time::Instant,
        references: Vec<PartReference>,
        to: Address,
        state: ReceiptState,
    ) {
        tokio::time::sleep_until(at).await;
        for PartReference { reference, .. } in references {
            self.tell(Self::receipt(&reference, to.clone(), state.clone()))
                .await;
        }
    }
}

fn outcome(answer: &Answer, references: Vec<PartReference>) -> Option<SubmitOutcome> {
    Some(match answer {
        Answer::Accept => SubmitOutcome::Accepted { references },
        Answer::Refuse(class) => SubmitOutcome::NotAccepted(failure(*class)),
        Answer::SlowDown(_) => SubmitOutcome::NotAccepted(failure(FailureClass::Throttled)),
        Answer::Reject(class) => SubmitOutcome::Rejected(failure(*class)),
        Answer::Unknown => SubmitOutcome::Unknown {
            references: Vec::new(),
        },
        Answer::Partly {
            taken,
            class,
            retriable,
        } => SubmitOutcome::PartlyAccepted {
            references: references.into_iter().take((*taken).into()).collect(),
            failure: failure(*class),
            retriable: *retriable,
        },
        Answer::Silent | Answer::Return | Answer::Linger => return None,
    })
}

impl TemplateRegistrar for Link {
    fn account(&self) -> &'static str {
        "account"
    }

    fn submit(
        &self,
        definition: TemplateDefinition,
    ) -> Pending<'_, Result<SubmittedTemplate, ProviderError>> {
        let submitted = SubmittedTemplate {
            provider_id: format!("p-{}", definition.name).into(),
            status: TemplateStatus::Pending,
            category: definition.category,
        };
        Box::pin(std::future::ready(Ok(submitted)))
    }

    fn list(&self) -> Pending<'_, Result<Vec<ProviderTemplate>, ProviderError>> {
        let templates = self.provider.templates.lock().clone();
        Box::pin(std::future::ready(Ok(templates)))
    }
}

impl Connector for Link {
    fn templates(&self) -> Option<&dyn TemplateRegistrar> {
        Some(self)
    }

    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            self.stopped.store(true, Ordering::SeqCst);
            let deadline = tokio::time::Instant::now() + patience.to_duration();
            while *self.provider.in_flight.lock() > 0 && tokio::time::Instant::now() < deadline {
                tokio::time::sleep(Millis::new(10).to_duration()).await;
            }
        })
    }
}
