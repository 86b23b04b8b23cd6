//! What comes in: messages to send, and messages from people.

use domain::ids::{ContactId, MessageId, ProjectKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentRecord, ConsentSource};
use domain::rules::booking::Standings;
use domain::rules::due::next_due;
use domain::time::Timestamp;

use super::contacts::implied;
use super::state::{Earlier, Person, Received, Sent, State};
use crate::store::Outcome;
use crate::store::books::reservation_of_accept;
use crate::store::events;
use crate::store::fold::{self, IDEMPOTENCY_MEMORY};
use crate::store::messages::{DecisionRecord, IdempotencyKey, InboundMessage};
use crate::store::operations::Accept;
use crate::store::queries::Repeated;

impl State {
    pub(super) fn earlier(
        &self,
        project: ProjectKey,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Option<Repeated> {
        let earlier = self.idempotency.get(&(project, key.key.clone()))?;
        (now.since(earlier.at) < IDEMPOTENCY_MEMORY).then(|| Repeated {
            original: earlier.message,
            differs: key.first_difference(&earlier.fields),
        })
    }

    pub(super) fn accept(&mut self, accept: &Accept) -> Outcome {
        if accept.epoch < self.epoch {
            return Outcome::Fenced;
        }
        let message = &accept.message;
        let at = message.accepted_at;
        let key = accept
            .idempotency
            .as_ref()
            .map(|it| ((message.project, it.key.clone()), it));
        if let Some(key) = &accept.idempotency
            && let Some(repeated) = self.earlier(message.project, key, at)
        {
            let Repeated { original, differs } = repeated;
            return Outcome::AlreadyAccepted { original, differs };
        }
        let mut progress = fold::accepted(accept);
        let reservation = reservation_of_accept(accept);
        let none = Standings::default();
        let reserved = self
            .books
            .reserve(message.project, &none, &mut progress, reservation);
        if let Err(gone) = reserved {
            return Outcome::QuotaGone(gone);
        }
        let known = self.contact_with(message.project, &message.to);
        let (to, kind) = (
            (&message.to, message.sender),
            (message.purpose, message.category),
        );
        if self.is_withdrawn(message.project, known, to, kind) {
            self.books
                .give_back(message.project, &Standings::of(&progress));
            return Outcome::OptedOut;
        }
        let contact = known.unwrap_or_else(|| self.add_person(message.project, &message.to, at));
        let thread = self.thread_mut(contact, message.sender);
        thread.last_outbound_at = thread.last_outbound_at.max(Some(at));
        let id = MessageId::from_key(self.keys.next(at));
        let place = (contact, message.sender);
        self.went_on(place, id, fold::first_channel(accept), false, at);
        let (version, due) = (progress.version, next_due(&progress));
        let cost = progress.last_attempt().map(|it| it.estimated_cost);
        let decisions = vec![DecisionRecord {
            at,
            decision: accept.decision.clone(),
        }];
        let event = events::of_acceptance(id, message, &progress, &accept.decision);
        self.publishing.add(event);
        let (message, receipts) = (message.clone(), Vec::new());
        let sent = Sent {
            contact,
            message,
            progress,
            updated_at: at,
            decisions,
            receipts,
        };
        self.sent.insert(id, sent);
        if let Some((place, key)) = key {
            let earlier = Earlier {
                message: id,
                at,
                fields: key.fields.clone(),
            };
            self.idempotency.insert(place, earlier);
        }
        Outcome::Accepted {
            message: id,
            contact,
            version,
            due,
            cost,
        }
    }

    pub(super) fn add_person(
        &mut self,
        project: ProjectKey,
        address: &Address,
        at: Timestamp,
    ) -> ContactId {
        let id = ContactId::from_key(self.keys.next(at));
        let person = Person {
            project,
            display_name: None,
            default_channel: None,
            metadata: None,
            created_at: at,
            updated_at: at,
            channels: implied(id, address, at),
        };
        self.people.insert(id, person);
        self.take_over(project, id, address.clone());
        id
    }

    /// Who wrote: found by the address or an alias, else made. What else is theirs is noted.
    fn writer(&mut self, inbound: &InboundMessage, at: Timestamp) -> ContactId {
        let project = inbound.project;
        let theirs = || std::iter::once(&inbound.from).chain(&inbound.aliases);
        let known = theirs().find_map(|it| self.contact_with(project, it));
        let contact = known.unwrap_or_else(|| self.add_person(project, &inbound.from, at));
        for address in theirs() {
            if self.contact_with(project, address).is_none()
                && let Some(person) = self.people.get_mut(&contact)
            {
                person.learn(contact, address, at);
                self.take_over(project, contact, address.clone());
            }
        }
        if let Some(person) = self.people.get_mut(&contact)
            && person.display_name.is_none()
            && inbound.profile_name.is_some()
        {
            person.display_name.clone_from(&inbound.profile_name);
            person.updated_at = at;
        }
        contact
    }

    pub(super) fn inbound(&mut self, inbound: &InboundMessage) -> Outcome {
        let is_repeat = |it: &InboundMessage| {
            it.route == inbound.route
                && it.provider_id.is_some()
                && it.provider_id == inbound.provider_id
        };
        if let Some(first) = self.received.iter().find(|it| is_repeat(&it.1.message)) {
            return Outcome::InboundRepeated { message: *first.0 };
        }
        let at = inbound.received_at;
        let contact = self.writer(inbound, at);
        let id = MessageId::from_key(self.keys.next(at));
        self.received.insert(
            id,
            Received {
                contact,
                message: inbound.clone(),
            },
        );
        let thread = *self.thread_mut(contact, inbound.sender);
        let is_new = thread.last_inbound.is_none() && thread.last_outbound_at.is_none();
        for event in events::of_inbound(id, inbound, is_new) {
            self.publishing.add(event);
        }
        let thread = self.thread_mut(contact, inbound.sender);
        if thread.last_inbound.is_none_or(|it| it.0 <= at) {
            thread.last_inbound = Some((at, inbound.channel));
        }
        if inbound.channel == Channel::WhatsApp {
            thread.whatsapp_window_from = thread.whatsapp_window_from.max(Some(inbound.sent_at));
        }
        let record = self.records.entry((contact, inbound.channel)).or_default();
        record.last_inbound_at = record.last_inbound_at.max(Some(inbound.sent_at));
        record.facts.incapable_until = None;
        let place = (contact, inbound.sender);
        self.went_on(place, id, Some(inbound.channel), true, at);
        let record = inbound.consent.as_ref().map(|change| ConsentRecord {
            sender: Some(inbound.sender),
            at,
            change: change.clone(),
            source: ConsentSource::Keyword,
            channel: Some(inbound.channel),
        });
        let consent_changed =
            record.is_some_and(|it| self.change_consent(contact, inbound.sender, it));
        Outcome::InboundKept {
            message: id,
            contact,
            consent_changed,
        }
    }
}
