//! How a submission becomes `submit_sm` PDUs.
//!
//! Rules: R-PARTS (parts in order, each under its index), R-FALL-5 (validity period).

use domain::ids::MessageId;
use domain::model::attempt::MAX_PARTS;
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use domain::text::{Encoding, Parts, decode_gsm7, nfc, split};
use domain::time::{Millis, Timestamp};
use ports::connector::Submission;

use super::config::{Concatenation, DefaultAlphabet, SmppConfig, ValidityForm};
use super::pdu::{Address, Submit, tag};

/// `esm_class`: the message begins with a user data header.
pub(super) const UDHI: u8 = 0x40;
/// `data_coding`: UTF-16BE.
const UCS2: u8 = 0x08;
/// `registered_delivery`: a receipt for the final outcome.
const FINAL_RECEIPT: u8 = 0x01;
/// Types of number and numbering plans (section 5.2.5 and 5.2.6).
const INTERNATIONAL: (u8, u8) = (1, 1);
const NETWORK_SPECIFIC: (u8, u8) = (3, 0);
const ALPHANUMERIC: (u8, u8) = (5, 0);
const UNKNOWN: (u8, u8) = (0, 0);
/// A number of at most so many digits is a short code.
const SHORT_CODE_DIGITS: usize = 8;
/// Longest name that a network shows as sender.
const NAME_OCTETS: usize = 11;

/// A submission whose parts can be written one after the other.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// What it is made of.
    pub(super) submission: Submission,
    parts: Parts,
    latin1: bool,
    ton: u8,
    npi: u8,
    /// Where our address begins: behind its plus.
    from: usize,
}

impl Outgoing {
    /// Encodes the submission, or says why this route cannot carry it.
    pub(super) fn new(config: &SmppConfig, submission: Submission) -> Result<Self, Box<Unfit>> {
        let Some(text) = submission.content.plain_text() else {
            return Err(Unfit::new(submission, Why::NoText));
        };
        let parts = split(text);
        if parts.count() > MAX_PARTS {
            return Err(Unfit::new(submission, Why::TooLong));
        }
        let latin1 = parts.encoding() == Encoding::Gsm7
            && config.default_alphabet == DefaultAlphabet::Latin1;
        if latin1 && !nfc(text).chars().all(|it| u8::try_from(it).is_ok()) {
            return Err(Unfit::new(submission, Why::Alphabet));
        }
        let Some((ton, npi, from)) = source(&submission.from) else {
            return Err(Unfit::new(submission, Why::Sender));
        };
        let (ton, npi) = (
            config.source_ton.unwrap_or(ton),
            config.source_npi.unwrap_or(npi),
        );
        Ok(Self {
            submission,
            parts,
            latin1,
            ton,
            npi,
            from,
        })
    }

    /// Indices of the parts that the provider does not have yet, in order.
    pub(super) fn missing(&self) -> impl Iterator<Item = u16> + use<> {
        let accepted = self.submission.accepted;
        (0..self.parts.count()).filter(move |it| !accepted.contains(*it))
    }

    /// Appends the `submit_sm` of one part.
    pub(super) fn write(
        &self,
        config: &SmppConfig,
        part: u16,
        sequence: u32,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) {
        let Some(octets) = self.parts.iter().nth(usize::from(part)) else {
            return;
        };
        let converted = self.latin1.then(|| latin1(octets));
        let total = u8::try_from(self.parts.count()).unwrap_or(u8::MAX);
        let number = u8::try_from(part + 1).unwrap_or(u8::MAX);
        let reference = reference(self.submission.key.message);
        let header = [5, 0, 3, reference, total, number];
        let (with_header, with_parameters) = match config.concatenation {
            _ if total == 1 => (false, false),
            Concatenation::UserDataHeader => (true, false),
            Concatenation::SarParameters => (false, true),
        };
        let validity = self
            .submission
            .validity
            .and_then(|it| validity(config.validity_form, it, now));
        let to = self.submission.to.phone();
        let submit = Submit {
            service_type: config.service_type.as_bytes(),
            source: Address {
                ton: self.ton,
                npi: self.npi,
                text: &self.submission.from.as_bytes()[self.from..],
            },
            destination: Address {
                ton: config.destination_ton,
                npi: config.destination_npi,
                // Safe because: only phone numbers are addresses of the SMS channel.
                text: to.map_or(&[], |it| it.digits().as_bytes()),
            },
            esm_class: config.message_mode & 3 | if with_header { UDHI } else { 0 },
            validity_period: validity.as_ref().map_or(&[][..], String::as_bytes),
            registered_delivery: if config.receipts { FINAL_RECEIPT } else { 0 },
            data_coding: match self.parts.encoding() {
                Encoding::Gsm7 => 0,
                Encoding::Ucs2 => UCS2,
            },
            header: if with_header { &header } else { &[] },
            text: converted.as_deref().unwrap_or(octets),
        };
        let mut pdu = submit.begin(out, sequence);
        if with_parameters {
            pdu.tlv(tag::SAR_MSG_REF_NUM, &[0, reference])
                .tlv(tag::SAR_TOTAL_SEGMENTS, &[total])
                .tlv(tag::SAR_SEGMENT_SEQNUM, &[number]);
        }
        for (tag, value) in &config.parameters {
            pdu.tlv(*tag, value);
        }
        pdu.finish();
    }
}

