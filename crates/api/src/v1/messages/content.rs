//! The `content` object of a message, and what each kind of message needs in it.

use std::collections::BTreeMap;

use domain::ids::MessageId;
use domain::model::content::{MessageType, is_web_url};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Problems;
use crate::schema;

/// Most buttons under a text.
const BUTTONS: usize = 3;
/// Most rows of a list's section.
const ROWS: usize = 10;
/// Most characters of an emoji: families and flags are made of many.
pub(super) const EMOJI_CHARS: usize = 32;
/// Most characters of a question for a place or for contact details.
const PROMPT_CHARS: usize = 1_024;

/// What a message holds beside its text, by its kind.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageContent)]
pub(crate) struct ContentIn {
    /// Where the medium is fetched from.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_url: Option<String>,
    /// The provider's id of a medium that was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_id: Option<String>,
    /// The medium's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    /// Name of the file that the recipient sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
    /// Degrees north.
    #[schema(minimum = -90, maximum = 90)]
    #[serde(skip_serializing_if = "Option::is_none")]
    latitude: Option<f64>,
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180)]
    #[serde(skip_serializing_if = "Option::is_none")]
    longitude: Option<f64>,
    /// Name of the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    location_name: Option<String>,
    /// Address of the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    location_address: Option<String>,
    /// Contact cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<Vec<Card>>,
    /// Buttons under the text.
    #[schema(max_items = 3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    buttons: Option<Vec<Button>>,
    /// The word on the button that opens the list.
    #[schema(max_length = 20)]
    #[serde(skip_serializing_if = "Option::is_none")]
    list_button: Option<String>,
    /// The list.
    #[serde(skip_serializing_if = "Option::is_none")]
    sections: Option<Vec<Section>>,
    /// The word on the link button.
    #[schema(max_length = 20)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cta_display_text: Option<String>,
    /// Where the link button leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    cta_url: Option<String>,
    /// The emoji of a reaction; an empty one takes an earlier reaction back.
    #[schema(max_length = 32)]
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<String>,
    /// The message that is reacted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    react_to_message_id: Option<String>,
    /// What stands above the text.
    #[schema(schema_with = schema::header_type)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cta_header_type: Option<String>,
    /// The header, where it is text.
    #[schema(max_length = 60)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cta_header_text: Option<String>,
    /// The header, where it is a medium.
    #[serde(skip_serializing_if = "Option::is_none")]
    cta_header_media_url: Option<String>,
    /// What stands below the text.
    #[schema(max_length = 60)]
    #[serde(skip_serializing_if = "Option::is_none")]
    footer_text: Option<String>,
    /// The template: for kind `template` what is sent, for others what WhatsApp carries while its
    /// window is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    template_id: Option<String>,
    /// Values for the placeholders of its body, by number or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    template_variables: Option<BTreeMap<String, String>>,
    /// Values for its buttons, by their place from 0: the end of a link, a code, or what a quick
    /// reply sends back.
    #[serde(skip_serializing_if = "Option::is_none")]
    template_button_variables: Option<BTreeMap<String, String>>,
    /// Values for its header: by placeholder, or `mediaUrl`, `mediaId` and `filename`.
    #[serde(skip_serializing_if = "Option::is_none")]
    template_header_variables: Option<BTreeMap<String, String>>,
}

/// The template that a message names, with its values.
pub(super) struct TemplateIn<'a> {
    pub(super) id: &'a str,
    pub(super) variables: Option<&'a BTreeMap<String, String>>,
    pub(super) button_variables: Option<&'a BTreeMap<String, String>>,
    pub(super) header_variables: Option<&'a BTreeMap<String, String>>,
}

impl ContentIn {
    /// The message that is reacted to.
    pub(super) fn reacts_to(&self) -> Option<MessageId> {
        self.react_to_message_id.as_ref()?.parse().ok()
    }

    /// The template that it names, if it names one.
    pub(super) fn template(&self) -> Option<TemplateIn<'_>> {
        Some(TemplateIn {
            id: self.template_id.as_deref()?,
            variables: self.template_variables.as_ref(),
            button_variables: self.template_button_variables.as_ref(),
            header_variables: self.template_header_variables.as_ref(),
        })
    }
}

/// A contact card.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = MessageContentCard)]
struct Card {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phones: Option<Vec<String>>,
}

/// A button.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = MessageContentButton)]
struct Button {
    #[schema(min_length = 1, max_length = 256)]
    id: String,
    #[schema(min_length = 1, max_length = 20)]
    title: String,
}

/// A section of a list.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = MessageContentSection)]
struct Section {
    #[serde(default)]
    #[schema(max_length = 24)]
    title: String,
    #[schema(min_items = 1, max_items = 10)]
    rows: Vec<Row>,
}

/// A row of a list.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = MessageContentRow)]
struct Row {
    #[schema(min_length = 1, max_length = 200)]
    id: String,
    #[schema(min_length = 1, max_length = 24)]
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 72)]
    description: Option<String>,
}

