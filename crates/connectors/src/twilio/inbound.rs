//! What a person's message tells (reference: protocols 2.2).

use domain::model::address::{Address, WhatsAppUserId};
use domain::model::content::{Content, MessageType};
use domain::phone::PhoneNumber;
use ports::connector::{ConsentSignal, IncomingMessage};
use serde_json::{Map, Value};

use super::config::{TwilioChannel, TwilioConfig};
use super::parameters::Fields;
use crate::content_object::ContentObject;
use crate::web::protocol::Telling;

/// Most media of one message.
const MEDIA_MAX: usize = 10;

/// Words that Twilio itself takes as an opt-out when they are the whole text, unless an account has
/// words of its own (Twilio's help pages, 2026).
const STOP_WORDS: [&str; 8] = [
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "OPTOUT",
    "REVOKE",
];
/// Words that opt in again. Twilio also takes YES; we leave that out, since it answers questions too,
/// and wrongly opted in is worse than asked once more.
const START_WORDS: [&str; 2] = ["START", "UNSTOP"];

/// Parameters of an advertisement that led here, and their names in the API.
const REFERRAL: [(&str, &str); 6] = [
    ("ReferralBody", "body"),
    ("ReferralHeadline", "headline"),
    ("ReferralSourceId", "sourceId"),
    ("ReferralSourceType", "sourceType"),
    ("ReferralSourceUrl", "sourceUrl"),
    ("ReferralCtwaClid", "ctwaClid"),
];

/// The consent that it tells, then the message; nothing where its sender has no address that could
/// be answered (names and short codes).
///
/// A message with several media becomes several: the first has the text and Twilio's id, the id of
/// each further one has its number.
pub(super) fn read(config: &TwilioConfig, fields: &Fields) -> Vec<Telling> {
    let Some((from, aliases)) = sender(fields) else {
        return Vec::new();
    };
    let to = fields.get("To").unwrap_or_default();
    let to = to.strip_prefix(config.channel.prefix()).unwrap_or(to);
    let sid = fields.get("MessageSid").or(fields.get("SmsSid"));
    let mut told: Vec<Telling> = consent(config, fields, &from, to)
        .map(Telling::Consent)
        .into_iter()
        .collect();
    for (at, (content, unsupported)) in contents(config, fields).into_iter().enumerate() {
        let provider_id = sid.map(|sid| match at {
            0 => sid.into(),
            _ => format!("{sid}/{at}").into(),
        });
        told.push(Telling::Inbound(Box::new(IncomingMessage {
            aliases: aliases.clone(),
            profile_name: fields.get("ProfileName").map(Into::into),
            unsupported,
            quotes: fields.get("OriginalRepliedMessageSid").map(Into::into),
            provider_id,
            ..IncomingMessage::new(from.clone(), to, content)
        })));
    }
    told
}

/// An address as Twilio writes it, with the prefix of its channel.
pub(super) fn address(text: &str) -> Option<Address> {
    let Some(on_whatsapp) = text.strip_prefix(TwilioChannel::WhatsApp.prefix()) else {
        return PhoneNumber::parse(text).ok().map(Address::Phone);
    };
    let number = PhoneNumber::from_msisdn(on_whatsapp).ok();
    number.map(Address::Phone).or_else(|| {
        let user = WhatsAppUserId::parse(on_whatsapp).ok()?;
        Some(Address::WhatsAppUser(user))
    })
}

/// Who wrote, and other addresses of theirs. `WaId` is the number as WhatsApp has it, which may be
/// there when `From` hides it, and may differ from it.
fn sender(fields: &Fields) -> Option<(Address, Vec<Address>)> {
    let from = fields.get("From").and_then(address);
    let wa_id = fields
        .get("WaId")
        .and_then(|it| PhoneNumber::from_msisdn(it).ok());
    let wa_id = wa_id.map(Address::Phone);
    match (from, wa_id) {
        (Some(Address::WhatsAppUser(user)), Some(number)) => {
            Some((number, vec![Address::WhatsAppUser(user)]))
        }
        (Some(from), Some(number)) if from != number => Some((from, vec![number])),
        (Some(from), _) => Some((from, Vec::new())),
        (None, number) => number.map(|it| (it, Vec::new())),
    }
}

