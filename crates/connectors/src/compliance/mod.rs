//! What every connector is held to: submissions have one outcome each and the right one, receipts come in
//! any order and as often as they like, nothing is answered before it is kept, strangers are not believed,
//! and no credential or word of a person is logged.
//!
//! The cases know no wire. Each connector brings a [`Bench`], which starts something that plays its
//! provider ([`provider`]): by HTTP it is a [`web::Bench`] over the loopback; e-mail has a mail server at
//! the end of a pipe, SMPP an SMSC on a loopback socket, and the simulator plays itself. What a kind of
//! provider does not have its bench says with a reason, in a type: no case is left out in silence.

mod hearing;
pub(crate) mod logs;
pub(crate) mod provider;
mod submissions;
mod tests;
pub(crate) mod web;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::MessageId;
use domain::model::receipt::SubmitOutcome;
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::clock::{Clock, ManualClock};
use ports::connector::{
    Connector, LinkState, RouteEvents, Submission, SubmissionKey, SubmissionSource,
};
use ports::hooks::Pending;

use self::provider::{
    AccountFault, FirstWord, Has, Opening, Provider, Receipts, Started, Strangers, Treatment,
    Written,
};
use crate::testing::{Lanes, Record, Told};

/// The time at which all of it happens: what is signed with a time is signed with this one.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_300_000_000);
/// What every message says, in both directions. It must not be seen in any log.
pub(crate) const TEXT: &str = "Sesame-4711 öffne dich";
/// Under which providers that give one accept a message.
pub(crate) const REFERENCE: &str = "SM0123456789";

/// Our own reference of that message, for providers that give it back.
pub(crate) const OURS: SubmissionKey = SubmissionKey {
    message: MessageId::from_key(1),
    attempt: 1,
};

/// The engine's side of a route under test.
pub(crate) struct World {
    /// Its lanes.
    pub(crate) source: Arc<dyn SubmissionSource>,
    /// Where it tells what happened.
    pub(crate) events: Arc<dyn RouteEvents>,
    /// Stands still at [`NOW`].
    pub(crate) clock: Arc<dyn Clock>,
}

/// What the suite has to know of a connector and its provider.
pub(crate) trait Bench: Sync {
    /// Starts a provider that plays this, and a route to it.
    fn start<'a>(
        &'a self,
        opening: Opening,
        script: &'a [Treatment],
        world: World,
    ) -> Pending<'a, Started>;

    /// The `Debug` of the configuration.
    fn debug(&self) -> String;

    /// Every credential in it; of those that travel together (a login of HTTP's Basic) also what they make.
    /// How each is written in a URL, a form or Base64 the suite knows.
    fn secrets(&self) -> Has<Vec<String>>;

    /// A submission of [`TEXT`] that the provider can carry, to another recipient for each number;
    /// where the recipient decides how it is treated, to one who is treated like this.
    fn submission(&self, no: i64, treatment: Treatment) -> Submission;

    /// Under which name it is known when it was accepted under this reference.
    fn known_as(&self, submission: &Submission, reference: &str) -> Has<String>;

    /// Whom the provider is first spoken to with.
    fn first_word(&self) -> FirstWord;

    /// What an answer means that says that the account does not work.
    fn account_fault(&self) -> AccountFault;

    /// Whether the provider can answer what no document has.
    fn undocumented(&self) -> Has<()>;

    /// How receipts come.
    fn receipts(&self) -> Has<Receipts>;

    /// The inbound message that is told, where messages come in.
    fn inbound(&self) -> Has<Written>;

    /// By what the provider is known from somebody else.
    fn strangers(&self) -> Strangers;

    /// How long anything may take before a case counts as failed.
    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// Runs every case.
pub(crate) async fn complies(bench: &dyn Bench) {
    let log = logs::Log::default();
    let captured = log.capture();
    submissions::are_accepted(bench).await;
    submissions::are_rejected(bench).await;
    submissions::are_throttled(bench).await;
    submissions::are_unknown_where_the_answer_is_lost_or_nobody_knows_it(bench).await;
    submissions::are_given_back_or_have_left_where_nobody_wants_them_any_more(bench).await;
    submissions::go_elsewhere_where_nobody_listens(bench).await;
    submissions::wait_until_the_login_works(bench).await;
    submissions::wait_while_the_account_does_not_work(bench).await;
    hearing::receipts_are_told_in_any_order_and_as_often_as_they_come(bench).await;
    hearing::inbound_messages_are_told(bench).await;
    hearing::answers_wait_for_the_ack(bench).await;
    hearing::strangers_are_refused(bench).await;
    drop(captured);
    log.holds_nothing_of(bench);
}

