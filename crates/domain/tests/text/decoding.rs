//! Inbound texts: what received octets say.

use domain::text::{
    NationalLanguage, NationalShift, decode_gsm7, decode_gsm7_national, decode_latin1, decode_ucs2,
};
use proptest::prelude::*;

#[test]
fn unknown_escapes_read_as_the_basic_character() {
    assert_eq!(decode_gsm7(&[0x1B, 0x41]), "A");
    assert_eq!(decode_gsm7(&[0x1B, 0x1B, 0x41]), " A");
    assert_eq!(decode_gsm7(&[0x41, 0x1B]), "A ");
}

#[test]
fn the_extension_table_reads_as_the_standard_says() {
    let codes = [0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65];
    let septets: Vec<u8> = codes.into_iter().flat_map(|it| [0x1B, it]).collect();
    assert_eq!(decode_gsm7(&septets), "\u{0C}^{}\\[~]|€");
}

#[test]
fn an_octet_that_is_no_septet_loses_only_itself() {
    assert_eq!(decode_gsm7(&[0x41, 0xE9, 0x42]), "A\u{FFFD}B");
}

#[test]
fn national_tables_read_the_letters_of_their_languages() {
    use NationalLanguage::{Portuguese, Spanish, Turkish};

    let single = |language, septets: &[u8]| {
        decode_gsm7_national(
            septets,
            NationalShift {
                single: Some(language),
                locking: None,
            },
        )
    };
    let locking = |language, septets: &[u8]| {
        decode_gsm7_national(
            septets,
            NationalShift {
                single: None,
                locking: Some(language),
            },
        )
    };
    assert_eq!(
        single(Turkish, &[0x1B, 0x67, 0x1B, 0x65, 0x1B, 0x41]),
        "ğ€A"
    );
    assert_eq!(single(Spanish, &[0x1B, 0x61, 0x1B, 0x3C, 0x7D]), "á[ñ");
    assert_eq!(
        single(Portuguese, &[0x1B, 0x7B, 0x1B, 0x12, 0x1B, 0x65]),
        "ãΦ€"
    );
    assert_eq!(
        locking(Turkish, &[0x04, 0x07, 0x0B, 0x40, 0x60, 0x61]),
        "€ıĞİça"
    );
    assert_eq!(locking(Spanish, &[0x04, 0x7D]), "èñ");
    assert_eq!(
        locking(Portuguese, &[0x12, 0x15, 0x24, 0x7B, 0x7D, 0x1B, 0x65]),
        "ª∞ºã`€"
    );
    // What no extension table knows is read from the alphabet in force.
    assert_eq!(locking(Turkish, &[0x1B, 0x07]), "ı");
}

#[test]
fn languages_are_known_by_their_identifiers() {
    let known: Vec<_> = (0..=255)
        .filter_map(NationalLanguage::from_identifier)
        .collect();
    assert_eq!(
        known,
        [
            NationalLanguage::Turkish,
            NationalLanguage::Spanish,
            NationalLanguage::Portuguese
        ]
    );
}

#[test]
fn broken_utf16_loses_only_what_is_broken() {
    assert_eq!(
        decode_ucs2(&[0xD8, 0x3D, 0x00, 0x41, 0x00]),
        "\u{FFFD}A\u{FFFD}"
    );
    assert_eq!(decode_ucs2(&[0xD8, 0x3D, 0xDE, 0x00]), "😀");
    assert_eq!(decode_ucs2(&[]), "");
}

#[test]
fn latin1_reads_each_octet_as_its_code_point() {
    assert_eq!(decode_latin1(b"\xE9\xA3A"), "é£A");
}

proptest! {
    #[test]
    fn nothing_that_a_stranger_sends_panics(octets in proptest::collection::vec(any::<u8>(), 0..400), single in 0..4_u8, locking in 0..4_u8) {
        let shift = NationalShift {
            single: NationalLanguage::from_identifier(single),
            locking: NationalLanguage::from_identifier(locking),
        };
        prop_assert!(decode_gsm7_national(&octets, shift).chars().count() <= octets.len());
        prop_assert!(decode_ucs2(&octets).encode_utf16().count() <= octets.len().div_ceil(2));
        prop_assert_eq!(decode_latin1(&octets).chars().count(), octets.len());
    }
}
