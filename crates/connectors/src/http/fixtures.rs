//! The presets with made-up accounts, for tests.

use std::collections::BTreeMap;

use domain::ids::MessageId;
use domain::model::money::Currency;
use domain::time::{Millis, Timestamp};
use ports::connector::{Submission, SubmissionKey};
use ports::hooks::HookCall;

use super::provider::Auth;
use super::{Described, HttpConfig, ProviderSpec};
use crate::testing;
use crate::web::protocol::{Answer, Body, Request};
use crate::web::testing::hook;

/// The time at which the callbacks of `presets/make_calls.py` arrive.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_795_300_000_000);
pub(super) const HOOK: &str = "https://router.example/hooks/r";

/// The settings of each preset's made-up account.
const SETTINGS: &[(&str, &[(&str, &str)])] = &[
    (
        "infobip",
        &[
            ("subdomain", "xyz1"),
            ("api_key", "KEY-0123"),
            ("callback_secret", "tok 1"),
        ],
    ),
    (
        "messagebird",
        &[
            ("access_key", "KEY-0123"),
            ("signing_key", "a signing key of 32 bytes, or so"),
        ],
    ),
    (
        "plivo",
        &[("auth_id", "MA123"), ("auth_token", "authtoken")],
    ),
    (
        "sinch",
        &[
            ("service_plan_id", "plan1"),
            ("api_token", "TOKEN-0123"),
            ("callback_secret", "tok 1"),
        ],
    ),
    (
        "telnyx",
        &[
            ("api_key", "KEY-0123"),
            ("public_key", "jxVDocTrO2FlJoVZfs97MvQ/21c2feFE2ZMk8Miq6wk="),
        ],
    ),
    (
        "vonage",
        &[
            ("api_key", "vonagekey"),
            ("api_secret", "vonagesecret"),
            ("signature_secret", "sigsecret"),
        ],
    ),
];

/// The credentials of a preset's made-up account, and its login where it has one.
pub(super) fn secrets(preset: &str) -> Vec<String> {
    let settings = SETTINGS.iter().find(|it| it.0 == preset).unwrap().1;
    let is_secret = |name: &str| {
        ["key", "secret", "token"]
            .iter()
            .any(|it| name.contains(it))
    };
    let own = settings
        .iter()
        .filter(|it| is_secret(it.0) && it.0 != "public_key")
        .map(|it| it.1.to_owned());
    // What the two halves of a login make together.
    let shown = match config(preset, "", Currency::EUR).provider.auth {
        Auth::Header(_, value) => value.strip_prefix("Basic ").map(str::to_owned),
        Auth::Query(..) | Auth::None => None,
    };
    own.chain(shown).collect()
}

/// The names of the presets.
pub(super) fn presets() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|it| it.0)
}

/// A route of a preset, with keys of its own laid over it.
pub(super) fn config(preset: &str, own: &str, currency: Currency) -> HttpConfig {
    let mut table: toml::Table = toml::from_str(own).unwrap();
    table.insert("preset".to_owned(), preset.into());
    let settings = SETTINGS.iter().find(|it| it.0 == preset).unwrap().1;
    described(table, settings, currency)
}

/// A route of a description.
pub(super) fn described(
    table: toml::Table,
    settings: &[(&str, &str)],
    currency: Currency,
) -> HttpConfig {
    let settings: BTreeMap<String, String> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let provider = ProviderSpec::read(table).unwrap().check(&settings).unwrap();
    HttpConfig {
        provider,
        hook_url: Some(HOOK.into()),
        currency,
        window: 10,
        timeout: Millis::seconds(10),
    }
}

/// A preset, as its account's currency is euro.
pub(super) fn preset(name: &str) -> Described {
    Described::new(&config(name, "", Currency::EUR))
}

/// Message 7, first attempt.
pub(super) const KEY: SubmissionKey = SubmissionKey {
    message: MessageId::from_key(7),
    attempt: 1,
};

/// A submission of it, from a number of ours.
pub(super) fn submission(text: &str) -> Submission {
    Submission {
        key: KEY,
        from: "+40700000001".into(),
        validity: Some(Millis::new(90_500)),
        ..testing::submission(7, "+40712345678", text)
    }
}

/// An answer with this body.
pub(super) fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

/// A request as text.
pub(super) fn shown(request: &Request) -> String {
    let mut lines = vec![format!("{:?} {}", request.method, request.url)];
    for (name, value) in &request.headers {
        lines.push(format!("{name}: {value}"));
    }
    match &request.body {
        Body::None => {}
        Body::Json(text) => lines.push(text.clone()),
        Body::Form(fields) => {
            lines.extend(fields.iter().map(|(name, value)| format!("{name}={value}")));
        }
    }
    lines.join("\n")
}

/// A call as it stands in a file: method and URL, headers, an empty line, the body.
pub(super) fn call(text: &str) -> HookCall {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
    let mut call = hook(method, url, body);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        call.headers.push((name.into(), value.as_bytes().into()));
    }
    call
}
