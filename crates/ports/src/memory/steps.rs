//! What moves one message on.

use domain::ids::{MessageId, ProjectKey};
use domain::model::attempt::AttemptState;
use domain::model::progress::Progress;
use domain::model::receipt::{PartReference, SubmitOutcome};
use domain::rules::booking::Standings;
use domain::rules::metrics;
use domain::rules::outcome::{Effects, Learnt};
use domain::rules::person::PersonAct;
use domain::time::Timestamp;

use super::state::{Sent, State};
use crate::store::books::{BookedMessage, QuotaGone, reservation_of_plan};
use crate::store::messages::{DecisionRecord, NewMessage, Outbound};
use crate::store::operations::{
    Billed, Interrupted, PersonStep, Plan, Receipt, Release, Settle, Start, Submitted,
};
use crate::store::{Epoch, Outcome, events, fold};

/// One fold into a message: what it brought, and when it happened.
pub(super) type Fold = (Effects, Timestamp);

/// What is known about a step before it is finished.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// What it takes of the quotas is reserved already.
    reserved: bool,
    /// The route marks what it starts.
    marks_started: bool,
}

impl Known {
    pub(super) fn marks(marks_started: bool) -> Self {
        Self {
            marks_started,
            ..Self::default()
        }
    }
}

impl State {
    pub(super) fn plan(&mut self, plan: &Plan) -> Outcome {
        let channel = fold::planned_channel(&plan.step);
        let known = self.sent.get(&plan.message);
        let known = known.map(|it| (it.contact, it.progress.version, it.message.clone()));
        if let (Some((contact, version, message)), Some(_)) = (known, channel)
            && plan.epoch >= self.epoch
            && version == plan.version
        {
            let NewMessage {
                project,
                to,
                sender,
                purpose,
                category,
                ..
            } = message;
            let kind = (purpose, category);
            if self.is_withdrawn(project, Some(contact), (&to, sender), kind) {
                return Outcome::OptedOut;
            }
        }
        let planned = match self.reserve_for(plan) {
            Ok(planned) => planned,
            Err(gone) => return Outcome::QuotaGone(gone),
        };
        let reserved = planned.as_ref().is_some_and(|it| it.1);
        let known = Known {
            reserved,
            ..Known::default()
        };
        let outcome = self.step_with(plan.message, plan.epoch, Some(plan.at), known, |sent| {
            let effects = fold::plan(&mut sent.progress, plan)?;
            if let Some((priced, _)) = planned {
                sent.progress = priced;
            }
            let record = |it: &domain::decision::Decision| DecisionRecord {
                at: plan.at,
                decision: it.clone(),
            };
            sent.decisions.extend(plan.decision.as_ref().map(record));
            Some(effects)
        });
        if let Some(sent) = self.sent.get(&plan.message)
            && matches!(outcome, Outcome::Changed(_))
        {
            let place = (sent.contact, sent.message.sender);
            self.went_over(place, channel);
        }
        outcome
    }

    /// Reserves what a plan needs, where it is carried out: how the message stands then, and whether
    /// anything was reserved.
    fn reserve_for(&mut self, plan: &Plan) -> Result<Option<(Progress, bool)>, QuotaGone> {
        let Some(sent) = self
            .sent
            .get(&plan.message)
            .filter(|_| plan.epoch >= self.epoch)
        else {
            return Ok(None);
        };
        let mut planned = sent.progress.clone();
        if fold::plan(&mut planned, plan).is_none() {
            return Ok(None);
        }
        let (project, before) = (sent.message.project, Standings::of(&sent.progress));
        let reservation = reservation_of_plan(plan);
        let reserved = self
            .books
            .reserve(project, &before, &mut planned, reservation)?;
        Ok(Some((planned, reserved)))
    }

    pub(super) fn start(&mut self, start: &Start) -> Outcome {
        self.step(start.message, start.epoch, None, |it| {
            fold::start(&mut it.progress, start)
        })
    }

    pub(super) fn release(&mut self, release: &Release) -> Outcome {
        self.step(release.message, release.epoch, Some(release.at), |it| {
            fold::release(&mut it.progress, release)
        })
    }

    pub(super) fn settle(&mut self, settle: &Settle) -> Outcome {
        self.step(settle.message, settle.epoch, Some(settle.at), |it| {
            fold::settle(&mut it.progress, settle)
        })
    }

