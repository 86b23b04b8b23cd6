//! What is configured: projects, senders and routes. Projects and routes do not change while the
//! server runs; a change of a sender makes a new topology in the place of the old one.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{ProjectKey, RouteKey, SenderKey};
use domain::model::channel::{Channel, ChannelSet};
use domain::model::policy::Policy;
use domain::model::route::{OnUnknown, Route, RouteClass};
use domain::model::sender::Sender;
use domain::rules::carry::by_simulators;

/// A tenant.
#[derive(Debug, Clone)]
pub struct Project {
    /// The store's name for it.
    pub key: ProjectKey,
    /// The operator's name for it; its public id.
    pub id: Arc<str>,
    /// What people call it.
    pub name: Arc<str>,
    /// The settings that rules use.
    pub policy: Policy,
    /// Whether a repeated idempotency key is answered with the original instead of a conflict
    /// (R-LIFE-3).
    pub idempotency_replay: bool,
}

/// Everything that is configured.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    projects: BTreeMap<ProjectKey, Arc<Project>>,
    senders: BTreeMap<SenderKey, Arc<Sender>>,
    routes: BTreeMap<RouteKey, Arc<Route>>,
}

impl Topology {
    /// A topology of these parts. Routes that senders name and that are not among `routes` are
    /// left out of decisions.
    pub fn new(
        projects: impl IntoIterator<Item = Project>,
        senders: impl IntoIterator<Item = Sender>,
        routes: impl IntoIterator<Item = Route>,
    ) -> Self {
        Self {
            projects: projects
                .into_iter()
                .map(|it| (it.key, Arc::new(it)))
                .collect(),
            senders: senders
                .into_iter()
                .map(|it| (it.key, Arc::new(it)))
                .collect(),
            routes: routes
                .into_iter()
                .map(|it| (it.key, Arc::new(it)))
                .collect(),
        }
    }

    /// The project, if it is configured.
    pub fn project(&self, key: ProjectKey) -> Option<&Project> {
        self.projects.get(&key).map(|it| &**it)
    }

    /// Whether what leaves by this route is marked first, so that after a crash the rest is known not to
    /// have left: where it must not leave twice (R-DUP), where it would count as used until then
    /// (R-QUOTA-1), and where an unknown outcome is long waited for since a phone may have it (R-PHONE-3).
    pub fn marks_started(&self, route: &Route) -> bool {
        let of_project = self.project(route.project).map(|it| &it.policy.quotas);
        let is_phone = route.class == Some(RouteClass::Phone) && !route.simulator;
        is_phone
            || route.on_unknown == OnUnknown::Fail
            || !route.quotas.is_none()
            || of_project.is_some_and(|it| !it.is_none())
    }

    /// Every project.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.values().map(|it| &**it)
    }

    /// The same with this sender, in place of the one with its key.
    #[must_use]
    pub fn with_sender(&self, sender: Sender) -> Self {
        let mut changed = self.clone();
        changed.senders.insert(sender.key, Arc::new(sender));
        changed
    }

    /// The same with this route, in place of the one with its key.
    #[must_use]
    pub fn with_route(&self, route: Route) -> Self {
        let mut changed = self.clone();
        changed.routes.insert(route.key, Arc::new(route));
        changed
    }

    /// The same without this sender.
    #[must_use]
    pub fn without_sender(&self, key: SenderKey) -> Self {
        let mut changed = self.clone();
        changed.senders.remove(&key);
        changed
    }

    /// The same with this sender as the only default of its project.
    #[must_use]
    pub fn with_default(&self, project: ProjectKey, key: SenderKey) -> Self {
        let mut changed = self.clone();
        for sender in changed
            .senders
            .values_mut()
            .filter(|it| it.project == project)
        {
            let is_default = sender.key == key;
            if sender.is_default != is_default {
                *sender = Arc::new(Sender {
                    is_default,
                    ..Sender::clone(sender)
                });
            }
        }
        changed
    }

    /// The route of the project with this public id.
    pub fn route_by_id(&self, project: ProjectKey, id: &str) -> Option<&Arc<Route>> {
        let mut routes = self.routes.values();
        routes.find(|it| it.project == project && &*it.id == id)
    }

    /// The sender, if it is configured.
    pub fn sender(&self, key: SenderKey) -> Option<&Arc<Sender>> {
        self.senders.get(&key)
    }

    /// The project's senders, in the order in which they were first configured.
    pub fn senders(&self, project: ProjectKey) -> impl Iterator<Item = &Arc<Sender>> {
        self.senders
            .values()
            .filter(move |it| it.project == project)
    }

    /// The project's sender with this public id.
    pub fn sender_by_id(&self, project: ProjectKey, id: &str) -> Option<&Arc<Sender>> {
        self.senders(project).find(|it| &*it.id == id)
    }

    /// The project's default sender; the first where none says that it is.
    pub fn default_sender(&self, project: ProjectKey) -> Option<&Arc<Sender>> {
        self.senders(project)
            .find(|it| it.is_default)
            .or_else(|| self.senders(project).next())
    }

    /// The route, if it is configured.
    pub fn route(&self, key: RouteKey) -> Option<&Arc<Route>> {
        self.routes.get(&key)
    }

    /// Every route.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.values()
    }

    /// The routes of a sender, in its own order.
    pub fn routes_of<'a>(&'a self, sender: &'a Sender) -> impl Iterator<Item = &'a Arc<Route>> {
        sender.routes.iter().filter_map(|it| self.routes.get(it))
    }

    /// The channels that a sender has through its routes: simulators only for a test key, and none
    /// for a live one unless the sender has nothing else (R-TEST).
    pub fn channels_of(&self, sender: &Sender, test: bool) -> ChannelSet {
        self.usable_routes(sender, test)
            .map(|it| it.channel)
            .collect::<ChannelSet>()
    }

    /// Whether one of those routes carries media on the channel for text messages (R-ROUTE-1).
    pub fn carries_mms(&self, sender: &Sender, test: bool) -> bool {
        let mut routes = self.usable_routes(sender, test);
        routes.any(|it| it.channel == Channel::Sms && it.mms)
    }

    fn usable_routes<'a>(
        &'a self,
        sender: &'a Sender,
        test: bool,
    ) -> impl Iterator<Item = &'a Arc<Route>> {
        let simulators = by_simulators(test, self.routes_of(sender).map(|it| &**it));
        self.routes_of(sender)
            .filter(move |it| it.simulator == simulators)
    }

    /// Whether a sender has this channel at all.
    pub fn has_channel(&self, sender: &Sender, channel: Channel) -> bool {
        self.channels_of(sender, false).contains(channel)
    }
}
