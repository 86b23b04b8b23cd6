//! What a caller may ask of `POST /v1/messages`, and how it becomes a request to the line
//! (R-API-3, R-API-6).

use std::collections::BTreeMap;

use domain::ids::{ConversationId, MessageId, UserId};
use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::content::{Content, MessageType, TemplateUse};
use domain::model::message::{Category, Speed, TrafficClass};
use domain::time::{Millis, Timestamp};
use engine::Engine;
use engine::request::SendRequest;
use engine::topology::Topology;
use serde::Deserialize;
use utoipa::ToSchema;

use super::content::{self, ContentIn};
use super::email::{self, AttachmentIn, EmailIn};
use super::template;
use crate::address;
use crate::auth::{Caller, Scopes};
use crate::body::{self, Text};
use crate::error::{ApiError, FieldError, Problems};
use crate::json;
use crate::page::ChannelWord;
use crate::schema;
use crate::v1::idempotency::{self, Fields};

/// Most characters of a text (the longest that any channel carries).
const TEXT_CHARS: usize = 4_096;
/// Most characters of the name of a campaign.
const CAMPAIGN_CHARACTERS: usize = 64;
/// Most entries of `metadata`.
const METADATA_ENTRIES: usize = 50;
/// Most bytes of `metadata` as JSON.
const METADATA_BYTES: usize = 10_240;
/// Range of `validity` in seconds (R-API-6).
const VALIDITY: std::ops::RangeInclusive<i64> = 30..=604_800;
/// Range of `fallbackAfter` in seconds (R-API-6).
pub(crate) const FALLBACK_AFTER: std::ops::RangeInclusive<i64> = 10..=86_400;
/// Fields of the API for channels that are not there yet. None changes a text that goes by phone.
const FOR_LATER: [(&str, &str); 1] = [(
    "voiceLanguage",
    "is for voice, which is not yet supported; ignored",
)];

/// One message to one person. Unknown fields are ignored and named in `warnings`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SendMessage, example = json!({"to": "+40712345678", "text": "Your code is 123456", "idempotencyKey": "otp-42"}))]
pub(crate) struct SendIn<'a> {
    /// Who it is for: a phone number in E.164, an e-mail address, a user id of WhatsApp, or with
    /// `channel: telegram` the id of a chat.
    #[serde(borrow)]
    #[schema(value_type = String, required = true, example = "+40712345678")]
    to: Option<Text<'a>>,
    /// `auto` (the default) lets Tandem choose (R-CHAN-3); a channel's name fixes it (R-CHAN-1).
    #[serde(borrow)]
    #[schema(schema_with = schema::channel_in, default = "auto")]
    channel: Option<Text<'a>>,
    /// The kind of content. Kinds other than `text` and `template` go by WhatsApp only.
    #[serde(borrow)]
    #[schema(schema_with = schema::message_type, default = "text")]
    message_type: Option<Text<'a>>,
    /// The text, or the caption of a medium.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4096)]
    text: Option<Text<'a>>,
    /// What kinds other than `text` need.
    content: Option<ContentIn>,
    /// The caller's own data, given back with the message.
    #[schema(schema_with = schema::metadata)]
    metadata: Option<BTreeMap<String, String>>,
    /// A campaign of the caller's, by any name: `GET /v1/costs` and `GET /v1/deliverability` count by it.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64)]
    campaign: Option<Text<'a>>,
    /// Makes a repeat within 24 h the same message (R-LIFE-3). The header `Idempotency-Key` does
    /// the same.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    idempotency_key: Option<Text<'a>>,
    /// Whether another channel may be tried when the first fails (R-FALL-1). Default: true for
    /// `auto`, false for a named channel.
    fallback_enabled: Option<bool>,
    /// Whether whoever is signed in sends it from their own phone, as a text message (R-PHONE-4): it
    /// waits for them. The recipient's answer reaches only that phone. Not for API keys.
    from_my_phone: Option<bool>,
    /// Direct or bulk, where the key may say so (R-CLASS-1).
    #[serde(borrow)]
    #[schema(schema_with = schema::traffic_class)]
    traffic_class: Option<Text<'a>>,
    /// What it is for: `otp` is fast and valid for 10 minutes, `promotional` is bulk.
    #[serde(borrow)]
    #[schema(schema_with = schema::category, default = "transactional")]
    category: Option<Text<'a>>,
    /// `fast` prefers the fastest channel to the cheapest (R-CHAN-4).
    #[serde(borrow)]
    #[schema(schema_with = schema::speed, default = "normal")]
    speed: Option<Text<'a>>,
    /// The inbound message that it answers: it goes back on that message's channel (R-CHAN-2).
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^msg_[0-9a-z]{13}$")]
    in_reply_to: Option<Text<'a>>,
    /// The thread to put it in; its contact must be the recipient.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^conv_[0-9a-z]{13}[0-9a-f]+$")]
    conversation_id: Option<Text<'a>>,
    /// When to send it; a time in the past means now. `queued` until then.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, format = DateTime)]
    scheduled_at: Option<Text<'a>>,
    /// Seconds that it may wait to be sent, from acceptance or its time (R-LIFE-4).
    #[schema(minimum = 30, maximum = 604_800)]
    validity: Option<i64>,
    /// Seconds without `delivered` that count as failure of the first channel (R-FALL-5).
    #[schema(minimum = 10, maximum = 86_400)]
    fallback_after: Option<i64>,
    /// The subject, without which e-mail cannot carry it.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 998)]
    subject: Option<Text<'a>>,
    /// The body of an e-mail as HTML, beside `text`.
    #[serde(borrow)]
    #[schema(value_type = Option<String>)]
    html_body: Option<Text<'a>>,
    /// Where an answer to an e-mail goes, where not to the sender.
    #[serde(borrow)]
    #[schema(value_type = Option<String>)]
    reply_to: Option<Text<'a>>,
    /// Files of an e-mail, as large as the body of a request may be.
    #[schema(max_items = 50)]
    attachments: Option<Vec<AttachmentIn>>,
}

