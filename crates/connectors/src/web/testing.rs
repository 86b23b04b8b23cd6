//! Calls of providers, for tests.

use ports::hooks::HookCall;

/// A call to `url`, without headers.
pub(crate) fn hook(method: &str, url: &str, body: &str) -> HookCall {
    HookCall {
        method: method.into(),
        url: url.into(),
        query: url.split_once('?').map_or("", |it| it.1).into(),
        headers: Vec::new(),
        body: body.into(),
    }
}
