//! Closed enums as small integers: the place in a table. The tables only ever grow at their end.

use domain::decision::ClassReason;
use domain::model::alert::AlertKind;
use domain::model::attempt::{AttemptState, Counted};
use domain::model::audit::ActorKind;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentScope, ConsentSource};
use domain::model::contact::AddressKind;
use domain::model::content::MessageType;
use domain::model::control::ControlMode;
use domain::model::event::EventKind;
use domain::model::failure::FailureClass;
use domain::model::message::{Category, Purpose, Speed, Status, TrafficClass};
use domain::model::quota::{Period, QuotaUnit};
use domain::model::route::ChargedOn;
use domain::model::template::TemplateStatus;
use domain::model::user::Role;
use domain::model::webhook::SignatureVersion;
use domain::rules::due::DueKind;
use ports::store::phones::HandingState;

use super::Corrupt;

/// An enum that is kept as an integer.
pub(crate) trait Coded: Copy + PartialEq + 'static {
    /// Every value, at the place that is its code.
    const TABLE: &'static [Self];
    /// What it is, for the error.
    const NAME: &'static str;

    /// Its code.
    fn number(self) -> i64 {
        // A value that is missing in its table is found by the test below.
        let found = (0..).zip(Self::TABLE).find(|it| *it.1 == self);
        found.map_or(-1, |it| it.0)
    }

    /// The value of this code.
    fn from_number(code: i64) -> Result<Self, Corrupt> {
        usize::try_from(code)
            .ok()
            .and_then(|at| Self::TABLE.get(at).copied())
            .ok_or(Corrupt(Self::NAME))
    }
}

macro_rules! coded {
    ($type:ty, $name:literal, [$($value:ident),+ $(,)?]) => {
        impl Coded for $type {
            const TABLE: &'static [Self] = &[$(<$type>::$value),+];
            const NAME: &'static str = $name;
        }
    };
}

coded!(
    Status,
    "status",
    [Queued, Sending, Sent, Failed, Delivered, Read, Received]
);
coded!(
    HandingState,
    "handing state",
    [
        Offered, Pending, Processed, Withdrawn, Cancelled, Sent, Failed, Delivered
    ]
);
coded!(TrafficClass, "traffic class", [Direct, Bulk]);
coded!(Role, "role", [Owner, Admin, Agent]);
coded!(
    TemplateStatus,
    "template status",
    [Draft, Pending, Approved, Rejected, Paused, Disabled]
);
coded!(Channel, "channel", [Sms, WhatsApp, Telegram, Email]);
coded!(
    AddressKind,
    "address kind",
    [Sms, WhatsApp, Email, Telegram, Instagram, Messenger, Voice]
);
coded!(
    MessageType,
    "message type",
    [
        Text,
        Image,
        Video,
        Audio,
        Document,
        Sticker,
        Location,
        Contact,
        Buttons,
        List,
        CtaUrl,
        RequestContactInfo,
        LocationRequest,
        Reaction,
        Template,
    ]
);
coded!(
    ClassReason,
    "class reason",
    [
        Caller,
        Reply,
        Broadcast,
        Scheduled,
        Promotional,
        SameTextToMany,
        Default
    ]
);
coded!(Category, "category", [Transactional, Otp, Promotional]);
coded!(Speed, "speed", [Normal, Fast]);
coded!(Purpose, "purpose", [Ordinary, KeywordAnswer]);
coded!(ConsentScope, "scope of consent", [Everything, Promotions]);
coded!(ConsentSource, "source of consent", [Keyword, Provider, Api]);
coded!(DueKind, "due kind", [Plan, Settle]);
coded!(
    AttemptState,
    "attempt state",
    [Sending, Unknown, Sent, Failed, Delivered, Read]
);
coded!(Counted, "counted", [No, Success, Failure]);
coded!(ChargedOn, "charged on", [Submit, Delivery]);
coded!(
    FailureClass,
    "failure class",
    [
        RouteFault,
        Throttled,
        AccountFault,
        SenderFault,
        RecipientAbsent,
        RecipientIncapable,
        RecipientInvalid,
        Undeliverable,
        Expired,
        WindowClosed,
        TemplateFault,
        ContentBlocked,
        OptedOut,
        InvalidRequest,
        NoRoute,
        UnknownOutcome,
    ]
);

impl Coded for EventKind {
    const TABLE: &'static [Self] = &Self::ALL;
    const NAME: &'static str = "event kind";
}

impl Coded for ActorKind {
    const TABLE: &'static [Self] = &Self::ALL;
    const NAME: &'static str = "kind of actor";
}

impl Coded for ControlMode {
    const TABLE: &'static [Self] = &Self::ALL;
    const NAME: &'static str = "control mode";
}

impl Coded for AlertKind {
    const TABLE: &'static [Self] = &Self::ALL;
    const NAME: &'static str = "kind of alert";
}

impl Coded for Period {
    const TABLE: &'static [Self] = &Self::ALL;
    const NAME: &'static str = "period";
}

impl Coded for QuotaUnit {
    const TABLE: &'static [Self] = &Self::ALL;
    const NAME: &'static str = "unit of a quota";
}

impl Coded for SignatureVersion {
    const TABLE: &'static [Self] = &Self::ALL;
    const NAME: &'static str = "signature version";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survive<T: Coded + std::fmt::Debug>(values: &[T]) {
        for value in values {
            assert_eq!(T::from_number(value.number()), Ok(*value));
        }
        assert!(T::from_number(-1).is_err());
        assert!(T::from_number(64).is_err());
    }

    #[test]
    fn every_value_survives_its_code() {
        survive(&Status::ALL);
        survive(&TrafficClass::ALL);
        survive(&Channel::ALL);
        survive(&AddressKind::ALL);
        survive(&MessageType::ALL);
        survive(&TemplateStatus::ALL);
        survive(&AttemptState::ALL);
        survive(&FailureClass::ALL);
        survive(&HandingState::ALL);
        survive(&EventKind::ALL);
        survive(&SignatureVersion::ALL);
        survive(&Role::ALL);
        survive(&ActorKind::ALL);
        survive(&ControlMode::ALL);
        survive(&AlertKind::ALL);
        survive(&Period::ALL);
        survive(&QuotaUnit::ALL);
        survive(Counted::TABLE);
        survive(Purpose::TABLE);
        survive(&ConsentScope::ALL);
        survive(&ConsentSource::ALL);
        survive(ClassReason::TABLE);
    }

    #[test]
    fn the_codes_that_the_schema_names_are_these() {
        assert_eq!((Status::Queued.number(), Status::Failed.number()), (0, 3));
        assert_eq!(
            HandingState::Withdrawn.number(),
            3,
            "the first that is not open"
        );
        assert_eq!(
            (AddressKind::Email.number(), AddressKind::Messenger.number()),
            (2, 5)
        );
    }
}
