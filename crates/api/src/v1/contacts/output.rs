//! A contact as the API shows it.

use domain::ids::{ContactId, ProjectKey};
use domain::model::contact::{AddressKind, ChannelMetrics};
use domain::phone::PhoneNumber;
use domain::time::Timestamp;
use engine::topology::Topology;
use ports::store::contacts::{ContactChannelView, ContactView};
use serde::Serialize;
use serde::ser::SerializeMap;
use utoipa::ToSchema;

use crate::error::FieldError;
use crate::json::{Iso, IsoShort, Metadata, Shown, WholeMillis};
use crate::schema;

/// A person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Contact)]
pub(crate) struct ContactOut<'a> {
    /// Its id.
    #[schema(value_type = String, example = "ct_0b5k3zrmwg000")]
    id: Shown<ContactId>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_phone: Option<&'a str>,
    /// The same under its older name.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_email: Option<&'a str>,
    /// The country of its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<String>,
    /// The channel that its owner prefers; for show.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_channel: Option<&'static str>,
    /// The channels that it has, without those it is known not to have.
    #[schema(value_type = Vec<String>)]
    available_channels: Vec<&'static str>,
    /// Whether somebody vouched for one of its addresses.
    verified: bool,
    /// The owner's own data.
    #[schema(schema_with = schema::metadata)]
    metadata: Metadata<'a>,
    /// Whether it opted out of a sender of the project (R-IN-2).
    opted_out: bool,
    /// Whether it opted out of the whole project: of every sender that it did not opt in for since,
    /// and of those that are made later.
    opted_out_of_all: bool,
    /// Of which senders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    opted_out_senders: Vec<&'a str>,
    /// Its addresses.
    channels: Vec<ContactChannelOut<'a>>,
    /// Its delivery record by channel (R-METRIC-1).
    #[schema(value_type = std::collections::BTreeMap<String, MetricsOut>)]
    channel_metrics: ByChannel<'a>,
    /// When it was made.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
    /// When it was last changed.
    #[schema(schema_with = schema::time)]
    updated_at: Iso,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>, required = false)]
    warnings: &'a [FieldError],
}

impl<'a> ContactOut<'a> {
    /// The contact as it is known at `now`.
    pub(super) fn of(
        view: &'a ContactView,
        project: ProjectKey,
        now: Timestamp,
        topology: &'a Topology,
        warnings: &'a [FieldError],
    ) -> Self {
        let senders = topology.senders(project);
        let out_of = senders.filter(|it| view.opted_out.covers(it.key));
        let phone = view.phone.as_ref();
        let email = first_choice(view, AddressKind::Email);
        Self {
            id: Shown(view.id),
            display_name: view.display_name.as_deref(),
            primary_phone: phone.map(PhoneNumber::as_str),
            phone_number: phone.map(PhoneNumber::as_str),
            primary_email: email.map(|it| &*it.identifier),
            country_code: country(phone),
            default_channel: view.default_channel.map(AddressKind::code),
            available_channels: available(view, now),
            verified: view.channels.iter().any(|it| it.verified),
            metadata: Metadata(view.metadata.as_deref()),
            opted_out: view.opted_out.is_any(),
            opted_out_of_all: view.opted_out.project,
            opted_out_senders: out_of.map(|it| &*it.id).collect(),
            channels: view.channels.iter().map(ContactChannelOut::of).collect(),
            channel_metrics: ByChannel(&view.channels),
            created_at: Iso(view.created_at),
            updated_at: Iso(view.updated_at),
            warnings,
        }
    }
}

fn country(phone: Option<&PhoneNumber>) -> Option<String> {
    phone
        .and_then(PhoneNumber::country)
        .map(|it| it.as_str().to_owned())
}

fn first_choice(view: &ContactView, kind: AddressKind) -> Option<&ContactChannelView> {
    let mut of_kind = view.channels.iter().filter(|it| it.kind == kind);
    of_kind
        .clone()
        .find(|it| it.is_primary)
        .or_else(|| of_kind.next())
}

/// Kinds of address of the contact, each once, in the API's order. Text messages and WhatsApp
/// follow from a phone number, as long as the contact is not known to be without (R-CHAN-3).
fn available(view: &ContactView, now: Timestamp) -> Vec<&'static str> {
    let capable = |it: &ContactChannelView| it.incapable_until.is_none_or(|until| until <= now);
    let has = |kind: AddressKind| {
        let mut of_kind = view.channels.iter().filter(|it| it.kind == kind).peekable();
        match (of_kind.peek(), kind) {
            (Some(_), _) => of_kind.any(capable),
            (None, AddressKind::Sms | AddressKind::WhatsApp) => view.phone.is_some(),
            (None, _) => false,
        }
    };
    AddressKind::ALL
        .into_iter()
        .filter(|it| has(*it))
        .map(AddressKind::code)
        .collect()
}

/// One address of a contact.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactChannel)]
pub(crate) struct ContactChannelOut<'a> {
    /// Its id.
    id: &'a str,
    /// Its kind.
    #[schema(schema_with = schema::address_kind)]
    channel: &'static str,
    /// The address.
    identifier: &'a str,
    /// Whether it is the first choice of its kind.
    is_primary: bool,
    /// Whether somebody vouched for it.
    verified: bool,
    /// The country of a phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<String>,
    /// A name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    /// The newest inbound message on it; it drives the 24-hour window (R-WIN-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_inbound_at: Option<Iso>,
    /// Until when the contact counts as not having it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    incapable_until: Option<Iso>,
    /// The owner's own data.
    #[schema(schema_with = schema::metadata)]
    metadata: Metadata<'a>,
    /// The contact's delivery record on it.
    metrics: MetricsOut,
    /// When it was made.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
    /// When it was last changed.
    #[schema(schema_with = schema::time)]
    updated_at: Iso,
}

