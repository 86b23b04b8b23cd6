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

/// A route that carries nothing now and is still named in what happened: in sums, charges and decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerRoute {
    /// The store's name for it.
    pub key: RouteKey,
    /// Whose.
    pub project: ProjectKey,
    /// The operator's name for it.
    pub id: Arc<str>,
    /// Its channel; `None` where only its name is known.
    pub channel: Option<Channel>,
}

/// How a route that is named in history stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteStanding {
    /// It is in use.
    Active,
    /// It stands in the configuration, switched off.
    SwitchedOff,
    /// It does not stand in the configuration any more, or not by this name.
    Removed,
}

/// Most routes of old that are known by name; of more, the ones named last are. Far more than anybody
/// has: only a program that writes configurations comes near.
pub const MOST_FORMER: usize = 10_000;

/// Everything that is configured, and the names of the routes that were.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    projects: BTreeMap<ProjectKey, Arc<Project>>,
    senders: BTreeMap<SenderKey, Arc<Sender>>,
    routes: BTreeMap<RouteKey, Arc<Route>>,
    /// Shared: a change of a sender copies the rest of the topology. Where a route is in use again
    /// under its name, `routes` counts.
    former: Arc<BTreeMap<RouteKey, FormerRoute>>,
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
            former: Arc::default(),
        }
    }

    /// The same with routes that carry nothing now, known for what happened. Those that it knows already
    /// stay as they are, and of more than [`MOST_FORMER`] the ones with the highest keys.
    #[must_use]
    pub fn with_former(&self, routes: impl IntoIterator<Item = FormerRoute>) -> Self {
        let mut former = BTreeMap::clone(&self.former);
        for route in routes {
            if !self.routes.contains_key(&route.key) {
                former.entry(route.key).or_insert(route);
            }
        }
        while former.len() > MOST_FORMER {
            former.pop_first();
        }
        let mut changed = self.clone();
        changed.former = Arc::new(former);
        changed
    }

    /// What the route is called, also one that is not in use any more.
    pub fn route_name(&self, key: RouteKey) -> Option<&str> {
        let configured = self.routes.get(&key).map(|it| &*it.id);
        configured.or_else(|| self.former.get(&key).map(|it| &*it.id))
    }

    /// The route's project, also of one that is not in use any more.
    pub fn project_of_route(&self, key: RouteKey) -> Option<ProjectKey> {
        let configured = self.routes.get(&key).map(|it| it.project);
        configured.or_else(|| self.former.get(&key).map(|it| it.project))
    }

    /// The route's channel; `None` where the route was removed.
    pub fn channel_of_route(&self, key: RouteKey) -> Option<Channel> {
        let configured = self.routes.get(&key).map(|it| it.channel);
        configured.or_else(|| self.former.get(&key)?.channel)
    }

    /// How a route that is named in history stands now.
    pub fn standing_of_route(&self, key: RouteKey) -> RouteStanding {
        if self.routes.contains_key(&key) {
            return RouteStanding::Active;
        }
        match self.former.get(&key).map(|it| it.channel) {
            Some(Some(_)) => RouteStanding::SwitchedOff,
            Some(None) | None => RouteStanding::Removed,
        }
    }

    /// The route for people who read what happened: its name, and that it is not in use any more.
    pub fn route_in_words(&self, key: RouteKey) -> String {
        let Some(name) = self.route_name(key) else {
            return "a removed route".to_owned();
        };
        match self.standing_of_route(key) {
            RouteStanding::Active => name.to_owned(),
            RouteStanding::SwitchedOff => format!("{name} (switched off)"),
            RouteStanding::Removed => format!("{name} (not configured)"),
        }
    }

    /// The route of the project with this public id, also one that is not in use any more.
    pub fn route_of_history(&self, project: ProjectKey, id: &str) -> Option<RouteKey> {
        let configured = self.route_by_id(project, id).map(|it| it.key);
        let is_it = |it: &&FormerRoute| it.project == project && &*it.id == id;
        configured.or_else(|| self.former.values().find(is_it).map(|it| it.key))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn former(key: u32, project: u32, id: &str, channel: Option<Channel>) -> FormerRoute {
        FormerRoute {
            key: RouteKey(key),
            project: ProjectKey(project),
            id: id.into(),
            channel,
        }
    }

    #[test]
    fn a_route_that_is_not_in_use_any_more_keeps_its_name_and_what_is_known_first_stays() {
        let one = ProjectKey(1);
        let topology = Topology::default()
            .with_former([former(1, 1, "two", Some(Channel::Sms))])
            .with_former([former(1, 1, "two", None), former(2, 1, "old", None)])
            .with_former([former(3, 2, "old", None)]);
        let told = [1, 2, 3, 4].map(|it| topology.route_in_words(RouteKey(it)));
        assert_eq!(
            told,
            [
                "two (switched off)",
                "old (not configured)",
                "old (not configured)",
                "a removed route"
            ]
        );
        assert_eq!(topology.route_name(RouteKey(2)), Some("old"));
        assert_eq!(topology.project_of_route(RouteKey(3)), Some(ProjectKey(2)));
        assert_eq!(topology.channel_of_route(RouteKey(1)), Some(Channel::Sms));
        assert_eq!(topology.channel_of_route(RouteKey(2)), None);
        assert_eq!(topology.route_of_history(one, "old"), Some(RouteKey(2)));
        assert_eq!(topology.route_of_history(one, "new"), None);
        assert!(topology.route(RouteKey(1)).is_none(), "it carries nothing");
    }

    #[test]
    fn of_too_many_old_names_the_first_are_forgotten() {
        let all = (0..).map(|it| former(it, 1, "r", None));
        let topology = Topology::default().with_former(all.take(MOST_FORMER + 1));
        assert_eq!(topology.route_name(RouteKey(0)), None);
        assert_eq!(topology.route_name(RouteKey(1)), Some("r"));
    }
}
