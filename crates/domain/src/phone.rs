//! Who a phone number is: one canonical E.164 form for each subscriber.
//!
//! Rule: R-IN-3. Numbers are normalised to E.164 with the country quirks of Mexico, Brazil and
//! Argentina, so that one person is one contact. Source: Google's libphonenumber (crate
//! `rlibphonenumber`) and its metadata.
//!
//! What is accepted is what libphonenumber calls *possible*: a known calling code and a length that
//! numbers of that country have. Whether a number is *valid* (lies in an assigned range) is a separate
//! question, [`PhoneNumber::is_valid`]: plans change faster than metadata, and people try things out
//! with fictional numbers. Numbers without their area code, short codes and sender names are not
//! phone numbers here.
//!
//! libphonenumber costs about 5 µs to parse, 7 to validate and up to 6 to name the country, so its
//! plan is condensed into tables (`plan_data.rs`) that answer in a tenth of a microsecond; the library
//! is asked only where a national prefix may hide in the number. The crate's tests prove that both
//! agree.

mod plan;
mod plan_data;
mod quirks;
mod read;

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use read::{Digits, Prefix};

/// Digits that an E.164 number may have at most, calling code included.
const MAX_DIGITS: usize = 15;

/// Why a text is not a phone number that can be written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PhoneError {
    /// There is no digit in it.
    #[error("the number is empty")]
    Empty,
    /// A letter or sign that numbers are not written with, or a plus inside the number.
    #[error("{0:?} cannot be part of a phone number")]
    UnexpectedCharacter(char),
    /// Neither `+` nor an unmistakable `00` in front.
    #[error("the number has no country prefix; write it as +, calling code, number")]
    NoCountryPrefix,
    /// No country has this calling code.
    #[error("the number begins with no country's calling code")]
    UnknownCallingCode,
    /// Shorter than any number of its country, or without its area code.
    #[error("the number is too short for its country")]
    TooShort,
    /// Longer than any number of its country, or than 15 digits.
    #[error("the number is too long for its country")]
    TooLong,
    /// Between the shortest and the longest, but no number of its country is so long.
    #[error("numbers of this country never have this many digits")]
    WrongLength,
}

/// Letters that stand for a country elsewhere, and those that stand for it here.
const MISTAKEN: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

/// Why a text names no country that has phone numbers. The words go on after "country" or the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoCountry {
    /// It is not two letters.
    #[error("must be a country's two capital letters, such as \"RO\"")]
    Letters,
    /// The letters are used for a country that has others (ISO 3166-1).
    #[error("{country} is no country of ISO 3166; did you mean \"{meant}\"?")]
    Mistaken {
        /// What was written.
        country: CountryCode,
        /// What was meant.
        meant: &'static str,
    },
    /// There is no such country, or it has no phone numbers.
    #[error("{0} is no country that has phone numbers (ISO 3166, such as \"RO\")")]
    Unknown(CountryCode),
}

/// A country by its two letters (ISO 3166-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The country with these two capital letters.
    pub const fn from_letters(letters: [u8; 2]) -> Self {
        assert!(letters[0].is_ascii_uppercase() && letters[1].is_ascii_uppercase());
        Self(letters)
    }

    /// Reads two letters of either case; `None` for anything else. Whether such a country exists is
    /// not looked up.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| {
            Self([
                letters[0].to_ascii_uppercase(),
                letters[1].to_ascii_uppercase(),
            ])
        })
    }

    /// Reads two letters of either case that are a country or territory with phone numbers: of no other
    /// is there ever a recipient.
    pub fn with_numbers(text: &str) -> Result<Self, NoCountry> {
        let country = Self::parse(text).ok_or(NoCountry::Letters)?;
        if plan::has_numbers(country) {
            return Ok(country);
        }
        let meant = MISTAKEN.iter().find(|it| it.0 == country.as_str());
        Err(match meant {
            Some((_, meant)) => NoCountry::Mistaken { country, meant },
            None => NoCountry::Unknown(country),
        })
    }

    /// The two capital letters.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CountryCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not two letters of a country"))
    }
}

/// What kind of line a number is, by its country's numbering plan.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LineKind {
    /// A mobile phone.
    Mobile,
    /// A fixed line.
    Landline,
    /// Telephony over the internet.
    Voip,
    /// Free for who calls.
    TollFree,
    /// Something else, or the plan does not tell.
    Unknown,
}

/// A phone number in its canonical E.164 form. Small and `Copy`: it holds its digits itself.
///
/// `Debug` hides the middle of the number, since numbers must not reach the log by accident
/// (R-MON-3); `Display` shows all of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    /// `+` and the digits; zero beyond `len`.
    text: [u8; MAX_DIGITS + 1],
    len: u8,
    country: Option<CountryCode>,
}

