//! Contacts: found, shown, changed.

use domain::ids::{ContactId, ProjectKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::contact::{AddressKind, ChannelMetrics};
use domain::phone::PhoneNumber;
use domain::time::Timestamp;

use super::state::{Person, Record, State};
use crate::store::contacts::{
    ContactChange, ContactChannelView, ContactFilter, ContactOutcome, ContactView, NewAddress,
    channel_id,
};

/// What a contact lists of an address: a phone number under each channel that takes one.
pub(super) fn implied(contact: ContactId, of: &Address, at: Timestamp) -> Vec<ContactChannelView> {
    let channels = Channel::ALL.into_iter().filter(|it| of.is_on(*it));
    channels
        .map(|it| address(contact, it.into(), &of.to_string(), at))
        .collect()
}

fn address(
    contact: ContactId,
    kind: AddressKind,
    identifier: &str,
    at: Timestamp,
) -> ContactChannelView {
    ContactChannelView {
        id: channel_id(contact, kind, identifier),
        kind,
        identifier: identifier.into(),
        is_primary: true,
        verified: false,
        label: None,
        metadata: None,
        created_at: at,
        updated_at: at,
        metrics: ChannelMetrics::default(),
        last_inbound_at: None,
        incapable_until: None,
    }
}

fn number_of(kind: AddressKind, identifier: &str) -> Option<PhoneNumber> {
    if kind.is_phone() {
        PhoneNumber::parse(identifier).ok()
    } else {
        None
    }
}

impl Person {
    /// Its addresses that channels use, each once, first choices first.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let mut addresses = Vec::new();
        let (first, others): (Vec<_>, Vec<_>) = self.channels.iter().partition(|it| it.is_primary);
        for it in first.into_iter().chain(others) {
            let address = Address::listed(it.kind, &it.identifier);
            addresses.extend(address.filter(|it| !addresses.contains(it)));
        }
        addresses
    }

    /// Lists an address that it turned out to have; it is a first choice where it is the only one of
    /// its kind.
    pub(super) fn learn(&mut self, contact: ContactId, address: &Address, at: Timestamp) {
        for it in implied(contact, address, at) {
            if !self.has(it.kind, &it.identifier) {
                let is_primary = self.channels.iter().all(|other| other.kind != it.kind);
                self.put(ContactChannelView { is_primary, ..it });
                self.updated_at = at;
            }
        }
    }

    fn phone(&self) -> Option<PhoneNumber> {
        let mut primary = self.channels.iter().filter(|it| it.is_primary);
        primary.find_map(|it| number_of(it.kind, &it.identifier))
    }

    fn channel_mut(&mut self, id: &str) -> Option<&mut ContactChannelView> {
        self.channels.iter_mut().find(|it| &*it.id == id)
    }

    fn make_primary(&mut self, kind: AddressKind, identifier: &str) {
        for channel in self.channels.iter_mut().filter(|it| it.kind == kind) {
            channel.is_primary = &*channel.identifier == identifier;
        }
    }

    fn put(&mut self, channel: ContactChannelView) {
        self.channels.push(channel);
        self.channels
            .sort_by(|a, b| (a.kind, &a.identifier).cmp(&(b.kind, &b.identifier)));
    }

    fn has(&self, kind: AddressKind, identifier: &str) -> bool {
        self.channels
            .iter()
            .any(|it| it.kind == kind && &*it.identifier == identifier)
    }

    fn add(&mut self, contact: ContactId, new: &NewAddress, at: Timestamp) {
        let NewAddress {
            kind,
            identifier,
            is_primary,
            label,
        } = new;
        if !self.has(*kind, identifier) {
            let first = self.channels.iter().all(|it| it.kind != *kind);
            let blank = address(contact, *kind, identifier, at);
            self.put(ContactChannelView {
                is_primary: first,
                label: label.clone(),
                ..blank
            });
        }
        if *is_primary {
            self.make_primary(*kind, identifier);
        }
    }
}