/// Whether a kind of message says something in `text` and must not leave it out.
pub(super) const fn needs_text(kind: MessageType) -> bool {
    match kind {
        MessageType::Text
        | MessageType::Buttons
        | MessageType::List
        | MessageType::CtaUrl
        | MessageType::RequestContactInfo
        | MessageType::LocationRequest => true,
        MessageType::Image
        | MessageType::Video
        | MessageType::Audio
        | MessageType::Document
        | MessageType::Sticker
        | MessageType::Location
        | MessageType::Contact
        | MessageType::Reaction
        | MessageType::Template => false,
    }
}

/// Notes what `content` lacks or has too much of for this kind.
pub(super) fn check(
    kind: MessageType,
    content: Option<&ContentIn>,
    text: Option<&str>,
    problems: &mut Problems,
) {
    match kind {
        MessageType::Text => {}
        MessageType::Template => {
            if content.and_then(ContentIn::template).is_none() {
                problems.add(
                    &["content", "templateId"],
                    "is needed for messageType template",
                );
            }
        }
        MessageType::LocationRequest | MessageType::RequestContactInfo => {
            if content.is_some() {
                problems.add(&["content"], "must be absent for this messageType");
            }
            if text.is_some_and(|it| it.chars().count() > PROMPT_CHARS) {
                problems.add(
                    &["text"],
                    "must have at most 1024 characters for this messageType",
                );
            }
        }
        MessageType::Image
        | MessageType::Video
        | MessageType::Audio
        | MessageType::Document
        | MessageType::Sticker
        | MessageType::Location
        | MessageType::Contact
        | MessageType::Buttons
        | MessageType::List
        | MessageType::CtaUrl
        | MessageType::Reaction => match content {
            Some(content) => check_object(kind, content, problems),
            None => problems.add(&["content"], "is needed for this messageType"),
        },
    }
}

fn check_object(kind: MessageType, content: &ContentIn, problems: &mut Problems) {
    match kind {
        MessageType::Image
        | MessageType::Video
        | MessageType::Audio
        | MessageType::Document
        | MessageType::Sticker => match (&content.media_url, &content.media_id) {
            (None, None) => {
                problems.add(&["content", "mediaUrl"], "this or `mediaId` is needed");
            }
            (Some(url), _) => web_address(&["content", "mediaUrl"], url, problems),
            (None, Some(_)) => {}
        },
        MessageType::Location => {
            degrees("latitude", content.latitude, 90.0, problems);
            degrees("longitude", content.longitude, 180.0, problems);
        }
        MessageType::Contact => {
            if content.contacts.as_ref().is_none_or(Vec::is_empty) {
                problems.add(&["content", "contacts"], "at least one card is needed");
            }
        }
        MessageType::Buttons => buttons(content.buttons.as_deref().unwrap_or_default(), problems),
        MessageType::List => {
            let word = content.list_button.as_deref().unwrap_or_default();
            length(&["content", "listButton"], word, 1, 20, problems);
            sections(content.sections.as_deref().unwrap_or_default(), problems);
        }
        MessageType::CtaUrl => {
            let word = content.cta_display_text.as_deref().unwrap_or_default();
            length(&["content", "ctaDisplayText"], word, 1, 20, problems);
            let url = content.cta_url.as_deref().unwrap_or_default();
            web_address(&["content", "ctaUrl"], url, problems);
            header(content, problems);
        }
        MessageType::Reaction => {
            let emoji = content.emoji.as_deref();
            if emoji.is_none_or(|it| it.chars().count() > EMOJI_CHARS) {
                problems.add(
                    &["content", "emoji"],
                    "is needed, with at most 32 characters",
                );
            }
            if content.reacts_to().is_none() {
                problems.add(
                    &["content", "reactToMessageId"],
                    "must be the id of a message",
                );
            }
        }
        MessageType::Text
        | MessageType::LocationRequest
        | MessageType::RequestContactInfo
        | MessageType::Template => {}
    }
}

fn degrees(name: &str, value: Option<f64>, most: f64, problems: &mut Problems) {
    match value {
        None => problems.add(&["content", name], "is needed for this messageType"),
        Some(it) if it.abs() <= most => {}
        Some(_) => {
            problems.add(
                &["content", name],
                format!("must be between -{most} and {most}"),
            );
        }
    }
}

fn buttons(buttons: &[Button], problems: &mut Problems) {
    if !(1..=BUTTONS).contains(&buttons.len()) {
        problems.add(&["content", "buttons"], "must have 1 to 3 buttons");
    }
    for (index, button) in buttons.iter().enumerate() {
        let index = index.to_string();
        length(
            &["content", "buttons", &index, "id"],
            &button.id,
            1,
            256,
            problems,
        );
        length(
            &["content", "buttons", &index, "title"],
            &button.title,
            1,
            20,
            problems,
        );
    }
}

