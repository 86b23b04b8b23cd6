//! What a description of a provider consists of, as it is written.
//!
//! Reading it (`reading`) checks the keys and their types; `check` checks the rest. The variants of
//! `AuthSpec` and `SignatureSpec` are tables that name theirs in the key `kind`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::place::{OneOrMore, Places};
use super::words::{Form, Outcome, Reason, ReceiptWord};

/// A provider.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSpec {
    /// Its name for people.
    pub name: String,
    /// Where its API is: scheme, host, and the beginning of the path where all paths share one.
    pub base_url: String,
    /// Settings that an account must give, and what each is.
    #[serde(default)]
    pub needs: BTreeMap<String, String>,
    /// Settings that an account may give, and what they are otherwise.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// What a setting must look like, where not every text can be right.
    #[serde(default)]
    pub forms: BTreeMap<String, Form>,
    /// The words that a setting can be, where they are known.
    #[serde(default)]
    pub choices: BTreeMap<String, Vec<String>>,
    /// How requests show who sends them.
    #[serde(default)]
    pub auth: AuthSpec,
    /// How numbers are written.
    #[serde(default)]
    pub numbers: NumberForm,
    /// The request that submits a message, and its answer.
    pub send: SendSpec,
    /// Callbacks with receipts.
    pub receipts: Option<ReceiptSpec>,
    /// Callbacks with inbound messages.
    pub inbound: Option<InboundSpec>,
    /// How callbacks show who sends them.
    #[serde(default)]
    pub signature: SignatureSpec,
    /// A harmless request whose success shows that the account works.
    pub probe: Option<ProbeSpec>,
}

/// How requests show who sends them.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthSpec {
    /// They do not, or the body does.
    #[default]
    None,
    /// HTTP basic.
    Basic {
        /// The account.
        username: String,
        /// Its password.
        password: String,
    },
    /// `Authorization: Bearer`.
    Bearer {
        /// The token.
        token: String,
    },
    /// A header.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A parameter of the query.
    Query {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberForm {
    /// With a plus in front.
    #[default]
    E164Plus,
    /// Digits only.
    E164,
    /// With `00` in front.
    DoubleZero,
}

/// Methods of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MethodSpec {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
}

/// How the fields of a request travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As a JSON body.
    #[default]
    Json,
    /// As a form in the body.
    Form,
    /// As parameters of the query, without a body.
    Query,
}

/// The request that submits a message, and its answer.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendSpec {
    /// Its method; POST, or GET where everything travels in the query.
    pub method: Option<MethodSpec>,
    /// Its path, behind the base URL.
    pub path: String,
    /// How the fields travel.
    #[serde(default)]
    pub encoding: Encoding,
    /// The fields.
    pub body: toml::Table,
    /// JSON pointers into the body, to what is left out when a placeholder in it is empty.
    #[serde(default)]
    pub optional: Vec<String>,
    /// What is asked for a message with a medium instead; without it the provider carries texts only.
    pub mms: Option<MmsSpec>,
    /// Parameters of the query, beside those of the encoding.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The header that takes our reference, so that a repeated request is one message.
    pub idempotency_header: Option<String>,
    /// What an answer of success looks like.
    #[serde(default)]
    pub ok: OkSpec,
    /// Where other answers say why.
    #[serde(default)]
    pub error: ErrorSpec,
    /// What those mean; the first that fits.
    #[serde(default)]
    pub rules: Vec<RuleSpec>,
}

/// The request that submits a message with a medium: as that of a text, but for its fields.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MmsSpec {
    /// The fields.
    pub body: toml::Table,
    /// JSON pointers into them, to what is left out when a placeholder in it is empty.
    #[serde(default)]
    pub optional: Vec<String>,
}

/// What an answer of success looks like.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OkSpec {
    /// HTTP statuses; every 2xx where none is given.
    #[serde(default)]
    pub http: Vec<Status>,
    /// A list with one entry for each segment, each with an id of its own. Places of `id`, `if`,
    /// `price` and of the error are inside the entry then.
    pub items: Option<String>,
    /// The provider's id. Without one, our reference is the id.
    #[serde(default)]
    pub id: Places,
    /// What must hold besides.
    #[serde(rename = "if")]
    pub condition: Option<Condition>,
    /// How many segments the provider counted.
    #[serde(default)]
    pub segments: Places,
    /// What it charges.
    pub price: Option<PriceSpec>,
}

