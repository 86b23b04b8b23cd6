//! What is known so far of each message that has parts on their way, and what that makes together.

use domain::model::failure::Failure;
use domain::model::receipt::{PartReference, SubmitOutcome};
use ports::connector::SubmissionKey;

use super::super::codes::Refusal;
use super::submissions::link_lost;

/// A message with parts on their way.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) key: SubmissionKey,
    references: Vec<PartReference>,
    /// Parts in the window.
    open: u16,
    /// Whether any part was put into the buffer.
    is_begun: bool,
    /// Whether nothing more of it will be put into the buffer.
    is_all_sent: bool,
    refusal: Option<(Refusal, Failure)>,
    is_unknown: bool,
}

impl Tracked {
    pub(super) const fn new(key: SubmissionKey) -> Self {
        Self {
            key,
            references: Vec::new(),
            open: 0,
            is_begun: false,
            is_all_sent: false,
            refusal: None,
            is_unknown: false,
        }
    }

    /// Whether the SMSC may have seen any of it.
    pub(super) fn has_left(&self) -> bool {
        self.is_unknown || self.refusal.is_some() || !self.references.is_empty()
    }

    /// What its parts make together (R-PARTS).
    ///
    /// A refusal for good decides, whatever became of the others: the message cannot be whole any
    /// more. Then an unknown part, since a second copy is worse than a wait (R-DUP).
    pub(super) fn outcome(self) -> SubmitOutcome {
        let Self {
            references,
            refusal,
            is_unknown,
            ..
        } = self;
        match refusal {
            Some((Refusal::ForGood(_), failure)) if references.is_empty() && !is_unknown => {
                SubmitOutcome::Rejected(failure)
            }
            Some((Refusal::ForGood(_), failure)) => SubmitOutcome::PartlyAccepted {
                references,
                failure,
                retriable: false,
            },
            Some(_) | None if is_unknown => SubmitOutcome::Unknown { references },
            Some((Refusal::NotTaken(_), failure)) if references.is_empty() => {
                SubmitOutcome::NotAccepted(failure)
            }
            Some((Refusal::NotTaken(_), failure)) => SubmitOutcome::PartlyAccepted {
                references,
                failure,
                retriable: true,
            },
            // Nothing left and nothing refused: callers return such a message instead.
            None if references.is_empty() => SubmitOutcome::NotAccepted(link_lost()),
            None => SubmitOutcome::Accepted { references },
        }
    }
}

/// The tracked messages, by a small number that is used again.
#[derive(Debug, Default)]
pub(super) struct Trackings {
    slots: Vec<Option<Tracked>>,
    free: Vec<usize>,
}

impl Trackings {
    pub(super) fn insert(&mut self, tracked: Tracked) -> usize {
        if let Some(slot) = self.free.pop() {
            self.slots[slot] = Some(tracked);
            return slot;
        }
        self.slots.push(Some(tracked));
        self.slots.len() - 1
    }

    pub(super) fn remove(&mut self, message: usize) -> Option<Tracked> {
        let tracked = self.slots.get_mut(message)?.take()?;
        self.free.push(message);
        Some(tracked)
    }

    fn get(&mut self, message: usize) -> Option<&mut Tracked> {
        self.slots.get_mut(message)?.as_mut()
    }

    pub(super) fn is_begun(&self, message: usize) -> bool {
        self.slots
            .get(message)
            .and_then(Option::as_ref)
            .is_some_and(|it| it.is_begun)
    }

    /// A part went into the buffer.
    pub(super) fn sent(&mut self, message: usize) {
        if let Some(it) = self.get(message) {
            it.open += 1;
            it.is_begun = true;
        }
    }

    /// No further part will go into the buffer.
    pub(super) fn all_sent(&mut self, message: usize) {
        if let Some(it) = self.get(message) {
            it.is_all_sent = true;
        }
    }

    /// The SMSC took a part under this id.
    pub(super) fn accepted(&mut self, message: usize, part: u16, id: Box<str>) {
        if let Some(it) = self.get(message) {
            it.open = it.open.saturating_sub(1);
            // Some SMSCs give no id; the part was taken all the same, and no receipt will name it.
            let reference = if id.is_empty() {
                format!("no-id/{}/{}/{part}", it.key.message, it.key.attempt).into()
            } else {
                id
            };
            it.references.push(PartReference { part, reference });
        }
    }

    /// The SMSC refused a part. The first refusal for good stays, else the first.
    pub(super) fn refused(&mut self, message: usize, meaning: Refusal, failure: Failure) {
        if let Some(it) = self.get(message) {
            it.open = it.open.saturating_sub(1);
            let is_heavier = matches!(
                (&it.refusal, meaning),
                (None, _) | (Some((Refusal::NotTaken(_), _)), Refusal::ForGood(_))
            );
            if is_heavier {
                it.refusal = Some((meaning, failure));
            }
        }
    }

    /// A part left and will get no answer.
    pub(super) fn unknown(&mut self, message: usize) {
        if let Some(it) = self.get(message) {
            it.open = it.open.saturating_sub(1);
            it.is_unknown = true;
        }
    }

    /// A part was in the buffer and never left.
    pub(super) fn not_left(&mut self, message: usize) {
        if let Some(it) = self.get(message) {
            it.open = it.open.saturating_sub(1);
        }
    }

    /// Removes the message if nothing of it is under way any more.
    pub(super) fn take_concluded(&mut self, message: usize) -> Option<Tracked> {
        let it = self.get(message)?;
        (it.open == 0 && it.is_all_sent).then_some(())?;
        self.remove(message)
    }
}
