//! What a message has for e-mail: subject, HTML, where an answer goes, files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::model::address::EmailAddress;
use domain::model::content::{EmailAttachment, EmailParts};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Problems;

/// Most characters of a subject (RFC 5322: the longest line).
const SUBJECT_CHARS: usize = 998;
/// Most files of one e-mail.
const ATTACHMENTS: usize = 50;
/// Most characters of a file's name.
const FILENAME_CHARS: usize = 255;
/// Most characters of the name by which the HTML body shows a file.
const CONTENT_ID_CHARS: usize = 100;

/// A file of an e-mail.
#[derive(Deserialize, ToSchema)]
#[schema(as = EmailAttachment)]
pub(crate) struct AttachmentIn {
    /// Its name.
    #[schema(min_length = 1, max_length = 255)]
    filename: String,
    /// Its bytes in base 64.
    content: Option<String>,
    /// Where it would be fetched from: not supported, give `content`.
    path: Option<String>,
    /// Its type.
    content_type: Option<String>,
    /// By which the HTML body shows it.
    #[schema(max_length = 100)]
    content_id: Option<String>,
}

/// The fields of a send that are about e-mail.
pub(super) struct EmailIn<'a> {
    pub(super) subject: Option<&'a str>,
    pub(super) html: Option<&'a str>,
    pub(super) reply_to: Option<&'a str>,
    pub(super) attachments: Option<&'a [AttachmentIn]>,
}

/// Reads them; `None` without a subject. `needed`: the message goes by e-mail only.
pub(super) fn read(
    input: &EmailIn<'_>,
    needed: bool,
    problems: &mut Problems,
) -> Option<EmailParts> {
    let subject = match input.subject {
        None | Some("") if needed => {
            problems.add(&["subject"], "is needed for e-mail");
            return None;
        }
        None | Some("") => return None,
        Some(subject) => subject,
    };
    if subject.chars().count() > SUBJECT_CHARS {
        problems.add(&["subject"], "must have at most 998 characters");
    }
    if subject.chars().any(char::is_control) {
        problems.add(
            &["subject"],
            "must not contain line breaks or other control characters",
        );
    }
    let reply_to = input.reply_to.and_then(|it| match EmailAddress::parse(it) {
        Ok(address) => Some(address.as_str().into()),
        Err(error) => {
            problems.add(&["replyTo"], error.to_string());
            None
        }
    });
    let files = input.attachments.unwrap_or_default();
    if files.len() > ATTACHMENTS {
        problems.add(&["attachments"], "must have at most 50 entries");
    }
    let attachments = files
        .iter()
        .enumerate()
        .filter_map(|(at, it)| attachment(it, at, problems))
        .collect();
    Some(EmailParts {
        subject: subject.into(),
        html: input.html.map(Into::into),
        reply_to,
        attachments,
    })
}

fn attachment(input: &AttachmentIn, at: usize, problems: &mut Problems) -> Option<EmailAttachment> {
    let at = at.to_string();
    let mut wrong = |field: &str, words: &str| problems.add(&["attachments", &at, field], words);
    let name = &input.filename;
    if name.is_empty()
        || name.chars().count() > FILENAME_CHARS
        || name.chars().any(char::is_control)
    {
        wrong(
            "filename",
            "must have 1 to 255 characters, and no control characters",
        );
    }
    let id = input.content_id.as_deref();
    if id.is_some_and(|it| it.chars().count() > CONTENT_ID_CHARS || !it.chars().all(is_token)) {
        wrong(
            "content_id",
            "must have at most 100 letters, digits, or . _ - @",
        );
    }
    let content_type = input.content_type.as_deref();
    if content_type.is_some_and(|it| !is_media_type(it)) {
        wrong(
            "content_type",
            "must be a media type, such as application/pdf",
        );
    }
    if input.path.is_some() {
        wrong("path", "is not fetched; give the file in `content`");
        return None;
    }
    let Some(content) = &input.content else {
        wrong("content", "is needed: the file in base 64");
        return None;
    };
    if STANDARD.decode(content).is_err() {
        wrong("content", "is not base 64");
        return None;
    }
    Some(EmailAttachment {
        filename: name.as_str().into(),
        content_type: content_type.map(Into::into),
        content_id: id.map(Into::into),
        content: content.as_str().into(),
    })
}

fn is_token(it: char) -> bool {
    it.is_ascii_alphanumeric() || "._-@".contains(it)
}

fn is_media_type(text: &str) -> bool {
    let is_part = |it: &str| {
        !it.is_empty()
            && it
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || "!#$&^_.+-".contains(it))
    };
    text.split_once('/')
        .is_some_and(|(kind, sub)| is_part(kind) && is_part(sub))
}
