//! What phones say of failures, and what follows.
//!
//! Source: the app's texts as of v1.68.0 (reference: phone gateways, 2.5). What is not in the table
//! is an unspecific failure of the route.

use domain::model::failure::{Failure, FailureClass};
use domain::time::Millis;

/// Who can do what about a failure that a phone reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Remedy {
    /// It did not leave, and the phone is not able to send for now: it rests, another takes it.
    Rest(Millis),
    /// It did not leave, and its time is over: what is still wanted is planned again.
    Again,
    /// It did not leave; this route is not tried again for it.
    Elsewhere,
    /// It will not work from any phone.
    Never,
    /// It left, and the carrier says that it did not arrive.
    Left,
}

struct Row {
    /// What the text contains.
    word: &'static str,
    code: &'static str,
    class: FailureClass,
    remedy: Remedy,
}

const fn row(word: &'static str, code: &'static str, class: FailureClass, remedy: Remedy) -> Row {
    Row {
        word,
        code,
        class,
        remedy,
    }
}

/// How long a phone rests that Android or its carrier slows down.
const SLOW: Remedy = Remedy::Rest(Millis::minutes(2));
/// How long a phone rests that has no service.
const NO_SERVICE: Remedy = Remedy::Rest(Millis::minutes(1));

/// The first row whose word is in the text holds.
const TABLE: [Row; 15] = [
    row(
        "LIMIT_EXCEEDED",
        "limit_exceeded",
        FailureClass::Throttled,
        SLOW,
    ),
    row(
        "NO_SERVICE",
        "no_service",
        FailureClass::RouteFault,
        NO_SERVICE,
    ),
    row(
        "RADIO_OFF",
        "radio_off",
        FailureClass::RouteFault,
        NO_SERVICE,
    ),
    row(
        "RADIO_NOT_AVAILABLE",
        "radio_off",
        FailureClass::RouteFault,
        NO_SERVICE,
    ),
    row(
        "No SIMs found",
        "no_sim",
        FailureClass::RouteFault,
        NO_SERVICE,
    ),
    row(
        "RESULT_INVALID_STATE",
        "invalid_state",
        FailureClass::RouteFault,
        NO_SERVICE,
    ),
    row(
        "RESULT_RIL_",
        "radio_error",
        FailureClass::RouteFault,
        NO_SERVICE,
    ),
    row(
        "TTL expired",
        "ttl_expired",
        FailureClass::Expired,
        Remedy::Again,
    ),
    row(
        "SHORT_CODE",
        "short_code_refused",
        FailureClass::RecipientInvalid,
        Remedy::Never,
    ),
    row(
        "FDN",
        "fixed_dialling",
        FailureClass::RouteFault,
        Remedy::Elsewhere,
    ),
    row(
        "NULL_PDU",
        "null_pdu",
        FailureClass::InvalidRequest,
        Remedy::Never,
    ),
    row(
        "GENERIC_FAILURE",
        "generic_failure",
        FailureClass::RouteFault,
        Remedy::Elsewhere,
    ),
    row(
        "Delivery result",
        "carrier",
        FailureClass::Undeliverable,
        Remedy::Left,
    ),
    row(
        "RESULT_NETWORK_REJECT",
        "network_reject",
        FailureClass::RouteFault,
        Remedy::Elsewhere,
    ),
    row(
        "RESULT_ERROR_",
        "android_error",
        FailureClass::RouteFault,
        Remedy::Elsewhere,
    ),
];

/// What a failure with this text is, and what follows.
pub(super) fn failure(text: Option<&str>) -> (Failure, Remedy) {
    let text = text.unwrap_or_default();
    let found = TABLE.iter().find(|it| text.contains(it.word));
    let (code, class, remedy) = found.map_or(
        ("unspecified", FailureClass::RouteFault, Remedy::Elsewhere),
        |it| (it.code, it.class, it.remedy),
    );
    let code = match carrier_status(text) {
        Some(status) if remedy == Remedy::Left => format!("tp_status_{status}"),
        Some(_) | None => code.to_owned(),
    };
    let words = match text {
        "" => "The phone could not send it.".to_owned(),
        text => format!("The phone could not send it: {}", shortened(text)),
    };
    (Failure::new(class, code, words), remedy)
}

/// The number at the end of `Delivery result from SC …: 65`.
fn carrier_status(text: &str) -> Option<u16> {
    text.rsplit([':', ' ']).next()?.trim().parse().ok()
}

/// The first line, at most 200 characters.
fn shortened(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_documented_text_has_its_class_and_remedy() {
        for (text, code, class, remedy) in [
            (
                "Send result: RESULT_ERROR_LIMIT_EXCEEDED",
                "limit_exceeded",
                FailureClass::Throttled,
                SLOW,
            ),
            (
                "RESULT_ERROR_NO_SERVICE",
                "no_service",
                FailureClass::RouteFault,
                NO_SERVICE,
            ),
            (
                "RESULT_ERROR_RADIO_OFF",
                "radio_off",
                FailureClass::RouteFault,
                NO_SERVICE,
            ),
            (
                "No SIMs found",
                "no_sim",
                FailureClass::RouteFault,
                NO_SERVICE,
            ),
            (
                "RESULT_INVALID_STATE",
                "invalid_state",
                FailureClass::RouteFault,
                NO_SERVICE,
            ),
            (
                "RESULT_RIL_SIM_ABSENT",
                "radio_error",
                FailureClass::RouteFault,
                NO_SERVICE,
            ),
            (
                "RESULT_ERROR_GENERIC_FAILURE",
                "generic_failure",
                FailureClass::RouteFault,
                Remedy::Elsewhere,
            ),
            (
                "RESULT_ERROR_NULL_PDU",
                "null_pdu",
                FailureClass::InvalidRequest,
                Remedy::Never,
            ),
            (
                "RESULT_ERROR_SHORT_CODE_NOT_ALLOWED",
                "short_code_refused",
                FailureClass::RecipientInvalid,
                Remedy::Never,
            ),
            (
                "RESULT_ERROR_FDN_CHECK_FAILURE",
                "fixed_dialling",
                FailureClass::RouteFault,
                Remedy::Elsewhere,
            ),
            (
                "TTL expired",
                "ttl_expired",
                FailureClass::Expired,
                Remedy::Again,
            ),
            (
                "Delivery result from SC +4072: 65",
                "tp_status_65",
                FailureClass::Undeliverable,
                Remedy::Left,
            ),
            (
                "something new",
                "unspecified",
                FailureClass::RouteFault,
                Remedy::Elsewhere,
            ),
        ] {
            let (failure, found) = failure(Some(text));
            assert_eq!(
                (&*failure.code, failure.class, found),
                (code, class, remedy),
                "{text}"
            );
        }
    }
}
