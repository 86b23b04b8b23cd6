//! SQLite: one thread owns the only connection that writes, three threads read: two for the line,
//! one for lists, so that no list stands in front of what a message waits for.
//!
//! Everything that writes goes through one queue; the writer takes what gathered there while the
//! last commit ran and commits it as one transaction (`writer.rs`). The queue is not bounded here:
//! callers that can refuse work look at [`Store::pending`] first.

mod accept;
mod alerts;
mod bookkeeping;
mod books;
mod consent;
mod contact_changes;
mod contacts;
mod controls;
mod conversations;
mod events;
mod fault;
mod housekeeping;
mod inbound;
mod lines;
mod listing;
mod loading;
mod merging;
mod migrate;
mod open;
mod phones;
mod push;
mod readers;
mod receive;
mod senders;
mod steps;
mod suppression;
mod templates;
mod users;
mod webhooks;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
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
use tokio::sync::oneshot;

pub use fault::OpenError;
use readers::{FactsRequest, Read, Reader};
use writer::{Job, Work};

use crate::seal::{Seal, SecretKey};

/// How many threads read for the line.
const READERS: usize = 2;

/// What an operator may choose.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long a contact is remembered not to have a channel (R-CHAN-3).
    pub capability_memory: Millis,
    /// What secrets are sealed with (R-SEC); `None` is the key in the file beside the database.
    pub secret_key: Option<SecretKey>,
}

impl Default for Options {
    /// 30 days, and the key beside the database.
    fn default() -> Self {
        Self {
            capability_memory: Millis::days(30),
            secret_key: None,
        }
    }
}

/// Keeps everything in one file. Dropping it commits what is queued.
#[derive(Debug)]
pub struct SqliteStore {
    work: Option<Sender<Job>>,
    reads: Option<Sender<Read>>,
    lists: Option<Sender<Read>>,
    pending: Arc<AtomicUsize>,
    synchronous: i64,
    threads: Vec<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the database at `path`, makes it and its folders where they are missing, and brings
    /// its schema up to date.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let writing = open::for_writing(path)?;
        let synchronous = writing.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        let reading = (0..READERS)
            .map(|_| open::for_reading(path))
            .collect::<Result<Vec<_>, _>>()?;
        let listing = open::for_reading(path)?;
        let key = match options.secret_key {
            Some(key) => key,
            None => SecretKey::beside(path)?,
        };
        let seal = Arc::new(Seal::new(key)?);
        let pending = Arc::new(AtomicUsize::new(0));
        let mut threads = Vec::with_capacity(READERS + 2);
        let (work, jobs) = crossbeam_channel::unbounded();
        let counter = Arc::clone(&pending);
        let sealing = Arc::clone(&seal);
        threads.push(start("store-writer", move || {
            writer::run(&writing, &jobs, &counter, options, sealing);
        })?);
        let (reads, queries) = crossbeam_channel::unbounded();
        for connection in reading {
            let queries = queries.clone();
            let seal = Arc::clone(&seal);
            threads.push(start("store-reader", move || {
                readers::run(connection, seal, &queries);
            })?);
        }
        let (lists, queries) = crossbeam_channel::unbounded();
        threads.push(start("store-lists", move || {
            readers::run(listing, seal, &queries);
        })?);
        Ok(Self {
            work: Some(work),
            reads: Some(reads),
            lists: Some(lists),
            pending,
            synchronous,
            threads,
        })
    }

    /// Commits what is queued, calls its completions, and closes the database.
    pub fn close(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        // The threads end when the last sender is gone and their queue is empty.
        self.work = None;
        self.reads = None;
        self.lists = None;
        let own = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // Where a completion held the last handle, this is the writer itself.
            if thread.thread().id() != own && thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }

    fn submit(&self, work: Work) {
        self.pending.fetch_add(1, Ordering::Relaxed);
        if let Some(Err(lost)) = self.work.as_ref().map(|it| it.send(Job(work))) {
            self.pending.fetch_sub(1, Ordering::Relaxed);
            let Job(work) = lost.into_inner();
            work.fail(&closed());
        }
    }

    /// Asks a thread that reads for the line.
    fn ask<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, fault::Fault> + Send + 'static,
    ) -> Answer<'_, T> {
        let (read, answer) = question(query);
        Self::send_read(self.reads.as_ref(), read);
        awaited(answer)
    }

    /// Asks the thread that reads lists, which may be long.
    fn list<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, fault::Fault> + Send + 'static,
    ) -> Answer<'_, T> {
        let (read, answer) = question(query);
        Self::send_read(self.lists.as_ref(), read);
        awaited(answer)
    }

    fn send_read(to: Option<&Sender<Read>>, read: Read) {
        if let Some(reads) = to {
            // A failed send drops the reply, which the asker sees as a closed store.
            drop(reads.send(read));
        }
    }
}

type Reply<T> = oneshot::Receiver<Result<T, Unavailable>>;

