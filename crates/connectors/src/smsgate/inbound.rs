//! What a phone's webhook says: a message that somebody wrote, how the phone is, or nothing that
//! concerns us.
//!
//! The app brings the same event again under the same id until it is answered, and has been seen to
//! bring the same message under another (reference 2.8). Both have the same phone, message id,
//! sender and time, which together are the message's id here; its text alone says nothing.

use domain::model::content::Content;
use domain::phone::{CountryCode, PhoneNumber};
use domain::time::Timestamp;
use ports::connector::IncomingMessage;
use ports::store::phones::{PhoneHealth, SimCard};
use serde::Deserialize;
use serde_json::Value;

use super::wire::{self, SimIn};
use crate::web::signature::{Distrust, Encoding, Hash, Scheme, hmac};

/// An event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "event")]
    kind: String,
    #[serde(default)]
    device_id: Option<String>,
    #[serde(default)]
    payload: Payload,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    message_id: Option<Value>,
    message: Option<String>,
    body: Option<String>,
    subject: Option<String>,
    data: Option<String>,
    sender: Option<String>,
    phone_number: Option<String>,
    recipient: Option<String>,
    sim_number: Option<i64>,
    received_at: Option<String>,
    sim_cards: Option<Vec<SimIn>>,
    health: Option<Health>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Health {
    status: Option<String>,
    version: Option<String>,
    checks: serde_json::Map<String, Value>,
}

/// What an event tells.
#[derive(Debug)]
pub(super) enum Told {
    /// A person wrote.
    Message {
        message: Box<IncomingMessage>,
        /// The card that it came to.
        sim: Option<u8>,
    },
    /// How the phone is.
    Health(PhoneHealth),
    /// Its cards, not masked.
    Cards(Vec<SimCard>),
    /// A person wrote, and who it was cannot be told.
    Stranger,
    /// Nothing for us, and why.
    Nothing(&'static str),
}

/// Whether the phone signed this body: over the bytes and the text of `X-Timestamp`.
pub(super) fn check(
    key: &str,
    body: &[u8],
    timestamp: &str,
    signature: Option<&str>,
) -> Result<(), Distrust> {
    let scheme = Scheme {
        hash: Hash::Sha256,
        encoding: Encoding::Hex,
        prefix: "",
    };
    let signed = [body, timestamp.as_bytes()].concat();
    hmac(scheme, key.as_bytes(), &signed, signature)
}

/// What time a phone has that signs with this. Should its clock be off, it is believed all the same,
/// since its messages wait for days where they must.
pub(super) fn signed_at(timestamp: &str) -> Option<Timestamp> {
    let seconds = timestamp.parse::<i64>().ok()?;
    Some(Timestamp::from_millis(seconds.saturating_mul(1_000)))
}

/// The phone that an event comes from.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// Its id.
    pub(super) phone: &'a str,
    /// Its SIM cards.
    pub(super) cards: &'a [SimCard],
    /// The one person whose number ends with these digits, of those that the phones write to.
    pub(super) known: &'a dyn Fn(&str) -> Option<PhoneNumber>,
}

/// Reads an event of this phone; `None` where it is no event.
pub(super) fn read(by: Reader<'_>, body: &[u8], now: Timestamp) -> Option<Told> {
    let event: Event = serde_json::from_slice(body).ok()?;
    if event.device_id.as_deref().is_some_and(|it| it != by.phone) {
        return Some(Told::Nothing("it names another phone"));
    }
    let payload = event.payload;
    Some(match &*event.kind {
        "sms:received" => {
            let text = payload.message.clone();
            message(by, &payload, text)
        }
        "sms:data-received" => {
            let text = payload.data.as_deref().and_then(data_text);
            message(by, &payload, text)
        }
        "mms:downloaded" => {
            let text = payload.body.clone().filter(|it| !it.trim().is_empty());
            let text = text.or_else(|| payload.subject.clone());
            message(by, &payload, text.filter(|it| !it.trim().is_empty()))
        }
        "system:ping" => match payload.health {
            Some(health) => Told::Health(self::health(&health, now)),
            None => Told::Nothing("a ping without health"),
        },
        "app:started" => Told::Cards(wire::sims(payload.sim_cards.as_deref().unwrap_or_default())),
        _ => Told::Nothing("an event that was not asked for"),
    })
}

