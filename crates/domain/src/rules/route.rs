//! R-ROUTE-1: candidates are the sender's routes on the channel that are up, inside quota, serve
//! the destination (longest prefix wins) and can carry the content: an MMS goes by routes with media.
//!
//! R-ROUTE-2, R-CLASS-2: preferred class first (`direct` prefers gateways, `bulk` platforms; a
//! route without a class serves both), then the other of the two where the project allows overflow
//! (to a gateway only while it keeps its reserve for direct), then price, then success rate, then
//! free throughput, then the sender's own order.
//!
//! R-ROUTE-3: phones are the last resort of direct messages, when every gateway and platform is
//! out of quota or down. Bulk never goes to phones.
//!
//! R-ROUTE-4: a route that refused the message is not tried again; one that is down or throttled
//! is waited for, not tried.
//!
//! R-QUOTA-1: a route of which a whole quota, or the part of it that bulk may use, is less than the
//! message alone never carries it: it is no candidate, rather than one to wait for.

use std::cmp::Ordering;

use crate::decision::{
    ChannelDrop, RouteCandidate, RouteDrop, RouteObstacle, RouteReason, RouteVerdict,
};
use crate::ids::RouteKey;
use crate::model::address::Address;
use crate::model::channel::Channel;
use crate::model::content::PriceCategory;
use crate::model::message::TrafficClass;
use crate::model::money::Micros;
use crate::model::policy::Overflow;
use crate::model::quota::Use;
use crate::model::rest::Rest;
use crate::model::route::{Destinations, QuotaFacts, RouteClass, RouteCondition, RouteFacts};
use crate::rules::carry::{Load, Suit, bar, by_simulators, suit};
use crate::rules::channel::Record;
use crate::rules::cost::{Quote, Size, price_of};
use crate::rules::{quota, volume};
use crate::time::Timestamp;

/// What the choice of a route on one channel hangs on.
#[derive(Clone, Copy, Debug)]
pub struct RouteQuestion<'a> {
    /// The time of the choice.
    pub now: Timestamp,
    /// The sender's routes on every channel, in its own order.
    pub routes: &'a [RouteFacts],
    /// The channel.
    pub channel: Channel,
    /// The destination.
    pub to: &'a Address,
    /// Direct or bulk.
    pub class: TrafficClass,
    /// What a template message is charged as; `None` on channels without categories.
    pub category: Option<PriceCategory>,
    /// What is counted of it; an MMS goes only by routes that carry media.
    pub size: Size,
    /// Routes that certainly did not accept the message.
    pub refused_by: &'a [RouteKey],
    /// Whether the message came with a test key.
    pub test: bool,
    /// Which class may help out the other.
    pub overflow: Overflow,
    /// The quotas of the project (R-QUOTA-1).
    pub project: &'a QuotaFacts,
    /// What is left to need of quotas, where the provider took parts of it already (R-PARTS).
    pub rest: Option<Rest>,
}

/// The route of a message on one channel, and what was found of the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteChoice {
    /// What came of it.
    pub outcome: RouteOutcome,
    /// The sender's routes on the channel, in the order in which they were considered.
    pub candidates: Vec<RouteCandidate>,
}

/// What came of choosing a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RouteOutcome {
    /// This route carries the message now.
    Take(Pick),
    /// No route can carry it now; this one is waited for.
    WaitFor(Pick),
    /// No route on the channel will ever carry it.
    Nothing(ChannelDrop),
}

/// A route that carries a message, or is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pick {
    /// The route.
    pub route: RouteKey,
    /// What the message costs there; `None` when its price book does not say.
    pub quote: Option<Quote>,
    /// Whether the route gives receipts.
    pub receipts: bool,
    /// How much of the route's quotas this message may use up, in percent (R-ROUTE-2).
    pub share_percent: u8,
}

/// Chooses the route of a message on one channel.
///
/// What is waited for, when nothing can carry it now: gateways and platforms before phones, then
/// what is likely to pass soonest (throttled, down, out of quota, reserved), then R-ROUTE-2.
pub fn choose_route(question: &RouteQuestion<'_>) -> RouteChoice {
    let mut ranked = assess(question);
    keep_phones_for_last(&mut ranked);
    ranked.sort_unstable_by(Ranked::compare);

    let first = ranked.first().map(|it| (it.standing, it.pick()));
    let outcome = match first {
        Some((Standing::Able, pick)) => RouteOutcome::Take(pick),
        Some((Standing::Held(_), pick)) => RouteOutcome::WaitFor(pick),
        Some((Standing::NotYet | Standing::Dropped(_), _)) | None => {
            RouteOutcome::Nothing(why_nothing(&ranked))
        }
    };
    let candidates = (0..ranked.len())
        .map(|place| candidate(&ranked, place))
        .collect();
    RouteChoice {
        outcome,
        candidates,
    }
}

