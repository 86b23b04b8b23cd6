//! Contacts: people, and what is known of each on each channel.

use serde::{Deserialize, Serialize};

use crate::ids::ContactId;
use crate::model::address::Address;
use crate::model::channel::Channel;
use crate::model::consent::Standing;
use crate::time::{Millis, Timestamp};

/// The kinds of address that a contact may have; a superset of the channels that can be routed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressKind {
    /// A phone number for text messages.
    Sms,
    /// A phone number on WhatsApp.
    WhatsApp,
    /// An e-mail address.
    Email,
    /// A Telegram chat.
    Telegram,
    /// An Instagram account.
    Instagram,
    /// A Messenger account.
    Messenger,
    /// A phone number for calls.
    Voice,
}

impl AddressKind {
    /// Every kind, in the API's order.
    pub const ALL: [Self; 7] = [
        Self::Sms,
        Self::WhatsApp,
        Self::Email,
        Self::Telegram,
        Self::Instagram,
        Self::Messenger,
        Self::Voice,
    ];

    /// The word of the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::WhatsApp => "whatsapp",
            Self::Email => "email",
            Self::Telegram => "telegram",
            Self::Instagram => "instagram",
            Self::Messenger => "messenger",
            Self::Voice => "voice",
        }
    }

    /// The kind with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Whether its identifier is a phone number.
    pub const fn is_phone(self) -> bool {
        match self {
            Self::Sms | Self::WhatsApp | Self::Voice => true,
            Self::Email | Self::Telegram | Self::Instagram | Self::Messenger => false,
        }
    }
}

impl From<Channel> for AddressKind {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::Sms,
            Channel::WhatsApp => Self::WhatsApp,
            Channel::Telegram => Self::Telegram,
            Channel::Email => Self::Email,
        }
    }
}

/// Delivery record of one contact on one channel (R-METRIC-1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ChannelMetrics {
    /// Messages delivered or read.
    pub success_count: u32,
    /// Messages that the channel or the recipient failed.
    pub failure_count: u32,
    /// Sum of the delivery times of the successes that have one.
    pub delivery_time_sum: Millis,
    /// How many successes have a delivery time.
    pub delivery_time_count: u32,
    /// The newest success.
    pub last_success_at: Option<Timestamp>,
}

impl ChannelMetrics {
    /// `successes + failures`, the attempts that R-CHAN-3 counts.
    pub const fn attempts(&self) -> u32 {
        self.success_count.saturating_add(self.failure_count)
    }

    /// Mean delivery time of the successes; `None` before there is one.
    pub fn average_delivery_time(&self) -> Option<Millis> {
        match i64::from(self.delivery_time_count) {
            0 => None,
            count => Some(Millis::new(self.delivery_time_sum.get() / count)),
        }
    }
}

/// What is known of a contact on one channel when a decision is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChannelFacts {
    /// Delivery record.
    pub metrics: ChannelMetrics,
    /// Until when the contact counts as not having the channel (R-CHAN-3).
    pub incapable_until: Option<Timestamp>,
}

/// What is known of the thread with a contact, for one sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ThreadFacts {
    /// The newest inbound message: when, and on which channel.
    pub last_inbound: Option<(Timestamp, Channel)>,
    /// The newest outbound message.
    pub last_outbound_at: Option<Timestamp>,
    /// The newest inbound WhatsApp message by the provider's clock: it opens the window (R-WIN-1).
    /// `None` also after a provider said that the window is closed (R-WIN-4).
    pub whatsapp_window_from: Option<Timestamp>,
    /// Whether the contact opted out of this sender.
    pub opted_out: bool,
    /// Whether the contact opted out of this sender's promotions.
    pub no_promotions: bool,
}

impl ThreadFacts {
    /// What the contact wants no more of this sender.
    pub const fn standing(&self) -> Standing {
        Standing {
            opted_out: self.opted_out,
            no_promotions: self.no_promotions,
        }
    }

    /// Takes over what the contact wants no more.
    pub const fn stand(&mut self, standing: Standing) {
        self.opted_out = standing.opted_out;
        self.no_promotions = standing.no_promotions;
    }
}

impl From<Standing> for ThreadFacts {
    /// A thread in which nobody has written.
    fn from(standing: Standing) -> Self {
        let mut thread = Self::default();
        thread.stand(standing);
        thread
    }
}

/// What is known of a contact when a decision is made. The default is a person never seen before.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContactFacts {
    /// The contact, when it exists already.
    pub id: Option<ContactId>,
    /// On text messages.
    pub sms: ChannelFacts,
    /// On WhatsApp.
    pub whatsapp: ChannelFacts,
    /// On Telegram.
    pub telegram: ChannelFacts,
    /// On e-mail.
    pub email: ChannelFacts,
    /// Its addresses, each once, first choices first; empty for a stranger.
    pub addresses: Vec<Address>,
    /// The thread with the sender.
    pub thread: ThreadFacts,
}

impl ContactFacts {
    /// What is known on this channel.
    pub const fn on(&self, channel: Channel) -> &ChannelFacts {
        match channel {
            Channel::Sms => &self.sms,
            Channel::WhatsApp => &self.whatsapp,
            Channel::Telegram => &self.telegram,
            Channel::Email => &self.email,
        }
    }

    /// Where the recipient of a message to `to` is reached on this channel: there, or at another
    /// address of the contact.
    pub fn address_on<'a>(&'a self, channel: Channel, to: &'a Address) -> Option<&'a Address> {
        if to.is_on(channel) {
            return Some(to);
        }
        self.addresses.iter().find(|it| it.is_on(channel))
    }

    /// What is known on this channel, to be changed.
    pub const fn on_mut(&mut self, channel: Channel) -> &mut ChannelFacts {
        match channel {
            Channel::Sms => &mut self.sms,
            Channel::WhatsApp => &mut self.whatsapp,
            Channel::Telegram => &mut self.telegram,
            Channel::Email => &mut self.email,
        }
    }
}
