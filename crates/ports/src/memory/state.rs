//! What the model holds, and which operation does what to it.

use std::collections::BTreeMap;

use domain::ids::{
    ApiKeyId, CampaignKey, ContactId, MessageId, ProjectKey, RouteKey, SenderKey, TemplateId,
};
use domain::model::address::Address;
use domain::model::audit::AuditEntry;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentRecord, Standing, Standings};
use domain::model::contact::{AddressKind, ChannelFacts, ThreadFacts};
use domain::model::progress::Progress;
use domain::time::{Millis, Timestamp};

use super::books::Books;
use super::conversations::Conversation;
use super::history::History;
use super::phones::Phones;
use super::publishing::Publishing;
use super::users::Users;
use crate::store::contacts::ContactChannelView;
use crate::store::fold::KeySequence;
use crate::store::messages::{DecisionRecord, InboundMessage, NewMessage, ReceiptRecord};
use crate::store::operations::{ApiKeyRecord, KeyChange, Receipt};
use crate::store::senders::{NumberRecord, SenderRecord};
use crate::store::templates::Template;
use crate::store::{Epoch, Op, Outcome, Registered};

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    pub(super) capability_memory: Millis,
    pub(super) epoch: Epoch,
    pub(super) keys: KeySequence,
    pub(super) registry: BTreeMap<Registered, (u32, Timestamp)>,
    pub(super) people: BTreeMap<ContactId, Person>,
    pub(super) records: BTreeMap<(ContactId, Channel), Record>,
    pub(super) threads: BTreeMap<(ContactId, SenderKey), ThreadFacts>,
    pub(super) conversations: BTreeMap<(ContactId, SenderKey), Conversation>,
    pub(super) consents: Vec<(ContactId, ConsentRecord)>,
    /// What contacts told the whole project; a thread has its own copy.
    pub(super) told_all: BTreeMap<ContactId, Standing>,
    /// What was wanted no more by contacts that are erased.
    pub(super) suppressed: BTreeMap<(ProjectKey, Address), Standings>,
    pub(super) sent: BTreeMap<MessageId, Sent>,
    pub(super) received: BTreeMap<MessageId, Received>,
    /// The provider's names: message, attempt, part.
    pub(super) submissions: BTreeMap<(RouteKey, Box<str>), (MessageId, u8, u16)>,
    /// Of these, the channels of those that are found by message, too.
    pub(super) answerable: BTreeMap<(RouteKey, Box<str>), Channel>,
    /// Receipts that found nothing, in the order of arrival.
    pub(super) parked: Vec<Receipt>,
    pub(super) idempotency: BTreeMap<(ProjectKey, Box<str>), Earlier>,
    pub(super) api_keys: BTreeMap<ApiKeyId, ApiKeyRecord>,
    pub(super) templates: BTreeMap<TemplateId, Template>,
    pub(super) api_senders: BTreeMap<SenderKey, SenderRecord>,
    pub(super) default_senders: BTreeMap<ProjectKey, SenderKey>,
    pub(super) numbers: BTreeMap<(ProjectKey, Box<str>), NumberRecord>,
    pub(super) publishing: Publishing,
    pub(super) books: Books,
    pub(super) users: Users,
    pub(super) history: History,
    pub(super) phones: Phones,
}

/// A contact. One that a message made has the addresses that its number implies.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) project: ProjectKey,
    pub(super) display_name: Option<Box<str>>,
    pub(super) default_channel: Option<AddressKind>,
    pub(super) metadata: Option<Box<str>>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// In the order of (kind, identifier); what is known of the channels stands in the records.
    pub(super) channels: Vec<ContactChannelView>,
}

/// What is known of a contact on one channel.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Record {
    pub(super) facts: ChannelFacts,
    pub(super) last_inbound_at: Option<Timestamp>,
}

/// An outbound message.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) contact: ContactId,
    pub(super) message: NewMessage,
    pub(super) progress: Progress,
    pub(super) updated_at: Timestamp,
    pub(super) decisions: Vec<DecisionRecord>,
    pub(super) receipts: Vec<ReceiptRecord>,
}

/// An inbound message.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) contact: ContactId,
    pub(super) message: InboundMessage,
}

/// The request that an idempotency key was used for.
#[derive(Debug)]
pub(super) struct Earlier {
    pub(super) message: MessageId,
    pub(super) at: Timestamp,
    pub(super) fields: Vec<(&'static str, u64)>,
}

impl State {
    pub(super) fn new(capability_memory: Millis) -> Self {
        Self {
            capability_memory,
            epoch: Epoch(0),
            keys: KeySequence::default(),
            registry: BTreeMap::new(),
            people: BTreeMap::new(),
            records: BTreeMap::new(),
            threads: BTreeMap::new(),
            conversations: BTreeMap::new(),
            consents: Vec::new(),
            told_all: BTreeMap::new(),
            suppressed: BTreeMap::new(),
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
            submissions: BTreeMap::new(),
            answerable: BTreeMap::new(),
            parked: Vec::new(),
            idempotency: BTreeMap::new(),
            api_keys: BTreeMap::new(),
            templates: BTreeMap::new(),
            api_senders: BTreeMap::new(),
            default_senders: BTreeMap::new(),
            numbers: BTreeMap::new(),
            publishing: Publishing::default(),
            books: Books::default(),
            users: Users::default(),
            history: History::default(),
            phones: Phones::default(),
        }
    }