impl PhoneNumber {
    /// Reads a number as a person or a program writes it: `+`, calling code, number, with the usual
    /// spaces and punctuation, a bracketed trunk zero (`+44 (0)20 …`) included.
    ///
    /// `00` in place of `+` is understood only where the rest is a valid number, as a national number
    /// may begin with zeros. Everything else without a country prefix is refused: guessing a
    /// country sends to strangers.
    ///
    /// Mexico's former mobile prefix (`+52 1`) is dropped, Brazil's ninth digit is added to mobile
    /// numbers written without it, and Argentina's `15` becomes the `9` after the calling code.
    ///
    /// ```
    /// use domain::phone::{PhoneError, PhoneNumber};
    ///
    /// assert_eq!(PhoneNumber::parse("+40 (712) 345-678").unwrap().as_str(), "+40712345678");
    /// assert_eq!(PhoneNumber::parse("0712 345 678"), Err(PhoneError::NoCountryPrefix));
    /// ```
    pub fn parse(input: &str) -> Result<Self, PhoneError> {
        let (prefix, digits) = read::read(input)?;
        match prefix {
            Prefix::Plus => canonical(digits),
            Prefix::DoubleZero => match canonical(digits.without_first(2)) {
                Ok(number) if number.is_valid() => Ok(number),
                Ok(_) | Err(_) => Err(PhoneError::NoCountryPrefix),
            },
            Prefix::None => Err(PhoneError::NoCountryPrefix),
        }
    }

    /// Reads an address as providers write it: international, but with or without `+` or `00`.
    ///
    /// For places where the protocol says that the calling code is there (a WhatsApp id, an SMPP
    /// address of international type), never for what people type.
    pub fn from_msisdn(address: &str) -> Result<Self, PhoneError> {
        match read::read(address)? {
            (Prefix::DoubleZero, digits) => canonical(digits.without_first(2)),
            (Prefix::Plus | Prefix::None, digits) => canonical(digits),
        }
    }

    /// Reads a number as a telephone in `home` shows it: international, or as people of that country write
    /// and dial it. A number that this country has not assigned is none: there is no telling whose it is.
    ///
    /// For what a telephone says of who called or wrote to it. Slow, as [`is_valid`](Self::is_valid) is.
    ///
    /// ```
    /// use domain::phone::{CountryCode, PhoneNumber};
    ///
    /// let home = CountryCode::from_letters(*b"RO");
    /// for shown in ["0712 345 678", "40712345678", "+40712345678"] {
    ///     assert_eq!(PhoneNumber::parse_at(shown, home).unwrap().as_str(), "+40712345678");
    /// }
    /// assert!(PhoneNumber::parse_at("1234", home).is_err());
    /// ```
    pub fn parse_at(input: &str, home: CountryCode) -> Result<Self, PhoneError> {
        match Self::parse(input) {
            Err(PhoneError::NoCountryPrefix) => {}
            read @ (Ok(_) | Err(_)) => return read,
        }
        let (_, digits) = read::read(input)?;
        let none = PhoneError::NoCountryPrefix;
        let region = home.as_str().parse().map_err(|_| none)?;
        let number = PHONE_NUMBER_UTIL.parse(digits.as_str(), Some(region));
        let number = number
            .ok()
            .filter(rlibphonenumber::PhoneNumber::is_valid)
            .ok_or(none)?;
        Self::parse(&number.format_as(PhoneNumberFormat::E164))
    }

    /// Takes back what [`as_str`](Self::as_str) gave, from a store or a file.
    ///
    /// Looks only at the form, `+` and at most 15 digits, and never changes it: a number that was
    /// accepted once stays readable when the numbering plans move on.
    pub fn from_canonical(e164: &str) -> Option<Self> {
        let digits = e164.strip_prefix('+')?;
        let well_formed = (1..=MAX_DIGITS).contains(&digits.len())
            && digits.bytes().all(|it| it.is_ascii_digit());
        well_formed.then(|| Self::assemble(digits))
    }

    /// `digits` are one to fifteen ASCII digits.
    fn assemble(digits: &str) -> Self {
        let mut text = [0; MAX_DIGITS + 1];
        text[0] = b'+';
        text[1..=digits.len()].copy_from_slice(digits.as_bytes());
        let len = u8::try_from(digits.len() + 1).expect("at most 16 characters");
        Self {
            text,
            len,
            country: plan::country(digits),
        }
    }

    /// The number as E.164 writes it: `+40712345678`.
    pub fn as_str(&self) -> &str {
        ascii(&self.text[..usize::from(self.len)])
    }

