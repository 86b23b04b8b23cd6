//! Consent: withdrawn, given again, remembered, also for the addresses of who is erased.

use domain::ids::{ContactId, ProjectKey, SenderKey};
use domain::model::address::Address;
use domain::model::consent::{ConsentChange, ConsentRecord, Standing, Standings};
use domain::model::contact::ThreadFacts;
use domain::model::message::{Category, Purpose};
use domain::rules::consent::{self, Consent as Given};

use super::state::State;
use crate::store::Outcome;
use crate::store::consent::{Consent, ConsentSubject, Towards};
use crate::store::contacts::OptedOut;

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
        let record = |sender| ConsentRecord {
            sender,
            at: consent.at,
            change: consent.change.clone(),
            source: consent.source,
            channel: consent.channel,
        };
        let (mut changed, mut everywhere) = (Vec::new(), false);
        match &consent.towards {
            Towards::Senders(senders) => {
                for sender in senders {
                    if self.change_consent(contact, *sender, record(Some(*sender))) {
                        changed.push(*sender);
                    }
                }
            }
            Towards::Project => {
                let all = self.told_all.entry(contact).or_default();
                everywhere = consent::change(all, &consent.change);
                for (place, thread) in &mut self.threads {
                    let mut standing = thread.standing();
                    if place.0 == contact && consent::change(&mut standing, &consent.change) {
                        thread.stand(standing);
                        changed.push(place.1);
                    }
                }
                if everywhere || !changed.is_empty() {
                    self.note_consent(contact, record(None));
                }
            }
        }
        Outcome::ConsentKept {
            contact,
            changed,
            everywhere,
        }
    }

    /// Makes a change and remembers it; whether it changed anything.
    pub(super) fn change_consent(
        &mut self,
        contact: ContactId,
        sender: SenderKey,
        record: ConsentRecord,
    ) -> bool {
        let mut standing = self.standing(contact, sender);
        let changed = consent::change(&mut standing, &record.change);
        if changed {
            self.thread_mut(contact, sender).stand(standing);
            self.note_consent(contact, record);
        }
        changed
    }

    fn note_consent(&mut self, contact: ContactId, record: ConsentRecord) {
        let change = ConsentChange {
            only_if_out: false,
            ..record.change
        };
        self.consents
            .push((contact, ConsentRecord { change, ..record }));
    }

    /// The thread, begun where there is none as the contact stands towards the project.
    pub(super) fn thread_mut(&mut self, contact: ContactId, sender: SenderKey) -> &mut ThreadFacts {
        let all = self.told_all.get(&contact).copied().unwrap_or_default();
        let thread = self.threads.entry((contact, sender));
        thread.or_insert_with(|| all.into())
    }

    fn standing(&self, contact: ContactId, sender: SenderKey) -> Standing {
        self.standings(contact).towards(sender)
    }

    /// How a contact stands towards the project and each sender with a thread.
    pub(super) fn standings(&self, contact: ContactId) -> Standings {
        let theirs = self.threads.iter().filter(|it| it.0.0 == contact);
        Standings {
            project: self.told_all.get(&contact).copied().unwrap_or_default(),
            senders: theirs.map(|it| (it.0.1, it.1.standing())).collect(),
        }
    }

    /// Lets a contact stand so.
    pub(super) fn stand(&mut self, contact: ContactId, standings: Standings) {
        self.told_all.insert(contact, standings.project);
        for (sender, standing) in standings.senders {
            self.thread_mut(contact, sender).stand(standing);
        }
    }

    /// How the person with an address stands: whoever has it, else the erased contact that had it.
    pub(super) fn standing_of(
        &self,
        project: ProjectKey,
        address: &Address,
        sender: SenderKey,
    ) -> Standing {
        if let Some(holder) = self.contact_with(project, address) {
            return self.standing(holder, sender);
        }
        let found = self.suppressed.get(&(project, address.clone()));
        found.map(|it| it.towards(sender)).unwrap_or_default()
    }

    /// Remembers for its addresses what a contact wants no more, before it is erased.
    pub(super) fn suppress(&mut self, project: ProjectKey, contact: ContactId) {
        let standings = self.standings(contact).in_short();
        let Some(person) = self.people.get(&contact) else {
            return;
        };
        if standings.wants_less() {
            for address in person.addresses() {
                self.suppressed
                    .insert((project, address), standings.clone());
            }
        }
    }

    /// What was remembered for an address is its contact's from now on.
    pub(super) fn take_over(&mut self, project: ProjectKey, contact: ContactId, address: Address) {
        if let Some(left) = self.suppressed.remove(&(project, address)) {
            let both = self.standings(contact).stricter(&left);
            self.stand(contact, both);
        }
    }

    /// Whether a message of this kind may not be sent to this person.
    pub(super) fn is_withdrawn(
        &self,
        project: ProjectKey,
        contact: Option<ContactId>,
        to: (&Address, SenderKey),
        kind: (Purpose, Category),
    ) -> bool {
        let standing = match contact.filter(|it| self.people.contains_key(it)) {
            Some(contact) => self.standing(contact, to.1),
            None => self.standing_of(project, to.0, to.1),
        };
        consent::consent(standing, kind.0, kind.1) == Given::Withdrawn
    }

    pub(super) fn opted_out(&self, contact: ContactId) -> OptedOut {
        let standings = self.standings(contact);
        let project = standings.project.opted_out;
        let (senders, others): (Vec<_>, Vec<_>) =
            standings.senders.iter().partition(|it| it.1.opted_out);
        let others = others.into_iter().filter(|_| project);
        OptedOut {
            senders: senders.into_iter().map(|it| *it.0).collect(),
            project,
            except: others.map(|it| *it.0).collect(),
        }
    }

    pub(super) fn list_consents(&self, contact: ContactId) -> Vec<ConsentRecord> {
        let theirs = self.consents.iter().filter(|it| it.0 == contact);
        let mut records: Vec<_> = theirs.map(|it| it.1.clone()).collect();
        records.sort_by_key(|it| it.at);
        records
    }
}
