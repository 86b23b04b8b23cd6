//! A store that can be lost with the process that used it, while what it keeps stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
use domain::time::Timestamp;
use ports::memory::MemoryStore;
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
use ports::store::webhooks::{DeadLetter, Webhook, WebhookStanding};
use ports::store::{Answer, Completion, Epoch, Op, Queries, Registered, Store, Unavailable};
use tokio::sync::mpsc;

/// One process's way to the store. Once dead it answers nothing, as after `kill -9`: queries never
/// end, and operations are dropped.
pub(crate) struct Access {
    pub(crate) disk: Arc<MemoryStore>,
    pub(crate) dead: Arc<AtomicBool>,
    /// Whether the disk has no room: nothing is committed, and that is said.
    pub(crate) full: Arc<AtomicBool>,
    /// Where operations wait for their commit, where that takes time.
    pub(crate) late: Option<mpsc::UnboundedSender<(Op, Completion)>>,
}

/// Commits operations in their order, each so long after the one before.
pub(crate) fn late(
    disk: Arc<MemoryStore>,
    each: std::time::Duration,
) -> mpsc::UnboundedSender<(Op, Completion)> {
    let (sender, mut waiting) = mpsc::unbounded_channel::<(Op, Completion)>();
    tokio::spawn(async move {
        while let Some((op, done)) = waiting.recv().await {
            tokio::time::sleep(each).await;
            disk.commit(op, done);
        }
    });
    sender
}

impl Access {
    pub(super) fn ask<'a, T: Send + 'a>(
        &'a self,
        query: impl FnOnce(&'a MemoryStore) -> Answer<'a, T>,
    ) -> Answer<'a, T> {
        if self.dead.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        query(&self.disk)
    }
}

impl Store for Access {
    /// Calls the completion on a thread of its own, which has no runtime, as a real store does.
    fn commit(&self, op: Op, done: Completion) {
        if self.dead.load(Ordering::SeqCst) {
            return;
        }
        if self.full.load(Ordering::SeqCst) {
            done(Err(Unavailable::new("the disk is full")));
            return;
        }
        match &self.late {
            Some(late) => late.send((op, done)).ok().unwrap(),
            None => std::thread::scope(|scope| {
                let writer = scope.spawn(|| self.disk.commit(op, done));
                writer.join().expect("a completion panicked");
            }),
        }
    }

    fn pending(&self) -> usize {
        self.disk.pending()
    }

    fn raise_epoch(&self) -> Answer<'_, Epoch> {
        self.ask(Store::raise_epoch)
    }

    fn register(&self, registered: Registered, now: Timestamp) -> Answer<'_, (u32, Timestamp)> {
        self.ask(|it| it.register(registered, now))
    }
}

