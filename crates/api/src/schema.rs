//! Closed lists of words in the document, for fields that are read as text to answer better than
//! a parser would (R-API-4).

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Schema {
    Schema::Object(text().enum_values(Some(words)).build())
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Channels that a caller may name.
pub(crate) fn channel_in() -> Schema {
    words(["auto", "sms", "whatsapp"])
}

/// Channels that can be routed.
pub(crate) fn channel() -> Schema {
    words(domain::model::channel::Channel::ALL.map(domain::model::channel::Channel::code))
}

/// Kinds of address of a contact.
pub(crate) fn address_kind() -> Schema {
    use domain::model::contact::AddressKind;
    words(AddressKind::ALL.map(AddressKind::code))
}

/// Kinds of address of a contact, or nothing.
pub(crate) fn clearable_address_kind() -> Schema {
    use domain::model::contact::AddressKind;
    let words = AddressKind::ALL.map(|it| Value::from(it.code()));
    let or_null = words.into_iter().chain([Value::Null]);
    Schema::Object(
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .enum_values(Some(or_null))
            .build(),
    )
}

/// Kinds of content.
pub(crate) fn message_type() -> Schema {
    use domain::model::content::MessageType;
    words(MessageType::ALL.map(MessageType::code))
}

/// Public status.
pub(crate) fn status() -> Schema {
    use domain::model::message::Status;
    words(Status::ALL.map(Status::code))
}

/// Traffic classes.
pub(crate) fn traffic_class() -> Schema {
    use domain::model::message::TrafficClass;
    words(TrafficClass::ALL.map(TrafficClass::code))
}

/// What a message may wait for.
pub(crate) fn waits_for() -> Schema {
    words(["time", "route", "person", "fallback", "outcome"])
}

/// What a message is for.
pub(crate) fn category() -> Schema {
    words(["transactional", "otp", "promotional"])
}

/// What to prefer.
pub(crate) fn speed() -> Schema {
    words(["normal", "fast"])
}

/// Kinds of a link button's header.
pub(crate) fn header_type() -> Schema {
    words(["text", "image", "video", "document"])
}

/// Which messages a change of consent is about.
pub(crate) fn consent_scope() -> Schema {
    use domain::model::consent::ConsentScope;
    words(ConsentScope::ALL.map(ConsentScope::code))
}

/// What a template is charged as.
pub(crate) fn template_category() -> Schema {
    words(["UTILITY", "MARKETING", "AUTHENTICATION"])
}

/// Where a template stands.
pub(crate) fn template_status() -> Schema {
    words(["draft", "pending", "approved", "rejected"])
}

/// Where a template stands with its provider.
pub(crate) fn provider_status() -> Schema {
    use domain::model::template::TemplateStatus;
    words(TemplateStatus::ALL.map(TemplateStatus::code))
}

/// What a button of a template does.
pub(crate) fn template_button() -> Schema {
    words(["quick_reply", "url", "phone", "otp", "request_contact_info"])
}

/// What a user may do.
pub(crate) fn role() -> Schema {
    use domain::model::user::Role;
    words(Role::ALL.map(Role::code))
}

/// Which way a message went.
pub(crate) fn direction() -> Schema {
    words(["inbound", "outbound"])
}

/// What a person may say of a route.
pub(crate) fn control_mode() -> Schema {
    words(["auto", "pin", "drain", "disable"])
}

/// What the audit log tells of.
pub(crate) fn audit_action() -> Schema {
    use domain::model::audit::AuditAction;
    words(AuditAction::ALL.map(AuditAction::code))
}

/// What alerts are about.
pub(crate) fn alert_kind() -> Schema {
    use domain::model::alert::AlertKind;
    words(AlertKind::ALL.map(AlertKind::code))
}

/// How soon somebody should look at an alert.
pub(crate) fn severity() -> Schema {
    use domain::model::alert::Severity;
    words(Severity::ALL.map(Severity::code))
}

/// An object of texts.
pub(crate) fn metadata() -> Schema {
    texts(SchemaType::Type(Type::Object))
}

/// An object of texts, or nothing.
pub(crate) fn clearable_metadata() -> Schema {
    texts(SchemaType::from_iter([Type::Object, Type::Null]))
}

fn texts(kind: SchemaType) -> Schema {
    Schema::Object(
        ObjectBuilder::new()
            .schema_type(kind)
            .additional_properties(Some(Schema::Object(text().build())))
            .description(Some("At most 50 entries and 10,240 bytes"))
            .build(),
    )
}

/// A point in time.
pub(crate) fn time() -> Schema {
    use utoipa::openapi::{KnownFormat, SchemaFormat};
    Schema::Object(
        text()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .build(),
    )
}