/// A condition on a value; a missing value is an empty text.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where the value stands.
    pub place: Places,
    /// The values that fit; with none given, every value but the empty one.
    #[serde(default)]
    pub is: OneOrMore,
    /// The values that do not fit.
    #[serde(default)]
    pub is_not: OneOrMore,
    /// Whether there must be a value at all, or must not.
    pub exists: Option<bool>,
}

/// Where a price stands.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSpec {
    /// The amount.
    pub amount: Places,
    /// Its currency.
    #[serde(default)]
    pub currency: Places,
    /// The currency, where the provider does not say it.
    pub currency_is: Option<String>,
    /// Whether it is the price of one segment.
    #[serde(default)]
    pub per_segment: bool,
}

/// Where an answer says why.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorSpec {
    /// The code.
    #[serde(default)]
    pub code: Places,
    /// The words.
    #[serde(default)]
    pub message: Places,
}

/// What an answer means.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Codes that it is about; all where none is given.
    #[serde(default)]
    pub code: OneOrMore,
    /// HTTP statuses that it is about; all where none is given.
    #[serde(default)]
    pub http: Vec<Status>,
    /// What the answer means.
    pub outcome: Outcome,
    /// Whether a pause concerns this recipient only.
    #[serde(default)]
    pub recipient_only: bool,
}

/// An HTTP status, or a hundred of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// This one.
    One(u16),
    /// All that begin with this digit.
    Hundred(u16),
}

impl Status {
    /// Whether `status` is one of them.
    pub const fn has(self, status: u16) -> bool {
        match self {
            Self::One(one) => one == status,
            Self::Hundred(digit) => status / 100 == digit,
        }
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Status;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an HTTP status such as 429, or \"5xx\"")
            }

            fn visit_i64<E: serde::de::Error>(self, status: i64) -> Result<Status, E> {
                match u16::try_from(status) {
                    Ok(status @ 100..=599) => Ok(Status::One(status)),
                    Ok(_) | Err(_) => Err(E::invalid_value(
                        serde::de::Unexpected::Signed(status),
                        &self,
                    )),
                }
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Status, E> {
                match text.as_bytes() {
                    [digit @ b'1'..=b'5', b'x', b'x'] => {
                        Ok(Status::Hundred(u16::from(*digit - b'0')))
                    }
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Where the fields of a callback are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Where the callback's method and type say.
    #[default]
    Auto,
    /// In a JSON body.
    Json,
    /// In a form.
    Form,
    /// In the query.
    Query,
}

/// Callbacks with receipts.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptSpec {
    /// Where the fields are.
    #[serde(default)]
    pub source: Source,
    /// A list with one receipt in each entry; places are inside the entry then.
    pub items: Option<String>,
    /// What must hold for it to be a receipt.
    #[serde(rename = "match")]
    pub condition: Option<Condition>,
    /// The provider's id; all that are found, best first.
    #[serde(default)]
    pub id: Places,
    /// Our own reference.
    #[serde(default, rename = "ref")]
    pub reference: Places,
    /// The recipient.
    #[serde(default)]
    pub recipient: Places,
    /// The status.
    pub status: Places,
    /// The code of an error.
    #[serde(default)]
    pub error: Places,
    /// What each status means.
    pub status_map: BTreeMap<String, ReceiptWord>,
    /// What each code of an error means.
    #[serde(default)]
    pub error_map: BTreeMap<String, Reason>,
    /// What a status means that is not listed.
    pub unknown_status: Option<ReceiptWord>,
    /// How many segments the provider counted.
    #[serde(default)]
    pub segments: Places,
    /// What it charges.
    pub price: Option<PriceSpec>,
    /// What the provider is answered.
    #[serde(default)]
    pub reply: ReplySpec,
}

/// Callbacks with inbound messages.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundSpec {
    /// Where the fields are.
    #[serde(default)]
    pub source: Source,
    /// A list with one message in each entry; places are inside the entry then.
    pub items: Option<String>,
    /// What must hold for it to be an inbound message.
    #[serde(rename = "match")]
    pub condition: Option<Condition>,
    /// Who wrote it.
    pub from: Places,
    /// Our address.
    pub to: Places,
    /// What it says.
    pub text: Places,
    /// The provider's id.
    #[serde(default)]
    pub id: Places,
    /// When it was sent.
    pub at: Option<TimeSpec>,
    /// What the provider is answered.
    #[serde(default)]
    pub reply: ReplySpec,
}