/// A route under test.
struct Stage {
    route: Arc<dyn Connector>,
    provider: Box<dyn Provider>,
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    /// What was told and is not looked at yet.
    told: Mutex<VecDeque<Told>>,
    patience: Duration,
}

impl Stage {
    /// A route that is up, to a provider that plays this.
    async fn new(bench: &dyn Bench, script: &[Treatment]) -> Self {
        let stage = Self::begin(bench, Opening::LetsIn, script, None).await;
        stage.wait_for_link(true).await;
        stage
    }

    /// A route of which nothing is known yet; the submission waits for it from the beginning.
    async fn begin(
        bench: &dyn Bench,
        opening: Opening,
        script: &[Treatment],
        waiting: Option<Submission>,
    ) -> Self {
        let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
        lanes.put(waiting);
        let world = World {
            source: Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
            events: Arc::clone(&record) as Arc<dyn RouteEvents>,
            clock: Arc::new(ManualClock::at(NOW)),
        };
        let Started { route, provider } = bench.start(opening, script, world).await;
        Self {
            route,
            provider,
            lanes,
            record,
            told: Mutex::default(),
            patience: bench.patience(),
        }
    }

    /// The next thing that is told; `None` when the patience is over.
    async fn next_if_any(&self) -> Option<Told> {
        loop {
            if let Some(told) = self.told.lock().pop_front() {
                return Some(told);
            }
            let told = tokio::time::timeout(self.patience, self.record.wait(1)).await;
            self.told.lock().extend(told.ok()?);
        }
    }

    async fn next(&self) -> Told {
        let told = self.next_if_any().await;
        told.expect("nothing is told any more")
    }

    /// Waits until the link is told to be up (or down); gives why.
    async fn wait_for_link(&self, up: bool) -> Box<str> {
        loop {
            match self.next().await {
                Told::Link(LinkState::Up) if up => return "".into(),
                Told::Link(LinkState::Down(why)) if !up => return why,
                Told::Link(_) => {}
                other @ (Told::Submitted(..)
                | Told::Returned(_)
                | Told::Billed(..)
                | Told::Paused(_)
                | Told::Receipt(_)
                | Told::Inbound(_)
                | Told::Consent(_)
                | Told::Template(_)) => panic!("told before the link: {other:?}"),
            }
        }
    }

    /// Waits for one outcome; passes over links, bills and pauses.
    async fn outcome(&self) -> (SubmissionKey, SubmitOutcome) {
        loop {
            match self.next().await {
                Told::Submitted(key, outcome) => return (key, outcome),
                Told::Link(_) | Told::Billed(..) | Told::Paused(_) => {}
                other @ (Told::Returned(_)
                | Told::Receipt(_)
                | Told::Inbound(_)
                | Told::Consent(_)
                | Told::Template(_)) => panic!("told before the outcome: {other:?}"),
            }
        }
    }

    /// Waits for the end of one: its outcome, or nothing where it is given back.
    async fn end_of_one(&self) -> (SubmissionKey, Option<SubmitOutcome>) {
        loop {
            match self.next().await {
                Told::Submitted(key, outcome) => return (key, Some(outcome)),
                Told::Returned(key) => return (key, None),
                Told::Link(_) | Told::Billed(..) | Told::Paused(_) => {}
                other @ (Told::Receipt(_)
                | Told::Inbound(_)
                | Told::Consent(_)
                | Told::Template(_)) => panic!("told before the end: {other:?}"),
            }
        }
    }

    /// Submits one and gives its outcome, which is the only one.
    async fn submit(&self, submission: Submission) -> SubmitOutcome {
        let key = submission.key;
        self.lanes.put([submission]);
        let (told_of, outcome) = self.outcome().await;
        assert_eq!(told_of, key);
        self.end().await;
        outcome
    }

    /// Fails where the provider was not asked so often.
    fn was_asked(&self, times: usize) {
        if let Some(asked) = self.provider.asked().it() {
            assert_eq!(asked, times, "asked so often");
        }
    }

    /// Stops it; nothing more may be told of any submission.
    async fn end(&self) {
        self.route.stop(Millis::seconds(5)).await;
        let rest = std::mem::take(&mut *self.told.lock());
        for it in rest.into_iter().chain(self.record.take()) {
            let is_late = matches!(it, Told::Submitted(..) | Told::Returned(_));
            assert!(!is_late, "told twice: {it:?}");
        }
    }
}
