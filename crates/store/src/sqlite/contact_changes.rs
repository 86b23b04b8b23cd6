//! Changes to contacts by the API.

use domain::ids::{ContactId, ProjectKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::contact::AddressKind;
use domain::phone::PhoneNumber;
use domain::time::Timestamp;
use ports::store::contacts::{
    ContactChange, ContactChannelView, ContactOutcome, ContactView, NewAddress,
};
use rusqlite::{OptionalExtension, params};

use super::contacts::{self, addresses, implied, view};
use super::fault::Fault;
use super::lines::Line;
use crate::rows::codes::Coded;
use crate::rows::{Corrupt, phone_to_key};

impl Line<'_> {
    /// See [`ContactChange`].
    pub(super) fn change_contact(
        &mut self,
        project: ProjectKey,
        change: &ContactChange,
        at: Timestamp,
    ) -> Result<ContactOutcome, Fault> {
        let id = match change {
            ContactChange::Create {
                display_name,
                metadata,
                addresses,
            } => {
                return self.create(
                    project,
                    display_name.as_deref(),
                    metadata.as_deref(),
                    addresses,
                    at,
                );
            }
            ContactChange::Update { contact, .. }
            | ContactChange::Delete { contact }
            | ContactChange::Merge {
                target: contact, ..
            }
            | ContactChange::AddChannel { contact, .. }
            | ContactChange::UpdateChannel { contact, .. }
            | ContactChange::MakePrimary { contact, .. }
            | ContactChange::RemoveChannel { contact, .. } => *contact,
        };
        let Some(contact) = view(self.connection, project, id)? else {
            return Ok(ContactOutcome::NoSuchContact);
        };
        let refused = match change {
            ContactChange::Create { .. } => None,
            ContactChange::Update {
                display_name,
                default_channel,
                metadata,
                ..
            } => {
                let default_channel = default_channel.map(|it| it.map(Coded::number));
                self.set(project, id, "display_name", display_name.as_ref())?;
                self.set(project, id, "default_channel", default_channel.as_ref())?;
                self.set(project, id, "metadata", metadata.as_ref())?;
                None
            }
            ContactChange::Delete { .. } => {
                self.suppress(project, id)?;
                self.erase(project, id)?;
                return Ok(ContactOutcome::Gone);
            }
            ContactChange::Merge { source, .. } => self.merge(project, &contact, *source, at)?,
            ContactChange::AddChannel { address, .. } => {
                self.add_channel(project, &contact, address, at)?
            }
            ContactChange::UpdateChannel {
                channel,
                label,
                verified,
                metadata,
                ..
            } => {
                let Some(channel) = channel_of(&contact, channel) else {
                    return Ok(ContactOutcome::NoSuchChannel);
                };
                self.list_addresses(project, &contact)?;
                let mut channel = channel.clone();
                channel.updated_at = at;
                channel.verified = verified.unwrap_or(channel.verified);
                channel.label = label.clone().unwrap_or(channel.label);
                channel.metadata = metadata.clone().unwrap_or(channel.metadata);
                self.put_address(project, id, &channel)?;
                None
            }
            ContactChange::MakePrimary { channel, .. } => {
                let Some(channel) = channel_of(&contact, channel) else {
                    return Ok(ContactOutcome::NoSuchChannel);
                };
                self.list_addresses(project, &contact)?;
                self.make_primary(id, channel.kind, &channel.identifier)?;
                None
            }
            ContactChange::RemoveChannel { channel, .. } => {
                self.remove_channel(project, &contact, channel)?
            }
        };
        match refused {
            Some(outcome) => Ok(outcome),
            None => self.changed(project, id, at),
        }
    }

    /// The contact after a change: its number follows from its addresses.
    fn changed(
        &mut self,
        project: ProjectKey,
        id: ContactId,
        at: Timestamp,
    ) -> Result<ContactOutcome, Fault> {
        self.connection
            .prepare_cached("UPDATE contact SET updated_at = ?3 WHERE project = ?1 AND id = ?2")?
            .execute(params![project.0, id.key(), at.as_millis()])?;
        let listed = addresses(self.connection, id)?;
        if !listed.is_empty() {
            let phone = first_number(&listed).map(|it| phone_to_key(&it));
            self.connection
                .prepare_cached("UPDATE contact SET phone = ?3 WHERE project = ?1 AND id = ?2")?
                .execute(params![project.0, id.key(), phone])?;
        }
        let view = view(self.connection, project, id)?.ok_or(Corrupt("a changed contact"))?;
        Ok(ContactOutcome::Done(Box::new(view)))
    }

    /// Sets a column to what is `Some`; the inner `None` clears.
    fn set<T: rusqlite::ToSql>(
        &mut self,
        project: ProjectKey,
        id: ContactId,
        column: &'static str,
        value: Option<&Option<T>>,
    ) -> Result<(), Fault> {
        if let Some(value) = value {
            let sql = format!("UPDATE contact SET {column} = ?3 WHERE project = ?1 AND id = ?2");
            self.connection
                .prepare_cached(&sql)?
                .execute(params![project.0, id.key(), value])?;
        }
        Ok(())
    }

    fn create(
        &mut self,
        project: ProjectKey,
        display_name: Option<&str>,
        metadata: Option<&str>,
        addresses: &[NewAddress],
        at: Timestamp,
    ) -> Result<ContactOutcome, Fault> {
        for address in addresses {
            if let Some(holder) = self.holder(project, address.kind, &address.identifier)? {
                return Ok(ContactOutcome::AddressTaken {
                    kind: address.kind,
                    holder,
                });
            }
        }
        let id = ContactId::from_key(self.keys.next(at));
        self.connection
            .prepare_cached(
                "INSERT INTO contact (project, id, addressed, created_at, updated_at, display_name,
                     metadata)
                 VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5)",
            )?
            .execute(params![
                project.0,
                id.key(),
                at.as_millis(),
                display_name,
                metadata
            ])?;
        for address in addresses {
            self.add_address(project, id, address, at)?;
        }
        self.changed(project, id, at)
    }

    fn add_channel(
        &mut self,
        project: ProjectKey,
        contact: &ContactView,
        address: &NewAddress,
        at: Timestamp,
    ) -> Result<Option<ContactOutcome>, Fault> {
        let has = |it: &ContactChannelView| {
            it.kind == address.kind && it.identifier == address.identifier
        };
        let holder = if contact.channels.iter().any(has) {
            Some(contact.id)
        } else {
            // The same number on another channel is no other person.
            self.holder(project, address.kind, &address.identifier)?
                .filter(|it| *it != contact.id)
        };
        if let Some(holder) = holder {
            return Ok(Some(ContactOutcome::AddressTaken {
                kind: address.kind,
                holder,
            }));
        }
        self.list_addresses(project, contact)?;
        self.add_address(project, contact.id, address, at)?;
        Ok(None)
    }

    /// Whose an address is. A phone number is one person's on all channels (R-IN-3).
    pub(super) fn holder(
        &mut self,
        project: ProjectKey,
        kind: AddressKind,
        identifier: &str,
    ) -> Result<Option<ContactId>, Fault> {
        let Some(phone) = number_of(kind, identifier) else {
            return contacts::holder(self.connection, project, kind, identifier);
        };
        let holder: Option<i64> = self
            .hot
            .find_number
            .query_row(params![project.0, phone_to_key(&phone)], |row| row.get(0))
            .optional()?;
        Ok(holder.map(ContactId::from_key))
    }

    /// Makes a contact of an address that is no phone number.
    pub(super) fn make_addressed(
        &mut self,
        project: ProjectKey,
        address: &Address,
        at: Timestamp,
    ) -> Result<ContactId, Fault> {
        let id = ContactId::from_key(self.keys.next(at));
        self.connection
            .prepare_cached(
                "INSERT INTO contact (project, id, addressed, created_at, updated_at)
                 VALUES (?1, ?2, 1, ?3, ?3)",
            )?
            .execute(params![project.0, id.key(), at.as_millis()])?;
        let only = NewAddress {
            kind: address.kind(),
            identifier: address.to_string().into(),
            is_primary: true,
            label: None,
        };
        self.add_address(project, id, &only, at)?;
        Ok(id)
    }

    /// Lists addresses that nobody has with the contact that turned out to have them; one is a first
    /// choice where it is the only one of its kind. A contact without a name takes `name`.
    pub(super) fn learn(
        &mut self,
        project: ProjectKey,
        id: ContactId,
        theirs: &[&Address],
        name: Option<&str>,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let mut changed = false;
        for address in theirs {
            let identifier: Box<str> = address.to_string().into();
            if self.holder(project, address.kind(), &identifier)?.is_some() {
                continue;
            }
            let contact =
                view(self.connection, project, id)?.ok_or(Corrupt("a contact that wrote"))?;
            self.list_addresses(project, &contact)?;
            for channel in Channel::ALL.into_iter().filter(|it| address.is_on(*it)) {
                let new = NewAddress {
                    kind: channel.into(),
                    identifier: identifier.clone(),
                    is_primary: false,
                    label: None,
                };
                self.add_address(project, id, &new, at)?;
            }
            changed = true;
        }
        if let Some(name) = name {
            changed |= self
                .connection
                .prepare_cached(
                    "UPDATE contact SET display_name = ?3
                     WHERE project = ?1 AND id = ?2 AND display_name IS NULL",
                )?
                .execute(params![project.0, id.key(), name])?
                > 0;
        }
        if changed {
            self.changed(project, id, at)?;
        }
        Ok(())
    }

    fn add_address(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
        address: &NewAddress,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let NewAddress {
            kind,
            identifier,
            is_primary,
            label,
        } = address;
        let first: bool = self.connection.query_row(
            "SELECT NOT EXISTS (SELECT 1 FROM contact_address WHERE contact = ?1 AND kind = ?2)",
            params![contact.key(), kind.number()],
            |row| row.get(0),
        )?;
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO contact_address (contact, kind, identifier, project,
                     is_primary, verified, label, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?7)",
            )?
            .execute(params![
                contact.key(),
                kind.number(),
                identifier,
                project.0,
                first,
                label,
                at.as_millis(),
            ])?;
        if *is_primary {
            self.make_primary(contact, *kind, identifier)?;
        }
        self.hold_number(project, contact, *kind, identifier)?;
        if let Some(address) = Address::listed(*kind, identifier) {
            self.take_over(project, contact, &address)?;
        }
        Ok(())
    }

    pub(super) fn hold_number(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
        kind: AddressKind,
        identifier: &str,
    ) -> Result<(), Fault> {
        if let Some(phone) = number_of(kind, identifier) {
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO number (project, phone, contact) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![project.0, phone_to_key(&phone), contact.key()])?;
        }
        Ok(())
    }

    fn make_primary(
        &mut self,
        contact: ContactId,
        kind: AddressKind,
        identifier: &str,
    ) -> Result<(), Fault> {
        self.connection
            .prepare_cached(
                "UPDATE contact_address SET is_primary = (identifier = ?3)
                 WHERE contact = ?1 AND kind = ?2",
            )?
            .execute(params![contact.key(), kind.number(), identifier])?;
        Ok(())
    }

    /// Gives a contact that a message made rows for the addresses that its number implies.
    pub(super) fn list_addresses(
        &mut self,
        project: ProjectKey,
        contact: &ContactView,
    ) -> Result<(), Fault> {
        let listed = self
            .connection
            .prepare_cached(
                "UPDATE contact SET addressed = 1
                 WHERE project = ?1 AND id = ?2 AND addressed = 0",
            )?
            .execute(params![project.0, contact.id.key()])?;
        if listed > 0
            && let Some(phone) = &contact.phone
        {
            for channel in implied(contact.id, phone, contact.created_at) {
                self.put_address(project, contact.id, &channel)?;
            }
        }
        Ok(())
    }

    pub(super) fn put_address(
        &mut self,
        project: ProjectKey,
        contact: ContactId,
        channel: &ContactChannelView,
    ) -> Result<(), Fault> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO contact_address (contact, kind, identifier, project,
                     is_primary, verified, label, metadata, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                contact.key(),
                channel.kind.number(),
                channel.identifier,
                project.0,
                channel.is_primary,
                channel.verified,
                channel.label,
                channel.metadata,
                channel.created_at.as_millis(),
                channel.updated_at.as_millis(),
            ])?;
        Ok(())
    }

    fn remove_channel(
        &mut self,
        project: ProjectKey,
        contact: &ContactView,
        channel: &str,
    ) -> Result<Option<ContactOutcome>, Fault> {
        let Some(channel) = channel_of(contact, channel) else {
            return Ok(Some(ContactOutcome::NoSuchChannel));
        };
        if contact.channels.len() == 1 {
            return Ok(Some(ContactOutcome::LastAddress));
        }
        self.list_addresses(project, contact)?;
        self.connection.execute(
            "DELETE FROM contact_address WHERE contact = ?1 AND kind = ?2 AND identifier = ?3",
            params![contact.id.key(), channel.kind.number(), channel.identifier],
        )?;
        let mut left = contact.channels.iter().filter(|it| it.id != channel.id);
        if channel.is_primary
            && let Some(heir) = left.clone().find(|it| it.kind == channel.kind)
        {
            self.make_primary(contact.id, heir.kind, &heir.identifier)?;
        }
        // The number goes with the last channel that uses it.
        if let Some(phone) = number_of(channel.kind, &channel.identifier)
            && left.all(|it| number_of(it.kind, &it.identifier) != Some(phone))
        {
            self.connection.execute(
                "DELETE FROM number WHERE project = ?1 AND phone = ?2",
                params![project.0, phone_to_key(&phone)],
            )?;
        }
        Ok(None)
    }

    pub(super) fn erase(&mut self, project: ProjectKey, contact: ContactId) -> Result<(), Fault> {
        let Some(view) = view(self.connection, project, contact)? else {
            return Ok(());
        };
        for channel in &view.channels {
            if let Some(phone) = number_of(channel.kind, &channel.identifier) {
                self.connection.execute(
                    "DELETE FROM number WHERE project = ?1 AND phone = ?2",
                    params![project.0, phone_to_key(&phone)],
                )?;
            }
        }
        for table in [
            "contact_address",
            "channel_record",
            "thread",
            "consent",
            "project_consent",
        ] {
            self.connection.execute(
                &format!("DELETE FROM {table} WHERE contact = ?1"),
                [contact.key()],
            )?;
        }
        self.connection.execute(
            "DELETE FROM contact WHERE project = ?1 AND id = ?2",
            params![project.0, contact.key()],
        )?;
        Ok(())
    }
}

fn channel_of<'a>(contact: &'a ContactView, id: &str) -> Option<&'a ContactChannelView> {
    contact.channels.iter().find(|it| &*it.id == id)
}

/// The number behind an address of a phone-addressed kind.
fn number_of(kind: AddressKind, identifier: &str) -> Option<PhoneNumber> {
    if kind.is_phone() {
        PhoneNumber::parse(identifier).ok()
    } else {
        None
    }
}

/// The number that a contact goes by: the first choice of the first kind that has one.
fn first_number(channels: &[ContactChannelView]) -> Option<PhoneNumber> {
    channels
        .iter()
        .filter(|it| it.is_primary)
        .find_map(|it| number_of(it.kind, &it.identifier))
}