/// Whether these rules cover the destination: the longest prefix that fits decides, and between
/// equal ones the refusal; without a list of what is served, all is.
/// Prefixes are of phone numbers: an address of another kind is served wherever no list of what is
/// served stands.
pub fn serves(destinations: &Destinations, to: &Address) -> bool {
    let Some(to) = to.phone() else {
        return destinations.allow.is_empty();
    };
    let longest = |prefixes: &[Box<str>]| {
        prefixes
            .iter()
            .filter(|it| to.as_str().starts_with(&***it))
            .map(|it| it.len())
            .max()
    };
    match (longest(&destinations.allow), longest(&destinations.deny)) {
        (Some(allow), Some(deny)) => allow > deny,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => destinations.allow.is_empty(),
    }
}

/// How a route stands, in the order in which routes are considered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// It can carry the message now.
    Able,
    /// It may later.
    Held(RouteObstacle),
    /// A phone, while a gateway or platform is left (R-ROUTE-3).
    NotYet,
    /// It will not.
    Dropped(RouteDrop),
}

struct Ranked<'a> {
    facts: &'a RouteFacts,
    /// Place in the sender's own order.
    place: usize,
    standing: Standing,
    suit: Suit,
    quote: Option<Quote>,
    share_percent: u8,
}

impl Ranked<'_> {
    fn pick(&self) -> Pick {
        let route = &self.facts.route;
        Pick {
            route: route.key,
            quote: self.quote,
            receipts: route.receipts,
            share_percent: self.share_percent,
        }
    }

    fn is_phone(&self) -> bool {
        self.facts.route.class == Some(RouteClass::Phone)
    }

    fn record(&self) -> Record {
        Record {
            successes: self.facts.successes,
            failures: self.facts.failures,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.stage()
            .cmp(&other.stage())
            .then_with(|| self.is_phone().cmp(&other.is_phone()))
            .then_with(|| self.obstacle().cmp(&other.obstacle()))
            .then_with(|| self.suit.cmp(&other.suit))
            .then_with(|| compare_cost(self.quote, other.quote))
            .then_with(|| self.record().compare_rate(other.record()).reverse())
            .then_with(|| other.facts.free_throughput.cmp(&self.facts.free_throughput))
            .then_with(|| self.place.cmp(&other.place))
    }

    fn obstacle(&self) -> Option<RouteObstacle> {
        match self.standing {
            Standing::Held(obstacle) => Some(obstacle),
            Standing::Able | Standing::NotYet | Standing::Dropped(_) => None,
        }
    }

    /// [`Standing`] without its reasons.
    fn stage(&self) -> u8 {
        match self.standing {
            Standing::Able => 0,
            Standing::Held(_) => 1,
            Standing::NotYet => 2,
            Standing::Dropped(_) => 3,
        }
    }
}

/// Cheapest first; an unknown price is dearer than any.
pub(crate) fn compare_cost(a: Option<Quote>, b: Option<Quote>) -> Ordering {
    let key = |it: Option<Quote>| it.map_or((1, 0), |quote| (0, quote.amount.0));
    key(a).cmp(&key(b))
}

fn assess<'a>(question: &RouteQuestion<'a>) -> Vec<Ranked<'a>> {
    let all = question.routes.iter().map(|it| &*it.route);
    let load = Load {
        channel: question.channel,
        to: question.to,
        class: question.class,
        mms: question.size == Size::Mms,
        simulated: by_simulators(question.test, all),
        refused_by: question.refused_by,
        overflow: question.overflow,
    };
    question
        .routes
        .iter()
        .enumerate()
        .filter(|(_, it)| it.route.channel == question.channel)
        .map(|(place, facts)| {
            let route = &*facts.route;
            let suit = suit(route.class, question.class, question.overflow);
            let dropped = bar(route, &load);
            let quote = match dropped {
                Some(_) => None,
                None => price_of(
                    route,
                    question.to,
                    question.category,
                    question.size,
                    question.now,
                    facts.carried(),
                ),
            };
            let share_percent = share_percent(route.class, question.class, question.overflow);
            let dropped = dropped.or_else(|| too_large(facts, question, quote, share_percent));
            let standing = match dropped {
                Some(why) => Standing::Dropped(why),
                None => obstacle(facts, question, quote, share_percent)
                    .map_or(Standing::Able, Standing::Held),
            };
            Ranked {
                facts,
                place,
                standing,
                suit: suit.unwrap_or(Suit::LastResort),
                quote,
                share_percent,
            }
        })
        .collect()
}

