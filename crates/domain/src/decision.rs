//! A routing decision: what was chosen, and for every candidate passed over a reason from a
//! closed list. Stored with the message, served by the API and shown in words.

use serde::{Deserialize, Serialize};

use crate::ids::RouteKey;
use crate::model::channel::Channel;
use crate::model::message::TrafficClass;
use crate::model::money::Micros;
use crate::model::route::RouteClass;
use crate::time::Millis;

/// Why a message is direct or bulk (R-CLASS-1), in the order in which the rule asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassReason {
    /// The caller said so.
    Caller,
    /// It answers an inbound message.
    Reply,
    /// It is a recipient of a broadcast.
    Broadcast,
    /// It is scheduled.
    Scheduled,
    /// It is promotional.
    Promotional,
    /// The same text went to more than the allowed number of recipients.
    SameTextToMany,
    /// None of the others.
    Default,
}

/// Why the chosen channel was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelReason {
    /// The caller named it (R-CHAN-1).
    ExplicitChannel,
    /// Its attempt on it is under way, and another route on it is looked for (R-ROUTE-4).
    UnderWay,
    /// It answers an inbound message on the channel of that message (R-CHAN-2).
    ReplySameChannel,
    /// The cheapest viable channel, with a good record (R-CHAN-3).
    CheapestViable,
    /// The cheapest viable channel, with fewer than three attempts (R-CHAN-3).
    Exploration,
    /// The fastest viable channel (R-CHAN-4).
    FastestViable,
    /// No viable channel has a good record: the best of them (R-CHAN-3).
    BestSuccessRate,
    /// It is the only viable channel.
    OnlyViable,
    /// No channel can carry it now; this one may later (R-CHAN-5).
    Waiting,
}

/// Why a channel was dropped for good, for this message (R-CHAN-3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelDrop {
    /// The caller named another channel.
    NotRequested,
    /// The attempt under way is on another channel (R-ROUTE-4).
    NotUnderWay,
    /// None of the sender's routes carries it.
    NotOnSender,
    /// The contact has no address on it.
    NoIdentifier,
    /// It cannot express the content.
    ContentNotExpressible,
    /// The text has more segments than a message may have.
    TextTooLong,
    /// The WhatsApp window is closed and there is no template (R-WIN-2).
    WindowClosed,
    /// No route on it serves the destination.
    DestinationNotServed,
    /// Every route on it is of a class that this traffic may not use (R-ROUTE-2, R-ROUTE-3).
    NoRouteForClass,
    /// A test key sends through simulators only, and none of the sender's carries it (R-TEST).
    NoSimulator,
    /// The contact is known not to have it.
    KnownIncapable,
    /// It was tried before for this message (R-FALL-2).
    AlreadyTried,
    /// Every route on it refused this message (R-ROUTE-4).
    RoutesExhausted,
    /// Only a template could go on it, and the provider has not approved that one (R-WIN-1).
    TemplateNotApproved,
    /// The message alone is more than a whole quota of its routes (R-QUOTA-1).
    LargerThanQuota,
    /// The message alone is more than bulk may use of a quota of its routes (R-ROUTE-2).
    LargerThanBulkShare,
    /// The message alone is more than a whole quota of the project (R-QUOTA-1).
    LargerThanProjectQuota,
}

/// What was found of one channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "why")]
pub enum ChannelVerdict {
    /// It carries the message.
    Chosen(ChannelReason),
    /// Viable, but another came first in price.
    Dearer,
    /// Viable, but another came first in delivery time.
    Slower,
    /// Viable and cheaper or faster, but its record is under 80 %.
    PoorRecord,
    /// Viable, but the reply rule or its place in the order put another first.
    PassedOver,
    /// Only temporarily unable (R-CHAN-3).
    Waiting,
    /// Dropped for good.
    Dropped(ChannelDrop),
}

/// Why the chosen route was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteReason {
    /// It is of the class that the traffic prefers (R-CLASS-2), and the first there.
    PreferredClass,
    /// The preferred class has no route that can take it now (R-ROUTE-2).
    Overflow,
    /// Every gateway and platform is out (R-ROUTE-3).
    LastResort,
    /// It serves both classes.
    Unclassified,
    /// No route can take it now; this one is waited for. Its
    /// [`obstacle`](RouteCandidate::obstacle) says why.
    Waiting,
}

/// Why a route was passed over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteDrop {
    /// A test key may use simulators only, and a live key none where a real route exists (R-TEST).
    TestModeMismatch,
    /// It does not serve the destination.
    DestinationNotServed,
    /// The message has a medium, and it carries texts only (R-ROUTE-1).
    NoMms,
    /// It refused this message already (R-ROUTE-4).
    RefusedBefore,
    /// It is of a class that this traffic may not use (R-ROUTE-2, R-ROUTE-3).
    ClassNotAllowed,
    /// The rest of its quota is kept for direct traffic (R-ROUTE-2).
    ReservedForDirect,
    /// The message alone is more than one of its whole quotas (R-QUOTA-1).
    LargerThanQuota,
    /// The message alone is more than bulk may use of one of its quotas (R-ROUTE-2).
    LargerThanBulkShare,
    /// The message alone is more than a whole quota of the project (R-QUOTA-1).
    LargerThanProjectQuota,
}

