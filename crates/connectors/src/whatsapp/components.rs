//! Templates as Meta writes them, in both directions. (reference: protocols 1.2)
//!
//! Meta's reviewers want an example for every placeholder. Our definition has none for texts, so
//! they get the placeholder's name, or `example 1`. The example of a medium must be a handle that Meta's
//! upload gives (`4::…`): a definition that has a URL in its place cannot be submitted.

use domain::model::content::PriceCategory;
use domain::model::template::{
    ButtonDefinition, ButtonKind, HeaderDefinition, HeaderKind, TemplateDefinition,
};
use serde_json::{Value, json};

use super::{notice, tree};

/// Where the button of an authentication template leads once Meta has made a link of it.
const CODE_LINK: &str = "https://www.whatsapp.com/otp/";

/// The body of the request that submits a template; `Err` says why Meta would refuse it.
pub(super) fn write(definition: &TemplateDefinition) -> Result<Value, Box<str>> {
    let category = match definition.category {
        PriceCategory::Marketing => "MARKETING",
        PriceCategory::Utility => "UTILITY",
        PriceCategory::Authentication => "AUTHENTICATION",
        PriceCategory::Service => return Err("no template is of the category service".into()),
    };
    let mut components = Vec::new();
    if definition.category == PriceCategory::Authentication {
        authentication(definition, &mut components);
    } else {
        if let Some(header) = &definition.header {
            components.push(write_header(header)?);
        }
        components.push(with_examples(
            json!({"type": "BODY", "text": definition.body}),
            "body",
        ));
        if let Some(footer) = &definition.footer {
            components.push(json!({"type": "FOOTER", "text": footer}));
        }
    }
    if !definition.buttons.is_empty() {
        let buttons: Result<Vec<Value>, Box<str>> =
            definition.buttons.iter().map(write_button).collect();
        components.push(json!({"type": "BUTTONS", "buttons": buttons?}));
    }
    let mut template = json!({
        "name": definition.name,
        "language": definition.language,
        "category": category,
        "components": components,
    });
    if is_named(definition) {
        template["parameter_format"] = json!("NAMED");
    }
    Ok(template)
}

/// The texts of an authentication template are Meta's own; only what they mention can be chosen.
fn authentication(definition: &TemplateDefinition, components: &mut Vec<Value>) {
    let recommends = definition.add_security_recommendation;
    components.push(json!({"type": "BODY", "add_security_recommendation": recommends}));
    if let Some(minutes) = definition.code_expiration_minutes {
        components.push(json!({"type": "FOOTER", "code_expiration_minutes": minutes}));
    }
}

fn write_header(header: &HeaderDefinition) -> Result<Value, Box<str>> {
    let content = header.content.as_deref();
    let format = match header.kind {
        HeaderKind::Text => {
            let text = content.ok_or("a header of text needs a text")?;
            let header = json!({"type": "HEADER", "format": "TEXT", "text": text});
            return Ok(with_examples(header, "header"));
        }
        HeaderKind::Image => "IMAGE",
        HeaderKind::Video => "VIDEO",
        HeaderKind::Document => "DOCUMENT",
    };
    let handle = content.filter(|it| is_handle(it)).ok_or(
        "Meta takes the example of a header's medium only as a handle of its upload (\"4::…\"); \
         make this template in WhatsApp Manager, and have it synchronised",
    )?;
    Ok(json!({"type": "HEADER", "format": format, "example": {"header_handle": [handle]}}))
}

/// A handle of Meta's upload: a digit, two colons, and much more.
fn is_handle(text: &str) -> bool {
    let (version, rest) = text.split_once("::").unwrap_or_default();
    version.len() == 1 && version.bytes().all(|it| it.is_ascii_digit()) && !rest.is_empty()
}

/// Adds examples for the placeholders of a component's text. `part` is `body` or `header`.
fn with_examples(mut component: Value, part: &str) -> Value {
    let text = tree::text(&component, "text")
        .unwrap_or_default()
        .to_owned();
    let names = placeholders(&text);
    if names.is_empty() {
        return component;
    }
    component["example"] = if names.iter().any(|it| is_name(it)) {
        let example = |it: &&str| json!({"param_name": it, "example": it});
        let examples: Vec<Value> = names.iter().map(example).collect();
        json!({ format!("{part}_text_named_params"): examples })
    } else {
        let examples: Vec<String> = names.iter().map(|it| format!("example {it}")).collect();
        // The body has a list of lists, the header a list.
        let examples = if part == "body" {
            json!([examples])
        } else {
            json!(examples)
        };
        json!({ format!("{part}_text"): examples })
    };
    component
}