/// How much of a route's quotas a message of this class may use up, in percent: bulk leaves a gateway
/// its reserve for direct (R-ROUTE-2).
pub fn share_percent(route: Option<RouteClass>, traffic: TrafficClass, overflow: Overflow) -> u8 {
    if traffic == TrafficClass::Bulk && route == Some(RouteClass::Gateway) {
        quota::WHOLE.saturating_sub(overflow.reserve_direct_percent)
    } else {
        quota::WHOLE
    }
}

/// Which quota the message alone is more than, so that it never goes by the route.
fn too_large(
    facts: &RouteFacts,
    question: &RouteQuestion<'_>,
    quote: Option<Quote>,
    share_percent: u8,
) -> Option<RouteDrop> {
    let (route, project) = (&facts.quota.limits, &question.project.limits);
    if route.is_none() && project.is_none() {
        return None;
    }
    let whole = || Use {
        messages: 1,
        segments: i64::from(question.size.parts()),
        spend: quote.map_or(Micros::ZERO, |it| {
            cost_at_any_volume(facts, it, question.size)
        }),
    };
    let least = question.rest.map_or_else(whole, |it| it.need);
    if quota::too_small(project, quota::WHOLE, least).is_some() {
        Some(RouteDrop::LargerThanProjectQuota)
    } else if quota::too_small(route, quota::WHOLE, least).is_some() {
        Some(RouteDrop::LargerThanQuota)
    } else if quota::too_small(route, share_percent, least).is_some() {
        Some(RouteDrop::LargerThanBulkShare)
    } else {
        None
    }
}

/// What the message costs at least by the line of the quote: a price by volume may fall, so that what
/// is too dear now is not so for good.
fn cost_at_any_volume(facts: &RouteFacts, quote: Quote, size: Size) -> Micros {
    let line = quote.line.and_then(|it| facts.route.prices.get(it));
    match (line, size) {
        (Some(line), Size::Segments(parts)) => volume::least(&line.tariff(), parts),
        (Some(_), Size::Mms) | (None, _) => quote.amount,
    }
}

/// What keeps the route from carrying the message now: the obstacle that lasts longest.
fn obstacle(
    facts: &RouteFacts,
    question: &RouteQuestion<'_>,
    quote: Option<Quote>,
    share_percent: u8,
) -> Option<RouteObstacle> {
    let whole = || Use {
        messages: 1,
        segments: i64::from(question.size.parts()),
        spend: quote.map_or(Micros::ZERO, |it| it.amount),
    };
    let need = question.rest.map_or_else(whole, |it| it.need);
    let held_since = question.rest.and_then(|it| it.held_since);
    // A person's word goes before everything else (R-HEALTH).
    match facts.condition {
        RouteCondition::Drained => return Some(RouteObstacle::Drained),
        RouteCondition::Disabled => return Some(RouteObstacle::Disabled),
        RouteCondition::Up | RouteCondition::Down | RouteCondition::Throttled => {}
    }
    let is_out = |it: &QuotaFacts, share| {
        quota::exceeded_anew(&it.used, &it.limits, share, need, held_since).is_some()
    };
    if is_out(question.project, quota::WHOLE) {
        Some(RouteObstacle::ProjectOutOfQuota)
    } else if is_out(&facts.quota, quota::WHOLE) {
        Some(RouteObstacle::OutOfQuota)
    } else if is_out(&facts.quota, share_percent) {
        Some(RouteObstacle::ReservedForDirect)
    } else {
        match facts.condition {
            RouteCondition::Up => None,
            RouteCondition::Down => Some(RouteObstacle::Down),
            RouteCondition::Throttled => Some(RouteObstacle::Throttled),
            RouteCondition::Drained | RouteCondition::Disabled => None,
        }
    }
}

