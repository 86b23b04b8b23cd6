//! What a provider that is spoken to by HTTP consists of: facts to request, answer to outcome,
//! callback to what it tells. All of it is pure: time is an argument, and the driver does the I/O.

use domain::model::receipt::SubmitOutcome;
use domain::time::{Millis, Timestamp};
use ports::connector::{Bill, ConsentSignal, IncomingMessage, IncomingReceipt, Submission};
use ports::hooks::{HookAnswer, HookCall};
use ports::provider::TemplateUpdate;

/// The methods that providers want.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
}

/// The body of a request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// None.
    None,
    /// A JSON text.
    Json(String),
    /// Form fields, in order; the driver encodes them.
    Form(Vec<(String, String)>),
}

/// A request to a provider. Its `Debug` shows method and host only: the rest holds secrets and what
/// people write.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Its method.
    pub(crate) method: Method,
    /// Where it goes, with the query encoded.
    pub(crate) url: String,
    /// Headers beside those of the body, credentials among them.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body.
    pub(crate) body: Body,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.url.split('/').nth(2).unwrap_or_default();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &host)
            .finish_non_exhaustive()
    }
}

/// What a provider answered. Longer bodies than the driver's bound are cut there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Header names in lower case, and their values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as it came.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first header with this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|it| it.0 == name);
        found.map(|it| &*it.1)
    }
}

/// What an answer means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answered {
    /// What became of the submission. A failure of class `AccountFault` also takes the route down
    /// until the provider is heard again (R-HEALTH); one of class `Throttled` pauses it.
    pub(crate) outcome: SubmitOutcome,
    /// What the provider charges, where it says so at once.
    pub(crate) bill: Option<Bill>,
    /// How long the provider asks to be left alone.
    pub(crate) retry_after: Option<Millis>,
    /// Whether that concerns this recipient only, and not the whole route.
    pub(crate) recipient_only: bool,
}

impl From<SubmitOutcome> for Answered {
    fn from(outcome: SubmitOutcome) -> Self {
        Self {
            outcome,
            bill: None,
            retry_after: None,
            recipient_only: false,
        }
    }
}

/// Something that a callback tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Telling {
    /// A receipt.
    Receipt(IncomingReceipt),
    /// An inbound message.
    Inbound(Box<IncomingMessage>),
    /// An opt-out or opt-in.
    Consent(ConsentSignal),
    /// A change of a template.
    Template(TemplateUpdate),
    /// What a submission costs: by our reference, so only where the provider gives it back.
    Bill(ports::connector::SubmissionKey, Bill),
}

/// What a callback is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Callback {
    /// It tells these things; the answer is given once all are kept. Else the provider gets 503.
    Tells(Vec<Telling>, HookAnswer),
    /// It is answered at once: a handshake, a wrong signature, or nothing that concerns us.
    Answer(HookAnswer),
}

/// A provider.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// The request that submits it. `Err` is the outcome of what cannot be asked: content that the
    /// provider has no form for.
    fn submit(&self, submission: &Submission, now: Timestamp) -> Result<Request, SubmitOutcome>;

    /// What the answer to a submission means. An answer that nobody documented is `Unknown`.
    fn answer(&self, submission: &Submission, answer: &Answer) -> Answered;

    /// What a callback tells, after its signature was checked.
    fn callback(&self, call: &HookCall, now: Timestamp) -> Callback;

    /// A harmless request whose success shows that the account works: at start, and while the route
    /// is down. Without one, the driver tries again with the next submission.
    fn probe(&self) -> Option<Request> {
        None
    }

    /// Whether the answer to [`probe`](Self::probe) is good; else why not.
    fn probed(&self, answer: &Answer) -> Result<(), Box<str>> {
        if (200..300).contains(&answer.status) {
            Ok(())
        } else {
            Err(format!("the provider answers {}", answer.status).into())
        }
    }
}
