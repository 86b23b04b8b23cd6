//! The second station's question: which channel and which route carry a message now? R-CHAN-1 to
//! R-CHAN-5 in their order, composed of the rules beside this file.

use std::cmp::Ordering;

use crate::decision::{
    ChannelCandidate, ChannelDrop, ChannelReason, ChannelVerdict, ClassReason, Decision,
    RouteCandidate, RouteVerdict,
};
use crate::ids::RouteKey;
use crate::model::address::Address;
use crate::model::attempt::PlannedAttempt;
use crate::model::channel::{Channel, ChannelSet};
use crate::model::contact::ContactFacts;
use crate::model::content::Content;
use crate::model::message::{Category, Purpose, Speed, TrafficClass};
use crate::model::policy::Policy;
use crate::model::progress::Lane;
use crate::model::quota::{Periods, Quotas, Reservation};
use crate::model::rest::Rest;
use crate::model::route::{Price, QuotaFacts, RouteFacts};
use crate::model::sender::Sender;
use crate::rules::channel::{ChannelOption, Record, answered_channel, choose};
use crate::rules::consent::{Consent, consent};
use crate::rules::cost::{Quote, Size};
use crate::rules::route::Pick;
use crate::rules::template::TemplateFacts;
use crate::rules::viable::{Assessment, ChannelStanding, assess};
use crate::text::Segments;
use crate::time::Timestamp;

/// Everything that the plan of a message hangs on.
#[derive(Clone, Copy, Debug)]
pub struct PlanFacts<'a> {
    /// The time of the decision.
    pub now: Timestamp,
    /// The project's settings.
    pub policy: &'a Policy,
    /// Who the message is from.
    pub sender: &'a Sender,
    /// The sender's routes, in its own order.
    pub routes: &'a [RouteFacts],
    /// What is known of the recipient.
    pub contact: &'a ContactFacts,
    /// How the templates stand that the message may use.
    pub templates: TemplateFacts<'a>,
    /// The quotas of the project.
    pub quota: &'a QuotaFacts,
    /// The periods that the quotas count by now.
    pub periods: Periods,
    /// The message.
    pub message: MessageFacts<'a>,
}

/// What the plan of a message needs to know of the message.
#[derive(Clone, Copy, Debug)]
pub struct MessageFacts<'a> {
    /// The destination.
    pub to: &'a Address,
    /// What it says.
    pub content: &'a Content,
    /// Direct or bulk.
    pub class: TrafficClass,
    /// Why so.
    pub class_reason: ClassReason,
    /// What the caller said it is for: promotions have a consent of their own.
    pub category: Category,
    /// Whether it answers a keyword, which asks for no consent (R-IN-2).
    pub purpose: Purpose,
    /// Cheapest or fastest first (R-CHAN-4).
    pub speed: Speed,
    /// The channel that the caller named, if any (R-CHAN-1). Once it was tried and failed, it no
    /// longer binds: the message is on its fallback, which the caller asked for.
    pub explicit: Option<Channel>,
    /// The channel of the attempt under way, if any: it goes on there (R-ROUTE-4).
    pub under_way: Option<Channel>,
    /// The channel of the inbound message that this one says it answers (R-CHAN-2).
    pub reply_channel: Option<Channel>,
    /// Whether it may count as an answer without saying so: `auto`, direct, not scheduled, not
    /// promotional, no broadcast. Whether there is something to answer is for the rule.
    pub may_reply: bool,
    /// Channels that were tried for it.
    pub tried: ChannelSet,
    /// Routes that certainly did not accept it in the attempt under way.
    pub refused_by: &'a [RouteKey],
    /// What the rest needs of quotas, where the provider took parts of it already (R-PARTS).
    pub rest: Option<Rest>,
    /// Whether it came with a test key, which sends through simulators only (R-TEST). A live key
    /// uses simulators only where the sender has no other route at all.
    pub test: bool,
    /// What [`measure`](crate::text::measure) said of [`Content::plain_text`]; counted anew when
    /// the caller does not know.
    pub text_segments: Option<Segments>,
}

/// What is to be done with a message now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plan {
    /// Submit it.
    Send {
        /// On this channel, by this route.
        attempt: PlannedAttempt,
        /// Why.
        decision: Decision,
    },
    /// Keep it queued: only waiting channels are left (R-CHAN-5).
    Wait {
        /// What it waits for.
        lane: Lane,
        /// How it would be submitted there now.
        attempt: PlannedAttempt,
        /// Why.
        decision: Decision,
    },
    /// It cannot be sent.
    Refuse {
        /// Why not, in short.
        refusal: Refusal,
        /// Why each channel was dropped.
        decision: Decision,
    },
}

