//! How a submission becomes the request that the description wants.
//!
//! The provider takes a text whole and cuts it itself, so a submission is never sent in part: where
//! some parts are known to be taken, all of it goes again (R-DUP lets nothing else be done).

use std::borrow::Cow;

use domain::model::attempt::MAX_PARTS;
use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use domain::phone::PhoneNumber;
use domain::text::{measure, nfc};
use domain::time::Timestamp;
use ports::connector::{Submission, SubmissionKey};
use serde_json::Value;
use url::form_urlencoded;

use super::place::scalar;
use super::provider::{Auth, Route};
use super::spec::{Encoding, NumberForm};
use super::template::{Branch, Facts};
use crate::web::protocol::{Body, Method, Request};

/// Our name for a submission: the message's id, a dot, the attempt's number.
pub(super) fn reference(key: SubmissionKey) -> String {
    format!("{}.{}", key.message, key.attempt)
}

/// The submission of this name.
pub(super) fn key(reference: &str) -> Option<SubmissionKey> {
    let (message, attempt) = reference.rsplit_once('.')?;
    Some(SubmissionKey {
        message: message.parse().ok()?,
        attempt: attempt.parse().ok()?,
    })
}

/// The request that submits it, or the outcome of what cannot be asked.
pub(super) fn request(
    route: &Route,
    submission: &Submission,
    now: Timestamp,
) -> Result<Request, SubmitOutcome> {
    let content = &submission.content;
    let provider = &route.provider;
    let medium = match &provider.send.mms {
        Some(body) if content.fits_mms() => content.media_url().map(|url| (body, url)),
        Some(_) | None => None,
    };
    let text = match medium {
        Some(_) => content.text.as_deref().or(Some("")),
        None => content.plain_text(),
    };
    let text = text.ok_or_else(|| unfit("no_text", "The provider carries plain text only."))?;
    let segments = measure(text);
    if medium.is_none() && segments.count > MAX_PARTS {
        let why = "The text needs more parts than an SMS may have.";
        return Err(unfit("too_long", why));
    }
    let (body, media_url) = match medium {
        Some((body, url)) => (body, url),
        None => (&provider.send.body, String::new()),
    };
    let to = submission.to.phone();
    let to = to.ok_or_else(|| unfit("no_number", "An SMS goes to a phone number only."))?;
    let facts = Facts {
        to: number(provider.numbers, to.as_str()),
        from: sender(provider.numbers, &submission.from),
        text: nfc(text),
        media_kind: if media_url.is_empty() {
            ""
        } else {
            content.kind.code()
        },
        media_url: Cow::Owned(media_url),
        reference: reference(submission.key),
        callback_url: &route.callback_url,
        validity: submission.validity,
        now,
        segments,
        category: submission.category,
    };
    Ok(build(route, body, &facts))
}

fn unfit(code: &str, text: &str) -> SubmitOutcome {
    SubmitOutcome::Rejected(Failure::new(FailureClass::InvalidRequest, code, text))
}

fn number(form: NumberForm, e164: &str) -> Cow<'_, str> {
    let digits = e164.strip_prefix('+').unwrap_or(e164);
    match form {
        NumberForm::E164Plus => Cow::Borrowed(e164),
        NumberForm::E164 => Cow::Borrowed(digits),
        NumberForm::DoubleZero => Cow::Owned(format!("00{digits}")),
    }
}

/// Names and short codes are written as they are.
fn sender(form: NumberForm, from: &str) -> Cow<'_, str> {
    if PhoneNumber::from_canonical(from).is_some() {
        number(form, from)
    } else {
        Cow::Borrowed(from)
    }
}

fn build(route: &Route, body: &Branch, facts: &Facts<'_>) -> Request {
    let provider = &route.provider;
    let send = &provider.send;
    let fields = body.fill(facts).unwrap_or_default();
    let mut query: Vec<(String, String)> = send
        .query
        .iter()
        .map(|(name, value)| (name.clone(), value.fill(facts)))
        .collect();
    let body = match send.encoding {
        Encoding::Json => Body::Json(fields.to_string()),
        Encoding::Form => Body::Form(pairs(&fields)),
        Encoding::Query => {
            query.extend(pairs(&fields));
            Body::None
        }
    };
    let mut headers: Vec<(String, String)> = send
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), header_value(&value.fill(facts))))
        .collect();
    if let Some(name) = &send.idempotency_header {
        headers.push((name.clone(), facts.reference.clone()));
    }
    match &provider.auth {
        Auth::None => {}
        Auth::Header(name, value) => headers.push((name.clone(), value.clone())),
        Auth::Query(name, value) => query.push((name.clone(), value.clone())),
    }
    let path = send.path.fill_url(facts);
    let mut url = format!("{}{path}", provider.base_url);
    if !query.is_empty() {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(&query);
        url = format!("{url}?{}", encoded.finish());
    }
    Request {
        method: send.method,
        url,
        headers,
        body,
    }
}

/// A line break in a header would begin another header.
fn header_value(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).collect()
}

/// The fields of a form: those of a list stand once for each entry.
fn pairs(fields: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in fields.as_object().into_iter().flatten() {
        let values = value
            .as_array()
            .map_or_else(|| vec![value], |it| it.iter().collect());
        for value in values {
            if let Some(text) = scalar(value) {
                pairs.push((name.clone(), text.into_owned()));
            }
        }
    }
    pairs
}

/// The harmless request that shows whether the account works.
pub(super) fn probe(route: &Route) -> Option<Request> {
    let url = route.provider.probe.clone()?;
    let headers = match &route.provider.auth {
        Auth::Header(name, value) => vec![(name.clone(), value.clone())],
        // The check has put the query's into the URL.
        Auth::None | Auth::Query(..) => Vec::new(),
    };
    Some(Request {
        method: Method::Get,
        url,
        headers,
        body: Body::None,
    })
}
