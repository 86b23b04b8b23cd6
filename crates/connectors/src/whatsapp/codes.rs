//! What an error code of Meta's means for a submission. Data, with where it comes from.
//!
//! Sources: Meta's "Error codes" page of the Cloud API (May 2026) for numbers and meaning; what to do
//! about each is our judgement from partners' guides and issue trackers, November 2026. Neither the
//! HTTP status nor the title is looked at: the same code comes with several of both.

use domain::model::failure::{Failure, FailureClass};
use domain::time::Millis;
use serde_json::Value;

use super::tree;

use FailureClass as Class;

/// How a refusal is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// Another route may take it (R-ROUTE-4).
    NotTaken(FailureClass),
    /// The number is too fast: it waits so long.
    SlowDown(Millis),
    /// Too fast for this recipient only, who waits for 1 s, 4 s, 16 s, as the driver does by itself.
    SlowDownForRecipient,
    /// It fails on this channel for good.
    ForGood(FailureClass),
}

impl Refusal {
    /// The class of the failure.
    pub(super) const fn class(self) -> FailureClass {
        match self {
            Self::NotTaken(class) | Self::ForGood(class) => class,
            Self::SlowDown(_) | Self::SlowDownForRecipient => Class::Throttled,
        }
    }
}

use Refusal::{ForGood, NotTaken, SlowDown, SlowDownForRecipient};

/// The person wants no more marketing messages from us: also told as a signal of consent.
pub(super) const STOPPED_MARKETING: i64 = 131_050;
/// A parameter is wrong: of the request, of the id in the URL, or the recipient.
const INVALID_PARAMETER: i64 = 100;
/// Subcode of [`INVALID_PARAMETER`]: there is no object with the id in the URL, or not for us.
const NO_SUCH_OBJECT: i64 = 33;