fn consent(
    config: &TwilioConfig,
    fields: &Fields,
    from: &Address,
    to: &str,
) -> Option<ConsentSignal> {
    let (opted_out, raw) = match fields.get("OptOutType") {
        Some("STOP") => (true, "OptOutType=STOP".to_owned()),
        Some("START") => (false, "OptOutType=START".to_owned()),
        Some(_) => return None,
        None => {
            if !config.auto_replies_to_stop || config.channel != TwilioChannel::Sms {
                return None;
            }
            let word = fields.get("Body")?.trim().to_ascii_uppercase();
            let opted_out = STOP_WORDS.contains(&&*word);
            if !opted_out && !START_WORDS.contains(&&*word) {
                return None;
            }
            (opted_out, word)
        }
    };
    Some(ConsentSignal {
        from: from.clone(),
        to: to.into(),
        opted_out,
        promotions_only: false,
        raw: raw.into(),
    })
}

/// What was written, and whether we have no words for it.
fn contents(config: &TwilioConfig, fields: &Fields) -> Vec<(Content, bool)> {
    let text = fields.get("ButtonText").or(fields.get("Body"));
    let referral = referral(fields);
    let mut contents: Vec<(Content, bool)> = media(config.channel, fields)
        .into_iter()
        .enumerate()
        .map(|(at, (kind, object))| {
            let text = text.filter(|_| at == 0);
            let referral = referral.clone().filter(|_| at == 0);
            (
                content(kind, text, &ContentObject { referral, ..object }),
                false,
            )
        })
        .collect();
    if !contents.is_empty() {
        return contents;
    }
    if let Some(place) = place(fields) {
        let object = ContentObject { referral, ..place };
        contents.push((content(MessageType::Location, text, &object), false));
    } else {
        // An empty text message is one; on WhatsApp it stands for a kind that Twilio has no
        // parameters for.
        let unsupported = text.is_none() && config.channel == TwilioChannel::WhatsApp;
        let object = ContentObject {
            referral,
            ..ContentObject::default()
        };
        let text = Some(text.unwrap_or_default());
        contents.push((content(MessageType::Text, text, &object), unsupported));
    }
    contents
}

fn content(kind: MessageType, text: Option<&str>, object: &ContentObject) -> Content {
    Content {
        kind,
        extra: object.to_extra(),
        text: text.map(Into::into),
        ..Content::text("")
    }
}

fn media(channel: TwilioChannel, fields: &Fields) -> Vec<(MessageType, ContentObject)> {
    let count = fields.get("NumMedia").and_then(|it| it.parse().ok());
    (0..count.unwrap_or(0_usize).min(MEDIA_MAX))
        .filter_map(|at| {
            let url = fields.get(&format!("MediaUrl{at}"))?;
            let mime_type = fields.get(&format!("MediaContentType{at}"));
            let object = ContentObject {
                media_url: Some(url.to_owned()),
                mime_type: mime_type.map(str::to_owned),
                ..ContentObject::default()
            };
            Some((kind(channel, mime_type.unwrap_or_default()), object))
        })
        .collect()
}

/// Which kind of message a medium makes.
fn kind(channel: TwilioChannel, mime_type: &str) -> MessageType {
    let mime_type = mime_type.to_ascii_lowercase();
    match mime_type.split('/').next().unwrap_or_default() {
        // On WhatsApp only stickers have this type.
        "image" if channel == TwilioChannel::WhatsApp && mime_type == "image/webp" => {
            MessageType::Sticker
        }
        "image" => MessageType::Image,
        "video" => MessageType::Video,
        "audio" => MessageType::Audio,
        _ => MessageType::Document,
    }
}

fn place(fields: &Fields) -> Option<ContentObject> {
    let degrees = |name| {
        let text = fields.get(name)?;
        text.parse::<f64>().ok().filter(|it| it.is_finite())
    };
    Some(ContentObject {
        latitude: Some(degrees("Latitude")?),
        longitude: Some(degrees("Longitude")?),
        location_name: fields.get("Label").map(str::to_owned),
        location_address: fields.get("Address").map(str::to_owned),
        ..ContentObject::default()
    })
}

/// The advertisement or post that led the person here, in the API's words.
fn referral(fields: &Fields) -> Option<Value> {
    let mut referral = Map::new();
    for (theirs, ours) in REFERRAL {
        if let Some(value) = fields.get(theirs) {
            referral.insert(ours.to_owned(), value.into());
        }
    }
    let medium = fields
        .get("ReferralMediaUrl")
        .or(fields.get("ReferralMediaUrl0"));
    let mime_type = fields
        .get("ReferralMediaContentType")
        .or(fields.get("ReferralMediaContentType0"))
        .unwrap_or_default();
    if let Some(url) = medium {
        let (kind, name) = if mime_type.starts_with("video/") {
            ("video", "videoUrl")
        } else {
            ("image", "imageUrl")
        };
        referral.insert("mediaType".to_owned(), kind.into());
        referral.insert(name.to_owned(), url.into());
    }
    (!referral.is_empty()).then_some(Value::Object(referral))
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
