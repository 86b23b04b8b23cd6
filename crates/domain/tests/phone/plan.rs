//! The tables of the numbering plan against the library that they stand for.

use domain::phone::{CountryCode, PhoneNumber};
use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat};

/// Digits that look random and are the same in every run.
fn filler(seed: usize) -> impl Iterator<Item = char> {
    (1..).map(move |n: usize| {
        let mixed = (seed * 31 + n).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        char::from(b"0123456789"[mixed % 10])
    })
}

/// What the library makes of a number once it strips no more; `None` if it is not possible.
fn library(text: &str) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(text, None).ok()?;
    let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
    if e164 != text {
        return library(&e164);
    }
    number
        .is_possible_with_reason()
        .is_ok_and(|it| it == NumberLengthType::IsPossible)
        .then_some(e164)
}

#[test]
fn lengths_and_national_prefixes_agree_with_the_library_for_all_calling_codes() {
    let mut compared = 0;
    for code in PHONE_NUMBER_UTIL.get_supported_calling_codes() {
        // Mexico, Argentina and Brazil have rules of their own beyond the library's.
        if [52, 54, 55].contains(&code) {
            continue;
        }
        // Every first digit, with several second ones.
        for begin in (0..100).step_by(3) {
            for length in 3..=13 {
                let seed = begin * 20 + length;
                let text: String = format!("+{code}{begin:02}")
                    .chars()
                    .chain(filler(seed).take(length - 2))
                    .collect();
                let expected = library(&text).filter(|it| it.len() <= 16);
                let ours = PhoneNumber::parse(&text)
                    .ok()
                    .map(|it| it.as_str().to_owned());
                assert_eq!(ours, expected, "{text}");
                compared += 1;
            }
        }
    }
    assert!(compared > 75_000, "{compared}");
}

#[test]
fn countries_of_shared_calling_codes_agree_with_the_library_for_valid_numbers() {
    let mut valid = 0;
    for code in [1, 7, 39, 44, 47, 61, 212, 262, 290, 358, 590, 599] {
        for begin in 0..1_000 {
            for (attempt, length) in [6, 7, 8, 9, 10, 10, 10].into_iter().enumerate() {
                let digits = filler(begin * 7 + attempt).take(length - 3);
                let text: String = format!("+{code}{begin:03}").chars().chain(digits).collect();
                let Ok(number) = PHONE_NUMBER_UTIL.parse(&text, None) else {
                    continue;
                };
                let unchanged = number.format_as(PhoneNumberFormat::E164) == text;
                let possible = library(&text).is_some();
                if !unchanged || !possible || !number.is_valid() {
                    continue;
                }
                valid += 1;
                let region = number.get_region_code().map(|it| it.to_string());
                let ours = PhoneNumber::parse(&text).unwrap().country();
                assert_eq!(
                    ours,
                    region.as_deref().and_then(CountryCode::parse),
                    "{text}"
                );
            }
        }
    }
    assert!(valid > 4_000, "{valid}");
}