/// The headers that a send looks at.
#[derive(Default)]
pub(crate) struct SendHeaders {
    sender: Option<axum::http::HeaderValue>,
    idempotency_key: Option<axum::http::HeaderValue>,
}

impl SendHeaders {
    /// Whether they say who a message is from.
    pub(super) const fn names_a_sender(&self) -> bool {
        self.sender.is_some()
    }
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for SendHeaders {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self {
            sender: parts.headers.get("zavu-sender").cloned(),
            idempotency_key: parts.headers.get("idempotency-key").cloned(),
        })
    }
}

/// A request to the line, and what to tell the caller beside the answer.
pub(super) struct Prepared {
    pub(super) request: SendRequest,
    pub(super) warnings: Vec<FieldError>,
}

/// Reads and checks a request; names everything that is wrong with it.
pub(super) fn prepare(
    bytes: &[u8],
    headers: &SendHeaders,
    caller: &Caller,
    engine: &Engine,
) -> Result<Prepared, ApiError> {
    let mut warnings = Vec::new();
    let input: SendIn<'_> = body::parse(bytes, &mut warnings)?;
    name_later_fields(&mut warnings);
    let sender = sender(headers, caller, &engine.topology())?;

    let mut problems = Problems::default();
    let explicit = channel(input.channel.as_ref(), &mut problems);
    let to = recipient(input.to.as_ref(), explicit, &mut problems);
    // An e-mail address is reached by e-mail, whatever else is asked.
    let by_email = matches!(to, Some(Address::Email(_))) || explicit == Some(Channel::Email);
    let template = match input.content.as_ref().and_then(ContentIn::template) {
        Some(it) => template::read(&it, engine, caller.project(), &mut problems)?,
        None => None,
    };
    let content = content(&input, template, by_email, &mut problems, &mut warnings)?;
    let metadata = input
        .metadata
        .as_ref()
        .map(|it| metadata(it, &mut problems));
    let campaign = input
        .campaign
        .as_ref()
        .and_then(|it| campaign(it.as_str(), &mut problems));
    let class = word(
        input.traffic_class.as_ref(),
        "trafficClass",
        TRAFFIC_CLASSES,
        &mut problems,
    );
    let category = word(
        input.category.as_ref(),
        "category",
        CATEGORIES,
        &mut problems,
    );
    let speed = word(input.speed.as_ref(), "speed", SPEEDS, &mut problems);
    let in_reply_to: Option<MessageId> = id(input.in_reply_to.as_ref(), "inReplyTo", &mut problems);
    let conversation: Option<ConversationId> = id(
        input.conversation_id.as_ref(),
        "conversationId",
        &mut problems,
    );
    let scheduled_at = input.scheduled_at.as_ref().and_then(|text| {
        let at = json::timestamp(text.as_str());
        if at.is_none() {
            let words = "must be an RFC 3339 time with an offset, such as 2026-11-22T10:00:00Z";
            problems.add(&["scheduledAt"], words);
        }
        at
    });
    let validity = seconds(input.validity, "validity", &VALIDITY, &mut problems);
    let fallback_after = seconds(
        input.fallback_after,
        "fallbackAfter",
        &FALLBACK_AFTER,
        &mut problems,
    );
    let header_key = idempotency::of_header(headers.idempotency_key.as_ref(), &mut problems);
    let body_key = input.idempotency_key.as_ref().map(Text::as_str);
    let key = idempotency::key(body_key, header_key, &mut problems);
    problems.finish()?;
    if class.is_some() {
        caller.may(Scopes::TRAFFIC_CLASS).map_err(|it| {
            it.with_field(&["trafficClass"], "this key may not set the traffic class")
        })?;
    }
    let (explicit, by_person) = match input.from_my_phone {
        Some(true) => by_hand(caller, explicit, &content)?,
        Some(false) | None => (explicit, None),
    };
    // Safe: without a recipient `problems` has said so above.
    let to = to.ok_or_else(|| ApiError::field(&["to"], "is needed"))?;

    // A reaction exists on WhatsApp only, and is answered for by nothing else.
    let reacts_to = input
        .content
        .as_ref()
        .filter(|_| content.kind == MessageType::Reaction)
        .and_then(ContentIn::reacts_to);
    let explicit = explicit.or(reacts_to.map(|_| Channel::WhatsApp));
    let mut request = SendRequest {
        project: caller.project(),
        sender,
        to,
        content,
        explicit,
        traffic_class: class,
        category: category.unwrap_or_default(),
        speed,
        in_reply_to,
        reacts_to,
        conversation,
        scheduled_at,
        validity,
        fallback_enabled: input.fallback_enabled,
        fallback_after,
        metadata,
        campaign,
        idempotency: None,
        test: caller.0.test,
        by_person,
    };
    request.idempotency = key.map(|it| fields(&request).under(it));
    Ok(Prepared { request, warnings })
}

