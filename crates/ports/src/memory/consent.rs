//! Consent: withdrawn, given again, remembered.

use domain::ids::{ContactId, SenderKey};
use domain::model::consent::{ConsentChange, ConsentRecord};
use domain::model::message::{Category, Purpose};
use domain::rules::consent::{self, Consent as Standing};

use super::state::State;
use crate::store::Outcome;
use crate::store::consent::{Consent, ConsentSubject};

impl State {
    pub(super) fn consent(&mut self, consent: &Consent) -> Outcome {
        let project = consent.project;
        let contact = match &consent.who {
            ConsentSubject::Address(address) => self
                .contact_with(project, address)
                .unwrap_or_else(|| self.add_person(project, address, consent.at)),
            ConsentSubject::Contact(contact) => {
                let is_theirs = self.people.get(contact).map(|it| it.project) == Some(project);
                if !is_theirs {
                    return Outcome::Missing;
                }
                *contact
            }
        };
        let mut changed = Vec::new();
        for sender in &consent.senders {
            let record = ConsentRecord {
                at: consent.at,
                change: consent.change.clone(),
                source: consent.source,
                channel: consent.channel,
            };
            if self.change_consent(contact, *sender, record) {
                changed.push(*sender);
            }
        }
        Outcome::ConsentKept { contact, changed }
    }

    /// Makes a change and remembers it; whether it changed anything.
    pub(super) fn change_consent(
        &mut self,
        contact: ContactId,
        sender: SenderKey,
        record: ConsentRecord,
    ) -> bool {
        let place = (contact, sender);
        let mut thread = self.threads.get(&place).copied().unwrap_or_default();
        let changed = consent::change(&mut thread, &record.change);
        if changed {
            self.threads.insert(place, thread);
            let change = ConsentChange {
                only_if_out: false,
                ..record.change
            };
            let kept = ConsentRecord { change, ..record };
            self.consents.push((contact, sender, kept));
        }
        changed
    }

    /// Whether a message of this kind may not be sent to this contact.
    pub(super) fn is_withdrawn(
        &self,
        contact: ContactId,
        sender: SenderKey,
        purpose: Purpose,
        category: Category,
    ) -> bool {
        let thread = self.threads.get(&(contact, sender));
        let standing = thread.map(|it| consent::consent(it, purpose, category));
        standing == Some(Standing::Withdrawn)
    }

    pub(super) fn list_consents(
        &self,
        contact: ContactId,
        sender: SenderKey,
    ) -> Vec<ConsentRecord> {
        let theirs =
            |it: &&(ContactId, SenderKey, ConsentRecord)| (it.0, it.1) == (contact, sender);
        let mut records: Vec<_> = self
            .consents
            .iter()
            .filter(theirs)
            .map(|it| it.2.clone())
            .collect();
        records.sort_by_key(|it| it.at);
        records
    }
}
