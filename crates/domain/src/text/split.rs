//! What bytes each part of a message carries.
//!
//! Rules: R-COST-2 (how parts are filled) and R-PARTS (all parts in order). Escape pairs and
//! surrogate pairs stay whole; clusters of several code points (an emoji family) may be split, as
//! handsets put the parts together before they decode them.

use super::{Encoding, gsm7, nfc};

/// The parts of one message, in order, as SMPP carries them: septets unpacked, one to an octet and
/// escapes included, or UTF-16BE. The header that tells the parts apart is the caller's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts {
    encoding: Encoding,
    octets: Vec<u8>,
    /// Where each further part begins; empty when there is one part, so that the usual message
    /// costs one allocation.
    cuts: Vec<usize>,
}

impl Parts {
    /// The encoding of every part.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How many parts there are, at least one. Equal to the count of [`measure`](super::measure).
    pub fn count(&self) -> u16 {
        u16::try_from(self.cuts.len() + 1).unwrap_or(u16::MAX)
    }

    /// The bytes of each part, in order, without any header.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.cuts.iter().copied());
        let ends = self
            .cuts
            .iter()
            .copied()
            .chain(std::iter::once(self.octets.len()));
        begins
            .zip(ends)
            .map(|(begin, end)| &self.octets[begin..end])
    }

    /// The bytes of all parts in one run, for links where the other side splits
    /// (`message_payload`) and for messages of one part.
    pub fn whole(&self) -> &[u8] {
        &self.octets
    }
}

/// Brings `text` to NFC, encodes it and cuts it into parts.
///
/// ```
/// use domain::text::split;
///
/// let parts = split("5 €");
/// assert_eq!(parts.iter().collect::<Vec<_>>(), [[0x35, 0x20, 0x1B, 0x65]]);
/// ```
pub fn split(text: &str) -> Parts {
    let text = nfc(text);
    let (encoding, octets) = match encode_gsm7(&text) {
        Some(octets) => (Encoding::Gsm7, octets),
        None => (
            Encoding::Ucs2,
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
    };
    let cuts = cuts(encoding, &octets);
    Parts {
        encoding,
        octets,
        cuts,
    }
}

fn encode_gsm7(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() + 8);
    text.chars()
        .all(|it| gsm7::encode(it, &mut octets))
        .then_some(octets)
}

fn cuts(encoding: Encoding, octets: &[u8]) -> Vec<usize> {
    let unit = encoding.unit_octets();
    if octets.len() <= encoding.single_limit() as usize * unit {
        return Vec::new();
    }
    let part = encoding.part_limit() as usize * unit;
    let mut cuts = Vec::with_capacity(octets.len() / part);
    let mut begin = 0;
    while octets.len() - begin > part {
        let full = begin + part;
        begin = if begins_pair(encoding, &octets[full - unit..full]) {
            full - unit
        } else {
            full
        };
        cuts.push(begin);
    }
    cuts
}

/// Whether this unit is the first half of a pair. Neither an escape nor a high surrogate can be a
/// second half, so the unit alone tells.
fn begins_pair(encoding: Encoding, unit: &[u8]) -> bool {
    match encoding {
        Encoding::Gsm7 => unit[0] == gsm7::ESCAPE,
        Encoding::Ucs2 => (0xD8..=0xDB).contains(&unit[0]),
    }
}
