//! The only loops: the timer, the pump of each route's lanes, the planner of messages that a route
//! gave back, and the upkeep. Each asks the store what there is to do and calls a station; nothing
//! that must survive a restart sleeps here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::ids::MessageId;
use domain::model::event::EventSeq;
use domain::model::ledger::Account;
use domain::model::message::TrafficClass;
use domain::model::progress::{Lane, Waiting};
use domain::model::route::OnUnknown;
use domain::rules::due::DueKind;
use domain::rules::validity::is_expired;
use domain::time::{Millis, Timestamp};
use ports::connector::SubmissionKey;
use ports::store::audit::PruneHistory;
use ports::store::fold::IDEMPOTENCY_MEMORY;
use ports::store::messages::Outbound;
use ports::store::operations::Settle;
use ports::store::queries::LanePlace;
use ports::store::{Op, Outcome, Unavailable};
use tokio::sync::{mpsc, oneshot};

use crate::line::RouteLine;
use crate::plan::{lanes_of, plan_all, plan_lane};
use crate::{Inner, control, facts, people, publish, quotas, settle};

/// Things due that are looked at in one query.
const DUE_PAGE: u16 = 512;
/// Messages of a lane that are planned in one go.
const LANE_PAGE: usize = 1_024;
/// Bulk messages that are planned in one go: a direct message waits while they are kept (R-CLASS-3).
const BULK_PAGE: usize = 128;
/// Longest sleep of the timer, so that a clock that was set is noticed.
const LONGEST_SLEEP: Millis = Millis::seconds(60);
/// Pause after the store did not answer.
const STORE_PAUSE: Millis = Millis::seconds(1);
/// How long a pump rests at most while something waits in its lanes.
const PUMP_PAUSE: Millis = Millis::seconds(1);
/// How often the upkeep runs; with [`PRUNE_PAGE`] it keeps up with a thousand keys a second.
const UPKEEP_EVERY: Millis = Millis::seconds(10);
/// How long a receipt waits for its submission to become known.
const PARKED_RECEIPT_MEMORY: Millis = Millis::days(3);
/// How long the audit log and alerts that are over are kept.
const HISTORY_MEMORY: Millis = Millis::days(400);
/// What the upkeep removes in one operation.
const PRUNE_PAGE: u16 = 10_000;

pub(crate) fn spawn(inner: &Arc<Inner>, to_replan: mpsc::UnboundedReceiver<MessageId>) {
    spawn_one(inner, timer(Arc::clone(inner)));
    spawn_one(inner, replan(Arc::clone(inner), to_replan));
    spawn_one(inner, upkeep(Arc::clone(inner)));
    spawn_one(inner, quotas::follow(Arc::clone(inner)));
    spawn_one(inner, people::follow(Arc::clone(inner)));
    spawn_one(inner, publish::watch::look(Arc::clone(inner)));
    spawn_one(inner, control::watch(Arc::clone(inner)));
    for line in inner.lines.values() {
        spawn_one(inner, pump(Arc::clone(inner), Arc::clone(line)));
    }
}

pub(crate) fn spawn_one(inner: &Inner, work: impl Future<Output = ()> + Send + 'static) {
    let stopping = inner.stopping.clone();
    inner
        .tasks
        .spawn(async move { stopping.run_until_cancelled_owned(work).await });
}

/// Does what is due, and sleeps until something is.
async fn timer(inner: Arc<Inner>) {
    loop {
        let now = inner.now();
        // Whatever becomes due from here on wakes the timer, also while it looks.
        inner.timer_sleeps_until.store(i64::MAX, Ordering::SeqCst);
        match do_due(&inner, now).await {
            Ok(Round::Progressed) => continue,
            Ok(Round::Nothing) => {}
            Ok(Round::Stuck) => {
                // What is due could not be done: not again at once.
                sleep(STORE_PAUSE).await;
                continue;
            }
            Err(error) => {
                tracing::error!(%error, "what is due cannot be found");
                sleep(STORE_PAUSE).await;
                continue;
            }
        }
        let next = inner.store.next_due().await.unwrap_or(None);
        let latest = now.plus(LONGEST_SLEEP);
        let until = next.map_or(latest, |it| it.min(latest));
        inner
            .timer_sleeps_until
            .store(until.as_millis(), Ordering::SeqCst);
        tokio::select! {
            () = sleep(until.since(inner.now())) => {}
            () = inner.timer.notified() => {}
        }
    }
}

/// What a look at what is due brought.
enum Round {
    /// Nothing was due.
    Nothing,
    /// Some of it was done; there may be more.
    Progressed,
    /// Something was due and nothing could be done.
    Stuck,
}

