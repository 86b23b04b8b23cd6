//! R-CHAN-3.1: drop every channel that cannot deliver, each with a named, lasting reason: not on
//! the sender; no identifier; content not expressible on it; WhatsApp window closed and no template
//! (R-WIN-2); no route that serves the destination; known incapable. A channel whose only obstacle
//! is temporary (all its routes down, throttled or out of quota) is *waiting*, not dropped.

use crate::decision::{ChannelDrop, RouteCandidate};
use crate::model::attempt::MAX_PARTS;
use crate::model::channel::Channel;
use crate::model::content::{Content, MessageType, PriceCategory};
use crate::rules::cost::Size;
use crate::rules::plan::PlanFacts;
use crate::rules::route::{Pick, RouteOutcome, RouteQuestion, choose_route};
use crate::rules::window::{WhatsAppForm, whatsapp_form, window};
use crate::text::measure;

/// Most characters of a text on WhatsApp (Cloud API, text messages).
pub const WHATSAPP_TEXT_MAX: usize = 4_096;

/// Most characters of a text on Telegram (Bot API, `sendMessage`).
pub const TELEGRAM_TEXT_MAX: usize = 4_096;

/// Most characters of the text beside a medium on a text-message route: what the providers that
/// carry MMS take.
pub const MMS_TEXT_MAX: usize = 1_600;

/// How one channel stands for a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelStanding {
    /// It can carry the message now, by this route.
    Viable(Pick),
    /// It may later, by this route.
    Waiting(Pick),
    /// It will not.
    Dropped(ChannelDrop),
}

/// What was found of one channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assessment {
    /// The channel.
    pub channel: Channel,
    /// How it stands.
    pub standing: ChannelStanding,
    /// What is counted of the message there; one segment where that was not asked.
    pub size: Size,
    /// Its routes, in the order in which they were considered; none when it was dropped.
    pub routes: Vec<RouteCandidate>,
}

/// The form that the content takes on a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Form {
    size: Size,
    category: Option<PriceCategory>,
}

/// How `channel` stands for the message. `requested`: the only channel that may be used, if any.
pub fn assess(facts: &PlanFacts<'_>, channel: Channel, requested: Option<Channel>) -> Assessment {
    let form = match objection(facts, channel, requested) {
        Some(drop) => Err(drop),
        None => form_on(facts, channel).and_then(|form| {
            let until = facts.contact.on(channel).incapable_until;
            let incapable = until.is_some_and(|until| facts.now < until);
            if incapable {
                Err(ChannelDrop::KnownIncapable)
            } else {
                Ok(form)
            }
        }),
    };
    let form = match form {
        Ok(form) => form,
        Err(drop) => return dropped(facts, channel, drop),
    };
    let choice = choose_route(&RouteQuestion {
        now: facts.now,
        routes: facts.routes,
        channel,
        to: facts.message.to,
        class: facts.message.class,
        category: form.category,
        size: form.size,
        refused_by: facts.message.refused_by,
        test: facts.message.test,
        overflow: facts.policy.overflow,
        project: facts.quota,
        rest: facts.message.rest,
    });
    let standing = match choice.outcome {
        RouteOutcome::Take(pick) => ChannelStanding::Viable(pick),
        RouteOutcome::WaitFor(pick) => ChannelStanding::Waiting(pick),
        RouteOutcome::Nothing(drop) => return dropped(facts, channel, drop),
    };
    Assessment {
        channel,
        standing,
        size: form.size,
        routes: choice.candidates,
    }
}

fn dropped(facts: &PlanFacts<'_>, channel: Channel, drop: ChannelDrop) -> Assessment {
    // It lacks nothing but a route that carries media: people are told so.
    let lacks_mms = channel == Channel::Sms
        && drop == ChannelDrop::ContentNotExpressible
        && facts.message.content.fits_mms();
    Assessment {
        channel,
        standing: ChannelStanding::Dropped(drop),
        size: if lacks_mms {
            Size::Mms
        } else {
            Size::Segments(1)
        },
        routes: Vec::new(),
    }
}

/// What speaks against the channel before the content is looked at.
fn objection(
    facts: &PlanFacts<'_>,
    channel: Channel,
    requested: Option<Channel>,
) -> Option<ChannelDrop> {
    if requested.is_some_and(|it| it != channel) {
        let is_named = requested == facts.message.explicit;
        Some(if is_named {
            ChannelDrop::NotRequested
        } else {
            ChannelDrop::NotUnderWay
        })
    } else if !facts.routes.iter().any(|it| it.route.channel == channel) {
        Some(ChannelDrop::NotOnSender)
    } else if facts.message.tried.contains(channel) {
        Some(ChannelDrop::AlreadyTried)
    } else if facts
        .contact
        .address_on(channel, facts.message.to)
        .is_none()
    {
        Some(ChannelDrop::NoIdentifier)
    } else {
        None
    }
}

