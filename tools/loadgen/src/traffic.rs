//! What does message number n say, and to whom?
//!
//! Each message has its own recipient and its own text, so that no contact is written to twice and no
//! text looks like a campaign (R-CLASS-1.4), and carries its number in the text, so that it can be
//! counted wherever it turns up.

/// Highest number of distinct messages: seven digits of the recipient and of the reference.
pub const MAX_MESSAGES: u32 = 10_000_000;

/// Length of every text in characters, one SMS part: the length that the peers were measured with.
pub const TEXT_LEN: usize = 65;

const WORDS: [&str; 32] = [
    "order", "parcel", "today", "courier", "window", "street", "harbour", "copper", "meadow",
    "signal", "garden", "bridge", "lantern", "river", "market", "station", "velvet", "orchard",
    "paper", "winter", "summer", "anchor", "ticket", "pocket", "silver", "candle", "mirror",
    "button", "basket", "kettle", "thread", "saddle",
];

/// A small seeded generator (SplitMix64): equal seeds give equal runs.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator that starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` up to, not including, `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next_u64() % (high - low).max(1)
    }
}

/// Appends `number` as seven digits.
fn push_digits(out: &mut Vec<u8>, number: u32) {
    let mut digits = [b'0'; 7];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

/// Appends the recipient of message `number`: a Romanian mobile number in E.164.
pub fn push_recipient(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(b"+4072");
    push_digits(out, number);
}

/// Appends the text of message `number`: `L0000123 ` and random words, [`TEXT_LEN`] ASCII characters.
pub fn push_text(out: &mut Vec<u8>, number: u32) {
    let end = out.len() + TEXT_LEN;
    out.push(b'L');
    push_digits(out, number);
    let mut random = Random::new(u64::from(number));
    let mut bits = random.next_u64();
    while out.len() < end {
        out.push(b' ');
        let word = WORDS[usize::try_from(bits % 32).unwrap_or(0)];
        out.extend_from_slice(word.as_bytes());
        bits >>= 5;
    }
    out.truncate(end);
    // A trailing blank may be trimmed on the way; the length shall stay what it is.
    if out.last() == Some(&b' ') {
        out.pop();
        out.push(b'.');
    }
}

/// The number of a message, read from the start of its text; none if the text is not one of ours.
pub fn reference(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"L")?.get(..7)?;
    digits.iter().try_fold(0_u32, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u32::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn text(number: u32) -> Vec<u8> {
        let mut out = Vec::new();
        push_text(&mut out, number);
        out
    }

    #[test]
    fn texts_are_distinct_have_one_length_and_give_their_number_back() {
        let mut seen = HashSet::new();
        for number in (0..2_000).chain([999_999, MAX_MESSAGES - 1]) {
            let text = text(number);
            assert_eq!(text.len(), TEXT_LEN, "{number}");
            assert_eq!(reference(&text), Some(number));
            assert!(seen.insert(text), "{number}");
        }
    }

    #[test]
    fn recipients_are_romanian_mobile_numbers() {
        let mut out = Vec::new();
        push_recipient(&mut out, 123);
        assert_eq!(out, b"+40720000123");
    }

    #[test]
    fn a_foreign_text_has_no_reference() {
        for text in [&b"Hello"[..], b"L12", b"L12345x7 abc", b""] {
            assert_eq!(reference(text), None);
        }
    }
}
