//! What Twilio's error codes and statuses mean for a submission. Data, with where it comes from.
//!
//! Sources: Twilio's error dictionary, its table of WhatsApp's codes, and its OpenAPI document of April
//! 2026; what to do about each is our judgement, November 2026. Codes below 30000 come in the answer to a request, the others mostly
//! in callbacks. Twilio asks not to depend on exact codes, so what is not listed goes by the HTTP
//! status of an answer, or the status of a message.

use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::{ReceiptState, SubmitOutcome};

use FailureClass as Class;
use FailureClass::{
    AccountFault, ContentBlocked, Expired, InvalidRequest, OptedOut, RecipientAbsent,
    RecipientIncapable, RecipientInvalid, RouteFault, SenderFault, TemplateFault, Throttled,
    Undeliverable, WindowClosed,
};

/// How a refusal is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// Twilio did not take it; another route may (R-ROUTE-4), and throttling is waited for.
    NotTaken(FailureClass),
    /// It fails on this channel for good.
    ForGood(FailureClass),
}

use Meaning::{ForGood, NotTaken};

/// Code, meaning in words, what follows; in order of the code.
///
/// What depends on the pair of sender and recipient (countries that are switched off, pairs that
/// cannot be connected) is the sender's fault and not the route's: it must not close the route for
/// other recipients. Recipients are called incapable only where the code speaks of this channel.
pub(super) const CODES: &[(u32, &str, Meaning)] = &[
    // Of media: a URL that cannot be read helps no other route; what only this channel does not take
    // may go by another.
    (11200, "medium not fetched", ForGood(InvalidRequest)),
    (11751, "medium too large", ForGood(Undeliverable)),
    (12300, "type of medium not taken", ForGood(Undeliverable)),
    (20003, "wrong credentials", NotTaken(AccountFault)),
    (20005, "inactive account", NotTaken(AccountFault)),
    (20006, "access denied", NotTaken(AccountFault)),
    (20008, "test credentials", NotTaken(AccountFault)),
    (20429, "too many requests", NotTaken(Throttled)),
    (20500, "internal error", NotTaken(RouteFault)),
    (20503, "service unavailable", NotTaken(RouteFault)),
    (21211, "invalid recipient", ForGood(RecipientInvalid)),
    (21212, "invalid sender", NotTaken(SenderFault)),
    (21217, "invalid recipient", ForGood(RecipientInvalid)),
    (21401, "invalid recipient", ForGood(RecipientInvalid)),
    (21408, "country not permitted", NotTaken(SenderFault)),
    (21602, "no text", ForGood(InvalidRequest)),
    (21603, "no sender", NotTaken(SenderFault)),
    (21606, "sender not usable", NotTaken(SenderFault)),
    (21608, "trial account", NotTaken(SenderFault)),
    (21610, "recipient opted out", ForGood(OptedOut)),
    (21611, "sender's queue is full", NotTaken(Throttled)),
    (21612, "no way to recipient", NotTaken(SenderFault)),
    (21614, "not a mobile number", ForGood(RecipientIncapable)),
    (21617, "text too long", ForGood(InvalidRequest)),
    (21619, "no text or medium", ForGood(InvalidRequest)),
    (21620, "invalid media URL", ForGood(InvalidRequest)),
    (21621, "sender without MMS", NotTaken(SenderFault)),
    (21623, "too many media", ForGood(InvalidRequest)),
    (21635, "no way to recipient", NotTaken(SenderFault)),
    (21655, "template unknown", ForGood(TemplateFault)),
    (
        21656,
        "template variables do not fit",
        ForGood(TemplateFault),
    ),
    (21658, "text too long", ForGood(InvalidRequest)),
    (21660, "sender of another account", NotTaken(SenderFault)),
    (21661, "sender not for messages", NotTaken(SenderFault)),
    (21703, "service has no sender", NotTaken(SenderFault)),
    (21704, "service has no sender", NotTaken(SenderFault)),
    (21705, "service not usable", NotTaken(SenderFault)),
    (30001, "queue overflow", NotTaken(Throttled)),
    (30002, "account suspended", NotTaken(AccountFault)),
    (30003, "handset unreachable", ForGood(RecipientAbsent)),
    (30004, "blocked on the way", ForGood(Undeliverable)),
    (30005, "unknown handset", ForGood(RecipientInvalid)),
    (30006, "landline", ForGood(RecipientIncapable)),
    (30007, "filtered as unwanted", ForGood(ContentBlocked)),
    (30008, "unknown error", ForGood(Undeliverable)),
    (30010, "dearer than allowed", NotTaken(SenderFault)),
    (30011, "no MMS here", ForGood(Undeliverable)),
    (30017, "carrier congested", NotTaken(RouteFault)),
    (30018, "sender not registered", NotTaken(SenderFault)),
    (30019, "too large for carrier", ForGood(Undeliverable)),
    (30022, "10DLC rate exceeded", NotTaken(Throttled)),
    (30023, "10DLC daily cap reached", NotTaken(Throttled)),
    (30024, "sender not provisioned", NotTaken(SenderFault)),
    (30025, "10DLC cap reached", NotTaken(Throttled)),
    (30026, "10DLC cap reached", NotTaken(Throttled)),
    (30027, "10DLC daily cap reached", NotTaken(Throttled)),
    (30032, "toll-free not verified", NotTaken(SenderFault)),
    (30033, "10DLC campaign suspended", NotTaken(SenderFault)),
    (30034, "sender not registered", NotTaken(SenderFault)),
    (30035, "registration incomplete", NotTaken(SenderFault)),
    (30036, "validity over", ForGood(Expired)),
    (30038, "one-time code filtered", ForGood(ContentBlocked)),
    (30410, "carrier timed out", NotTaken(RouteFault)),
    // Fraud protection: another route would only carry the fraud on.
    (30450, "blocked as SMS pumping", ForGood(ContentBlocked)),
    (60410, "blocked as SMS pumping", ForGood(ContentBlocked)),
    (60605, "country blocked", ForGood(ContentBlocked)),
    (63001, "channel login failed", NotTaken(AccountFault)),
    (63002, "unknown channel sender", NotTaken(SenderFault)),
    (63003, "not on this channel", ForGood(RecipientIncapable)),
    (63005, "content not accepted", ForGood(InvalidRequest)),
    (63006, "content has no form", ForGood(InvalidRequest)),
    (63007, "unknown channel sender", NotTaken(SenderFault)),
    (63008, "channel misconfigured", NotTaken(AccountFault)),
    (63009, "channel answered an error", NotTaken(RouteFault)),
    (63010, "internal channel error", NotTaken(RouteFault)),
    (63011, "channel gave nothing", NotTaken(RouteFault)),
    (63012, "channel broken", NotTaken(RouteFault)),
    (63013, "against channel's policy", ForGood(ContentBlocked)),
    (63014, "blocked by recipient", ForGood(OptedOut)),
    (63015, "sandbox not joined", NotTaken(SenderFault)),
    (63016, "window is closed", ForGood(WindowClosed)),
    (63017, "channel rate exceeded", NotTaken(Throttled)),
    (63018, "channel rate exceeded", NotTaken(Throttled)),
    (63019, "medium not fetched", ForGood(InvalidRequest)),
    // WhatsApp's 402: the business account there is not in order.
    (63020, "business account", NotTaken(AccountFault)),
    (63021, "invalid content", ForGood(InvalidRequest)),
    (63024, "invalid recipient", ForGood(RecipientIncapable)),
    (63027, "template missing", ForGood(TemplateFault)),
    (
        63028,
        "template variables do not fit",
        ForGood(TemplateFault),
    ),
    (63029, "template not fetched", ForGood(TemplateFault)),
    (63032, "limited by WhatsApp", ForGood(Undeliverable)),
    (63034, "medium too large", ForGood(Undeliverable)),
    // Of RCS: says nothing about text messages.
    (63036, "not reachable by RCS", ForGood(Undeliverable)),
    (63038, "daily limit reached", NotTaken(Throttled)),
    (63040, "template rejected", ForGood(TemplateFault)),
    (63041, "template paused", ForGood(TemplateFault)),
    (63042, "template disabled", ForGood(TemplateFault)),
    (63049, "held back by Meta", ForGood(Undeliverable)),
    (63119, "channel rate exceeded", NotTaken(Throttled)),
];

