//! Polling in made-up time, against answers from a list.

use std::collections::VecDeque;

use domain::time::Millis;
use parking_lot::Mutex;
use ports::connector::Heard;
use ports::hooks::Pending;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::config::{TelegramConfig, Updates};
use super::*;
use crate::testing::{Record, Told};
use crate::web::protocol::{Answer, Body};

/// Answers from the list, then never; tells what was asked.
struct Script {
    answers: Mutex<VecDeque<Result<Answer, NoAnswer>>>,
    asked: mpsc::UnboundedSender<(String, Value)>,
}

impl Transport for Script {
    fn exchange(&self, request: Request, _: usize) -> Pending<'_, Result<Answer, NoAnswer>> {
        let method = request.url.rsplit('/').next().unwrap().to_owned();
        let Body::Json(body) = request.body else {
            panic!();
        };
        self.asked
            .send((method.clone(), serde_json::from_str(&body).unwrap()))
            .unwrap();
        Box::pin(async move {
            if method == "answerCallbackQuery" {
                return Ok(ok(&json!(true)));
            }
            let next = self.answers.lock().pop_front();
            match next {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

fn ok(result: &Value) -> Answer {
    Answer {
        status: 200,
        headers: Vec::new(),
        body: json!({"ok": true, "result": result})
            .to_string()
            .into_bytes(),
    }
}

fn text(no: i64) -> Value {
    json!({"update_id": no, "message": {
        "message_id": no, "date": 1_700_000_000, "text": "Hi",
        "chat": {"id": 4242, "type": "private"}, "from": {"id": 4242}}})
}

struct Stage {
    asked: mpsc::UnboundedReceiver<(String, Value)>,
    events: Arc<Record>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
    in_use: watch::Sender<bool>,
}

fn play(answers: impl IntoIterator<Item = Result<Answer, NoAnswer>>) -> Stage {
    let (tell, asked) = mpsc::unbounded_channel();
    let events = Arc::new(Record::default());
    let stop = CancellationToken::new();
    let (use_it, in_use) = watch::channel(true);
    let polling = Polling {
        bot: Arc::new(Bot {
            config: TelegramConfig {
                bot_token: "42:token".into(),
                updates: Updates::Polling,
                timeout: Millis::seconds(30),
                ..TelegramConfig::default()
            },
        }),
        transport: Arc::new(Script {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: tell,
        }),
        events: Arc::clone(&events) as Arc<dyn RouteEvents>,
        in_use,
    };
    let running = tokio::spawn(polling.run(stop.clone()));
    Stage {
        asked,
        events,
        stop,
        running,
        in_use: use_it,
    }
}

#[tokio::test(start_paused = true)]
async fn the_offset_moves_only_after_everything_is_kept() {
    let mut stage = play([Ok(ok(&json!([text(10), text(11)])))]);
    let (method, first) = stage.asked.recv().await.unwrap();
    assert_eq!(method, "getUpdates");
    assert_eq!(
        first,
        json!({"timeout": 25, "limit": 100,
               "allowed_updates": ["message", "callback_query"]})
    );
    assert_eq!(stage.events.wait(2).await.len(), 2);
    stage.events.ack(Heard::Kept);
    tokio::task::yield_now().await;
    assert!(stage.asked.try_recv().is_err());
    stage.events.ack(Heard::Kept);
    assert_eq!(stage.asked.recv().await.unwrap().1["offset"], 12);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_kept_is_asked_for_again() {
    let again = || Ok(ok(&json!([text(10)])));
    let mut stage = play([again(), again()]);
    stage.asked.recv().await.unwrap();
    stage.events.wait(1).await;
    stage.events.ack(Heard::TryAgain);
    let (_, second) = stage.asked.recv().await.unwrap();
    assert_eq!(second.get("offset"), None);
    assert!(matches!(&*stage.events.wait(1).await, [Told::Inbound(_)]));
    stage.events.ack(Heard::Kept);
    assert_eq!(stage.asked.recv().await.unwrap().1["offset"], 11);
}

#[tokio::test(start_paused = true)]
async fn what_concerns_nobody_is_passed_over() {
    let mut stage = play([Ok(ok(&json!([{"update_id": 5, "edited_message": {}}])))]);
    stage.asked.recv().await.unwrap();
    assert_eq!(stage.asked.recv().await.unwrap().1["offset"], 6);
    assert!(stage.events.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pressed_button_stops_spinning_after_it_is_kept() {
    let pressed = json!({"update_id": 5, "callback_query": {
        "id": "555", "data": "y", "from": {"id": 4242},
        "message": {"message_id": 8, "chat": {"id": 4242, "type": "private"}}}});
    let mut stage = play([Ok(ok(&json!([pressed])))]);
    stage.asked.recv().await.unwrap();
    stage.events.wait(1).await;
    stage.events.ack(Heard::Kept);
    let next = stage.asked.recv().await.unwrap();
    assert_eq!(
        next,
        (
            "answerCallbackQuery".into(),
            json!({"callback_query_id": "555"})
        )
    );
    assert_eq!(stage.asked.recv().await.unwrap().1["offset"], 6);
}

#[tokio::test(start_paused = true)]
async fn failures_are_waited_out_with_growing_patience() {
    let refused = Answer {
        status: 409,
        headers: Vec::new(),
        body: br#"{"ok":false,"error_code":409,"description":"Conflict"}"#.to_vec(),
    };
    let broken = || Err(NoAnswer::Unknown("the connection broke".into()));
    let mut stage = play([Ok(refused), broken(), broken(), Ok(ok(&json!([])))]);
    let mut waits = Vec::new();
    let mut before = Instant::now();
    for _ in 0..4 {
        stage.asked.recv().await.unwrap();
        waits.push(before.elapsed().as_millis());
        before = Instant::now();
    }
    assert_eq!(waits[0], 0);
    for (wait, most) in waits[1..].iter().zip([1_000, 2_000, 4_000]) {
        assert!((most / 2..=most).contains(wait), "{waits:?}");
    }
    // After a good answer, at once.
    stage.asked.recv().await.unwrap();
    assert_eq!(before.elapsed().as_millis(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_route_leaves_the_bot_to_others_and_goes_on_where_it_was() {
    let mut stage = play([Ok(ok(&json!([text(10)])))]);
    stage.asked.recv().await.unwrap();
    stage.events.wait(1).await;
    stage.events.ack(Heard::Kept);
    assert_eq!(stage.asked.recv().await.unwrap().1["offset"], 11);
    stage.in_use.send_replace(false);
    sleep(Duration::from_hours(1)).await;
    assert!(stage.asked.try_recv().is_err());
    stage.in_use.send_replace(true);
    assert_eq!(stage.asked.recv().await.unwrap().1["offset"], 11);
    stage.in_use.send_replace(false);
    stage.stop.cancel();
    stage.running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_it_is_told_to() {
    let mut stage = play([]);
    stage.asked.recv().await.unwrap();
    stage.stop.cancel();
    stage.running.await.unwrap();
}
