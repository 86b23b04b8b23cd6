//! Which recipient gets which play (R-TEST). The table is the documentation of
//! `docs/reference/simulator.md`, and a test compares the two.

use domain::model::address::Address;
use domain::model::channel::Channel;

/// What happens to a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Play {
    /// Accepted and delivered.
    Deliver,
    /// Refused when it is submitted, for good.
    Reject,
    /// Accepted; then a receipt says that it could not be delivered.
    Fail,
    /// Accepted; then nothing is ever heard.
    NoReceipt,
    /// Accepted and delivered; the receipt comes twice.
    ReceiptTwice,
    /// The receipt comes before the answer to the submission.
    ReceiptFirst,
    /// Refused once for going too fast, then accepted and delivered.
    ThrottleOnce,
    /// No answer to the submission, so that its outcome is unknown; delivered all the same.
    NoAnswer,
    /// Accepted; delivered 30 seconds later.
    Late,
    /// Accepted, delivered, and read on channels that tell.
    Read,
    /// Accepted; then a receipt says that the recipient does not have the channel.
    Incapable,
    /// Accepted; a receipt says failed, and one 4.9 seconds later says delivered after all.
    FailThenDeliver,
}

/// One line of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MagicNumber {
    /// The recipient's last digits.
    pub ending: &'static str,
    /// What happens on SMS.
    pub sms: Play,
    /// What happens on WhatsApp.
    pub whatsapp: Play,
}

const fn both(ending: &'static str, play: Play) -> MagicNumber {
    MagicNumber {
        ending,
        sms: play,
        whatsapp: play,
    }
}

const fn sms_delivers(ending: &'static str, whatsapp: Play) -> MagicNumber {
    MagicNumber {
        ending,
        sms: Play::Deliver,
        whatsapp,
    }
}

/// The table. Every other recipient gets [`Play::Deliver`], but for the chances of the configuration.
pub const MAGIC_NUMBERS: &[MagicNumber] = &[
    both("000001", Play::Deliver),
    both("000002", Play::Reject),
    both("000003", Play::Fail),
    both("000004", Play::NoReceipt),
    both("000005", Play::ReceiptTwice),
    both("000006", Play::ReceiptFirst),
    both("000007", Play::ThrottleOnce),
    both("000008", Play::NoAnswer),
    both("000009", Play::Late),
    both("000010", Play::Read),
    sms_delivers("000011", Play::Incapable),
    sms_delivers("000012", Play::Reject),
    sms_delivers("000013", Play::Fail),
    both("000014", Play::FailThenDeliver),
];

/// The play that a recipient's number asks for; `None` where it asks for nothing.
pub fn play(to: &Address, channel: Channel) -> Option<Play> {
    let digits = to.phone()?.digits();
    let line = MAGIC_NUMBERS
        .iter()
        .find(|it| digits.ends_with(it.ending))?;
    Some(match channel {
        Channel::Sms => line.sms,
        Channel::WhatsApp => line.whatsapp,
        Channel::Telegram | Channel::Email => return None,
    })
}

#[cfg(test)]
mod tests {
    use domain::phone::PhoneNumber;

    use super::*;

    #[test]
    fn every_ending_makes_a_possible_number_and_is_found() {
        for line in MAGIC_NUMBERS {
            for prefix in ["+40700", "+1415", "+336"] {
                let digits = 12 - line.ending.len() - prefix.len();
                let filler = if prefix == "+40700" {
                    ""
                } else {
                    &"5550000"[..digits]
                };
                let to = PhoneNumber::parse(&format!("{prefix}{filler}{}", line.ending)).unwrap();
                let to = Address::Phone(to);
                assert_eq!(play(&to, Channel::Sms), Some(line.sms), "{to:?}");
                assert_eq!(play(&to, Channel::WhatsApp), Some(line.whatsapp), "{to:?}");
            }
        }
    }

    #[test]
    fn any_other_number_asks_for_nothing() {
        let to = Address::Phone(PhoneNumber::parse("+40712345678").unwrap());
        assert_eq!(play(&to, Channel::Sms), None);
    }

    #[test]
    fn the_reference_page_names_every_ending_once() {
        let page = include_str!("../../../../docs/reference/simulator.md");
        for line in MAGIC_NUMBERS {
            assert_eq!(
                page.matches(&format!("| `…{}` |", line.ending)).count(),
                1,
                "{}",
                line.ending
            );
        }
    }
}
