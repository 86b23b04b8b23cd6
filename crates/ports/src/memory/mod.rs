//! The store in memory: the model of the operations in plain maps, by which the tests of other
//! stores know what is right, and on which the engine's tests run.
//!
//! Nothing here is fast: what another store keeps an index for is found by looking at everything.

mod accepting;
mod books;
mod consent;
mod contacts;
mod conversations;
mod history;
mod phones;
mod publishing;
mod receiving;
mod senders;
mod state;
mod steps;
mod templates;
mod users;
mod views;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
use domain::time::{Millis, Timestamp};

use crate::store::alerts::{AlertFilter, RouteOutcomes};
use crate::store::audit::{AuditFilter, AuditRecord};
use crate::store::books::{LedgerEntry, LedgerFilter, TallyFilter, TallyRow};
use crate::store::contacts::{ContactFilter, ContactView};
use crate::store::conversations::{
    ConversationFilter, ConversationPage, ConversationView, ProviderReference,
};
use crate::store::events::{EventFilter, EventPage, EventRecord};
use crate::store::messages::{
    DecisionRecord, IdempotencyKey, MessageFilter, MessageView, Outbound, ReceiptRecord,
};
use crate::store::operations::ApiKeyRecord;
use crate::store::phones::{Handing, PhoneBook};
use crate::store::queries::{DueMessage, LanePlace, Repeated, StoreHealth};
use crate::store::senders::{ConfiguredByApi, NumberRecord};
use crate::store::templates::{Template, TemplateFilter};
use crate::store::webhooks::{DeadLetter, Webhook, WebhookStanding};
use crate::store::{Answer, Completion, Epoch, Op, Queries, Registered, Store};
use state::State;

/// Keeps everything in memory.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    queue: Mutex<Queue>,
}

/// Operations that wait, because a completion of another one is being called.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Op, Completion)>,
    is_served: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store that remembers so long that a contact does not have a channel.
    pub fn new(capability_memory: Millis) -> Self {
        Self {
            state: Mutex::new(State::new(capability_memory)),
            queue: Mutex::default(),
        }
    }

    fn answer<T: Send + 'static>(&self, query: impl FnOnce(&State) -> T) -> Answer<'_, T> {
        let answer = query(&lock(&self.state));
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Default for MemoryStore {
    /// With the default of 30 days.
    fn default() -> Self {
        Self::new(Millis::days(30))
    }
}

/// A panic of another test thread does not spoil the maps: every change is made of whole steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    /// Calls `done` at once; within a completion, after that completion.
    fn commit(&self, op: Op, done: Completion) {
        let mut queue = lock(&self.queue);
        queue.waiting.push_back((op, done));
        if queue.is_served {
            return;
        }
        queue.is_served = true;
        while let Some((op, done)) = queue.waiting.pop_front() {
            drop(queue);
            let outcome = lock(&self.state).apply(&op);
            done(Ok(outcome));
            queue = lock(&self.queue);
        }
        queue.is_served = false;
    }

    fn pending(&self) -> usize {
        lock(&self.queue).waiting.len()
    }

    fn raise_epoch(&self) -> Answer<'_, Epoch> {
        let mut state = lock(&self.state);
        state.epoch = Epoch(state.epoch.0 + 1);
        Box::pin(std::future::ready(Ok(state.epoch)))
    }

    fn register(&self, registered: Registered, now: Timestamp) -> Answer<'_, (u32, Timestamp)> {
        let key = lock(&self.state).register(registered, now);
        Box::pin(std::future::ready(Ok(key)))
    }
}

