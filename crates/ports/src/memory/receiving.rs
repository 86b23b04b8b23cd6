//! Receipts find their submission.

use domain::ids::MessageId;
use domain::model::attempt::AttemptState;

use super::state::{Sent, State};
use super::steps::Fold;
use crate::store::messages::ReceiptRecord;
use crate::store::operations::Receipt;
use crate::store::{Outcome, fold};

impl State {
    pub(super) fn receipt(&mut self, receipt: &Receipt) -> Outcome {
        let first = receipt.references.first();
        let Some((message, attempt, part)) = self.subject_of(receipt) else {
            if first.is_none() {
                return Outcome::Missing;
            }
            self.parked.push(receipt.clone());
            return Outcome::ReceiptParked;
        };
        let by_name = |it| {
            self.submissions
                .contains_key(&(receipt.route, Box::clone(it)))
        };
        if let Some(first) = first.filter(|_| !receipt.references.iter().any(by_name)) {
            self.submissions
                .insert((receipt.route, first.clone()), (message, attempt, part));
        }
        let Some(sent) = self.sent.get_mut(&message) else {
            return Outcome::Missing;
        };
        let before = sent.progress.clone();
        let fold = sent.fold_receipt(attempt, part, receipt);
        self.finish(message, &before, Some(receipt.at), &[fold])
    }

    /// By reference; else by our own; else the only unknown submission that fits (R-DUP).
    fn subject_of(&self, receipt: &Receipt) -> Option<(MessageId, u8, u16)> {
        let mut names = receipt
            .references
            .iter()
            .map(|it| (receipt.route, it.clone()));
        let named = names.find_map(|it| self.submissions.get(&it).copied());
        let ours = || {
            receipt
                .ours
                .and_then(|it| self.unnamed(receipt, it.0, it.1))
        };
        let unknown = || {
            let (message, attempt) = self.only_unknown(receipt)?;
            self.unnamed(receipt, message, attempt)
        };
        named.or_else(ours).or_else(unknown)
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
            .find(|it| it.no == attempt && it.route == receipt.route)?;
        Some((message, attempt, fold::unnamed_part(found)))
    }

    fn only_unknown(&self, receipt: &Receipt) -> Option<(MessageId, u8)> {
        let recipient = receipt.recipient?;
        let mut fitting = self
            .sent
            .iter()
            .filter(|it| it.1.message.to == recipient)
            .flat_map(|(id, sent)| {
                let attempts = sent.progress.attempts.iter();
                attempts
                    .filter(|it| it.state == AttemptState::Unknown && it.route == receipt.route)
                    .map(|it| (*id, it.no))
            });
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
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