impl Plan {
    /// The recorded reasons.
    pub const fn decision(&self) -> &Decision {
        match self {
            Self::Send { decision, .. }
            | Self::Wait { decision, .. }
            | Self::Refuse { decision, .. } => decision,
        }
    }
}

/// Why a message cannot be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// `403 recipient_opted_out`. No channel was looked at.
    OptedOut,
    /// `400 whatsapp_window_closed`: the caller named WhatsApp, the window is closed and there is
    /// no template.
    WindowClosed,
    /// `400 template_not_approved`: the caller named WhatsApp, where only the template could go, and
    /// its provider has not approved it.
    TemplateNotApproved,
    /// `409 no_channel`: the channel that the caller named cannot carry it.
    ExplicitChannel(ChannelDrop),
    /// `409 no_channel`: every channel was dropped.
    NoChannel,
}

/// Decides what is to be done with a message now.
///
/// An answer whose channel is waiting waits with it: R-CHAN-2 gives up that channel only where it
/// can *no longer* carry the message.
pub fn plan(facts: &PlanFacts<'_>) -> Plan {
    let MessageFacts {
        purpose, category, ..
    } = facts.message;
    if consent(facts.contact.thread.standing(), purpose, category) == Consent::Withdrawn {
        let decision = record(facts, Vec::new(), Vec::new());
        return Plan::Refuse {
            refusal: Refusal::OptedOut,
            decision,
        };
    }
    let named = facts.message.explicit;
    let requested = facts
        .message
        .under_way
        .or_else(|| named.filter(|it| !facts.message.tried.contains(*it)));
    let why = match facts.message.under_way {
        Some(_) if requested != named => ChannelReason::UnderWay,
        Some(_) | None => ChannelReason::ExplicitChannel,
    };
    let mut considered: Vec<_> = Channel::ALL
        .into_iter()
        .filter(|channel| concerns(facts, *channel, requested))
        .map(|channel| consider(facts, channel, requested))
        .collect();
    let speed = facts.message.speed;
    considered.sort_by(|a, b| a.compare(b, speed));

    let reply = match requested {
        Some(_) => None,
        None => reply_channel(facts),
    };
    let chosen = bound(&considered, requested, why)
        .or_else(|| bound(&considered, reply, ChannelReason::ReplySameChannel))
        .or_else(|| best(&considered, speed));
    conclude(facts, &considered, chosen, requested)
}

/// Whether a channel is looked at and told of: text messages and WhatsApp always, the others where the
/// sender has them, the caller named them, or the recipient is only there.
fn concerns(facts: &PlanFacts<'_>, channel: Channel, requested: Option<Channel>) -> bool {
    channel.is_phone_addressed()
        || requested == Some(channel)
        || facts.message.to.is_on(channel)
        || facts.routes.iter().any(|it| it.route.channel == channel)
}

fn reply_channel(facts: &PlanFacts<'_>) -> Option<Channel> {
    facts.message.reply_channel.or_else(|| {
        let thread = &facts.contact.thread;
        let may_reply = facts.message.may_reply && facts.message.class == TrafficClass::Direct;
        may_reply
            .then(|| answered_channel(thread, facts.policy.reply_window, facts.now))
            .flatten()
    })
}

/// A channel, and what it would be compared by.
struct Considered {
    assessment: Assessment,
    option: ChannelOption,
}

impl Considered {
    /// Viable channels first, then waiting ones, each in the order of R-CHAN-3 or R-CHAN-4; then
    /// the dropped, in the order of tables.
    fn compare(&self, other: &Self, speed: Speed) -> Ordering {
        match (self.stage(), other.stage()) {
            (Stage::Dropped, Stage::Dropped) => self.option.channel.cmp(&other.option.channel),
            (a, b) => a
                .cmp(&b)
                .then_with(|| self.option.compare(&other.option, speed)),
        }
    }

    fn stage(&self) -> Stage {
        match self.assessment.standing {
            ChannelStanding::Viable(_) => Stage::Viable,
            ChannelStanding::Waiting(_) => Stage::Waiting,
            ChannelStanding::Dropped(_) => Stage::Dropped,
        }
    }

    fn pick(&self) -> Option<Pick> {
        match self.assessment.standing {
            ChannelStanding::Viable(pick) | ChannelStanding::Waiting(pick) => Some(pick),
            ChannelStanding::Dropped(_) => None,
        }
    }
}