fn question<T: Send + 'static>(
    query: impl FnOnce(&Reader) -> Result<T, fault::Fault> + Send + 'static,
) -> (Read, Reply<T>) {
    let (reply, answer) = oneshot::channel();
    let read = Read::Query(Box::new(move |reader: &Reader| {
        // The asker may have gone away; nobody is left to tell.
        drop(reply.send(query(reader).map_err(Unavailable::new)));
    }));
    (read, answer)
}

fn closed() -> Unavailable {
    Unavailable::new("it is closed")
}

fn start(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(body)
        .map_err(OpenError::Thread)
}

fn awaited<'a, T: Send + 'a>(answer: oneshot::Receiver<Result<T, Unavailable>>) -> Answer<'a, T> {
    Box::pin(async move { answer.await.unwrap_or_else(|_| Err(closed())) })
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Store for SqliteStore {
    fn commit(&self, op: Op, done: Completion) {
        self.submit(Work::operation(op, done));
    }

    fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    fn raise_epoch(&self) -> Answer<'_, Epoch> {
        let (reply, answer) = oneshot::channel();
        self.submit(Work::RaiseEpoch(reply));
        awaited(answer)
    }

    fn register(&self, registered: Registered, now: Timestamp) -> Answer<'_, (u32, Timestamp)> {
        let (reply, answer) = oneshot::channel();
        self.submit(Work::Register(registered, now, reply));
        awaited(answer)
    }
}

