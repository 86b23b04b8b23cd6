//! Policy: the settings of a project that rules look at. Every default is the specification's.

use jiff::tz::TimeZone;

use crate::model::channel::Channel;
use crate::model::message::{Category, Speed, TrafficClass};
use crate::model::money::Currency;
use crate::model::quota::Quotas;
use crate::time::Millis;

/// Validity of one-time codes (R-LIFE-4): older ones are worthless, so no project may lengthen it.
pub const OTP_VALIDITY: Millis = Millis::minutes(10);

/// The settings of a project that rules look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The currency of all its prices (R-COST-1).
    pub currency: Currency,
    /// The time zone by which its quotas count (R-QUOTA-1).
    pub timezone: TimeZone,
    /// What all its routes together may use (R-QUOTA-1).
    pub quotas: Quotas,
    /// Distinct recipients of one text above which the next message is bulk (R-CLASS-1).
    pub bulk_recipients: u32,
    /// The time within which those recipients are counted (R-CLASS-1).
    pub bulk_window: Millis,
    /// How old the contact's message may be for an `auto` message to count as the answer (R-CHAN-2).
    pub reply_window: Millis,
    /// How long a contact is remembered not to have a channel (R-CHAN-3).
    pub capability_memory: Millis,
    /// Which class may help out the other (R-ROUTE-2).
    pub overflow: Overflow,
    /// How long a message may wait to be sent (R-LIFE-4).
    pub validity: ValidityPolicy,
    /// Categories that are sent `fast` unless the caller says otherwise (R-CHAN-4).
    pub fast_categories: Vec<Category>,
    /// Mean delivery times by channel over all contacts, for contacts without a record (R-CHAN-4).
    pub channel_averages: ChannelAverages,
}

impl Policy {
    /// The specification's defaults, in this currency.
    pub fn new(currency: Currency) -> Self {
        Self {
            currency,
            timezone: TimeZone::UTC,
            quotas: Quotas::NONE,
            bulk_recipients: 100,
            bulk_window: Millis::seconds(60),
            reply_window: Millis::hours(24),
            capability_memory: Millis::days(30),
            overflow: Overflow::default(),
            validity: ValidityPolicy::default(),
            fast_categories: vec![Category::Otp],
            channel_averages: ChannelAverages::default(),
        }
    }

    /// The speed of a message: the caller's word, else what the project says of its category
    /// (R-CHAN-4).
    pub fn speed_of(&self, asked: Option<Speed>, category: Category) -> Speed {
        match asked {
            Some(speed) => speed,
            None if self.fast_categories.contains(&category) => Speed::Fast,
            None => Speed::Normal,
        }
    }
}

impl Default for Policy {
    /// The specification's defaults, in euros.
    fn default() -> Self {
        Self::new(Currency::EUR)
    }
}

/// Which class of route may help out the other (R-ROUTE-2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overflow {
    /// Direct messages may use platforms.
    pub direct_to_platform: bool,
    /// Bulk messages may use gateways, down to the reserve.
    pub bulk_to_gateway: bool,
    /// Percent of a gateway's quota that bulk leaves for direct, 0 to 100.
    pub reserve_direct_percent: u8,
}

impl Default for Overflow {
    /// Both ways, with half of a gateway's quota kept for direct.
    fn default() -> Self {
        Self {
            direct_to_platform: true,
            bulk_to_gateway: true,
            reserve_direct_percent: 50,
        }
    }
}

/// How long a message may wait to be sent, by traffic class (R-LIFE-4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValidityPolicy {
    /// For direct messages.
    pub direct: Millis,
    /// For bulk messages.
    pub bulk: Millis,
}

impl ValidityPolicy {
    /// The validity of this class.
    pub const fn of(self, class: TrafficClass) -> Millis {
        match class {
            TrafficClass::Direct => self.direct,
            TrafficClass::Bulk => self.bulk,
        }
    }
}

impl Default for ValidityPolicy {
    /// 48 hours for either class.
    fn default() -> Self {
        Self {
            direct: Millis::hours(48),
            bulk: Millis::hours(48),
        }
    }
}

/// Mean delivery time by channel, over all contacts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelAverages {
    /// Of text messages.
    pub sms: Millis,
    /// Of WhatsApp.
    pub whatsapp: Millis,
    /// Of Telegram.
    pub telegram: Millis,
    /// Of e-mail.
    pub email: Millis,
}

impl ChannelAverages {
    /// The mean of this channel.
    pub const fn of(self, channel: Channel) -> Millis {
        match channel {
            Channel::Sms => self.sms,
            Channel::WhatsApp => self.whatsapp,
            Channel::Telegram => self.telegram,
            Channel::Email => self.email,
        }
    }
}

impl Default for ChannelAverages {
    /// Before anything was measured: the figures of SPEC §16 (SMS 1–5 s, so 3 s; WhatsApp 1.1 s as
    /// in its example 7); Telegram takes a message at once, and mail servers take their time.
    fn default() -> Self {
        Self {
            sms: Millis::seconds(3),
            whatsapp: Millis::new(1_100),
            telegram: Millis::seconds(1),
            email: Millis::seconds(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_time_code_is_fast_unless_the_caller_says_otherwise() {
        let policy = Policy::default();
        for (asked, category, want) in [
            (None, Category::Otp, Speed::Fast),
            (None, Category::Transactional, Speed::Normal),
            (None, Category::Promotional, Speed::Normal),
            (Some(Speed::Normal), Category::Otp, Speed::Normal),
            (Some(Speed::Fast), Category::Promotional, Speed::Fast),
        ] {
            assert_eq!(
                policy.speed_of(asked, category),
                want,
                "{asked:?} {category:?}"
            );
        }
    }
}
