//! Every reason of every decision made for a message, what was tried, and what providers said
//! (R-API-2).

use domain::decision::{
    ChannelCandidate, ChannelDrop, ChannelReason, ChannelVerdict, Decision, RouteCandidate,
    RouteDrop, RouteObstacle, RouteReason, RouteVerdict,
};
use domain::explain::explain;
use domain::ids::{MessageId, RouteKey};
use domain::model::attempt::{Attempt, PartSet};
use domain::model::money::Currency;
use domain::model::route::RouteClass;
use engine::topology::Topology;
use ports::store::messages::{DecisionRecord, MessageView, ReceiptRecord, ViewKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::output::{CurrencyCode, RoutingOut};
use crate::json::{Iso, Money, Shown, WholeMillis};
use crate::schema;

/// How a message was routed, from acceptance to its end.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageRouting)]
pub(crate) struct MessageRoutingOut<'a> {
    /// The message.
    #[schema(value_type = String)]
    message_id: Shown<MessageId>,
    /// Where it stands.
    #[schema(schema_with = schema::status)]
    status: &'static str,
    /// The currency of all costs.
    #[schema(value_type = String, example = "EUR")]
    currency: CurrencyCode,
    /// The decisions, oldest first.
    decisions: Vec<DecisionOut<'a>>,
    /// The attempts, in order.
    attempts: Vec<AttemptOut<'a>>,
    /// What providers said, oldest first.
    receipts: Vec<ReceiptOut<'a>>,
    /// All of the decisions in words.
    explanation: Vec<String>,
}

impl<'a> MessageRoutingOut<'a> {
    /// Of an outbound message; an inbound one was not routed, and has nothing here.
    pub(super) fn of(
        view: &'a MessageView,
        decisions: &'a [DecisionRecord],
        receipts: &'a [ReceiptRecord],
        currency: Currency,
        topology: &'a Topology,
    ) -> Self {
        let attempts = match &view.kind {
            ViewKind::Outbound { progress, .. } => progress.attempts.as_slice(),
            ViewKind::Inbound(_) => &[],
        };
        let decisions: Vec<_> = decisions
            .iter()
            .map(|it| DecisionOut::of(&it.decision, Some(Iso(it.at)), currency, topology))
            .collect();
        Self {
            message_id: Shown(view.id),
            status: view.status.code(),
            currency: CurrencyCode(currency),
            explanation: decisions
                .iter()
                .flat_map(|it| it.explanation.iter().cloned())
                .collect(),
            decisions,
            attempts: attempts
                .iter()
                .map(|it| AttemptOut::of(it, topology))
                .collect(),
            receipts: receipts.iter().map(ReceiptOut::of).collect(),
        }
    }
}

/// One decision with all its candidates.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Decision)]
pub(crate) struct DecisionOut<'a> {
    /// When it was made; absent in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Iso>,
    /// What was chosen.
    #[serde(flatten)]
    chosen: RoutingOut<'a>,
    /// Every channel, in the order in which they were considered.
    channels: Vec<ChannelOut>,
    /// The routes of the channels that were not dropped, in the order considered.
    routes: Vec<RouteOut<'a>>,
    /// The same in words.
    pub(super) explanation: Vec<String>,
}

impl<'a> DecisionOut<'a> {
    /// The decision, with the operator's names.
    pub(super) fn of(
        decision: &Decision,
        at: Option<Iso>,
        currency: Currency,
        topology: &'a Topology,
    ) -> Self {
        let name = |key: RouteKey| topology.route_in_words(key);
        Self {
            at,
            chosen: RoutingOut::of(decision, topology),
            channels: decision.channels.iter().map(ChannelOut::of).collect(),
            routes: decision
                .routes
                .iter()
                .map(|it| RouteOut::of(it, topology))
                .collect(),
            explanation: explain(decision, &name, currency),
        }
    }
}

fn route_id(key: RouteKey, topology: &Topology) -> Option<&str> {
    topology.route_name(key)
}

/// A reason from one of the closed lists.
#[derive(Serialize)]
#[serde(untagged)]
enum Why {
    Channel(ChannelReason),
    ChannelDrop(ChannelDrop),
    Route(RouteReason),
    RouteDrop(RouteDrop),
}

