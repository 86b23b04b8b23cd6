//! Files, against a file server of two answers.

use parking_lot::Mutex;
use ports::hooks::Pending;

use super::super::config::TelegramConfig;
use super::*;

struct Files {
    answers: Mutex<Vec<Result<Answer, NoAnswer>>>,
    asked: Mutex<Vec<String>>,
}

impl Transport for Files {
    fn exchange(&self, request: Request, body_max: usize) -> Pending<'_, Result<Answer, NoAnswer>> {
        self.asked.lock().push(request.url);
        let mut answer = self.answers.lock().remove(0);
        if let Ok(answer) = &mut answer {
            answer.body.truncate(body_max);
        }
        Box::pin(async { answer })
    }
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".into(), "application/octet-stream".into())],
        body: body.into(),
    }
}

async fn fetched(
    answers: Vec<Result<Answer, NoAnswer>>,
) -> (Result<Media, ProviderError>, Vec<String>) {
    let files = Files {
        answers: Mutex::new(answers),
        asked: Mutex::default(),
    };
    let bot = Bot {
        config: TelegramConfig {
            bot_token: "42:token".into(),
            base_url: "http://127.0.0.1:8081/".into(),
            ..TelegramConfig::default()
        },
    };
    let media = fetch(&bot, &files, "AgAC").await;
    (media, files.asked.into_inner())
}

const FOUND: &str = r#"{"ok":true,"result":{"file_id":"AgAC","file_path":"photos/file_1.jpg"}}"#;

#[tokio::test]
async fn a_file_is_found_and_fetched() {
    let (media, asked) = fetched(vec![Ok(answer(200, FOUND)), Ok(answer(200, "bytes"))]).await;
    let media = media.unwrap();
    assert_eq!(&*media.content_type, "image/jpeg");
    assert_eq!(media.bytes, b"bytes");
    assert_eq!(
        asked,
        [
            "http://127.0.0.1:8081/bot42:token/getFile",
            "http://127.0.0.1:8081/file/bot42:token/photos/file_1.jpg"
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_fetched_says_why() {
    let gone = r#"{"ok":false,"error_code":400,"description":"Bad Request: invalid file_id"}"#;
    let (media, _) = fetched(vec![Ok(answer(400, gone))]).await;
    assert_eq!(
        media,
        Err(ProviderError::Refused {
            code: "400".into(),
            text: "Bad Request: invalid file_id".into()
        })
    );
    let (media, _) = fetched(vec![Err(NoAnswer::NotSent("nobody there".into()))]).await;
    assert_eq!(
        media,
        Err(ProviderError::Unreachable("nobody there".into()))
    );
    let (media, _) = fetched(vec![Ok(answer(200, FOUND)), Ok(answer(404, ""))]).await;
    assert!(matches!(media, Err(ProviderError::Refused { code, .. }) if &*code == "404"));
    let (media, _) = fetched(vec![
        Ok(answer(200, FOUND)),
        Ok(answer(200, vec![0; FILE_MAX + 1])),
    ])
    .await;
    assert!(matches!(media, Err(ProviderError::Refused { code, .. }) if &*code == "too_large"));
}
