//! A message as the API shows it.

use std::borrow::Cow;

use domain::decision::{ChannelReason, Decision, RouteObstacle, RouteReason};
use domain::ids::{ConversationId, MessageId, SenderKey};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::message::{Category, Direction, Status};
use domain::model::money::{Currency, Micros};
use domain::model::progress::Progress;
use engine::topology::Topology;
use ports::store::messages::{InboundMessage, MessageView, NewMessage, ViewKind};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::files::{AttachmentOut, attachments_of};
use super::quoted::{ContentOut, content_of};
use super::waits::WaitsOut;
use crate::json::{self, Iso, Metadata, Money, Shown};
use crate::schema;

/// An address as callers write it.
fn shown(address: &Address) -> Cow<'_, str> {
    match address {
        Address::Phone(number) => Cow::Borrowed(number.as_str()),
        Address::WhatsAppUser(_) | Address::Telegram(_) | Address::Email(_) => {
            Cow::Owned(address.to_string())
        }
    }
}

/// The platform takes no fee of its own.
const OWN_FEE: u8 = 0;

/// A message, outbound or inbound.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub(crate) struct MessageOut<'a> {
    /// Its id.
    #[schema(value_type = String, example = "msg_0b5k3zrmwg000")]
    id: Shown<MessageId>,
    /// Who it is for: the recipient, or our address where inbound.
    #[schema(value_type = String)]
    to: Cow<'a, str>,
    /// Who it is from: our address, or the person where inbound.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    from: Option<Cow<'a, str>>,
    /// The sender that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_id: Option<&'a str>,
    /// The channel that was tried last, or is to be tried.
    #[schema(schema_with = schema::channel_in)]
    channel: &'static str,
    /// The kind of content.
    #[schema(schema_with = schema::message_type)]
    message_type: &'static str,
    /// Where it stands (R-LIFE-1). The answer to a send always says `queued`.
    #[schema(schema_with = schema::status)]
    status: &'static str,
    /// Which way it went.
    #[schema(schema_with = schema::direction)]
    direction: &'static str,
    /// The text, or the caption of a medium.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// What kinds other than `text` hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ContentOut<'a>>)]
    content: Option<Cow<'a, RawValue>>,
    /// The files of an inbound e-mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    attachments: Vec<AttachmentOut<'a>>,
    /// The thread with the person, across all channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    conversation_id: Option<Shown<ConversationId>>,
    /// The provider's id: of an inbound message, or, asked for one message, of the newest attempt of
    /// an outbound one that can be answered or reacted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_message_id: Option<&'a str>,
    /// The caller's own data.
    #[schema(schema_with = schema::metadata)]
    metadata: Metadata<'a>,
    /// When it was accepted, or reached us.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
    /// When it last changed.
    #[schema(schema_with = schema::time)]
    updated_at: Iso,
    /// What only outbound messages have.
    #[serde(flatten)]
    #[schema(value_type = OutboundOut<'a>)]
    outbound: Option<OutboundOut<'a>>,
}

/// What only outbound messages have; no field is required, since inbound ones have none of them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboundMessage)]
struct OutboundOut<'a> {
    /// Tandem's own fee: none.
    #[schema(required = false)]
    cost: u8,
    /// What the provider has charged so far; `null` before it has.
    #[schema(value_type = Option<f64>)]
    cost_provider: Option<Money>,
    /// The sum of both.
    #[schema(value_type = Option<f64>)]
    cost_total: Option<Money>,
    /// What the attempts so far were expected to cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    cost_estimated: Option<Money>,
    /// The currency of all of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    currency: Option<CurrencyCode>,
    /// The last error of a failed message: the provider's code, or ours.
    error_code: Option<&'a str>,
    /// The same for people.
    error_message: Option<&'a str>,
    /// The same by kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_category: Option<&'static str>,
    /// The channels that were tried, in order.
    #[schema(value_type = Vec<String>, max_items = 2, required = false)]
    attempted_channels: Attempted<'a>,
    /// The campaign that the caller counts it under.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<&'a str>,
    /// The route that has it, or had it last; absent before one did, and where it was removed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    /// Whether another channel may be tried when the first fails.
    #[schema(required = false)]
    fallback_enabled: bool,
    /// Direct or bulk.
    #[schema(schema_with = schema::traffic_class, required = false)]
    traffic_class: &'static str,
    /// What the caller said it is for.
    #[schema(schema_with = schema::category, required = false)]
    category: &'static str,
    /// When it is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    scheduled_at: Option<Iso>,
    /// End of its validity: nothing is sent after it.
    #[schema(schema_with = schema::time, required = false)]
    expires_at: Iso,
    /// Validity ended without a receipt.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    receipt_missing: bool,
    /// What it waits for, as long as it has not gone: `status` never moves back, also where what was sent
    /// has failed and goes another way.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<WaitsOut>,
}

