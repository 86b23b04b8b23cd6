//! Segments: R-COST-2 and R-PARTS.

mod decoding;

use domain::text::{Encoding, Parts, Segments, decode_gsm7, decode_ucs2, measure, nfc, split};
use proptest::prelude::*;

/// Answers of smsutil, split-sms and sms-segments-calculator; see `corpus/segments.py`.
const CORPUS: &str = include_str!("../../corpus/segments.jsonl");

fn read(parts: &Parts) -> String {
    match parts.encoding() {
        Encoding::Gsm7 => parts.iter().map(decode_gsm7).collect(),
        Encoding::Ucs2 => parts.iter().map(decode_ucs2).collect(),
    }
}

#[test]
fn texts_cost_what_the_table_of_the_protocol_notes_says() {
    let (a, ya) = (|n| "a".repeat(n), |n| "я".repeat(n));
    for (text, encoding, units, count) in [
        (a(160), Encoding::Gsm7, 160, 1),
        (a(161), Encoding::Gsm7, 161, 2),
        (a(306), Encoding::Gsm7, 306, 2),
        (a(307), Encoding::Gsm7, 307, 3),
        ("€".repeat(80), Encoding::Gsm7, 160, 1),
        ("€".repeat(81), Encoding::Gsm7, 162, 2),
        ("€".repeat(153), Encoding::Gsm7, 306, 3),
        (a(152) + "€" + &a(152), Encoding::Gsm7, 306, 3),
        (ya(70), Encoding::Ucs2, 70, 1),
        (ya(71), Encoding::Ucs2, 71, 2),
        (ya(134), Encoding::Ucs2, 134, 2),
        (ya(135), Encoding::Ucs2, 135, 3),
        ("😀".repeat(35), Encoding::Ucs2, 70, 1),
        ("😀".repeat(36), Encoding::Ucs2, 72, 2),
        (ya(66) + "😀" + &ya(66), Encoding::Ucs2, 134, 3),
        ("\r\n".repeat(80), Encoding::Gsm7, 160, 1),
        ("a\u{0C}b".into(), Encoding::Gsm7, 4, 1),
    ] {
        assert_eq!(
            measure(&text),
            Segments {
                encoding,
                units,
                count
            },
            "{text:?}"
        );
        assert_eq!(split(&text).count(), count, "{text:?}");
    }
}

#[test]
fn an_escape_pair_that_does_not_fit_moves_to_the_next_part() {
    let sizes = |text: &str| split(text).iter().map(<[u8]>::len).collect::<Vec<_>>();
    assert_eq!(
        sizes(&("a".repeat(152) + "€" + &"a".repeat(152))),
        [152, 153, 1]
    );
    assert_eq!(
        sizes(&("я".repeat(66) + "😀" + &"я".repeat(66))),
        [132, 134, 2]
    );
}

#[test]
fn an_empty_text_is_one_empty_part() {
    assert_eq!(
        measure(""),
        Segments {
            encoding: Encoding::Gsm7,
            units: 0,
            count: 1
        }
    );
    assert_eq!(split("").iter().collect::<Vec<_>>(), [b""]);
}

#[test]
fn an_escape_character_in_a_text_is_not_an_escape() {
    assert_eq!(
        measure("\u{1B}e"),
        Segments {
            encoding: Encoding::Ucs2,
            units: 2,
            count: 1
        }
    );
    assert_eq!(split("\u{1B}e").whole(), [0, 0x1B, 0, b'e']);
}

#[test]
fn a_letter_and_its_combining_accent_cost_what_the_letter_costs() {
    assert_eq!(measure("cafe\u{301}"), measure("café"));
    assert_eq!(split("cafe\u{301}"), split("café"));
    assert_eq!(measure("cafe\u{301}").encoding, Encoding::Gsm7);
}

#[test]
fn nothing_but_composition_is_changed() {
    for text in ["it’s", "“a”", "a\u{A0}b", "fi\u{FB01}", "a–b…", "`", "ç"] {
        assert_eq!(nfc(text), text);
        assert_eq!(measure(text).encoding, Encoding::Ucs2, "{text}");
    }
}