/// First and last code, meaning, and a sentence for a person; in order.
///
/// - What only the operator can mend is `AccountFault` where nothing at all can be sent, and takes the
///   route down; `SenderFault` where it concerns some countries, recipients or categories.
/// - 130472 and 131049 (Meta chose not to deliver this promotion to this person) are `Undeliverable`:
///   the channel itself caused the failure (R-METRIC-2), and it is not tried again.
/// - 131062 (no one-time code to a hidden number) is the template not fitting the recipient: the
///   person has the channel, and is not to blame.
#[rustfmt::skip]
pub(super) const CODES: &[(i64, i64, Refusal, &str)] = &[
    (0, 0, NotTaken(Class::AccountFault), "Meta could not authenticate our token."),
    (1, 2, NotTaken(Class::RouteFault), "Meta's service is not available for now."),
    (3, 3, NotTaken(Class::AccountFault), "Our token lacks a permission."),
    (4, 4, SlowDown(Millis::minutes(1)), "Our Meta app made too many calls."),
    (10, 10, NotTaken(Class::AccountFault), "Our token lacks a permission."),
    (33, 33, NotTaken(Class::AccountFault), "Meta does not know our business number any more."),
    (100, 100, ForGood(Class::InvalidRequest), "Meta found a parameter of the message wrong."),
    (190, 190, NotTaken(Class::AccountFault), "Our token has expired."),
    (200, 299, NotTaken(Class::AccountFault), "Our token lacks a permission."),
    (368, 368, NotTaken(Class::AccountFault), "Our account is blocked for policy violations."),
    (80_007, 80_007, SlowDown(Millis::minutes(1)), "Our WhatsApp account made too many calls."),
    (130_429, 130_429, SlowDown(Millis::seconds(1)), "Our number sends too fast."),
    (130_472, 130_472, ForGood(Class::Undeliverable), "Meta does not deliver promotions to this person, as part of an experiment."),
    (130_497, 130_497, NotTaken(Class::SenderFault), "Our account may not write to this country."),
    (131_000, 131_000, NotTaken(Class::RouteFault), "Meta could not send it, for a reason it does not know."),
    (131_005, 131_005, NotTaken(Class::AccountFault), "Our token lacks a permission."),
    (131_008, 131_009, ForGood(Class::InvalidRequest), "Meta found a parameter of the message missing or wrong."),
    (131_016, 131_016, NotTaken(Class::RouteFault), "Meta's service is not available for now."),
    (131_021, 131_021, ForGood(Class::InvalidRequest), "The recipient is our own number."),
    (131_026, 131_026, ForGood(Class::RecipientIncapable), "The recipient cannot get messages on WhatsApp."),
    (131_030, 131_030, NotTaken(Class::SenderFault), "The recipient is not on the list of our test number."),
    (131_031, 131_031, NotTaken(Class::AccountFault), "Our account is locked."),
    (131_037, 131_037, NotTaken(Class::SenderFault), "The display name of our number is not approved."),
    (131_042, 131_042, NotTaken(Class::AccountFault), "Meta cannot charge our account."),
    (131_044, 131_044, NotTaken(Class::AccountFault), "Meta cannot charge our account."),
    (131_045, 131_045, NotTaken(Class::SenderFault), "Our number is not registered at Meta."),
    (131_047, 131_047, ForGood(Class::WindowClosed), "More than 24 hours have passed since the recipient last wrote."),
    (131_048, 131_048, NotTaken(Class::SenderFault), "Meta holds our number back because people reported or blocked it."),
    (131_049, 131_049, ForGood(Class::Undeliverable), "Meta does not deliver more promotions to this person for now."),
    (131_050, 131_050, ForGood(Class::OptedOut), "The recipient stopped marketing messages from us."),
    (131_051, 131_051, ForGood(Class::InvalidRequest), "WhatsApp does not have this kind of message."),
    (131_052, 131_053, ForGood(Class::InvalidRequest), "Meta could not fetch or read the medium."),
    (131_056, 131_056, SlowDownForRecipient, "Too many messages to this recipient in a short time."),
    (131_057, 131_057, NotTaken(Class::RouteFault), "Our account is in maintenance at Meta."),
    (131_062, 131_062, ForGood(Class::TemplateFault), "A one-time code cannot go to a person whose number is hidden."),
    (131_063, 131_063, NotTaken(Class::SenderFault), "Our account sends marketing templates by the marketing path only."),
    (131_064, 131_064, NotTaken(Class::SenderFault), "Our messaging limit is reached, because a template is in the wrong category."),
    (132_000, 132_000, ForGood(Class::TemplateFault), "The number of variables is not the template's."),
    (132_001, 132_001, ForGood(Class::TemplateFault), "The template is missing or not approved in this language."),
    (132_005, 132_005, ForGood(Class::TemplateFault), "The template's text is too long with its variables filled in."),
    (132_007, 132_007, ForGood(Class::ContentBlocked), "The template violates a policy of WhatsApp's."),
    (132_008, 132_008, ForGood(Class::TemplateFault), "A variable does not have the form that the template wants."),
    (132_012, 132_012, ForGood(Class::TemplateFault), "A variable does not have the form that the template wants."),
    (132_015, 132_015, ForGood(Class::TemplateFault), "The template is paused for its quality."),
    (132_016, 132_016, ForGood(Class::TemplateFault), "The template is disabled for its quality."),
    (132_018, 132_018, ForGood(Class::TemplateFault), "A variable has line breaks, tabs or too many spaces."),
    (132_068, 132_068, ForGood(Class::TemplateFault), "The flow of this message is blocked."),
    (132_069, 132_069, SlowDownForRecipient, "The flow of this message is held back."),
    (133_000, 133_999, NotTaken(Class::SenderFault), "Our number is not registered at Meta."),
    (135_000, 135_000, NotTaken(Class::RouteFault), "Meta could not send it, for a reason it does not tell."),
    (137_000, 137_000, ForGood(Class::InvalidRequest), "The recipient has another identity key than the message."),
];

/// An error as Meta words it, in an answer and in a status alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct MetaError {
    pub(super) code: i64,
    subcode: Option<i64>,
    /// What is wrong, for developers.
    details: String,
}

impl MetaError {
    /// Reads an error object; `None` where it has no code.
    pub(super) fn read(error: &Value) -> Option<Self> {
        let code = tree::whole(error, "code")?;
        let data = error.get("error_data");
        let details = data
            .and_then(|it| tree::text(it, "details").or_else(|| it.as_str()))
            .or_else(|| tree::text(error, "message"))
            .or_else(|| tree::text(error, "title"))
            .unwrap_or_default();
        Some(Self {
            code,
            subcode: tree::whole(error, "error_subcode"),
            details: presentable(details),
        })
    }