/// R-ROUTE-3: while a gateway or platform could carry the message, or is merely throttled, phones
/// are left alone.
fn keep_phones_for_last(ranked: &mut [Ranked<'_>]) {
    let one_is_left = ranked.iter().any(|it| {
        !it.is_phone()
            && matches!(
                it.standing,
                Standing::Able | Standing::Held(RouteObstacle::Throttled)
            )
    });
    if one_is_left {
        for phone in ranked
            .iter_mut()
            .filter(|it| it.is_phone() && it.standing == Standing::Able)
        {
            phone.standing = Standing::NotYet;
        }
    }
}

/// Why no route will ever carry the message: the obstacle of the route that came furthest.
fn why_nothing(ranked: &[Ranked<'_>]) -> ChannelDrop {
    let any = |why| {
        ranked
            .iter()
            .any(|it| it.standing == Standing::Dropped(why))
    };
    if any(RouteDrop::RefusedBefore) {
        ChannelDrop::RoutesExhausted
    } else if any(RouteDrop::LargerThanQuota) {
        ChannelDrop::LargerThanQuota
    } else if any(RouteDrop::LargerThanBulkShare) {
        ChannelDrop::LargerThanBulkShare
    } else if any(RouteDrop::LargerThanProjectQuota) {
        ChannelDrop::LargerThanProjectQuota
    } else if any(RouteDrop::ClassNotAllowed) {
        ChannelDrop::NoRouteForClass
    } else if any(RouteDrop::NoMms) {
        ChannelDrop::ContentNotExpressible
    } else if any(RouteDrop::DestinationNotServed) {
        ChannelDrop::DestinationNotServed
    } else if any(RouteDrop::TestModeMismatch) {
        ChannelDrop::NoSimulator
    } else {
        ChannelDrop::NotOnSender
    }
}

/// What was found of the route at this place of the sorted list.
fn candidate(ranked: &[Ranked<'_>], place: usize) -> RouteCandidate {
    let (it, first) = (&ranked[place], &ranked[0]);
    let verdict = match it.standing {
        Standing::Able if place == 0 => {
            RouteVerdict::Chosen(match (it.suit, it.facts.route.class) {
                (Suit::Preferred, None) => RouteReason::Unclassified,
                (Suit::Preferred, Some(_)) => RouteReason::PreferredClass,
                (Suit::Overflow, _) => RouteReason::Overflow,
                (Suit::LastResort, _) => RouteReason::LastResort,
            })
        }
        Standing::Held(_) if place == 0 => RouteVerdict::Chosen(RouteReason::Waiting),
        Standing::Able if it.suit > first.suit => RouteVerdict::LaterClass,
        Standing::Able if compare_cost(it.quote, first.quote).is_gt() => RouteVerdict::Dearer,
        Standing::Able if it.record().compare_rate(first.record()).is_lt() => {
            RouteVerdict::LowerSuccess
        }
        Standing::Able => RouteVerdict::Busier,
        Standing::NotYet => RouteVerdict::LaterClass,
        Standing::Held(RouteObstacle::Throttled) => RouteVerdict::Throttled,
        Standing::Held(RouteObstacle::Down) => RouteVerdict::Down,
        Standing::Held(RouteObstacle::OutOfQuota) => RouteVerdict::OutOfQuota,
        Standing::Held(RouteObstacle::Drained) => RouteVerdict::Drained,
        Standing::Held(RouteObstacle::Disabled) => RouteVerdict::Disabled,
        Standing::Held(RouteObstacle::ProjectOutOfQuota) => RouteVerdict::ProjectOutOfQuota,
        Standing::Held(RouteObstacle::ReservedForDirect) => {
            RouteVerdict::Dropped(RouteDrop::ReservedForDirect)
        }
        Standing::Dropped(why) => RouteVerdict::Dropped(why),
    };
    RouteCandidate {
        route: it.facts.route.key,
        channel: it.facts.route.channel,
        class: it.facts.route.class,
        verdict,
        // Only the verdict of the first hides what keeps it.
        obstacle: it.obstacle().filter(|_| place == 0),
        cost: it.quote.map(|quote| quote.amount),
        because: taken_out(it),
    }
}

/// Who took a route out, and why.
fn taken_out(it: &Ranked<'_>) -> Option<Box<str>> {
    let control = it.facts.control.as_ref()?;
    control.mode.holds().then(|| control.words().into())
}
