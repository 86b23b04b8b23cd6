//! What only some providers tell of an inbound message: one JSON column, absent where there is nothing.

use domain::model::consent::ConsentChange;
use ports::store::messages::InboundMessage;
use serde_json::{Map, Value};

use super::Corrupt;
use super::address::{address_from_text, address_to_text};

const CORRUPT: Corrupt = Corrupt("detail of an inbound message");

/// The column's text.
pub(crate) fn encode(inbound: &InboundMessage) -> Option<String> {
    let mut detail = Map::new();
    if !inbound.aliases.is_empty() {
        let aliases = inbound.aliases.iter().map(address_to_text);
        detail.insert("aliases".into(), aliases.collect());
    }
    if let Some(name) = &inbound.profile_name {
        detail.insert("profileName".into(), Value::from(&**name));
    }
    if let Some(quotes) = &inbound.quotes {
        detail.insert("quotes".into(), Value::from(&**quotes));
    }
    if inbound.unsupported {
        detail.insert("unsupported".into(), Value::from(true));
    }
    if let Some(change) = &inbound.consent {
        let mut consent = serde_json::json!({
            "optedOut": change.opted_out,
            "scope": change.scope,
            "wording": change.wording,
        });
        if change.only_if_out {
            consent["onlyIfOut"] = Value::from(true);
        }
        detail.insert("consent".into(), consent);
    }
    (!detail.is_empty()).then(|| Value::from(detail).to_string())
}

/// Fills in what the column's text says.
pub(crate) fn decode(text: Option<&str>, inbound: &mut InboundMessage) -> Result<(), Corrupt> {
    let Some(text) = text else { return Ok(()) };
    let detail: Map<String, Value> = serde_json::from_str(text).map_err(|_| CORRUPT)?;
    let word = |key: &str| detail.get(key).and_then(Value::as_str).map(Box::from);
    inbound.profile_name = word("profileName");
    inbound.quotes = word("quotes");
    inbound.unsupported = detail.contains_key("unsupported");
    inbound.consent = detail.get("consent").map(consent).transpose()?;
    for alias in detail
        .get("aliases")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = alias.as_str().ok_or(CORRUPT)?;
        inbound.aliases.push(address_from_text(text)?);
    }
    Ok(())
}

fn consent(detail: &Value) -> Result<ConsentChange, Corrupt> {
    let field = |name: &str| detail.get(name).ok_or(CORRUPT);
    Ok(ConsentChange {
        opted_out: field("optedOut")?.as_bool().ok_or(CORRUPT)?,
        scope: serde_json::from_value(field("scope")?.clone()).map_err(|_| CORRUPT)?,
        only_if_out: detail.get("onlyIfOut").is_some(),
        wording: field("wording")?.as_str().ok_or(CORRUPT)?.into(),
    })
}
