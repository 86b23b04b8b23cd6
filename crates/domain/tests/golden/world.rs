//! A small world to plan in: a sender with routes, a contact, and a message between them.

use std::sync::Arc;

use domain::decision::{ChannelReason, ChannelVerdict, ClassReason, Decision, RouteVerdict};
use domain::ids::{ProjectKey, RouteKey, SenderKey};
use domain::model::address::Address;
use domain::model::channel::{Channel, ChannelSet};
use domain::model::consent::KeywordPolicy;
use domain::model::contact::{ChannelMetrics, ContactFacts};
use domain::model::content::{Content, MessageType, PriceCategory, TemplateUse};
use domain::model::message::{Category, Purpose, Speed, TrafficClass};
use domain::model::money::Micros;
use domain::model::policy::Policy;
use domain::model::quota::{Meter, Period, Periods, Quota, QuotaUnit, Quotas};
use domain::model::route::{
    ChargedOn, Destinations, OnUnknown, Price, PriceScope, PriceUnit, QuotaFacts, Route,
    RouteClass, RouteFacts, UnknownWait,
};
use domain::model::sender::{Origin, Sender};
use domain::model::tariff::Tiers;
use domain::model::template::{TemplateStanding, TemplateStatus};
use domain::phone::PhoneNumber;
use domain::rules::plan::{MessageFacts, Plan, PlanFacts, plan};
use domain::rules::template::TemplateFacts;
use domain::time::{Millis, Timestamp};

/// The moment at which everything is planned.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A moment so long before [`NOW`].
pub(crate) const fn ago(span: Millis) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() - span.get())
}

/// A Romanian mobile number.
pub(crate) fn number() -> Address {
    Address::Phone(PhoneNumber::parse("+40721000001").expect("a valid number"))
}

/// A line for any destination.
pub(crate) const fn flat(micros: i64) -> Price {
    Price {
        scope: PriceScope::Any,
        category: None,
        amount: Micros(micros),
        tiers: Tiers::NONE,
        volume: None,
        mms: None,
        unit: PriceUnit::Segment,
        charged_on: ChargedOn::Submit,
        valid_from: None,
        valid_until: None,
    }
}

/// A real route that serves everything.
pub(crate) fn route(
    key: u32,
    channel: Channel,
    class: Option<RouteClass>,
    prices: Vec<Price>,
) -> Route {
    Route {
        key: RouteKey(key),
        id: format!("r{key}").into(),
        project: ProjectKey(1),
        channel,
        class,
        simulator: false,
        receipts: true,
        answers_stop: false,
        mms: false,
        throughput: None,
        destinations: Destinations::default(),
        prices,
        quotas: Quotas::NONE,
        on_unknown: OnUnknown::Resend,
        unknown_wait: UnknownWait::default(),
    }
}

/// A text-message route that is up.
pub(crate) fn sms(key: u32, class: RouteClass, micros: i64) -> RouteFacts {
    up(route(key, Channel::Sms, Some(class), vec![flat(micros)]))
}

/// A WhatsApp route that is up.
pub(crate) fn whatsapp(key: u32, micros: i64) -> RouteFacts {
    up(route(key, Channel::WhatsApp, None, vec![flat(micros)]))
}

pub(crate) fn up(route: Route) -> RouteFacts {
    RouteFacts::fresh(Arc::new(route))
}

pub(crate) fn metrics(successes: u32, failures: u32) -> ChannelMetrics {
    ChannelMetrics {
        success_count: successes,
        failure_count: failures,
        ..ChannelMetrics::default()
    }
}

/// A utility template with a text for SMS.
pub(crate) fn template() -> TemplateUse {
    TemplateUse {
        plain_text: Some("Your order is on its way".into()),
        ..TemplateUse::plain("tpl_order", PriceCategory::Utility)
    }
}

/// A message of kind template.
pub(crate) fn template_message() -> Content {
    Content {
        kind: MessageType::Template,
        text: None,
        extra: None,
        template: Some(template()),
        email: None,
    }
}

/// All that a plan hangs on, with plain values for a new outbound text.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) policy: Policy,
    pub(crate) sender: Sender,
    pub(crate) routes: Vec<RouteFacts>,
    pub(crate) contact: ContactFacts,
    pub(crate) to: Address,
    pub(crate) content: Content,
    /// How the template stands that the message has, if it has one.
    pub(crate) template_status: TemplateStatus,
    /// The sender's default (R-WIN-2), approved.
    pub(crate) default_template: Option<TemplateUse>,
    pub(crate) quota: QuotaFacts,
    pub(crate) class: TrafficClass,
    pub(crate) speed: Speed,
    pub(crate) explicit: Option<Channel>,
    pub(crate) reply_channel: Option<Channel>,
    pub(crate) may_reply: bool,
    pub(crate) tried: ChannelSet,
    pub(crate) refused_by: Vec<RouteKey>,
    pub(crate) test: bool,
}

