//! What a callback tells, by the description: receipts, inbound messages, or nothing.

use std::borrow::Cow;

use domain::model::address::Address;
use domain::model::content::Content;
use domain::model::receipt::ReceiptState;
use domain::phone::PhoneNumber;
use domain::time::Timestamp;
use ports::connector::{Bill, IncomingMessage, IncomingReceipt};
use ports::hooks::{HookAnswer, HookCall};
use serde_json::Value;

use super::money;
use super::place::{Document, Place, Places, fields};
use super::provider::Route;
use super::signature;
use super::spec::{Condition, InboundSpec, ReceiptSpec, ReplySpec, Source};
use super::submit::key;
use super::time;
use super::words::ReceiptWord;
use crate::web::protocol::{Callback, Telling};

/// Reads a callback.
pub(super) fn read(route: &Route, call: &HookCall, now: Timestamp) -> Callback {
    if let Err(why) = signature::check(&route.provider.signature, call, now) {
        return Callback::Answer(why.answer());
    }
    let provider = &route.provider;
    let told = provider.receipts.as_ref().map(|spec| {
        let tree = tree(spec.source, call)?;
        let found = receipts(route, spec, &document(call, &tree));
        Some(found.map(|it| tells(it, &spec.reply)))
    });
    if let Some(Some(Some(callback))) = told {
        return callback;
    }
    let spec = provider.inbound.as_ref();
    let written = spec.map(|spec| {
        let tree = tree(spec.source, call)?;
        Some(tells(inbound(spec, &document(call, &tree)), &spec.reply))
    });
    match (told, written) {
        (_, Some(Some(callback))) => callback,
        // Readable, but nothing that concerns us.
        (Some(Some(_)), _) | (None, None) => Callback::Answer(HookAnswer::empty(200)),
        (Some(None) | None, Some(None)) | (Some(None), None) => {
            Callback::Answer(HookAnswer::empty(400))
        }
    }
}

fn tells(tellings: Vec<Telling>, answer: &ReplySpec) -> Callback {
    if tellings.is_empty() {
        Callback::Answer(reply(answer))
    } else {
        Callback::Tells(tellings, reply(answer))
    }
}

fn reply(spec: &ReplySpec) -> HookAnswer {
    HookAnswer {
        status: spec.http,
        content_type: spec.content_type.as_deref().map(Into::into),
        body: spec.body.clone().into_bytes(),
    }
}

/// The fields of a callback; `None` where they cannot be read.
fn tree(source: Source, call: &HookCall) -> Option<Value> {
    match source {
        Source::Json => serde_json::from_slice(&call.body).ok(),
        Source::Form => Some(fields(&call.body)),
        Source::Query => Some(fields(call.query.as_bytes())),
        Source::Auto => {
            let kind = call.header("content-type").unwrap_or_default();
            let kind = kind.to_ascii_lowercase();
            let is_json = kind.contains("json") || call.body.starts_with(b"{");
            match () {
                () if call.body.is_empty() => tree(Source::Query, call),
                () if is_json => tree(Source::Json, call),
                () => tree(Source::Form, call),
            }
        }
    }
}

fn document<'a>(call: &'a HookCall, tree: &'a Value) -> Document<'a> {
    Document {
        tree: Cow::Borrowed(tree),
        query: &call.query,
        headers: call
            .headers
            .iter()
            .map(|(name, value)| (&**name, String::from_utf8_lossy(value)))
            .collect(),
        text: String::from_utf8_lossy(&call.body),
    }
}

/// The entries of a callback that are meant.
fn entries<'a>(
    items: Option<&str>,
    condition: Option<&'a Condition>,
    document: &'a Document<'_>,
) -> impl Iterator<Item = Document<'a>> {
    let trees: Vec<&Value> = match items {
        None => vec![&*document.tree],
        Some(pointer) => match document.tree.pointer(pointer) {
            Some(Value::Array(items)) => items.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            Some(_) | None => Vec::new(),
        },
    };
    let documents = trees.into_iter().map(|it| document.item(it));
    documents.filter(move |it| {
        condition.is_none_or(|condition| condition.holds(it.read(&condition.place).as_deref()))
    })
}

