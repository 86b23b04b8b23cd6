//! What a call to the route's hook tells: its signature first, then which kind it is.

use ports::hooks::{HookAnswer, HookCall};

use super::config::TwilioConfig;
use super::parameters::{Fields, Kind};
use super::{inbound, receipt, signature};
use crate::web::protocol::Callback;

/// Answers an inbound message: nothing is to be said back.
const NO_REPLY: &str = "<Response/>";

/// What the call tells. Nothing where its signature is wrong.
pub(super) fn read(config: &TwilioConfig, call: &HookCall) -> Callback {
    let parameters = match signature::verified(config, call) {
        Ok(parameters) => parameters,
        Err(distrust) => return Callback::Answer(distrust.answer()),
    };
    // What is told by GET stands in the query. Twilio shows the refusal to who configured that.
    if &*call.method != "POST" {
        return Callback::Answer(HookAnswer::empty(405));
    }
    let fields = Fields::from(parameters);
    let (told, answer) = match fields.kind() {
        Kind::Inbound => (
            inbound::read(config, &fields),
            HookAnswer::with(200, "text/xml", NO_REPLY),
        ),
        Kind::Status => {
            let query = signature::decode(call.query.as_bytes());
            let told = receipt::read(config, &fields, &query);
            (told, HookAnswer::empty(204))
        }
        Kind::Other => (Vec::new(), HookAnswer::empty(204)),
    };
    if told.is_empty() {
        Callback::Answer(answer)
    } else {
        Callback::Tells(told, answer)
    }
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