/// A text message that who is signed in sends from their own phone (R-PHONE-4).
fn by_hand(
    caller: &Caller,
    explicit: Option<Channel>,
    content: &Content,
) -> Result<(Option<Channel>, Option<UserId>), ApiError> {
    let person = caller.0.user.ok_or_else(|| {
        ApiError::field(
            &["fromMyPhone"],
            "is for people who are signed in, not for API keys",
        )
    })?;
    if explicit.is_some_and(|it| it != Channel::Sms) {
        return Err(ApiError::field(
            &["fromMyPhone"],
            "sends text messages: `channel` is \"sms\"",
        ));
    }
    if content.plain_text_on(Channel::Sms).is_none() {
        return Err(ApiError::field(&["fromMyPhone"], "sends texts only"));
    }
    Ok((Some(Channel::Sms), Some(person)))
}

/// A hash of each field that the caller may choose, in the order in which they are named.
fn fields(request: &SendRequest) -> Fields {
    let content = &request.content;
    let mut fields = Fields::with_capacity(16);
    fields.add("to", Some(request.to.to_string().as_bytes()));
    fields.add("text", content.text.as_deref().map(str::as_bytes));
    fields.add("channel", request.explicit.map(|it| it.code().as_bytes()));
    fields.add("messageType", Some(content.kind.code().as_bytes()));
    fields.add("content", content.extra.as_deref().map(str::as_bytes));
    let email = content.email.as_ref().map(|it| format!("{it:?}"));
    fields.add("subject", email.as_deref().map(str::as_bytes));
    fields.add("metadata", request.metadata.as_deref().map(str::as_bytes));
    fields.add("campaign", request.campaign.as_deref().map(str::as_bytes));
    fields.add("Zavu-Sender", Some(&request.sender.0.to_le_bytes()));
    fields.add_number("fromMyPhone", request.by_person.map(UserId::key));
    fields.add_number("fallbackEnabled", request.fallback_enabled.map(i64::from));
    fields.add(
        "trafficClass",
        request.traffic_class.map(|it| it.code().as_bytes()),
    );
    fields.add(
        "category",
        Some(super::output::category(request.category).as_bytes()),
    );
    fields.add("speed", request.speed.map(speed_code).map(str::as_bytes));
    fields.add_number("inReplyTo", request.in_reply_to.map(MessageId::key));
    fields.add_number(
        "conversationId",
        request.conversation.map(|it| it.contact.key()),
    );
    fields.add_number(
        "scheduledAt",
        request.scheduled_at.map(Timestamp::as_millis),
    );
    fields.add_number("validity", request.validity.map(Millis::get));
    fields.add_number("fallbackAfter", request.fallback_after.map(Millis::get));
    fields
}

