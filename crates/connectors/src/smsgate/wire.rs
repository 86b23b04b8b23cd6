//! The shapes that the app and we exchange (reference: phone gateways, section 2).
//!
//! Three things would break the app silently: a date with more or fewer than three decimals is read
//! minutes or hours wrong, a section of settings that is null makes it crash, and a webhook for an
//! event that it does not know is no webhook. So dates are made here only, and nothing is ever null.

use domain::time::Timestamp;
use ports::store::phones::{Handing, SimCard};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::shifted;
use super::config::SmsGateConfig;
use super::listing::Shown;

/// The events that every version of the app knows and that we listen to.
pub(super) const HOOK_EVENTS: [&str; 5] = [
    "sms:received",
    "sms:data-received",
    "mms:downloaded",
    "system:ping",
    "app:started",
];

/// A date with exactly three decimals.
pub(super) fn date(at: Timestamp) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    stamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// `POST /device` and `PATCH /device`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DeviceIn {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) sim_cards: Option<Vec<SimIn>>,
    /// Google's name for this installation of the app; absent where it does not use Google.
    pub(super) push_token: Option<String>,
}

/// A SIM card as the app describes it; every value may be masked or absent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SimIn {
    slot_index: Option<i64>,
    sim_number: Option<i64>,
    phone_number: Option<String>,
    carrier_name: Option<String>,
    iccid: Option<String>,
}

impl SimIn {
    /// Whether it tells one card from another: its number or its serial number, if only the last digits.
    pub(super) fn identifies(&self) -> bool {
        let tells = |it: &Option<String>| {
            let digits = it.as_deref().unwrap_or_default().bytes();
            digits.filter(u8::is_ascii_digit).count() >= 4
        };
        tells(&self.phone_number) || tells(&self.iccid)
    }
}

/// Longest text of a phone's own that is kept.
const TEXT_MAX: usize = 128;

/// The cards that are worth keeping.
pub(super) fn sims(cards: &[SimIn]) -> Vec<SimCard> {
    let card = |(at, it): (usize, &SimIn)| {
        let place = it.sim_number.or_else(|| it.slot_index.map(|slot| slot + 1));
        let number = match place {
            Some(number) => u8::try_from(number).ok()?,
            None => u8::try_from(at + 1).ok()?,
        };
        Some(SimCard {
            number,
            phone_number: it.phone_number.as_deref().and_then(text),
            carrier: it.carrier_name.as_deref().and_then(text),
        })
    };
    let cards = cards.iter().take(8).enumerate();
    let mut cards: Vec<_> = cards.filter_map(card).filter(|it| it.number > 0).collect();
    cards.sort_by_key(|it| it.number);
    cards.dedup_by_key(|it| it.number);
    cards
}

/// A text of the phone's own, cut to what is kept; none where it is empty.
pub(super) fn text(given: &str) -> Option<Box<str>> {
    let cut: String = given.trim().chars().take(TEXT_MAX).collect();
    (!cut.is_empty()).then(|| cut.into())
}

/// 2000-01-01: before whatever the clock of a phone may say that TLS lets in.
const LONG_OVER: Timestamp = Timestamp::from_millis(946_684_800_000);

/// A message in `GET /message`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageOut<'a> {
    id: &'a str,
    device_id: &'a str,
    state: &'static str,
    message: &'a str,
    text_message: TextOut<'a>,
    phone_numbers: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    sim_number: Option<u8>,
    with_delivery_report: bool,
    is_encrypted: bool,
    priority: i8,
    valid_until: String,
    created_at: String,
}

#[derive(Debug, Serialize)]
struct TextOut<'a> {
    text: &'a str,
}

impl<'a> MessageOut<'a> {
    /// `ahead`: by how much the phone's clock is, in milliseconds.
    pub(super) fn of(it: &'a Handing, shown: Shown, ahead: i64, config: &SmsGateConfig) -> Self {
        let valid_until = match shown {
            Shown::Send | Shown::Cancel => shifted(it.valid_until, ahead),
            Shown::Ask => LONG_OVER,
        };
        Self {
            id: &it.id,
            device_id: &it.phone,
            state: match shown {
                Shown::Send | Shown::Ask => "Pending",
                Shown::Cancel => "Cancelling",
            },
            message: &it.text,
            text_message: TextOut { text: &it.text },
            phone_numbers: [it.to.to_string()],
            sim_number: it.sim.filter(|it| (1..=3).contains(it)),
            with_delivery_report: config.delivery_reports,
            is_encrypted: false,
            priority: 0,
            valid_until: date(valid_until),
            created_at: date(it.handed_at),
        }
    }
}

/// The settings that we push. The phone has limits of its own, loose ones: ours are counted here.
pub(super) fn settings(config: &SmsGateConfig, signing_key: &str) -> Value {
    json!({
        "gateway": { "notification_channel": "SSE_ONLY" },
        "messages": { "processing_order": "FIFO" },
        "ping": { "interval_seconds": config.ping.get() / 1_000 },
        "webhooks": { "signing_key": signing_key, "internet_required": true, "retry_count": 15 },
    })
}

/// The webhooks that we want, all to one URL.
pub(super) fn hooks(phone: &str, url: &str) -> Value {
    let hook = |event: &&str| {
        let id = format!("tandem-{}", event.replace(':', "-"));
        json!({ "id": id, "deviceId": phone, "url": url, "event": event })
    };
    HOOK_EVENTS.iter().map(hook).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::RouteKey;

    #[test]
    fn a_date_has_exactly_three_decimals() {
        for (millis, want) in [
            (1_767_323_045_000, "2026-01-02T03:04:05.000Z"),
            (1_767_323_045_120, "2026-01-02T03:04:05.120Z"),
            (1_767_323_045_007, "2026-01-02T03:04:05.007Z"),
        ] {
            assert_eq!(date(Timestamp::from_millis(millis)), want);
        }
    }

    fn nulls(value: &Value) -> usize {
        match value {
            Value::Null => 1,
            Value::Array(items) => items.iter().map(nulls).sum(),
            Value::Object(fields) => fields.values().map(nulls).sum(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }

    #[test]
    fn settings_and_webhooks_hold_nothing_that_the_app_cannot_take() {
        let config = SmsGateConfig::new(RouteKey(1));
        let settings = settings(&config, "key");
        assert_eq!(nulls(&settings), 0);
        assert_eq!(settings["messages"]["processing_order"], "FIFO");
        assert_eq!(settings["gateway"]["notification_channel"], "SSE_ONLY");
        let hooks = hooks("p", "https://x/hook");
        assert_eq!(nulls(&hooks), 0);
        let ids: std::collections::BTreeSet<_> = hooks
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), HOOK_EVENTS.len());
    }

    #[test]
    fn cards_are_kept_as_far_as_they_are_described() {
        let given: Vec<SimIn> = serde_json::from_str(
            r#"[{"slotIndex":1,"phoneNumber":"********4567","carrierName":"***ange"},
                {"slotIndex":0,"simNumber":1},{},{"simNumber":999}]"#,
        )
        .unwrap();
        let kept = sims(&given);
        let numbers: Vec<_> = kept.iter().map(|it| it.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(kept[1].phone_number.as_deref(), Some("********4567"));
        assert_eq!(kept[0].carrier, None);
    }
}
