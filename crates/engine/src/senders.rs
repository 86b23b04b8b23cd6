//! Senders that are made, changed and removed while the server runs. The store keeps them; what is
//! configured is exchanged after the commit, so that a sender that was answered is one that can send.

use std::sync::Arc;

use domain::ids::{ProjectKey, SenderKey};
use domain::model::consent::KeywordPolicy;
use domain::model::sender::{Origin, Sender};
use ports::store::senders::{ConfiguredByApi, SenderChange, SenderRecord, SenderSettings};
use ports::store::{Op, Outcome, Registered, Unavailable};

use crate::topology::Topology;
use crate::{Engine, settle};

/// The sender that a record stands for. Routes that are not configured any more are left out.
fn sender_of(record: &SenderRecord, topology: &Topology, is_default: bool) -> Sender {
    let route = |id: &str| Some(topology.route_by_id(record.project, id)?.key);
    Sender {
        key: record.key,
        id: Arc::from(&*record.id),
        project: record.project,
        name: Arc::from(&*record.name),
        address: Arc::from(&*record.address),
        is_default,
        routes: record.routes.iter().filter_map(|it| route(it)).collect(),
        default_template: record.default_template.clone(),
        fallback_after: record.fallback_after,
        keywords: KeywordPolicy::default(),
        origin: Origin::Api,
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

impl Topology {
    /// The same with what was configured by the API. A sender that the file has too is the file's;
    /// what belongs to a project that is not configured any more is left out.
    #[must_use]
    pub fn with_api(&self, kept: &ConfiguredByApi) -> Self {
        let mut topology = self.clone();
        for record in &kept.senders {
            let is_new = topology.sender(record.key).is_none();
            if is_new && topology.project(record.project).is_some() {
                topology = topology.with_sender(sender_of(record, &topology, false));
            }
        }
        for (project, sender) in &kept.defaults {
            if topology.sender(*sender).is_some() {
                topology = topology.with_default(*project, *sender);
            }
        }
        topology
    }
}

impl Engine {
    /// Held by who changes senders or numbers, from the look at what there is to the last step: what
    /// was looked at stays so, and store and topology are changed in the same order.
    pub async fn configuring(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.configuring.lock().await
    }

    /// The store's name for a sender with this id, made on first use.
    pub async fn sender_key(
        &self,
        project: ProjectKey,
        id: &str,
    ) -> Result<SenderKey, Unavailable> {
        let registered = Registered::Sender(project, id.into());
        let (key, _) = self.store().register(registered, self.now()).await?;
        Ok(SenderKey(key))
    }

    /// Keeps a sender of the API and takes it into use as it is now.
    pub async fn put_sender(&self, record: SenderRecord) -> Result<(), Unavailable> {
        self.apply(Op::Sender(Box::new(SenderChange::Put(record.clone()))))
            .await?;
        self.take_into_use(&record);
        Ok(())
    }

    fn take_into_use(&self, record: &SenderRecord) {
        self.change_senders(|topology| {
            let was_default = topology.sender(record.key).is_some_and(|it| it.is_default);
            topology.with_sender(sender_of(record, topology, was_default))
        });
    }

    /// Keeps all that is said of a sender, and takes it into use as it is now; nothing of either where
    /// an endpoint was to be changed that does not exist ([`Outcome::Missing`]). What waits is looked at
    /// again: it may have another way now.
    pub async fn set_sender(&self, settings: SenderSettings) -> Result<Outcome, Unavailable> {
        let change = SenderChange::Set(Box::new(settings.clone()));
        let outcome = self.apply(Op::Sender(Box::new(change))).await?;
        if let Outcome::Missing = outcome {
            return Ok(outcome);
        }
        let SenderSettings {
            project, sender, ..
        } = settings;
        if let Some(record) = &settings.record {
            self.take_into_use(record);
            settle::look_again(&self.inner);
        }
        if settings.make_default {
            self.change_senders(|topology| topology.with_default(project, sender));
        }
        if settings.webhook.is_some() {
            self.inner.watch.changed();
        }
        Ok(outcome)
    }

    /// Takes a sender of the API out of use and forgets it with its endpoint. What waits for it fails when it is planned
    /// next.
    pub async fn delete_sender(&self, key: SenderKey) -> Result<(), Unavailable> {
        self.apply(Op::Sender(Box::new(SenderChange::Delete(key))))
            .await?;
        self.change_senders(|topology| topology.without_sender(key));
        self.inner.watch.changed();
        Ok(())
    }
}
