//! What every connector of a provider by HTTP is held to, over a machine on the loopback that answers
//! as the provider would: each brings a [`Bench`] and runs [`complies`].
//!
//! SMPP and the simulator have no such machine; their own tests hold them to the same.

mod hooks;
pub(crate) mod logs;
mod submissions;
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::model::receipt::SubmitOutcome;
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::clock::{Clock, ManualClock};
use ports::connector::{
    Connector, LinkState, RouteEvents, Submission, SubmissionKey, SubmissionSource,
};
use ports::hooks::HookCall;

use crate::testing::{Lanes, Record, Told, submission};
use crate::web::protocol::Answer;
use crate::web::testing::{Asked, Play, Wire};

pub(crate) use crate::web::testing::Aside;

/// The time at which all of it happens: what is signed with a time is signed with this one.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_300_000_000);
/// What every message says, in both directions. It must not be seen in any log.
pub(crate) const TEXT: &str = "Sesame-4711 öffne dich";
/// How long anything may take before a case counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The engine's side of a route under test.
pub(crate) struct World {
    /// Its lanes.
    pub(crate) source: Arc<dyn SubmissionSource>,
    /// Where it tells what happened.
    pub(crate) events: Arc<dyn RouteEvents>,
    /// Stands still at [`NOW`].
    pub(crate) clock: Arc<dyn Clock>,
}

/// What the suite has to know of a provider.
pub(crate) trait Bench: Sync {
    /// Starts a route to the provider at this address (no slash at the end).
    fn start(&self, base_url: &str, world: World) -> Arc<dyn Connector>;

    /// The `Debug` of its configuration.
    fn debug(&self) -> String;

    /// Every credential in its configuration, at least.
    fn secrets(&self) -> Vec<String>;

    /// A submission of [`TEXT`] that the provider can carry, to another recipient for each number.
    fn submission(&self, no: i64) -> Submission {
        submission(no, &format!("+40712345{no:03}"), TEXT)
    }

    /// The answer to a submission that was accepted under this id.
    fn accepted(&self, reference: &str) -> Answer;

    /// Under which name such a submission is known.
    fn known_as(&self, reference: &str) -> String {
        reference.to_owned()
    }

    /// One that will never work for this recipient or content.
    fn rejected(&self) -> Answer;

    /// One that says to slow down.
    fn throttled(&self) -> Answer;

    /// One that says that the account does not work.
    fn account_fault(&self) -> Answer;

    /// Requests that are no submissions, where it makes any.
    fn aside(&self) -> Option<Aside> {
        None
    }

    /// The receipts of one message, each in a call of its own, signed; none where there are none.
    fn receipts(&self, reference: &str) -> Vec<HookCall>;

    /// A call with an inbound message of [`TEXT`], signed; `None` where nothing comes in.
    fn inbound(&self) -> Option<HookCall>;

    /// The same call as somebody else would make it; `None` where the provider shows nothing by
    /// which it could be known.
    fn forged(&self, call: HookCall) -> Option<HookCall>;
}

/// Runs every case.
pub(crate) async fn complies(bench: &dyn Bench) {
    let log = logs::Log::default();
    let captured = log.capture();
    submissions::are_accepted(bench).await;
    submissions::are_rejected(bench).await;
    submissions::are_throttled(bench).await;
    submissions::are_unknown_where_the_answer_is_lost_or_nobody_knows_it(bench).await;
    submissions::go_elsewhere_where_nobody_listens(bench).await;
    submissions::wait_while_the_account_does_not_work(bench).await;
    hooks::receipts_are_told_in_any_order_and_as_often_as_they_come(bench).await;
    hooks::inbound_messages_are_told(bench).await;
    hooks::answers_wait_for_the_ack(bench).await;
    hooks::strangers_are_refused(bench).await;
    drop(captured);
    log.holds_nothing_of(bench);
}

/// A route under test.
struct Stage {
    route: Arc<dyn Connector>,
    wire: Wire,
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    /// What was told and is not looked at yet.
    told: Mutex<VecDeque<Told>>,
}

impl Stage {
    /// A route that is up, to a machine that plays this.
    async fn new(bench: &dyn Bench, plays: impl IntoIterator<Item = Play>) -> Self {
        let wire = Wire::with_aside(plays, bench.aside()).await;
        let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
        let world = world(&lanes, &record);
        let route = bench.start(wire.url(), world);
        let stage = Self {
            route,
            wire,
            lanes,
            record,
            told: Mutex::default(),
        };
        stage.wait_for_link(true).await;
        stage
    }

    /// The next thing that is told.
    async fn next(&self) -> Told {
        loop {
            if let Some(told) = self.told.lock().pop_front() {
                return told;
            }
            let told = tokio::time::timeout(PATIENCE, self.record.wait(1)).await;
            let told = told.expect("nothing is told any more");
            self.told.lock().extend(told);
        }
    }

    /// Waits until the link is told to be up (or down).
    async fn wait_for_link(&self, up: bool) {
        loop {
            match self.next().await {
                Told::Link(LinkState::Up) if up => return,
                Told::Link(LinkState::Down(_)) if !up => return,
                Told::Link(_) => {}
                other @ (Told::Submitted(..)
                | Told::Returned(_)
                | Told::Billed(..)
                | Told::Receipt(_)
                | Told::Inbound(_)
                | Told::Consent(_)
                | Told::Template(_)) => panic!("told before the link: {other:?}"),
            }
        }
    }

    /// Waits for one outcome; passes over links and bills.
    async fn outcome(&self) -> (SubmissionKey, SubmitOutcome) {
        loop {
            match self.next().await {
                Told::Submitted(key, outcome) => return (key, outcome),
                Told::Link(_) | Told::Billed(..) => {}
                other @ (Told::Returned(_)
                | Told::Receipt(_)
                | Told::Inbound(_)
                | Told::Consent(_)
                | Told::Template(_)) => panic!("told before the outcome: {other:?}"),
            }
        }
    }

    /// Submits one and gives its outcome, which is the only one.
    async fn submit(self, bench: &dyn Bench) -> (SubmitOutcome, Vec<Asked>) {
        let submission = bench.submission(1);
        let key = submission.key;
        self.lanes.put([submission]);
        let (told_of, outcome) = self.outcome().await;
        assert_eq!(told_of, key);
        self.end().await;
        (outcome, self.wire.asked())
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

fn world(lanes: &Arc<Lanes>, record: &Arc<Record>) -> World {
    World {
        source: Arc::clone(lanes) as Arc<dyn SubmissionSource>,
        events: Arc::clone(record) as Arc<dyn RouteEvents>,
        clock: Arc::new(ManualClock::at(NOW)),
    }
}
