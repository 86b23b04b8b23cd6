//! Which questions does the process ask of the disk? All of them, and they are passed on.

use domain::ids::{
    AlertId, CampaignKey, ContactId, ConversationId, MessageId, ProjectKey, RouteKey, SenderKey,
    TemplateId, UserId,
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
use domain::time::Timestamp;
use ports::store::alerts::{AlertFilter, RouteOutcomes};
use ports::store::audit::{AuditFilter, AuditRecord};
use ports::store::books::{LedgerEntry, LedgerFilter, TallyFilter, TallyRow};
use ports::store::contacts::{ContactFilter, ContactView};
use ports::store::conversations::{
    ConversationFilter, ConversationPage, ConversationView, ProviderReference,
};
use ports::store::events::{EventFilter, EventPage, EventRecord};
use ports::store::messages::{
    DecisionRecord, IdempotencyKey, MessageFilter, MessageView, Outbound, ReceiptRecord,
};
use ports::store::operations::ApiKeyRecord;
use ports::store::phones::{Handing, PhoneBook};
use ports::store::queries::{DueMessage, LanePlace, Repeated, StoreHealth};
use ports::store::senders::{ConfiguredByApi, NumberRecord};
use ports::store::templates::{Template, TemplateFilter};
use ports::store::users::{PushKey, PushSubscription, SessionRecord, UserQueries, UserRecord};
use ports::store::webhooks::{DeadLetter, Webhook, WebhookStanding};
use ports::store::{Answer, Queries};

use super::Access;

impl Queries for Access {
    fn contact_facts(
        &self,
        project: ProjectKey,
        sender: SenderKey,
        to: &Address,
    ) -> Answer<'_, ContactFacts> {
        self.ask(self.store.contact_facts(project, sender, to))
    }

    fn earlier(
        &self,
        project: ProjectKey,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Answer<'_, Option<Repeated>> {
        self.ask(self.store.earlier(project, key, now))
    }

    fn outbound(&self, message: MessageId) -> Answer<'_, Option<Outbound>> {
        self.ask(self.store.outbound(message))
    }

    fn lane(
        &self,
        lane: Lane,
        after: Option<LanePlace>,
        limit: u16,
    ) -> Answer<'_, Vec<(LanePlace, Outbound)>> {
        self.ask(self.store.lane(lane, after, limit))
    }

    fn lanes(&self) -> Answer<'_, Vec<(Lane, u64)>> {
        self.ask(self.store.lanes())
    }

    fn due(&self, now: Timestamp, limit: u16) -> Answer<'_, Vec<DueMessage>> {
        self.ask(self.store.due(now, limit))
    }

    fn next_due(&self) -> Answer<'_, Option<Timestamp>> {
        self.ask(self.store.next_due())
    }

    fn in_hand(&self, after: Option<MessageId>, limit: u16) -> Answer<'_, Vec<Outbound>> {
        self.ask(self.store.in_hand(after, limit))
    }

    fn message(&self, project: ProjectKey, id: MessageId) -> Answer<'_, Option<MessageView>> {
        self.ask(self.store.message(project, id))
    }

    fn messages(&self, filter: MessageFilter) -> Answer<'_, Vec<MessageView>> {
        self.ask(self.store.messages(filter))
    }

    fn decisions(&self, id: MessageId) -> Answer<'_, Vec<DecisionRecord>> {
        self.ask(self.store.decisions(id))
    }

    fn receipts(&self, id: MessageId) -> Answer<'_, Vec<ReceiptRecord>> {
        self.ask(self.store.receipts(id))
    }

    fn contact(&self, project: ProjectKey, id: ContactId) -> Answer<'_, Option<ContactView>> {
        self.ask(self.store.contact(project, id))
    }

    fn contacts(&self, filter: ContactFilter) -> Answer<'_, Vec<ContactView>> {
        self.ask(self.store.contacts(filter))
    }

    fn api_key(&self, hash: [u8; 32]) -> Answer<'_, Option<ApiKeyRecord>> {
        self.ask(self.store.api_key(hash))
    }

    fn api_keys(&self, project: ProjectKey) -> Answer<'_, Vec<ApiKeyRecord>> {
        self.ask(self.store.api_keys(project))
    }

    fn conversation(
        &self,
        project: ProjectKey,
        id: ConversationId,
    ) -> Answer<'_, Option<ConversationView>> {
        self.ask(self.store.conversation(project, id))
    }

    fn conversations(&self, filter: ConversationFilter) -> Answer<'_, ConversationPage> {
        self.ask(self.store.conversations(filter))
    }

    fn unread_conversations(&self, project: ProjectKey, at_most: u16) -> Answer<'_, u16> {
        self.ask(self.store.unread_conversations(project, at_most))
    }

    fn provider_reference(&self, message: MessageId) -> Answer<'_, Option<ProviderReference>> {
        self.ask(self.store.provider_reference(message))
    }

    fn consents(&self, contact: ContactId) -> Answer<'_, Vec<ConsentRecord>> {
        self.ask(self.store.consents(contact))
    }

    fn template(&self, project: ProjectKey, id: TemplateId) -> Answer<'_, Option<Template>> {
        self.ask(self.store.template(project, id))
    }

    fn templates(&self, filter: TemplateFilter) -> Answer<'_, Vec<Template>> {
        self.ask(self.store.templates(filter))
    }

    fn all_templates(&self, after: Option<TemplateId>, limit: u16) -> Answer<'_, Vec<Template>> {
        self.ask(self.store.all_templates(after, limit))
    }

    fn configured_by_api(&self) -> Answer<'_, ConfiguredByApi> {
        self.ask(self.store.configured_by_api())
    }

    fn numbers(&self, project: ProjectKey) -> Answer<'_, Vec<NumberRecord>> {
        self.ask(self.store.numbers(project))
    }

    fn events(&self, filter: EventFilter) -> Answer<'_, EventPage> {
        self.ask(self.store.events(filter))
    }

    fn event(&self, seq: EventSeq) -> Answer<'_, Option<EventRecord>> {
        self.ask(self.store.event(seq))
    }

    fn newest_event(&self) -> Answer<'_, EventSeq> {
        self.ask(self.store.newest_event())
    }

    fn webhooks(&self) -> Answer<'_, Vec<Webhook>> {
        self.ask(self.store.webhooks())
    }

    fn webhook(&self, sender: SenderKey) -> Answer<'_, Option<Webhook>> {
        self.ask(self.store.webhook(sender))
    }

    fn webhook_standing(&self, sender: SenderKey) -> Answer<'_, Option<WebhookStanding>> {
        self.ask(self.store.webhook_standing(sender))
    }

    fn replays(&self, sender: SenderKey, limit: u16) -> Answer<'_, Vec<EventRecord>> {
        self.ask(self.store.replays(sender, limit))
    }

    fn dead_letters(
        &self,
        sender: SenderKey,
        before: Option<EventSeq>,
        limit: u16,
    ) -> Answer<'_, Vec<DeadLetter>> {
        self.ask(self.store.dead_letters(sender, before, limit))
    }

    fn routes_registered(&self) -> Answer<'_, Vec<(ProjectKey, RouteKey, Box<str>)>> {
        self.ask(self.store.routes_registered())
    }

    fn campaigns(&self, project: ProjectKey) -> Answer<'_, Vec<(CampaignKey, Box<str>)>> {
        self.ask(self.store.campaigns(project))
    }

    fn claimed(&self, project: ProjectKey) -> Answer<'_, Vec<Outbound>> {
        self.ask(self.store.claimed(project))
    }

    fn meters(&self) -> Answer<'_, Vec<(MeterOf, Meter)>> {
        self.ask(self.store.meters())
    }

    fn balances(&self, project: ProjectKey) -> Answer<'_, Vec<(Account, Micros)>> {
        self.ask(self.store.balances(project))
    }

    fn ledger(&self, filter: LedgerFilter) -> Answer<'_, Vec<LedgerEntry>> {
        self.ask(self.store.ledger(filter))
    }

    fn tallies(&self, filter: TallyFilter) -> Answer<'_, Vec<TallyRow>> {
        self.ask(self.store.tallies(filter))
    }

    fn route_controls(&self) -> Answer<'_, Vec<(RouteKey, RouteControl)>> {
        self.ask(self.store.route_controls())
    }

    fn audit(&self, filter: AuditFilter) -> Answer<'_, Vec<AuditRecord>> {
        self.ask(self.store.audit(filter))
    }

    fn alert(&self, project: ProjectKey, id: AlertId) -> Answer<'_, Option<Alert>> {
        self.ask(self.store.alert(project, id))
    }

    fn alerts(&self, filter: AlertFilter) -> Answer<'_, Vec<Alert>> {
        self.ask(self.store.alerts(filter))
    }

    fn silences(&self, now: Timestamp) -> Answer<'_, Vec<Silence>> {
        self.ask(self.store.silences(now))
    }

    fn route_outcomes(&self) -> Answer<'_, Vec<RouteOutcomes>> {
        self.ask(self.store.route_outcomes())
    }

    fn alert_mail(&self, project: ProjectKey) -> Answer<'_, Option<EventSeq>> {
        self.ask(self.store.alert_mail(project))
    }

    fn phone_book(&self, route: RouteKey, since: Timestamp, peers: u32) -> Answer<'_, PhoneBook> {
        self.ask(self.store.phone_book(route, since, peers))
    }

    fn phone_handing(&self, route: RouteKey, id: Box<str>) -> Answer<'_, Option<Handing>> {
        self.ask(self.store.phone_handing(route, id))
    }

    fn health(&self) -> Answer<'_, StoreHealth> {
        self.ask(self.store.health())
    }
}

impl UserQueries for Access {
    fn user(&self, id: UserId) -> Answer<'_, Option<UserRecord>> {
        self.ask(self.store.user(id))
    }

    fn user_by_email(&self, email: &str) -> Answer<'_, Option<UserRecord>> {
        self.ask(self.store.user_by_email(email))
    }

    fn users(&self, project: ProjectKey) -> Answer<'_, Vec<UserRecord>> {
        self.ask(self.store.users(project))
    }

    fn session(&self, hash: [u8; 32]) -> Answer<'_, Option<(SessionRecord, UserRecord)>> {
        self.ask(self.store.session(hash))
    }

    fn sessions(&self, user: UserId) -> Answer<'_, Vec<SessionRecord>> {
        self.ask(self.store.sessions(user))
    }

    fn password_link(&self, hash: [u8; 32]) -> Answer<'_, Option<(UserRecord, Timestamp)>> {
        self.ask(self.store.password_link(hash))
    }

    fn push_key(&self) -> Answer<'_, Option<PushKey>> {
        self.ask(self.store.push_key())
    }

    fn push_subscriptions(
        &self,
        project: ProjectKey,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Answer<'_, Vec<PushSubscription>> {
        self.ask(self.store.push_subscriptions(project, user, now))
    }
}
