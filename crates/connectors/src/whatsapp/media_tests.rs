//! What is asked for a medium, and what is refused.

use std::collections::VecDeque;

use parking_lot::Mutex;
use ports::hooks::Pending;
use serde_json::json;

use super::*;
use crate::web::client::NoAnswer;
use crate::web::protocol::{Answer, Request};
use crate::web::testing::answer;
use crate::whatsapp::WhatsAppConfig;

/// Answers in order, and a record of what was asked.
struct Plays {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Request>>,
}

impl Transport for Plays {
    fn exchange(&self, request: Request, body_max: usize) -> Pending<'_, Result<Answer, NoAnswer>> {
        self.asked.lock().push(request);
        let answer = self.answers.lock().pop_front();
        Box::pin(async move {
            let mut answer = answer.ok_or_else(|| NoAnswer::Unknown("it hung up".into()))?;
            answer.body.truncate(body_max);
            Ok(answer)
        })
    }
}

/// Fetches medium `id`; gives what came of it, and the URLs that were asked.
async fn fetched(
    id: &str,
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<Media, ProviderError>, Vec<String>) {
    let plays = Plays {
        answers: Mutex::new(answers.into_iter().collect()),
        asked: Mutex::default(),
    };
    let config = WhatsAppConfig {
        phone_number_id: "1055".to_owned(),
        access_token: "hush-token".to_owned(),
        ..WhatsAppConfig::default()
    };
    let media = fetch(&CloudApi { config }, &plays, id).await;
    let asked = plays.asked.into_inner();
    let bearer = ("authorization".to_owned(), "Bearer hush-token".to_owned());
    assert!(asked.iter().all(|it| it.headers == [bearer.clone()]));
    (media, asked.into_iter().map(|it| it.url).collect())
}

const ABOUT: &str = "https://graph.facebook.com/v23.0/998?phone_number_id=1055";
const LINK: &str = "https://lookaside.example/whatsapp/?mid=998&ext=1";

fn about(url: &str) -> Answer {
    let about = json!({"messaging_product": "whatsapp", "url": url, "mime_type": "image/jpeg",
        "sha256": "s", "file_size": 5, "id": "998"});
    answer(200, &about.to_string())
}

fn refusal(fetched: &Result<Media, ProviderError>) -> &str {
    match fetched {
        Err(ProviderError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_medium_is_fetched_by_the_link_that_meta_gives() {
    let (media, asked) = fetched("998", [about(LINK), answer(200, "bytes")]).await;
    let want = Media {
        content_type: "image/jpeg".into(),
        bytes: b"bytes".to_vec(),
    };
    assert_eq!(media, Ok(want));
    assert_eq!(asked, [ABOUT, LINK]);
}

#[tokio::test]
async fn what_is_no_id_is_not_asked_for() {
    let long = "9".repeat(129);
    for wrong in ["", "../me", "a/b", "a?b", "é", &long] {
        let (media, asked) = fetched(wrong, []).await;
        assert_eq!(refusal(&media), "id", "{wrong}");
        assert_eq!(asked, Vec::<String>::new());
    }
}

#[tokio::test]
async fn our_token_does_not_go_over_plain_connections() {
    for link in [
        "http://lookaside.example/",
        "ftp://x.example/",
        "no link",
        "",
    ] {
        let (media, asked) = fetched("998", [about(link), answer(200, "bytes")]).await;
        assert_eq!(refusal(&media), "url", "{link}");
        assert_eq!(asked, [ABOUT]);
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_or_while_it_comes() {
    let large = json!({"url": LINK, "file_size": MEDIA_MAX + 1}).to_string();
    let (media, asked) = fetched("998", [answer(200, &large)]).await;
    assert_eq!(refusal(&media), "too_large");
    assert_eq!(asked, [ABOUT]);

    let mut bytes = answer(200, "");
    bytes.body = vec![0; MEDIA_MAX + 2];
    let (media, _) = fetched("998", [about(LINK), bytes.clone()]).await;
    assert_eq!(refusal(&media), "too_large");
    bytes.body.truncate(MEDIA_MAX);
    let (media, _) = fetched("998", [about(LINK), bytes]).await;
    assert_eq!(media.unwrap().bytes.len(), MEDIA_MAX);
}

#[tokio::test]
async fn an_expired_medium_is_refused_with_metas_words() {
    let gone = json!({"error": {"code": 100, "message": "Unsupported get request."}}).to_string();
    let (media, _) = fetched("998", [answer(400, &gone)]).await;
    assert_eq!(refusal(&media), "100");
    let (media, _) = fetched("998", [about(LINK), answer(404, "")]).await;
    assert!(
        matches!(media, Err(ProviderError::Unreachable(_))),
        "{media:?}"
    );
}
