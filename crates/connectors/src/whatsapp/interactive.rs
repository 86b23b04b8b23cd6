//! Messages that the recipient answers by touching them: buttons, lists, links, requests.

use serde_json::{Value, json};

use super::submit::Unsayable;
use crate::content_object::{ContentObject, Row, Section};

/// Up to three buttons.
pub(super) fn buttons(object: &ContentObject, text: Option<&str>) -> Result<Value, Unsayable> {
    if object.buttons.is_empty() {
        return Err("A message with buttons needs a button.");
    }
    let button = |it: &crate::content_object::Button| json!({"type": "reply", "reply": {"id": it.id, "title": it.title}});
    let buttons: Vec<Value> = object.buttons.iter().map(button).collect();
    let action = json!({ "buttons": buttons });
    Ok(with_footer(interactive("button", text, &action)?, object))
}

/// A list to choose from.
pub(super) fn list(object: &ContentObject, text: Option<&str>) -> Result<Value, Unsayable> {
    let Some(button) = &object.list_button else {
        return Err("A list needs a listButton, the label that opens it.");
    };
    if object.sections.iter().all(|it| it.rows.is_empty()) {
        return Err("A list needs a row.");
    }
    let sections: Vec<Value> = object.sections.iter().map(section).collect();
    let action = json!({"button": button, "sections": sections});
    Ok(with_footer(interactive("list", text, &action)?, object))
}

/// Meta wants no title of a section rather than an empty one.
fn section(section: &Section) -> Value {
    let rows: Vec<Value> = section.rows.iter().map(row).collect();
    if section.title.is_empty() {
        json!({ "rows": rows })
    } else {
        json!({"title": section.title, "rows": rows})
    }
}

fn row(row: &Row) -> Value {
    let mut out = json!({"id": row.id, "title": row.title});
    if let Some(description) = &row.description {
        out["description"] = json!(description);
    }
    out
}

/// A button that opens a link, with an optional header and footer.
pub(super) fn link(object: &ContentObject, text: Option<&str>) -> Result<Value, Unsayable> {
    let (Some(label), Some(url)) = (&object.cta_display_text, &object.cta_url) else {
        return Err("A link button needs a ctaDisplayText and a ctaUrl.");
    };
    let action = json!({
        "name": "cta_url",
        "parameters": {"display_text": label, "url": url},
    });
    let mut link = with_footer(interactive("cta_url", text, &action)?, object);
    if let Some(header) = header(object)? {
        link["header"] = header;
    }
    Ok(link)
}

/// The header of a link button. Its kind may be left out where only one of its fields is there.
fn header(object: &ContentObject) -> Result<Option<Value>, Unsayable> {
    let text = object.cta_header_text.as_deref();
    let medium = object.cta_header_media_url.as_deref();
    let kind = match (object.cta_header_type.as_deref(), text, medium) {
        (Some(kind), ..) => kind,
        (None, Some(_), _) => "text",
        (None, None, Some(_)) => "image",
        (None, None, None) => return Ok(None),
    };
    match (kind, text, medium) {
        ("text", Some(text), _) => Ok(Some(json!({"type": "text", "text": text}))),
        ("text", None, _) => Err("A text header needs a ctaHeaderText."),
        ("image" | "video" | "document", _, Some(link)) => {
            Ok(Some(json!({"type": kind, kind: {"link": link}})))
        }
        ("image" | "video" | "document", _, None) => {
            Err("A header with a medium needs a ctaHeaderMediaUrl.")
        }
        _ => Err("The ctaHeaderType is none of text, image, video, document."),
    }
}

/// Asks the recipient for their place.
pub(super) fn ask_for_place(text: Option<&str>) -> Result<Value, Unsayable> {
    let action = json!({"name": "send_location"});
    interactive("location_request_message", text, &action)
}

/// Asks the recipient for their number; the answer is a contact message. Meta has this since
/// numbers can be hidden (2026).
pub(super) fn ask_for_contact(text: Option<&str>) -> Result<Value, Unsayable> {
    let action = json!({"name": "request_contact_info"});
    interactive("request_contact_info", text, &action)
}

fn interactive(kind: &str, text: Option<&str>, action: &Value) -> Result<Value, Unsayable> {
    let body = text.ok_or("A message to be answered by touch needs a text.")?;
    Ok(json!({"type": kind, "body": {"text": body}, "action": action}))
}

fn with_footer(mut interactive: Value, object: &ContentObject) -> Value {
    if let Some(footer) = &object.footer_text {
        interactive["footer"] = json!({ "text": footer });
    }
    interactive
}
