//! The queries: what is read. Each answers from a state at least as new as every operation whose
//! completion was called before the query was made.

use domain::ids::{
    AlertId, CampaignKey, ContactId, ConversationId, MessageId, ProjectKey, RouteKey, SenderKey,
    TemplateId,
};
use domain::model::address::Address;
use domain::model::alert::{Alert, Silence};
use domain::model::consent::ConsentRecord;
use domain::model::contact::ContactFacts;
use domain::model::control::RouteControl;
use domain::model::event::EventSeq;
use domain::model::ledger::Account;
use domain::model::money::Micros;
use domain::model::progress::Lane;
use domain::model::quota::{Meter, MeterOf};
use domain::rules::due::Due;
use domain::time::Timestamp;

use super::Answer;
use super::alerts::{AlertFilter, RouteOutcomes};
use super::audit::{AuditFilter, AuditRecord};
use super::books::{LedgerEntry, LedgerFilter, TallyFilter, TallyRow};
use super::contacts::{ContactFilter, ContactView};
use super::conversations::{
    ConversationFilter, ConversationPage, ConversationView, ProviderReference,
};
use super::events::{EventFilter, EventPage, EventRecord};
use super::messages::{
    DecisionRecord, IdempotencyKey, MessageFilter, MessageView, Outbound, ReceiptRecord,
};
use super::operations::ApiKeyRecord;
use super::phones::{Handing, PhoneBook};
use super::senders::{ConfiguredByApi, NumberRecord};
use super::templates::{Template, TemplateFilter};
use super::users::UserQueries;
use super::webhooks::{DeadLetter, Webhook, WebhookStanding};

/// A place in a lane: lanes are in the order of (due time, id) (R-ORDER).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LanePlace {
    /// When it was due: the later of acceptance and schedule.
    pub due: Timestamp,
    /// Its id.
    pub message: MessageId,
}

/// What is due, and of which message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueMessage {
    /// Which message.
    pub message: MessageId,
    /// What.
    pub due: Due,
}

/// An idempotency key that was used before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repeated {
    /// The message that it was used for.
    pub original: MessageId,
    /// The first field that differs, when the request is not the same.
    pub differs: Option<Box<str>>,
}

/// Counts for the operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StoreHealth {
    /// SQLite's `synchronous`, read back on the writer's connection: 2 is FULL; `None` elsewhere.
    pub synchronous: Option<i64>,
    /// Messages that wait in lanes.
    pub backlog: u64,
}

/// Everything that can be asked.
pub trait Queries: UserQueries {
    /// What is known of the person with this address, for this sender; the default for a stranger,
    /// but for what the contact that had the address and was erased wants no more.
    fn contact_facts(
        &self,
        project: ProjectKey,
        sender: SenderKey,
        to: &Address,
    ) -> Answer<'_, ContactFacts>;

    /// The message, ready to go on with; `None` when there is none or it is inbound.
    fn outbound(&self, message: MessageId) -> Answer<'_, Option<Outbound>>;

    /// The first messages of a lane after `after`, in order, at most `limit`.
    fn lane(
        &self,
        lane: Lane,
        after: Option<LanePlace>,
        limit: u16,
    ) -> Answer<'_, Vec<(LanePlace, Outbound)>>;

    /// Every lane that is not empty, with its number of messages.
    fn lanes(&self) -> Answer<'_, Vec<(Lane, u64)>>;

    /// What is due at `now` or before, earliest first, at most `limit`.
    fn due(&self, now: Timestamp, limit: u16) -> Answer<'_, Vec<DueMessage>>;

    /// When the next thing is due.
    fn next_due(&self) -> Answer<'_, Option<Timestamp>>;

    /// Messages whose attempt is in the hands of a route, after `after`, at most `limit`: at
    /// start, what the last owner left.
    fn in_hand(&self, after: Option<MessageId>, limit: u16) -> Answer<'_, Vec<Outbound>>;

    /// A message of the project, for show.
    fn message(&self, project: ProjectKey, id: MessageId) -> Answer<'_, Option<MessageView>>;

    /// Messages of the project, newest first.
    fn messages(&self, filter: MessageFilter) -> Answer<'_, Vec<MessageView>>;

    /// The decisions made for a message, oldest first.
    fn decisions(&self, id: MessageId) -> Answer<'_, Vec<DecisionRecord>>;

    /// The receipts kept for a message, oldest first.
    fn receipts(&self, id: MessageId) -> Answer<'_, Vec<ReceiptRecord>>;

    /// A contact of the project.
    fn contact(&self, project: ProjectKey, id: ContactId) -> Answer<'_, Option<ContactView>>;

    /// Contacts of the project, newest first.
    fn contacts(&self, filter: ContactFilter) -> Answer<'_, Vec<ContactView>>;

