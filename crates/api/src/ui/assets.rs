//! The pages, inside the program (R-RUN-1): built from `web/` and committed, so that building the
//! server needs no Node.
//!
//! Files whose name holds a hash of their content never change and are kept for a year; everything
//! else is asked for each time, and answered 304 where it is the same. What is large lies there packed
//! too, for browsers that take it so.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::ApiState;
use crate::error::ApiError;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Pages;

/// The page that all others are in.
const INDEX: &str = "index.html";
/// What files with a hash in their name begin with.
const HASHED: &str = "assets/";
/// How the name of a packed file ends.
const PACKED: &str = ".gz";
/// A page loads nothing but its own files, runs no script that stands in it, and stands in no
/// frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";
/// Other sites get no window of ours to hold.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The paths of the pages: the root, and each file that was built.
pub(super) fn router() -> Router<Arc<ApiState>> {
    let mut router = Router::new().route("/", get(serve));
    for path in Pages::iter().filter(|it| !it.ends_with(PACKED)) {
        router = router.route(&format!("/{path}"), get(serve));
    }
    router
}

async fn serve(State(api): State<Arc<ApiState>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { INDEX } else { path };
    let packed = Pages::get(&format!("{path}{PACKED}"));
    let comes_in_two = packed.is_some();
    let packed = packed.filter(|_| takes_packed(&headers));
    let is_packed = packed.is_some();
    let Some(file) = packed.or_else(|| Pages::get(path)) else {
        return ApiError::not_found("path").into_response();
    };
    let etag = etag(&file);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|it| *it == etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(match file.data {
            std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
            std::borrow::Cow::Owned(bytes) => Body::from(bytes),
        })
    };
    let set = response.headers_mut();
    set.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    set.insert(CACHE_CONTROL, HeaderValue::from_static(caching(path)));
    set.insert(ETAG, etag);
    if comes_in_two {
        set.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_packed {
        set.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (OPENER_POLICY, "same-origin"),
        (
            PERMISSIONS_POLICY,
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
    ] {
        set.insert(name, HeaderValue::from_static(value));
    }
    if api.public_url.starts_with("https://") {
        let year = HeaderValue::from_static("max-age=31536000");
        set.insert(STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// Whether this browser takes what is packed. All do; who writes that they do not is believed.
fn takes_packed(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter();
    let mut ways = lines
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','));
    ways.any(|it| {
        let (name, weight) = it.split_once(';').unwrap_or((it, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip") && weight.parse().unwrap_or(0.0) > 0.0_f32
    })
}

fn etag(file: &EmbeddedFile) -> HeaderValue {
    let hash = file.metadata.sha256_hash();
    let digits = hash.iter().take(16).fold(String::new(), |text, byte| {
        let digit = |it: u8| char::from_digit(it.into(), 16).unwrap_or('0');
        text + &String::from_iter([digit(byte >> 4), digit(byte & 15)])
    });
    // Digits and quotes are always a header's value.
    HeaderValue::from_str(&format!("\"{digits}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn caching(path: &str) -> &'static str {
    if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|it| it.1) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a phone has to load before it shows anything, unpacked.
    const MOST_BYTES: usize = 150 * 1_024;
    /// All there is: that, and the icons, of which a phone loads one.
    const MOST_OF_ALL_BYTES: usize = 200 * 1_024;

    #[test]
    fn the_pages_are_in_the_program_and_small() {
        assert!(Pages::get(INDEX).is_some() && Pages::get("sw.js").is_some());
        let sum = |is_counted: fn(&str) -> bool| -> usize {
            let counted = Pages::iter().filter(|it| !it.ends_with(PACKED) && is_counted(it));
            counted.map(|it| Pages::get(&it).unwrap().data.len()).sum()
        };
        let (first, all) = (sum(|it| !it.starts_with("icons/")), sum(|_| true));
        assert!(first < MOST_BYTES, "{first} bytes");
        assert!(all < MOST_OF_ALL_BYTES, "{all} bytes");
    }

    #[test]
    fn what_is_packed_is_for_who_takes_it() {
        let takes = |text: &'static str| {
            let value = HeaderValue::from_static(text);
            takes_packed(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)]))
        };
        for text in ["gzip", "deflate, GZIP;q=0.5, br", "br;q=1.0, gzip ; q=1"] {
            assert!(takes(text), "{text}");
        }
        for text in ["", "identity", "br, gzip;q=0", "gzip;q=0.0", "xgzip"] {
            assert!(!takes(text), "{text}");
        }
        assert!(!takes_packed(&HeaderMap::new()));
        for path in Pages::iter().filter(|it| it.starts_with(HASHED) && !it.ends_with(PACKED)) {
            let packed = Pages::get(&format!("{path}{PACKED}")).unwrap().data.len();
            assert!(packed * 2 < Pages::get(&path).unwrap().data.len(), "{path}");
        }
    }

    #[test]
    fn every_file_has_a_type_that_browsers_know() {
        for path in Pages::iter().filter(|it| !it.ends_with(PACKED)) {
            assert_ne!(media_type(&path), "application/octet-stream", "{path}");
        }
    }

    #[test]
    fn no_script_or_style_stands_in_the_page_itself() {
        let index = Pages::get(INDEX).unwrap();
        let text = std::str::from_utf8(&index.data).unwrap();
        for tag in text.split('<').filter(|it| it.starts_with("script")) {
            assert!(tag.contains(" src="), "{tag}");
            assert!(
                tag.trim_end().ends_with("></") || tag.trim_end().ends_with('>'),
                "{tag}"
            );
        }
        assert!(!text.contains("<style") && !text.contains(" style="));
    }
}
