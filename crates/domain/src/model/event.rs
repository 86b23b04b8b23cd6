//! Events: what becomes known outside of what happens to messages (R-MON-1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{InvalidId, TemplateId};
use crate::model::alert::AlertNews;
use crate::model::failure::Failure;
use crate::model::template::TemplateStanding;
use crate::time::Timestamp;

/// The kind of an event, in the API's words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EventKind {
    /// A message was accepted.
    Queued,
    /// A provider took it.
    Sent,
    /// The recipient's device has it.
    Delivered,
    /// The recipient has seen it.
    Read,
    /// It will not arrive.
    Failed,
    /// A person wrote to us.
    Inbound,
    /// A person sent us something of a kind that we have no words for.
    Unsupported,
    /// A person posted a story.
    Story,
    /// The first message of a thread came.
    ConversationNew,
    /// A broadcast moved on.
    BroadcastMoved,
    /// A template moved on.
    TemplateMoved,
    /// An invitation moved on.
    InvitationMoved,
    /// A call rings.
    CallInitiated,
    /// A call was answered.
    CallAnswered,
    /// A call ended.
    CallCompleted,
    /// A call failed.
    CallFailed,
    /// A domain was verified.
    DomainVerified,
    /// A domain was not verified.
    DomainFailed,
    /// An alert was raised (R-ALERT).
    AlertRaised,
    /// An alert was resolved.
    AlertResolved,
}

impl EventKind {
    /// Every kind, at the place that is its number; the list only ever grows at its end.
    pub const ALL: [Self; 20] = [
        Self::Queued,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Inbound,
        Self::Unsupported,
        Self::Story,
        Self::ConversationNew,
        Self::BroadcastMoved,
        Self::TemplateMoved,
        Self::InvitationMoved,
        Self::CallInitiated,
        Self::CallAnswered,
        Self::CallCompleted,
        Self::CallFailed,
        Self::DomainVerified,
        Self::DomainFailed,
        Self::AlertRaised,
        Self::AlertResolved,
    ];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "message.queued",
            Self::Sent => "message.sent",
            Self::Delivered => "message.delivered",
            Self::Read => "message.read",
            Self::Failed => "message.failed",
            Self::Inbound => "message.inbound",
            Self::Unsupported => "message.unsupported",
            Self::Story => "message.status",
            Self::ConversationNew => "conversation.new",
            Self::BroadcastMoved => "broadcast.status_changed",
            Self::TemplateMoved => "template.status_changed",
            Self::InvitationMoved => "invitation.status_changed",
            Self::CallInitiated => "call.initiated",
            Self::CallAnswered => "call.answered",
            Self::CallCompleted => "call.completed",
            Self::CallFailed => "call.failed",
            Self::DomainVerified => "domain.verified",
            Self::DomainFailed => "domain.failed",
            Self::AlertRaised => "alert.raised",
            Self::AlertResolved => "alert.resolved",
        }
    }

    /// The kind with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// A set of kinds, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EventKinds(u32);

impl EventKinds {
    /// Every kind.
    pub const ALL: Self = Self((1 << EventKind::ALL.len()) - 1);
    /// What an endpoint gets that does not say: everything but stories and alerts, which are asked for.
    pub const USUAL: Self = Self::ALL
        .without(EventKind::Story)
        .without(EventKind::AlertRaised)
        .without(EventKind::AlertResolved);
    /// The steps of an outbound message.
    pub const STEPS: Self = Self(0)
        .with(EventKind::Queued)
        .with(EventKind::Sent)
        .with(EventKind::Delivered)
        .with(EventKind::Read)
        .with(EventKind::Failed);

    /// The set with these bits; those of no kind are left out.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The set as bits, for the store: the bit of a kind is its number.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// This set and `kind`.
    #[must_use]
    pub const fn with(self, kind: EventKind) -> Self {
        Self(self.0 | kind.bit())
    }

    /// This set without `kind`.
    #[must_use]
    pub const fn without(self, kind: EventKind) -> Self {
        Self(self.0 & !kind.bit())
    }