    /// The number without its plus, as WhatsApp and SMPP take it: `40712345678`.
    pub fn digits(&self) -> &str {
        &self.as_str()[1..]
    }

    /// The country that the number belongs to; `None` for numbers of no country (`+800`, satellites).
    ///
    /// A number outside every assigned range counts to the main country of its calling code, so that
    /// `+1 555 000 1111` is of the United States.
    pub fn country(&self) -> Option<CountryCode> {
        self.country
    }

    /// Whether the number lies in a range that its country has assigned.
    ///
    /// Asks the library, about 10 µs: for screens and reports, not for each message.
    pub fn is_valid(&self) -> bool {
        PHONE_NUMBER_UTIL
            .parse(self.as_str(), None)
            .is_ok_and(|it| it.is_valid())
    }

    /// The number as people write it in its country; `None` where no numbering plan knows it. Slow, as
    /// [`is_valid`](Self::is_valid) is.
    pub fn national_format(&self) -> Option<String> {
        let number = PHONE_NUMBER_UTIL.parse(self.as_str(), None).ok()?;
        Some(number.format_as(PhoneNumberFormat::National).into_owned())
    }

    /// What kind of line it is, by its country's numbering plan. Slow, as
    /// [`is_valid`](Self::is_valid) is.
    pub fn line_kind(&self) -> LineKind {
        let Ok(number) = PHONE_NUMBER_UTIL.parse(self.as_str(), None) else {
            return LineKind::Unknown;
        };
        match number.get_type() {
            PhoneNumberType::Mobile => LineKind::Mobile,
            PhoneNumberType::FixedLine => LineKind::Landline,
            PhoneNumberType::VoIP => LineKind::Voip,
            PhoneNumberType::TollFree => LineKind::TollFree,
            // North America, for one: its plan does not tell mobile from fixed.
            PhoneNumberType::FixedLineOrMobile
            | PhoneNumberType::PremiumRate
            | PhoneNumberType::SharedCost
            | PhoneNumberType::PersonalNumber
            | PhoneNumberType::Pager
            | PhoneNumberType::UAN
            | PhoneNumberType::VoiceMail
            | PhoneNumberType::Unknown => LineKind::Unknown,
        }
    }

    /// The other number under which the same subscriber may be known; `None` for most.
    ///
    /// Argentine mobile numbers carry a `9` after the calling code, but some networks send without
    /// it, and such a number looks like a landline's: neither form can be called wrong. Who looks a
    /// contact up tries this form second.
    #[must_use]
    pub fn other_form(&self) -> Option<Self> {
        quirks::other_form(self.digits()).map(|it| Self::assemble(it.as_str()))
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;

    fn from_str(input: &str) -> Result<Self, PhoneError> {
        Self::parse(input)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        let (shown, ending) = (text.len().min(4), text.len().saturating_sub(2));
        write!(f, "{}…{}", &text[..shown], &text[ending.max(shown)..])
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Reads the canonical form only; what people write goes through [`PhoneNumber::parse`].
impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_canonical(&text).ok_or_else(|| de::Error::custom("not an E.164 number"))
    }
}

/// The canonical number behind an international number's digits.
fn canonical(digits: Digits) -> Result<PhoneNumber, PhoneError> {
    let code = plan::calling_code(digits.as_str()).ok_or(PhoneError::UnknownCallingCode)?;
    let digits = without_national_prefix(quirks::before_plan(digits), code);
    code.check_length(digits.len() - code.digits())?;
    if digits.len() > MAX_DIGITS {
        return Err(PhoneError::TooLong);
    }
    let number = PhoneNumber::assemble(digits.as_str());
    Ok(quirks::brazilian_ninth_digit(number).unwrap_or(number))
}

/// Lets the library take out a national prefix, where one may be.
///
/// Until nothing changes any more: the library takes one prefix at a time, and the form it leaves
/// must be one that it would leave alone.
fn without_national_prefix(mut digits: Digits, code: &plan::CallingCode) -> Digits {
    while code.may_hide_national_prefix(digits.as_str()) {
        let Some(shorter) = library_form(digits).filter(|it| *it != digits) else {
            break;
        };
        digits = shorter;
    }
    digits
}

fn library_form(digits: Digits) -> Option<Digits> {
    let mut international = String::with_capacity(digits.len() + 1);
    international.push('+');
    international.push_str(digits.as_str());
    let number = PHONE_NUMBER_UTIL.parse(&international, None).ok()?;
    Digits::new(
        number
            .format_as(PhoneNumberFormat::E164)
            .strip_prefix('+')?,
    )
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("made of ASCII characters only")
}
