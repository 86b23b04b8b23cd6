//! How a `deliver_sm` becomes a message that a person wrote, or a part of one.

use domain::text::{
    NationalLanguage, NationalShift, decode_gsm7, decode_gsm7_national, decode_latin1, decode_ucs2,
};

use super::config::DefaultAlphabet;
use super::pdu::{Message, tag};
use super::submit::UDHI;

/// How the octets of a text are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Coding {
    /// By `data_coding` alone.
    Plain(u8),
    /// GSM septets with national tables named in the header.
    National(NationalShift),
}

/// Where a part belongs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// Reference that all parts share.
    pub(super) reference: u16,
    /// Whether the reference has 16 bits, or came as a parameter: another name space.
    pub(super) wide: bool,
    /// Number of parts.
    pub(super) total: u8,
    /// This part, from one.
    pub(super) number: u8,
}

/// The text of an inbound `deliver_sm` before it is decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece<'a> {
    /// Which part of a longer message it is.
    pub(super) place: Option<Place>,
    /// How to read it.
    pub(super) coding: Coding,
    /// The octets, without header.
    pub(super) octets: &'a [u8],
}

/// The text of a message; `None` for data that no person wrote (binary, or for a program's port).
pub(super) fn piece<'a>(message: &Message<'a>) -> Option<Piece<'a>> {
    if is_binary(message.data_coding) {
        return None;
    }
    let payload = message.payload();
    let (header, octets) = match payload.split_first() {
        Some((length, rest)) if message.esm_class & UDHI != 0 => rest
            .split_at_checked(usize::from(*length))
            .unwrap_or((&[], payload)),
        Some(_) | None => (&[][..], payload),
    };
    let mut place = None;
    let mut shift = NationalShift::default();
    for (element, value) in elements(header) {
        match (element, value) {
            (0x00, [reference, total, number]) => {
                place = Some(Place {
                    reference: u16::from(*reference),
                    wide: false,
                    total: *total,
                    number: *number,
                });
            }
            (0x08, [high, low, total, number]) => {
                place = Some(Place {
                    reference: u16::from_be_bytes([*high, *low]),
                    wide: true,
                    total: *total,
                    number: *number,
                });
            }
            (0x04 | 0x05, _) => return None,
            (0x24, [language]) => shift.single = NationalLanguage::from_identifier(*language),
            (0x25, [language]) => shift.locking = NationalLanguage::from_identifier(*language),
            _ => {}
        }
    }
    let coding = if shift == NationalShift::default() {
        Coding::Plain(message.data_coding)
    } else {
        Coding::National(shift)
    };
    let place = place
        .or_else(|| sar(message))
        .filter(|it| it.total > 1 && (1..=it.total).contains(&it.number));
    Some(Piece {
        place,
        coding,
        octets,
    })
}

/// The information elements of a user data header; one that is cut off ends them.
fn elements(header: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let (&[element, length], after) = rest.split_first_chunk::<2>()?;
        let (value, after) = after.split_at_checked(usize::from(length))?;
        rest = after;
        Some((element, value))
    })
}

fn sar(message: &Message<'_>) -> Option<Place> {
    let octet = |tag| message.tlvs.get(tag).and_then(|it| it.first().copied());
    let [high, low] = *message.tlvs.get(tag::SAR_MSG_REF_NUM)? else {
        return None;
    };
    Some(Place {
        reference: u16::from_be_bytes([high, low]),
        wide: true,
        total: octet(tag::SAR_TOTAL_SEGMENTS)?,
        number: octet(tag::SAR_SEGMENT_SEQNUM)?,
    })
}

/// What a `data_coding` stands for (section 5.2.19, and 3GPP TS 23.038 section 4 for the groups of
/// messages with a class).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Charset {
    Default,
    Ascii,
    Binary,
    Latin1,
    Cyrillic,
    Hebrew,
    Ucs2,
}

const fn charset(data_coding: u8) -> Charset {
    match data_coding {
        0x01 => Charset::Ascii,
        0x02 | 0x04 => Charset::Binary,
        0x03 => Charset::Latin1,
        0x06 => Charset::Cyrillic,
        0x07 => Charset::Hebrew,
        0x08 => Charset::Ucs2,
        // General group with a class: bits 3 and 2 name the alphabet.
        0x10..=0x1F => match data_coding & 0x0C {
            0x04 => Charset::Binary,
            0x08 => Charset::Ucs2,
            _ => Charset::Default,
        },
        0xE0..=0xEF => Charset::Ucs2,
        0xF0..=0xFF if data_coding & 0x04 != 0 => Charset::Binary,
        // Those left are Asian character sets that hardly anybody sends; their ASCII half can be read.
        _ => Charset::Default,
    }
}

const fn is_binary(data_coding: u8) -> bool {
    matches!(charset(data_coding), Charset::Binary)
}

/// Reads whole texts: parts are put together first, since some peers cut an escape pair in two.
pub(super) fn read(coding: Coding, octets: &[u8], alphabet: DefaultAlphabet) -> String {
    match coding {
        Coding::Plain(data_coding) => decode(data_coding, octets, alphabet),
        Coding::National(shift) => decode_gsm7_national(octets, shift),
    }
}

/// Reads octets by their `data_coding`.
pub(super) fn decode(data_coding: u8, octets: &[u8], alphabet: DefaultAlphabet) -> String {
    match charset(data_coding) {
        Charset::Ucs2 => decode_ucs2(octets),
        Charset::Latin1 | Charset::Binary => decode_latin1(octets),
        Charset::Cyrillic => octets.iter().map(|it| cyrillic(*it)).collect(),
        Charset::Hebrew => octets.iter().map(|it| hebrew(*it)).collect(),
        Charset::Ascii if is_ascii_text(octets) => decode_latin1(octets),
        Charset::Ascii => decode_gsm7(octets),
        Charset::Default => match alphabet {
            DefaultAlphabet::Gsm => decode_gsm7(octets),
            DefaultAlphabet::Latin1 => decode_latin1(octets),
        },
    }
}

/// Some clients send GSM septets as `data_coding` 1. Then `@` is 0x00, `_` 0x11 and so on: controls
/// that no ASCII text has.
fn is_ascii_text(octets: &[u8]) -> bool {
    octets
        .iter()
        .all(|it| matches!(it, b'\t' | b'\n' | b'\r' | 0x20..=0x7E))
}

/// ISO 8859-5.
fn cyrillic(octet: u8) -> char {
    match octet {
        0xF0 => '№',
        0xFD => '§',
        0xA1..=0xAC | 0xAE..=0xFF => {
            char::from_u32(u32::from(octet) + 0x360).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => char::from(octet),
    }
}

/// ISO 8859-8.
fn hebrew(octet: u8) -> char {
    match octet {
        0xE0..=0xFA => {
            char::from_u32(u32::from(octet) + 0x4F0).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => char::from(octet),
    }
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
