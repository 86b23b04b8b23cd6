//! The files of a message: what an e-mail has attached, and the medium that a person sent.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ids::MessageId;
use domain::model::content::{Content, EmailAttachment};
use domain::time::Timestamp;
use ports::store::messages::{MessageView, ViewKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read::find;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut};
use crate::json::{Iso, Shown};
use crate::path::InPath;
use crate::schema;
use crate::{ApiState, json};

/// Of a type that nobody named.
const UNTYPED: &str = "application/octet-stream";

/// The files of an e-mail.
#[derive(Serialize, ToSchema)]
#[schema(as = Attachments)]
struct AttachmentsOut<'a> {
    /// In their order; none on other channels.
    items: Vec<AttachmentOut<'a>>,
}

/// A file of an e-mail.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attachment)]
pub(crate) struct AttachmentOut<'a> {
    /// Its id.
    id: String,
    /// Its name.
    filename: &'a str,
    /// Its type.
    mime_type: &'a str,
    /// Its length in bytes.
    size: usize,
    /// Whether the HTML body shows it.
    is_inline: bool,
    /// By which the HTML body shows it.
    #[schema(required = true)]
    content_id: Option<&'a str>,
    /// Always `null`: files are not served to who has no key. `downloadPath` is where to get it.
    #[schema(required = true)]
    download_url: Option<&'a str>,
    /// The path under this API where the file is, with the same key.
    download_path: String,
    /// When the message was accepted, or reached us.
    #[schema(schema_with = schema::time)]
    created_at: Iso,
}

impl<'a> AttachmentOut<'a> {
    fn of(message: MessageId, no: usize, file: &'a EmailAttachment, at: Timestamp) -> Self {
        let id = attachment_id(message, no);
        Self {
            download_path: format!("/v1/messages/{}/attachments/{id}", Shown(message).0),
            id,
            filename: &file.filename,
            mime_type: file.content_type.as_deref().unwrap_or(UNTYPED),
            size: decoded_len(&file.content),
            is_inline: file.content_id.is_some(),
            content_id: file.content_id.as_deref(),
            download_url: None,
            created_at: Iso(at),
        }
    }
}

/// The message and the place among its files: needs no table of its own.
fn attachment_id(message: MessageId, no: usize) -> String {
    let message = message.to_string();
    let digits = message.strip_prefix("msg_").unwrap_or(&message);
    format!("att_{digits}{no:x}")
}

/// How many bytes a text in base 64 stands for.
fn decoded_len(content: &str) -> usize {
    let padding = content.bytes().rev().take_while(|it| *it == b'=').count();
    (content.len() / 4 * 3).saturating_sub(padding)
}

fn parts(view: &MessageView) -> (&Content, Timestamp) {
    match &view.kind {
        ViewKind::Outbound { message, .. } => (&message.content, message.accepted_at),
        ViewKind::Inbound(inbound) => (&inbound.content, inbound.received_at),
    }
}

fn attached(content: &Content) -> &[EmailAttachment] {
    content
        .email
        .as_ref()
        .map(|it| it.attachments.as_slice())
        .unwrap_or_default()
}

/// The files of a message, in their order.
pub(crate) fn attachments_of(view: &MessageView) -> Vec<AttachmentOut<'_>> {
    let (content, at) = parts(view);
    let files = attached(content).iter().enumerate();
    files
        .map(|(no, file)| AttachmentOut::of(view.id, no, file, at))
        .collect()
}