fn listed(code: u32) -> Option<(&'static str, Meaning)> {
    let at = CODES.binary_search_by_key(&code, |it| it.0).ok()?;
    Some((CODES[at].1, CODES[at].2))
}

/// What an answer with this HTTP status, other than 2xx, and this code means.
///
/// 5xx and what no client expects (1xx, 3xx, 408) are unknown whatever the code: the request was
/// written, this endpoint has no idempotency key, and Twilio nowhere promises that nothing was
/// queued before it broke. Each submission carries our reference in its callback URL, so that the
/// first callback says that it was taken after all (R-DUP); guessing "not taken" would send twice.
pub(super) fn refusal(status: u16, code: Option<u32>) -> SubmitOutcome {
    if !(400..500).contains(&status) || status == 408 {
        return SubmitOutcome::Unknown {
            references: Vec::new(),
        };
    }
    let by_status = match status {
        401 | 403 | 404 => ("access refused", NotTaken(Class::AccountFault)),
        429 => ("too many requests", NotTaken(Class::Throttled)),
        _ => ("request refused", NotTaken(Class::RouteFault)),
    };
    let (words, meaning) = code.and_then(listed).unwrap_or(by_status);
    let code = code.map_or_else(|| format!("http_{status}"), |it| it.to_string());
    let failure =
        |class| Failure::new(class, code, format!("Twilio refused the message: {words}."));
    match meaning {
        NotTaken(class) => SubmitOutcome::NotAccepted(failure(class)),
        ForGood(class) => SubmitOutcome::Rejected(failure(class)),
    }
}