/// Does one page of what is due.
async fn do_due(inner: &Arc<Inner>, now: Timestamp) -> Result<Round, Unavailable> {
    let due = inner.store.due(now, DUE_PAGE).await?;
    let mut to_plan = Vec::new();
    let mut settling = Vec::new();
    let mut taken_back = false;
    for it in &due {
        let Some(outbound) = inner.store.outbound(it.message).await? else {
            continue;
        };
        match it.due.kind {
            DueKind::Plan => to_plan.push(outbound),
            DueKind::Settle if take_back_expired(inner, &outbound, now) => taken_back = true,
            DueKind::Settle => settling.push(settle_due(inner, &outbound)),
        }
    }
    let mut progressed = plan_all(inner, to_plan).await > 0 || taken_back;
    for answer in settling {
        progressed |= answer.await.unwrap_or(false);
    }
    Ok(match (due.is_empty(), progressed) {
        (true, _) => Round::Nothing,
        (false, true) => Round::Progressed,
        (false, false) => Round::Stuck,
    })
}

/// Takes a message back whose validity ended before its route took it: where the connector has no free
/// slot for long, nobody else looks at it. Whether it was there; then its plan says that it expired
/// (R-LIFE-4), instead of the clock that nobody knows what became of it.
fn take_back_expired(inner: &Arc<Inner>, outbound: &Outbound, now: Timestamp) -> bool {
    let progress = &outbound.progress;
    let Some(attempt) = progress.last_attempt() else {
        return false;
    };
    let key = SubmissionKey {
        message: outbound.id,
        attempt: attempt.no,
    };
    let line = inner.lines.get(&attempt.route);
    let is_late = is_expired(progress.expires_at, now) && progress.waiting == Waiting::No;
    let is_back = is_late && line.is_some_and(|it| it.remove(key));
    if is_back {
        settle::put_back(inner, key);
    }
    is_back
}

/// Commits what the clock alone decides; the answer is whether it was kept.
fn settle_due(inner: &Arc<Inner>, outbound: &Outbound) -> oneshot::Receiver<bool> {
    let route = outbound.progress.last_attempt().map(|it| it.route);
    let on_unknown = route
        .and_then(|it| inner.topology().route(it).cloned())
        .map_or_else(OnUnknown::default, |it| it.on_unknown);
    let op = Op::Settle(Settle {
        message: outbound.id,
        version: outbound.progress.version,
        on_unknown,
        at: inner.now(),
        epoch: inner.epoch,
    });
    let (done, answer) = oneshot::channel();
    let after_commit = {
        let inner = Arc::clone(inner);
        move |result: Result<Outcome, Unavailable>| {
            let kept = matches!(result, Ok(Outcome::Changed(_)));
            if let Ok(Outcome::Changed(changed)) = &result
                && changed.was_waiting == Waiting::No
                && matches!(changed.waiting, Waiting::Lane(_))
            {
                // What a route had in hand waits for it again: an unknown outcome is sent again.
                metrics::counter!("tandem_resends_total").increment(1);
            }
            settle::follow(&inner, result);
            // Safe because: the timer only goes away when the engine stops.
            let _unheard = done.send(kept);
        }
    };
    inner.store.commit(op, Box::new(after_commit));
    answer
}

/// Plans messages again that a provider certainly did not take (R-ROUTE-4).
async fn replan(inner: Arc<Inner>, mut messages: mpsc::UnboundedReceiver<MessageId>) {
    let mut batch = Vec::new();
    while messages.recv_many(&mut batch, LANE_PAGE).await > 0 {
        let mut found = Vec::with_capacity(batch.len());
        for message in batch.drain(..) {
            match inner.store.outbound(message).await {
                Ok(outbound) => found.extend(outbound),
                Err(error) => tracing::error!(%error, %message, "cannot be planned again now"),
            }
        }
        plan_all(&inner, found).await;
    }
}

/// Keeps a route's ready queue filled from its lanes; while the route is down, looks for another
/// that can take what waits, once after each turn of any route.
async fn pump(inner: Arc<Inner>, line: Arc<RouteLine>) {
    let mut scan = Scan::default();
    loop {
        let work = match pump_once(&inner, &line, &mut scan).await {
            Ok(work) => work,
            Err(error) => {
                tracing::error!(%error, route = %line.route.id, "its lanes cannot be read");
                sleep(STORE_PAUSE).await;
                continue;
            }
        };
        if work {
            continue;
        }
        let now = inner.now();
        // What waits and could not be moved is looked at again, even if nothing wakes the pump.
        let again = (inner.lanes.waiting_for(line.route.key) > 0).then(|| now.plus(PUMP_PAUSE));
        let held = line.held_until(now).into_iter().chain(again).min();
        tokio::select! {
            () = line.pump.notified() => {}
            () = sleep_until_held(&inner, held) => {}
        }
    }
}

async fn sleep_until_held(inner: &Inner, held: Option<Timestamp>) {
    match held {
        Some(until) => sleep(until.since(inner.now()).max(Millis::new(1))).await,
        None => std::future::pending().await,
    }
}

