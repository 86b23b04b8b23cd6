//! Which characters the GSM 03.38 alphabet has, and what each costs.
//!
//! The decoding tables are written down; the encoding tables are derived from them by the compiler,
//! so that both directions cannot disagree.

/// Announces a character of the extension table.
pub(super) const ESCAPE: u8 = 0x1B;
/// "Septets" of an ASCII character that the alphabet does not have.
pub(super) const ABSENT_SEPTETS: u8 = 4;

/// The default alphabet by code. The escape stands as a space, as a receiver shows it that does not
/// know the character behind it.
#[rustfmt::skip]
pub(super) const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', ' ', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table: what stands for itself behind an [`ESCAPE`].
pub(super) const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Marks a character that the alphabet does not have, in the encoding tables.
const ABSENT: u8 = 0xFF;
/// Set on the code of a character of the extension table, in the encoding tables.
const EXTENDED: u8 = 0x80;
/// The first character of [`GREEK`].
const GREEK_FIRST: u32 = 0x390;
const EURO: char = '€';
/// The code of the euro sign, as the encoding tables write it.
const EURO_CODE: u8 = EXTENDED | 0x65;

/// Codes of U+0000 to U+00FF.
static LATIN: [u8; 256] = encoding_table(0);
/// Codes of the 32 characters from [`GREEK_FIRST`] on.
static GREEK: [u8; 32] = encoding_table(GREEK_FIRST);
/// Septets of each ASCII character; [`ABSENT_SEPTETS`] for what is not in the alphabet.
static ASCII_SEPTETS: [u8; 128] = ascii_septets();

const fn encoding_table<const N: usize>(first: u32) -> [u8; N] {
    let mut table = [ABSENT; N];
    let mut code: u8 = 0;
    while code < 128 {
        let at = (BASIC[code as usize] as u32).wrapping_sub(first) as usize;
        if at < N && code != ESCAPE {
            table[at] = code;
        }
        code += 1;
    }
    let mut row = 0;
    while row < EXTENSION.len() {
        let at = (EXTENSION[row].1 as u32).wrapping_sub(first) as usize;
        if at < N {
            table[at] = EXTENDED | EXTENSION[row].0;
        }
        row += 1;
    }
    table
}

const fn ascii_septets() -> [u8; 128] {
    let latin: [u8; 256] = encoding_table(0);
    let mut table = [0; 128];
    let mut at = 0;
    while at < 128 {
        table[at] = match latin[at] {
            ABSENT => ABSENT_SEPTETS,
            code if code & EXTENDED != 0 => 2,
            _ => 1,
        };
        at += 1;
    }
    table
}

/// The entry of the encoding tables, [`ABSENT`] included.
fn entry(character: char) -> u8 {
    let code = u32::from(character);
    if let Some(entry) = LATIN.get(code as usize) {
        return *entry;
    }
    if character == EURO {
        return EURO_CODE;
    }
    GREEK
        .get(code.wrapping_sub(GREEK_FIRST) as usize)
        .copied()
        .unwrap_or(ABSENT)
}

/// Septets of an ASCII character, [`ABSENT_SEPTETS`] if the alphabet does not have it.
pub(super) fn septets_of_ascii(character: u8) -> u8 {
    ASCII_SEPTETS[usize::from(character & 0x7F)]
}

/// Septets of one character: one, or two with its escape. `None`: not in the alphabet.
pub(super) fn septets_of(character: char) -> Option<u32> {
    match entry(character) {
        ABSENT => None,
        code if code & EXTENDED != 0 => Some(2),
        _ => Some(1),
    }
}

/// Septets of the whole text; `None` if it has a character outside the alphabet.
pub(super) fn septets(text: &str) -> Option<u32> {
    text.chars()
        .try_fold(0_u32, |sum, it| Some(sum.saturating_add(septets_of(it)?)))
}

/// Appends the codes of one character, unpacked. `false`: not in the alphabet, nothing appended.
pub(super) fn encode(character: char, to: &mut Vec<u8>) -> bool {
    match entry(character) {
        ABSENT => return false,
        code if code & EXTENDED != 0 => to.extend([ESCAPE, code & !EXTENDED]),
        code => to.push(code),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_alphabet_encodes_back_to_itself() {
        for code in (0..128_u8).filter(|it| *it != ESCAPE) {
            let mut codes = Vec::new();
            assert!(encode(BASIC[usize::from(code)], &mut codes));
            assert_eq!(codes, [code]);
        }
        for (code, character) in EXTENSION {
            let mut codes = Vec::new();
            assert!(encode(character, &mut codes), "{character}");
            assert_eq!(codes, [ESCAPE, code]);
        }
    }

    #[test]
    fn exactly_137_characters_are_in_the_alphabet() {
        let all = (0..=u32::from(char::MAX)).filter_map(char::from_u32);
        assert_eq!(all.filter(|it| septets_of(*it).is_some()).count(), 127 + 10);
    }

    #[test]
    fn the_ascii_table_agrees_with_the_full_one() {
        for byte in 0..128_u8 {
            let full = septets_of(char::from(byte)).unwrap_or(u32::from(ABSENT_SEPTETS));
            assert_eq!(u32::from(septets_of_ascii(byte)), full, "{byte:#x}");
        }
    }
}
