//! How a `deliver_sm` becomes a receipt, in all the forms that SMSCs send.
//!
//! The standard leaves the text of a receipt to vendors (v3.4 appendix B is an example), so nothing
//! is taken for granted: fields are missing, ids change their base, parameters repeat or replace the
//! text, and the type of message is not always set.

use domain::model::address::Address;
use domain::model::receipt::ReceiptState;
use domain::phone::PhoneNumber;
use ports::connector::IncomingReceipt;

use super::codes::{self, ReceiptWord};
use super::config::{MessageIdMatch, SmppConfig};
use super::inbound::decode;
use super::pdu::{Message, tag};
use super::submit::UDHI;

/// `esm_class`, bits 5 to 2: what kind of message it is.
const TYPE_BITS: u8 = 0x3C;
const RECEIPT: u8 = 0x04;
const INTERMEDIATE: u8 = 0x20;

/// The receipt in this message; `None` when it is not one.
pub(super) fn read(config: &SmppConfig, message: &Message<'_>) -> Option<IncomingReceipt> {
    let kind = message.esm_class & TYPE_BITS;
    let is_typed = kind == RECEIPT || kind == INTERMEDIATE;
    let named = message
        .tlvs
        .get(tag::RECEIPTED_MESSAGE_ID)
        .map(trimmed)
        .filter(|it| !it.is_empty());
    if !is_typed && (message.esm_class & UDHI != 0 || kind != 0) {
        return None;
    }
    let text = decode(
        message.data_coding,
        message.payload(),
        config.default_alphabet,
    );
    let fields = Fields::read(&text);
    if !is_typed && named.is_none() && !fields.is_receipt() {
        return None;
    }
    let number = message
        .tlvs
        .get(tag::MESSAGE_STATE)
        .and_then(|it| it.first().copied());
    let word = fields
        .stat
        .and_then(codes::stat_word)
        .or_else(|| number.and_then(codes::message_state))
        .filter(|_| kind != INTERMEDIATE)
        .unwrap_or(ReceiptWord::InTransit);
    let network = message
        .tlvs
        .get(tag::NETWORK_ERROR_CODE)
        .and_then(network_error);
    let err = fields.err.map(str::to_owned).or(network);
    let references = references(config.message_id_match, named.as_deref(), fields.id);
    Some(IncomingReceipt {
        references,
        ours: None,
        recipient: recipient(message),
        whole: false,
        state: codes::receipt_state(word, err.as_deref(), &config.receipt_errors),
        raw: raw(&fields, named.as_deref(), number),
    })
}

/// Whether the receipt says anything that the engine could use.
pub(super) fn is_usable(receipt: &IncomingReceipt) -> bool {
    !receipt.references.is_empty()
        || (receipt.recipient.is_some() && receipt.state != ReceiptState::InTransit)
}

/// Source and destination are swapped, so the recipient is who the receipt is from.
fn recipient(message: &Message<'_>) -> Option<Address> {
    let source = std::str::from_utf8(message.source.text).ok()?;
    PhoneNumber::from_msisdn(source.trim())
        .ok()
        .map(Address::Phone)
}

fn trimmed(octets: &[u8]) -> String {
    // A C-octet string; some servers pad it, some forget its zero.
    let text = octets.split(|it| *it == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).trim().to_owned()
}

/// Network type and 16 bits; the type says little, the number goes where `err` would.
fn network_error(value: &[u8]) -> Option<String> {
    match value {
        [_, high, low] => Some(u16::from_be_bytes([*high, *low])).filter(|it| *it != 0),
        _ => None,
    }
    .map(|it| it.to_string())
}

/// The fields of a receipt's text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields<'a> {
    id: Option<&'a str>,
    stat: Option<&'a str>,
    err: Option<&'a str>,
    /// Everything before `text:`, so that no words of the message are kept.
    head: &'a str,
}

impl<'a> Fields<'a> {
    /// Keys are looked for in any order, but never behind `text:`, where the message itself may say
    /// `stat:DELIVRD`.
    fn read(text: &'a str) -> Self {
        let head = key(text, "text")
            .map_or(text, |(begin, _)| &text[..begin])
            .trim();
        Self {
            id: value(head, "id"),
            stat: value(head, "stat"),
            err: value(head, "err"),
            head,
        }
    }

