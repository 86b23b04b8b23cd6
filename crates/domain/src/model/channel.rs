//! Channels: what the recipient sees.

use serde::{Deserialize, Serialize};

/// A channel that messages can be routed on.
///
/// The order is the tie-break of last resort and the order of tables; it carries no preference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Text message of the mobile network.
    Sms,
    /// WhatsApp Business.
    WhatsApp,
    /// A chat with a Telegram bot.
    Telegram,
    /// E-mail.
    Email,
}

impl Channel {
    /// Every channel, in the order of tables.
    pub const ALL: [Self; 4] = [Self::Sms, Self::WhatsApp, Self::Telegram, Self::Email];

    /// The word of the API and of the configuration.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::WhatsApp => "whatsapp",
            Self::Telegram => "telegram",
            Self::Email => "email",
        }
    }

    /// The channel with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Whether a phone number is the address on this channel (R-CHAN-3).
    pub const fn is_phone_addressed(self) -> bool {
        match self {
            Self::Sms | Self::WhatsApp => true,
            Self::Telegram | Self::Email => false,
        }
    }
}

/// A set of channels, one bit each; at most as many as [`Channel`] has variants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChannelSet(u8);

impl ChannelSet {
    /// No channel.
    pub const EMPTY: Self = Self(0);

    const fn bit(channel: Channel) -> u8 {
        match channel {
            Channel::Sms => 1,
            Channel::WhatsApp => 2,
            Channel::Telegram => 4,
            Channel::Email => 8,
        }
    }

    /// The set with these bits, as [`bits`](Self::bits) gave them.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 15)
    }

    /// The set as bits, for the store.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// This set and `channel`.
    #[must_use]
    pub const fn with(self, channel: Channel) -> Self {
        Self(self.0 | Self::bit(channel))
    }

    /// This set without `channel`.
    #[must_use]
    pub const fn without(self, channel: Channel) -> Self {
        Self(self.0 & !Self::bit(channel))
    }

    /// Whether `channel` is in it.
    pub const fn contains(self, channel: Channel) -> bool {
        self.0 & Self::bit(channel) != 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Channel> for ChannelSet {
    fn from_iter<I: IntoIterator<Item = Channel>>(channels: I) -> Self {
        channels.into_iter().fold(Self::EMPTY, Self::with)
    }
}