#[test]
fn parts_are_the_bytes_that_smpp_carries() {
    assert_eq!(
        split("Hello €").whole(),
        [0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x20, 0x1B, 0x65]
    );
    assert_eq!(split("@").whole(), [0x00]);
    assert_eq!(split("т😀").whole(), [0x04, 0x42, 0xD8, 0x3D, 0xDE, 0x00]);
}

#[test]
fn every_text_of_the_corpus_costs_what_independent_libraries_say() {
    let mut rows = 0;
    let mut kept_clusters = 0;
    for line in CORPUS.lines() {
        let (text, encoding, units, count, keeping_clusters): (String, String, u32, u16, u16) =
            serde_json::from_str(line).unwrap();
        let encoding = if encoding == "gsm7" {
            Encoding::Gsm7
        } else {
            Encoding::Ucs2
        };
        assert_eq!(
            measure(&text),
            Segments {
                encoding,
                units,
                count
            },
            "{text:?}"
        );
        let parts = split(&text);
        assert_eq!(
            (parts.encoding(), parts.count()),
            (encoding, count),
            "{text:?}"
        );
        assert_eq!(read(&parts), nfc(&text), "{text:?}");
        rows += 1;
        // The third library moves whole clusters, which can only cost more.
        assert!(keeping_clusters >= count, "{text:?}");
        kept_clusters += usize::from(keeping_clusters != count);
    }
    assert!(rows > 900, "{rows}");
    assert!(kept_clusters < rows / 20, "{kept_clusters}");
}

/// Texts that come near the limits, with many pairs in them.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 €\\[\\]{}~^|\\\\éñΩ\\f\\r\\n@]{0,700}",
        "[a-z😀€я]{0,300}",
        ".{0,300}",
        "[a\u{301}e\u{308}\u{1100}\u{1161}\u{11A8}n\u{303}\u{2126}`ç]{0,200}",
        proptest::collection::vec(any::<char>(), 0..300).prop_map(String::from_iter),
    ]
}

proptest! {
    #[test]
    fn parts_hold_exactly_the_composed_text(text in texts()) {
        prop_assert_eq!(read(&split(&text)), nfc(&text));
    }

    #[test]
    fn measuring_and_splitting_agree(text in texts()) {
        let (segments, parts) = (measure(&text), split(&text));
        prop_assert_eq!(parts.encoding(), segments.encoding);
        prop_assert_eq!(parts.count(), segments.count);
        prop_assert_eq!(parts.iter().count(), usize::from(segments.count));
        let unit = match segments.encoding { Encoding::Gsm7 => 1, Encoding::Ucs2 => 2 };
        prop_assert_eq!(parts.whole().len(), segments.units as usize * unit);
    }

    #[test]
    fn every_part_is_full_but_for_one_pair_and_splits_none(text in texts()) {
        let parts = split(&text);
        let (unit, encoding) = match parts.encoding() {
            Encoding::Gsm7 => (1, Encoding::Gsm7),
            Encoding::Ucs2 => (2, Encoding::Ucs2),
        };
        let count = usize::from(parts.count());
        let limit = if count == 1 { encoding.single_limit() } else { encoding.part_limit() };
        for (index, part) in parts.iter().enumerate() {
            let units = u32::try_from(part.len() / unit).unwrap();
            prop_assert!(units <= limit);
            prop_assert!(index + 1 == count || units + 1 >= limit);
            let alone = match encoding {
                Encoding::Gsm7 => part.last() != Some(&0x1B),
                Encoding::Ucs2 => !decode_ucs2(part).contains('\u{FFFD}') || text.contains('\u{FFFD}'),
            };
            prop_assert!(alone);
        }
    }

    #[test]
    fn composing_twice_changes_nothing(text in texts()) {
        let once = nfc(&text).into_owned();
        prop_assert_eq!(nfc(&once), &*once);
        prop_assert_eq!(measure(&once), measure(&text));
    }
}
