//! What a status callback tells (reference: protocols 2.2).

use ports::connector::IncomingReceipt;

use super::codes::receipt_state;
use super::config::TwilioConfig;
use super::inbound::address;
use super::parameters::Fields;
use super::{answer, submit};
use crate::web::protocol::Telling;

/// What is kept of Twilio's own words, in this order; none of it holds message text.
const KEPT: [&str; 6] = [
    "MessageStatus",
    "ErrorCode",
    "ErrorMessage",
    "ChannelStatusCode",
    "ChannelStatusMessage",
    "RawDlrDoneDate",
];
/// How much is kept of each, in characters.
const KEPT_MAX: usize = 200;

/// The receipt and the bill in it; nothing where the status is not documented, or names nothing that
/// could be a submission.
pub(super) fn read(
    config: &TwilioConfig,
    fields: &Fields,
    query: &[(String, String)],
) -> Vec<Telling> {
    let status = fields.get("MessageStatus").or(fields.get("SmsStatus"));
    let is_read = fields.get("EventType") == Some("READ");
    let status = if is_read { Some("read") } else { status };
    let code = fields
        .get("ErrorCode")
        .and_then(|it| it.parse::<u32>().ok())
        .filter(|it| *it != 0);
    let Some(state) = status.and_then(|it| receipt_state(it, code)) else {
        return Vec::new();
    };
    let ours = submit::reference(query);
    let sid = fields.get("MessageSid").or(fields.get("SmsSid"));
    if ours.is_none() && sid.is_none() {
        return Vec::new();
    }
    let raw: Vec<String> = KEPT
        .iter()
        .filter_map(|name| {
            let value: String = fields.get(name)?.chars().take(KEPT_MAX).collect();
            Some(format!("{name}={value}"))
        })
        .collect();
    let mut told = vec![Telling::Receipt(IncomingReceipt {
        references: sid.map(Into::into).into_iter().collect(),
        ours,
        recipient: fields.get("To").and_then(address),
        whole: true,
        state,
        raw: raw.join(" ").into(),
    })];
    let bill = answer::bill(
        config,
        fields.get("NumSegments"),
        fields.get("Price"),
        fields.get("PriceUnit"),
    );
    if let (Some(key), Some(bill)) = (ours, bill) {
        told.push(Telling::Bill(key, bill));
    }
    told
}
