//! What a received SMS says.
//!
//! Nothing here fails: what cannot be read becomes U+FFFD or the nearest character that the standard
//! names, since a stranger's bytes must never lose the rest of a message. Parts are put together
//! before they are decoded: some peers cut an escape pair in two.

use super::gsm7::{BASIC, ESCAPE, EXTENSION};

/// Languages whose national tables (3GPP TS 23.038 annex A) are understood on inbound messages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NationalLanguage {
    /// Language identifier 1.
    Turkish,
    /// Language identifier 2; has no locking table of its own.
    Spanish,
    /// Language identifier 3.
    Portuguese,
}

impl NationalLanguage {
    /// By the language identifier in header elements 0x24 and 0x25; `None` for all other languages.
    pub const fn from_identifier(identifier: u8) -> Option<Self> {
        match identifier {
            1 => Some(Self::Turkish),
            2 => Some(Self::Spanish),
            3 => Some(Self::Portuguese),
            _ => None,
        }
    }

    /// Differences from the default extension table.
    const fn single_shift(self) -> &'static [(u8, char)] {
        match self {
            Self::Turkish => &TURKISH_SINGLE,
            Self::Spanish => &SPANISH_SINGLE,
            Self::Portuguese => &PORTUGUESE_SINGLE,
        }
    }

    /// Differences from the default alphabet.
    const fn locking_shift(self) -> &'static [(u8, char)] {
        match self {
            Self::Turkish => &TURKISH_LOCKING,
            Self::Spanish => &[],
            Self::Portuguese => &PORTUGUESE_LOCKING,
        }
    }
}

/// Which national tables a message's header names.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct NationalShift {
    /// Header element 0x24: another extension table.
    pub single: Option<NationalLanguage>,
    /// Header element 0x25: another alphabet.
    pub locking: Option<NationalLanguage>,
}

const TURKISH_SINGLE: [(u8, char); 7] = [
    (0x47, 'Ğ'),
    (0x49, 'İ'),
    (0x53, 'Ş'),
    (0x63, 'ç'),
    (0x67, 'ğ'),
    (0x69, 'ı'),
    (0x73, 'ş'),
];

const SPANISH_SINGLE: [(u8, char); 9] = [
    (0x09, 'ç'),
    (0x41, 'Á'),
    (0x49, 'Í'),
    (0x4F, 'Ó'),
    (0x55, 'Ú'),
    (0x61, 'á'),
    (0x69, 'í'),
    (0x6F, 'ó'),
    (0x75, 'ú'),
];

#[rustfmt::skip]
const PORTUGUESE_SINGLE: [(u8, char); 27] = [
    (0x05, 'ê'), (0x09, 'ç'), (0x0B, 'Ô'), (0x0C, 'ô'), (0x0E, 'Á'), (0x0F, 'á'), (0x12, 'Φ'),
    (0x13, 'Γ'), (0x15, 'Ω'), (0x16, 'Π'), (0x17, 'Ψ'), (0x18, 'Σ'), (0x19, 'Θ'), (0x1F, 'Ê'),
    (0x41, 'À'), (0x49, 'Í'), (0x4F, 'Ó'), (0x55, 'Ú'), (0x5B, 'Ã'), (0x5C, 'Õ'), (0x61, 'Â'),
    (0x69, 'í'), (0x6F, 'ó'), (0x75, 'ú'), (0x7B, 'ã'), (0x7C, 'õ'), (0x7F, 'â'),
];

const TURKISH_LOCKING: [(u8, char); 8] = [
    (0x04, '€'),
    (0x07, 'ı'),
    (0x0B, 'Ğ'),
    (0x0C, 'ğ'),
    (0x1C, 'Ş'),
    (0x1D, 'ş'),
    (0x40, 'İ'),
    (0x60, 'ç'),
];

#[rustfmt::skip]
const PORTUGUESE_LOCKING: [(u8, char); 30] = [
    (0x04, 'ê'), (0x06, 'ú'), (0x07, 'í'), (0x08, 'ó'), (0x09, 'ç'), (0x0B, 'Ô'), (0x0C, 'ô'),
    (0x0E, 'Á'), (0x0F, 'á'), (0x12, 'ª'), (0x13, 'Ç'), (0x14, 'À'), (0x15, '∞'), (0x16, '^'),
    (0x17, '\\'), (0x18, '€'), (0x19, 'Ó'), (0x1A, '|'), (0x1C, 'Â'), (0x1D, 'â'), (0x1E, 'Ê'),
    (0x24, 'º'), (0x40, 'Í'), (0x5B, 'Ã'), (0x5C, 'Õ'), (0x5D, 'Ú'), (0x60, '~'), (0x7B, 'ã'),
    (0x7C, 'õ'), (0x7D, '`'),
];

/// Reads unpacked septets of the default alphabet.
///
/// An escape before an unknown code gives that code's basic character, two escapes give a space, and
/// so does an escape at the end. An octet above 0x7F is no septet and reads as U+FFFD.
///
/// ```
/// assert_eq!(domain::text::decode_gsm7(&[0x00, 0x1B, 0x65]), "@€");
/// ```
pub fn decode_gsm7(septets: &[u8]) -> String {
    decode_gsm7_national(septets, NationalShift::default())
}

/// Reads unpacked septets with the national tables that the message's header names.
pub fn decode_gsm7_national(septets: &[u8], shift: NationalShift) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut septets = septets.iter().copied();
    while let Some(septet) = septets.next() {
        text.push(match septet {
            ESCAPE => match septets.next() {
                Some(code) => extended(code, shift),
                None => ' ',
            },
            code => basic(code, shift),
        });
    }
    text
}

fn basic(code: u8, shift: NationalShift) -> char {
    shift
        .locking
        .and_then(|it| find(it.locking_shift(), code))
        .or_else(|| BASIC.get(usize::from(code)).copied())
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn extended(code: u8, shift: NationalShift) -> char {
    shift
        .single
        .and_then(|it| find(it.single_shift(), code))
        .or_else(|| find(&EXTENSION, code))
        .unwrap_or_else(|| basic(code, shift))
}

fn find(table: &[(u8, char)], code: u8) -> Option<char> {
    table.iter().find(|it| it.0 == code).map(|it| it.1)
}

/// Reads UTF-16BE; an unpaired surrogate or an odd octet at the end reads as U+FFFD.
pub fn decode_ucs2(octets: &[u8]) -> String {
    let (units, rest) = octets.as_chunks::<2>();
    let mut text: String = char::decode_utf16(units.iter().map(|it| u16::from_be_bytes(*it)))
        .map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

/// Reads ISO 8859-1, where each octet is the code point of the same number.
pub fn decode_latin1(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}
