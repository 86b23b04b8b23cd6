//! Where one subscriber has had several numbers: Mexico, Brazil, Argentina.
//!
//! Rule: R-IN-3. The library follows today's plans and leaves former forms as they are; contacts and
//! networks still use them.

use super::PhoneNumber;
use super::read::Digits;

/// National digits of a Mexican number since 2019.
const MEXICAN_LENGTH: usize = 10;
/// What used to stand before them: mobile from abroad, and three ways of dialling at home.
const MEXICAN_FORMER_PREFIXES: [&str; 4] = ["1", "01", "044", "045"];
/// National digits of an Argentine number without the mobile prefix: area code and subscriber.
const ARGENTINE_LENGTH: usize = 10;
/// National digits of a Brazilian number of eight digits with its area code of two.
const BRAZILIAN_SHORT_LENGTH: usize = 10;

/// Rewrites what the library would refuse; everything else passes unchanged.
pub(super) fn before_plan(digits: Digits) -> Digits {
    let text = digits.as_str();
    let rewritten = if let Some(national) = text.strip_prefix("52") {
        MEXICAN_FORMER_PREFIXES
            .iter()
            .filter_map(|it| national.strip_prefix(it))
            .find(|it| it.len() == MEXICAN_LENGTH)
            .and_then(|it| Digits::joined("52", it))
    } else if let Some(national) = text.strip_prefix("549") {
        // Both mobile prefixes, the international 9 and the national 15: the library turns the
        // latter into the former once the former is gone.
        (national.len() == ARGENTINE_LENGTH + 2)
            .then(|| Digits::joined("54", national))
            .flatten()
    } else {
        None
    };
    rewritten.unwrap_or(digits)
}

/// Brazil put a 9 before every mobile number between 2012 and 2016. A number that is not valid as it
/// is, but is with the 9, is the old form of it; WhatsApp still names older accounts so.
pub(super) fn brazilian_ninth_digit(number: PhoneNumber) -> Option<PhoneNumber> {
    let national = number.digits().strip_prefix("55")?;
    let (area, subscriber) = national.split_at_checked(2)?;
    let may_be_mobile =
        national.len() == BRAZILIAN_SHORT_LENGTH && subscriber.starts_with(['6', '7', '8', '9']);
    if !may_be_mobile || number.is_valid() {
        return None;
    }
    let mut longer = String::with_capacity(number.digits().len() + 1);
    longer.extend(["55", area, "9", subscriber]);
    Some(PhoneNumber::assemble(&longer)).filter(PhoneNumber::is_valid)
}

/// An Argentine number with the mobile prefix for one without it, and the other way round.
pub(super) fn other_form(digits: &str) -> Option<Digits> {
    let national = digits.strip_prefix("54")?;
    match national.strip_prefix('9') {
        Some(rest) if rest.len() == ARGENTINE_LENGTH => Digits::joined("54", rest),
        None if national.len() == ARGENTINE_LENGTH => Digits::joined("549", national),
        Some(_) | None => None,
    }
}