impl Queries for Access {
    fn contact_facts(
        &self,
        project: ProjectKey,
        sender: SenderKey,
        to: &Address,
    ) -> Answer<'_, ContactFacts> {
        self.ask(|it| it.contact_facts(project, sender, to))
    }

    fn earlier(
        &self,
        project: ProjectKey,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Answer<'_, Option<Repeated>> {
        self.ask(|it| it.earlier(project, key, now))
    }

    fn outbound(&self, message: MessageId) -> Answer<'_, Option<Outbound>> {
        self.ask(|it| it.outbound(message))
    }

    fn lane(
        &self,
        lane: Lane,
        after: Option<LanePlace>,
        limit: u16,
    ) -> Answer<'_, Vec<(LanePlace, Outbound)>> {
        self.ask(|it| it.lane(lane, after, limit))
    }

    fn lanes(&self) -> Answer<'_, Vec<(Lane, u64)>> {
        self.ask(Queries::lanes)
    }

    fn due(&self, now: Timestamp, limit: u16) -> Answer<'_, Vec<DueMessage>> {
        self.ask(|it| it.due(now, limit))
    }

    fn next_due(&self) -> Answer<'_, Option<Timestamp>> {
        self.ask(Queries::next_due)
    }

    fn in_hand(&self, after: Option<MessageId>, limit: u16) -> Answer<'_, Vec<Outbound>> {
        self.ask(|it| it.in_hand(after, limit))
    }

    fn message(&self, project: ProjectKey, id: MessageId) -> Answer<'_, Option<MessageView>> {
        self.ask(|it| it.message(project, id))
    }

    fn messages(&self, filter: MessageFilter) -> Answer<'_, Vec<MessageView>> {
        self.ask(|it| it.messages(filter))
    }

    fn decisions(&self, id: MessageId) -> Answer<'_, Vec<DecisionRecord>> {
        self.ask(|it| it.decisions(id))
    }

    fn receipts(&self, id: MessageId) -> Answer<'_, Vec<ReceiptRecord>> {
        self.ask(|it| it.receipts(id))
    }

    fn contact(&self, project: ProjectKey, id: ContactId) -> Answer<'_, Option<ContactView>> {
        self.ask(|it| it.contact(project, id))
    }

    fn contacts(&self, filter: ContactFilter) -> Answer<'_, Vec<ContactView>> {
        self.ask(|it| it.contacts(filter))
    }

    fn api_key(&self, hash: [u8; 32]) -> Answer<'_, Option<ApiKeyRecord>> {
        self.ask(|it| it.api_key(hash))
    }

    fn api_keys(&self, project: ProjectKey) -> Answer<'_, Vec<ApiKeyRecord>> {
        self.ask(|it| it.api_keys(project))
    }

    fn conversation(
        &self,
        project: ProjectKey,
        id: ConversationId,
    ) -> Answer<'_, Option<ConversationView>> {
        self.ask(|it| it.conversation(project, id))
    }

    fn conversations(&self, filter: ConversationFilter) -> Answer<'_, ConversationPage> {
        self.ask(|it| it.conversations(filter))
    }

    fn unread_conversations(&self, project: ProjectKey, at_most: u16) -> Answer<'_, u16> {
        self.ask(|it| it.unread_conversations(project, at_most))
    }

    fn provider_reference(&self, message: MessageId) -> Answer<'_, Option<ProviderReference>> {
        self.ask(|it| it.provider_reference(message))
    }

    fn consents(&self, contact: ContactId) -> Answer<'_, Vec<ConsentRecord>> {
        self.ask(|it| it.consents(contact))
    }

    fn template(&self, project: ProjectKey, id: TemplateId) -> Answer<'_, Option<Template>> {
        self.ask(|it| it.template(project, id))
    }

    fn templates(&self, filter: TemplateFilter) -> Answer<'_, Vec<Template>> {
        self.ask(|it| it.templates(filter))
    }

    fn all_templates(&self, after: Option<TemplateId>, limit: u16) -> Answer<'_, Vec<Template>> {
        self.ask(|it| it.all_templates(after, limit))
    }

    fn configured_by_api(&self) -> Answer<'_, ConfiguredByApi> {
        self.ask(Queries::configured_by_api)
    }

    fn numbers(&self, project: ProjectKey) -> Answer<'_, Vec<NumberRecord>> {
        self.ask(|it| it.numbers(project))
    }

    fn events(&self, filter: EventFilter) -> Answer<'_, EventPage> {
        self.ask(|it| it.events(filter))
    }

    fn event(&self, seq: EventSeq) -> Answer<'_, Option<EventRecord>> {
        self.ask(|it| it.event(seq))
    }

    fn newest_event(&self) -> Answer<'_, EventSeq> {
        self.ask(Queries::newest_event)
    }

    fn webhooks(&self) -> Answer<'_, Vec<Webhook>> {
        self.ask(Queries::webhooks)
    }

    fn webhook(&self, sender: SenderKey) -> Answer<'_, Option<Webhook>> {
        self.ask(|it| it.webhook(sender))
    }

    fn webhook_standing(&self, sender: SenderKey) -> Answer<'_, Option<WebhookStanding>> {
        self.ask(|it| it.webhook_standing(sender))
    }

    fn replays(&self, sender: SenderKey, limit: u16) -> Answer<'_, Vec<EventRecord>> {
        self.ask(|it| it.replays(sender, limit))
    }

    fn dead_letters(
        &self,
        sender: SenderKey,
        before: Option<EventSeq>,
        limit: u16,
    ) -> Answer<'_, Vec<DeadLetter>> {
        self.ask(|it| it.dead_letters(sender, before, limit))
    }

    fn routes_registered(&self) -> Answer<'_, Vec<(ProjectKey, RouteKey, Box<str>)>> {
        self.ask(Queries::routes_registered)
    }

    fn campaigns(&self, project: ProjectKey) -> Answer<'_, Vec<(CampaignKey, Box<str>)>> {
        self.ask(|it| it.campaigns(project))
    }

    fn claimed(&self, project: ProjectKey) -> Answer<'_, Vec<Outbound>> {
        self.ask(|it| it.claimed(project))
    }

    fn meters(&self) -> Answer<'_, Vec<(MeterOf, Meter)>> {
        self.ask(Queries::meters)
    }

    fn balances(&self, project: ProjectKey) -> Answer<'_, Vec<(Account, Micros)>> {
        self.ask(|it| it.balances(project))
    }

    fn ledger(&self, filter: LedgerFilter) -> Answer<'_, Vec<LedgerEntry>> {
        self.ask(|it| it.ledger(filter))
    }

    fn tallies(&self, filter: TallyFilter) -> Answer<'_, Vec<TallyRow>> {
        self.ask(|it| it.tallies(filter))
    }

    fn route_controls(&self) -> Answer<'_, Vec<(RouteKey, RouteControl)>> {
        self.ask(Queries::route_controls)
    }

    fn audit(&self, filter: AuditFilter) -> Answer<'_, Vec<AuditRecord>> {
        self.ask(|it| it.audit(filter))
    }

    fn alert(&self, project: ProjectKey, id: AlertId) -> Answer<'_, Option<Alert>> {
        self.ask(|it| it.alert(project, id))
    }

    fn alerts(&self, filter: AlertFilter) -> Answer<'_, Vec<Alert>> {
        self.ask(|it| it.alerts(filter))
    }

    fn silences(&self, now: Timestamp) -> Answer<'_, Vec<Silence>> {
        self.ask(|it| it.silences(now))
    }

    fn route_outcomes(&self) -> Answer<'_, Vec<RouteOutcomes>> {
        self.ask(|it| it.route_outcomes())
    }

    fn alert_mail(&self, project: ProjectKey) -> Answer<'_, Option<EventSeq>> {
        self.ask(|it| it.alert_mail(project))
    }

    fn phone_book(&self, route: RouteKey, since: Timestamp, peers: u32) -> Answer<'_, PhoneBook> {
        self.ask(move |it| it.phone_book(route, since, peers))
    }

    fn phone_handing(&self, route: RouteKey, id: Box<str>) -> Answer<'_, Option<Handing>> {
        self.ask(move |it| it.phone_handing(route, id))
    }

    fn health(&self) -> Answer<'_, StoreHealth> {
        self.ask(Queries::health)
    }
}