/// One channel as the decision saw it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChannelCandidate)]
pub(crate) struct ChannelOut {
    /// The channel.
    #[schema(schema_with = schema::channel)]
    channel: &'static str,
    /// What was found: `chosen`, `dearer`, `slower`, `poor_record`, `passed_over`, `waiting` or
    /// `dropped`.
    verdict: &'static str,
    /// Why it was chosen or dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "window_closed")]
    reason: Option<Why>,
    /// What the message would cost there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    cost: Option<Money>,
    /// Parts that it would have there.
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<u16>,
    /// Whether it would go as an MMS there, or would if a route had `mms`; absent where not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    mms: bool,
    /// The contact's successes there.
    success_count: u32,
    /// The contact's failures there.
    failure_count: u32,
    /// The contact's mean delivery time there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    avg_delivery_time_ms: Option<WholeMillis>,
}

impl ChannelOut {
    pub(super) fn of(candidate: &ChannelCandidate) -> Self {
        let (verdict, reason) = match candidate.verdict {
            ChannelVerdict::Chosen(reason) => ("chosen", Some(Why::Channel(reason))),
            ChannelVerdict::Dearer => ("dearer", None),
            ChannelVerdict::Slower => ("slower", None),
            ChannelVerdict::PoorRecord => ("poor_record", None),
            ChannelVerdict::PassedOver => ("passed_over", None),
            ChannelVerdict::Waiting => ("waiting", None),
            ChannelVerdict::Dropped(why) => ("dropped", Some(Why::ChannelDrop(why))),
        };
        Self {
            channel: candidate.channel.code(),
            verdict,
            reason,
            cost: candidate.cost.map(Money),
            segments: candidate.segments,
            mms: candidate.mms,
            success_count: candidate.successes,
            failure_count: candidate.failures,
            avg_delivery_time_ms: candidate.average_delivery.map(WholeMillis),
        }
    }
}

/// One route as the decision saw it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RouteCandidate)]
pub(crate) struct RouteOut<'a> {
    /// The route, also where it is not configured any more; absent where its name is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    /// Its channel.
    #[schema(schema_with = schema::channel)]
    channel: &'static str,
    /// Its class.
    #[serde(skip_serializing_if = "Option::is_none")]
    route_class: Option<&'static str>,
    /// What was found: `chosen`, `channel_passed_over`, `later_class`, `dearer`, `lower_success`,
    /// `busier`, `down`, `throttled`, `out_of_quota`, `project_out_of_quota`, `drained`, `disabled`
    /// or `dropped`.
    verdict: &'static str,
    /// Why it was chosen or dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "preferred_class")]
    reason: Option<Why>,
    /// What keeps it from taking the message now, where the verdict does not say so: of the route that
    /// is waited for, or would have been. `throttled`, `down`, `out_of_quota`, `reserved_for_direct`,
    /// `drained`, `disabled` or `project_out_of_quota`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "out_of_quota")]
    obstacle: Option<RouteObstacle>,
    /// Who took it out and why, where a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "drained by app: maintenance")]
    because: Option<Box<str>>,
    /// What the message would cost there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    cost: Option<Money>,
}

impl<'a> RouteOut<'a> {
    fn of(candidate: &RouteCandidate, topology: &'a Topology) -> Self {
        let (verdict, reason) = match candidate.verdict {
            RouteVerdict::Chosen(reason) => ("chosen", Some(Why::Route(reason))),
            RouteVerdict::ChannelPassedOver => ("channel_passed_over", None),
            RouteVerdict::LaterClass => ("later_class", None),
            RouteVerdict::Dearer => ("dearer", None),
            RouteVerdict::LowerSuccess => ("lower_success", None),
            RouteVerdict::Busier => ("busier", None),
            RouteVerdict::Down => ("down", None),
            RouteVerdict::Throttled => ("throttled", None),
            RouteVerdict::OutOfQuota => ("out_of_quota", None),
            RouteVerdict::Drained => ("drained", None),
            RouteVerdict::Disabled => ("disabled", None),
            RouteVerdict::ProjectOutOfQuota => ("project_out_of_quota", None),
            RouteVerdict::Dropped(why) => ("dropped", Some(Why::RouteDrop(why))),
        };
        Self {
            route: route_id(candidate.route, topology),
            channel: candidate.channel.code(),
            route_class: candidate.class.map(RouteClass::code),
            verdict,
            reason,
            obstacle: candidate.obstacle,
            because: candidate.because.clone(),
            cost: candidate.cost.map(Money),
        }
    }
}

