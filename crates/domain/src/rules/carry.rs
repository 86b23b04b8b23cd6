//! R-ROUTE-1, R-ROUTE-2, R-ROUTE-3, R-ROUTE-4, R-TEST: may a route carry a message at all, however it
//! stands now?
//!
//! R-QUOTA-3: does a direct message wait although no gateway and no platform that may carry it takes
//! anything? It is offered to people then, and an alert is raised.

use crate::decision::RouteDrop;
use crate::ids::RouteKey;
use crate::model::address::Address;
use crate::model::channel::Channel;
use crate::model::message::TrafficClass;
use crate::model::policy::Overflow;
use crate::model::route::{Route, RouteClass};
use crate::rules::route::serves;

/// What of a message decides which routes may carry it.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// The channel that it goes by.
    pub channel: Channel,
    /// Its destination.
    pub to: &'a Address,
    /// Direct or bulk.
    pub class: TrafficClass,
    /// Whether it is an MMS, which routes with media carry.
    pub mms: bool,
    /// Whether it [goes by simulators](by_simulators).
    pub simulated: bool,
    /// Routes that certainly did not accept it.
    pub refused_by: &'a [RouteKey],
    /// Which class may help out the other.
    pub overflow: Overflow,
}

/// How well a route's class suits the traffic; the best first (R-ROUTE-2, R-ROUTE-3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Suit {
    Preferred,
    Overflow,
    LastResort,
}

/// Whether a message goes by simulators, given all routes of its sender: that of a test key does, and
/// one of a live key only where the sender has nothing else on any channel, as in a demo. A simulated
/// delivery must not stand in for a real one (R-TEST).
pub fn by_simulators<'a>(test: bool, routes: impl IntoIterator<Item = &'a Route>) -> bool {
    test || routes.into_iter().all(|it| it.simulator)
}

/// Why this route of the message's channel never carries it; `None` where it may.
pub fn bar(route: &Route, load: &Load<'_>) -> Option<RouteDrop> {
    if route.simulator != load.simulated {
        Some(RouteDrop::TestModeMismatch)
    } else if !serves(&route.destinations, load.to) {
        Some(RouteDrop::DestinationNotServed)
    } else if load.mms && !route.mms {
        Some(RouteDrop::NoMms)
    } else if load.refused_by.contains(&route.key) {
        Some(RouteDrop::RefusedBefore)
    } else if suit(route.class, load.class, load.overflow).is_none() {
        Some(RouteDrop::ClassNotAllowed)
    } else {
        None
    }
}

/// R-QUOTA-3: whether every gateway and platform that may carry a direct message is out, given all
/// routes of its sender and whether each is out of quota or down. Bulk waits for its routes alone, and
/// so does what a test key asked of simulators while the sender has real routes.
pub fn is_stuck(load: &Load<'_>, routes: &[(&Route, bool)]) -> bool {
    let is_test = load.simulated && routes.iter().any(|it| !it.0.simulator);
    let mut may_carry = routes.iter().filter(|(route, _)| {
        route.channel == load.channel
            && route.class != Some(RouteClass::Phone)
            && bar(route, load).is_none()
    });
    load.class == TrafficClass::Direct && !is_test && may_carry.all(|it| it.1)
}

/// How well the class suits the traffic; `None` where the traffic may not use it.
pub(crate) const fn suit(
    route: Option<RouteClass>,
    traffic: TrafficClass,
    overflow: Overflow,
) -> Option<Suit> {
    match (traffic, route) {
        (_, None)
        | (TrafficClass::Direct, Some(RouteClass::Gateway))
        | (TrafficClass::Bulk, Some(RouteClass::Platform)) => Some(Suit::Preferred),
        (TrafficClass::Direct, Some(RouteClass::Platform)) if overflow.direct_to_platform => {
            Some(Suit::Overflow)
        }
        (TrafficClass::Bulk, Some(RouteClass::Gateway)) if overflow.bulk_to_gateway => {
            Some(Suit::Overflow)
        }
        (TrafficClass::Direct, Some(RouteClass::Phone)) => Some(Suit::LastResort),
        (TrafficClass::Direct, Some(RouteClass::Platform))
        | (TrafficClass::Bulk, Some(RouteClass::Gateway | RouteClass::Phone)) => None,
    }
}