impl Queries for MemoryStore {
    fn contact_facts(
        &self,
        project: ProjectKey,
        sender: SenderKey,
        to: &Address,
    ) -> Answer<'_, ContactFacts> {
        self.answer(|it| it.facts(project, it.contact_with(project, to), to, sender))
    }

    fn outbound(&self, message: MessageId) -> Answer<'_, Option<Outbound>> {
        self.answer(|it| it.outbound(message))
    }

    fn lane(
        &self,
        lane: Lane,
        after: Option<LanePlace>,
        limit: u16,
    ) -> Answer<'_, Vec<(LanePlace, Outbound)>> {
        self.answer(|it| it.lane(lane, after, limit.into()))
    }

    fn lanes(&self) -> Answer<'_, Vec<(Lane, u64)>> {
        self.answer(State::lanes)
    }

    fn due(&self, now: Timestamp, limit: u16) -> Answer<'_, Vec<DueMessage>> {
        self.answer(|it| it.due(now, limit.into()))
    }

    fn next_due(&self) -> Answer<'_, Option<Timestamp>> {
        self.answer(|it| it.all_due().map(|it| it.due.at).min())
    }

    fn in_hand(&self, after: Option<MessageId>, limit: u16) -> Answer<'_, Vec<Outbound>> {
        self.answer(|it| it.in_hand(after, limit.into()))
    }

    fn message(&self, project: ProjectKey, id: MessageId) -> Answer<'_, Option<MessageView>> {
        self.answer(|it| it.message(project, id))
    }

    fn messages(&self, filter: MessageFilter) -> Answer<'_, Vec<MessageView>> {
        self.answer(|it| it.list_messages(&filter))
    }

    fn decisions(&self, id: MessageId) -> Answer<'_, Vec<DecisionRecord>> {
        self.answer(|it| {
            it.sent
                .get(&id)
                .map(|it| it.decisions.clone())
                .unwrap_or_default()
        })
    }

    fn receipts(&self, id: MessageId) -> Answer<'_, Vec<ReceiptRecord>> {
        self.answer(|it| {
            it.sent
                .get(&id)
                .map(|it| it.receipts.clone())
                .unwrap_or_default()
        })
    }

    fn contact(&self, project: ProjectKey, id: ContactId) -> Answer<'_, Option<ContactView>> {
        self.answer(|it| it.contact(project, id))
    }

    fn contacts(&self, filter: ContactFilter) -> Answer<'_, Vec<ContactView>> {
        self.answer(|it| it.list_contacts(&filter))
    }

    fn earlier(
        &self,
        project: ProjectKey,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Answer<'_, Option<Repeated>> {
        self.answer(|it| it.earlier(project, &key, now))
    }

    fn api_key(&self, hash: [u8; 32]) -> Answer<'_, Option<ApiKeyRecord>> {
        self.answer(|it| it.api_keys.values().find(|it| it.hash == hash).cloned())
    }

    fn api_keys(&self, project: ProjectKey) -> Answer<'_, Vec<ApiKeyRecord>> {
        self.answer(|it| it.list_api_keys(project))
    }

    fn conversation(
        &self,
        project: ProjectKey,
        id: ConversationId,
    ) -> Answer<'_, Option<ConversationView>> {
        self.answer(|it| it.conversation(project, id))
    }

    fn conversations(&self, filter: ConversationFilter) -> Answer<'_, ConversationPage> {
        self.answer(|it| it.list_conversations(&filter))
    }

    fn unread_conversations(&self, project: ProjectKey, at_most: u16) -> Answer<'_, u16> {
        self.answer(|it| it.unread_conversations(project, at_most))
    }

    fn provider_reference(&self, message: MessageId) -> Answer<'_, Option<ProviderReference>> {
        self.answer(|it| it.provider_reference(message))
    }

    fn consents(&self, contact: ContactId) -> Answer<'_, Vec<ConsentRecord>> {
        self.answer(|it| it.list_consents(contact))
    }

    fn template(&self, project: ProjectKey, id: TemplateId) -> Answer<'_, Option<Template>> {
        self.answer(|it| it.template(project, id))
    }

    fn templates(&self, filter: TemplateFilter) -> Answer<'_, Vec<Template>> {
        self.answer(|it| it.list_templates(filter))
    }

    fn all_templates(&self, after: Option<TemplateId>, limit: u16) -> Answer<'_, Vec<Template>> {
        self.answer(|it| it.all_templates(after, limit.into()))
    }

    fn configured_by_api(&self) -> Answer<'_, ConfiguredByApi> {
        self.answer(State::configured_by_api)
    }

    fn numbers(&self, project: ProjectKey) -> Answer<'_, Vec<NumberRecord>> {
        self.answer(|it| it.list_numbers(project))
    }

    fn events(&self, filter: EventFilter) -> Answer<'_, EventPage> {
        self.answer(|it| it.publishing.read(filter, |message| it.recipient(message)))
    }

    fn event(&self, seq: EventSeq) -> Answer<'_, Option<EventRecord>> {
        self.answer(|it| it.publishing.event(seq))
    }

    fn newest_event(&self) -> Answer<'_, EventSeq> {
        self.answer(|it| it.publishing.newest())
    }

    fn webhooks(&self) -> Answer<'_, Vec<Webhook>> {
        self.answer(|it| it.publishing.webhooks())
    }

    fn webhook(&self, sender: SenderKey) -> Answer<'_, Option<Webhook>> {
        self.answer(|it| it.publishing.webhook(sender))
    }

    fn webhook_standing(&self, sender: SenderKey) -> Answer<'_, Option<WebhookStanding>> {
        self.answer(|it| it.publishing.standing(sender))
    }

    fn replays(&self, sender: SenderKey, limit: u16) -> Answer<'_, Vec<EventRecord>> {
        self.answer(|it| it.publishing.replays(sender, limit.into()))
    }

    fn dead_letters(
        &self,
        sender: SenderKey,
        before: Option<EventSeq>,
        limit: u16,
    ) -> Answer<'_, Vec<DeadLetter>> {
        self.answer(|it| it.publishing.dead_letters(sender, before, limit.into()))
    }

    fn routes_registered(&self) -> Answer<'_, Vec<(ProjectKey, RouteKey, Box<str>)>> {
        self.answer(State::routes_registered)
    }

    fn campaigns(&self, project: ProjectKey) -> Answer<'_, Vec<(CampaignKey, Box<str>)>> {
        self.answer(|it| it.campaigns(project))
    }

    fn claimed(&self, project: ProjectKey) -> Answer<'_, Vec<Outbound>> {
        self.answer(|it| it.claimed(project))
    }

    fn meters(&self) -> Answer<'_, Vec<(MeterOf, Meter)>> {
        self.answer(|it| it.books.meters.iter().map(|it| (*it.0, *it.1)).collect())
    }

    fn balances(&self, project: ProjectKey) -> Answer<'_, Vec<(Account, Micros)>> {
        self.answer(|it| it.books.of_project(project))
    }

    fn ledger(&self, filter: LedgerFilter) -> Answer<'_, Vec<LedgerEntry>> {
        self.answer(|it| it.books.list(&filter))
    }

    fn tallies(&self, filter: TallyFilter) -> Answer<'_, Vec<TallyRow>> {
        self.answer(|it| it.books.sum(&filter))
    }

    fn route_controls(&self) -> Answer<'_, Vec<(RouteKey, RouteControl)>> {
        self.answer(|it| it.history.controls())
    }

    fn audit(&self, filter: AuditFilter) -> Answer<'_, Vec<AuditRecord>> {
        self.answer(|it| it.history.read_audit(&filter))
    }

    fn alert(&self, project: ProjectKey, id: AlertId) -> Answer<'_, Option<Alert>> {
        self.answer(|it| it.history.alert(project, id))
    }

    fn alerts(&self, filter: AlertFilter) -> Answer<'_, Vec<Alert>> {
        self.answer(|it| it.history.read_alerts(filter))
    }

    fn silences(&self, now: Timestamp) -> Answer<'_, Vec<Silence>> {
        self.answer(|it| it.history.silences(now))
    }

    fn alert_mail(&self, project: ProjectKey) -> Answer<'_, Option<EventSeq>> {
        self.answer(|it| it.history.mailed(project))
    }

    fn route_outcomes(&self) -> Answer<'_, Vec<RouteOutcomes>> {
        self.answer(|it| it.history.outcomes())
    }

    fn phone_book(&self, route: RouteKey, since: Timestamp, peers: u32) -> Answer<'_, PhoneBook> {
        let peers = usize::try_from(peers).unwrap_or(usize::MAX);
        self.answer(|it| it.phones.book(route, since, peers))
    }

    fn phone_handing(&self, route: RouteKey, id: Box<str>) -> Answer<'_, Option<Handing>> {
        self.answer(|it| it.phones.handing(route, &id))
    }

    fn health(&self) -> Answer<'_, StoreHealth> {
        self.answer(|it| StoreHealth {
            synchronous: None,
            backlog: it.lanes().iter().map(|it| it.1).sum(),
        })
    }
}
