//! Conversations: counted as messages come and go, shown, marked as read.

use std::collections::BTreeMap;

use domain::ids::{ContactId, ConversationId, MessageId, ProjectKey, RouteKey, SenderKey};
use domain::model::channel::{Channel, ChannelSet};
use domain::time::Timestamp;

use super::state::State;
use crate::store::Outcome;
use crate::store::conversations::{
    ConversationFilter, ConversationPage, ConversationView, MarkRead, ProviderReference, is_found,
};

/// What is counted of a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversation {
    channels: ChannelSet,
    message_count: u32,
    unread_count: u32,
    last_message: MessageId,
    created_at: Timestamp,
}

impl Conversation {
    /// What two conversations are as one.
    fn with(self, other: Self) -> Self {
        let both = self.channels.bits() | other.channels.bits();
        Self {
            channels: ChannelSet::from_bits(both),
            message_count: self.message_count + other.message_count,
            unread_count: self.unread_count + other.unread_count,
            last_message: self.last_message.max(other.last_message),
            created_at: self.created_at.min(other.created_at),
        }
    }
}

impl State {
    /// Counts a new message.
    pub(super) fn went_on(
        &mut self,
        (contact, sender): (ContactId, SenderKey),
        message: MessageId,
        channel: Option<Channel>,
        is_inbound: bool,
        at: Timestamp,
    ) {
        let one = Conversation {
            channels: channel.into_iter().collect(),
            message_count: 1,
            unread_count: u32::from(is_inbound),
            last_message: message,
            created_at: at,
        };
        let place = (contact, sender);
        let before = self.conversations.get(&place).copied();
        let after = before.map_or(one, |it| it.with(one));
        self.conversations.insert(place, after);
    }

    /// Notes a channel that a message of it is handed to.
    pub(super) fn went_over(&mut self, place: (ContactId, SenderKey), channel: Option<Channel>) {
        if let Some(it) = self.conversations.get_mut(&place) {
            it.channels = channel.map_or(it.channels, |channel| it.channels.with(channel));
        }
    }

    pub(super) fn mark_read(&mut self, mark: &MarkRead) -> Outcome {
        let ConversationId { contact, sender } = mark.conversation;
        let is_theirs = self.people.get(&contact).map(|it| it.project) == Some(mark.project);
        match self.conversations.get_mut(&(contact, sender)) {
            Some(it) if is_theirs => {
                it.unread_count = 0;
                Outcome::Done
            }
            Some(_) | None => Outcome::Missing,
        }
    }

    /// The conversations of one contact become another's.
    pub(super) fn move_conversations(&mut self, source: ContactId, target: ContactId) {
        let moved: Vec<_> = self
            .conversations
            .iter()
            .filter(|it| it.0.0 == source)
            .collect();
        let moved: Vec<_> = moved.into_iter().map(|it| (it.0.1, *it.1)).collect();
        for (sender, from) in moved {
            let into = self.conversations.get(&(target, sender)).copied();
            let both = into.map_or(from, |it| it.with(from));
            self.conversations.insert((target, sender), both);
            self.conversations.remove(&(source, sender));
        }
        for record in self.consents.iter_mut().filter(|it| it.0 == source) {
            record.0 = target;
        }
    }

    pub(super) fn conversation(
        &self,
        project: ProjectKey,
        id: ConversationId,
    ) -> Option<ConversationView> {
        let place = (id.contact, id.sender);
        let counted = self.conversations.get(&place)?;
        Some(ConversationView {
            id,
            contact: self.contact(project, id.contact)?,
            thread: self.threads.get(&place).copied().unwrap_or_default(),
            channels: counted.channels,
            message_count: counted.message_count,
            unread_count: counted.unread_count,
            last_message: self.message(project, counted.last_message)?,
            created_at: counted.created_at,
        })
    }

    pub(super) fn list_conversations(&self, filter: &ConversationFilter) -> ConversationPage {
        let mut found: Vec<_> = self
            .conversations
            .keys()
            .map(|(contact, sender)| ConversationId {
                contact: *contact,
                sender: *sender,
            })
            .filter_map(|it| self.conversation(filter.project, it))
            .filter(|it| fits(filter, it))
            .collect();
        found.sort_unstable_by_key(|it| std::cmp::Reverse(it.last_message.id));
        let more = found.len() > usize::from(filter.limit);
        found.truncate(filter.limit.into());
        let last = found.last().map(|it| it.last_message.id);
        ConversationPage {
            conversations: found,
            next: last.filter(|_| more),
        }
    }

    pub(super) fn unread_conversations(&self, project: ProjectKey, at_most: u16) -> u16 {
        let of = |contact| self.people.get(contact).map(|it| it.project);
        let unread = self.conversations.iter();
        let unread = unread.filter(|it| it.1.unread_count > 0 && of(&it.0.0) == Some(project));
        u16::try_from(unread.count()).map_or(at_most, |it| it.min(at_most))
    }

    pub(super) fn provider_reference(&self, id: MessageId) -> Option<ProviderReference> {
        if let Some(received) = self.received.get(&id) {
            return Some(ProviderReference {
                route: received.message.route,
                channel: received.message.channel,
                reference: received.message.provider_id.clone()?,
            });
        }
        let of_it = self.submissions.iter().filter(|it| it.1.0 == id);
        let named = of_it.filter_map(|it| Some((it, *self.answerable.get(it.0)?)));
        let ((place, _), channel) = named.max_by_key(|((place, (_, attempt, part)), _)| {
            (
                *attempt,
                std::cmp::Reverse(*part),
                std::cmp::Reverse(*place),
            )
        })?;
        Some(ProviderReference {
            route: place.0,
            channel,
            reference: place.1.clone(),
        })
    }

    /// Notes of a provider's name whether the message is found by it, too.
    pub(super) fn note_name(
        answerable: &mut BTreeMap<(RouteKey, Box<str>), Channel>,
        name: (RouteKey, Box<str>),
        channel: Option<Channel>,
    ) {
        match channel {
            Some(channel) => answerable.insert(name, channel),
            None => answerable.remove(&name),
        };
    }
}

fn fits(filter: &ConversationFilter, view: &ConversationView) -> bool {
    let addresses = view.contact.channels.iter().map(|it| &*it.identifier);
    let name = view.contact.display_name.as_deref();
    filter.sender.is_none_or(|it| it == view.id.sender)
        && filter.channel.is_none_or(|it| view.channels.contains(it))
        && (!filter.unread || view.unread_count > 0)
        && filter.before.is_none_or(|it| view.last_message.id < it)
        && filter
            .search
            .as_ref()
            .is_none_or(|it| is_found(it, name, addresses))
}
