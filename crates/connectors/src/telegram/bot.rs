//! The bot as a provider of the shared driver.

use domain::model::receipt::SubmitOutcome;
use domain::time::Timestamp;
use ports::connector::Submission;
use ports::hooks::{HookAnswer, HookCall};
use serde_json::{Map, Value, json};

use super::config::{TelegramConfig, Updates};
use super::inbound::{self, ALLOWED_UPDATES, Update};
use super::{codes, submit};
use crate::web::protocol::{Answer, Answered, Callback, Protocol, Request};
use crate::web::signature::shared_header;

/// The header that holds the secret.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// The bot.
pub(super) struct Bot {
    pub(super) config: TelegramConfig,
}

impl Bot {
    /// A call of a method with the fields of this object.
    pub(super) fn call(&self, method: &str, fields: Value) -> Request {
        let fields = match fields {
            Value::Object(fields) => fields,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        };
        submit::call(&self.config, method, fields)
    }

    /// Reads an update.
    pub(super) fn update(&self, update: &Value) -> Update {
        inbound::read(update, self.config.bot_id())
    }
}

impl Protocol for Bot {
    fn submit(&self, submission: &Submission, _: Timestamp) -> Result<Request, SubmitOutcome> {
        submit::submit(&self.config, submission)
    }

    fn answer(&self, submission: &Submission, answer: &Answer) -> Answered {
        codes::answer(submission, answer)
    }

    fn callback(&self, call: &HookCall, _: Timestamp) -> Callback {
        if let Err(distrust) = shared_header(&self.config.secret(), SECRET_HEADER, call) {
            return Callback::Answer(distrust.answer());
        }
        if &*call.method != "POST" {
            return Callback::Answer(HookAnswer::empty(405));
        }
        let Ok(update) = serde_json::from_slice::<Value>(&call.body) else {
            return Callback::Answer(HookAnswer::empty(400));
        };
        let update = self.update(&update);
        // A call may be answered with a call: this one stops the button from spinning.
        let answer = match update.pressed {
            Some(id) => {
                let answer = json!({"method": "answerCallbackQuery", "callback_query_id": id});
                HookAnswer::with(200, "application/json", answer.to_string())
            }
            None => HookAnswer::empty(200),
        };
        match update.telling {
            Some(telling) => Callback::Tells(vec![telling], answer),
            None => Callback::Answer(answer),
        }
    }

    /// Registering the hook is harmless to repeat, so it serves as the probe as well; so does its
    /// opposite, which polling needs.
    fn probe(&self) -> Option<Request> {
        let config = &self.config;
        Some(match (config.updates, &config.callback_url) {
            (Updates::Webhook, Some(url)) => self.call(
                "setWebhook",
                json!({
                    "url": url,
                    "secret_token": config.secret(),
                    "allowed_updates": ALLOWED_UPDATES,
                }),
            ),
            (Updates::Webhook, None) => self.call("getMe", json!({})),
            (Updates::Polling, _) => self.call("deleteWebhook", json!({})),
        })
    }

    fn probed(&self, answer: &Answer) -> Result<(), Box<str>> {
        match codes::result(answer) {
            Ok(_) => Ok(()),
            // The token works, the URL does not: nothing comes in, but what goes out need not wait.
            Err(refused) if refused.code == 400 => {
                tracing::warn!(why = %refused.text, "Telegram does not take the URL of the hook");
                Ok(())
            }
            Err(refused) => Err(format!("Telegram says {}: {}", refused.code, refused.text).into()),
        }
    }
}

#[cfg(test)]
#[path = "bot_tests.rs"]
mod tests;