/// The receipts in a callback; `None` where it is about something else.
fn receipts(route: &Route, spec: &ReceiptSpec, document: &Document<'_>) -> Option<Vec<Telling>> {
    let mut tellings: Option<Vec<Telling>> = None;
    for entry in entries(spec.items.as_deref(), spec.condition.as_ref(), document) {
        let Some(status) = entry.read(&spec.status) else {
            continue;
        };
        let tellings = tellings.get_or_insert_default();
        let Some(receipt) = receipt(route, spec, &entry, &status) else {
            continue;
        };
        let bill = receipt
            .ours
            .and_then(|it| Some((it, bill(route, spec, &entry)?)));
        tellings.push(Telling::Receipt(receipt));
        tellings.extend(bill.map(|(key, bill)| Telling::Bill(key, bill)));
    }
    tellings
}

fn receipt(
    route: &Route,
    spec: &ReceiptSpec,
    entry: &Document<'_>,
    status: &str,
) -> Option<IncomingReceipt> {
    let word = spec.status_map.get(status).copied();
    let word = word.or(spec.unknown_status).unwrap_or(ReceiptWord::Ignore);
    let error = entry.read(&spec.error);
    let reason = error.as_deref().and_then(|it| spec.error_map.get(it));
    let state = word.state(status, error.as_deref(), reason.map(|it| it.0))?;
    let reference = entry.read(&spec.reference);
    let mut references = all(entry, &spec.id);
    // A provider without ids has our reference in their place.
    if route.provider.send.ok.id.0.is_empty() {
        references.extend(reference.as_deref().map(Into::into));
    }
    let receipt = IncomingReceipt {
        ours: reference.as_deref().and_then(key),
        recipient: entry.read(&spec.recipient).and_then(|it| address(&it)),
        whole: route.provider.send.ok.items.is_none(),
        raw: raw(status, error.as_deref(), references.first().map(|it| &**it)),
        references,
        state,
    };
    is_usable(&receipt).then_some(receipt)
}

/// Whether a receipt says anything that the engine could use.
fn is_usable(receipt: &IncomingReceipt) -> bool {
    !receipt.references.is_empty()
        || receipt.ours.is_some()
        || (receipt.recipient.is_some() && receipt.state != ReceiptState::InTransit)
}

/// What stands at each of several places.
fn all(entry: &Document<'_>, places: &Places) -> Vec<Box<str>> {
    let mut found: Vec<Box<str>> = Vec::new();
    for place in &places.0 {
        let value = entry.read(&Places(vec![Place::clone(place)]));
        if let Some(value) = value.map(|it| Box::from(&*it))
            && !found.contains(&value)
        {
            found.push(value);
        }
    }
    found
}

fn address(number: &str) -> Option<Address> {
    let number = PhoneNumber::from_msisdn(number.trim()).ok()?;
    Some(Address::Phone(number))
}

/// The provider's own words, put together from what was read, so that no text of a message is kept.
fn raw(status: &str, error: Option<&str>, id: Option<&str>) -> Box<str> {
    let mut raw = format!("status:{status}");
    for (name, value) in [("error", error), ("id", id)] {
        if let Some(value) = value {
            raw = format!("{raw} {name}:{value}");
        }
    }
    raw.into()
}

fn bill(route: &Route, spec: &ReceiptSpec, entry: &Document<'_>) -> Option<Bill> {
    let segments = entry.read(&spec.segments).and_then(|it| it.parse().ok());
    let amount = money::price(spec.price.as_ref(), entry, segments, route.currency);
    let bill = Bill { segments, amount };
    (segments.is_some() || amount.is_some()).then_some(bill)
}

/// The inbound messages in a callback. Who writes from something that is no phone number cannot be
/// answered and is not told.
fn inbound(spec: &InboundSpec, document: &Document<'_>) -> Vec<Telling> {
    let entries = entries(spec.items.as_deref(), spec.condition.as_ref(), document);
    let messages = entries.filter_map(|entry| {
        let from = address(&entry.read(&spec.from)?)?;
        let to = entry.read(&spec.to)?;
        let text = entry.read(&spec.text);
        let mut content = Content::text(text.as_deref().unwrap_or_default());
        let unsupported = text.is_none();
        if unsupported {
            content.text = None;
        }
        let at = spec.at.as_ref();
        let sent_at = at.and_then(|it| time::read(&it.format, &entry.read(&it.place)?));
        Some(IncomingMessage {
            unsupported,
            provider_id: entry.read(&spec.id).map(Into::into),
            sent_at,
            ..IncomingMessage::new(from, &*to, content)
        })
    });
    let tellings = messages.map(|it| Telling::Inbound(Box::new(it)));
    tellings.collect()
}
