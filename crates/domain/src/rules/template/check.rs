//! R-WIN-3: what may stand in a template: the limits that every provider of WhatsApp has (Cloud API, message
//! templates), so that a mistake is named when the template is made and not when it is submitted.

use thiserror::Error;

use super::{Piece, number, pieces, placeholders};
use crate::model::content::{PriceCategory, is_web_url};
use crate::model::template::{
    ButtonDefinition, ButtonKind, HeaderDefinition, HeaderKind, TemplateDefinition, TemplateText,
    is_template_language, is_template_name,
};

/// Most characters of the body.
pub const BODY_MAX: usize = 1_024;
/// Most characters of a text in the header.
pub const HEADER_TEXT_MAX: usize = 60;
/// Most characters of the footer.
pub const FOOTER_MAX: usize = 60;
/// Most buttons.
pub const BUTTONS_MAX: usize = 3;
/// Most characters on a button.
pub const BUTTON_TEXT_MAX: usize = 25;
/// Most characters of the texts for other channels: a text message of 255 segments has fewer.
const OTHER_BODY_MAX: usize = 4_096;
/// Longest link of a button.
const URL_MAX: usize = 2_000;
/// Longest number of a phone button.
const PHONE_MAX: usize = 20;
/// How many minutes a one-time code may live.
const CODE_MINUTES: std::ops::RangeInclusive<u8> = 1..=90;

/// A part of a template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TemplateField {
    /// Its name.
    Name,
    /// Its language.
    Language,
    /// What it is charged as.
    Category,
    /// What the header says or shows.
    HeaderContent,
    /// The body.
    Body,
    /// The names of numbered placeholders.
    Variables,
    /// The text for SMS.
    SmsBody,
    /// The text for Telegram.
    TelegramBody,
    /// The text for Instagram.
    InstagramBody,
    /// What stands below the body.
    Footer,
    /// The buttons.
    Buttons,
    /// The label of the button at this place.
    ButtonText(usize),
    /// The link of the button at this place.
    ButtonUrl(usize),
    /// The number of the button at this place.
    ButtonPhone(usize),
    /// How the button at this place takes a code over.
    ButtonOtpType(usize),
    /// The package that takes the code of the button at this place over.
    ButtonPackage(usize),
    /// How long a one-time code lives.
    CodeExpiration,
}

/// What is wrong with a part of a template; a clause that follows its name.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TemplateProblem {
    /// It is needed.
    #[error("is required")]
    Required,
    /// It may not be there.
    #[error("must not be given for a button of this kind")]
    NotAllowed,
    /// It is no name.
    #[error("may have only lower-case letters, digits and underscores, at most 512")]
    NameForm,
    /// It is no language.
    #[error("is not a language such as \"en\" or \"pt_BR\"")]
    LanguageForm,
    /// It is too long.
    #[error("has more than {0} characters")]
    TooLong(usize),
    /// There are too many.
    #[error("are more than {0}")]
    TooMany(usize),
    /// Numbers and names together.
    #[error("mixes numbered and named placeholders")]
    Mixed,
    /// Numbered as the body is named, or the other way round.
    #[error("has placeholders of another kind than the body")]
    OtherKind,
    /// A number is left out.
    #[error("has placeholders that are not numbered from {{{{1}}}} without a gap")]
    Gap,
    /// A placeholder that the body does not have.
    #[error("has {{{{{0}}}}}, which is not in the body")]
    NotInBody(Box<str>),
    /// As many names as the body has numbers, or none.
    #[error("must name each of the body's numbered placeholders; it has {0}")]
    Count(usize),
    /// One name for two placeholders.
    #[error("has \"{0}\" twice")]
    Twice(Box<str>),
    /// Braces without a name.
    #[error("has braces that are no placeholder, such as {{{{1}}}} or {{{{name}}}}")]
    Malformed,
    /// There are too many placeholders.
    #[error("may have one placeholder at most")]
    OnePlaceholder,
    /// The placeholder stands elsewhere.
    #[error("may have its placeholder only at its end")]
    NotAtTheEnd,
    /// It is no link.
    #[error("is not a URL that begins with https:// or http://")]
    NotAUrl,
    /// It is no number.
    #[error("is not a phone number of at most {PHONE_MAX} characters")]
    NotAPhone,
    /// It is none of the known words.
    #[error("is neither COPY_CODE nor ONE_TAP")]
    OtpType,
    /// A one-time code needs a place in the text.
    #[error("of an authentication template needs a placeholder for the code")]
    NoCode,
    /// A one-time code is taken over by one button.
    #[error("of an authentication template are one button of type otp")]
    OtpButton,
    /// Only one-time codes are taken over.
    #[error("of type otp are for authentication templates only")]
    OtpElsewhere,
    /// It is out of range.
    #[error("is not from 1 to 90 minutes")]
    CodeMinutes,
    /// No template is charged so.
    #[error("is not utility, marketing or authentication")]
    CategoryForm,
}