/// The names between double braces, each once, in the order in which they are filled.
fn placeholders(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for piece in text.split("{{").skip(1) {
        if let Some((name, _)) = piece.split_once("}}") {
            let name = name.trim();
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort_by_key(|it| it.parse::<u32>().unwrap_or(u32::MAX));
    names
}

fn is_name(placeholder: &str) -> bool {
    placeholder.parse::<u32>().is_err()
}

/// Whether the placeholders have names; else they are counted.
fn is_named(definition: &TemplateDefinition) -> bool {
    let header = definition
        .header
        .iter()
        .filter(|it| it.kind == HeaderKind::Text);
    let header = header.filter_map(|it| it.content.as_deref());
    let mut texts = header.chain([&*definition.body]);
    definition.category != PriceCategory::Authentication
        && texts.any(|it| placeholders(it).into_iter().any(is_name))
}

fn write_button(button: &ButtonDefinition) -> Result<Value, Box<str>> {
    let text = || button.text.as_deref().ok_or("the button needs a text");
    Ok(match button.kind {
        ButtonKind::QuickReply => json!({"type": "QUICK_REPLY", "text": text()?}),
        ButtonKind::Url => {
            let url = button.url.as_deref().ok_or("a link button needs a url")?;
            let mut out = json!({"type": "URL", "text": text()?, "url": url});
            if url.contains("{{") {
                let example = button.example.as_deref();
                let example = example.ok_or("a link with a placeholder needs an example")?;
                out["example"] = json!([example]);
            }
            out
        }
        ButtonKind::Phone => {
            let number = button
                .phone_number
                .as_deref()
                .ok_or("a phone button needs a number")?;
            json!({"type": "PHONE_NUMBER", "text": text()?, "phone_number": number})
        }
        ButtonKind::Otp => write_code_button(button)?,
        ButtonKind::RequestContactInfo => json!({"type": "REQUEST_CONTACT_INFO"}),
    })
}

fn write_code_button(button: &ButtonDefinition) -> Result<Value, Box<str>> {
    let kind = button.otp_type.as_deref().unwrap_or("COPY_CODE");
    let mut out = json!({"type": "OTP", "otp_type": kind});
    if let Some(text) = &button.text {
        out["text"] = json!(text);
    }
    if kind != "COPY_CODE" {
        let (Some(package), Some(hash)) = (&button.package_name, &button.signature_hash) else {
            return Err("a button that fills a code in needs packageName and signatureHash".into());
        };
        out["supported_apps"] = json!([{"package_name": package, "signature_hash": hash}]);
    }
    Ok(out)
}

/// A template of Meta's list as a definition; `None` where it has no name, language or category.
/// Components that a definition has no place for (carousels, catalogues) are left out.
pub(super) fn read(template: &Value) -> Option<TemplateDefinition> {
    let mut definition = TemplateDefinition {
        name: tree::text(template, "name")?.into(),
        language: tree::text(template, "language")?.into(),
        category: tree::text(template, "category").and_then(notice::category)?,
        header: None,
        body: Box::default(),
        footer: None,
        buttons: Vec::new(),
        add_security_recommendation: false,
        code_expiration_minutes: None,
    };
    for component in tree::list(template, "components") {
        let text = || tree::text(component, "text").map(Into::into);
        let kind = tree::text(component, "type").unwrap_or_default();
        match kind.to_ascii_uppercase().as_str() {
            "HEADER" => definition.header = read_header(component),
            "BODY" => {
                definition.body = text().unwrap_or_default();
                let recommends = component.get("add_security_recommendation");
                definition.add_security_recommendation = recommends == Some(&Value::Bool(true));
            }
            "FOOTER" => {
                definition.footer = text();
                let minutes = tree::whole(component, "code_expiration_minutes");
                definition.code_expiration_minutes = minutes.and_then(|it| it.try_into().ok());
            }
            "BUTTONS" => {
                let buttons = tree::list(component, "buttons").iter();
                definition.buttons = buttons.filter_map(read_button).collect();
            }
            _ => {}
        }
    }
    Some(definition)
}

fn read_header(component: &Value) -> Option<HeaderDefinition> {
    let kind = match tree::text(component, "format")?
        .to_ascii_uppercase()
        .as_str()
    {
        "TEXT" => HeaderKind::Text,
        "IMAGE" => HeaderKind::Image,
        "VIDEO" => HeaderKind::Video,
        "DOCUMENT" => HeaderKind::Document,
        _ => return None,
    };
    let content = match kind {
        HeaderKind::Text => tree::text(component, "text"),
        HeaderKind::Image | HeaderKind::Video | HeaderKind::Document => component
            .get("example")
            .and_then(|it| tree::list(it, "header_handle").first()?.as_str()),
    };
    Some(HeaderDefinition {
        kind,
        content: content.map(Into::into),
    })
}

fn read_button(button: &Value) -> Option<ButtonDefinition> {
    let text = |key: &str| tree::text(button, key).map(Into::into);
    let url = tree::text(button, "url");
    let is_code = url.is_some_and(|it| it.starts_with(CODE_LINK));
    let kind = match tree::text(button, "type")?.to_ascii_uppercase().as_str() {
        "QUICK_REPLY" => ButtonKind::QuickReply,
        "URL" if is_code => ButtonKind::Otp,
        "URL" => ButtonKind::Url,
        "PHONE_NUMBER" => ButtonKind::Phone,
        "OTP" => ButtonKind::Otp,
        "REQUEST_CONTACT_INFO" => ButtonKind::RequestContactInfo,
        _ => return None,
    };
    let app = tree::list(button, "supported_apps").first();
    let of_app = |key: &str| app.and_then(|it| tree::text(it, key)).map(Into::into);
    let is_otp = kind == ButtonKind::Otp;
    let example = tree::list(button, "example")
        .first()
        .and_then(Value::as_str);
    Some(ButtonDefinition {
        kind,
        text: text("text"),
        url: url.filter(|_| !is_otp).map(Into::into),
        example: example.filter(|_| !is_otp).map(Into::into),
        phone_number: text("phone_number"),
        otp_type: text("otp_type").or_else(|| url.filter(|_| is_code).and_then(otp_type)),
        package_name: of_app("package_name").or_else(|| text("package_name")),
        signature_hash: of_app("signature_hash").or_else(|| text("signature_hash")),
    })
}

/// The kind of one-time code in the link that Meta makes of the button.
fn otp_type(url: &str) -> Option<Box<str>> {
    let (_, query) = url.split_once('?')?;
    let mut parameters = url::form_urlencoded::parse(query.as_bytes());
    parameters
        .find(|it| it.0 == "otp_type")
        .map(|it| it.1.into())
}

#[cfg(test)]
#[path = "components_tests.rs"]
mod tests;
