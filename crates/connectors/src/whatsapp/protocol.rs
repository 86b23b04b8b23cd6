//! The Cloud API as the driver sees it.

use domain::model::receipt::SubmitOutcome;
use domain::time::Timestamp;
use ports::connector::Submission;
use ports::hooks::{HookAnswer, HookCall};

use super::callback::{self, Whom};
use super::config::WhatsAppConfig;
use super::service::refusal;
use super::{answer, submit};
use crate::web::protocol::{Answer, Answered, Body, Callback, Method, Protocol, Request};

/// The API, for one of our numbers.
pub(super) struct CloudApi {
    pub(super) config: WhatsAppConfig,
}

impl CloudApi {
    /// Whether a telling is about our number, or about our account, where we know that.
    pub(super) fn is_about_us(&self, whom: &Whom) -> bool {
        match whom {
            Whom::Number(id) => *id == self.config.phone_number_id,
            Whom::Account(id) => self.config.waba_id.as_ref() == Some(id),
        }
    }

    /// A GET, with the token.
    pub(super) fn get(&self, url: String) -> Request {
        Request {
            method: Method::Get,
            url,
            headers: vec![self.config.authorization()],
            body: Body::None,
        }
    }
}

impl Protocol for CloudApi {
    fn submit(&self, submission: &Submission, _now: Timestamp) -> Result<Request, SubmitOutcome> {
        submit::request(&self.config, submission)
    }

    fn answer(&self, _submission: &Submission, answer: &Answer) -> Answered {
        answer::read(answer)
    }

    /// What concerns this route alone; the connector's own hooks know the other routes, too.
    fn callback(&self, call: &HookCall, _now: Timestamp) -> Callback {
        match callback::read(&self.config, call) {
            Ok(told) => {
                let ours = told.into_iter().filter(|it| self.is_about_us(&it.0));
                Callback::Tells(ours.map(|it| it.1).collect(), HookAnswer::empty(200))
            }
            Err(answer) => Callback::Answer(answer),
        }
    }

    fn probe(&self) -> Option<Request> {
        Some(self.get(self.config.number_url("?fields=id")))
    }

    fn probed(&self, answer: &Answer) -> Result<(), Box<str>> {
        if (200..300).contains(&answer.status) {
            Ok(())
        } else {
            Err(refusal(answer).to_string().into())
        }
    }
}
