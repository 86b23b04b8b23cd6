//! R-SEC: which passwords are too weak to be taken?
//!
//! Length is what counts; rules about kinds of characters make people write passwords down. The
//! other limits are those of NIST SP 800-63B: not what everybody knows of the person, and a bound
//! for the machine.

use thiserror::Error;

/// Fewest characters.
pub const MIN_CHARS: usize = 10;
/// Most bytes: beyond that hashing is work for nothing.
pub const MAX_BYTES: usize = 1_024;
/// Fewest different characters.
const MIN_DIFFERENT: usize = 4;

/// Why a password is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum WeakPassword {
    /// It is too short.
    #[error("must have at least {MIN_CHARS} characters")]
    TooShort,
    /// It is too long.
    #[error("must have at most {MAX_BYTES} bytes")]
    TooLong,
    /// It is the address that the person signs in with, or the part before its `@`.
    #[error("must not be your e-mail address")]
    IsTheLogin,
    /// It is the same few characters again and again.
    #[error("must not repeat the same few characters")]
    Monotonous,
}

/// Judges a password of the person with this address.
pub fn check(password: &str, email: &str) -> Result<(), WeakPassword> {
    if password.chars().count() < MIN_CHARS {
        return Err(WeakPassword::TooShort);
    }
    if password.len() > MAX_BYTES {
        return Err(WeakPassword::TooLong);
    }
    let plain = password.trim().to_lowercase();
    let name = email.split('@').next().unwrap_or_default();
    if plain == email.to_lowercase() || plain == name.to_lowercase() {
        return Err(WeakPassword::IsTheLogin);
    }
    let different: std::collections::BTreeSet<char> = plain.chars().collect();
    if different.len() < MIN_DIFFERENT {
        return Err(WeakPassword::Monotonous);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_enough_and_not_what_everybody_knows() {
        let email = "longer.name@example.com";
        for (password, want) in [
            ("correct ho", Ok(())),
            ("correct h", Err(WeakPassword::TooShort)),
            ("ăâîșțăâîșț", Ok(())),
            ("ăâîșțăâîș", Err(WeakPassword::TooShort)),
            (&"abcd".repeat(256), Ok(())),
            (
                &format!("{}x", "abcd".repeat(256)),
                Err(WeakPassword::TooLong),
            ),
            ("Longer.Name@example.com", Err(WeakPassword::IsTheLogin)),
            ("LONGER.NAME", Err(WeakPassword::IsTheLogin)),
            ("longer.name1", Ok(())),
            ("aaaaaaaaaaaa", Err(WeakPassword::Monotonous)),
        ] {
            assert_eq!(check(password, email), want, "{password}");
        }
    }
}