impl State {
    /// Whose this address is; a phone number on whatever channel.
    pub(super) fn contact_with(&self, project: ProjectKey, address: &Address) -> Option<ContactId> {
        self.holder(project, address.kind(), &address.to_string())
    }

    fn holder(
        &self,
        project: ProjectKey,
        kind: AddressKind,
        identifier: &str,
    ) -> Option<ContactId> {
        let number = number_of(kind, identifier);
        let is_it = |it: &ContactChannelView| match number {
            Some(number) => number_of(it.kind, &it.identifier) == Some(number),
            None => it.kind == kind && &*it.identifier == identifier,
        };
        let mut people = self.people.iter().filter(|it| it.1.project == project);
        people
            .find(|it| it.1.channels.iter().any(is_it))
            .map(|it| *it.0)
    }

    pub(super) fn contact(&self, project: ProjectKey, id: ContactId) -> Option<ContactView> {
        let person = self.people.get(&id).filter(|it| it.project == project)?;
        let mut channels = person.channels.clone();
        for view in &mut channels {
            let channel = Channel::ALL
                .into_iter()
                .find(|it| AddressKind::from(*it) == view.kind);
            let known = channel.and_then(|it| self.records.get(&(id, it)).copied());
            let Record {
                facts,
                last_inbound_at,
            } = known.unwrap_or_default();
            view.metrics = facts.metrics;
            view.incapable_until = facts.incapable_until;
            view.last_inbound_at = last_inbound_at;
        }
        Some(ContactView {
            id,
            display_name: person.display_name.clone(),
            default_channel: person.default_channel,
            phone: person.phone(),
            metadata: person.metadata.clone(),
            created_at: person.created_at,
            updated_at: person.updated_at,
            channels,
            opted_out: self.opted_out(id),
        })
    }

    pub(super) fn list_contacts(&self, filter: &ContactFilter) -> Vec<ContactView> {
        let search = filter.search.as_ref().map(|it| it.to_ascii_lowercase());
        let contains = |text: &str| {
            search
                .as_ref()
                .is_none_or(|it| text.to_ascii_lowercase().contains(it))
        };
        let fits = |it: &ContactView| {
            filter
                .phone
                .is_none_or(|phone| self.contact_with(filter.project, &phone.into()) == Some(it.id))
                && (it.display_name.as_deref().is_some_and(contains)
                    || it.channels.iter().any(|it| contains(&it.identifier)))
        };
        let newest = self.people.keys().rev();
        newest
            .filter(|it| filter.before.is_none_or(|before| **it < before))
            .filter_map(|it| self.contact(filter.project, *it))
            .filter(fits)
            .take(filter.limit.into())
            .collect()
    }

