//! What an SMSC's numbers and words mean for a submission. Data, with where it comes from.
//!
//! Sources: SMPP v3.4 issue 1.2, table 5-2 (numbers and names) and 5.2.28 (`message_state`); what to
//! do about each is our judgement from operators' guides and issue trackers, November 2026.

use std::collections::BTreeMap;

use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::ReceiptState;

use FailureClass as Class;

/// Command statuses that the session itself looks at or sends.
pub mod status {
    /// Done.
    pub const OK: u32 = 0x00;
    /// The body does not fit its command.
    pub const INVALID_LENGTH: u32 = 0x01;
    /// The command is not known.
    pub const INVALID_COMMAND: u32 = 0x03;
    /// The command does not fit the state of the bind.
    pub const INVALID_BIND_STATE: u32 = 0x04;
    /// An earlier bind of this account still stands.
    pub const ALREADY_BOUND: u32 = 0x05;
    /// Bind refused.
    pub const BIND_FAILED: u32 = 0x0D;
    /// Wrong password.
    pub const INVALID_PASSWORD: u32 = 0x0E;
    /// Unknown account.
    pub const INVALID_SYSTEM_ID: u32 = 0x0F;
    /// Queue full: try again.
    pub const QUEUE_FULL: u32 = 0x14;
    /// Wrong system type.
    pub const INVALID_SYSTEM_TYPE: u32 = 0x53;
    /// Too fast.
    pub const THROTTLED: u32 = 0x58;
    /// The receiver cannot take it for now: try again.
    pub const RECEIVER_TEMPORARY: u32 = 0x64;
}

/// How a refusal is answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// Another route may take it (R-ROUTE-4); throttling is waited for.
    NotTaken(FailureClass),
    /// It fails on this channel for good.
    ForGood(FailureClass),
}

use Refusal::{ForGood, NotTaken};

/// Status, name, meaning; in order of the number.
///
/// What is our own mistake towards this SMSC (lengths, flags, parameters) is the route's fault: the
/// next route may take the same message.
pub const STATUSES: &[(u32, &str, Refusal)] = &[
    (0x01, "ESME_RINVMSGLEN", NotTaken(Class::RouteFault)),
    (0x02, "ESME_RINVCMDLEN", NotTaken(Class::RouteFault)),
    (0x03, "ESME_RINVCMDID", NotTaken(Class::RouteFault)),
    (0x04, "ESME_RINVBNDSTS", NotTaken(Class::RouteFault)),
    (0x05, "ESME_RALYBND", NotTaken(Class::RouteFault)),
    (0x06, "ESME_RINVPRTFLG", NotTaken(Class::RouteFault)),
    (0x07, "ESME_RINVREGDLVFLG", NotTaken(Class::RouteFault)),
    (0x08, "ESME_RSYSERR", NotTaken(Class::RouteFault)),
    (0x0A, "ESME_RINVSRCADR", NotTaken(Class::SenderFault)),
    (0x0B, "ESME_RINVDSTADR", ForGood(Class::RecipientInvalid)),
    (0x0C, "ESME_RINVMSGID", NotTaken(Class::RouteFault)),
    (0x0D, "ESME_RBINDFAIL", NotTaken(Class::AccountFault)),
    (0x0E, "ESME_RINVPASWD", NotTaken(Class::AccountFault)),
    (0x0F, "ESME_RINVSYSID", NotTaken(Class::AccountFault)),
    (0x11, "ESME_RCANCELFAIL", NotTaken(Class::RouteFault)),
    (0x13, "ESME_RREPLACEFAIL", NotTaken(Class::RouteFault)),
    (0x14, "ESME_RMSGQFUL", NotTaken(Class::Throttled)),
    (0x15, "ESME_RINVSERTYP", NotTaken(Class::AccountFault)),
    (0x33, "ESME_RINVNUMDESTS", NotTaken(Class::RouteFault)),
    (0x34, "ESME_RINVDLNAME", NotTaken(Class::RouteFault)),
    (0x40, "ESME_RINVDESTFLAG", NotTaken(Class::RouteFault)),
    (0x42, "ESME_RINVSUBREP", NotTaken(Class::RouteFault)),
    (0x43, "ESME_RINVESMCLASS", NotTaken(Class::RouteFault)),
    (0x44, "ESME_RCNTSUBDL", NotTaken(Class::RouteFault)),
    (0x45, "ESME_RSUBMITFAIL", NotTaken(Class::RouteFault)),
    (0x48, "ESME_RINVSRCTON", NotTaken(Class::SenderFault)),
    (0x49, "ESME_RINVSRCNPI", NotTaken(Class::SenderFault)),
    (0x50, "ESME_RINVDSTTON", NotTaken(Class::RouteFault)),
    (0x51, "ESME_RINVDSTNPI", NotTaken(Class::RouteFault)),
    (0x53, "ESME_RINVSYSTYP", NotTaken(Class::AccountFault)),
    (0x54, "ESME_RINVREPFLAG", NotTaken(Class::RouteFault)),
    (0x55, "ESME_RINVNUMMSGS", NotTaken(Class::RouteFault)),
    (0x58, "ESME_RTHROTTLED", NotTaken(Class::Throttled)),
    (0x61, "ESME_RINVSCHED", NotTaken(Class::RouteFault)),
    (0x62, "ESME_RINVEXPIRY", NotTaken(Class::RouteFault)),
    (0x63, "ESME_RINVDFTMSGID", NotTaken(Class::RouteFault)),
    (0x64, "ESME_RX_T_APPN", NotTaken(Class::RouteFault)),
    (0x65, "ESME_RX_P_APPN", ForGood(Class::Undeliverable)),
    (0x66, "ESME_RX_R_APPN", ForGood(Class::Undeliverable)),
    (0x67, "ESME_RQUERYFAIL", NotTaken(Class::RouteFault)),
    (0xC0, "ESME_RINVOPTPARSTREAM", NotTaken(Class::RouteFault)),
    (0xC1, "ESME_ROPTPARNOTALLWD", NotTaken(Class::RouteFault)),
    (0xC2, "ESME_RINVPARLEN", NotTaken(Class::RouteFault)),
    (0xC3, "ESME_RMISSINGOPTPARAM", NotTaken(Class::RouteFault)),
    (0xC4, "ESME_RINVOPTPARAMVAL", NotTaken(Class::RouteFault)),
    (0xFE, "ESME_RDELIVERYFAILURE", ForGood(Class::Undeliverable)),
    (0xFF, "ESME_RUNKNOWNERR", NotTaken(Class::RouteFault)),
    (0x100, "ESME_RSERTYPUNAUTH", NotTaken(Class::AccountFault)),
    (0x101, "ESME_RPROHIBITED", NotTaken(Class::AccountFault)),
    (0x102, "ESME_RSERTYPUNAVAIL", NotTaken(Class::RouteFault)),
    (0x103, "ESME_RSERTYPDENIED", NotTaken(Class::AccountFault)),
];