    /// The message that this idempotency key was used for in the 24 h before `now` (R-LIFE-3).
    /// [`Accept`](super::operations::Accept) looks again: this is for requests that the rules
    /// would refuse now although the first was taken.
    fn earlier(
        &self,
        project: ProjectKey,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Answer<'_, Option<Repeated>>;

    /// The key with this SHA-256, also when revoked.
    fn api_key(&self, hash: [u8; 32]) -> Answer<'_, Option<ApiKeyRecord>>;

    /// The project's keys, newest first.
    fn api_keys(&self, project: ProjectKey) -> Answer<'_, Vec<ApiKeyRecord>>;

    /// A conversation of the project.
    fn conversation(
        &self,
        project: ProjectKey,
        id: ConversationId,
    ) -> Answer<'_, Option<ConversationView>>;

    /// Conversations of the project, newest message first.
    fn conversations(&self, filter: ConversationFilter) -> Answer<'_, ConversationPage>;

    /// How many conversations of the project have something unread; it is not counted beyond `at_most`.
    fn unread_conversations(&self, project: ProjectKey, at_most: u16) -> Answer<'_, u16>;

    /// The provider's id of a message: of an inbound one, or of the newest attempt of an outbound
    /// one that a provider took on a channel on which messages can be answered and reacted to. Text
    /// messages cannot.
    fn provider_reference(&self, message: MessageId) -> Answer<'_, Option<ProviderReference>>;

    /// What changed a contact's consent, oldest first.
    fn consents(&self, contact: ContactId) -> Answer<'_, Vec<ConsentRecord>>;

    /// A template of the project.
    fn template(&self, project: ProjectKey, id: TemplateId) -> Answer<'_, Option<Template>>;

    /// Templates of the project, newest first.
    fn templates(&self, filter: TemplateFilter) -> Answer<'_, Vec<Template>>;

    /// Templates of every project after `after`, oldest first, at most `limit`: at start.
    fn all_templates(&self, after: Option<TemplateId>, limit: u16) -> Answer<'_, Vec<Template>>;

    /// Everything that was configured by the API: at start.
    fn configured_by_api(&self) -> Answer<'_, ConfiguredByApi>;

    /// The phone numbers that the project says it has, in the order of the numbers.
    fn numbers(&self, project: ProjectKey) -> Answer<'_, Vec<NumberRecord>>;

    /// Events in order (R-MON-1).
    fn events(&self, filter: EventFilter) -> Answer<'_, EventPage>;

    /// The event at this place, where it is kept.
    fn event(&self, seq: EventSeq) -> Answer<'_, Option<EventRecord>>;

    /// The place of the newest event; zero before the first.
    fn newest_event(&self) -> Answer<'_, EventSeq>;

    /// Every sender's endpoint (R-MON-2).
    fn webhooks(&self) -> Answer<'_, Vec<Webhook>>;

    /// The endpoint of a sender.
    fn webhook(&self, sender: SenderKey) -> Answer<'_, Option<Webhook>>;

    /// The endpoint of a sender, with what waits for it.
    fn webhook_standing(&self, sender: SenderKey) -> Answer<'_, Option<WebhookStanding>>;

    /// The first events to be delivered again to a sender's endpoint, in order.
    fn replays(&self, sender: SenderKey, limit: u16) -> Answer<'_, Vec<EventRecord>>;

    /// The events that a sender's endpoint was given up on, newest first, before `before`.
    fn dead_letters(
        &self,
        sender: SenderKey,
        before: Option<EventSeq>,
        limit: u16,
    ) -> Answer<'_, Vec<DeadLetter>>;

    /// Every route that was ever given a short name, with its project and its id.
    fn routes_registered(&self) -> Answer<'_, Vec<(ProjectKey, RouteKey, Box<str>)>>;

    /// The campaigns of the project with their names, in the order of their keys.
    fn campaigns(&self, project: ProjectKey) -> Answer<'_, Vec<(CampaignKey, Box<str>)>>;

    /// Messages of the project that a person has, oldest first (R-PHONE-2).
    fn claimed(&self, project: ProjectKey) -> Answer<'_, Vec<Outbound>>;

    /// What every route and project has used (R-QUOTA-1).
    fn meters(&self) -> Answer<'_, Vec<(MeterOf, Meter)>>;

    /// The accounts of the project, with what is in them; those that nothing moved on are left out.
    fn balances(&self, project: ProjectKey) -> Answer<'_, Vec<(Account, Micros)>>;

    /// Lines of the project's ledger, newest first (R-COST-1).
    fn ledger(&self, filter: LedgerFilter) -> Answer<'_, Vec<LedgerEntry>>;

    /// Sums of tallies (R-METRIC-4), in the order of hour, route, sender, country, class
    /// and campaign.
    fn tallies(&self, filter: TallyFilter) -> Answer<'_, Vec<TallyRow>>;
    /// Every person's word over a route, in the order of the routes: at start.
    fn route_controls(&self) -> Answer<'_, Vec<(RouteKey, RouteControl)>>;

    /// Lines of the audit log, newest first.
    fn audit(&self, filter: AuditFilter) -> Answer<'_, Vec<AuditRecord>>;

    /// An alert of the project.
    fn alert(&self, project: ProjectKey, id: AlertId) -> Answer<'_, Option<Alert>>;

    /// Alerts, newest first.
    fn alerts(&self, filter: AlertFilter) -> Answer<'_, Vec<Alert>>;

    /// The silences of every project that hold at `now`, by number.
    fn silences(&self, now: Timestamp) -> Answer<'_, Vec<Silence>>;

    /// Up to which event a project's alerts were sent by e-mail; `None` where none ever was.
    fn alert_mail(&self, project: ProjectKey) -> Answer<'_, Option<EventSeq>>;

    /// How messages of every route ended of late, in the order of the routes: at start.
    fn route_outcomes(&self) -> Answer<'_, Vec<RouteOutcomes>>;

    /// Everything that the pool of phones on this route knows, what was handed since `since` and at
    /// most `peers` of the newest peers among it: at start.
    fn phone_book(&self, route: RouteKey, since: Timestamp, peers: u32) -> Answer<'_, PhoneBook>;

    /// What was handed to a phone of this route under this id.
    fn phone_handing(&self, route: RouteKey, id: Box<str>) -> Answer<'_, Option<Handing>>;

    /// For probes and the operator.
    fn health(&self) -> Answer<'_, StoreHealth>;
}