/// [`ChannelStanding`] without its reasons, in the order in which channels are considered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Viable,
    Waiting,
    Dropped,
}

fn consider(facts: &PlanFacts<'_>, channel: Channel, requested: Option<Channel>) -> Considered {
    let assessment = assess(facts, channel, requested);
    let metrics = &facts.contact.on(channel).metrics;
    let place = facts
        .routes
        .iter()
        .position(|it| it.route.channel == channel);
    let mut considered = Considered {
        option: ChannelOption {
            channel,
            cost: None,
            record: Record::from(metrics),
            average_delivery: metrics
                .average_delivery_time()
                .unwrap_or_else(|| facts.policy.channel_averages.of(channel)),
            place: place.unwrap_or(usize::MAX),
        },
        assessment,
    };
    let quote = considered.pick().and_then(|pick| pick.quote);
    considered.option.cost = quote.map(|it| it.amount);
    considered
}

/// The place of a channel that the caller or the contact fixed, unless it was dropped.
fn bound(
    considered: &[Considered],
    channel: Option<Channel>,
    reason: ChannelReason,
) -> Option<(usize, ChannelReason)> {
    let at = considered
        .iter()
        .position(|it| Some(it.option.channel) == channel)?;
    (considered[at].stage() != Stage::Dropped).then_some((at, reason))
}

/// The best viable channel, else the best waiting one, by R-CHAN-3 and R-CHAN-4.
fn best(considered: &[Considered], speed: Speed) -> Option<(usize, ChannelReason)> {
    let stage = considered.first()?.stage();
    if stage == Stage::Dropped {
        return None;
    }
    // Sorted by stage, so that those of the first stage stand at the front.
    let mut options = [considered.first()?.option; Channel::ALL.len()];
    let mut count = 0;
    for it in considered.iter().filter(|it| it.stage() == stage) {
        options[count] = it.option;
        count += 1;
    }
    let (at, reason) = choose(&options[..count], speed)?;
    Some((
        at,
        if stage == Stage::Viable {
            reason
        } else {
            ChannelReason::Waiting
        },
    ))
}

fn conclude(
    facts: &PlanFacts<'_>,
    considered: &[Considered],
    chosen: Option<(usize, ChannelReason)>,
    requested: Option<Channel>,
) -> Plan {
    let channels = (0..considered.len())
        .map(|at| channel_candidate(facts, considered, at, chosen))
        .collect();
    let mut routes = Vec::with_capacity(facts.routes.len());
    for (at, it) in considered.iter().enumerate() {
        let is_chosen = chosen.is_some_and(|(chosen, _)| chosen == at);
        let found = it.assessment.routes.iter();
        routes.extend(found.map(|route| route_candidate(route, is_chosen)));
    }
    let picked = chosen.map(|(at, _)| &considered[at]);
    let decision = record(facts, channels, routes);
    match picked.map(|it| (it, it.assessment.standing)) {
        Some((it, ChannelStanding::Viable(pick))) => {
            let attempt = attempt(facts, it, &pick);
            Plan::Send { attempt, decision }
        }
        Some((it, ChannelStanding::Waiting(pick))) => {
            let lane = Lane {
                route: pick.route,
                class: facts.message.class,
            };
            let attempt = attempt(facts, it, &pick);
            Plan::Wait {
                lane,
                attempt,
                decision,
            }
        }
        Some((_, ChannelStanding::Dropped(_))) | None => {
            let refusal = refusal(considered, requested);
            Plan::Refuse { refusal, decision }
        }
    }
}

/// The attempt by the route that was picked.
fn attempt(facts: &PlanFacts<'_>, considered: &Considered, pick: &Pick) -> PlannedAttempt {
    let quote = pick.quote.unwrap_or(Quote::FREE);
    let size = considered.assessment.size;
    PlannedAttempt {
        channel: considered.option.channel,
        route: pick.route,
        parts: size.parts(),
        estimated_cost: quote.amount,
        charged_on: quote.charged_on,
        receipts: pick.receipts,
        country: facts.message.to.country(),
        reservation: reservation(facts, pick, size),
    }
}

/// What a message of this size on this route asks of the quotas.
fn reservation(facts: &PlanFacts<'_>, pick: &Pick, size: Size) -> Reservation {
    let route = facts.routes.iter().find(|it| it.route.key == pick.route);
    let line = pick.quote.and_then(|it| it.line).zip(route);
    let price = line.and_then(|(place, it)| it.route.prices.get(place));
    let tariff = price
        // A medium costs the same at any volume.
        .filter(|it| it.goes_by_volume() && size != Size::Mms)
        .map(Price::tariff);
    Reservation {
        at: facts.now,
        periods: facts.periods,
        route: route.map_or(Quotas::NONE, |it| it.quota.limits.clone()),
        share_percent: pick.share_percent,
        project: facts.quota.limits.clone(),
        volume: price.and_then(|it| it.volume),
        tariff,
    }
}