    /// What to do about it.
    ///
    /// A code that nobody documented is a refusal all the same, of which nobody is to blame: the next
    /// route may take the message, and without one it falls back.
    pub(super) fn refusal(&self) -> Refusal {
        if self.code == INVALID_PARAMETER {
            if self.subcode == Some(NO_SUCH_OBJECT) {
                return NotTaken(Class::AccountFault);
            }
            if says_not_on_whatsapp(&self.details) {
                return ForGood(Class::RecipientIncapable);
            }
        }
        self.row().map_or(NotTaken(Class::RouteFault), |it| it.2)
    }

    /// The failure as it is kept and shown.
    pub(super) fn failure(&self) -> Failure {
        let sentence = self.row().map_or("Meta refused the message.", |it| it.3);
        let text = if self.details.is_empty() {
            sentence.to_owned()
        } else {
            format!("{sentence} ({})", self.details)
        };
        Failure::new(self.refusal().class(), self.code.to_string(), text)
    }

    fn row(&self) -> Option<&'static (i64, i64, Refusal, &'static str)> {
        CODES.iter().find(|it| (it.0..=it.1).contains(&self.code))
    }
}

/// Characters of Meta's own words that are kept.
const DETAILS_MAX: usize = 200;
/// A run of so many digits may be somebody's number, and is not kept.
const NUMBER_MIN: usize = 7;
/// A run of so many letters and digits may be a token: no word of Meta's has so many.
const TOKEN_MIN: usize = 24;

/// Meta's own words, short, on one line, without anything that may be a number of a person.
fn presentable(details: &str) -> String {
    let details = without_tokens(details);
    let mut shown = String::new();
    let mut digits = String::new();
    for it in details.chars().take(DETAILS_MAX).chain(['\n']) {
        if it.is_ascii_digit() {
            digits.push(it);
            continue;
        }
        shown.push_str(if digits.len() < NUMBER_MIN {
            &digits
        } else {
            "…"
        });
        digits.clear();
        shown.push(if it.is_control() { ' ' } else { it });
    }
    shown.trim().to_owned()
}

/// The words without those that may be our token, which Meta repeats where it cannot read it.
pub(super) fn without_tokens(text: &str) -> String {
    let may_be_token = |word: &&str| {
        let mut runs = word.split(|it: char| !it.is_ascii_alphanumeric());
        runs.any(|it| it.len() >= TOKEN_MIN)
    };
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|it| if may_be_token(&it) { "…" } else { it })
        .collect();
    words.join(" ")
}