impl Queries for SqliteStore {
    fn contact_facts(
        &self,
        project: ProjectKey,
        sender: SenderKey,
        to: &Address,
    ) -> Answer<'_, ContactFacts> {
        let (reply, answer) = oneshot::channel();
        let facts = Read::Facts(FactsRequest {
            project,
            sender,
            to: to.clone(),
            reply,
        });
        Self::send_read(self.reads.as_ref(), facts);
        awaited(answer)
    }

    fn outbound(&self, message: MessageId) -> Answer<'_, Option<Outbound>> {
        self.ask(move |reader| reader.outbound(message))
    }

    fn lane(
        &self,
        lane: Lane,
        after: Option<LanePlace>,
        limit: u16,
    ) -> Answer<'_, Vec<(LanePlace, Outbound)>> {
        self.ask(move |reader| reader.lane(lane, after, limit))
    }

    fn lanes(&self) -> Answer<'_, Vec<(Lane, u64)>> {
        self.ask(Reader::lanes)
    }

    fn due(&self, now: Timestamp, limit: u16) -> Answer<'_, Vec<DueMessage>> {
        self.ask(move |reader| reader.due(now, limit))
    }

    fn next_due(&self) -> Answer<'_, Option<Timestamp>> {
        self.ask(Reader::next_due)
    }

    fn in_hand(&self, after: Option<MessageId>, limit: u16) -> Answer<'_, Vec<Outbound>> {
        self.ask(move |reader| reader.in_hand(after, limit))
    }

    fn message(&self, project: ProjectKey, id: MessageId) -> Answer<'_, Option<MessageView>> {
        self.ask(move |reader| reader.message(project, id))
    }

    fn messages(&self, filter: MessageFilter) -> Answer<'_, Vec<MessageView>> {
        self.list(move |reader| reader.messages(&filter))
    }

    fn decisions(&self, id: MessageId) -> Answer<'_, Vec<DecisionRecord>> {
        self.ask(move |reader| reader.decisions(id))
    }

    fn receipts(&self, id: MessageId) -> Answer<'_, Vec<ReceiptRecord>> {
        self.ask(move |reader| reader.receipts(id))
    }

    fn contact(&self, project: ProjectKey, id: ContactId) -> Answer<'_, Option<ContactView>> {
        self.ask(move |reader| reader.contact(project, id))
    }

    fn contacts(&self, filter: ContactFilter) -> Answer<'_, Vec<ContactView>> {
        self.list(move |reader| reader.contacts(&filter))
    }

    fn earlier(
        &self,
        project: ProjectKey,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Answer<'_, Option<Repeated>> {
        self.ask(move |reader| reader.earlier(project, &key, now))
    }

    fn api_key(&self, hash: [u8; 32]) -> Answer<'_, Option<ApiKeyRecord>> {
        self.ask(move |reader| reader.api_key(&hash))
    }

    fn api_keys(&self, project: ProjectKey) -> Answer<'_, Vec<ApiKeyRecord>> {
        self.ask(move |reader| reader.api_keys(project))
    }

    fn conversation(
        &self,
        project: ProjectKey,
        id: ConversationId,
    ) -> Answer<'_, Option<ConversationView>> {
        self.ask(move |reader| reader.conversation(project, id))
    }

    fn conversations(&self, filter: ConversationFilter) -> Answer<'_, ConversationPage> {
        self.list(move |reader| reader.conversations(&filter))
    }

    fn unread_conversations(&self, project: ProjectKey, at_most: u16) -> Answer<'_, u16> {
        self.list(move |reader| reader.unread_conversations(project, at_most))
    }

    fn provider_reference(&self, message: MessageId) -> Answer<'_, Option<ProviderReference>> {
        self.ask(move |reader| reader.provider_reference(message))
    }

    fn consents(&self, contact: ContactId) -> Answer<'_, Vec<ConsentRecord>> {
        self.ask(move |reader| reader.consents(contact))
    }

    fn template(&self, project: ProjectKey, id: TemplateId) -> Answer<'_, Option<Template>> {
        self.ask(move |reader| reader.template(project, id))
    }

    fn templates(&self, filter: TemplateFilter) -> Answer<'_, Vec<Template>> {
        self.ask(move |reader| reader.templates(filter))
    }

    fn all_templates(&self, after: Option<TemplateId>, limit: u16) -> Answer<'_, Vec<Template>> {
        self.ask(move |reader| reader.all_templates(after, limit))
    }

    fn configured_by_api(&self) -> Answer<'_, ConfiguredByApi> {
        self.ask(Reader::configured_by_api)
    }

    fn numbers(&self, project: ProjectKey) -> Answer<'_, Vec<NumberRecord>> {
        self.ask(move |reader| reader.numbers(project))
    }

    fn events(&self, filter: EventFilter) -> Answer<'_, EventPage> {
        self.ask(move |reader| reader.events(&filter))
    }

    fn event(&self, seq: EventSeq) -> Answer<'_, Option<EventRecord>> {
        self.ask(move |reader| reader.event(seq))
    }

    fn newest_event(&self) -> Answer<'_, EventSeq> {
        self.ask(Reader::newest_event)
    }

    fn webhooks(&self) -> Answer<'_, Vec<Webhook>> {
        self.ask(Reader::webhooks)
    }

    fn webhook(&self, sender: SenderKey) -> Answer<'_, Option<Webhook>> {
        self.ask(move |reader| reader.webhook(sender))
    }

    fn webhook_standing(&self, sender: SenderKey) -> Answer<'_, Option<WebhookStanding>> {
        self.ask(move |reader| reader.webhook_standing(sender))
    }

    fn replays(&self, sender: SenderKey, limit: u16) -> Answer<'_, Vec<EventRecord>> {
        self.ask(move |reader| reader.replays(sender, limit))
    }

    fn dead_letters(
        &self,
        sender: SenderKey,
        before: Option<EventSeq>,
        limit: u16,
    ) -> Answer<'_, Vec<DeadLetter>> {
        self.ask(move |reader| reader.dead_letters(sender, before, limit))
    }

    fn routes_registered(&self) -> Answer<'_, Vec<(ProjectKey, RouteKey, Box<str>)>> {
        self.ask(Reader::routes_registered)
    }

    fn campaigns(&self, project: ProjectKey) -> Answer<'_, Vec<(CampaignKey, Box<str>)>> {
        self.ask(move |reader| reader.campaigns(project))
    }

    fn claimed(&self, project: ProjectKey) -> Answer<'_, Vec<Outbound>> {
        self.ask(move |reader| reader.claimed(project))
    }

    fn meters(&self) -> Answer<'_, Vec<(MeterOf, Meter)>> {
        self.ask(Reader::meters)
    }

    fn balances(&self, project: ProjectKey) -> Answer<'_, Vec<(Account, Micros)>> {
        self.ask(move |reader| reader.balances(project))
    }

    fn ledger(&self, filter: LedgerFilter) -> Answer<'_, Vec<LedgerEntry>> {
        self.ask(move |reader| reader.ledger(&filter))
    }

    fn tallies(&self, filter: TallyFilter) -> Answer<'_, Vec<TallyRow>> {
        self.ask(move |reader| reader.tallies(&filter))
    }

    fn route_controls(&self) -> Answer<'_, Vec<(RouteKey, RouteControl)>> {
        self.ask(Reader::route_controls)
    }

    fn audit(&self, filter: AuditFilter) -> Answer<'_, Vec<AuditRecord>> {
        self.list(move |reader| reader.audit(&filter))
    }

    fn alert(&self, project: ProjectKey, id: AlertId) -> Answer<'_, Option<Alert>> {
        self.ask(move |reader| reader.alert(project, id))
    }

    fn alerts(&self, filter: AlertFilter) -> Answer<'_, Vec<Alert>> {
        self.list(move |reader| reader.alerts(filter))
    }

    fn silences(&self, now: Timestamp) -> Answer<'_, Vec<Silence>> {
        self.ask(move |reader| reader.silences(now))
    }

    fn alert_mail(&self, project: ProjectKey) -> Answer<'_, Option<EventSeq>> {
        self.ask(move |reader| reader.alert_mail(project))
    }

    fn route_outcomes(&self) -> Answer<'_, Vec<RouteOutcomes>> {
        self.ask(Reader::route_outcomes)
    }

    fn phone_book(&self, route: RouteKey, since: Timestamp, peers: u32) -> Answer<'_, PhoneBook> {
        self.list(move |reader| reader.phone_book(route, since, peers))
    }

    fn phone_handing(&self, route: RouteKey, id: Box<str>) -> Answer<'_, Option<Handing>> {
        self.ask(move |reader| reader.phone_handing(route, &id))
    }

    fn health(&self) -> Answer<'_, StoreHealth> {
        let synchronous = Some(self.synchronous);
        self.ask(move |reader| {
            Ok(StoreHealth {
                synchronous,
                backlog: reader.backlog()?,
            })
        })
    }
}