impl<'a> ContactChannelOut<'a> {
    /// The address.
    pub(super) fn of(view: &'a ContactChannelView) -> Self {
        let number = view
            .kind
            .is_phone()
            .then(|| PhoneNumber::from_canonical(&view.identifier));
        Self {
            id: &view.id,
            channel: view.kind.code(),
            identifier: &view.identifier,
            is_primary: view.is_primary,
            verified: view.verified,
            country_code: country(number.flatten().as_ref()),
            label: view.label.as_deref(),
            last_inbound_at: view.last_inbound_at.map(Iso),
            incapable_until: view.incapable_until.map(Iso),
            metadata: Metadata(view.metadata.as_deref()),
            metrics: MetricsOut::of(&view.metrics, Attempts::Shown),
            created_at: Iso(view.created_at),
            updated_at: Iso(view.updated_at),
        }
    }
}

/// Delivery record of a contact on a channel (R-METRIC-1).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChannelMetrics)]
pub(crate) struct MetricsOut {
    /// Messages delivered or read.
    success_count: u32,
    /// Messages that the channel or the recipient failed.
    failure_count: u32,
    /// The sum of both; only under `channels`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_attempts: Option<u32>,
    /// Mean time from submission to delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    avg_delivery_time_ms: Option<WholeMillis>,
    /// The newest success.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<IsoShort>,
}

/// Whether the sum of attempts is shown: the published map has no such field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempts {
    Shown,
    Hidden,
}

impl MetricsOut {
    fn of(metrics: &ChannelMetrics, attempts: Attempts) -> Self {
        Self {
            success_count: metrics.success_count,
            failure_count: metrics.failure_count,
            total_attempts: (attempts == Attempts::Shown).then(|| metrics.attempts()),
            avg_delivery_time_ms: metrics.average_delivery_time().map(WholeMillis),
            last_success_at: metrics.last_success_at.map(IsoShort),
        }
    }
}

/// The records of the channels on which anything was tried, each kind once.
struct ByChannel<'a>(&'a [ContactChannelView]);

impl Serialize for ByChannel<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for kind in AddressKind::ALL {
            let record = self
                .0
                .iter()
                .find(|it| it.kind == kind && it.metrics.attempts() > 0);
            if let Some(it) = record {
                map.serialize_entry(kind.code(), &MetricsOut::of(&it.metrics, Attempts::Hidden))?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use ports::store::contacts::OptedOut;

    use super::*;
    use domain::time::Millis;

    fn channel(
        kind: AddressKind,
        successes: u32,
        failures: u32,
        average: i64,
        at: &str,
    ) -> ContactChannelView {
        let made = Timestamp::from_millis(0);
        ContactChannelView {
            id: "ch_1".into(),
            kind,
            identifier: "+40712345678".into(),
            is_primary: true,
            verified: false,
            label: None,
            metadata: None,
            created_at: made,
            updated_at: made,
            metrics: ChannelMetrics {
                success_count: successes,
                failure_count: failures,
                delivery_time_sum: Millis::new(average * i64::from(successes)),
                delivery_time_count: successes,
                last_success_at: crate::json::timestamp(at),
            },
            last_inbound_at: None,
            incapable_until: None,
        }
    }

    fn contact(channels: Vec<ContactChannelView>) -> ContactView {
        ContactView {
            id: ContactId::from_key(1),
            display_name: None,
            default_channel: None,
            phone: PhoneNumber::from_canonical("+40712345678"),
            metadata: None,
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
            channels,
            opted_out: OptedOut::default(),
        }
    }

    #[test]
    fn example_7_metrics_are_served_exactly_so() {
        let view = contact(vec![
            channel(AddressKind::Sms, 45, 2, 3_200, "2025-01-15T10:30:00Z"),
            channel(AddressKind::WhatsApp, 120, 1, 1_100, "2025-01-15T14:22:00Z"),
        ]);
        let text = serde_json::to_string(&ByChannel(&view.channels)).unwrap();
        let want = concat!(
            r#"{"sms":{"successCount":45,"failureCount":2,"avgDeliveryTimeMs":3200,"lastSuccessAt":"2025-01-15T10:30:00Z"},"#,
            r#""whatsapp":{"successCount":120,"failureCount":1,"avgDeliveryTimeMs":1100,"lastSuccessAt":"2025-01-15T14:22:00Z"}}"#,
        );
        assert_eq!(text, want);
        let nobody = Topology::default();
        let whole = ContactOut::of(
            &view,
            ProjectKey(1),
            Timestamp::from_millis(0),
            &nobody,
            &[],
        );
        let whole = serde_json::to_string(&whole).unwrap();
        assert!(
            whole.contains(&format!(r#""channelMetrics":{want}"#)),
            "{whole}"
        );
        let shown: serde_json::Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(shown["channels"][0]["metrics"]["totalAttempts"], 47);
    }

    #[test]
    fn a_channel_known_to_be_missing_is_not_available_until_it_is_forgotten() {
        let mut whatsapp = channel(AddressKind::WhatsApp, 0, 1, 0, "");
        whatsapp.incapable_until = Some(Timestamp::from_millis(1_000));
        let view = contact(vec![channel(AddressKind::Sms, 0, 0, 0, ""), whatsapp]);
        assert_eq!(available(&view, Timestamp::from_millis(999)), ["sms"]);
        assert_eq!(
            available(&view, Timestamp::from_millis(1_000)),
            ["sms", "whatsapp"]
        );
    }
}
