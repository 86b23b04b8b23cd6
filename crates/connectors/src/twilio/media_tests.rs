//! Where media are fetched, and what is shown to whom.

use std::collections::VecDeque;

use parking_lot::Mutex;
use ports::hooks::Pending;

use super::super::config::TwilioChannel;
use super::super::fixtures::config;
use super::*;

const URL: &str = "https://api.twilio.com/2010-04-01/Accounts/AC0123/Messages/MM1/Media/ME1";
const STORE: &str = "https://media.example/ME1?signed=1";

/// Gives these answers in turn and notes what was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Answer, NoAnswer>>>,
    asked: Mutex<Vec<Request>>,
}

impl Script {
    fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().map(Ok).collect()),
            asked: Mutex::default(),
        }
    }

    fn urls(&self) -> Vec<String> {
        self.asked.lock().iter().map(|it| it.url.clone()).collect()
    }
}

impl Transport for Script {
    fn exchange(&self, request: Request, body_max: usize) -> Pending<'_, Result<Answer, NoAnswer>> {
        assert_eq!(body_max, SIZE_MAX + 1);
        self.asked.lock().push(request);
        let answer = self.answers.lock().pop_front().unwrap();
        Box::pin(async { answer })
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let headers = headers.iter().map(|it| (it.0.into(), it.1.into()));
    Answer {
        status,
        headers: headers.collect(),
        body: body.to_vec(),
    }
}

async fn fetched(script: &Script, url: &str) -> Result<Media, ProviderError> {
    fetch(&config(TwilioChannel::WhatsApp), script, url).await
}

fn code(result: Result<Media, ProviderError>) -> Box<str> {
    match result {
        Err(ProviderError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn our_credentials_are_shown_to_the_api_and_not_where_it_sends_on() {
    let script = Script::of([
        answer(307, &[("location", STORE)], b""),
        answer(200, &[("content-type", "image/jpeg")], b"jpeg"),
    ]);
    let medium = fetched(&script, URL).await.unwrap();
    assert_eq!(&*medium.content_type, "image/jpeg");
    assert_eq!(medium.bytes, b"jpeg");
    assert_eq!(script.urls(), [URL, STORE]);
    let asked = script.asked.lock();
    assert_eq!(asked[0].headers[0].0, "authorization");
    assert!(asked[1].headers.is_empty());
}

#[tokio::test]
async fn nothing_but_media_of_the_api_is_asked_for() {
    let script = Script::default();
    for url in [
        "https://evil.example/2010-04-01/Accounts/AC/Messages/MM/Media/ME",
        "http://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME",
        "https://api.twilio.com:8443/2010-04-01/Accounts/AC/Messages/MM/Media/ME",
        "https://api.twilio.com@evil.example/2010-04-01/Accounts/AC/Messages/MM/Media/ME",
        "https://x:y@api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME",
        "https://api.twilio.com/2010-04-01/Accounts/AC.json",
        "https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/../../../Keys.json",
        "/2010-04-01/Accounts/AC/Messages/MM/Media/ME",
        "",
    ] {
        assert_eq!(&*code(fetched(&script, url).await), "foreign_url", "{url}");
    }
    assert_eq!(script.urls().len(), 0);
}

#[tokio::test]
async fn it_is_sent_on_only_so_often_and_never_to_less_protection() {
    let on = |to| answer(302, &[("location", to)], b"");
    let script = Script::of([on(STORE), on(STORE), on(STORE), on(STORE)]);
    assert_eq!(&*code(fetched(&script, URL).await), "redirects");
    assert_eq!(script.urls().len(), 4);
    for to in ["http://media.example/ME1", "file:///etc/passwd"] {
        let script = Script::of([on(to)]);
        assert_eq!(&*code(fetched(&script, URL).await), "redirects", "{to}");
        assert_eq!(script.urls().len(), 1);
    }
}

#[tokio::test]
async fn what_is_not_given_is_told_apart_from_what_is_not_there_now() {
    for status in [401, 403, 404, 410] {
        let script = Script::of([answer(status, &[], b"")]);
        assert_eq!(*code(fetched(&script, URL).await), *status.to_string());
    }
    for status in [429, 500, 503] {
        let script = Script::of([answer(status, &[], b"")]);
        let result = fetched(&script, URL).await;
        let away = matches!(result, Err(ProviderError::Unreachable(_)));
        assert!(away, "{status}: {result:?}");
    }
    let script = Script::default();
    let lost = NoAnswer::NotSent("refused".into());
    script.answers.lock().push_back(Err(lost));
    let away = Err(ProviderError::Unreachable("refused".into()));
    assert_eq!(fetched(&script, URL).await, away);
}

#[tokio::test]
async fn a_medium_beyond_the_bound_is_refused_rather_than_cut() {
    let script = Script::of([
        answer(200, &[], &vec![0; SIZE_MAX]),
        answer(200, &[], &vec![0; SIZE_MAX + 1]),
    ]);
    let medium = fetched(&script, URL).await.unwrap();
    assert_eq!(&*medium.content_type, "application/octet-stream");
    assert_eq!(&*code(fetched(&script, URL).await), "too_large");
}
