//! What the numbering plan says of a number, from its digits alone.

use super::plan_data::{CALLING_CODES, FOREIGN_PREFIXES};
use super::{CountryCode, PhoneError};

/// One calling code. No calling code is the beginning of another.
#[derive(Debug)]
pub(super) struct CallingCode {
    code: u16,
    /// Its only or main country; none for `+800` and the like.
    country: Option<CountryCode>,
    /// Whether other countries have a part of it.
    shared: bool,
    /// Bit n: a national number may have n digits.
    lengths: u32,
    /// Bit d: behind a first national digit d there may be a prefix that does not belong to the
    /// international form.
    national_first: u16,
}

impl CallingCode {
    /// One row of the table; `country` is two letters, or `00` for none.
    pub(super) const fn new(
        code: u16,
        country: [u8; 2],
        shared: bool,
        lengths: u32,
        national_first: u16,
    ) -> Self {
        let country = match &country {
            b"00" => None,
            _ => Some(CountryCode::from_letters(country)),
        };
        Self {
            code,
            country,
            shared,
            lengths,
            national_first,
        }
    }

    /// How many digits the code itself has.
    pub(super) fn digits(&self) -> usize {
        match self.code {
            0..10 => 1,
            10..100 => 2,
            _ => 3,
        }
    }

    /// Whether a national number may have `length` digits.
    pub(super) fn check_length(&self, length: usize) -> Result<(), PhoneError> {
        let shortest = self.lengths.trailing_zeros() as usize;
        let longest = self.lengths.ilog2() as usize;
        match length {
            _ if length < shortest => Err(PhoneError::TooShort),
            _ if length > longest => Err(PhoneError::TooLong),
            _ if self.lengths & 1 << length == 0 => Err(PhoneError::WrongLength),
            _ => Ok(()),
        }
    }

    /// Whether `digits` (calling code included) may hold a national prefix.
    pub(super) fn may_hide_national_prefix(&self, digits: &str) -> bool {
        digits
            .as_bytes()
            .get(self.digits())
            .is_some_and(|it| self.national_first & 1 << (it - b'0') != 0)
    }
}

/// The calling code that `digits` begin with.
pub(super) fn calling_code(digits: &str) -> Option<&'static CallingCode> {
    if digits.starts_with('0') {
        return None;
    }
    let mut code = 0;
    for digit in digits.bytes().take(3) {
        code = code * 10 + u16::from(digit - b'0');
        if let Ok(found) = CALLING_CODES.binary_search_by_key(&code, |it| it.code) {
            return CALLING_CODES.get(found);
        }
    }
    None
}

/// Whether some numbers are of this country.
pub(super) fn has_numbers(country: CountryCode) -> bool {
    CALLING_CODES.iter().any(|it| it.country == Some(country))
        || FOREIGN_PREFIXES.iter().any(|it| it.1 == country)
}

/// The country of an international number.
pub(super) fn country(digits: &str) -> Option<CountryCode> {
    let code = calling_code(digits)?;
    if !code.shared {
        return code.country;
    }
    // No prefix begins another, so only the last one not after `digits` can be their beginning.
    let after = FOREIGN_PREFIXES.partition_point(|(prefix, _)| *prefix <= digits);
    FOREIGN_PREFIXES[..after]
        .last()
        .filter(|(prefix, _)| digits.starts_with(prefix))
        .map_or(code.country, |(_, country)| Some(*country))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_no_entry_begins_another() {
        assert!(CALLING_CODES.is_sorted_by(|a, b| a.code < b.code));
        for code in CALLING_CODES {
            assert!(calling_code(&code.code.to_string()).is_some_and(|it| it.code == code.code));
            assert_ne!(code.lengths, 0, "{}", code.code);
        }
        assert!(FOREIGN_PREFIXES.is_sorted_by(|a, b| a.0 < b.0 && !b.0.starts_with(a.0)));
    }

    #[test]
    fn letters_that_are_no_country_with_numbers_are_told_from_those_that_are() {
        for text in ["RO", "ro", "GB", "US", "CA", "KZ", "GG", "VA", "PR", "XK"] {
            assert!(CountryCode::with_numbers(text).is_ok(), "{text}");
        }
        for (text, want) in [
            ("UK", "UK is no country of ISO 3166; did you mean \"GB\"?"),
            ("el", "EL is no country of ISO 3166; did you mean \"GR\"?"),
            (
                "XX",
                "XX is no country that has phone numbers (ISO 3166, such as \"RO\")",
            ),
            (
                "Romania",
                "must be a country's two capital letters, such as \"RO\"",
            ),
        ] {
            let told = CountryCode::with_numbers(text).map_err(|it| it.to_string());
            assert_eq!(told, Err(want.to_owned()), "{text}");
        }
    }

    #[test]
    fn prefixes_of_other_countries_belong_to_shared_calling_codes() {
        for (prefix, country) in FOREIGN_PREFIXES {
            let code = calling_code(prefix).expect("a calling code");
            assert!(code.shared && code.country != Some(*country), "{prefix}");
        }
    }
}