impl World {
    /// A direct text to a person never seen before.
    pub(crate) fn new(routes: Vec<RouteFacts>) -> Self {
        Self {
            policy: Policy::default(),
            sender: Sender {
                key: SenderKey(1),
                id: "support".into(),
                project: ProjectKey(1),
                name: "Support".into(),
                address: "+40700000001".into(),
                is_default: true,
                routes: routes.iter().map(|it| it.route.key).collect(),
                default_template: None,
                fallback_after: None,
                keywords: KeywordPolicy::default(),
                origin: Origin::File,
                created_at: ago(Millis::days(30)),
                updated_at: ago(Millis::days(30)),
            },
            routes,
            contact: ContactFacts::default(),
            to: number(),
            content: Content::text("Your order is on its way"),
            template_status: TemplateStatus::Approved,
            default_template: None,
            quota: QuotaFacts::UNLIMITED,
            class: TrafficClass::Direct,
            speed: Speed::Normal,
            explicit: None,
            reply_channel: None,
            may_reply: false,
            tried: ChannelSet::EMPTY,
            refused_by: Vec::new(),
            test: false,
        }
    }

    /// The contact's newest message was on this channel, so long ago.
    pub(crate) fn contact_wrote(&mut self, channel: Channel, before: Millis) {
        self.contact.thread.last_inbound = Some((ago(before), channel));
        if channel == Channel::WhatsApp {
            self.contact.thread.whatsapp_window_from = Some(ago(before));
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(&PlanFacts {
            now: NOW,
            policy: &self.policy,
            sender: &self.sender,
            routes: &self.routes,
            contact: &self.contact,
            templates: TemplateFacts {
                own: self.content.template.as_ref().map(|it| TemplateStanding {
                    status: self.template_status,
                    category: it.category,
                }),
                default: self.default_template.as_ref().map(|it| {
                    let standing = TemplateStanding {
                        status: TemplateStatus::Approved,
                        category: it.category,
                    };
                    (it, standing)
                }),
            },
            quota: &self.quota,
            periods: Periods::default(),
            message: MessageFacts {
                to: &self.to,
                content: &self.content,
                class: self.class,
                class_reason: ClassReason::Default,
                category: Category::Transactional,
                purpose: Purpose::Ordinary,
                speed: self.speed,
                explicit: self.explicit,
                under_way: None,
                reply_channel: self.reply_channel,
                may_reply: self.may_reply,
                tried: self.tried,
                refused_by: &self.refused_by,
                rest: None,
                test: self.test,
                text_segments: None,
            },
        })
    }

    /// The channel and the route that carry the message now, if any.
    pub(crate) fn sends(&self) -> Option<(Channel, u32)> {
        match self.plan() {
            Plan::Send { attempt, .. } => Some((attempt.channel, attempt.route.0)),
            Plan::Wait { .. } | Plan::Refuse { .. } => None,
        }
    }

    /// The route that is waited for, if any.
    pub(crate) fn waits_for(&self) -> Option<u32> {
        match self.plan() {
            Plan::Wait { lane, .. } => Some(lane.route.0),
            Plan::Send { .. } | Plan::Refuse { .. } => None,
        }
    }

    /// Why the channel was chosen.
    pub(crate) fn channel_reason(&self) -> Option<ChannelReason> {
        self.plan().decision().channel().map(|(_, reason)| reason)
    }
}

/// What was found of a channel.
pub(crate) fn channel_verdict(decision: &Decision, channel: Channel) -> ChannelVerdict {
    let found = decision.channels.iter().find(|it| it.channel == channel);
    found.expect("every channel is in the decision").verdict
}

/// What was found of a route.
pub(crate) fn route_verdict(decision: &Decision, key: u32) -> Option<RouteVerdict> {
    decision
        .routes
        .iter()
        .find(|it| it.route == RouteKey(key))
        .map(|it| it.verdict)
}

/// A quota of a hundred messages a month of which so many are used.
pub(crate) fn used(messages: i64) -> QuotaFacts {
    let quota = Quota {
        per: Period::Month,
        unit: QuotaUnit::Messages,
        limit: 100,
    };
    let mut facts = QuotaFacts {
        limits: Quotas::new([quota]),
        used: Meter::default(),
    };
    facts.used.month.settled.messages = messages;
    facts
}