    pub(super) fn change_contact(
        &mut self,
        project: ProjectKey,
        change: &ContactChange,
        at: Timestamp,
    ) -> ContactOutcome {
        match change {
            ContactChange::Create {
                display_name,
                metadata,
                addresses,
            } => {
                let names = (display_name.clone(), metadata.clone());
                self.create_contact(project, names, addresses, at)
            }
            ContactChange::Update {
                contact,
                display_name,
                default_channel,
                metadata,
            } => self.edit(project, *contact, at, |person| {
                if let Some(it) = display_name {
                    person.display_name.clone_from(it);
                }
                if let Some(it) = default_channel {
                    person.default_channel = *it;
                }
                if let Some(it) = metadata {
                    person.metadata.clone_from(it);
                }
                Ok(())
            }),
            ContactChange::Delete { contact } => {
                if self.contact(project, *contact).is_none() {
                    return ContactOutcome::NoSuchContact;
                }
                self.suppress(project, *contact);
                self.erase(*contact);
                ContactOutcome::Gone
            }
            ContactChange::Merge { target, source } => self.merge(project, *target, *source, at),
            ContactChange::AddChannel { contact, address } => {
                let holder = self.holder(project, address.kind, &address.identifier);
                let holder = holder.filter(|it| it != contact);
                let outcome = self.edit(project, *contact, at, |person| {
                    let own = person
                        .has(address.kind, &address.identifier)
                        .then_some(*contact);
                    if let Some(holder) = own.or(holder) {
                        return Err(ContactOutcome::AddressTaken {
                            kind: address.kind,
                            holder,
                        });
                    }
                    person.add(*contact, address, at);
                    Ok(())
                });
                if !matches!(outcome, ContactOutcome::Done(_)) {
                    return outcome;
                }
                self.added(project, *contact, address);
                self.done(project, *contact)
            }
            ContactChange::UpdateChannel {
                contact,
                channel,
                label,
                verified,
                metadata,
            } => self.edit(project, *contact, at, |person| {
                let it = person
                    .channel_mut(channel)
                    .ok_or(ContactOutcome::NoSuchChannel)?;
                it.updated_at = at;
                it.verified = verified.unwrap_or(it.verified);
                if let Some(label) = label {
                    it.label.clone_from(label);
                }
                if let Some(metadata) = metadata {
                    it.metadata.clone_from(metadata);
                }
                Ok(())
            }),
            ContactChange::MakePrimary { contact, channel } => {
                self.edit(project, *contact, at, |person| {
                    let it = person
                        .channel_mut(channel)
                        .ok_or(ContactOutcome::NoSuchChannel)?;
                    let (kind, identifier) = (it.kind, it.identifier.clone());
                    person.make_primary(kind, &identifier);
                    Ok(())
                })
            }
            ContactChange::RemoveChannel { contact, channel } => {
                self.edit(project, *contact, at, |person| {
                    let it = person
                        .channel_mut(channel)
                        .ok_or(ContactOutcome::NoSuchChannel)?;
                    let (kind, was_primary) = (it.kind, it.is_primary);
                    if person.channels.len() == 1 {
                        return Err(ContactOutcome::LastAddress);
                    }
                    person.channels.retain(|it| it.id != *channel);
                    let heir = person.channels.iter().find(|it| it.kind == kind);
                    if let Some(heir) = heir.filter(|_| was_primary).map(|it| it.identifier.clone())
                    {
                        person.make_primary(kind, &heir);
                    }
                    Ok(())
                })
            }
        }
    }

    fn edit(
        &mut self,
        project: ProjectKey,
        id: ContactId,
        at: Timestamp,
        change: impl FnOnce(&mut Person) -> Result<(), ContactOutcome>,
    ) -> ContactOutcome {
        let person = self.people.get_mut(&id).filter(|it| it.project == project);
        let Some(person) = person else {
            return ContactOutcome::NoSuchContact;
        };
        if let Err(refused) = change(person) {
            return refused;
        }
        person.updated_at = at;
        self.done(project, id)
    }

    fn done(&self, project: ProjectKey, id: ContactId) -> ContactOutcome {
        match self.contact(project, id) {
            Some(view) => ContactOutcome::Done(Box::new(view)),
            None => ContactOutcome::NoSuchContact,
        }
    }

    fn create_contact(
        &mut self,
        project: ProjectKey,
        (display_name, metadata): (Option<Box<str>>, Option<Box<str>>),
        addresses: &[NewAddress],
        at: Timestamp,
    ) -> ContactOutcome {
        for address in addresses {
            if let Some(holder) = self.holder(project, address.kind, &address.identifier) {
                return ContactOutcome::AddressTaken {
                    kind: address.kind,
                    holder,
                };
            }
        }
        let id = ContactId::from_key(self.keys.next(at));
        let mut person = Person {
            project,
            display_name,
            default_channel: None,
            metadata,
            created_at: at,
            updated_at: at,
            channels: Vec::new(),
        };
        for address in addresses {
            person.add(id, address, at);
        }
        self.people.insert(id, person);
        for address in addresses {
            self.added(project, id, address);
        }
        self.done(project, id)
    }

