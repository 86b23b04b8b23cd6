//! What is loaded for a decision.

use std::sync::Arc;

use domain::ids::RouteKey;
use domain::model::channel::{Channel, ChannelSet};
use domain::model::contact::ContactFacts;
use domain::model::content::Content;
use domain::model::message::{Category, TrafficClass};
use domain::model::policy::Policy;
use domain::model::quota::Periods;
use domain::model::route::{QuotaFacts, Route, RouteCondition, RouteFacts};
use domain::model::sender::Sender;
use domain::model::tariff::NamedVolumes;
use domain::rules::plan::{MessageFacts, Plan, PlanFacts, plan};
use domain::text::measure;
use domain::time::Timestamp;
use ports::store::messages::NewMessage;

use crate::form::Form;
use crate::line::{RouteLine, Standing};
use crate::templates::Usable;
use crate::topology::{Project, Topology};
use crate::{Inner, quotas};

/// What the plan of one message goes by at a moment, beside the message itself.
pub(crate) struct Known {
    now: Timestamp,
    pub(crate) sender: Arc<Sender>,
    /// The sender's routes, in its own order.
    pub(crate) routes: Vec<RouteFacts>,
    contact: ContactFacts,
    templates: Usable,
    /// What the project has used.
    quota: QuotaFacts,
    periods: Periods,
}

impl Known {
    /// For a message with this content, from this sender to this contact.
    pub(crate) fn of(
        inner: &Inner,
        project: &Project,
        sender: &Arc<Sender>,
        contact: ContactFacts,
        content: &Content,
        now: Timestamp,
    ) -> Self {
        Self {
            now,
            sender: Arc::clone(sender),
            routes: routes(inner, sender, now),
            templates: Usable::of(inner, content, sender, &contact, now),
            contact,
            quota: quotas::facts_of_project(inner, project, now),
            periods: inner.quotas.periods(project.key, &project.policy, now),
        }
    }

    /// What the rules make of the message.
    pub(crate) fn plan(&self, policy: &Policy, message: MessageFacts<'_>) -> Plan {
        plan(&PlanFacts {
            now: self.now,
            policy,
            sender: &self.sender,
            routes: &self.routes,
            contact: &self.contact,
            templates: self.templates.facts(),
            quota: &self.quota,
            periods: self.periods,
            message,
        })
    }

    /// The form of the message on the channel that was chosen for it.
    pub(crate) fn form(&self, message: &NewMessage, channel: Channel) -> Form {
        let (contact, templates) = (&self.contact, &self.templates);
        Form::of(message, contact, &self.sender, templates, channel, self.now)
    }
}

/// What the plan rule asks of a message that no attempt was made for.
pub(crate) fn fresh(message: &NewMessage) -> MessageFacts<'_> {
    MessageFacts {
        to: &message.to,
        content: &message.content,
        class: message.class,
        class_reason: message.class_reason,
        category: message.category,
        purpose: message.purpose,
        speed: message.speed,
        explicit: message.explicit,
        under_way: None,
        reply_channel: message.reply_to.map(|(_, channel)| channel),
        may_reply: may_reply(message),
        tried: ChannelSet::EMPTY,
        refused_by: &[],
        rest: None,
        test: message.test,
        text_segments: message.content.plain_text().map(measure),
    }
}

/// Whether a message may count as an answer without saying so (R-CHAN-2).
pub(crate) fn may_reply(message: &NewMessage) -> bool {
    message.explicit.is_none()
        && message.class == TrafficClass::Direct
        && message.scheduled_at.is_none()
        && message.category != Category::Promotional
}

/// What is known now of the sender's routes, in its own order.
///
/// The last route on a channel that still works is not ejected by statistics (R-HEALTH).
fn routes(inner: &Inner, sender: &Sender, now: Timestamp) -> Vec<RouteFacts> {
    let lines: Vec<(&Arc<RouteLine>, bool)> = sender
        .routes
        .iter()
        .filter_map(|key| inner.lines.get(key))
        .map(|line| (line, line.admits(now)))
        .collect();
    let topology = inner.topology();
    let project = topology.project(sender.project);
    let periods = project.map(|it| inner.quotas.periods(it.key, &it.policy, now));
    lines
        .iter()
        .map(|(line, _)| {
            let another_admits = lines.iter().any(|(other, admits)| {
                *admits
                    && other.route.key != line.route.key
                    && other.route.channel == line.route.channel
                    && other.route.simulator == line.route.simulator
            });
            let route = &line.route;
            let quota = periods.map_or(QuotaFacts::UNLIMITED, |periods| {
                inner.quotas.of_route(route, &periods)
            });
            let volumes = periods.map_or(NamedVolumes::NONE, |it| {
                inner.quotas.volumes(route.key, &it)
            });
            line.facts(!another_admits, quota, volumes, now)
        })
        .collect()
}

/// For each sender that uses this route, its other routes on the same channel.
fn others_on_channel(topology: &Topology, route: &Route) -> Vec<Vec<RouteKey>> {
    topology
        .senders(route.project)
        .filter(|it| it.routes.contains(&route.key))
        .map(|sender| {
            topology
                .routes_of(sender)
                .filter(|it| it.key != route.key && it.channel == route.channel)
                .filter(|it| it.simulator == route.simulator)
                .map(|it| it.key)
                .collect()
        })
        .collect()
}

/// Whether a route is the last that works on its channel for one of its senders: statistics alone
/// do not eject it then (R-HEALTH).
pub(crate) fn is_last(inner: &Inner, line: &RouteLine, now: Timestamp) -> bool {
    let admits = |it: &RouteKey| inner.lines.get(it).is_some_and(|it| it.admits(now));
    others_on_channel(&inner.topology(), &line.route)
        .iter()
        .any(|others| !others.iter().any(admits))
}

/// What an operator sees of a route's condition, and what its lanes go by.
pub(crate) fn condition(
    inner: &Inner,
    line: &RouteLine,
    now: Timestamp,
) -> (RouteCondition, Option<Box<str>>) {
    line.condition(is_last(inner, line, now), now)
}

/// All that an operator sees of a route.
pub(crate) fn standing(inner: &Inner, line: &RouteLine, now: Timestamp) -> Standing {
    line.standing(is_last(inner, line, now), now)
}

/// Whether some sender that uses this route has another: what waits for it may go elsewhere.
pub(crate) fn has_alternative(topology: &Topology, route: &Route) -> bool {
    topology
        .senders(route.project)
        .any(|it| it.routes.contains(&route.key) && topology.routes_of(it).count() > 1)
}
