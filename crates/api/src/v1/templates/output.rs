//! A template as the API shows it: bare, without an envelope.

use domain::ids::TemplateId;
use domain::model::content::PriceCategory;
use domain::model::template::{ButtonDefinition, ButtonKind, HeaderKind, TemplateStatus};
use domain::rules::template::placeholders;
use ports::store::templates::Template;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::FieldError;
use crate::json::{Iso, Shown};
use crate::schema;

/// The word of a category.
pub(crate) const fn category(category: PriceCategory) -> &'static str {
    match category {
        // No template has it.
        PriceCategory::Service => "SERVICE",
        PriceCategory::Utility => "UTILITY",
        PriceCategory::Marketing => "MARKETING",
        PriceCategory::Authentication => "AUTHENTICATION",
    }
}

/// The word of a kind of header.
pub(super) const fn header_kind(kind: HeaderKind) -> &'static str {
    match kind {
        HeaderKind::Text => "text",
        HeaderKind::Image => "image",
        HeaderKind::Video => "video",
        HeaderKind::Document => "document",
    }
}

/// The word of a kind of button.
pub(super) const fn button_kind(kind: ButtonKind) -> &'static str {
    match kind {
        ButtonKind::QuickReply => "quick_reply",
        ButtonKind::Url => "url",
        ButtonKind::Phone => "phone",
        ButtonKind::Otp => "otp",
        ButtonKind::RequestContactInfo => "request_contact_info",
    }
}

/// The API's word, of which there are four: what a provider holds back may not be sent, as what it
/// rejected.
pub(crate) const fn status(status: TemplateStatus) -> &'static str {
    match status {
        TemplateStatus::Draft => "draft",
        TemplateStatus::Pending => "pending",
        TemplateStatus::Approved => "approved",
        TemplateStatus::Rejected | TemplateStatus::Paused | TemplateStatus::Disabled => "rejected",
    }
}

/// A text with variables.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Template)]
pub(crate) struct TemplateOut<'a> {
    /// Its id.
    #[schema(value_type = String, example = "tpl_0b5k3zrmwg000")]
    id: Shown<TemplateId>,
    /// Its name at the provider.
    name: &'a str,
    /// Its language.
    language: &'a str,
    /// The text.
    body: &'a str,
    /// What it is charged as; a provider may change it.
    #[schema(schema_with = schema::template_category)]
    category: &'static str,
    /// Where it stands.
    #[schema(schema_with = schema::template_status)]
    status: &'static str,
    /// The same, exactly: `paused` and `disabled` too.
    #[schema(schema_with = schema::provider_status)]
    provider_status: &'static str,
    /// Why it stands so, in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<&'a str>,
    /// The names of its placeholders, in order.
    variables: Vec<&'a str>,
    /// What SMS carries in place of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_body: Option<&'a str>,
    /// What Telegram carries in place of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    telegram_body: Option<&'a str>,
    /// What Instagram would carry in place of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    instagram_body: Option<&'a str>,
    /// What stands above the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::header_type)]
    header_type: Option<&'static str>,
    /// Its text, or the URL of its medium.
    #[serde(skip_serializing_if = "Option::is_none")]
    header_content: Option<&'a str>,
    /// What stands below the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<&'a str>,
    /// Buttons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    buttons: Vec<ButtonOut<'a>>,
    /// Whether the provider adds that the code is not to be shared.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    add_security_recommendation: bool,
    /// After how many minutes the code expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    code_expiration_minutes: Option<u8>,
    /// What its provider has of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp: Option<WhatsAppOut<'a>>,
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

/// A button of a template.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TemplateButton)]
struct ButtonOut<'a> {
    /// What it does.
    #[serde(rename = "type")]
    #[schema(schema_with = schema::template_button)]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otp_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature_hash: Option<&'a str>,
}

/// What its provider has of a template.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TemplateWhatsApp)]
struct WhatsAppOut<'a> {
    /// Its name there.
    template_name: &'a str,
    /// Where it stands there.
    #[schema(value_type = String, example = "APPROVED")]
    status: String,
    /// The account that has it.
    account: &'a str,
    /// Its id there.
    provider_id: &'a str,
}

impl<'a> TemplateOut<'a> {
    /// A template, with what of the request was ignored.
    pub(super) fn of(template: &'a Template, warnings: &'a [FieldError]) -> Self {
        let text = &template.text;
        let definition = &text.definition;
        let header = definition.header.as_ref();
        let variables = if text.variables.is_empty() {
            placeholders(&definition.body)
        } else {
            text.variables.iter().map(|it| &**it).collect()
        };
        Self {
            id: Shown(template.id),
            name: &definition.name,
            language: &definition.language,
            body: &definition.body,
            category: category(definition.category),
            status: status(template.status),
            provider_status: template.status.code(),
            status_reason: template.reason.as_deref(),
            variables,
            sms_body: text.sms_body.as_deref(),
            telegram_body: text.telegram_body.as_deref(),
            instagram_body: text.instagram_body.as_deref(),
            header_type: header.map(|it| header_kind(it.kind)),
            header_content: header.and_then(|it| it.content.as_deref()),
            footer: definition.footer.as_deref(),
            buttons: definition.buttons.iter().map(ButtonOut::of).collect(),
            add_security_recommendation: definition.add_security_recommendation,
            code_expiration_minutes: definition.code_expiration_minutes,
            whatsapp: template.provider.as_ref().map(|it| WhatsAppOut {
                template_name: &definition.name,
                status: template.status.code().to_ascii_uppercase(),
                account: &it.account,
                provider_id: &it.provider_id,
            }),
            created_at: Iso(template.created_at),
            updated_at: Iso(template.updated_at),
            warnings,
        }
    }
}

impl<'a> ButtonOut<'a> {
    fn of(button: &'a ButtonDefinition) -> Self {
        Self {
            kind: button_kind(button.kind),
            text: button.text.as_deref(),
            url: button.url.as_deref(),
            example: button.example.as_deref(),
            phone_number: button.phone_number.as_deref(),
            otp_type: button.otp_type.as_deref(),
            package_name: button.package_name.as_deref(),
            signature_hash: button.signature_hash.as_deref(),
        }
    }
}

/// What bringing in the providers' templates did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TemplateSync)]
pub(crate) struct SyncOut {
    /// Accounts that were read.
    pub(super) accounts_synced: u32,
    /// Templates that only the provider had.
    pub(super) imported: u32,
    /// Templates of ours that were found there.
    pub(super) linked: u32,
    /// Templates that something was new of.
    pub(super) updated: u32,
    /// Templates that nothing was new of.
    pub(super) skipped: u32,
    /// What went wrong, by account.
    pub(super) errors: Vec<String>,
    /// Fields of the request that were ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) warnings: Vec<FieldError>,
}