/// All that is wrong with a template, in the order of its parts.
pub fn problems(text: &TemplateText) -> Vec<(TemplateField, TemplateProblem)> {
    use TemplateField as Field;
    let mut found = Vec::new();
    let definition = &text.definition;
    if !is_template_name(&definition.name) {
        found.push((Field::Name, TemplateProblem::NameForm));
    }
    if !is_template_language(&definition.language) {
        found.push((Field::Language, TemplateProblem::LanguageForm));
    }
    if definition.category == PriceCategory::Service {
        found.push((Field::Category, TemplateProblem::CategoryForm));
    }
    if let Some(header) = &definition.header {
        let problem = header_problem(header);
        found.extend(problem.map(|it| (Field::HeaderContent, it)));
    }
    let body = body_problem(definition);
    // Beside a body that is wrong itself nothing is missed.
    let is_sound = body.is_none();
    found.extend(body.map(|it| (Field::Body, it)));
    let variables = variables_problem(text).filter(|_| is_sound);
    found.extend(variables.map(|it| (Field::Variables, it)));
    for (field, other) in [
        (Field::SmsBody, &text.sms_body),
        (Field::TelegramBody, &text.telegram_body),
        (Field::InstagramBody, &text.instagram_body),
    ] {
        let problem = other
            .as_deref()
            .and_then(|it| other_body(it, definition, is_sound));
        found.extend(problem.map(|it| (field, it)));
    }
    let footer = definition.footer.as_deref();
    let footer = footer.and_then(|it| length(it, FOOTER_MAX));
    found.extend(footer.map(|it| (Field::Footer, it)));
    button_problems(definition, &mut found);
    let minutes = definition.code_expiration_minutes;
    if minutes.is_some_and(|it| !CODE_MINUTES.contains(&it)) {
        found.push((Field::CodeExpiration, TemplateProblem::CodeMinutes));
    }
    found
}

fn length(text: &str, max: usize) -> Option<TemplateProblem> {
    if text.trim().is_empty() {
        Some(TemplateProblem::Required)
    } else if text.chars().nth(max).is_some() {
        Some(TemplateProblem::TooLong(max))
    } else {
        None
    }
}

/// What is wrong with the placeholders of a text.
fn placeholder_problem(text: &str) -> Option<TemplateProblem> {
    let has_stray_braces = |piece: &Piece<'_>| match piece {
        Piece::Text(words) => words.contains("{{") || words.contains("}}"),
        Piece::Placeholder(_) => false,
    };
    if pieces(text).iter().any(has_stray_braces) {
        return Some(TemplateProblem::Malformed);
    }
    let found = placeholders(text);
    let numbers: Vec<_> = found.iter().filter_map(|it| number(it)).collect();
    if numbers.is_empty() {
        None
    } else if numbers.len() < found.len() {
        Some(TemplateProblem::Mixed)
    } else if !numbers.iter().copied().eq(1..=found.len()) {
        Some(TemplateProblem::Gap)
    } else {
        None
    }
}

fn header_problem(header: &HeaderDefinition) -> Option<TemplateProblem> {
    let content = header.content.as_deref();
    match header.kind {
        HeaderKind::Text => {
            let words = content.unwrap_or_default();
            length(words, HEADER_TEXT_MAX)
                .or_else(|| placeholder_problem(words))
                .or_else(|| {
                    (placeholders(words).len() > 1).then_some(TemplateProblem::OnePlaceholder)
                })
        }
        HeaderKind::Image | HeaderKind::Video | HeaderKind::Document => {
            content.and_then(|it| (!is_web_url(it)).then_some(TemplateProblem::NotAUrl))
        }
    }
}

fn body_problem(definition: &TemplateDefinition) -> Option<TemplateProblem> {
    let body = &definition.body;
    let needs_code = definition.category == PriceCategory::Authentication;
    length(body, BODY_MAX)
        .or_else(|| placeholder_problem(body))
        .or_else(|| {
            let lacks_code = needs_code && placeholders(body).is_empty();
            lacks_code.then_some(TemplateProblem::NoCode)
        })
}

/// What is wrong with the names of the body's numbers. A named body says its names itself: those given
/// beside it may only repeat them.
fn variables_problem(text: &TemplateText) -> Option<TemplateProblem> {
    let names = &text.variables;
    let body = &text.definition.body;
    if names.is_empty() {
        return None;
    }
    let mut each = names.iter().enumerate();
    if let Some((_, name)) = each.find(|(place, it)| names[..*place].contains(it)) {
        return Some(TemplateProblem::Twice(name.clone()));
    }
    let count = placeholders(body).len();
    (names.len() != count).then_some(TemplateProblem::Count(count))
}