/// Puts what is known of a field of the API in place of "unknown field".
fn name_later_fields(warnings: &mut [FieldError]) {
    for warning in warnings {
        let [name] = warning.path.as_slice() else {
            continue;
        };
        if let Some((_, words)) = FOR_LATER.iter().find(|(it, _)| it == name) {
            warning.message = (*words).to_owned();
        }
    }
}

/// The sender that the header names, or the project's default.
pub(super) fn sender(
    headers: &SendHeaders,
    caller: &Caller,
    topology: &Topology,
) -> Result<domain::ids::SenderKey, ApiError> {
    let project = caller.project();
    let found = match &headers.sender {
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|id| topology.sender_by_id(project, id)),
        None => topology.default_sender(project),
    };
    match (found, &headers.sender) {
        (Some(sender), _) => Ok(sender.key),
        (None, Some(_)) => Err(ApiError::not_found("sender").with_field(
            &["Zavu-Sender"],
            "is not the id of a sender of this project",
        )),
        (None, None) => Err(ApiError::bad_request(
            "The project has no sender to send from",
        )),
    }
}

fn recipient(
    to: Option<&Text<'_>>,
    channel: Option<Channel>,
    problems: &mut Problems,
) -> Option<Address> {
    let Some(to) = to.map(Text::as_str) else {
        problems.add(
            &["to"],
            "is needed: a phone number in E.164, such as +40712345678",
        );
        return None;
    };
    match address::read(to, channel) {
        Ok(address) => Some(address),
        Err(message) => {
            problems.add(&["to"], message);
            None
        }
    }
}

fn channel(channel: Option<&Text<'_>>, problems: &mut Problems) -> Option<Channel> {
    let word = channel.map(Text::as_str).filter(|it| *it != "auto")?;
    match ChannelWord::parse(word) {
        Some(ChannelWord::Known(channel)) => Some(channel),
        Some(ChannelWord::NotYet) => {
            problems.add(&["channel"], format!("`{word}` is not yet supported"));
            None
        }
        None => {
            problems.add(
                &["channel"],
                "must be one of auto, sms, whatsapp, telegram, email",
            );
            None
        }
    }
}