    pub(super) fn apply(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Accept(accept) => self.accept(accept),
            Op::Plan(plan) => self.plan(plan),
            Op::Start(start) => self.start(start),
            Op::Release(release) => self.release(release),
            Op::Submitted(submitted) => self.submitted(submitted),
            Op::Receipt(receipt) => self.receipt(receipt),
            Op::Settle(settle) => self.settle(settle),
            Op::Billed(billed) => self.billed(billed),
            Op::Interrupted(interrupted) => self.interrupted(interrupted),
            Op::Inbound(inbound) => self.inbound(inbound),
            Op::Keyword(it) => {
                let outcome = self.inbound(&it.inbound);
                if let Some(answer) = it.owed(&outcome, self.epoch) {
                    self.accept(&answer);
                }
                outcome
            }
            Op::Contact {
                project,
                change,
                at,
            } => Outcome::Contact(self.change_contact(*project, change, *at)),
            Op::Key(change) => self.change_key(change),
            Op::Sender(change) => self.change_sender(change),
            Op::Prune {
                keys_before,
                receipts_before,
                limit,
            } => {
                self.prune(*keys_before, *receipts_before, (*limit).into());
                Outcome::Done
            }
            Op::Consent(consent) => self.consent(consent),
            Op::MarkRead(mark) => self.mark_read(mark),
            Op::Template {
                project,
                change,
                at,
            } => Outcome::Template(self.change_template(*project, change, *at)),
            Op::Webhook(change) => self.publishing.change(change),
            Op::Delivery(delivery) => self.delivery(delivery),
            Op::PruneEvents(prune) => self.publishing.prune(prune),
            Op::Phone(change) => {
                self.phones.change(change);
                Outcome::Done
            }
            Op::Person(step) => self.person(step),
            Op::Deposit(deposit) => self.books.deposit(deposit),
            Op::User(change) => self.users.change(change),
            Op::Audited(it) => {
                let outcome = self.apply(&it.op);
                if let Some(entry) = it.told(&outcome) {
                    self.history.add_audit(entry);
                }
                outcome
            }
            Op::Audit(entry) => {
                self.history.add_audit(AuditEntry::clone(entry));
                Outcome::Done
            }
            Op::Control(change) => self.history.change_control(change),
            Op::Alert(step) => self.alert_step(step),
            Op::PruneHistory(prune) => {
                self.history.prune(*prune);
                Outcome::Done
            }
        }
    }

    pub(super) fn register(&mut self, registered: Registered, now: Timestamp) -> (u32, Timestamp) {
        let same_kind =
            |it: &&Registered| std::mem::discriminant(*it) == std::mem::discriminant(&registered);
        let count = self.registry.keys().filter(same_kind).count();
        let next = u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
        *self.registry.entry(registered).or_insert((next, now))
    }

    pub(super) fn campaigns(&self, of: ProjectKey) -> Vec<(CampaignKey, Box<str>)> {
        let named = self
            .registry
            .iter()
            .filter_map(|(name, (key, _))| match name {
                Registered::Campaign(project, id) if *project == of => {
                    Some((CampaignKey(*key), id.clone()))
                }
                Registered::Campaign(..)
                | Registered::Route(..)
                | Registered::Project(_)
                | Registered::Sender(..) => None,
            });
        let mut named: Vec<_> = named.collect();
        named.sort_unstable_by_key(|it| it.0);
        named
    }

    pub(super) fn routes_registered(&self) -> Vec<(ProjectKey, RouteKey, Box<str>)> {
        let routes = self
            .registry
            .iter()
            .filter_map(|(name, (key, _))| match name {
                Registered::Route(project, id) => Some((*project, RouteKey(*key), id.clone())),
                Registered::Project(_) | Registered::Sender(..) | Registered::Campaign(..) => None,
            });
        let mut routes: Vec<_> = routes.collect();
        routes.sort_unstable_by_key(|it| it.1);
        routes
    }

    fn change_key(&mut self, change: &KeyChange) -> Outcome {
        match change {
            KeyChange::Create(key) => {
                self.api_keys.insert(key.id, key.clone());
            }
            KeyChange::Revoke { project, id, at } => {
                let key = self
                    .api_keys
                    .get_mut(id)
                    .filter(|it| it.project == *project);
                let Some(key) = key else {
                    return Outcome::Missing;
                };
                key.revoked_at.get_or_insert(*at);
            }
        }
        Outcome::Done
    }

    pub(super) fn list_api_keys(&self, project: ProjectKey) -> Vec<ApiKeyRecord> {
        let mut keys: Vec<_> = self
            .api_keys
            .values()
            .filter(|it| it.project == project)
            .cloned()
            .collect();
        keys.sort_by_key(|it| std::cmp::Reverse((it.created_at, it.id)));
        keys
    }

    fn prune(&mut self, keys_before: Timestamp, receipts_before: Timestamp, limit: usize) {
        let mut old: Vec<_> = self
            .idempotency
            .iter()
            .filter(|it| it.1.at < keys_before)
            .map(|it| (it.1.at, it.0.clone()))
            .collect();
        old.sort_unstable();
        for (_, key) in old.into_iter().take(limit) {
            self.idempotency.remove(&key);
        }
        self.books.prune_keys(keys_before, limit);
        let mut left = limit;
        self.parked.retain(|it| {
            let goes = it.at < receipts_before && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}
