//! Which digits a written number has, and how it says that it is international.

use super::{PhoneError, ascii};

/// Digits that are read at most: a national number of 17 and a calling code of 3, as the library
/// knows them, and `00`.
const CAPACITY: usize = 22;

/// The digits of one number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Digits {
    /// `None` if there are too many, or something else than ASCII digits.
    pub(super) fn new(digits: &str) -> Option<Self> {
        let mut all = Self {
            bytes: [0; CAPACITY],
            len: 0,
        };
        digits
            .bytes()
            .all(|it| it.is_ascii_digit() && all.push(it))
            .then_some(all)
    }

    /// The digits of two pieces, one after the other.
    pub(super) fn joined(first: &str, second: &str) -> Option<Self> {
        let mut all = Self::new(first)?;
        second
            .bytes()
            .all(|it| it.is_ascii_digit() && all.push(it))
            .then_some(all)
    }

    fn push(&mut self, digit: u8) -> bool {
        let free = self.bytes.get_mut(self.len);
        self.len += usize::from(free.is_some());
        free.map(|it| *it = digit).is_some()
    }

    pub(super) fn as_str(&self) -> &str {
        ascii(&self.bytes[..self.len])
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// All but the first `count`.
    pub(super) fn without_first(mut self, count: usize) -> Self {
        let count = count.min(self.len);
        self.bytes.copy_within(count..self.len, 0);
        self.len -= count;
        // Equality looks at all bytes.
        self.bytes[self.len..].fill(0);
        self
    }
}

/// What stands before the digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prefix {
    Plus,
    /// The first two digits are zeros.
    DoubleZero,
    None,
}

/// Takes the digits out of a number with the usual punctuation.
pub(super) fn read(input: &str) -> Result<(Prefix, Digits), PhoneError> {
    let mut digits = Digits {
        bytes: [0; CAPACITY],
        len: 0,
    };
    let mut plus = false;
    for character in input.chars() {
        match character {
            '+' | '\u{FF0B}' if !plus && digits.len == 0 => plus = true,
            it if is_punctuation(it) => {}
            it => {
                let digit = digit(it).ok_or(PhoneError::UnexpectedCharacter(it))?;
                if !digits.push(digit) {
                    return Err(PhoneError::TooLong);
                }
            }
        }
    }
    let prefix = match digits.as_str() {
        "" => return Err(PhoneError::Empty),
        _ if plus => Prefix::Plus,
        it if it.starts_with("00") => Prefix::DoubleZero,
        _ => Prefix::None,
    };
    Ok((prefix, digits))
}

/// What people put between digits, and the invisible marks that come along when a number is copied
/// out of a contact list or a web page.
fn is_punctuation(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '-' | '.' | '(' | ')' | '/'
            | '\u{A0}' | '\u{AD}'
            | '\u{2000}'..='\u{2015}' // spaces, marks of direction, hyphens and dashes
            | '\u{2028}'..='\u{202F}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{2212}' | '\u{3000}' | '\u{FEFF}'
            | '\u{FF08}' | '\u{FF09}' | '\u{FF0D}'
    )
}

/// The ASCII digit for a digit as keyboards of several scripts write it.
fn digit(character: char) -> Option<u8> {
    let zero = match character {
        '0'..='9' => '0',
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        '०'..='९' => '०',
        '０'..='９' => '０',
        _ => return None,
    };
    u8::try_from(u32::from(character) - u32::from(zero))
        .ok()
        .map(|it| b'0' + it)
}