fn sections(sections: &[Section], problems: &mut Problems) {
    if sections.is_empty() {
        problems.add(&["content", "sections"], "at least one section is needed");
    }
    for (index, section) in sections.iter().enumerate() {
        let index = index.to_string();
        let at = ["content", "sections", &index];
        length(
            &[at[0], at[1], at[2], "title"],
            &section.title,
            0,
            24,
            problems,
        );
        if !(1..=ROWS).contains(&section.rows.len()) {
            problems.add(&[at[0], at[1], at[2], "rows"], "must have 1 to 10 rows");
        }
        for (row_index, row) in section.rows.iter().enumerate() {
            let row_index = row_index.to_string();
            let at = [at[0], at[1], at[2], "rows", &row_index];
            length(&[&at[..], &["id"]].concat(), &row.id, 1, 200, problems);
            length(&[&at[..], &["title"]].concat(), &row.title, 1, 24, problems);
            let description = row.description.as_deref().unwrap_or_default();
            length(
                &[&at[..], &["description"]].concat(),
                description,
                0,
                72,
                problems,
            );
        }
    }
}

fn header(content: &ContentIn, problems: &mut Problems) {
    let header_text = content.cta_header_text.as_deref().unwrap_or_default();
    length(&["content", "ctaHeaderText"], header_text, 0, 60, problems);
    let footer = content.footer_text.as_deref().unwrap_or_default();
    length(&["content", "footerText"], footer, 0, 60, problems);
    if let Some(url) = &content.cta_header_media_url {
        web_address(&["content", "ctaHeaderMediaUrl"], url, problems);
    }
    let kinds = ["text", "image", "video", "document"];
    if content
        .cta_header_type
        .as_deref()
        .is_some_and(|it| !kinds.contains(&it))
    {
        let words = "must be one of text, image, video, document";
        problems.add(&["content", "ctaHeaderType"], words);
    }
}

fn web_address(path: &[&str], url: &str, problems: &mut Problems) {
    if !is_web_url(url) {
        problems.add(path, "must be a web address with http:// or https://");
    }
}

fn length(path: &[&str], text: &str, least: usize, most: usize, problems: &mut Problems) {
    let count = text.chars().count();
    if !(least..=most).contains(&count) {
        problems.add(path, format!("must have {least} to {most} characters"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiError;

    fn wrong(kind: &str, content: &str) -> Vec<String> {
        let content: Option<ContentIn> = serde_json::from_str(content).unwrap();
        let mut problems = Problems::default();
        let kind = MessageType::from_code(kind).unwrap();
        check(kind, content.as_ref(), Some("text"), &mut problems);
        let errors = problems.finish().err();
        errors
            .iter()
            .flat_map(ApiError::errors)
            .map(|it| it.path.join("."))
            .collect()
    }

    #[test]
    fn each_kind_names_what_it_lacks() {
        for (kind, content, want) in [
            ("text", "null", &[][..]),
            ("image", "null", &["content"]),
            ("image", "{}", &["content.mediaUrl"]),
            ("image", r#"{"mediaUrl":"ftp://x"}"#, &["content.mediaUrl"]),
            ("image", r#"{"mediaUrl":"https://x/y.png"}"#, &[]),
            ("image", r#"{"mediaUrl":"HTTPS://x/y.png"}"#, &[]),
            ("image", r#"{"mediaUrl":"https://"}"#, &["content.mediaUrl"]),
            ("sticker", r#"{"mediaId":"m1"}"#, &[]),
            (
                "location",
                r#"{"latitude":91}"#,
                &["content.latitude", "content.longitude"],
            ),
            ("location", r#"{"latitude":44.4,"longitude":26.1}"#, &[]),
            ("contact", r#"{"contacts":[]}"#, &["content.contacts"]),
            ("contact", r#"{"contacts":[{"name":"Ana"}]}"#, &[]),
            ("buttons", "{}", &["content.buttons"]),
            (
                "buttons",
                r#"{"buttons":[{"id":"","title":"a title that is far too long"}]}"#,
                &["content.buttons.0.id", "content.buttons.0.title"],
            ),
            ("list", "{}", &["content.listButton", "content.sections"]),
            (
                "list",
                r#"{"listButton":"Open","sections":[{"title":"A","rows":[{"id":"1","title":""}]}]}"#,
                &["content.sections.0.rows.0.title"],
            ),
            (
                "cta_url",
                "{}",
                &["content.ctaDisplayText", "content.ctaUrl"],
            ),
            (
                "cta_url",
                r#"{"ctaDisplayText":"Go","ctaUrl":"https://x","ctaHeaderType":"sound"}"#,
                &["content.ctaHeaderType"],
            ),
            ("location_request", "{}", &["content"]),
            ("request_contact_info", "null", &[]),
        ] {
            assert_eq!(wrong(kind, content), want, "{kind} {content}");
        }
    }

    #[test]
    fn what_is_kept_has_no_empty_places() {
        let content: ContentIn = serde_json::from_str(r#"{"mediaUrl":"https://x","a":1}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&content).unwrap(),
            r#"{"mediaUrl":"https://x"}"#
        );
    }
}
