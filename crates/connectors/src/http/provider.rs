//! A description that was checked, its settings filled in: what the connector works with.

use domain::model::money::Currency;

use super::spec::{
    Encoding, ErrorSpec, InboundSpec, NumberForm, OkSpec, ReceiptSpec, RuleSpec, SignatureSpec,
};
use super::template::{Branch, Template, percent_encoded};
use crate::web::protocol::Method;

/// A provider, ready to be spoken to. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Provider {
    pub(super) name: String,
    /// Without a slash at its end.
    pub(super) base_url: String,
    pub(super) auth: Auth,
    pub(super) numbers: NumberForm,
    pub(super) send: Send,
    pub(super) receipts: Option<ReceiptSpec>,
    pub(super) inbound: Option<InboundSpec>,
    pub(super) signature: SignatureSpec,
    /// The URL of the probe.
    pub(super) probe: Option<String>,
}

/// What requests carry to show who sends them.
#[derive(Clone)]
pub(super) enum Auth {
    None,
    Header(String, String),
    Query(String, String),
}

/// The request that submits a message, and its answer.
#[derive(Clone)]
pub(super) struct Send {
    pub(super) method: Method,
    pub(super) path: Template,
    pub(super) encoding: Encoding,
    pub(super) body: Branch,
    /// The body of a message with a medium, where the provider takes such.
    pub(super) mms: Option<Branch>,
    pub(super) query: Vec<(String, Template)>,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) idempotency_header: Option<String>,
    pub(super) ok: OkSpec,
    pub(super) error: ErrorSpec,
    pub(super) rules: Vec<RuleSpec>,
}

impl Provider {
    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL to give to the provider, in its console or with each message: the route's own, with
    /// the secret that shows who knows it.
    pub fn callback_url(&self, hook_url: &str) -> String {
        match &self.signature {
            SignatureSpec::Url { name, secret } => {
                let sign = if hook_url.contains('?') { '&' } else { '?' };
                let (name, secret) = (percent_encoded(name), percent_encoded(secret));
                format!("{hook_url}{sign}{name}={secret}")
            }
            SignatureSpec::None
            | SignatureSpec::Header { .. }
            | SignatureSpec::Basic { .. }
            | SignatureSpec::Hmac { .. }
            | SignatureSpec::Ed25519 { .. }
            | SignatureSpec::JwtHs256 { .. }
            | SignatureSpec::PlivoV3 { .. }
            | SignatureSpec::VonageSig { .. } => hook_url.to_owned(),
        }
    }

    /// Whether the provider calls us: with receipts, or with inbound messages.
    pub const fn calls_us(&self) -> bool {
        self.receipts.is_some() || self.inbound.is_some()
    }

    /// Whether the provider calls us, and anybody else who knows the URL could.
    pub const fn believes_everybody(&self) -> bool {
        self.calls_us() && matches!(self.signature, SignatureSpec::None)
    }

    /// Whether the provider carries media beside texts.
    pub const fn carries_mms(&self) -> bool {
        self.send.mms.is_some()
    }

    /// Whether the provider gives receipts.
    pub const fn gives_receipts(&self) -> bool {
        self.receipts.is_some()
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// A provider with what its route adds.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) provider: Provider,
    /// Where callbacks go; empty where we cannot be called.
    pub(super) callback_url: String,
    /// The currency of the project, in which alone prices are taken.
    pub(super) currency: Currency,
}
