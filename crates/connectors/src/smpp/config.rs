//! What an operator can set for an SMPP route.

use std::collections::BTreeMap;
use std::fmt;

use domain::model::failure::FailureClass;
use domain::time::Millis;

use super::codes::Refusal;

/// Which connections one bind consists of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum BindMode {
    /// One connection for both directions.
    #[default]
    Transceiver,
    /// Two connections, one for each direction, for SMSCs without transceivers.
    TransmitterReceiver,
    /// Submits only: receipts and inbound messages do not come.
    Transmitter,
    /// Hears only.
    Receiver,
}

/// What `data_coding` 0 means to the SMSC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DefaultAlphabet {
    /// GSM 03.38, one septet an octet.
    #[default]
    Gsm,
    /// ISO 8859-1. A text in the GSM alphabet that this one lacks (€) is not taken by the route.
    Latin1,
}

/// How the parts of a long message are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Concatenation {
    /// A user data header with an 8-bit reference: what nearly every SMSC passes on.
    #[default]
    UserDataHeader,
    /// The `sar_*` parameters.
    SarParameters,
}

/// In which form the SMSC wants a validity period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ValidityForm {
    /// A span from now.
    #[default]
    Relative,
    /// A point in time, in UTC.
    Absolute,
    /// None: the SMSC refuses both.
    Unset,
}

/// How the id in a receipt is compared with the one in the answer to the submission.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MessageIdMatch {
    /// They are the same text, but for the case of hexadecimal digits.
    AsIs,
    /// The answer has hexadecimal digits, the receipt decimal ones.
    ResponseHexReceiptDecimal,
    /// The answer has decimal digits, the receipt hexadecimal ones.
    ResponseDecimalReceiptHex,
    /// Any of these, the same text first. Leading zeros do not count.
    #[default]
    Auto,
}

/// TLS towards the SMSC. There is no way to switch the check of its certificate off: give its own
/// certificate as `ca` instead.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsConfig {
    /// PEM of the certificates that are trusted; `None` trusts the public authorities.
    pub ca: Option<String>,
    /// The name that the certificate must carry; `None` is the host.
    pub server_name: Option<String>,
    /// Our own certificate, for SMSCs that want one.
    pub client: Option<ClientCertificate>,
}

/// A certificate that we show, with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM of the certificate and what it hangs on.
    pub certificates: String,
    /// PEM of its private key.
    pub key: String,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// Settings of an SMPP route. Times are spans; every field has a default that suits most SMSCs.
#[derive(Clone, PartialEq, Eq)]
pub struct SmppConfig {
    /// Host name or address of the SMSC.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Account.
    pub system_id: String,
    /// Its password. Not cut to the eight octets of the standard: many servers take more.
    pub password: String,
    /// Kind of client, where the SMSC wants one.
    pub system_type: String,
    /// Which addresses the bind serves; usually empty.
    pub address_range: String,
    /// Application, where the SMSC wants it named on each submission.
    pub service_type: String,
    /// Which connections one bind consists of.
    pub bind: BindMode,
    /// How many binds, at least 1.
    pub binds: u16,
    /// Unanswered submissions on each bind, in parts, at least 1.
    pub window: u16,
    /// How long connecting, TLS and the answer to the bind may take, each.
    pub connect_timeout: Millis,
    /// When nothing was heard for so long, the link is tested.
    pub enquire_link: Millis,
    /// How long the answer to that test may take before the link counts as dead.
    pub enquire_link_timeout: Millis,
    /// How long the answer to a submission may take before its outcome counts as unknown
    /// (R-ROUTE-5).
    pub response_timeout: Millis,
    /// The first wait before connecting again; doubles to `reconnect_max`, with full jitter.
    pub reconnect_min: Millis,
    /// The longest wait before connecting again.
    pub reconnect_max: Millis,
    /// The shortest wait after a refused login; doubles to five times that. Accounts get locked.
    pub login_retry: Millis,
    /// TLS; `None` is plain TCP.
    pub tls: Option<TlsConfig>,
    /// Type of number of our address; `None` goes by its kind.
    pub source_ton: Option<u8>,
    /// Numbering plan of our address; `None` goes by its kind.
    pub source_npi: Option<u8>,
    /// Type of number of recipients.
    pub destination_ton: u8,
    /// Numbering plan of recipients.
    pub destination_npi: u8,
    /// Message mode, the lower bits of `esm_class`.
    pub message_mode: u8,
    /// What `data_coding` 0 means.
    pub default_alphabet: DefaultAlphabet,
    /// How the parts of a long message are told apart.
    pub concatenation: Concatenation,
    /// Whether receipts are asked for.
    pub receipts: bool,
    /// In which form a validity period is sent.
    pub validity_form: ValidityForm,
    /// How receipts find their submission.
    pub message_id_match: MessageIdMatch,
    /// What `err` of a receipt means at this vendor, by code without leading zeros.
    /// [`TYPICAL_RECEIPT_ERRORS`](super::codes::TYPICAL_RECEIPT_ERRORS) is a common table.
    pub receipt_errors: BTreeMap<String, FailureClass>,
    /// What a `command_status` means at this vendor, where it differs.
    pub statuses: BTreeMap<u32, Refusal>,
    /// Parameters for every submission, by tag (India: 0x1400 entity, 0x1401 template).
    pub parameters: Vec<(u16, Vec<u8>)>,
    /// Receipts and inbound messages that may wait for being kept; reading stops there.
    pub unanswered_max: usize,
    /// How long the parts of an inbound message are waited for.
    pub reassembly_timeout: Millis,
    /// How long a part is left unanswered while the others are waited for: SMSCs that deliver one
    /// after the other would else never send the next one.
    pub reassembly_hold: Millis,
}

impl Default for SmppConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 2775,
            system_id: String::new(),
            password: String::new(),
            system_type: String::new(),
            address_range: String::new(),
            service_type: String::new(),
            bind: BindMode::default(),
            binds: 1,
            window: 10,
            connect_timeout: Millis::seconds(10),
            enquire_link: Millis::seconds(30),
            enquire_link_timeout: Millis::seconds(15),
            response_timeout: Millis::seconds(30),
            reconnect_min: Millis::seconds(1),
            reconnect_max: Millis::seconds(60),
            login_retry: Millis::seconds(60),
            tls: None,
            source_ton: None,
            source_npi: None,
            destination_ton: 1,
            destination_npi: 1,
            message_mode: 0,
            default_alphabet: DefaultAlphabet::default(),
            concatenation: Concatenation::default(),
            receipts: true,
            validity_form: ValidityForm::default(),
            message_id_match: MessageIdMatch::default(),
            receipt_errors: BTreeMap::new(),
            statuses: BTreeMap::new(),
            parameters: Vec::new(),
            unanswered_max: 2_000,
            reassembly_timeout: Millis::minutes(5),
            reassembly_hold: Millis::seconds(1),
        }
    }
}

impl fmt::Debug for SmppConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmppConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("system_id", &self.system_id)
            .field("bind", &self.bind)
            .field("binds", &self.binds)
            .field("window", &self.window)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}