/// One try on one channel.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attempt)]
pub(crate) struct AttemptOut<'a> {
    /// 1 for the first channel, 2 for the fallback.
    no: u8,
    /// The channel.
    #[schema(schema_with = schema::channel)]
    channel: &'static str,
    /// The route that has it, or had it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    /// Where it stands: `sending`, `unknown`, `sent`, `failed`, `delivered` or `read`.
    state: &'static str,
    /// Number of parts.
    segments: u16,
    /// Parts that the provider took.
    segments_accepted: u16,
    /// Parts whose delivery is confirmed.
    segments_delivered: u16,
    /// What it was expected to cost.
    #[schema(value_type = f64)]
    cost_estimated: Money,
    /// What it has cost; `null` before it was charged.
    #[schema(value_type = Option<f64>)]
    cost: Option<Money>,
    /// When the provider took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Iso>,
    /// When its delivery became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Iso>,
    /// When it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_at: Option<Iso>,
    /// How often it was handed over again after an unknown outcome (R-DUP).
    resends: u16,
    /// Routes that certainly did not take it (R-ROUTE-4).
    #[schema(value_type = Vec<String>)]
    refused_by: Vec<&'a str>,
    /// Why it failed, or the last obstacle.
    error_code: Option<&'a str>,
    /// The same for people.
    error_message: Option<&'a str>,
    /// The same by kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_category: Option<&'static str>,
}

impl<'a> AttemptOut<'a> {
    fn of(attempt: &'a Attempt, topology: &'a Topology) -> Self {
        // What a provider takes whole has more parts marked than there are.
        let segments = |it: PartSet| it.len().min(attempt.parts);
        let failure = attempt.failure.as_ref();
        Self {
            no: attempt.no,
            channel: attempt.channel.code(),
            route: route_id(attempt.route, topology),
            state: attempt.state.code(),
            segments: attempt.parts,
            segments_accepted: segments(attempt.accepted),
            segments_delivered: segments(attempt.delivered),
            cost_estimated: Money(attempt.estimated_cost),
            cost: attempt.settled_cost.map(Money),
            sent_at: attempt.sent_at.map(Iso),
            delivered_at: attempt.delivered_at.map(Iso),
            failed_at: attempt.failed_at.map(Iso),
            resends: attempt.resends,
            refused_by: attempt
                .refused_by
                .iter()
                .filter_map(|it| route_id(*it, topology))
                .collect(),
            error_code: failure.map(|it| &*it.code),
            error_message: failure.map(|it| &*it.text),
            error_category: failure.map(|it| it.class.code()),
        }
    }
}

/// What a provider said.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Receipt)]
pub(crate) struct ReceiptOut<'a> {
    /// When it reached us.
    #[schema(schema_with = schema::time)]
    at: Iso,
    /// The attempt that it was for.
    attempt: u8,
    /// What it said: `in_transit`, `delivered`, `read` or `failed`.
    state: &'a str,
    /// The provider's own words.
    raw: &'a str,
}

impl<'a> ReceiptOut<'a> {
    fn of(receipt: &'a ReceiptRecord) -> Self {
        Self {
            at: Iso(receipt.at),
            attempt: receipt.attempt,
            state: &receipt.state,
            raw: &receipt.raw,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::model::attempt::PlannedAttempt;
    use domain::model::channel::Channel;
    use domain::model::money::Micros;
    use domain::model::quota::Reservation;
    use domain::model::route::ChargedOn;

    use super::*;

    #[test]
    fn what_a_provider_took_whole_has_no_more_segments_than_it_has() {
        let planned = PlannedAttempt {
            channel: Channel::Sms,
            route: RouteKey(1),
            parts: 3,
            estimated_cost: Micros(1),
            charged_on: ChargedOn::Submit,
            receipts: true,
            country: None,
            reservation: Reservation::default(),
        };
        let mut attempt = planned.start(1);
        attempt.accepted = PartSet::NONE.with(PartSet::WHOLE);
        attempt.delivered = PartSet::NONE.with(0);
        let topology = Topology::default();
        let shown = AttemptOut::of(&attempt, &topology);
        assert_eq!((shown.segments_accepted, shown.segments_delivered), (3, 1));
    }
}
