//! A submission as a message of the mail (RFC 5322, MIME).
//!
//! What callers give reaches a header only through the MIME library's encoders, and not at all where
//! it holds control characters: nobody can add a header or a recipient by a line break.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::model::address::{Address, EmailAddress};
use domain::model::content::{Content, EmailAttachment, EmailParts, MessageType};
use domain::model::failure::{Failure, FailureClass};
use domain::model::message::Category;
use domain::model::receipt::SubmitOutcome;
use domain::time::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, MultiPartBuilder, SinglePart};
use ports::connector::Submission;

use super::config::EmailConfig;

/// A message ready to be handed over, to one recipient.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// Our id of it, without the angle brackets: the same when it is sent again, so that mailboxes
    /// can tell the copy.
    pub(super) id: String,
    /// Whom bounces go to.
    pub(super) from: lettre::Address,
    /// The recipient.
    pub(super) to: lettre::Address,
    /// Headers and body.
    pub(super) octets: Vec<u8>,
}

/// What does not depend on the message.
pub(super) struct Letterhead {
    from: EmailAddress,
    name: Option<String>,
    unsubscribe: Option<String>,
}

impl Letterhead {
    /// `None` where the configured address is none.
    pub(super) fn new(config: &EmailConfig) -> Option<Self> {
        let from = EmailAddress::parse(&config.from).ok()?;
        address(&from)?;
        Some(Self {
            from,
            name: config.from_name.clone().filter(|it| is_plain(it)),
            unsubscribe: config.unsubscribe.clone().filter(|it| is_plain(it)),
        })
    }

    /// Our address, where a sender has none.
    pub(super) const fn from(&self) -> &EmailAddress {
        &self.from
    }

    /// The name beside it.
    pub(super) fn name(&self) -> Option<String> {
        self.name.clone()
    }

    /// Writes the message. `salt` makes the boundaries of its parts unguessable.
    pub(super) fn compose(
        &self,
        submission: &Submission,
        now: Timestamp,
        salt: u64,
    ) -> Result<Letter, SubmitOutcome> {
        let Address::Email(recipient) = &submission.to else {
            return Err(unfit("address", "The address is not one of e-mail."));
        };
        let to = address(recipient).ok_or_else(|| {
            rejected(
                FailureClass::RecipientIncapable,
                "smtputf8",
                "Addresses with letters beyond ASCII before the at sign are not supported.",
            )
        })?;
        let own = EmailAddress::parse(&submission.from).ok();
        let from = own.as_ref().unwrap_or(&self.from);
        let from = address(from).ok_or_else(|| unfit("from", "The sender's address is none."))?;
        let content = &*submission.content;
        let parts = parts(content)?;
        let id = format!(
            "{}-{}@{}",
            submission.key.message,
            submission.key.attempt,
            from.domain()
        );
        let written = UNIX_EPOCH + Duration::from_millis(now.as_millis().max(0).unsigned_abs());
        let mut message = Message::builder()
            .from(Mailbox::new(self.name.clone(), from.clone()))
            .to(Mailbox::new(None, to.clone()))
            .subject(&*parts.subject)
            .date(written)
            .message_id(Some(format!("<{id}>")));
        if let Some(reply_to) = &parts.reply_to {
            let reply_to = EmailAddress::parse(reply_to).ok();
            let reply_to = reply_to.as_ref().and_then(address);
            let reply_to =
                reply_to.ok_or_else(|| unfit("reply_to", "replyTo is not an e-mail address."))?;
            message = message.reply_to(Mailbox::new(None, reply_to));
        }
        if submission.context.is_none() {
            // Not an answer to a person: holiday notices and the like need not answer (RFC 3834).
            message = message.raw_header(header("Auto-Submitted", "auto-generated"));
        }
        if submission.category == Category::Promotional
            && let Some(url) = &self.unsubscribe
        {
            let url = url
                .replace("{to}", &in_query(to.as_ref()))
                .replace("{message}", &submission.key.message.to_string());
            if url.starts_with("https:") {
                message = message.raw_header(header(
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click",
                ));
            }
            message = message.raw_header(header("List-Unsubscribe", format!("<{url}>")));
        }
        let text = match &submission.template {
            Some(template) => template.plain_text.as_deref(),
            None => content.plain_text(),
        };
        let message = match body(text, parts, salt)? {
            Body::One(part) => message.singlepart(part),
            Body::More(parts) => message.multipart(parts),
        };
        let message = message.map_err(|it| unfit("mime", &format!("No message of it: {it}.")))?;
        Ok(Letter {
            id,
            from,
            to,
            octets: message.formatted(),
        })
    }
}

fn parts(content: &Content) -> Result<&EmailParts, SubmitOutcome> {
    match (content.kind, &content.email) {
        (MessageType::Text | MessageType::Template, Some(parts)) if is_plain(&parts.subject) => {
            Ok(parts)
        }
        (MessageType::Text | MessageType::Template, Some(_)) => Err(unfit(
            "subject",
            "The subject has line breaks or other control characters.",
        )),
        (MessageType::Text | MessageType::Template, None) => {
            Err(unfit("no_subject", "An e-mail needs a subject."))
        }
        (
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
            | MessageType::RequestContactInfo
            | MessageType::LocationRequest
            | MessageType::Reaction,
            _,
        ) => Err(unfit(
            "type",
            "An e-mail carries text, HTML and attachments only.",
        )),
    }
}