/// What a status callback says; `None` for a status that nobody documented.
///
/// `sent` is not final: in most countries a receipt of the carrier follows, and where none does the
/// message ends as sent when its validity is over (R-LIFE-2).
pub(super) fn receipt_state(status: &str, code: Option<u32>) -> Option<ReceiptState> {
    match status {
        "queued" | "accepted" | "scheduled" | "sending" | "sent" => Some(ReceiptState::InTransit),
        "delivered" => Some(ReceiptState::Delivered),
        "read" => Some(ReceiptState::Read),
        "undelivered" | "failed" => Some(ReceiptState::Failed(undelivered(code))),
        "canceled" => Some(ReceiptState::Failed(Failure::new(
            Class::RouteFault,
            "canceled",
            "The message was cancelled at Twilio.",
        ))),
        _ => None,
    }
}

fn undelivered(code: Option<u32>) -> Failure {
    let unlisted = ("no reason known", ForGood(Class::Undeliverable));
    let (words, meaning) = code.and_then(listed).unwrap_or(unlisted);
    let (NotTaken(class) | ForGood(class)) = meaning;
    let code = code.map_or_else(|| "none".to_owned(), |it| it.to_string());
    let text = format!("Twilio could not deliver the message: {words}.");
    Failure::new(class, code, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_without_repetition() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn every_code_means_the_same_in_an_answer_and_in_a_callback() {
        for (code, words, meaning) in CODES {
            let answered = refusal(400, Some(*code));
            let told = receipt_state("undelivered", Some(*code));
            let (class, failure) = match (meaning, &answered) {
                (NotTaken(class), SubmitOutcome::NotAccepted(failure))
                | (ForGood(class), SubmitOutcome::Rejected(failure)) => (class, failure),
                (NotTaken(_) | ForGood(_), _) => panic!("{code}: {answered:?}"),
            };
            assert_eq!(
                (failure.class, &*failure.code),
                (*class, &*code.to_string())
            );
            assert!(failure.text.contains(words), "{code}");
            let Some(ReceiptState::Failed(failure)) = told else {
                panic!("{code}: {told:?}");
            };
            assert_eq!(
                (failure.class, &*failure.code),
                (*class, &*code.to_string())
            );
            assert!(failure.text.contains(words), "{code}");
        }
    }

    #[test]
    fn what_follows_from_the_codes_that_matter_most() {
        for (code, meaning) in [
            (11200, ForGood(Class::InvalidRequest)),
            (12300, ForGood(Class::Undeliverable)),
            (20003, NotTaken(Class::AccountFault)),
            (20429, NotTaken(Class::Throttled)),
            (21211, ForGood(Class::RecipientInvalid)),
            (21408, NotTaken(Class::SenderFault)),
            (21610, ForGood(Class::OptedOut)),
            (21614, ForGood(Class::RecipientIncapable)),
            (21621, NotTaken(Class::SenderFault)),
            (21655, ForGood(Class::TemplateFault)),
            (21656, ForGood(Class::TemplateFault)),
            (30003, ForGood(Class::RecipientAbsent)),
            // Says nothing about texts to that number, so that the channel is not held against it.
            (30011, ForGood(Class::Undeliverable)),
            (30019, ForGood(Class::Undeliverable)),
            (30007, ForGood(Class::ContentBlocked)),
            (30036, ForGood(Class::Expired)),
            (30450, ForGood(Class::ContentBlocked)),
            (63003, ForGood(Class::RecipientIncapable)),
            (63014, ForGood(Class::OptedOut)),
            (63016, ForGood(Class::WindowClosed)),
            (63041, ForGood(Class::TemplateFault)),
        ] {
            assert_eq!(listed(code).map(|it| it.1), Some(meaning), "{code}");
        }
    }

    #[test]
    fn an_unlisted_code_goes_by_the_http_status() {
        for (status, class) in [
            (400, Class::RouteFault),
            (401, Class::AccountFault),
            (403, Class::AccountFault),
            (404, Class::AccountFault),
            (409, Class::RouteFault),
            (429, Class::Throttled),
        ] {
            for code in [None, Some(29_999)] {
                let outcome = refusal(status, code);
                let SubmitOutcome::NotAccepted(failure) = outcome else {
                    panic!("{status}: {outcome:?}");
                };
                assert_eq!(failure.class, class, "{status}");
            }
        }
    }

    #[test]
    fn after_a_server_error_nobody_knows_whether_the_message_was_taken() {
        for status in [100, 302, 304, 408, 500, 502, 503, 504, 599] {
            for code in [None, Some(20_500), Some(20_503), Some(21_610)] {
                let outcome = refusal(status, code);
                let unknown = matches!(outcome, SubmitOutcome::Unknown { .. });
                assert!(unknown, "{status} {code:?}: {outcome:?}");
            }
        }
    }

    #[test]
    fn each_status_of_a_message_has_one_meaning() {
        for word in ["queued", "accepted", "scheduled", "sending", "sent"] {
            assert_eq!(receipt_state(word, None), Some(ReceiptState::InTransit));
        }
        assert_eq!(
            receipt_state("delivered", None),
            Some(ReceiptState::Delivered)
        );
        assert_eq!(receipt_state("read", None), Some(ReceiptState::Read));
        for word in ["undelivered", "failed"] {
            for code in [None, Some(39_999)] {
                let Some(ReceiptState::Failed(failure)) = receipt_state(word, code) else {
                    panic!("{word}");
                };
                assert_eq!(failure.class, Class::Undeliverable);
            }
        }
        for word in ["received", "partially_delivered", "", "DELIVERED"] {
            assert_eq!(receipt_state(word, None), None, "{word}");
        }
    }
}
