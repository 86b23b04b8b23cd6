//! What a caller may say of a template (R-API-3).

use domain::model::content::PriceCategory;
use domain::model::template::{
    ButtonDefinition, ButtonKind, HeaderDefinition, HeaderKind, TemplateDefinition, TemplateText,
};
use domain::rules::template::{TemplateField, TemplateProblem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::output::{button_kind, category, header_kind};
use crate::error::{FieldError, Problems};
use crate::schema;

/// Most names for placeholders: as many as a body can have.
const VARIABLES: usize = 200;
/// Most characters of a name for a placeholder.
const VARIABLE_CHARS: usize = 100;

/// A template to be made. Unknown fields are ignored and named in `warnings`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateTemplate, example = json!({"name": "order_update", "language": "en", "body": "Hi {{1}}, order {{2}} is on its way", "smsBody": "Order {{2}} is on its way"}))]
pub(crate) struct CreateIn {
    /// Its name at the provider: lower-case letters, digits and underscores.
    #[schema(required = true, value_type = String, pattern = "^[a-z0-9_]{1,512}$")]
    name: Option<String>,
    /// Its language, as providers write it.
    #[schema(required = true, value_type = String, example = "pt_BR")]
    language: Option<String>,
    /// The text. Placeholders are `{{1}}` or `{{name}}`, never both.
    #[schema(required = true, value_type = String, min_length = 1, max_length = 1024)]
    body: Option<String>,
    /// What it is for, and charged as.
    #[schema(schema_with = schema::template_category, default = "UTILITY")]
    whatsapp_category: Option<String>,
    /// Names for numbered placeholders, in order: values may be given under them.
    variables: Option<Vec<String>>,
    /// What SMS carries in place of the body.
    sms_body: Option<String>,
    /// What Telegram carries in place of the body.
    telegram_body: Option<String>,
    /// What Instagram would carry in place of the body; kept.
    instagram_body: Option<String>,
    /// What stands above the body.
    #[schema(schema_with = schema::header_type)]
    header_type: Option<String>,
    /// Its text, or the URL of its medium.
    header_content: Option<String>,
    /// What stands below the body.
    #[schema(max_length = 60)]
    footer: Option<String>,
    /// Buttons.
    #[schema(max_items = 3)]
    buttons: Option<Vec<ButtonIn>>,
    /// For one-time codes: whether the provider adds that the code is not to be shared.
    add_security_recommendation: Option<bool>,
    /// For one-time codes: after how many minutes the code expires.
    #[schema(minimum = 1, maximum = 90)]
    code_expiration_minutes: Option<i64>,
}

/// A button of a template.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateTemplateButton)]
pub(crate) struct ButtonIn {
    /// What it does.
    #[serde(rename = "type")]
    #[schema(required = true, schema_with = schema::template_button)]
    kind: Option<String>,
    /// Its label.
    #[schema(max_length = 25)]
    text: Option<String>,
    /// Where a link leads; a placeholder may stand at its end.
    url: Option<String>,
    /// An example of the link or the code.
    example: Option<String>,
    /// Which number a phone button calls.
    phone_number: Option<String>,
    /// How a one-time code is taken over: `COPY_CODE` or `ONE_TAP`.
    otp_type: Option<String>,
    /// The Android package that takes a code over.
    package_name: Option<String>,
    /// The hash of that package's signature.
    signature_hash: Option<String>,
}

/// A template to be given to a provider.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubmitTemplate)]
pub(crate) struct SubmitIn {
    /// The sender whose WhatsApp account gets it.
    #[schema(required = true, value_type = String)]
    pub(super) sender_id: Option<String>,
    /// What it is submitted as, where not as it was made.
    #[schema(schema_with = schema::template_category)]
    pub(super) category: Option<String>,
}

/// Whose templates are brought in.
#[derive(Deserialize, ToSchema, Default)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncTemplates)]
pub(crate) struct SyncIn {
    /// The sender whose WhatsApp account is read; every account of the project otherwise.
    pub(super) sender_id: Option<String>,
}

impl CreateIn {
    /// The template; what is wrong by itself is noted, the rest is for the rule.
    pub(super) fn text(self, problems: &mut Problems) -> TemplateText {
        let needed = |value: Option<String>, name: &str, problems: &mut Problems| {
            if value.is_none() {
                problems.add(&[name], "is needed");
            }
            value.unwrap_or_default().into_boxed_str()
        };
        let minutes = self.code_expiration_minutes;
        let minutes = minutes.map(|it| u8::try_from(it).unwrap_or(u8::MAX));
        let definition = TemplateDefinition {
            name: needed(self.name, "name", problems),
            language: needed(self.language, "language", problems),
            category: read_category(
                self.whatsapp_category.as_deref(),
                "whatsappCategory",
                problems,
            )
            .unwrap_or(PriceCategory::Utility),
            header: header(self.header_type.as_deref(), self.header_content, problems),
            body: needed(self.body, "body", problems),
            footer: given(self.footer),
            buttons: buttons(self.buttons.unwrap_or_default(), problems),
            add_security_recommendation: self.add_security_recommendation.unwrap_or(false),
            code_expiration_minutes: minutes,
        };
        TemplateText {
            definition,
            variables: variables(self.variables.unwrap_or_default(), problems),
            sms_body: given(self.sms_body),
            telegram_body: given(self.telegram_body),
            instagram_body: given(self.instagram_body),
        }
    }
}

/// An optional text; an empty one says nothing.
fn given(text: Option<String>) -> Option<Box<str>> {
    text.filter(|it| !it.is_empty()).map(Into::into)
}

fn variables(names: Vec<String>, problems: &mut Problems) -> Vec<Box<str>> {
    if names.len() > VARIABLES {
        problems.add(&["variables"], "must have at most 200 names");
    }
    for (place, name) in names.iter().enumerate() {
        if name.is_empty() || name.chars().nth(VARIABLE_CHARS).is_some() {
            let place = place.to_string();
            problems.add(&["variables", &place], "must have 1 to 100 characters");
        }
    }
    names.into_iter().map(Into::into).collect()
}

/// The category with this word of the API.
pub(super) fn read_category(
    word: Option<&str>,
    field: &str,
    problems: &mut Problems,
) -> Option<PriceCategory> {
    let word = word?;
    let found = PriceCategory::ALL
        .into_iter()
        .find(|it| *it != PriceCategory::Service && category(*it) == word);
    if found.is_none() {
        problems.add(
            &[field],
            "must be one of UTILITY, MARKETING, AUTHENTICATION",
        );
    }
    found
}

fn header(
    word: Option<&str>,
    content: Option<String>,
    problems: &mut Problems,
) -> Option<HeaderDefinition> {
    let content = given(content);
    let Some(word) = word else {
        if content.is_some() {
            problems.add(&["headerType"], "is needed for `headerContent`");
        }
        return None;
    };
    let kinds = [
        HeaderKind::Text,
        HeaderKind::Image,
        HeaderKind::Video,
        HeaderKind::Document,
    ];
    let kind = kinds.into_iter().find(|it| header_kind(*it) == word);
    if kind.is_none() {
        problems.add(
            &["headerType"],
            "must be one of text, image, video, document",
        );
    }
    kind.map(|kind| HeaderDefinition { kind, content })
}

fn buttons(buttons: Vec<ButtonIn>, problems: &mut Problems) -> Vec<ButtonDefinition> {
    let kinds = [
        ButtonKind::QuickReply,
        ButtonKind::Url,
        ButtonKind::Phone,
        ButtonKind::Otp,
        ButtonKind::RequestContactInfo,
    ];
    let mut read = Vec::with_capacity(buttons.len());
    for (place, button) in buttons.into_iter().enumerate() {
        let word = button.kind.as_deref().unwrap_or_default();
        let kind = kinds.into_iter().find(|it| button_kind(*it) == word);
        if kind.is_none() {
            let place = place.to_string();
            let words = "must be one of quick_reply, url, phone, otp, request_contact_info";
            problems.add(&["buttons", &place, "type"], words);
        }
        read.push(ButtonDefinition {
            // Keeps its place, so that what is wrong with the others is named rightly.
            kind: kind.unwrap_or(ButtonKind::QuickReply),
            text: given(button.text),
            url: given(button.url),
            example: given(button.example),
            phone_number: given(button.phone_number),
            otp_type: given(button.otp_type),
            package_name: given(button.package_name),
            signature_hash: given(button.signature_hash),
        });
    }
    read
}

/// What the rule found, with the names of the API. `category` is the field that says what it is
/// charged as.
pub(super) fn named(found: &[(TemplateField, TemplateProblem)], category: &str) -> Vec<FieldError> {
    let field = |(field, problem): &(TemplateField, TemplateProblem)| {
        let button = |place: &usize, name: &str| {
            FieldError::new(&["buttons", &place.to_string(), name], problem.to_string())
        };
        let plain = |name: &str| FieldError::new(&[name], problem.to_string());
        match field {
            TemplateField::Name => plain("name"),
            TemplateField::Language => plain("language"),
            TemplateField::Category => plain(category),
            TemplateField::HeaderContent => plain("headerContent"),
            TemplateField::Body => plain("body"),
            TemplateField::Variables => plain("variables"),
            TemplateField::SmsBody => plain("smsBody"),
            TemplateField::TelegramBody => plain("telegramBody"),
            TemplateField::InstagramBody => plain("instagramBody"),
            TemplateField::Footer => plain("footer"),
            TemplateField::Buttons => plain("buttons"),
            TemplateField::CodeExpiration => plain("codeExpirationMinutes"),
            TemplateField::ButtonText(place) => button(place, "text"),
            TemplateField::ButtonUrl(place) => button(place, "url"),
            TemplateField::ButtonPhone(place) => button(place, "phoneNumber"),
            TemplateField::ButtonOtpType(place) => button(place, "otpType"),
            TemplateField::ButtonPackage(place) => button(place, "packageName"),
        }
    };
    found.iter().map(field).collect()
}