/// Lists the attachments of a message. Only e-mail has any.
#[utoipa::path(
    get,
    path = "/v1/messages/{messageId}/attachments",
    operation_id = "listMessageAttachments",
    tag = "messages",
    params(("messageId" = String, Path, description = "Id of the message")),
    responses(
        (status = 200, description = "The attachments", body = AttachmentsOut<'_>),
        (status = 404, description = "No such message", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn attachments(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let view = find(&api, &caller, &id).await?;
    let items = attachments_of(&view);
    Ok(json::response(StatusCode::OK, &AttachmentsOut { items }))
}

/// Serves a file of an e-mail.
#[utoipa::path(
    get,
    path = "/v1/messages/{messageId}/attachments/{attachmentId}",
    operation_id = "getMessageAttachment",
    tag = "messages",
    params(
        ("messageId" = String, Path, description = "Id of the message"),
        ("attachmentId" = String, Path, description = "Id of the attachment"),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "No such message or attachment", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn attachment(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath((id, attachment)): InPath<(String, String)>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let view = find(&api, &caller, &id).await?;
    let (content, _) = parts(&view);
    let mut files = attached(content).iter().enumerate();
    let found = files.find(|(no, _)| attachment_id(view.id, *no) == attachment);
    let (_, file) = found.ok_or_else(|| ApiError::not_found("attachment"))?;
    let bytes = STANDARD.decode(file.content.as_bytes()).map_err(|error| {
        ApiError::internal(&format!(
            "an attachment is kept that is not base 64: {error}"
        ))
    })?;
    let kind = file.content_type.as_deref().unwrap_or(UNTYPED);
    Ok(download(kind, Some(&file.filename), bytes))
}

/// What the `content` object says of a medium.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Medium {
    media_id: Option<String>,
    media_url: Option<String>,
    filename: Option<String>,
}

/// Serves the medium that a person sent, from its provider, which keeps it for some time only.
#[utoipa::path(
    get,
    path = "/v1/messages/{messageId}/media",
    operation_id = "getMessageMedia",
    tag = "messages",
    params(("messageId" = String, Path, description = "Id of the inbound message")),
    responses(
        (status = 200, description = "The medium", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "No such message, or it has no medium that its provider keeps", body = ErrorOut<'_>),
        (status = 502, description = "The provider did not give it", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn media(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let view = find(&api, &caller, &id).await?;
    let missing = || ApiError::not_found("medium");
    let ViewKind::Inbound(inbound) = &view.kind else {
        return Err(missing());
    };
    let object = inbound.content.extra.as_deref().ok_or_else(missing)?;
    let medium: Medium = serde_json::from_str(object).unwrap_or_default();
    let name = medium.media_id.or(medium.media_url).ok_or_else(missing)?;
    let connector = api.engine.connector(inbound.route).ok_or_else(missing)?;
    let source = connector.media().ok_or_else(missing)?;
    let media = source.fetch(&name).await?;
    let filename = medium.filename.as_deref();
    Ok(download(&media.content_type, filename, media.bytes))
}

/// A file as it is. It came from outside: no browser is to show it as a page of ours, or to guess
/// another type.
fn download(kind: &str, filename: Option<&str>, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let kind = HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static(UNTYPED));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "private, no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_DISPOSITION, disposition(filename));
    response
}

/// `attachment`, with the name as RFC 8187 writes it.
fn disposition(filename: Option<&str>) -> HeaderValue {
    const PLAIN: HeaderValue = HeaderValue::from_static("attachment");
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let Some(name) = filename else { return PLAIN };
    let mut value = "attachment; filename*=UTF-8''".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            let [high, low] = [byte >> 4, byte & 15].map(|it| HEX[usize::from(it)]);
            value.extend(['%', high.into(), low.into()]);
        }
    }
    HeaderValue::from_str(&value).unwrap_or(PLAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_file_is_that_of_its_bytes() {
        for text in ["", "a", "ab", "abc", "abcd", "abcde"] {
            assert_eq!(decoded_len(&STANDARD.encode(text)), text.len(), "{text}");
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let value = disposition(Some("r\"é\r\n; x=.pdf"));
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename*=UTF-8''r%22%C3%A9%0D%0A%3B%20x%3D.pdf"
        );
        assert_eq!(disposition(None), "attachment");
    }
}