/// Whether it can stand in a header.
fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// The address as it travels: its domain in ASCII. `None` where what is before the at sign is not.
pub(super) fn address(of: &EmailAddress) -> Option<lettre::Address> {
    let (local, domain) = of.as_str().rsplit_once('@')?;
    let domain = match url::Host::parse(domain).ok()? {
        url::Host::Domain(domain) => domain,
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => return None,
    };
    local.is_ascii().then_some(())?;
    lettre::Address::new(local, domain).ok()
}

/// As a value in a URL's query.
fn in_query(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// How boundaries begin: like nothing that stands in the texts, so that none of them ends its part.
/// Attachments have an encoding without such characters.
fn boundary_outside(texts: &[Option<&str>], salt: u64) -> String {
    let mut salt = salt;
    loop {
        let boundary = format!("=_{salt:016x}");
        if !texts.iter().flatten().any(|it| it.contains(&boundary)) {
            return boundary;
        }
        salt = salt.wrapping_add(1);
    }
}

enum Body {
    One(SinglePart),
    More(MultiPart),
}

/// `mixed(alternative(text, related(html, inline…)), attachment…)`, without the levels that have one
/// part only.
fn body(text: Option<&str>, parts: &EmailParts, salt: u64) -> Result<Body, SubmitOutcome> {
    let boundary = boundary_outside(&[text, parts.html.as_deref()], salt);
    let mut levels = 0;
    let mut level = |kind: MultiPartBuilder| {
        levels += 1;
        kind.boundary(format!("{boundary}_{levels}"))
    };
    let is_inline = |it: &&EmailAttachment| it.content_id.is_some() && parts.html.is_some();
    let html = match &parts.html {
        None => None,
        Some(html) => {
            let html = SinglePart::html(lines(html));
            let mut inline = parts.attachments.iter().filter(is_inline).peekable();
            Some(if inline.peek().is_none() {
                Body::One(html)
            } else {
                let related = level(MultiPart::related()).singlepart(html);
                Body::More(inline.try_fold(related, |related, it| {
                    Ok(related.singlepart(attachment(it, true)?))
                })?)
            })
        }
    };
    let text = text.map(|it| SinglePart::plain(lines(it)));
    let words = match (text, html) {
        (None, None) => return Err(unfit("no_text", "There is neither text nor HTML to send.")),
        (Some(text), None) => Body::One(text),
        (None, Some(html)) => html,
        (Some(text), Some(html)) => {
            let both = level(MultiPart::alternative()).singlepart(text);
            Body::More(match html {
                Body::One(html) => both.singlepart(html),
                Body::More(html) => both.multipart(html),
            })
        }
    };
    let mut attached = parts
        .attachments
        .iter()
        .filter(|it| !is_inline(it))
        .peekable();
    if attached.peek().is_none() {
        return Ok(words);
    }
    let mixed = level(MultiPart::mixed());
    let mixed = match words {
        Body::One(words) => mixed.singlepart(words),
        Body::More(words) => mixed.multipart(words),
    };
    let mixed = attached.try_fold(mixed, |mixed, it| {
        Ok(mixed.singlepart(attachment(it, false)?))
    })?;
    Ok(Body::More(mixed))
}

/// Line breaks of one kind: a lone carriage return means different things to different servers, which
/// can be used to smuggle a second message in.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn attachment(it: &EmailAttachment, inline: bool) -> Result<SinglePart, SubmitOutcome> {
    let octets = STANDARD
        .decode(&*it.content)
        .map_err(|_| unfit("attachment", "An attachment is not in base 64."))?;
    let name: String = it.filename.chars().filter(|it| !it.is_control()).collect();
    let given = it.content_type.as_deref().unwrap_or_default();
    // Messages and multiparts may not be in base 64.
    let is_whole = given.starts_with("multipart/") || given.starts_with("message/");
    let kind = ContentType::parse(given)
        .ok()
        .filter(|_| is_plain(given) && !is_whole);
    let kind = match kind {
        Some(kind) => kind,
        None => ContentType::parse("application/octet-stream")
            .map_err(|_| unfit("attachment", "An attachment has no type."))?,
    };
    let part = match it.content_id.as_deref() {
        Some(id) if inline => {
            let is_id = |it: char| it.is_ascii_graphic() && !"<>".contains(it);
            if id.is_empty() || !id.chars().all(is_id) {
                return Err(unfit("content_id", "A content_id is not one."));
            }
            Attachment::new_inline_with_name(id.to_owned(), name)
        }
        Some(_) | None => Attachment::new(name),
    };
    Ok(part.body(octets, kind))
}

fn unfit(code: &str, text: &str) -> SubmitOutcome {
    rejected(FailureClass::InvalidRequest, code, text)
}

fn rejected(class: FailureClass, code: &str, text: &str) -> SubmitOutcome {
    SubmitOutcome::Rejected(Failure::new(class, code, text))
}

fn header(name: &'static str, value: impl Into<String>) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.into())
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