    /// Whether `kind` is in it.
    pub const fn contains(self, kind: EventKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds that are in it, in order.
    pub fn iter(self) -> impl Iterator<Item = EventKind> {
        EventKind::ALL
            .into_iter()
            .filter(move |it| self.contains(*it))
    }
}

impl FromIterator<EventKind> for EventKinds {
    fn from_iter<I: IntoIterator<Item = EventKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::default(), Self::with)
    }
}

/// What an event holds that nothing else may tell any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventDetail {
    /// Why the message failed: a later receipt may correct the message.
    Failed(Failure),
    /// How a template moved on: it may be gone, or have moved further.
    Template(Box<TemplateMove>),
    /// What an alert is about: it may be forgotten.
    Alert(Box<AlertNews>),
}

/// A template that stands otherwise than before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateMove {
    /// Which.
    pub template: TemplateId,
    /// Its name.
    pub name: Box<str>,
    /// Its language.
    pub language: Box<str>,
    /// How it stood.
    pub was: TemplateStanding,
    /// How it stands.
    pub now: TemplateStanding,
    /// Why, in the provider's words.
    pub reason: Option<Box<str>>,
}

/// The place of an event among all: ascending in the order of commit, never given twice.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct EventSeq(pub i64);

/// The public id of an event: `evt_<milliseconds>_<place in base 32>`. The same for every delivery.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EventId {
    /// When it happened.
    pub at: Timestamp,
    /// Its place.
    pub seq: EventSeq,
}

/// Digits of the place: what `char::from_digit` and `to_digit` have up to 32.
const RADIX: u32 = 32;
/// Longest place: 13 digits hold 63 bits.
const SEQ_DIGITS: usize = 13;

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [b'0'; SEQ_DIGITS];
        let mut rest = self.seq.0.unsigned_abs();
        let mut first = SEQ_DIGITS - 1;
        for place in (0..SEQ_DIGITS).rev() {
            let digit = u32::try_from(rest % u64::from(RADIX)).unwrap_or(0);
            digits[place] = char::from_digit(digit, RADIX).map_or(b'0', |it| it as u8);
            if digit != 0 {
                first = place;
            }
            rest /= u64::from(RADIX);
        }
        let digits = std::str::from_utf8(&digits[first..]).map_err(|_| fmt::Error)?;
        write!(f, "evt_{}_{digits}", self.at.as_millis())
    }
}

impl FromStr for EventId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let rest = text.strip_prefix("evt_").ok_or(InvalidId)?;
        let (at, seq) = rest.split_once('_').ok_or(InvalidId)?;
        let id = Self {
            at: Timestamp::from_millis(at.parse().map_err(|_| InvalidId)?),
            seq: EventSeq(i64::from_str_radix(seq, RADIX).map_err(|_| InvalidId)?),
        };
        // Only the one way of writing it: no signs, capitals or zeros in front.
        if id.seq.0 > 0 && id.to_string() == text {
            Ok(id)
        } else {
            Err(InvalidId)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_kind_has_one_word_and_one_bit() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_code(kind.code()), Some(kind));
            assert_eq!(EventKind::ALL[kind as usize], kind);
            assert_eq!(
                EventKinds::default().with(kind).iter().collect::<Vec<_>>(),
                [kind]
            );
            assert!(!EventKinds::ALL.without(kind).contains(kind));
        }
        assert_eq!(EventKinds::from_bits(u32::MAX), EventKinds::ALL);
        assert_eq!(EventKind::from_code("message.Sent"), None);
    }

    #[test]
    fn an_id_is_written_in_one_way_only() {
        let id = EventId {
            at: Timestamp::from_millis(1_736_850_000_000),
            seq: EventSeq(33),
        };
        assert_eq!(id.to_string(), "evt_1736850000000_11");
        for other in [
            "evt_1736850000000_011",
            "evt_1736850000000_+11",
            "evt_01736850000000_11",
            "evt_1736850000000_0",
            "evt_1736850000000_",
            "evt_1736850000000",
            "msg_1736850000000_11",
            "evt_1736850000000_1V",
            "",
        ] {
            assert_eq!(other.parse::<EventId>(), Err(InvalidId), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_id_survives_its_public_form(at in 0..i64::MAX, seq in 1..i64::MAX) {
            let id = EventId { at: Timestamp::from_millis(at), seq: EventSeq(seq) };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