fn message(by: Reader<'_>, payload: &Payload, text: Option<String>) -> Told {
    let Reader { phone, cards, .. } = by;
    let sim = payload.sim_number.and_then(|it| u8::try_from(it).ok());
    let card = cards.iter().find(|it| Some(it.number) == sim);
    let own = |it: &str| PhoneNumber::parse(it).ok();
    let to = payload
        .recipient
        .as_deref()
        .and_then(own)
        .or_else(|| card.and_then(|it| it.phone_number.as_deref()).and_then(own));
    let mut numbers = cards.iter().filter_map(|it| it.phone_number.as_deref());
    let any = to.or_else(|| numbers.find_map(own));
    let sender = payload
        .sender
        .as_deref()
        .or(payload.phone_number.as_deref());
    let sender = sender.unwrap_or_default().trim();
    let home = any.and_then(|it| it.country());
    let Some(from) = writer(sender, home, by.known) else {
        return Told::Stranger;
    };
    let to = to.map(|it| it.to_string());
    let received = payload.received_at.as_deref().and_then(moment);
    let message_id = match &payload.message_id {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let at = received.map(Timestamp::as_millis).unwrap_or_default();
    let id = format!("{phone}/{message_id}/{}/{at}", from.digits());
    let unsupported = text.is_none();
    let content = Content::text(text.unwrap_or_default());
    let mut message = IncomingMessage::new(from.into(), to.unwrap_or_default(), content);
    message.unsupported = unsupported;
    message.provider_id = (!message_id.is_empty()).then(|| id.into());
    message.sent_at = received;
    Told::Message {
        message: Box::new(message),
        sim,
    }
}

/// So many digits at least say who it is, where no other whom the phones know has the same.
const TELLING: usize = 7;
/// So many digits have a calling code in front where they make a number: those of a country are fewer.
const WITH_CODE: usize = 11;

/// Who wrote, R-IN-3. Phones show numbers of their own country as these are dialled there, too, and
/// some leave out the plus.
fn writer(
    sender: &str,
    home: Option<CountryCode>,
    known: impl Fn(&str) -> Option<PhoneNumber>,
) -> Option<PhoneNumber> {
    let read = home.map_or_else(
        || PhoneNumber::parse(sender),
        |home| PhoneNumber::parse_at(sender, home),
    );
    if let Ok(number) = read {
        return Some(number);
    }
    let is_written = |it: char| it.is_ascii_digit() || " -().".contains(it);
    if !sender.chars().all(is_written) {
        return None;
    }
    let digits: String = sender.chars().filter(char::is_ascii_digit).collect();
    let ending = digits.trim_start_matches('0');
    let person = || (ending.len() >= TELLING).then(|| known(ending)).flatten();
    let with_code = || {
        let number = PhoneNumber::from_msisdn(sender).ok()?;
        let has_code = ending.len() == digits.len() && digits.len() >= WITH_CODE;
        (has_code && number.is_valid()).then_some(number)
    };
    person().or_else(with_code)
}

/// The text of a data message, where it is one.
fn data_text(data: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(data)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let fit = !text.is_empty()
        && !text
            .chars()
            .any(|it| it.is_control() && !it.is_whitespace());
    fit.then_some(text)
}

fn moment(text: &str) -> Option<Timestamp> {
    let stamp: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(stamp.as_millisecond()))
}

fn health(health: &Health, now: Timestamp) -> PhoneHealth {
    let battery = health
        .checks
        .get("battery:level")
        .and_then(|it| it.get("observedValue"))
        .and_then(Value::as_f64);
    PhoneHealth {
        status: health
            .status
            .as_deref()
            .and_then(wire::text)
            .unwrap_or_else(|| "unknown".into()),
        version: health.version.as_deref().and_then(wire::text),
        battery: battery.and_then(percent),
        at: now,
    }
}

/// A percentage as a whole number.
fn percent(value: f64) -> Option<u8> {
    (0_u8..=100).find(|it| (f64::from(*it) - value).abs() <= 0.5)
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
