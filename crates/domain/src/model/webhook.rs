//! Webhooks: where a sender's events are delivered, and how they are signed (R-MON-2).

use std::fmt;

/// Which signatures a delivery carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SignatureVersion {
    /// Over the body alone.
    V1,
    /// Both, while a receiver changes over.
    Both,
    /// Over time and body, so that an old delivery cannot be played again.
    #[default]
    V2,
}

impl SignatureVersion {
    /// Every version, at the place that is its number.
    pub const ALL: [Self; 3] = [Self::V1, Self::Both, Self::V2];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Both => "v1+v2",
            Self::V2 => "v2",
        }
    }

    /// The version with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Whether a receiver can follow this change: from the old signature to the new one only by way
    /// of both, since it must never get a delivery that it cannot check.
    pub const fn may_become(self, next: Self) -> bool {
        !matches!((self, next), (Self::V1, Self::V2))
    }

    /// Whether the signature over the body is carried.
    pub const fn has_v1(self) -> bool {
        matches!(self, Self::V1 | Self::Both)
    }

    /// Whether the signature over time and body is carried.
    pub const fn has_v2(self) -> bool {
        matches!(self, Self::V2 | Self::Both)
    }
}

/// What deliveries are signed with. Never in the log (R-SEC).
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Box<str>);

impl WebhookSecret {
    /// The secret of this text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text, prefix included: all of it is the key.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_step_that_no_receiver_can_follow_is_refused() {
        for was in SignatureVersion::ALL {
            assert_eq!(SignatureVersion::from_code(was.code()), Some(was));
            for next in SignatureVersion::ALL {
                let refused = was == SignatureVersion::V1 && next == SignatureVersion::V2;
                assert_eq!(was.may_become(next), !refused, "{was:?} to {next:?}");
            }
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = WebhookSecret::new("whsec_abc");
        assert!(!format!("{secret:?}").contains("abc"));
    }
}