fn form_on(facts: &PlanFacts<'_>, channel: Channel) -> Result<Form, ChannelDrop> {
    match channel {
        Channel::Sms => sms_form(facts),
        Channel::WhatsApp => whatsapp_form_of(facts),
        Channel::Telegram => telegram_form(facts.message.content),
        Channel::Email => email_form(facts.message.content),
    }
}

/// Telegram carries texts and most media as they are, and of a template its text; there is no window.
fn telegram_form(content: &Content) -> Result<Form, ChannelDrop> {
    let text = match content.kind {
        MessageType::Text | MessageType::Template => Some(
            content
                .plain_text_on(Channel::Telegram)
                .filter(|it| !it.is_empty())
                .ok_or(ChannelDrop::ContentNotExpressible)?,
        ),
        MessageType::Image
        | MessageType::Video
        | MessageType::Audio
        | MessageType::Document
        | MessageType::Sticker
        | MessageType::Location
        | MessageType::Contact
        | MessageType::Buttons
        | MessageType::CtaUrl => content.text.as_deref(),
        MessageType::List
        | MessageType::RequestContactInfo
        | MessageType::LocationRequest
        | MessageType::Reaction => return Err(ChannelDrop::ContentNotExpressible),
    };
    if text.is_some_and(|it| it.chars().nth(TELEGRAM_TEXT_MAX).is_some()) {
        return Err(ChannelDrop::TextTooLong);
    }
    Ok(Form {
        size: Size::Segments(1),
        category: None,
    })
}

/// E-mail carries what has a subject and words.
fn email_form(content: &Content) -> Result<Form, ChannelDrop> {
    let has_words = content.plain_text().is_some_and(|it| !it.is_empty());
    let email = content.email.as_ref();
    if email.is_some_and(|it| has_words || it.html.is_some()) {
        Ok(Form {
            size: Size::Segments(1),
            category: None,
        })
    } else {
        Err(ChannelDrop::ContentNotExpressible)
    }
}

fn sms_form(facts: &PlanFacts<'_>) -> Result<Form, ChannelDrop> {
    let content = facts.message.content;
    if content.fits_mms() {
        return mms_form(facts, content);
    }
    let text = content.plain_text().filter(|it| !it.is_empty());
    let text = text.ok_or(ChannelDrop::ContentNotExpressible)?;
    let segments = facts.message.text_segments.unwrap_or_else(|| measure(text));
    if segments.count > MAX_PARTS {
        return Err(ChannelDrop::TextTooLong);
    }
    Ok(Form {
        size: Size::Segments(segments.count.max(1)),
        category: None,
    })
}

/// A medium goes as an MMS where a route of the sender carries media (R-ROUTE-1); else no text message
/// says it.
/// Whether one of them serves the destination is for the choice of the route.
fn mms_form(facts: &PlanFacts<'_>, content: &Content) -> Result<Form, ChannelDrop> {
    let mut routes = facts.routes.iter();
    if !routes.any(|it| it.route.channel == Channel::Sms && it.route.mms) {
        return Err(ChannelDrop::ContentNotExpressible);
    }
    let caption = content.text.as_deref();
    if caption.is_some_and(|it| it.chars().nth(MMS_TEXT_MAX).is_some()) {
        return Err(ChannelDrop::TextTooLong);
    }
    Ok(Form {
        size: Size::Mms,
        category: None,
    })
}

fn whatsapp_form_of(facts: &PlanFacts<'_>) -> Result<Form, ChannelDrop> {
    let content = facts.message.content;
    let window = window(facts.contact.thread.whatsapp_window_from, facts.now);
    let form = whatsapp_form(content, facts.templates, window)?;
    let too_long = |text: &str| {
        text.len() > WHATSAPP_TEXT_MAX && text.chars().nth(WHATSAPP_TEXT_MAX).is_some()
    };
    if form == WhatsAppForm::FreeForm && content.text.as_deref().is_some_and(too_long) {
        return Err(ChannelDrop::TextTooLong);
    }
    Ok(Form {
        size: Size::Segments(1),
        category: Some(form.price_category()),
    })
}