    /// Whether an untyped message is a receipt nevertheless: it begins with an id and has a state
    /// that is known.
    fn is_receipt(&self) -> bool {
        self.id.is_some()
            && self.stat.and_then(codes::stat_word).is_some()
            && key(self.head, "id").is_some_and(|it| it.0 == 0)
    }
}

/// Where `name:` stands as a word of its own, and where its value begins.
fn key(text: &str, name: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(name.len())).find_map(|begin| {
        let end = begin + name.len();
        let is_word = begin == 0 || bytes[begin - 1].is_ascii_whitespace();
        let is_key = is_word
            && bytes[end] == b':'
            && bytes[begin..end].eq_ignore_ascii_case(name.as_bytes());
        is_key.then_some((begin, end + 1))
    })
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let (_, begin) = key(head, name)?;
    let value = head[begin..].split_ascii_whitespace().next()?;
    // An empty value: what follows is the next key.
    let is_key = ["sub:", "dlvrd:", "stat:", "err:", "id:"].iter().any(|it| {
        value.len() >= it.len()
            && value.is_char_boundary(it.len())
            && value[..it.len()].eq_ignore_ascii_case(it)
    });
    (!is_key).then_some(value)
}

fn raw(fields: &Fields<'_>, named: Option<&str>, state: Option<u8>) -> Box<str> {
    let mut raw = fields.head.to_owned();
    if let Some(named) = named {
        raw = format!("{raw} receipted_message_id:{named}");
    }
    if let Some(state) = state {
        raw = format!("{raw} message_state:{state}");
    }
    raw.trim().into()
}

/// The form under which the id of a `submit_sm_resp` is kept.
pub(super) fn kept_form(policy: MessageIdMatch, id: &[u8]) -> Box<str> {
    normal(policy, &trimmed(id)).into()
}

/// Hexadecimal digits are compared without case; where bases may change, zeros in front go too.
fn normal(policy: MessageIdMatch, id: &str) -> String {
    if id.is_empty() || !id.bytes().all(|it| it.is_ascii_hexdigit()) {
        return id.to_owned();
    }
    let lower = id.to_ascii_lowercase();
    if policy == MessageIdMatch::AsIs {
        return lower;
    }
    let digits = lower.trim_start_matches('0');
    if digits.is_empty() {
        "0".to_owned()
    } else {
        digits.to_owned()
    }
}

/// The forms under which the submission may have been kept, best first.
fn references(policy: MessageIdMatch, named: Option<&str>, id: Option<&str>) -> Vec<Box<str>> {
    let mut found: Vec<Box<str>> = Vec::with_capacity(4);
    let mut add = |form: Option<String>| {
        if let Some(form) = form.map(String::into_boxed_str)
            && !found.contains(&form)
        {
            found.push(form);
        }
    };
    // The parameter usually has the form of the answer, whatever the text says.
    add(named.map(|it| normal(policy, it)));
    match policy {
        MessageIdMatch::AsIs => add(id.map(|it| normal(policy, it))),
        MessageIdMatch::ResponseHexReceiptDecimal => {
            add(id.and_then(decimal_to_hex));
            add(id.map(|it| normal(policy, it)));
        }
        MessageIdMatch::ResponseDecimalReceiptHex => {
            add(id.and_then(hex_to_decimal));
            add(id.map(|it| normal(policy, it)));
        }
        MessageIdMatch::Auto => {
            add(id.map(|it| normal(policy, it)));
            for it in [id, named].into_iter().flatten() {
                add(decimal_to_hex(it));
                add(hex_to_decimal(it));
            }
        }
    }
    found
}

fn decimal_to_hex(id: &str) -> Option<String> {
    if !id.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    id.parse::<u128>().ok().map(|it| format!("{it:x}"))
}

fn hex_to_decimal(id: &str) -> Option<String> {
    if !id.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(id, 16).ok().map(|it| it.to_string())
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