/// What keeps a route from carrying the message now, and may pass; the soonest to pass first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteObstacle {
    /// Throttled (R-ROUTE-4).
    Throttled,
    /// Down (R-HEALTH).
    Down,
    /// Its quota has no room for the message (R-QUOTA-2).
    OutOfQuota,
    /// Bulk may not use what is left of its quota (R-ROUTE-2).
    ReservedForDirect,
    /// Drained by a person.
    Drained,
    /// Put out of use by a person.
    Disabled,
    /// The quota of the whole project has no room for the message (R-QUOTA-1): no route of the project
    /// may carry anything that is charged to it.
    ProjectOutOfQuota,
}

/// What was found of one route.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "why")]
pub enum RouteVerdict {
    /// It carries the message.
    Chosen(RouteReason),
    /// Able, but of a class that comes later (R-CLASS-2).
    LaterClass,
    /// Able, but dearer.
    Dearer,
    /// Able and equal in price, but with a lower success rate.
    LowerSuccess,
    /// Able and equal in both, but busier, or later in the sender's order.
    Busier,
    /// The first on its channel, but another channel carries the message.
    ChannelPassedOver,
    /// Down now (R-HEALTH).
    Down,
    /// Throttled now (R-ROUTE-4).
    Throttled,
    /// Out of quota now (R-QUOTA-2).
    OutOfQuota,
    /// Drained by a person.
    Drained,
    /// Put out of use by a person.
    Disabled,
    /// The quota of the whole project is used up now, whatever the route has left (R-QUOTA-1).
    ProjectOutOfQuota,
    /// Not a candidate.
    Dropped(RouteDrop),
}

/// One channel as the decision saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChannelCandidate {
    /// The channel.
    #[serde(rename = "c")]
    pub channel: Channel,
    /// What was found.
    #[serde(rename = "v")]
    pub verdict: ChannelVerdict,
    /// What this message would cost there.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Micros>,
    /// How many segments it would have there.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<u16>,
    /// Whether it would go as an MMS there; also where it is dropped for want of a route with MMS.
    #[serde(rename = "m", default, skip_serializing_if = "std::ops::Not::not")]
    pub mms: bool,
    /// The contact's successes there.
    #[serde(rename = "s")]
    pub successes: u32,
    /// The contact's failures there.
    #[serde(rename = "f")]
    pub failures: u32,
    /// The contact's mean delivery time there.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub average_delivery: Option<Millis>,
}

/// One route as the decision saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteCandidate {
    /// The route.
    #[serde(rename = "r")]
    pub route: RouteKey,
    /// Its channel.
    #[serde(rename = "c")]
    pub channel: Channel,
    /// Its class.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub class: Option<RouteClass>,
    /// What was found.
    #[serde(rename = "v")]
    pub verdict: RouteVerdict,
    /// What keeps it from carrying the message now, where the verdict does not say so: that of a route
    /// which is waited for, or would be, had not another channel been chosen. Decisions of before it
    /// was noted have none.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<RouteObstacle>,
    /// What this message would cost there.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Micros>,
    /// Who took it out and why, where a person did.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Box<str>>,
}

/// The recorded reasons for one routing choice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// Direct or bulk.
    #[serde(rename = "class")]
    pub class: TrafficClass,
    /// Why so.
    #[serde(rename = "classWhy")]
    pub class_reason: ClassReason,
    /// Every channel that Tandem knows, in the order in which they were considered.
    #[serde(rename = "ch")]
    pub channels: Vec<ChannelCandidate>,
    /// The sender's routes on the channels that were not dropped, in the order considered.
    #[serde(rename = "ro")]
    pub routes: Vec<RouteCandidate>,
}

impl Decision {
    /// The channel that was chosen or is waited for.
    pub fn channel(&self) -> Option<(Channel, ChannelReason)> {
        self.channels.iter().find_map(|it| {
            let ChannelVerdict::Chosen(reason) = it.verdict else {
                return None;
            };
            Some((it.channel, reason))
        })
    }

    /// The route that was chosen or is waited for.
    pub fn route(&self) -> Option<(RouteKey, RouteReason)> {
        self.routes.iter().find_map(|it| {
            let RouteVerdict::Chosen(reason) = it.verdict else {
                return None;
            };
            Some((it.route, reason))
        })
    }

    /// What keeps the route that is waited for from carrying the message now.
    pub fn obstacle(&self) -> Option<RouteObstacle> {
        let chosen = |it: &&RouteCandidate| matches!(it.verdict, RouteVerdict::Chosen(_));
        self.routes.iter().find(chosen)?.obstacle
    }
}
