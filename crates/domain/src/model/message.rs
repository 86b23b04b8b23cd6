//! A message: one thing to tell one recipient.

use serde::{Deserialize, Serialize};

use crate::ids::CampaignKey;

/// Where a message stands, in the API's words (R-LIFE-1). Ordered by progress; `Failed` is set
/// apart by [`Status::advance`], not by this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted; waits for its time, for a route or for room on one.
    Queued,
    /// Handed to a route.
    Sending,
    /// A provider took it.
    Sent,
    /// It will not arrive.
    Failed,
    /// The recipient's device has it.
    Delivered,
    /// The recipient has seen it.
    Read,
    /// Inbound: a person sent it to us.
    Received,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::Delivered,
        Self::Read,
        Self::Received,
    ];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Received => "received",
        }
    }

    /// The status with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// This status after `next` was learnt: it only moves forward, and `delivered` beats `failed`
    /// (R-LIFE-1).
    #[must_use]
    pub fn advance(self, next: Self) -> Self {
        self.max(next)
    }
}

/// Which way a message went.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From us to a person.
    Outbound,
    /// From a person to us.
    Inbound,
}

/// What a caller counts messages under: costs and deliverability are served for it. A broadcast is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Campaign {
    /// The store's short name.
    pub key: CampaignKey,
    /// The caller's name.
    pub name: Box<str>,
}

/// Direct (one person, conversation, one-time code) or bulk (campaign, promotion, scheduled).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrafficClass {
    /// Prefers gateways, and never waits behind bulk.
    Direct,
    /// Prefers platforms.
    Bulk,
}

impl TrafficClass {
    /// Both classes, direct first.
    pub const ALL: [Self; 2] = [Self::Direct, Self::Bulk];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Bulk => "bulk",
        }
    }

    /// The class with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// What the caller says the message is for (R-API-6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Anything that is not one of the others.
    #[default]
    Transactional,
    /// A one-time code: fast, and worthless after ten minutes.
    Otp,
    /// Promotion: bulk.
    Promotional,
}

/// Why a message is sent, in the eyes of consent (R-IN-2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Somebody wants to tell the person something: consent is asked.
    #[default]
    Ordinary,
    /// It answers a keyword, once: it goes out also to a person who opted out.
    KeywordAnswer,
}

/// What to prefer among viable channels (R-CHAN-4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    /// The cheapest.
    #[default]
    Normal,
    /// The fastest.
    Fast,
}