fn content(
    input: &SendIn<'_>,
    template: Option<TemplateUse>,
    by_email: bool,
    problems: &mut Problems,
    warnings: &mut Vec<FieldError>,
) -> Result<Content, ApiError> {
    let kind = match input.message_type.as_ref().map(Text::as_str) {
        None => MessageType::Text,
        Some(word) => MessageType::from_code(word).unwrap_or_else(|| {
            let words = MessageType::ALL.map(MessageType::code).join(", ");
            problems.add(&["messageType"], format!("must be one of {words}"));
            MessageType::Text
        }),
    };
    let text = input.text.as_ref().map(Text::as_str);
    match text {
        None | Some("") if by_email && input.html_body.is_some() => {}
        None | Some("") if content::needs_text(kind) => {
            problems.add(&["text"], "is needed, and must not be empty");
        }
        Some(_) if by_email => {}
        Some(text) if text.len() > TEXT_CHARS && text.chars().count() > TEXT_CHARS => {
            problems.add(&["text"], "must have at most 4096 characters");
        }
        Some(_) | None => {}
    }
    if kind == MessageType::Template && text.is_some() {
        let words = "is not used by messageType template, which has its own; ignored";
        warnings.push(FieldError::new(&["text"], words));
    }
    content::check(kind, input.content.as_ref(), text, problems);
    let email = EmailIn {
        subject: input.subject.as_ref().map(Text::as_str),
        html: input.html_body.as_ref().map(Text::as_str),
        reply_to: input.reply_to.as_ref().map(Text::as_str),
        attachments: input.attachments.as_deref(),
    };
    let email = email::read(&email, by_email, problems);
    let extra = match (&input.content, kind) {
        (None, _) => None,
        (Some(content), MessageType::Text) if content.template().is_none() => {
            warnings.push(FieldError::new(
                &["content"],
                "is not used by messageType text; ignored",
            ));
            None
        }
        (Some(content), _) => Some(to_json(content)?),
    };
    Ok(Content {
        kind,
        text: text
            .filter(|_| kind != MessageType::Template)
            .map(Into::into),
        extra,
        template,
        email,
    })
}

fn to_json(value: &impl serde::Serialize) -> Result<Box<str>, ApiError> {
    match serde_json::to_string(value) {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(ApiError::internal(&error.to_string())),
    }
}

/// The caller's own data as it is kept; also for contacts.
pub(crate) fn metadata(entries: &BTreeMap<String, String>, problems: &mut Problems) -> Box<str> {
    if entries.len() > METADATA_ENTRIES {
        problems.add(&["metadata"], "must have at most 50 entries");
    }
    // Safe to default: a map of texts is always written.
    let text = serde_json::to_string(entries).unwrap_or_default();
    if text.len() > METADATA_BYTES {
        problems.add(&["metadata"], "must have at most 10240 bytes as JSON");
    }
    text.into()
}

/// The name of a campaign, without white space around it.
fn campaign(name: &str, problems: &mut Problems) -> Option<Box<str>> {
    let name = name.trim();
    let length = name.chars().count();
    if (1..=CAMPAIGN_CHARACTERS).contains(&length) && !name.chars().any(char::is_control) {
        return Some(name.into());
    }
    problems.add(
        &["campaign"],
        "must have 1 to 64 characters, none of them a control character",
    );
    None
}

type Words<T> = &'static [(&'static str, T)];

const TRAFFIC_CLASSES: Words<TrafficClass> = &[
    ("direct", TrafficClass::Direct),
    ("bulk", TrafficClass::Bulk),
];
const CATEGORIES: Words<Category> = &[
    ("transactional", Category::Transactional),
    ("otp", Category::Otp),
    ("promotional", Category::Promotional),
];
const SPEEDS: Words<Speed> = &[("normal", Speed::Normal), ("fast", Speed::Fast)];

const fn speed_code(speed: Speed) -> &'static str {
    match speed {
        Speed::Normal => "normal",
        Speed::Fast => "fast",
    }
}

/// The value of one of a closed list of words.
fn word<T: Copy>(
    text: Option<&Text<'_>>,
    name: &str,
    words: Words<T>,
    problems: &mut Problems,
) -> Option<T> {
    let text = text?.as_str();
    let found = words
        .iter()
        .find(|(it, _)| *it == text)
        .map(|(_, value)| *value);
    if found.is_none() {
        let allowed: Vec<_> = words.iter().map(|(it, _)| *it).collect();
        problems.add(&[name], format!("must be one of {}", allowed.join(", ")));
    }
    found
}

fn id<T: std::str::FromStr>(
    text: Option<&Text<'_>>,
    name: &str,
    problems: &mut Problems,
) -> Option<T> {
    let found = text?.as_str().parse().ok();
    if found.is_none() {
        problems.add(&[name], "is not an id of this kind");
    }
    found
}

pub(crate) fn seconds(
    value: Option<i64>,
    name: &str,
    range: &std::ops::RangeInclusive<i64>,
    problems: &mut Problems,
) -> Option<Millis> {
    let value = value?;
    if !range.contains(&value) {
        let words = format!(
            "must be a number of seconds from {} to {}",
            range.start(),
            range.end()
        );
        problems.add(&[name], words);
    }
    Some(Millis::seconds(value))
}