    pub(super) fn billed(&mut self, billed: &Billed) -> Outcome {
        self.step(billed.message, billed.epoch, Some(billed.at), |it| {
            fold::billed(&mut it.progress, billed)
        })
    }

    pub(super) fn interrupted(&mut self, interrupted: &Interrupted) -> Outcome {
        let at = Some(interrupted.at);
        let known = Known::marks(interrupted.marks_started);
        self.step_with(interrupted.message, interrupted.epoch, at, known, |it| {
            fold::interrupted(&mut it.progress, interrupted)
        })
    }

    pub(super) fn person(&mut self, step: &PersonStep) -> Outcome {
        let theirs = self
            .sent
            .get(&step.message)
            .filter(|it| it.message.project == step.project);
        let Some(sent) = theirs else {
            return Outcome::Missing;
        };
        let (contact, project) = (Some(sent.contact), step.project);
        let to = (sent.message.to.clone(), sent.message.sender);
        let kind = (sent.message.purpose, sent.message.category);
        if step.act == PersonAct::Take && self.is_withdrawn(project, contact, (&to.0, to.1), kind) {
            return Outcome::OptedOut;
        }
        let Some(sent) = self.sent.get_mut(&step.message) else {
            return Outcome::Missing;
        };
        let before = sent.progress.clone();
        match fold::person(&mut sent.progress, step) {
            Ok(effects) => {
                let fold = (effects, step.at);
                self.finish(
                    step.message,
                    &before,
                    Some(step.at),
                    Known::default(),
                    &[fold],
                )
            }
            Err(refusal) => Outcome::PersonRefused(refusal),
        }
    }

    pub(super) fn claimed(&self, project: ProjectKey) -> Vec<Outbound> {
        let theirs = self
            .sent
            .iter()
            .filter(|it| it.1.message.project == project && fold::is_claimed(&it.1.progress));
        theirs.filter_map(|it| self.outbound(*it.0)).collect()
    }

    pub(super) fn submitted(&mut self, submitted: &Submitted) -> Outcome {
        if submitted.epoch < self.epoch {
            return Outcome::Fenced;
        }
        let Submitted {
            message,
            attempt,
            route,
            at,
            ..
        } = submitted;
        let for_unknown = self.parked_for_unknown(submitted);
        let Some(sent) = self.sent.get_mut(message) else {
            return Outcome::Missing;
        };
        let before = sent.progress.clone();
        let Some(effects) = fold::submitted(&mut sent.progress, submitted) else {
            return Outcome::Stale;
        };
        let mut folds = vec![(effects, *at)];
        let references = fold::references(submitted);
        for PartReference { part, reference } in references {
            let place = (*message, *attempt, *part);
            let name = (*route, reference.clone());
            self.submissions.insert(name.clone(), place);
            let channel = fold::answerable_channel(&sent.progress, *attempt);
            Self::note_name(&mut self.answerable, name, channel);
        }
        let unknown_part = sent
            .progress
            .attempt_mut(*attempt)
            .filter(|it| it.state == AttemptState::Unknown)
            .zip(for_unknown.as_ref())
            .map(|(it, receipt)| fold::unnamed_part(it, receipt.whole));
        let to = sent.message.to.clone();
        let part_of = |receipt: &Receipt| {
            let mut forms = receipt
                .references
                .iter()
                .enumerate()
                .filter(|_| receipt.route == *route);
            if Some(receipt) == for_unknown.as_ref() && unknown_part.is_some() {
                return unknown_part;
            }
            forms.find_map(|(form, name)| {
                let part = references.iter().find(|it| it.reference == *name)?.part;
                fold::may_be_for(form, receipt.recipient.as_ref(), &to).then_some(part)
            })
        };
        let (found, parked) = self
            .parked
            .drain(..)
            .partition(|it: &Receipt| part_of(it).is_some());
        self.parked = parked;
        for receipt in found {
            if let Some(part) = part_of(&receipt) {
                if let Some(name) = receipt
                    .references
                    .first()
                    .filter(|_| unknown_part.is_some())
                {
                    let place = (*message, *attempt, part);
                    let channel = fold::answerable_channel(&sent.progress, *attempt);
                    let name = (*route, name.clone());
                    if !self.submissions.contains_key(&name) {
                        Self::note_name(&mut self.answerable, name.clone(), channel);
                        self.submissions.insert(name, place);
                    }
                }
                folds.push(sent.fold_receipt(*attempt, part, &receipt));
            }
        }
        let known = Known::marks(submitted.marks_started);
        self.finish(*message, &before, Some(*at), known, &folds)
    }

