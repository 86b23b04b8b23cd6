//! The queries.

use domain::ids::{ContactId, ConversationId, MessageId, ProjectKey, SenderKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::contact::ContactFacts;
use domain::model::message::{Direction, Status};
use domain::model::progress::{Lane, Waiting};
use domain::rules::due::next_due;
use domain::time::Timestamp;
use std::collections::BTreeMap;

use super::state::{Person, Sent, State};
use crate::store::fold;
use crate::store::messages::{MessageFilter, MessageView, Outbound, Quoted, ViewKind};
use crate::store::queries::{DueMessage, LanePlace};

impl State {
    pub(super) fn facts(
        &self,
        project: ProjectKey,
        contact: Option<ContactId>,
        to: &Address,
        sender: SenderKey,
    ) -> ContactFacts {
        let Some(id) = contact.filter(|it| self.people.contains_key(it)) else {
            return ContactFacts {
                thread: self.standing_of(project, to, sender).into(),
                ..ContactFacts::default()
            };
        };
        let mut facts = ContactFacts {
            id: Some(id),
            addresses: self
                .people
                .get(&id)
                .map(Person::addresses)
                .unwrap_or_default(),
            ..ContactFacts::default()
        };
        for channel in Channel::ALL {
            let record = self
                .records
                .get(&(id, channel))
                .copied()
                .unwrap_or_default();
            *facts.on_mut(channel) = record.facts;
        }
        let thread = self.threads.get(&(id, sender)).copied();
        let all = || self.told_all.get(&id).copied().unwrap_or_default();
        facts.thread = thread.unwrap_or_else(|| all().into());
        facts
    }

    pub(super) fn outbound(&self, id: MessageId) -> Option<Outbound> {
        let sent = self.sent.get(&id)?;
        Some(Outbound {
            id,
            contact: sent.contact,
            message: sent.message.clone(),
            progress: sent.progress.clone(),
            facts: self.facts(
                sent.message.project,
                Some(sent.contact),
                &sent.message.to,
                sent.message.sender,
            ),
        })
    }

    pub(super) fn lane(
        &self,
        lane: Lane,
        after: Option<LanePlace>,
        limit: usize,
    ) -> Vec<(LanePlace, Outbound)> {
        let mut places: Vec<_> = self
            .sent
            .iter()
            .filter(|it| it.1.progress.waiting == Waiting::Lane(lane))
            .map(|(id, sent)| LanePlace {
                due: fold::place(&sent.message),
                message: *id,
            })
            .filter(|it| after.is_none_or(|after| *it > after))
            .collect();
        places.sort_unstable();
        let outbound = |it: LanePlace| self.outbound(it.message).map(|found| (it, found));
        places
            .into_iter()
            .take(limit)
            .filter_map(outbound)
            .collect()
    }

    pub(super) fn lanes(&self) -> Vec<(Lane, u64)> {
        let mut lanes = BTreeMap::<Lane, u64>::new();
        for sent in self.sent.values() {
            if let Waiting::Lane(lane) = sent.progress.waiting {
                *lanes.entry(lane).or_default() += 1;
            }
        }
        lanes.into_iter().collect()
    }

    pub(super) fn all_due(&self) -> impl Iterator<Item = DueMessage> {
        let due = |it: (&MessageId, &Sent)| {
            Some(DueMessage {
                message: *it.0,
                due: next_due(&it.1.progress)?,
            })
        };
        self.sent.iter().filter_map(due)
    }

    pub(super) fn due(&self, now: Timestamp, limit: usize) -> Vec<DueMessage> {
        let mut due: Vec<_> = self.all_due().filter(|it| it.due.at <= now).collect();
        due.sort_unstable_by_key(|it| (it.due.at, it.message));
        due.truncate(limit);
        due
    }

    pub(super) fn in_hand(&self, after: Option<MessageId>, limit: usize) -> Vec<Outbound> {
        self.sent
            .iter()
            .filter(|it| after.is_none_or(|after| *it.0 > after))
            .filter(|it| fold::is_in_hand(&it.1.progress))
            .take(limit)
            .filter_map(|it| self.outbound(*it.0))
            .collect()
    }

    /// Whom an outbound message is for, unless it is erased.
    pub(super) fn recipient(&self, id: MessageId) -> Option<ContactId> {
        let contact = self.sent.get(&id)?.contact;
        self.people.contains_key(&contact).then_some(contact)
    }

    pub(super) fn message(&self, project: ProjectKey, id: MessageId) -> Option<MessageView> {
        let mut view = self.message_alone(project, id)?;
        let quoted = self.quoted_by(&view);
        let quoted = quoted.and_then(|it| self.message_alone(project, it));
        view.quoted = quoted.map(|it| Box::new(Quoted::of(&it)));
        Some(view)
    }

    /// The message that an inbound one answers, by the provider's id.
    fn quoted_by(&self, view: &MessageView) -> Option<MessageId> {
        let ViewKind::Inbound(inbound) = &view.kind else {
            return None;
        };
        let name = inbound.quotes.as_ref()?;
        let received = self.received.iter().find(|(_, it)| {
            it.message.route == inbound.route && it.message.provider_id.as_ref() == Some(name)
        });
        let sent = || self.submissions.get(&(inbound.route, name.clone()));
        received.map(|it| *it.0).or_else(|| sent().map(|it| it.0))
    }

    fn message_alone(&self, project: ProjectKey, id: MessageId) -> Option<MessageView> {
        let known = |it: ContactId| Some(it).filter(|it| self.people.contains_key(it));
        if let Some(sent) = self
            .sent
            .get(&id)
            .filter(|it| it.message.project == project)
        {
            return Some(MessageView {
                id,
                direction: Direction::Outbound,
                contact: known(sent.contact),
                status: sent.progress.status,
                updated_at: sent.updated_at,
                quoted: None,
                kind: ViewKind::Outbound {
                    message: Box::new(sent.message.clone()),
                    progress: Box::new(sent.progress.clone()),
                    decision: sent
                        .decisions
                        .last()
                        .map(|it| Box::new(it.decision.clone())),
                },
            });
        }
        let received = self
            .received
            .get(&id)
            .filter(|it| it.message.project == project)?;
        Some(MessageView {
            id,
            direction: Direction::Inbound,
            contact: known(received.contact),
            status: Status::Received,
            updated_at: received.message.received_at,
            quoted: None,
            kind: ViewKind::Inbound(Box::new(received.message.clone())),
        })
    }

    pub(super) fn list_messages(&self, filter: &MessageFilter) -> Vec<MessageView> {
        let mut ids: Vec<_> = self
            .sent
            .keys()
            .chain(self.received.keys())
            .copied()
            .collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.into_iter()
            .filter(|it| filter.before.is_none_or(|before| *it < before))
            .filter_map(|it| self.message(filter.project, it))
            .filter(|it| self.fits(filter, it))
            .take(filter.limit.into())
            .collect()
    }

    fn fits(&self, filter: &MessageFilter, view: &MessageView) -> bool {
        let (peer, sender, channel) = match &view.kind {
            ViewKind::Outbound {
                message, progress, ..
            } => {
                let channel = progress.last_attempt().map(|it| it.channel);
                (&message.to, message.sender, channel)
            }
            ViewKind::Inbound(it) => (&it.from, it.sender, Some(it.channel)),
        };
        let holder = || self.contact_with(filter.project, peer);
        let conversation = |contact| ConversationId { contact, sender };
        filter.status.is_none_or(|it| it == view.status)
            && filter
                .conversation
                .is_none_or(|it| view.contact.map(conversation) == Some(it))
            && filter.channel.is_none_or(|it| Some(it) == channel)
            && filter
                .to
                .as_ref()
                .is_none_or(|it| it == peer && view.contact.is_some() && view.contact == holder())
    }
}