fn refusal(considered: &[Considered], requested: Option<Channel>) -> Refusal {
    let explicit = considered
        .iter()
        .find(|it| Some(it.option.channel) == requested);
    match explicit.map(|it| it.assessment.standing) {
        Some(ChannelStanding::Dropped(ChannelDrop::WindowClosed)) => Refusal::WindowClosed,
        Some(ChannelStanding::Dropped(ChannelDrop::TemplateNotApproved)) => {
            Refusal::TemplateNotApproved
        }
        Some(ChannelStanding::Dropped(drop)) => Refusal::ExplicitChannel(drop),
        Some(ChannelStanding::Viable(_) | ChannelStanding::Waiting(_)) | None => Refusal::NoChannel,
    }
}

fn record(
    facts: &PlanFacts<'_>,
    channels: Vec<ChannelCandidate>,
    routes: Vec<RouteCandidate>,
) -> Decision {
    let MessageFacts {
        class,
        class_reason,
        ..
    } = facts.message;
    Decision {
        class,
        class_reason,
        channels,
        routes,
    }
}

/// A route as it is told. The first of its channel carries nothing where another channel was chosen.
fn route_candidate(route: &RouteCandidate, is_of_chosen: bool) -> RouteCandidate {
    let mut told = route.clone();
    if let RouteVerdict::Chosen(_) = told.verdict
        && !is_of_chosen
    {
        told.verdict = RouteVerdict::ChannelPassedOver;
    }
    told
}

fn channel_candidate(
    facts: &PlanFacts<'_>,
    considered: &[Considered],
    at: usize,
    chosen: Option<(usize, ChannelReason)>,
) -> ChannelCandidate {
    let it = &considered[at];
    let channel = it.option.channel;
    let metrics = &facts.contact.on(channel).metrics;
    let has_segments = channel == Channel::Sms && it.stage() != Stage::Dropped;
    ChannelCandidate {
        channel,
        verdict: verdict(considered, at, chosen, facts.message.speed),
        cost: it.option.cost,
        segments: has_segments.then_some(it.assessment.size.parts()),
        mms: it.assessment.size == Size::Mms,
        successes: metrics.success_count,
        failures: metrics.failure_count,
        average_delivery: metrics.average_delivery_time(),
    }
}

/// What is said of the channel at this place, beside the chosen one.
fn verdict(
    considered: &[Considered],
    at: usize,
    chosen: Option<(usize, ChannelReason)>,
    speed: Speed,
) -> ChannelVerdict {
    let it = &considered[at];
    match (it.assessment.standing, chosen) {
        (ChannelStanding::Dropped(drop), _) => ChannelVerdict::Dropped(drop),
        (_, Some((chosen, reason))) if chosen == at => ChannelVerdict::Chosen(reason),
        (ChannelStanding::Waiting(_), _) => ChannelVerdict::Waiting,
        (ChannelStanding::Viable(_), Some((chosen, reason))) => match reason {
            ChannelReason::BestSuccessRate => ChannelVerdict::PoorRecord,
            ChannelReason::CheapestViable
            | ChannelReason::Exploration
            | ChannelReason::FastestViable => {
                if at < chosen {
                    ChannelVerdict::PoorRecord
                } else {
                    behind(&it.option, &considered[chosen].option, speed)
                }
            }
            ChannelReason::ExplicitChannel
            | ChannelReason::UnderWay
            | ChannelReason::ReplySameChannel
            | ChannelReason::OnlyViable
            | ChannelReason::Waiting => ChannelVerdict::PassedOver,
        },
        (ChannelStanding::Viable(_), None) => ChannelVerdict::PassedOver,
    }
}

/// Why an option with a good record stands behind the chosen one.
fn behind(option: &ChannelOption, chosen: &ChannelOption, speed: Speed) -> ChannelVerdict {
    let is_dearer = option
        .cost
        .map_or(chosen.cost.is_some(), |cost| chosen.cost < Some(cost));
    if speed == Speed::Fast && option.average_delivery > chosen.average_delivery {
        ChannelVerdict::Slower
    } else if is_dearer {
        ChannelVerdict::Dearer
    } else {
        ChannelVerdict::PassedOver
    }
}