/// What a refusing `command_status` means, the operator's own table first.
///
/// A status that nobody documented is a refusal all the same: the protocol says that only 0 accepts.
pub fn refusal(status: u32, own: &BTreeMap<u32, Refusal>) -> (Refusal, Failure) {
    let known = STATUSES.iter().find(|it| it.0 == status);
    let meaning = own
        .get(&status)
        .copied()
        .or(known.map(|it| it.2))
        .unwrap_or(NotTaken(Class::RouteFault));
    let (NotTaken(class) | ForGood(class)) = meaning;
    let name = known.map_or("a status of its own", |it| it.1);
    let failure = Failure::new(
        class,
        format!("0x{status:08X}"),
        format!("The SMSC refused the message with {name}."),
    );
    (meaning, failure)
}

/// Whether a refused bind is a wrong login, which must not be repeated quickly: accounts get locked.
pub const fn is_refused_login(bind_status: u32) -> bool {
    matches!(
        bind_status,
        status::BIND_FAILED
            | status::INVALID_PASSWORD
            | status::INVALID_SYSTEM_ID
            | status::INVALID_SYSTEM_TYPE
    )
}

/// The name of a status for the operator.
pub fn status_name(status: u32) -> &'static str {
    STATUSES
        .iter()
        .find(|it| it.0 == status)
        .map_or("unknown status", |it| it.1)
}

/// What the word or number of a receipt says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReceiptWord {
    /// Nothing final.
    InTransit,
    /// Delivered.
    Delivered,
    /// Failed for this reason, unless `err` says more.
    Failed(FailureClass),
}

/// `stat` of a receipt's text; compared without case, and shortened or lengthened forms as vendors
/// send them.
pub const STAT_WORDS: &[(&str, ReceiptWord)] = &[
    ("DELIVRD", ReceiptWord::Delivered),
    ("DELIVERED", ReceiptWord::Delivered),
    ("EXPIRED", ReceiptWord::Failed(Class::Expired)),
    ("DELETED", ReceiptWord::Failed(Class::Undeliverable)),
    ("UNDELIV", ReceiptWord::Failed(Class::Undeliverable)),
    ("UNDELIVERABLE", ReceiptWord::Failed(Class::Undeliverable)),
    ("FAILED", ReceiptWord::Failed(Class::Undeliverable)),
    ("REJECTD", ReceiptWord::Failed(Class::Undeliverable)),
    ("REJECTED", ReceiptWord::Failed(Class::Undeliverable)),
    ("SKIPPED", ReceiptWord::Failed(Class::Undeliverable)),
    ("ACCEPTD", ReceiptWord::InTransit),
    ("ACCEPTED", ReceiptWord::InTransit),
    ("ENROUTE", ReceiptWord::InTransit),
    ("BUFFRED", ReceiptWord::InTransit),
    ("BUFFERED", ReceiptWord::InTransit),
    ("SCHEDULED", ReceiptWord::InTransit),
    ("UNKNOWN", ReceiptWord::InTransit),
];