/// Meta says of some recipients only in words that they are not on WhatsApp. Where it speaks of a
/// business, that is us.
fn says_not_on_whatsapp(details: &str) -> bool {
    let details = details.to_ascii_lowercase();
    let is_about_us = details.contains("business");
    !is_about_us
        && [
            "not on whatsapp",
            "not a whatsapp user",
            "not a valid whatsapp",
            "not in whatsapp",
        ]
        .iter()
        .any(|it| details.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::rules::fallback::allows_fallback;
    use serde_json::json;

    fn of(code: i64) -> MetaError {
        MetaError::read(&json!({"code": code, "message": "m"})).unwrap()
    }

    #[test]
    fn the_table_is_in_order_and_without_overlap() {
        assert!(CODES.iter().all(|it| it.0 <= it.1));
        assert!(CODES.is_sorted_by(|a, b| a.1 < b.0));
    }

    /// Every first and last code of the table, by the class of the failure.
    const CLASSES: &[(Class, &[i64])] = &[
        (Class::AccountFault, &[0, 3, 10, 33, 190, 200, 299, 368]),
        (Class::AccountFault, &[131_005, 131_031, 131_042, 131_044]),
        (
            Class::RouteFault,
            &[1, 2, 131_000, 131_016, 131_057, 135_000],
        ),
        (Class::Throttled, &[4, 80_007, 130_429, 131_056, 132_069]),
        (
            Class::SenderFault,
            &[130_497, 131_030, 131_037, 131_045, 131_048],
        ),
        (Class::SenderFault, &[131_063, 131_064, 133_000, 133_999]),
        (
            Class::InvalidRequest,
            &[100, 131_008, 131_009, 131_021, 131_051],
        ),
        (Class::InvalidRequest, &[131_052, 131_053, 137_000]),
        (Class::RecipientIncapable, &[131_026]),
        (Class::Undeliverable, &[130_472, 131_049]),
        (Class::WindowClosed, &[131_047]),
        (Class::OptedOut, &[131_050]),
        (Class::ContentBlocked, &[132_007]),
        (
            Class::TemplateFault,
            &[131_062, 132_000, 132_001, 132_005, 132_008],
        ),
        (
            Class::TemplateFault,
            &[132_012, 132_015, 132_016, 132_018, 132_068],
        ),
    ];

    #[test]
    fn every_code_of_the_table_has_its_class() {
        let wanted = |code: i64| {
            CLASSES
                .iter()
                .find(|it| it.1.contains(&code))
                .map(|it| it.0)
        };
        for (first, last, ..) in CODES {
            for code in [*first, *last] {
                let failure = of(code).failure();
                assert_eq!(Some(failure.class), wanted(code), "{code}");
                assert_eq!(&*failure.code, code.to_string());
            }
        }
    }

    #[test]
    fn what_the_operator_must_mend_goes_on_with_the_next_route() {
        for (first, last, refusal, _) in CODES {
            let class = refusal.class();
            let is_mendable =
                [Class::AccountFault, Class::SenderFault, Class::RouteFault].contains(&class);
            let is_next_routes = matches!(refusal, NotTaken(_));
            assert_eq!(is_mendable, is_next_routes, "{first} to {last}: {class:?}");
        }
    }

    #[test]
    fn a_closed_window_a_paused_template_and_a_missing_account_may_fall_back() {
        for code in [131_047, 132_015, 131_026, 131_049, 190] {
            assert!(allows_fallback(of(code).failure().class), "{code}");
        }
        for code in [131_050, 132_007, 131_009] {
            assert!(!allows_fallback(of(code).failure().class), "{code}");
        }
    }

    #[test]
    fn an_undocumented_code_is_a_refusal_that_blames_nobody() {
        for code in [138_777, 139_100, 7, 999_999] {
            assert_eq!(of(code).refusal(), NotTaken(Class::RouteFault), "{code}");
        }
    }

    #[test]
    fn a_wrong_parameter_may_be_our_number_or_the_recipient() {
        let gone =
            json!({"code": 100, "error_subcode": 33, "message": "Unsupported post request."});
        let stranger =
            json!({"code": 100, "error_data": {"details": "Recipient is not a WhatsApp user"}});
        let refusal = |it| MetaError::read(it).unwrap().refusal();
        assert_eq!(refusal(&gone), NotTaken(Class::AccountFault));
        assert_eq!(refusal(&stranger), ForGood(Class::RecipientIncapable));
    }

    #[test]
    fn a_wrong_account_says_nothing_about_the_recipient() {
        for details in [
            "106540352242922 is not a valid WhatsApp Business account",
            "The id is not a valid WhatsApp business phone number",
        ] {
            let error = json!({"code": 100, "error_data": {"details": details}});
            let refusal = MetaError::read(&error).unwrap().refusal();
            assert_eq!(refusal, ForGood(Class::InvalidRequest), "{details}");
        }
    }

    #[test]
    fn a_token_that_meta_repeats_is_not_kept() {
        let token = "EAAGm0PX4ZCpsBAKZCq8ZAxyZBw9u1aZCTb2ZAd7qZBvTf5hKzZCl0ZBq";
        for message in [
            format!("Malformed access token {token}"),
            format!("{}{token}", "x ".repeat(90)),
        ] {
            let read = MetaError::read(&json!({"code": 190, "message": message})).unwrap();
            assert!(!read.details.contains("EAAG"), "{}", read.details);
        }
    }

    #[test]
    fn details_are_found_wherever_meta_puts_them_and_hold_no_number() {
        for error in [
            json!({"code": "131009", "error_data": {"details": "to +4917012345678 is\nwrong in v23"}}),
            json!({"code": 131_009, "error_data": "to +4917012345678 is\nwrong in v23"}),
            json!({"code": 131_009, "message": "to +4917012345678 is\nwrong in v23"}),
            json!({"code": 131_009, "title": "to +4917012345678 is\nwrong in v23"}),
        ] {
            let read = MetaError::read(&error).unwrap();
            assert_eq!(read.details, "to +… is wrong in v23", "{error}");
        }
        assert_eq!(MetaError::read(&json!({"message": "no code"})), None);
    }
}