    /// Follows an address that was given to a contact.
    fn added(&mut self, project: ProjectKey, id: ContactId, new: &NewAddress) {
        if let Some(address) = Address::listed(new.kind, &new.identifier) {
            self.take_over(project, id, address);
        }
    }

    fn erase(&mut self, id: ContactId) {
        self.people.remove(&id);
        self.records.retain(|it, _| it.0 != id);
        self.threads.retain(|it, _| it.0 != id);
        self.conversations.retain(|it, _| it.0 != id);
        self.told_all.remove(&id);
        self.consents.retain(|it| it.0 != id);
    }

    fn merge(
        &mut self,
        project: ProjectKey,
        target: ContactId,
        source: ContactId,
        at: Timestamp,
    ) -> ContactOutcome {
        if self.contact(project, target).is_none() {
            return ContactOutcome::NoSuchContact;
        }
        if target == source {
            return ContactOutcome::SameContact;
        }
        let Some(gone) = self.contact(project, source) else {
            return ContactOutcome::NoSuchContact;
        };
        self.move_history(source, target);
        self.erase(source);
        self.edit(project, target, at, |person| {
            let had: Vec<_> = person.channels.iter().map(|it| it.kind).collect();
            for moved in gone.channels {
                if !person.has(moved.kind, &moved.identifier) {
                    let is_primary = moved.is_primary && !had.contains(&moved.kind);
                    let id = channel_id(target, moved.kind, &moved.identifier);
                    person.put(ContactChannelView {
                        id,
                        is_primary,
                        updated_at: at,
                        ..moved
                    });
                }
            }
            Ok(())
        })
    }

    fn move_history(&mut self, source: ContactId, target: ContactId) {
        let both = self.standings(target).stricter(&self.standings(source));
        self.move_conversations(source, target);
        let contacts = self.sent.values_mut().map(|it| &mut it.contact);
        for contact in contacts.chain(self.received.values_mut().map(|it| &mut it.contact)) {
            if *contact == source {
                *contact = target;
            }
        }
        let records: Vec<_> = self.records.iter().filter(|it| it.0.0 == source).collect();
        let records: Vec<_> = records.into_iter().map(|it| (it.0.1, *it.1)).collect();
        for (channel, from) in records {
            let into = self.records.entry((target, channel)).or_default();
            into.facts.metrics = sum(into.facts.metrics, from.facts.metrics);
            into.facts.incapable_until = into.facts.incapable_until.max(from.facts.incapable_until);
            into.last_inbound_at = into.last_inbound_at.max(from.last_inbound_at);
        }
        let threads: Vec<_> = self.threads.iter().filter(|it| it.0.0 == source).collect();
        let threads: Vec<_> = threads.into_iter().map(|it| (it.0.1, *it.1)).collect();
        for (sender, from) in threads {
            let into = self.threads.entry((target, sender)).or_default();
            into.last_outbound_at = into.last_outbound_at.max(from.last_outbound_at);
            into.whatsapp_window_from = into.whatsapp_window_from.max(from.whatsapp_window_from);
            if from.last_inbound.map(|it| it.0) > into.last_inbound.map(|it| it.0) {
                into.last_inbound = from.last_inbound;
            }
        }
        self.stand(target, both);
    }
}

fn sum(one: ChannelMetrics, other: ChannelMetrics) -> ChannelMetrics {
    ChannelMetrics {
        success_count: one.success_count + other.success_count,
        failure_count: one.failure_count + other.failure_count,
        delivery_time_sum: domain::time::Millis::new(
            one.delivery_time_sum.get() + other.delivery_time_sum.get(),
        ),
        delivery_time_count: one.delivery_time_count + other.delivery_time_count,
        last_success_at: one.last_success_at.max(other.last_success_at),
    }
}
