//! The people who use the pages: what may each of them do? (R-SEC)

use std::fmt;

/// What a person may do in their project. Each may do what those after it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Everything, users included.
    Owner,
    /// Everything but owners.
    Admin,
    /// Reading, and writing to people.
    Agent,
}

impl Role {
    /// All of them, the mightiest first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Agent];

    /// Whether it may add, change and remove users of that role.
    pub const fn may_manage(self, other: Self) -> bool {
        match (self, other) {
            (Self::Owner, _) | (Self::Admin, Self::Admin | Self::Agent) => true,
            (Self::Admin, Self::Owner) | (Self::Agent, _) => false,
        }
    }

    /// Its word in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Agent => "agent",
        }
    }

    /// The role of this word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// Longest address that mail can have.
const EMAIL_BYTES: usize = 254;

/// The address that a user signs in with, as it is kept: in lower case. Whether mail arrives there
/// is not asked.
pub fn email(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    let (name, host) = text.split_once('@')?;
    let is_odd = |c: char| c == '@' || c.is_whitespace() || c.is_control();
    let whole = !name.is_empty() && !host.is_empty() && text.len() <= EMAIL_BYTES;
    (whole && !name.contains(is_odd) && !host.contains(is_odd)).then(|| text.to_lowercase().into())
}

/// What is kept of a password: Argon2id in the form of the PHC. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Box<str>);

impl PasswordHash {
    /// The hash in this text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_word_of_its_own() {
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.code()), Some(role));
        }
        assert_eq!(Role::from_code("Owner"), None);
    }

    #[test]
    fn nobody_manages_who_is_mightier_and_agents_nobody() {
        for role in Role::ALL {
            for other in Role::ALL {
                let want = role != Role::Agent && role <= other;
                assert_eq!(role.may_manage(other), want, "{role:?} {other:?}");
            }
        }
    }

    #[test]
    fn an_address_is_kept_in_lower_case_and_needs_two_sides() {
        assert_eq!(
            email(" Ana@Example.COM ").as_deref(),
            Some("ana@example.com")
        );
        let long = format!("{}@example.com", "a".repeat(250));
        for wrong in [
            "", "ana", "@b", "a@", "a@b@c", "a b@c", "a@b c", "a@b\nc", &long,
        ] {
            assert_eq!(email(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_hash_does_not_show() {
        assert!(!format!("{:?}", PasswordHash::new("$argon2id$x")).contains("argon2"));
    }
}
