//! The thread that writes: group commit.
//!
//! It takes what is queued, up to [`MAX_BATCH`], commits it as one transaction, and calls the
//! completions in order; what is queued meanwhile is the next batch. There is no timer: a lone
//! operation is committed at once, and under load the batches grow by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::Receiver;
use domain::time::Timestamp;
use ports::store::{Completion, Epoch, Op, Outcome, Registered, Unavailable};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::Options;
use super::fault::Fault;
use super::lines::Line;
use crate::seal::Seal;

/// Most operations of one transaction.
const MAX_BATCH: usize = 1_024;

type Reply<T> = oneshot::Sender<Result<T, Unavailable>>;

/// What the writer's queue holds.
#[derive(Debug)]
pub(super) struct Job(pub(super) Work);

/// Something to be committed.
pub(super) enum Work {
    /// An operation; for an acceptance with its decision as JSON, which the caller's thread made,
    /// since the writer's time is the scarcest of all.
    Operation {
        op: Op,
        decision: Result<String, serde_json::Error>,
        done: Completion,
    },
    /// Makes the asker the owner of the work.
    RaiseEpoch(Reply<Epoch>),
    /// Finds or makes a short name.
    Register(Registered, Timestamp, Reply<(u32, Timestamp)>),
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Operation { .. } => "Operation",
            Self::RaiseEpoch(_) => "RaiseEpoch",
            Self::Register(..) => "Register",
        })
    }
}

/// What became of it.
enum Done {
    Outcome(Outcome),
    Epoch(Epoch),
    Registered(u32, Timestamp),
}

impl Work {
    /// An operation, made ready on the caller's thread.
    pub(super) fn operation(op: Op, done: Completion) -> Self {
        let decision = match &op {
            Op::Accept(accept) => serde_json::to_string(&accept.decision),
            Op::Keyword(it) => serde_json::to_string(&it.answer.decision),
            Op::Plan(_)
            | Op::Start(_)
            | Op::Release(_)
            | Op::Submitted(_)
            | Op::Receipt(_)
            | Op::Settle(_)
            | Op::Billed(_)
            | Op::Interrupted(_)
            | Op::Inbound(_)
            | Op::Contact { .. }
            | Op::Key(_)
            | Op::Sender(_)
            | Op::Prune { .. }
            | Op::Template { .. }
            | Op::Consent(_)
            | Op::MarkRead(_)
            | Op::Webhook(_)
            | Op::Delivery(_)
            | Op::PruneEvents(_)
            | Op::Deposit(_)
            | Op::Person(_)
            | Op::User(_)
            | Op::Phone(_) => Ok(String::new()),
            Op::Audited(_) | Op::Audit(_) | Op::Control(_) | Op::Alert(_) | Op::PruneHistory(_) => {
                Ok(String::new())
            }
        };
        Self::Operation { op, decision, done }
    }

    /// Tells the asker that it was not done.
    pub(super) fn fail(self, why: &Unavailable) {
        self.answer(Err(why.clone()));
    }

    fn answer(self, result: Result<Done, Unavailable>) {
        match (self, result) {
            (Self::Operation { done, .. }, Ok(Done::Outcome(outcome))) => done(Ok(outcome)),
            (Self::Operation { done, .. }, result) => done(Err(failure(result))),
            // The asker of the others may have gone away; nobody is left to tell.
            (Self::RaiseEpoch(reply), Ok(Done::Epoch(epoch))) => drop(reply.send(Ok(epoch))),
            (Self::RaiseEpoch(reply), result) => drop(reply.send(Err(failure(result)))),
            (Self::Register(_, _, reply), Ok(Done::Registered(key, at))) => {
                drop(reply.send(Ok((key, at))));
            }
            (Self::Register(_, _, reply), result) => drop(reply.send(Err(failure(result)))),
        }
    }
}

fn failure(result: Result<Done, Unavailable>) -> Unavailable {
    result
        .err()
        .unwrap_or_else(|| Unavailable::new("an answer of the wrong kind"))
}

