//! The engine's side of a connector, for tests: a source that is filled by hand, and a record of
//! everything that was told.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::ids::MessageId;
use domain::model::attempt::PartSet;
use domain::model::content::Content;
use domain::model::message::{Category, TrafficClass};
use domain::model::receipt::SubmitOutcome;
use domain::phone::PhoneNumber;
use domain::text::measure;
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::connector::{
    Ack, Bill, ConsentSignal, Heard, IncomingMessage, IncomingReceipt, LinkState, RouteEvents,
    Slots, Submission, SubmissionKey, SubmissionSource, Taken, Wake,
};
use ports::provider::TemplateUpdate;

/// The key of test submission number `no`.
pub(crate) const fn key(no: i64) -> SubmissionKey {
    SubmissionKey {
        message: MessageId::from_key(no),
        attempt: 1,
    }
}

/// A submission to `to`.
pub(crate) fn submission(no: i64, to: &str, text: &str) -> Submission {
    Submission {
        key: key(no),
        class: TrafficClass::Direct,
        from: "ACME".into(),
        to: PhoneNumber::parse(to).unwrap().into(),
        content: Arc::new(Content::text(text)),
        template: None,
        category: Category::Transactional,
        context: None,
        parts: measure(text).count,
        accepted: PartSet::NONE,
        validity: None,
        expires_at: Timestamp::from_millis(i64::MAX),
    }
}

/// A route's lanes, filled by hand.
#[derive(Default)]
pub(crate) struct Lanes {
    waiting: Mutex<VecDeque<Submission>>,
    wakes: Mutex<Vec<Wake>>,
    slots: Mutex<Vec<Slots>>,
    ask_again_at: Mutex<Option<Timestamp>>,
    is_out_of_use: Mutex<bool>,
    withdrawn: Mutex<Vec<SubmissionKey>>,
}

impl Lanes {
    pub(crate) fn put(&self, submissions: impl IntoIterator<Item = Submission>) {
        self.waiting.lock().extend(submissions);
        for wake in &*self.wakes.lock() {
            wake();
        }
    }

    /// A person disables the route, or lets it be used again.
    pub(crate) fn set_in_use(&self, in_use: bool) {
        *self.is_out_of_use.lock() = !in_use;
        for wake in &*self.wakes.lock() {
            wake();
        }
    }

    /// Nobody wants these any more; they are named for ever after.
    pub(crate) fn withdraw(&self, keys: impl IntoIterator<Item = SubmissionKey>) {
        self.withdrawn.lock().extend(keys);
        for wake in &*self.wakes.lock() {
            wake();
        }
    }

    pub(crate) fn hold_until(&self, at: Option<Timestamp>) {
        *self.ask_again_at.lock() = at;
    }

    pub(crate) fn left(&self) -> usize {
        self.waiting.lock().len()
    }

    /// What room was offered, each time.
    pub(crate) fn slots(&self) -> Vec<Slots> {
        self.slots.lock().clone()
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.lock().len()
    }
}

impl SubmissionSource for Lanes {
    fn take(&self, slots: Slots) -> Taken {
        if !self.in_use() {
            return Taken::default();
        }
        self.slots.lock().push(slots);
        if let Some(at) = *self.ask_again_at.lock() {
            return Taken {
                submissions: Vec::new(),
                ask_again_at: Some(at),
            };
        }
        let mut waiting = self.waiting.lock();
        let mut free = slots.free;
        let mut submissions: Vec<Submission> = Vec::new();
        while let Some(first) = waiting.front() {
            let parts = first.parts_left();
            if parts > free && !(submissions.is_empty() && parts > slots.window) {
                break;
            }
            free = free.saturating_sub(parts);
            submissions.extend(waiting.pop_front());
        }
        Taken {
            submissions,
            ask_again_at: None,
        }
    }

    fn in_use(&self) -> bool {
        !*self.is_out_of_use.lock()
    }

    fn withdrawn(&self) -> Vec<SubmissionKey> {
        self.withdrawn.lock().clone()
    }

    fn on_ready(&self, wake: Wake) {
        self.wakes.lock().push(wake);
    }
}

/// Something that a connector told.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "few are made, and tests read better so"
)]
pub(crate) enum Told {
    Submitted(SubmissionKey, SubmitOutcome),
    Returned(SubmissionKey),
    Receipt(IncomingReceipt),
    Inbound(IncomingMessage),
    Consent(ConsentSignal),
    Template(TemplateUpdate),
    Billed(SubmissionKey, Bill),
    Paused(Millis),
    Link(LinkState),
}

/// Everything that a connector told, in order; acknowledgements wait for [`Record::ack`].
#[derive(Default)]
pub(crate) struct Record {
    told: Mutex<Vec<Told>>,
    acks: Mutex<VecDeque<Ack>>,
    bell: tokio::sync::Notify,
}

impl Record {
    fn tell(&self, it: Told) {
        self.told.lock().push(it);
        self.bell.notify_one();
    }

    /// What was told since the last call.
    pub(crate) fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.told.lock())
    }

    /// Waits until `count` things were told since the last call, and takes them.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Told> {
        while self.told.lock().len() < count {
            self.bell.notified().await;
        }
        self.take()
    }

    /// Answers the oldest delivery that waits.
    pub(crate) fn ack(&self, heard: Heard) {
        let ack = self.acks.lock().pop_front().unwrap();
        ack(heard);
    }

    pub(crate) fn waiting_acks(&self) -> usize {
        self.acks.lock().len()
    }

    /// As [`ack`](Self::ack); `None` drops it.
    pub(crate) fn answer(&self, heard: Option<Heard>) {
        let ack = self.acks.lock().pop_front().unwrap();
        if let Some(heard) = heard {
            ack(heard);
        }
    }

    pub(crate) fn drop_acks(&self) {
        self.acks.lock().clear();
    }
}

impl RouteEvents for Record {
    fn submitted(&self, key: SubmissionKey, outcome: SubmitOutcome) {
        self.tell(Told::Submitted(key, outcome));
    }

    fn returned(&self, key: SubmissionKey) {
        self.tell(Told::Returned(key));
    }

    fn receipt(&self, receipt: IncomingReceipt, ack: Ack) {
        self.acks.lock().push_back(ack);
        self.tell(Told::Receipt(receipt));
    }

    fn inbound(&self, message: IncomingMessage, ack: Ack) {
        self.acks.lock().push_back(ack);
        self.tell(Told::Inbound(message));
    }

    fn consent(&self, signal: ConsentSignal, ack: Ack) {
        self.acks.lock().push_back(ack);
        self.tell(Told::Consent(signal));
    }

    fn template(&self, update: TemplateUpdate, ack: Ack) {
        self.acks.lock().push_back(ack);
        self.tell(Told::Template(update));
    }

    fn billed(&self, key: SubmissionKey, bill: Bill) {
        self.tell(Told::Billed(key, bill));
    }

    fn paused(&self, wait: Millis) {
        self.tell(Told::Paused(wait));
    }

    fn link(&self, state: LinkState) {
        self.tell(Told::Link(state));
    }
}
