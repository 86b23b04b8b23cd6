//! How is an approved template sent with its placeholders filled? (reference: protocols 1.2)

use domain::model::content::{PriceCategory, TemplateUse};
use domain::model::template::{
    ButtonKind, HeaderKind, TemplateButton, TemplateHeader, TemplateParameter,
};
use serde_json::{Value, json};

use super::config::WhatsAppConfig;
use super::submit::{Typed, Unsayable};

/// So many spaces in a row, and Meta refuses a parameter.
const SPACES_MAX: usize = 4;

/// The template object.
pub(super) fn message(config: &WhatsAppConfig, template: &TemplateUse) -> Result<Typed, Unsayable> {
    if template.name.is_empty() || template.language.is_empty() {
        return Err("The template has no name or language at Meta.");
    }
    let mut language = json!({ "code": template.language });
    if config.language_policy {
        language["policy"] = json!("deterministic");
    }
    let mut object = json!({"name": template.name, "language": language});
    let components = components(template)?;
    if !components.is_empty() {
        object["components"] = Value::Array(components);
    }
    Ok(("template", object))
}

fn components(template: &TemplateUse) -> Result<Vec<Value>, Unsayable> {
    let mut components = Vec::new();
    if let Some(header) = &template.header {
        let parameter = header_parameter(header)?;
        components.push(json!({"type": "header", "parameters": [parameter]}));
    }
    let code = one_time_code(template);
    let body: Vec<Value> = match &code {
        Some(code) => vec![json!({"type": "text", "text": code})],
        None => template.body.iter().map(text_parameter).collect(),
    };
    if !body.is_empty() {
        components.push(json!({"type": "body", "parameters": body}));
    }
    match &code {
        Some(code) => components.push(button(0, "url", &json!({"type": "text", "text": code}))),
        None => components.extend(template.buttons.iter().filter_map(filled_button)),
    }
    Ok(components)
}

/// The code of an authentication template: Meta wants it in the body and again in the one button,
/// which is of type `url` whatever it is called where the template is made.
fn one_time_code(template: &TemplateUse) -> Option<String> {
    if template.category != PriceCategory::Authentication {
        return None;
    }
    let in_body = template.body.first().map(|it| &it.text);
    let in_button = template.buttons.first().map(|it| &it.text);
    Some(single_line(in_body.or(in_button)?))
}

fn header_parameter(header: &TemplateHeader) -> Result<Value, Unsayable> {
    match header {
        TemplateHeader::Text(parameter) => Ok(text_parameter(parameter)),
        TemplateHeader::Medium {
            kind,
            url,
            id,
            filename,
        } => {
            let kind = match kind {
                HeaderKind::Image => "image",
                HeaderKind::Video => "video",
                HeaderKind::Document => "document",
                HeaderKind::Text => return Err("A text is no medium for the template's header."),
            };
            let mut medium = match (id, url) {
                (Some(id), _) => json!({ "id": id }),
                (None, Some(url)) => json!({ "link": url }),
                (None, None) => return Err("The template's header needs a medium."),
            };
            if let (Some(name), "document") = (filename, kind) {
                medium["filename"] = json!(name);
            }
            Ok(json!({"type": kind, kind: medium}))
        }
    }
}

fn text_parameter(parameter: &TemplateParameter) -> Value {
    let text = single_line(&parameter.text);
    match &parameter.name {
        Some(name) => json!({"type": "text", "parameter_name": name, "text": text}),
        None => json!({"type": "text", "text": text}),
    }
}

/// Buttons that a message has nothing to fill in for are not named in it.
fn filled_button(filled: &TemplateButton) -> Option<Value> {
    match filled.kind {
        ButtonKind::QuickReply => {
            let payload = json!({"type": "payload", "payload": filled.text});
            Some(button(filled.index, "quick_reply", &payload))
        }
        ButtonKind::Url | ButtonKind::Otp => {
            let text = json!({"type": "text", "text": filled.text});
            Some(button(filled.index, "url", &text))
        }
        ButtonKind::Phone | ButtonKind::RequestContactInfo => None,
    }
}

fn button(index: u8, kind: &str, parameter: &Value) -> Value {
    json!({
        "type": "button",
        "sub_type": kind,
        "index": index.to_string(),
        "parameters": [parameter],
    })
}

/// The text as Meta takes it for a placeholder: a line break, a tab or a long gap becomes one space.
fn single_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = String::new();
    for it in text.trim().chars().chain(['\0']) {
        if it.is_whitespace() {
            gap.push(it);
            continue;
        }
        let is_plain = gap.len() < SPACES_MAX && gap.chars().all(|it| !it.is_control());
        out.push_str(if is_plain { &gap } else { " " });
        gap.clear();
        if it != '\0' {
            out.push(it);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_parameter_has_line_breaks_tabs_or_long_gaps(text: String) {
            let line = single_line(&text);
            let forbidden = ['\n', '\r', '\t', '\u{b}', '\u{c}'];
            prop_assert!(!line.contains(forbidden), "{line:?}");
            prop_assert!(!line.contains("    "), "{line:?}");
        }
    }

    #[test]
    fn words_and_ordinary_spaces_stay_as_they_are() {
        for (text, want) in [
            ("Strada 1,\nBucuresti", "Strada 1, Bucuresti"),
            (" a \r\n\t b ", "a b"),
            ("a  b   c", "a  b   c"),
            ("a    b", "a b"),
            ("é\u{a0}ü", "é\u{a0}ü"),
            ("", ""),
        ] {
            assert_eq!(single_line(text), want, "{text:?}");
        }
    }
}