/// The meaning of a `stat`.
pub fn stat_word(stat: &str) -> Option<ReceiptWord> {
    STAT_WORDS
        .iter()
        .find(|it| it.0.eq_ignore_ascii_case(stat))
        .map(|it| it.1)
}

/// The meaning of a `message_state`; 0 and 9 are of version 5.
pub const fn message_state(state: u8) -> Option<ReceiptWord> {
    match state {
        0 | 1 | 6 | 7 => Some(ReceiptWord::InTransit),
        2 => Some(ReceiptWord::Delivered),
        3 => Some(ReceiptWord::Failed(Class::Expired)),
        4 | 5 | 8 | 9 => Some(ReceiptWord::Failed(Class::Undeliverable)),
        _ => None,
    }
}

/// `err` codes of receipts as many platforms number them (Twilio's list, 2026). Vendors differ, and a
/// wrong "no such number" would stop messages for good, so this applies only where the operator
/// chose it.
pub const TYPICAL_RECEIPT_ERRORS: &[(&str, FailureClass)] = &[
    ("1", Class::RecipientAbsent),
    ("2", Class::RecipientAbsent),
    ("3", Class::Undeliverable),
    ("4", Class::Undeliverable),
    ("5", Class::RecipientInvalid),
    ("6", Class::RecipientInvalid),
    ("7", Class::RecipientInvalid),
    ("8", Class::Undeliverable),
    ("9", Class::Undeliverable),
    ("10", Class::Undeliverable),
    ("11", Class::RecipientAbsent),
    ("12", Class::RouteFault),
];

/// The form under which an `err` is looked up: without leading zeros, upper case.
pub fn error_key(err: &str) -> String {
    let digits = err.trim().trim_start_matches('0');
    if digits.is_empty() {
        "0".to_owned()
    } else {
        digits.to_ascii_uppercase()
    }
}

/// What a receipt says, given its word and its `err`.
pub fn receipt_state(
    word: ReceiptWord,
    err: Option<&str>,
    own: &BTreeMap<String, FailureClass>,
) -> ReceiptState {
    match word {
        ReceiptWord::InTransit => ReceiptState::InTransit,
        ReceiptWord::Delivered => ReceiptState::Delivered,
        ReceiptWord::Failed(class) => {
            let class = match err {
                Some(err) if class == Class::Undeliverable => {
                    own.get(&error_key(err)).copied().unwrap_or(class)
                }
                Some(_) | None => class,
            };
            let text = if class == Class::Expired {
                "The message expired before it could be delivered."
            } else if class == Class::RecipientAbsent {
                "The recipient could not be reached."
            } else if class == Class::RecipientInvalid {
                "The network does not know the recipient."
            } else {
                "The network could not deliver the message."
            };
            ReceiptState::Failed(Failure::new(class, err.unwrap_or("none"), text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_without_repetition() {
        assert!(STATUSES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn throttling_is_never_a_failure_for_good() {
        for it in [status::THROTTLED, status::QUEUE_FULL] {
            assert_eq!(refusal(it, &BTreeMap::new()).0, NotTaken(Class::Throttled));
        }
    }

    #[test]
    fn an_undocumented_status_is_a_refusal_that_another_route_may_heal() {
        let (meaning, failure) = refusal(0x0000_0455, &BTreeMap::new());
        assert_eq!(meaning, NotTaken(Class::RouteFault));
        assert_eq!(&*failure.code, "0x00000455");
    }

    #[test]
    fn the_operators_own_table_comes_first() {
        let own = BTreeMap::from([(0x455, ForGood(Class::ContentBlocked))]);
        assert_eq!(refusal(0x455, &own).1.class, Class::ContentBlocked);
    }

    #[test]
    fn an_error_code_is_found_whatever_its_leading_zeros() {
        let own = BTreeMap::from([("6".to_owned(), Class::RecipientInvalid)]);
        let state = receipt_state(ReceiptWord::Failed(Class::Undeliverable), Some("006"), &own);
        assert!(matches!(state, ReceiptState::Failed(it) if it.class == Class::RecipientInvalid));
    }

    #[test]
    fn every_stat_word_and_state_number_has_one_meaning() {
        for (word, meaning) in STAT_WORDS {
            assert_eq!(stat_word(&word.to_lowercase()), Some(*meaning));
        }
        assert_eq!(message_state(2), stat_word("DELIVRD"));
        assert_eq!(message_state(10), None);
    }
}
