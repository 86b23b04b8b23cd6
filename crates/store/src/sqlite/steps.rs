//! Stations 2, 3 and 5: what moves one message on. Each loads it, folds, and writes it back.

use domain::model::attempt::AttemptState;
use domain::model::channel::ChannelSet;
use domain::model::receipt::PartReference;
use domain::rules::person::PersonAct;
use domain::time::Timestamp;
use ports::store::books::reservation_of_plan;
use ports::store::operations::{
    Billed, Interrupted, PersonStep, Plan, Release, Settle, Start, Submitted,
};
use ports::store::{Outcome, fold};
use rusqlite::params;

use super::fault::Fault;
use super::lines::{Fold, Line, Loaded};
use super::receive::Parked;

impl Line<'_> {
    /// See [`Plan`].
    pub(super) fn plan(&mut self, plan: &Plan) -> Result<Outcome, Fault> {
        if self.is_fenced(plan.epoch) {
            return Ok(Outcome::Fenced);
        }
        let Some(mut loaded) = self.load(plan.message)? else {
            return Ok(Outcome::Missing);
        };
        let channel = fold::planned_channel(&plan.step);
        if channel.is_some()
            && plan.version == loaded.progress.version
            && self.is_withdrawn(&loaded)?
        {
            return Ok(Outcome::OptedOut);
        }
        let Some(effects) = fold::plan(&mut loaded.progress, plan) else {
            return Ok(Outcome::Stale);
        };
        let (project, reservation) = (loaded.project, reservation_of_plan(plan));
        match self.reserve(project, &loaded.booked, &mut loaded.progress, reservation)? {
            Ok(is_reserved) => loaded.is_reserved = is_reserved,
            Err(gone) => return Ok(Outcome::QuotaGone(gone)),
        }
        if let Some(channel) = channel {
            let bits = ChannelSet::EMPTY.with(channel).bits();
            let row = params![loaded.contact.key(), loaded.sender.0, bits];
            self.hot.thread_channel.execute(row)?;
        }
        if let Some(decision) = &plan.decision {
            let body = serde_json::to_string(decision)?;
            self.connection
                .prepare_cached(
                    "INSERT INTO decision (message, no, at, body) VALUES (?1,
                     (SELECT ifnull(max(no), 0) + 1 FROM decision WHERE message = ?1), ?2, ?3)",
                )?
                .execute(params![plan.message.key(), plan.at.as_millis(), body])?;
        }
        self.finish(&loaded, Some(plan.at), &[(effects, plan.at)])
    }

    /// See [`Start`].
    pub(super) fn start(&mut self, start: &Start) -> Result<Outcome, Fault> {
        if self.is_fenced(start.epoch) {
            return Ok(Outcome::Fenced);
        }
        let Some(mut loaded) = self.load(start.message)? else {
            return Ok(Outcome::Missing);
        };
        if fold::start(&mut loaded.progress, start).is_none() {
            return Ok(Outcome::Stale);
        }
        self.finish(&loaded, None, &[])
    }

    /// See [`Release`].
    pub(super) fn release(&mut self, release: &Release) -> Result<Outcome, Fault> {
        if self.is_fenced(release.epoch) {
            return Ok(Outcome::Fenced);
        }
        let Some(mut loaded) = self.load(release.message)? else {
            return Ok(Outcome::Missing);
        };
        let effects = fold::release(&mut loaded.progress, release);
        self.answer(&loaded, release.at, effects.map(|it| (it, release.at)))
    }

    /// See [`Settle`].
    pub(super) fn settle(&mut self, settle: &Settle) -> Result<Outcome, Fault> {
        if self.is_fenced(settle.epoch) {
            return Ok(Outcome::Fenced);
        }
        let Some(mut loaded) = self.load(settle.message)? else {
            return Ok(Outcome::Missing);
        };
        let effects = fold::settle(&mut loaded.progress, settle);
        self.answer(&loaded, settle.at, effects.map(|it| (it, settle.at)))
    }

    /// See [`Billed`].
    pub(super) fn billed(&mut self, billed: &Billed) -> Result<Outcome, Fault> {
        if self.is_fenced(billed.epoch) {
            return Ok(Outcome::Fenced);
        }
        let Some(mut loaded) = self.load(billed.message)? else {
            return Ok(Outcome::Missing);
        };
        let effects = fold::billed(&mut loaded.progress, billed);
        self.answer(&loaded, billed.at, effects.map(|it| (it, billed.at)))
    }

    /// See [`Interrupted`].
    pub(super) fn interrupted(&mut self, it: &Interrupted) -> Result<Outcome, Fault> {
        if self.is_fenced(it.epoch) {
            return Ok(Outcome::Fenced);
        }
        let Some(mut loaded) = self.load(it.message)? else {
            return Ok(Outcome::Missing);
        };
        loaded.marks_started = it.marks_started;
        let effects = fold::interrupted(&mut loaded.progress, it);
        self.answer(&loaded, it.at, effects.map(|effects| (effects, it.at)))
    }

    /// See [`PersonStep`].
    pub(super) fn person(&mut self, step: &PersonStep) -> Result<Outcome, Fault> {
        let loaded = self.load(step.message)?;
        let Some(mut loaded) = loaded.filter(|it| it.project == step.project) else {
            return Ok(Outcome::Missing);
        };
        if step.act == PersonAct::Take && self.is_withdrawn(&loaded)? {
            return Ok(Outcome::OptedOut);
        }
        match fold::person(&mut loaded.progress, step) {
            Ok(effects) => self.finish(&loaded, Some(step.at), &[(effects, step.at)]),
            Err(refusal) => Ok(Outcome::PersonRefused(refusal)),
        }
    }

    fn answer(
        &mut self,
        loaded: &Loaded,
        at: Timestamp,
        fold: Option<Fold>,
    ) -> Result<Outcome, Fault> {
        match fold {
            Some(fold) => self.finish(loaded, Some(at), &[fold]),
            None => Ok(Outcome::Stale),
        }
    }

    /// See [`Submitted`].
    pub(super) fn submitted(&mut self, submitted: &Submitted) -> Result<Outcome, Fault> {
        if self.is_fenced(submitted.epoch) {
            return Ok(Outcome::Fenced);
        }
        let Some(mut loaded) = self.load(submitted.message)? else {
            return Ok(Outcome::Missing);
        };
        loaded.marks_started = submitted.marks_started;
        let Some(effects) = fold::submitted(&mut loaded.progress, submitted) else {
            return Ok(Outcome::Stale);
        };
        let mut parked: Vec<(u16, Parked)> = Vec::new();
        let Submitted {
            message,
            attempt,
            route,
            at,
            ..
        } = submitted;
        let answerable = loaded.answerable(*attempt);
        for PartReference { part, reference } in fold::references(submitted) {
            let row = params![route.0, reference, message.key(), attempt, part, answerable];
            self.hot.add_submission.execute(row)?;
            let mut rows =
                self.hot
                    .find_parked
                    .query(params![route.0, reference, message.key()])?;
            while let Some(row) = rows.next()? {
                parked.push((*part, Parked::read(row)?));
            }
        }
        if let Some((reference, receipt)) = self.parked_for_unknown(submitted)?
            && let Some(unknown) = loaded.progress.attempt_mut(*attempt)
            && unknown.state == AttemptState::Unknown
        {
            let part = fold::unnamed_part(unknown, receipt.whole);
            let row = params![route.0, reference, message.key(), attempt, part, answerable];
            self.hot.add_submission.execute(row)?;
            parked.push((part, receipt));
        }
        if parked.is_empty() {
            return self.finish(&loaded, Some(*at), &[(effects, *at)]);
        }
        parked.sort_unstable_by_key(|it| it.1.first);
        parked.dedup_by_key(|it| it.1.first);
        let mut folds = vec![(effects, *at)];
        for (part, receipt) in parked {
            let effects = fold::receipt(
                &mut loaded.progress,
                *attempt,
                part,
                &receipt.state,
                receipt.at,
            );
            self.keep_receipt(*message, *attempt, &receipt.state, &receipt.raw, receipt.at)?;
            self.forget_parked(&receipt)?;
            folds.push((effects, receipt.at));
        }
        self.finish(&loaded, Some(*at), &folds)
    }
}