/// Why a submission cannot go by this route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    NoText,
    TooLong,
    Alphabet,
    Sender,
}

/// A submission that cannot go by this route, and the outcome of that.
#[derive(Debug)]
pub(super) struct Unfit {
    /// The submission.
    pub(super) submission: Submission,
    /// What to tell the engine.
    pub(super) outcome: SubmitOutcome,
}

impl Unfit {
    fn new(submission: Submission, why: Why) -> Box<Self> {
        let failure = |class, code: &str, text: &str| Failure::new(class, code, text);
        let outcome = match why {
            Why::NoText => SubmitOutcome::Rejected(failure(
                FailureClass::InvalidRequest,
                "no_text",
                "An SMS carries plain text only.",
            )),
            Why::TooLong => SubmitOutcome::Rejected(failure(
                FailureClass::InvalidRequest,
                "too_long",
                "The text needs more parts than an SMS may have.",
            )),
            // Says nothing of the route's health (R-HEALTH).
            Why::Alphabet => SubmitOutcome::NotAccepted(failure(
                FailureClass::SenderFault,
                "alphabet",
                "The route's alphabet lacks a character of the text.",
            )),
            Why::Sender => SubmitOutcome::NotAccepted(failure(
                FailureClass::SenderFault,
                "sender_name",
                "The sender is neither a number nor a name of at most 11 plain characters.",
            )),
        };
        Box::new(Self {
            submission,
            outcome,
        })
    }
}

/// Type of number, numbering plan and where the address begins; `None` when no network shows it.
fn source(from: &str) -> Option<(u8, u8, usize)> {
    let digits = from.strip_prefix('+').unwrap_or(from);
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    let (ton, npi) = match () {
        () if from.is_empty() => UNKNOWN,
        () if is_number && digits.len() <= SHORT_CODE_DIGITS => NETWORK_SPECIFIC,
        () if is_number => INTERNATIONAL,
        () if from.len() <= NAME_OCTETS && from.bytes().all(|it| (0x20..0x7F).contains(&it)) => {
            ALPHANUMERIC
        }
        () => return None,
    };
    Some((
        ton,
        npi,
        if is_number {
            from.len() - digits.len()
        } else {
            0
        },
    ))
}

/// The reference under which a handset puts the parts together.
///
/// Taken from the message's key rather than counted: parts that are sent again after a restart must
/// carry the reference of those that were taken before (R-PARTS). Multiplying by the golden ratio
/// spreads neighbouring keys, so that two long messages to one person are unlikely to share one.
fn reference(message: MessageId) -> u8 {
    let key = message.key().unsigned_abs();
    let mixed = (key ^ key >> 22).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed.to_be_bytes()[0]
}

fn latin1(septets: &[u8]) -> Vec<u8> {
    decode_gsm7(septets)
        .chars()
        .map(|it| u8::try_from(it).unwrap_or(b'?'))
        .collect()
}

/// A validity period as the SMSC wants it (section 7.1.1); rounded down, since nothing may arrive
/// late, but at least a second.
fn validity(form: ValidityForm, span: Millis, now: Timestamp) -> Option<String> {
    const LONGEST: i64 = 30 * 24 * 3_600;
    let seconds = (span.get() / 1_000).clamp(1, LONGEST);
    match form {
        ValidityForm::Unset => None,
        ValidityForm::Relative => {
            let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
            Some(format!(
                "0000{days:02}{:02}{:02}{:02}000R",
                hours % 24,
                minutes % 60,
                seconds % 60
            ))
        }
        ValidityForm::Absolute => {
            let until = now.plus(Millis::seconds(seconds)).as_millis();
            let until = jiff::Timestamp::from_millisecond(until).ok()?;
            Some(until.strftime("%y%m%d%H%M%S000+").to_string())
        }
    }
}

#[cfg(test)]
#[path = "submit_tests.rs"]
mod tests;