/// Where a time stands, and how it is written.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSpec {
    /// Where it stands.
    pub place: Places,
    /// `rfc3339`, `rfc2822`, `unix`, `unix_ms`, or a pattern such as `%Y-%m-%d %H:%M:%S`, in UTC
    /// where it names no zone.
    #[serde(default = "rfc3339")]
    pub format: String,
}

fn rfc3339() -> String {
    "rfc3339".to_owned()
}

/// What a provider is answered.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplySpec {
    /// The HTTP status.
    #[serde(default = "ok")]
    pub http: u16,
    /// The type of the body.
    pub content_type: Option<String>,
    /// The body.
    #[serde(default)]
    pub body: String,
}

const fn ok() -> u16 {
    200
}

impl Default for ReplySpec {
    fn default() -> Self {
        Self {
            http: 200,
            content_type: None,
            body: String::new(),
        }
    }
}

/// How callbacks show who sends them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SignatureSpec {
    /// They do not: whoever knows the URL is believed.
    #[default]
    None,
    /// A parameter of the query has a secret value; it is added to the callback URL.
    Url {
        /// Its name.
        #[serde(default = "token")]
        name: String,
        /// Its value.
        secret: String,
    },
    /// A header has a secret value.
    Header {
        /// Its name.
        header: String,
        /// Its value.
        secret: String,
    },
    /// HTTP basic.
    Basic {
        /// The account.
        username: String,
        /// Its password.
        password: String,
    },
    /// A header has a keyed hash of what was sent.
    Hmac {
        /// The header.
        header: String,
        /// The hash.
        #[serde(default)]
        algorithm: Algorithm,
        /// How it is written.
        #[serde(default)]
        encoding: DigestForm,
        /// What stands before it in the header.
        #[serde(default)]
        prefix: String,
        /// What is hashed: a text with `{body}`, `{timestamp}`, `{nonce}`, `{url}`.
        #[serde(default = "body")]
        signed: String,
        /// The key.
        key: String,
        /// The header with the time in seconds, which must not be old.
        timestamp_header: Option<String>,
        /// The header with the nonce.
        nonce_header: Option<String>,
        /// How old it may be, in seconds.
        #[serde(default = "five_minutes")]
        tolerance: u32,
    },
    /// A header has a signature with the provider's private key.
    Ed25519 {
        /// The header.
        header: String,
        /// The header with the time in seconds.
        timestamp_header: String,
        /// The public key in base 64.
        key: String,
        /// How old it may be, in seconds.
        #[serde(default = "five_minutes")]
        tolerance: u32,
    },
    /// A header has a token that names the hashes of URL and body.
    JwtHs256 {
        /// The header.
        header: String,
        /// The key.
        key: String,
        /// Who must have made it.
        issuer: Option<String>,
        /// Whether it must name the hash of the URL.
        #[serde(default)]
        url_hash: bool,
    },
    /// Plivo's third version.
    PlivoV3 {
        /// The account's token.
        token: String,
    },
    /// Vonage's signed parameters.
    VonageSig {
        /// The signature secret.
        secret: String,
        /// The hash.
        #[serde(default)]
        algorithm: Algorithm,
        /// How old it may be, in seconds.
        #[serde(default = "five_minutes")]
        tolerance: u32,
    },
}

fn token() -> String {
    "token".to_owned()
}

fn body() -> String {
    "{body}".to_owned()
}

const fn five_minutes() -> u32 {
    300
}

/// Hashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a hash is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestForm {
    /// In hexadecimal digits.
    #[default]
    Hex,
    /// In base 64.
    Base64,
}

/// A harmless request whose success shows that the account works.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// Its path, behind the base URL.
    pub path: String,
    /// Parameters of the query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
}

impl Condition {
    /// Whether the value at its place fits.
    pub(super) fn holds(&self, value: Option<&str>) -> bool {
        let has = |list: &OneOrMore| list.0.iter().any(|it| it == value.unwrap_or_default());
        let exists = self.exists.is_none_or(|it| it == value.is_some());
        let is = self.is.0.is_empty() || has(&self.is);
        exists && is && !has(&self.is_not)
    }
}