/// What is wrong with the text for another channel. It may use fewer values than the body, no others.
fn other_body(
    text: &str,
    definition: &TemplateDefinition,
    is_sound: bool,
) -> Option<TemplateProblem> {
    let is_numbered = |it: &str| placeholders(it).first().map(|it| number(it).is_some());
    length(text, OTHER_BODY_MAX).or_else(|| match placeholder_problem(text) {
        // The numbers are the body's.
        Some(TemplateProblem::Gap) | None => {
            let kinds = is_numbered(text).zip(is_numbered(&definition.body));
            let is_mixed = placeholder_problem(&definition.body) == Some(TemplateProblem::Mixed);
            if kinds.is_some_and(|(this, body)| this != body && !is_mixed) {
                return Some(TemplateProblem::OtherKind);
            }
            if !is_sound {
                return None;
            }
            let known = placeholders(&definition.body);
            let other = placeholders(text)
                .into_iter()
                .find(|it| !known.contains(it));
            other.map(|it| TemplateProblem::NotInBody(it.into()))
        }
        other @ Some(_) => other,
    })
}

fn button_problems(
    definition: &TemplateDefinition,
    found: &mut Vec<(TemplateField, TemplateProblem)>,
) {
    let buttons = &definition.buttons;
    if buttons.len() > BUTTONS_MAX {
        found.push((
            TemplateField::Buttons,
            TemplateProblem::TooMany(BUTTONS_MAX),
        ));
    }
    let is_otp = |it: &ButtonDefinition| it.kind == ButtonKind::Otp;
    if definition.category == PriceCategory::Authentication {
        if buttons.len() != 1 || !buttons.iter().all(is_otp) {
            found.push((TemplateField::Buttons, TemplateProblem::OtpButton));
        }
    } else if buttons.iter().any(is_otp) {
        found.push((TemplateField::Buttons, TemplateProblem::OtpElsewhere));
    }
    for (place, button) in buttons.iter().enumerate() {
        button_problem(place, button, found);
    }
}

fn button_problem(
    place: usize,
    button: &ButtonDefinition,
    found: &mut Vec<(TemplateField, TemplateProblem)>,
) {
    use TemplateField as Field;
    let text = button.text.as_deref();
    let labelled = length(text.unwrap_or_default(), BUTTON_TEXT_MAX);
    let label = match button.kind {
        ButtonKind::QuickReply | ButtonKind::Url | ButtonKind::Phone => labelled,
        ButtonKind::Otp => labelled.filter(|_| text.is_some()),
        ButtonKind::RequestContactInfo => text.map(|_| TemplateProblem::NotAllowed),
    };
    found.extend(label.map(|it| (Field::ButtonText(place), it)));
    match button.kind {
        ButtonKind::Url => {
            let problem = url_problem(button.url.as_deref());
            found.extend(problem.map(|it| (Field::ButtonUrl(place), it)));
        }
        ButtonKind::Phone => {
            let problem = phone_problem(button.phone_number.as_deref());
            found.extend(problem.map(|it| (Field::ButtonPhone(place), it)));
        }
        ButtonKind::Otp => match button.otp_type.as_deref() {
            None | Some("COPY_CODE") => {}
            Some("ONE_TAP") => {
                if button.package_name.is_none() || button.signature_hash.is_none() {
                    found.push((Field::ButtonPackage(place), TemplateProblem::Required));
                }
            }
            Some(_) => found.push((Field::ButtonOtpType(place), TemplateProblem::OtpType)),
        },
        ButtonKind::QuickReply | ButtonKind::RequestContactInfo => {}
    }
}

fn url_problem(url: Option<&str>) -> Option<TemplateProblem> {
    let Some(url) = url.filter(|it| !it.is_empty()) else {
        return Some(TemplateProblem::Required);
    };
    if let Some(problem) = length(url, URL_MAX).or_else(|| placeholder_problem(url)) {
        return Some(problem);
    }
    let pieces = pieces(url);
    let is_placeholder = |it: &Piece<'_>| match it {
        Piece::Placeholder(_) => true,
        Piece::Text(_) => false,
    };
    if !is_web_url(url) {
        Some(TemplateProblem::NotAUrl)
    } else if pieces.iter().filter(|it| is_placeholder(it)).count() > 1 {
        Some(TemplateProblem::OnePlaceholder)
    } else if pieces.iter().rev().skip(1).any(is_placeholder) {
        Some(TemplateProblem::NotAtTheEnd)
    } else {
        None
    }
}

fn phone_problem(number: Option<&str>) -> Option<TemplateProblem> {
    let Some(number) = number.filter(|it| !it.is_empty()) else {
        return Some(TemplateProblem::Required);
    };
    let digits = number.strip_prefix('+').unwrap_or(number);
    let good = !digits.is_empty()
        && number.len() <= PHONE_MAX
        && digits.bytes().all(|it| it.is_ascii_digit());
    (!good).then_some(TemplateProblem::NotAPhone)
}