/// A currency's code.
#[derive(Clone, Copy)]
pub(crate) struct CurrencyCode(pub(crate) Currency);

impl Serialize for CurrencyCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

/// The channels that were tried.
struct Attempted<'a>(&'a Progress);

impl Serialize for Attempted<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.attempts.iter().map(|it| it.channel.code()))
    }
}

impl<'a> MessageOut<'a> {
    /// The message as it stands.
    pub(crate) fn of(view: &'a MessageView, topology: &'a Topology) -> Self {
        match &view.kind {
            ViewKind::Outbound {
                message,
                progress,
                decision,
            } => Self::outbound(view, message, progress, decision.as_deref(), topology),
            ViewKind::Inbound(message) => Self::inbound(view, message, topology),
        }
    }

    /// The message as a send answers it: `queued` (DESIGN §1).
    pub(super) fn just_accepted(view: &'a MessageView, topology: &'a Topology) -> Self {
        let mut shown = Self::of(view, topology);
        shown.status = Status::Queued.code();
        if let Some(outbound) = &mut shown.outbound {
            outbound.waits = None;
        }
        shown
    }

    /// Shows the provider's id of an outbound message.
    pub(super) const fn named_by_provider(&mut self, reference: &'a str) {
        self.provider_message_id = Some(reference);
    }

    /// Its channel, `auto` before one is chosen.
    pub(crate) const fn channel(&self) -> &'static str {
        self.channel
    }

    /// Which way it went.
    pub(crate) const fn direction(&self) -> &'static str {
        self.direction
    }

    fn outbound(
        view: &'a MessageView,
        message: &'a NewMessage,
        progress: &'a Progress,
        decision: Option<&Decision>,
        topology: &'a Topology,
    ) -> Self {
        let sender = topology.sender(message.sender);
        let channel = progress
            .last_attempt()
            .map(|it| it.channel)
            .or_else(|| {
                decision
                    .and_then(Decision::channel)
                    .map(|(channel, _)| channel)
            })
            .or(message.explicit);
        Self {
            id: Shown(view.id),
            to: shown(&message.to),
            from: sender
                .map(|it| Cow::Borrowed(&*it.address))
                .filter(|it| !it.is_empty()),
            sender_id: sender.map(|it| &*it.id),
            channel: channel.map_or("auto", Channel::code),
            message_type: message.content.kind.code(),
            status: view.status.code(),
            direction: direction(view.direction),
            // A template shows what it says, so that the thread can be read.
            text: message.content.text.as_deref().or_else(|| {
                let words = |it| message.content.plain_text_on(it);
                channel.map_or_else(|| message.content.plain_text(), words)
            }),
            content: json::kept(message.content.extra.as_deref()).map(Cow::Borrowed),
            attachments: Vec::new(),
            conversation_id: conversation(view, message.sender),
            provider_message_id: None,
            metadata: Metadata(message.metadata.as_deref()),
            created_at: Iso(message.accepted_at),
            updated_at: Iso(view.updated_at),
            outbound: Some(OutboundOut::of(view, message, progress, topology)),
        }
    }

    fn inbound(view: &'a MessageView, message: &'a InboundMessage, topology: &'a Topology) -> Self {
        Self {
            id: Shown(view.id),
            to: Cow::Borrowed(&message.to),
            from: Some(shown(&message.from)),
            sender_id: topology.sender(message.sender).map(|it| &*it.id),
            channel: message.channel.code(),
            message_type: message.content.kind.code(),
            status: view.status.code(),
            direction: direction(view.direction),
            text: message.content.text.as_deref(),
            content: content_of(view, message, topology),
            attachments: attachments_of(view),
            conversation_id: conversation(view, message.sender),
            provider_message_id: message.provider_id.as_deref(),
            metadata: Metadata(None),
            created_at: Iso(message.received_at),
            updated_at: Iso(view.updated_at),
            outbound: None,
        }
    }
}

