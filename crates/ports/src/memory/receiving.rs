//! Receipts find their submission.

use domain::ids::{MessageId, RouteKey};
use domain::model::attempt::AttemptState;
use domain::model::progress::Progress;
use domain::time::Timestamp;

use super::state::{Sent, State};
use super::steps::{Fold, Known};
use crate::store::messages::ReceiptRecord;
use crate::store::operations::{Changed, Receipt};
use crate::store::{Outcome, fold};

impl State {
    pub(super) fn receipt(&mut self, receipt: &Receipt) -> Outcome {
        let first = receipt.references.first();
        let named = self.named(receipt);
        let Some((message, attempt, part)) = named.or_else(|| self.unnamed_subject(receipt)) else {
            if first.is_none() {
                return Outcome::Missing;
            }
            self.parked.push(receipt.clone());
            return Outcome::ReceiptParked;
        };
        if let Some(first) = first.filter(|_| named.is_none()) {
            let name = (receipt.route, first.clone());
            self.submissions
                .insert(name.clone(), (message, attempt, part));
            let sent = self.sent.get(&message);
            let channel = sent.and_then(|it| fold::answerable_channel(&it.progress, attempt));
            Self::note_name(&mut self.answerable, name, channel);
        }
        let Some(sent) = self.sent.get_mut(&message) else {
            return Outcome::Missing;
        };
        let before = sent.progress.clone();
        let fold = sent.fold_receipt(attempt, part, receipt);
        let known = Known::marks(receipt.marks_started);
        self.finish(message, &before, Some(receipt.at), known, &[fold])
    }

    /// By reference.
    fn named(&self, receipt: &Receipt) -> Option<(MessageId, u8, u16)> {
        let mut forms = receipt.references.iter().enumerate();
        forms.find_map(|(form, reference)| {
            let found = self.submissions.get(&(receipt.route, reference.clone()))?;
            let to = &self.sent.get(&found.0)?.message.to;
            fold::may_be_for(form, receipt.recipient.as_ref(), to).then_some(*found)
        })
    }

    /// By our own reference; else the only unknown submission that fits (R-DUP).
    fn unnamed_subject(&self, receipt: &Receipt) -> Option<(MessageId, u8, u16)> {
        let ours = || {
            receipt
                .ours
                .and_then(|it| self.unnamed(receipt, it.0, it.1))
        };
        let unknown = || {
            let (message, attempt) = self.only_unknown(receipt)?;
            self.unnamed(receipt, message, attempt)
        };
        ours().or_else(unknown)
    }

    fn unnamed(
        &self,
        receipt: &Receipt,
        message: MessageId,
        attempt: u8,
    ) -> Option<(MessageId, u8, u16)> {
        let attempts = &self.sent.get(&message)?.progress.attempts;
        let found = attempts
            .iter()
            .find(|it| it.no == attempt && it.may_be_of(receipt.route))?;
        Some((message, attempt, fold::unnamed_part(found, receipt.whole)))
    }

    fn only_unknown(&self, receipt: &Receipt) -> Option<(MessageId, u8)> {
        let recipient = receipt.recipient.as_ref()?;
        let mut fitting = self
            .sent
            .iter()
            .filter(|it| it.1.message.to == *recipient)
            .flat_map(|(id, sent)| {
                let attempts = sent.progress.attempts.iter();
                attempts
                    .filter(|it| it.state == AttemptState::Unknown && it.route == receipt.route)
                    .map(|it| (*id, it.no))
            });
        let first = fitting.next()?;
        let is_only = fitting.next().is_none()
            && !self.has_another(first.0, receipt.route, receipt.marks_started);
        is_only.then_some(first)
    }

    /// Whether the route has another submission to this message's recipient, whose answer has not come and
    /// which may have left.
    pub(super) fn has_another(
        &self,
        message: MessageId,
        route: RouteKey,
        marks_started: bool,
    ) -> bool {
        let Some(this) = self.sent.get(&message) else {
            return false;
        };
        self.sent.iter().any(|(id, it)| {
            *id != message
                && it.contact == this.contact
                && it.message.to == this.message.to
                && fold::is_with(&it.progress, route, marks_started)
        })
    }

    /// Folds a receipt that was parked because it may have been for `message`, whose answer is not waited for
    /// any more, into the only other submission that it fits (R-DUP).
    pub(super) fn look_again(
        &mut self,
        message: MessageId,
        before: &Progress,
        marks_started: bool,
        at: Option<Timestamp>,
    ) -> Option<Changed> {
        let this = self.sent.get(&message)?;
        let route = fold::answered(fold::in_hand_of(before), &this.progress)?;
        let to = this.message.to.clone();
        let parked: Vec<&Receipt> = self
            .parked
            .iter()
            .filter(|it| it.route == route && it.recipient.as_ref() == Some(&to))
            .collect();
        let newest = parked.last()?;
        let as_now = Receipt {
            marks_started,
            ..(*newest).clone()
        };
        let (other, attempt) = self.only_unknown(&as_now).filter(|it| it.0 != message)?;
        let mut attempts = self.sent.get(&other)?.progress.attempts.iter();
        let since = attempts.find(|it| it.no == attempt)?.reserved_at?;
        let mut fitting = parked.into_iter().filter(|it| it.at >= since);
        let receipt = fitting.next().filter(|_| fitting.next().is_none())?.clone();
        let (_, _, part) = self.unnamed(&receipt, other, attempt)?;
        if let Some(name) = receipt.references.first() {
            let name = (route, name.clone());
            let progress = &self.sent.get(&other)?.progress;
            let channel = fold::answerable_channel(progress, attempt);
            Self::note_name(&mut self.answerable, name.clone(), channel);
            self.submissions.insert(name, (other, attempt, part));
        }
        self.parked.retain(|it| *it != receipt);
        let sent = self.sent.get_mut(&other)?;
        let before = sent.progress.clone();
        let fold = sent.fold_receipt(attempt, part, &receipt);
        let known = Known::marks(marks_started);
        let outcome = self.finish(other, &before, at, known, &[fold]);
        let Outcome::Changed(changed) = outcome else {
            return None;
        };
        Some(changed)
    }
}

impl Sent {
    /// Keeps a receipt and folds it.
    pub(super) fn fold_receipt(&mut self, attempt: u8, part: u16, receipt: &Receipt) -> Fold {
        let Receipt { state, raw, at, .. } = receipt;
        let (state_code, raw) = (state.code().into(), raw.clone());
        self.receipts.push(ReceiptRecord {
            at: *at,
            attempt,
            state: state_code,
            raw,
        });
        (
            fold::receipt(&mut self.progress, attempt, part, state, *at),
            *at,
        )
    }
}
