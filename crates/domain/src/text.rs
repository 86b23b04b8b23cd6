//! How a text becomes SMS segments: which encoding it needs, how many parts it costs, and their bytes.
//!
//! Rule: R-COST-2. Segments are counted exactly: GSM 03.38 with its extension table 160/153, UCS-2
//! 70/67, by greedy filling, and neither an escape pair nor a surrogate pair is ever split. Source:
//! 3GPP TS 23.038 and 23.040. The text is brought to NFC first, so that "e" with a combining accent
//! costs what "é" costs; nothing else is changed silently.

mod decode;
mod gsm7;
mod split;

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub use decode::{
    NationalLanguage, NationalShift, decode_gsm7, decode_gsm7_national, decode_latin1, decode_ucs2,
};
pub use split::{Parts, split};

/// How many parts one concatenated message can have: its header counts them in one octet.
///
/// [`measure`] and [`split`] count on beyond it; whoever accepts a text refuses what is longer.
pub const MAX_PARTS: u16 = 255;

/// How the characters of a text travel in an SMS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// GSM 03.38 default alphabet with its extension table; a unit is a septet. SMPP `data_coding` 0.
    Gsm7,
    /// UTF-16, big endian; a unit is a 16-bit code unit. SMPP `data_coding` 8.
    Ucs2,
}

impl Encoding {
    /// Units that fit a message of one part.
    pub const fn single_limit(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units that fit each part of a longer message, beside a header of six octets.
    pub const fn part_limit(self) -> u32 {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    /// Octets of one unit as SMPP carries it: septets are not packed there.
    const fn unit_octets(self) -> usize {
        match self {
            Self::Gsm7 => 1,
            Self::Ucs2 => 2,
        }
    }
}

/// What a text costs as SMS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segments {
    /// The encoding that the text needs.
    pub encoding: Encoding,
    /// Septets or UTF-16 code units in the whole text, escapes included.
    pub units: u32,
    /// Parts, at least one: an empty text is one empty message.
    pub count: u16,
}

/// Measures `text` without building its parts.
///
/// It does not allocate, unless the text has to be brought to NFC. Counts saturate at the limits of
/// their types, far beyond any text that is accepted.
///
/// ```
/// use domain::text::{Encoding, measure};
///
/// let segments = measure("Grüße für 5 €");
/// assert_eq!((segments.encoding, segments.units, segments.count), (Encoding::Gsm7, 14, 1));
/// ```
pub fn measure(text: &str) -> Segments {
    if text.is_ascii() {
        return measure_ascii(text.as_bytes());
    }
    let text = nfc(text);
    if let Some(units) = gsm7::septets(&text) {
        let sizes = text.chars().map(|it| gsm7::septets_of(it).unwrap_or(1));
        return segments(Encoding::Gsm7, units, sizes);
    }
    let sizes = text
        .chars()
        .map(|it| if it.len_utf16() == 1 { 1 } else { 2 });
    segments(
        Encoding::Ucs2,
        sizes.clone().fold(0, u32::saturating_add),
        sizes,
    )
}

/// `text` in Unicode normalisation form C, borrowed where it already is.
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

fn measure_ascii(text: &[u8]) -> Segments {
    let sizes = text.iter().map(|it| gsm7::septets_of_ascii(*it));
    // A character outside the alphabet has a size of its own in that table.
    let largest = sizes.clone().fold(0, u8::max);
    let sizes = sizes.map(u32::from);
    if largest == gsm7::ABSENT_SEPTETS {
        let units = u32::try_from(text.len()).unwrap_or(u32::MAX);
        return segments(Encoding::Ucs2, units, text.iter().map(|_| 1));
    }
    let units = sizes.clone().fold(0, u32::saturating_add);
    segments(Encoding::Gsm7, units, sizes)
}

/// Counts the parts of a text whose characters have these `sizes`, each one or two units.
fn segments(encoding: Encoding, units: u32, sizes: impl Iterator<Item = u32>) -> Segments {
    let count = if units <= encoding.single_limit() {
        1
    } else {
        greedy_count(sizes, encoding.part_limit())
    };
    Segments {
        encoding,
        units,
        count,
    }
}

/// Parts that greedy filling makes: a character that does not fit begins the next part.
///
/// Division would be wrong, since a pair that does not fit leaves one unit empty.
fn greedy_count(sizes: impl Iterator<Item = u32>, limit: u32) -> u16 {
    let mut count: u16 = 1;
    let mut used = 0;
    for size in sizes {
        if used + size > limit {
            count = count.saturating_add(1);
            used = 0;
        }
        used += size;
    }
    count
}