/// How far the lanes of a route that is down were looked through.
///
/// From the head again after each turn of any route, and after a rest: what enters a lane may
/// stand before the place that was reached. The rest is four times as long as the search was, so
/// that a large backlog that cannot move costs at most a fifth of a core. Direct messages that come in
/// during a rest are looked at from the place that was reached.
#[derive(Default)]
struct Scan {
    turn: u64,
    began: Timestamp,
    places: BTreeMap<Lane, LanePlace>,
    rests_until: Option<Timestamp>,
}

/// One round; whether there may be more to do at once.
async fn pump_once(
    inner: &Arc<Inner>,
    line: &RouteLine,
    scan: &mut Scan,
) -> Result<bool, Unavailable> {
    let mut work = false;
    let now = inner.now();
    let is_up = facts::condition(inner, line, now).0 == domain::model::route::RouteCondition::Up;
    // What waits for quota is what waits for a route that is down: another may take it (R-QUOTA-2).
    let takes = |lane: Lane| is_up && quotas::has_room(inner, &line.route, lane.class, now);
    let lanes = lanes_of(line.route.key);
    let takes_all = lanes.into_iter().all(takes);
    let turn = inner.turns.load(Ordering::SeqCst);
    if takes_all || turn != scan.turn {
        *scan = Scan {
            turn,
            began: now,
            ..Scan::default()
        };
    }
    let rests = scan.rests_until.is_some_and(|until| now < until);
    if scan.rests_until.is_some() && !rests {
        *scan = Scan {
            turn,
            began: now,
            ..Scan::default()
        };
    }
    for lane in lanes {
        if inner.lanes.waiting_in(lane) == 0 {
            continue;
        }
        if takes(lane) {
            let (room, bound) = line.room(lane.class);
            // Small refills cost as much as large ones.
            if room * 4 < bound {
                continue;
            }
            let limit = u16::try_from(room.min(most(lane.class))).unwrap_or(u16::MAX);
            let (_, moved) = plan_lane(inner, lane, &mut None, limit).await?;
            work |= moved > 0;
            continue;
        }
        // A direct message that came in meanwhile is at the end, and another route may have it at once.
        let looks_on = !rests || lane.class == TrafficClass::Direct;
        if looks_on && facts::has_alternative(&inner.topology(), &line.route) {
            let mut place = scan.places.get(&lane).copied();
            let limit = u16::try_from(LANE_PAGE).unwrap_or(u16::MAX);
            let (read, _) = plan_lane(inner, lane, &mut place, limit).await?;
            if let Some(place) = place {
                scan.places.insert(lane, place);
            }
            work |= read > 0;
        }
    }
    if !rests && !work && !scan.places.is_empty() {
        let ended = inner.now();
        let rest = Millis::new(4 * ended.since(scan.began).get()).max(PUMP_PAUSE);
        scan.rests_until = Some(ended.plus(rest));
    }
    Ok(work)
}

/// How many messages of a lane are planned in one go while its route takes them.
const fn most(class: TrafficClass) -> usize {
    match class {
        TrafficClass::Direct => LANE_PAGE,
        TrafficClass::Bulk => BULK_PAGE,
    }
}

/// Forgets what is no longer needed, and shows the gauges.
async fn upkeep(inner: Arc<Inner>) {
    let mut place = EventSeq(0);
    loop {
        sleep(UPKEEP_EVERY).await;
        let now = inner.now();
        let back = |span: Millis| now.plus(Millis::new(-span.get()));
        let pruned = inner
            .apply(Op::Prune {
                keys_before: back(IDEMPOTENCY_MEMORY),
                receipts_before: back(PARKED_RECEIPT_MEMORY),
                limit: PRUNE_PAGE,
            })
            .await;
        let old = PruneHistory {
            before: back(HISTORY_MEMORY),
            limit: PRUNE_PAGE,
        };
        let pruned = pruned.and(inner.apply(Op::PruneHistory(old)).await);
        show_spend(&inner).await;
        let forgotten = publish::forget(&inner, place, now).await;
        match pruned.and(forgotten) {
            Ok(reached) => place = reached,
            Err(error) => tracing::error!(%error, "the upkeep was not done"),
        }
    }
}

/// Shows what each route has charged since its first message (R-COST-1).
async fn show_spend(inner: &Inner) {
    let topology = inner.topology();
    for project in topology.projects() {
        let Ok(balances) = inner.store.balances(project.key).await else {
            return; // the upkeep tells it
        };
        for (account, amount) in balances {
            let Account::Charges(route) = account else {
                continue;
            };
            // Of routes that are configured: what was taken out of the file is in the ledger.
            let Some(route) = topology.route(route) else {
                continue;
            };
            #[expect(
                clippy::cast_precision_loss,
                reason = "money is a float only where it is shown"
            )]
            let spent = amount.0 as f64 / 1e6;
            let currency = project.policy.currency.code().to_owned();
            metrics::gauge!("tandem_spend", "route" => route.id.to_string(), "currency" => currency)
                .set(spent);
        }
    }
}

/// Sleeps by the runtime's clock; negative spans do not sleep.
pub(crate) async fn sleep(span: Millis) {
    tokio::time::sleep(span.to_duration()).await;
}