    /// The one receipt that came for the recipient of a submission of unknown outcome since it was
    /// submitted (R-DUP).
    fn parked_for_unknown(&self, submitted: &Submitted) -> Option<Receipt> {
        if !matches!(submitted.outcome, SubmitOutcome::Unknown { .. }) {
            return None;
        }
        let to = &self.sent.get(&submitted.message)?.message.to;
        let is_unknown = |(id, it): (&MessageId, &Sent)| {
            *id != submitted.message
                && it.message.to == *to
                && it
                    .progress
                    .attempts
                    .iter()
                    .any(|it| it.state == AttemptState::Unknown && it.route == submitted.route)
        };
        let another = self.has_another(submitted.message, submitted.route, submitted.marks_started);
        if another || self.sent.iter().any(is_unknown) {
            return None;
        }
        let mut fitting = self.parked.iter().filter(|it| {
            it.route == submitted.route
                && it.recipient.as_ref() == Some(to)
                && it.at >= submitted.submitted_at
        });
        let first = fitting.next()?;
        fitting.next().is_none().then(|| first.clone())
    }

    fn step(
        &mut self,
        message: MessageId,
        epoch: Epoch,
        at: Option<Timestamp>,
        fold: impl FnOnce(&mut Sent) -> Option<Effects>,
    ) -> Outcome {
        self.step_with(message, epoch, at, Known::default(), fold)
    }

    fn step_with(
        &mut self,
        message: MessageId,
        epoch: Epoch,
        at: Option<Timestamp>,
        known: Known,
        fold: impl FnOnce(&mut Sent) -> Option<Effects>,
    ) -> Outcome {
        if epoch < self.epoch {
            return Outcome::Fenced;
        }
        let Some(sent) = self.sent.get_mut(&message) else {
            return Outcome::Missing;
        };
        let before = sent.progress.clone();
        let Some(effects) = fold(sent) else {
            return Outcome::Stale;
        };
        let fold = (effects, at.unwrap_or_default());
        self.finish(message, &before, at, known, &[fold])
    }

    /// Does what the folds bring for others, and answers.
    pub(super) fn finish(
        &mut self,
        message: MessageId,
        before: &Progress,
        at: Option<Timestamp>,
        known: Known,
        folds: &[Fold],
    ) -> Outcome {
        let Some(sent) = self.sent.get_mut(&message) else {
            return Outcome::Missing;
        };
        let of = BookedMessage {
            project: sent.message.project,
            sender: sent.message.sender,
            class: sent.message.class,
            campaign: sent.message.campaign.as_ref().map(|it| it.key),
            message,
        };
        let (was, is) = (Standings::of(before), Standings::of(&sent.progress));
        self.books
            .book(of, &was, &is, known.reserved, at.unwrap_or_default());
        if let Some(at) = at.filter(|_| sent.progress != *before) {
            sent.updated_at = at;
        }
        let mut changed = fold::changed(message, before.status, before.waiting, &sent.progress);
        let (contact, sender) = (sent.contact, sent.message.sender);
        let of = (sent.message.project, sender, message);
        if let Some(at) = at
            && let Some(event) = events::of_change(of, before.status, &sent.progress, at)
        {
            self.publishing.add(event);
        }
        let exists = self.people.contains_key(&contact);
        for (effects, at) in folds {
            fold::note(&mut changed, effects);
            if let Some(change) = effects.metric.filter(|_| exists) {
                let record = self.records.entry((contact, change.channel)).or_default();
                record.facts.metrics = metrics::apply(record.facts.metrics, &change);
            }
            match effects.learnt.filter(|_| exists) {
                None => {}
                Some(Learnt::Incapable(channel)) => {
                    let until = at.plus(self.capability_memory);
                    let record = self.records.entry((contact, channel)).or_default();
                    record.facts.incapable_until = Some(until);
                }
                Some(Learnt::WindowClosed) => {
                    let thread = self.thread_mut(contact, sender);
                    thread.whatsapp_window_from = None;
                }
            }
        }
        let resolved = self.look_again(message, before, known.marks_started, at);
        changed.resolved = resolved.map(Box::new);
        Outcome::Changed(changed)
    }
}
