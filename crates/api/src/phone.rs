//! `/phone/v1`: what team phones with an app call (R-PHONE-1). One URL for all pools: the caller's
//! token, or the phone's id in the URL of its webhooks, finds the pool. Not part of the document: it
//! is the app's protocol, and the connector speaks it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::stream;
use ports::connector::Connector;
use ports::hooks::{HookAnswer, HookCall};
use ports::phones::{PhoneCaller, PhoneEvents, PhoneGateway};
use tokio_util::sync::CancellationToken;

use crate::ApiState;
use crate::hooks::response;

/// Where it is, behind the public URL.
const BASE: &str = "/phone/v1";
/// Longest body: a webhook with the pictures of a message.
const BODY_BYTES: usize = 8 * 1_024 * 1_024;
/// How often a silent stream shows that it lives: for proxies, and for us.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The path of phones.
pub(crate) fn router() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/phone/v1/{*path}", any(call))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

/// The running connectors that are pools of phones.
pub(crate) fn pools(api: &ApiState) -> Vec<(Box<str>, Arc<dyn Connector>)> {
    let topology = api.engine.topology();
    let ids: Vec<Box<str>> = topology.routes().map(|it| Box::from(&*it.id)).collect();
    let pool = |id: Box<str>| {
        let connector = api.engine.connector_of(&id)?;
        connector.phones()?;
        Some((id, connector))
    };
    ids.into_iter().filter_map(pool).collect()
}

async fn call(
    State(api): State<Arc<ApiState>>,
    Path(path): Path<String>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "This is too large.");
    };
    let path = format!("/{path}");
    let call = HookCall {
        method: method.as_str().into(),
        url: format!("{}{BASE}{path}", api.public_url).into(),
        query: query.unwrap_or_default().into(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_bytes().into()))
            .collect(),
        body: body.into(),
    };
    let pools = pools(&api);
    let mut blocked = None;
    for (_, connector) in &pools {
        let Some(pool) = connector.phones() else {
            continue;
        };
        let Some(caller) = pool.whose(&path, &call).await else {
            continue;
        };
        if matches!(caller, PhoneCaller::Blocked { .. }) {
            // The code may be one of another pool, which takes codes.
            blocked = blocked.or(Some((pool, caller)));
            continue;
        }
        if let (PhoneCaller::Phone(phone), "GET", "/events") = (&caller, method.as_str(), &*path) {
            return match pool.listen(phone) {
                Some(events) => opened(events, api.closing.clone()),
                None => refused(StatusCode::UNAUTHORIZED, "This phone was sent away."),
            };
        }
        return answered(pool, caller, &path, &call).await;
    }
    if method == Method::GET && path == "/device" {
        // The app asks before it is registered, too, and takes nothing but success.
        let body = br#"{"externalIp":"unknown"}"#;
        return response(HookAnswer::with(200, "application/json", body.as_slice()));
    }
    if let Some((pool, caller)) = blocked {
        return answered(pool, caller, &path, &call).await;
    }
    metrics::counter!("tandem_phone_calls_total", "class" => "stranger").increment(1);
    refused(StatusCode::UNAUTHORIZED, "Nobody knows this token or code.")
}

async fn answered(
    pool: &dyn PhoneGateway,
    caller: PhoneCaller,
    path: &str,
    call: &HookCall,
) -> Response {
    let answer = pool.answer(caller, path, call).await;
    let class = if answer.status < 400 {
        "taken"
    } else {
        "refused"
    };
    metrics::counter!("tandem_phone_calls_total", "class" => class).increment(1);
    response(answer)
}

fn opened(events: Box<dyn PhoneEvents>, closing: CancellationToken) -> Response {
    let events = stream::unfold((events, closing), |(mut events, closing)| async {
        let event = tokio::select! {
            event = events.next() => event?,
            () = closing.cancelled() => return None,
        };
        let frame = Event::default().event(event.name).data(&*event.data);
        Some((Ok::<_, Infallible>(frame), (events, closing)))
    });
    let alive = KeepAlive::new().interval(HEARTBEAT).text("keepalive");
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    response
}

fn refused(status: StatusCode, message: &str) -> Response {
    let body = format!(r#"{{"message":"{message}"}}"#);
    response(HookAnswer::with(status.as_u16(), "application/json", body))
}