impl<'a> OutboundOut<'a> {
    fn of(
        view: &MessageView,
        message: &'a NewMessage,
        progress: &'a Progress,
        topology: &'a Topology,
    ) -> Self {
        let failure = progress
            .failure
            .as_ref()
            .filter(|_| view.status == Status::Failed);
        let settled = progress
            .attempts
            .iter()
            .filter_map(|it| it.settled_cost)
            .reduce(Micros::plus);
        let estimated = progress
            .attempts
            .iter()
            .map(|it| it.estimated_cost)
            .reduce(Micros::plus);
        Self {
            cost: OWN_FEE,
            cost_provider: settled.map(Money),
            cost_total: settled.map(Money),
            cost_estimated: estimated.map(Money),
            currency: topology
                .project(message.project)
                .map(|it| CurrencyCode(it.policy.currency)),
            error_code: failure.map(|it| &*it.code),
            error_message: failure.map(|it| &*it.text),
            error_category: failure.map(|it| it.class.code()),
            attempted_channels: Attempted(progress),
            campaign: message.campaign.as_ref().map(|it| &*it.name),
            route: progress
                .last_attempt()
                .and_then(|it| topology.route_name(it.route)),
            fallback_enabled: progress.fallback.enabled,
            traffic_class: message.class.code(),
            category: category(message.category),
            scheduled_at: message.scheduled_at.map(Iso),
            expires_at: Iso(progress.expires_at),
            receipt_missing: progress.receipt_missing,
            waits: WaitsOut::of(progress, topology),
        }
    }
}

fn conversation(view: &MessageView, sender: SenderKey) -> Option<Shown<ConversationId>> {
    view.contact
        .map(|contact| Shown(ConversationId { contact, sender }))
}

const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Outbound => "outbound",
        Direction::Inbound => "inbound",
    }
}

/// The API's word for what a message is for.
pub(super) const fn category(category: Category) -> &'static str {
    match category {
        Category::Transactional => "transactional",
        Category::Otp => "otp",
        Category::Promotional => "promotional",
    }
}

/// What was decided for a message, in short (R-API-2). `GET /v1/messages/{id}/routing` has all.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Routing)]
pub(crate) struct RoutingOut<'a> {
    /// The channel that was chosen or is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::channel)]
    channel: Option<&'static str>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "cheapest_viable")]
    reason: Option<ChannelReason>,
    /// The route that was chosen or is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    /// Its class: `gateway`, `platform` or `phone`; absent where it serves every kind of traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    route_class: Option<&'static str>,
    /// Why that route.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "preferred_class")]
    route_reason: Option<RouteReason>,
    /// Direct or bulk.
    #[schema(schema_with = schema::traffic_class)]
    traffic_class: &'static str,
    /// Why.
    #[schema(value_type = String, example = "default")]
    class_reason: domain::decision::ClassReason,
    /// Parts that it has on that channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<u16>,
    /// Whether it goes as an MMS there; absent where not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    mms: bool,
    /// What it is expected to cost there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    cost_estimated: Option<Money>,
    /// Whether it waits for the route to come up or for room on it (R-CHAN-5).
    waits: bool,
    /// What it waits for, where it does: its route is `throttled`, `down`, `out_of_quota`,
    /// `reserved_for_direct`, `drained` or `disabled`, or the project is out of quota
    /// (`project_out_of_quota`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "out_of_quota")]
    obstacle: Option<RouteObstacle>,
}

impl<'a> RoutingOut<'a> {
    /// The decision in short.
    pub(crate) fn of(decision: &Decision, topology: &'a Topology) -> Self {
        let channel = decision.channel();
        let candidate =
            channel.and_then(|(it, _)| decision.channels.iter().find(|c| c.channel == it));
        let chosen = decision.route();
        let route = chosen.map(|(key, _)| key);
        // As it was when it was chosen.
        let class = decision.routes.iter().find(|it| Some(it.route) == route);
        Self {
            channel: channel.map(|(it, _)| it.code()),
            reason: channel.map(|(_, reason)| reason),
            route: route.and_then(|it| topology.route_name(it)),
            route_class: class
                .and_then(|it| it.class)
                .map(domain::model::route::RouteClass::code),
            route_reason: chosen.map(|(_, reason)| reason),
            traffic_class: decision.class.code(),
            class_reason: decision.class_reason,
            segments: candidate.and_then(|it| it.segments),
            mms: candidate.is_some_and(|it| it.mms),
            cost_estimated: candidate.and_then(|it| it.cost).map(Money),
            waits: channel.is_some_and(|(_, it)| it == ChannelReason::Waiting)
                || chosen.is_some_and(|(_, it)| it == RouteReason::Waiting),
            obstacle: decision.obstacle(),
        }
    }
}