/// Runs until the last sender is gone and the queue is empty.
pub(super) fn run(
    connection: &Connection,
    jobs: &Receiver<Job>,
    pending: &AtomicUsize,
    options: Options,
    seal: Arc<Seal>,
) {
    let mut line = match Line::new(connection, options, seal) {
        Ok(line) => line,
        Err(fault) => {
            tracing::error!(%fault, "the store's statements do not fit its schema");
            let why = Unavailable::new(fault);
            jobs.iter().for_each(|Job(work)| work.fail(&why));
            return;
        }
    };
    let mut batch: Vec<Work> = Vec::with_capacity(MAX_BATCH);
    while let Ok(Job(first)) = jobs.recv() {
        batch.push(first);
        batch.extend(jobs.try_iter().take(MAX_BATCH - 1).map(|Job(work)| work));
        let count = batch.len();
        let results = commit(&mut line, &batch);
        pending.fetch_sub(count, Ordering::Relaxed);
        for (work, result) in batch.drain(..).zip(results) {
            work.answer(result);
        }
    }
}

/// Commits a batch as one transaction; when one operation makes that impossible, each on its own,
/// so that it fails alone.
fn commit(line: &mut Line<'_>, batch: &[Work]) -> Vec<Result<Done, Unavailable>> {
    let together = line.transaction(|line| {
        let mut results = Vec::with_capacity(batch.len());
        for work in batch {
            results.push(Ok(apply(line, work)?));
        }
        Ok(results)
    });
    let fault = match together {
        Ok(results) => return results,
        Err(fault) => fault,
    };
    tracing::error!(%fault, operations = batch.len(), "a batch was rolled back");
    if batch.len() > 1 && fault.is_of_one_operation() {
        let alone = |work| {
            line.transaction(|line| apply(line, work))
                .map_err(Unavailable::new)
        };
        return batch.iter().map(alone).collect();
    }
    let why = Unavailable::new(fault);
    batch.iter().map(|_| Err(why.clone())).collect()
}

fn apply(line: &mut Line<'_>, work: &Work) -> Result<Done, Fault> {
    match work {
        Work::Operation { op, decision, .. } => {
            let decision = decision
                .as_ref()
                .map_err(|it| Fault::Decision(it.to_string()))?;
            operation(line, op, decision).map(Done::Outcome)
        }
        Work::RaiseEpoch(_) => line.raise_epoch().map(Done::Epoch),
        Work::Register(registered, now, _) => line
            .register(registered, *now)
            .map(|(key, at)| Done::Registered(key, at)),
    }
}

fn operation(line: &mut Line<'_>, op: &Op, decision: &str) -> Result<Outcome, Fault> {
    match op {
        Op::Accept(accept) => line.accept(accept, decision),
        Op::Plan(plan) => line.plan(plan),
        Op::Start(start) => line.start(start),
        Op::Release(release) => line.release(release),
        Op::Submitted(submitted) => line.submitted(submitted),
        Op::Receipt(receipt) => line.receipt(receipt),
        Op::Settle(settle) => line.settle(settle),
        Op::Billed(billed) => line.billed(billed),
        Op::Interrupted(interrupted) => line.interrupted(interrupted),
        Op::Inbound(inbound) => line.inbound(inbound),
        Op::Keyword(it) => line.keyword(it, decision),
        Op::Contact {
            project,
            change,
            at,
        } => line
            .change_contact(*project, change, *at)
            .map(Outcome::Contact),
        Op::Key(change) => line.change_key(change),
        Op::Sender(change) => line.change_sender(change),
        Op::Prune {
            keys_before,
            receipts_before,
            limit,
        } => line.prune(*keys_before, *receipts_before, *limit),
        Op::Consent(consent) => line.consent(consent),
        Op::MarkRead(mark) => line.mark_read(mark),
        Op::Template {
            project,
            change,
            at,
        } => line
            .change_template(*project, change, *at)
            .map(Outcome::Template),
        Op::Webhook(change) => line.change_webhook(change),
        Op::Delivery(delivery) => line.delivery(delivery),
        Op::PruneEvents(prune) => line.prune_events(prune),
        Op::Deposit(deposit) => line.deposit(deposit),
        Op::Person(step) => line.person(step),
        Op::User(change) => line.change_user(change),
        Op::Audited(it) => {
            let outcome = operation(line, &it.op, decision)?;
            if let Some(entry) = it.told(&outcome) {
                line.add_audit(&entry)?;
            }
            Ok(outcome)
        }
        Op::Audit(entry) => line.add_audit(entry).map(|()| Outcome::Done),
        Op::Control(change) => line.change_control(change),
        Op::Alert(step) => line.alert_step(step),
        Op::PruneHistory(prune) => line.prune_history(prune),
        Op::Phone(change) => line.change_phone(change),
    }
}
