//! R-MON-1: the stream of events, resumed where its reader left off.

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, Response, StatusCode};
use domain::ids::{ApiKeyId, ContactId, ConversationId, SenderKey};
use domain::model::template::TemplateStatus;
use domain::model::user::Role;
use domain::rules::alert::AlertSettings;
use domain::time::Millis;
use futures_util::{FutureExt, StreamExt};
use ports::connector::LinkState;
use ports::store::Op;
use ports::store::operations::{ApiKeyRecord, KeyChange};
use serde_json::{Value, json};

use crate::house::{House, LIVE, OTHER_PROJECT, PROJECT, SMS, WHATSAPP};
use crate::pages::{Browser, signed_in, staff};
use crate::templates::provider_says;
use crate::webhooks::Postbox;

/// How many places a stream looks at in one reading.
const LOOK_AT: i64 = 2_000;

/// A reader of a stream.
struct Reader {
    body: BodyDataStream,
    text: String,
}

async fn ask(house: &House, key: &str, path: &str, last: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path).header("authorization", format!("Bearer {key}"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    house.response(request.body(Body::empty()).unwrap()).await
}

impl Reader {
    async fn of(house: &House, path: &str, last: Option<&str>) -> Self {
        let response = ask(house, LIVE, path, last).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// Reads for so long; whether the stream still stands.
    async fn read_for(&mut self, span: Millis) -> bool {
        let end = tokio::time::Instant::now() + span.to_duration();
        loop {
            match tokio::time::timeout_at(end, self.body.next()).await {
                Ok(Some(chunk)) => {
                    self.text += std::str::from_utf8(&chunk.unwrap()).unwrap();
                }
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    /// The events so far: id, type, data.
    fn events(&self) -> Vec<(String, String, Value)> {
        let field = |event: &str, name: &str| {
            let line = event.lines().find_map(|it| it.strip_prefix(name));
            line.map(|it| it.trim().to_owned())
        };
        let events = self.text.split("\n\n");
        events
            .filter_map(|it| {
                let data = field(it, "data:")?;
                let (id, kind) = (field(it, "id:")?, field(it, "event:")?);
                Some((id, kind, serde_json::from_str(&data).unwrap()))
            })
            .collect()
    }

    fn types(&self) -> Vec<String> {
        self.events().into_iter().map(|it| it.1).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_seen_within_a_second_and_only_from_then_on() {
    let house = House::new().await;
    house.inbound(WHATSAPP, "+40712345678", "before").await;
    let mut reader = Reader::of(&house, "/v1/events", None).await;
    assert!(reader.read_for(Millis::seconds(2)).await);
    assert_eq!(reader.types(), [""; 0]);
    house.inbound(WHATSAPP, "+40712345678", "after").await;
    assert!(reader.read_for(Millis::seconds(1)).await);
    let events = reader.events();
    assert_eq!(events.len(), 1);
    let (id, kind, data) = &events[0];
    assert!(id.parse::<i64>().is_ok(), "{id}");
    assert_eq!(kind, "message.inbound");
    assert_eq!(data["type"], "message.inbound");
    assert_eq!(data["data"]["text"], "after");
    assert!(data["id"].as_str().unwrap().starts_with("evt_"));
}

#[tokio::test(start_paused = true)]
async fn a_reader_goes_on_where_it_was() {
    let house = House::new().await;
    let mut reader = Reader::of(&house, "/v1/events?after=0", None).await;
    for text in ["a", "b", "c"] {
        house.inbound(WHATSAPP, "+40712345678", text).await;
    }
    assert!(reader.read_for(Millis::seconds(1)).await);
    let all = reader.events();
    assert_eq!(all.len(), 4, "with the new conversation");
    drop(reader);
    let mut again = Reader::of(&house, "/v1/events?after=0", Some(&all[1].0)).await;
    assert!(again.read_for(Millis::seconds(1)).await);
    assert_eq!(again.events(), all[2..]);
}

#[tokio::test(start_paused = true)]
async fn only_the_wanted_types_of_the_own_project_are_seen() {
    let house = House::new().await;
    let path = "/v1/events?types=message.inbound,message.queued";
    let mut reader = Reader::of(&house, path, None).await;
    let response = ask(&house, OTHER_PROJECT, "/v1/events", None).await;
    let mut other = Reader {
        body: response.into_body().into_data_stream(),
        text: String::new(),
    };
    house.inbound(WHATSAPP, "+40712345678", "hello").await;
    house
        .send(&json!({"to": "+40712345678", "text": "hi", "channel": "sms"}))
        .await;
    assert!(reader.read_for(Millis::seconds(1)).await);
    assert_eq!(reader.types(), ["message.inbound", "message.queued"]);
    assert!(other.read_for(Millis::seconds(1)).await);
    assert_eq!(other.types(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_one_conversation_hears_its_steps_and_what_everybody_writes() {
    let house = House::new().await;
    let (ours, theirs) = ("+40712345678", "+40712345679");
    house.inbound(WHATSAPP, ours, "hello").await;
    let list = house.get("/v1/conversations").await.json;
    let id = list["items"][0]["id"].as_str().unwrap();
    let path = format!("/v1/events?conversationId={id}");
    let mut reader = Reader::of(&house, &path, None).await;
    for to in [ours, theirs] {
        house
            .send(&json!({"to": to, "text": to, "channel": "sms"}))
            .await;
    }
    house.inbound(WHATSAPP, theirs, "me too").await;
    assert!(reader.read_for(Millis::seconds(1)).await);
    let events = reader.events();
    let of = |kind: &str| {
        let told = events.iter().filter(|it| it.1 == kind);
        told.map(|it| it.2["data"].clone()).collect::<Vec<_>>()
    };
    let queued = of("message.queued");
    assert_eq!(queued.len(), 1, "{events:?}");
    assert_eq!(queued[0]["text"], ours);
    assert_eq!(queued[0]["conversationId"], id);
    assert_eq!(of("message.inbound")[0]["text"], "me too");
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_one_conversation_goes_on_where_it_was() {
    let house = House::new().await;
    let (ours, theirs) = ("+40712345678", "+40712345679");
    house.inbound(WHATSAPP, ours, "hello").await;
    let list = house.get("/v1/conversations").await.json;
    let id = list["items"][0]["id"].as_str().unwrap();
    let path = format!("/v1/events?conversationId={id}&after=0");
    let mut reader = Reader::of(&house, &path, None).await;
    for to in [theirs, ours, theirs, theirs, ours, theirs] {
        house
            .send(&json!({"to": to, "text": to, "channel": "sms"}))
            .await;
    }
    assert!(reader.read_for(Millis::seconds(2)).await);
    let all = reader.events();
    let told: Vec<_> = all.iter().map(|it| it.2["data"]["text"].clone()).collect();
    assert!(!told.contains(&json!(theirs)), "{told:?}");
    let queued = |it: &&(String, String, Value)| it.1 == "message.queued";
    assert_eq!(all.iter().filter(queued).count(), 2, "{all:?}");
    assert!(all.is_sorted_by_key(|it| it.0.parse::<i64>().unwrap()));
    for (nth, event) in all.iter().enumerate() {
        let mut again = Reader::of(&house, &path, Some(&event.0)).await;
        assert!(again.read_for(Millis::seconds(1)).await);
        assert_eq!(again.events(), all[nth + 1..]);
    }
}

/// A conversation, and behind the newest place more steps of another than one reading looks at, and a
/// message of the conversation behind them; and where that began.
async fn a_campaign_passes(house: &House) -> (String, i64) {
    let ours = "+40712345678";
    house.inbound(WHATSAPP, ours, "hello").await;
    let list = house.get("/v1/conversations").await.json;
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    let newest = || async { house.engine.store().newest_event().await.unwrap().0 };
    let began = newest().await;
    let message = json!({"to": "+40712345679", "text": "x", "channel": "sms"});
    while newest().await <= began + 2 * LOOK_AT {
        house.send(&message).await;
    }
    house
        .send(&json!({"to": ours, "text": "told", "channel": "sms"}))
        .await;
    (id, began)
}

/// Reads until nothing more is there at once; whether anything was told.
fn reads_at_once(reader: &mut Reader) -> bool {
    let mut was_told = false;
    while let Some(Some(chunk)) = reader.body.next().now_or_never() {
        was_told = true;
        reader.text += std::str::from_utf8(&chunk.unwrap()).unwrap();
    }
    was_told
}

#[tokio::test(start_paused = true)]
async fn a_campaign_of_others_is_skipped_in_readings_of_a_bounded_length() {
    let house = House::new().await;
    let (id, began) = a_campaign_passes(&house).await;
    let path = format!("/v1/events?conversationId={id}&after={began}");
    let mut reader = Reader::of(&house, &path, None).await;
    assert!(reads_at_once(&mut reader), "it opens");
    // The first reading found nothing, and the second waits for its turn.
    assert!(!reads_at_once(&mut reader));
    assert!(reader.read_for(Millis::seconds(1)).await);
    let told = reader.events();
    assert_eq!(told[0].1, "message.queued");
    assert!(told.iter().all(|it| it.2["data"]["text"] == "told"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_skips_ends_with_its_session_and_tells_nothing_more() {
    let house = House::new().await;
    staff(&house).await;
    let (id, began) = a_campaign_passes(&house).await;
    let agent = signed_in(&house, Role::Agent).await;
    let path = format!("/v1/events?conversationId={id}&after={began}");
    let mut reader = opened_by(&house, &agent, &path).await;
    reads_at_once(&mut reader);
    let out = agent.call("POST", "/ui/v1/logout", &Value::Null).await;
    assert!(out.status.is_success(), "{out:?}");
    tokio::time::advance(Millis::seconds(5).to_duration()).await;
    assert!(!reader.read_for(Millis::seconds(1)).await);
    assert_eq!(reader.types(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_skips_ends_when_the_server_stops() {
    let house = House::new().await;
    let (id, began) = a_campaign_passes(&house).await;
    let path = format!("/v1/events?conversationId={id}&after={began}");
    let mut reader = Reader::of(&house, &path, None).await;
    reads_at_once(&mut reader);
    house.closing.cancel();
    assert!(!reader.read_for(Millis::seconds(1)).await);
    assert_eq!(reader.types(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_template_that_moves_is_told_once_to_the_project_and_to_each_webhook_in_its_place() {
    let house = House::new().await;
    let postbox = Postbox::at(&house);
    let other = house
        .post(
            "/v1/senders",
            &json!({"name": "Other", "webhookUrl": "https://b.example/",
                "webhookEvents": ["template.status_changed"]}),
        )
        .await;
    assert_eq!(other.status, StatusCode::CREATED, "{other:?}");
    let hook = json!({"url": "https://a.example/"}).to_string();
    house
        .call(LIVE, "PATCH", "/v1/senders/support/webhook", hook)
        .await;
    let mut reader = Reader::of(&house, "/v1/events", None).await;
    let body = json!({"name": "order_update", "language": "en", "body": "Hi {{1}}"});
    let made = house.post("/v1/templates", &body).await.json;
    house.inbound(WHATSAPP, "+40712345678", "before").await;
    let name = "order_update";
    provider_says(&house, name, TemplateStatus::Approved, None).await;
    provider_says(&house, name, TemplateStatus::Paused, Some("quality")).await;
    house.inbound(WHATSAPP, "+40712345678", "after").await;
    assert!(reader.read_for(Millis::seconds(1)).await);
    let moved = "template.status_changed";
    let types = [
        "conversation.new",
        "message.inbound",
        moved,
        moved,
        "message.inbound",
    ];
    assert_eq!(reader.types(), types);
    let events = reader.events();
    let told = &events[2].2;
    assert_eq!(told.get("senderId"), None, "it is the project's");
    assert_eq!(
        told["data"],
        json!({
            "templateId": made["id"], "name": "order_update", "language": "en",
            "previousStatus": "draft", "currentStatus": "approved", "providerStatus": "approved",
            "previousCategory": "UTILITY", "category": "UTILITY", "reason": null,
        })
    );
    let told = &events[3].2["data"];
    assert_eq!(told["currentStatus"], "rejected");
    assert_eq!(
        (&told["providerStatus"], &told["reason"]),
        (&json!("paused"), &json!("quality"))
    );
    let posted = |url: &str| {
        let theirs = postbox.events_to(url);
        theirs.iter().map(|it| it["id"].clone()).collect::<Vec<_>>()
    };
    let ids: Vec<_> = events.iter().map(|it| it.2["id"].clone()).collect();
    assert_eq!(posted("https://a.example/"), ids);
    assert_eq!(posted("https://b.example/"), ids[2..4]);
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_told_to_the_stream_and_to_webhooks_that_ask_for_it() {
    let house = House::new().await;
    let postbox = Postbox::at(&house);
    let wants = json!({"name": "Other", "webhookUrl": "https://b.example/",
        "webhookEvents": ["alert.raised"]});
    house.post("/v1/senders", &wants).await;
    let hook = json!({"url": "https://a.example/"}).to_string();
    house
        .call(LIVE, "PATCH", "/v1/senders/support/webhook", hook)
        .await;
    let mut reader = Reader::of(&house, "/v1/events", None).await;
    house.engine.watch_alerts(AlertSettings::default());
    let events = house.engine.events(SMS).unwrap();
    events.link(LinkState::Down("login refused".into()));
    assert!(reader.read_for(Millis::minutes(1)).await);
    events.link(LinkState::Up);
    assert!(reader.read_for(Millis::minutes(2)).await);
    assert_eq!(reader.types(), ["alert.raised", "alert.resolved"]);
    let told = &reader.events()[0].2;
    assert_eq!(told.get("senderId"), None, "it is the project's");
    assert_eq!(told["projectId"], "main");
    let list = house.get("/v1/alerts").await;
    let raised_at = &told["data"]["raisedAt"];
    assert_eq!(
        told["data"],
        json!({"alertId": list.json["items"][0]["id"], "kind": "route_down", "severity": "urgent", "subject": "route:gw",
            "status": "raised", "message": "route gw is down: login refused", "value": 1,
            "raisedAt": raised_at, "resolvedAt": null})
    );
    let over = &reader.events()[1].2["data"];
    assert_eq!(over["status"], "resolved");
    assert_eq!(&over["raisedAt"], raised_at);
    assert_eq!(postbox.events_to("https://b.example/").len(), 1);
    assert_eq!(postbox.events_to("https://a.example/").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_that_it_lives_and_ends_after_an_hour() {
    let house = House::new().await;
    let mut reader = Reader::of(&house, "/v1/events", None).await;
    assert!(reader.read_for(Millis::seconds(61)).await);
    let beats = reader.text.matches("\n\n").count();
    assert_eq!(beats, 1 + 4, "{:?}", reader.text);
    assert!(!reader.read_for(Millis::hours(1)).await);
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_the_server_stops() {
    let house = House::new().await;
    let mut reader = Reader::of(&house, "/v1/events", None).await;
    assert!(reader.read_for(Millis::seconds(1)).await);
    house.closing.cancel();
    assert!(!reader.read_for(Millis::seconds(1)).await);
}

#[tokio::test(start_paused = true)]
async fn wrong_parameters_are_named() {
    let house = House::new().await;
    for (path, last, field) in [
        ("/v1/events?types=message.snet", None, "types"),
        ("/v1/events?after=x", None, "after"),
        ("/v1/events?conversationId=msg_1", None, "conversationId"),
        ("/v1/events?after=-1", None, "after"),
        ("/v1/events", Some("evt_1_1"), "Last-Event-ID"),
        // Nothing has happened yet.
        ("/v1/events?after=1", None, "after"),
        ("/v1/events?after=0", Some("1"), "Last-Event-ID"),
    ] {
        let response = ask(&house, LIVE, path, last).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
        let bytes = axum::body::to_bytes(response.into_body(), 9_999)
            .await
            .unwrap();
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["details"]["errors"][0]["path"][0], field);
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_the_project_does_not_have_is_wrong() {
    let house = House::new().await;
    house.inbound(WHATSAPP, "+40712345678", "hello").await;
    let list = house.get("/v1/conversations").await;
    let known = list.json["items"][0]["id"].as_str().unwrap();
    let known: ConversationId = known.parse().unwrap();
    let sender = |key| ConversationId {
        sender: SenderKey(key),
        ..known
    };
    let nobodys = ConversationId {
        contact: ContactId::from_key(4_711),
        ..known
    };
    for (key, id, is_right) in [
        (LIVE, known, true),
        // Nothing was written there yet.
        (LIVE, sender(2), true),
        (LIVE, sender(3), false),
        (LIVE, sender(99), false),
        (LIVE, nobodys, false),
        (OTHER_PROJECT, known, false),
        (OTHER_PROJECT, sender(3), false),
    ] {
        let path = format!("/v1/events?conversationId={id}");
        if is_right {
            let answer = ask(&house, key, &path, None).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
        } else {
            let answer = house.call(key, "GET", &path, "").await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
            assert_eq!(answer.wrong_fields(), ["conversationId"], "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn streams_beyond_the_bound_are_refused_until_one_ends() {
    let house = House::new().await;
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(Reader::of(&house, "/v1/events", None).await);
    }
    let refused = ask(&house, LIVE, "/v1/events", None).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    // Another project has places of its own.
    let theirs = ask(&house, OTHER_PROJECT, "/v1/events", None).await;
    assert_eq!(theirs.status(), StatusCode::OK);
    open.pop();
    Reader::of(&house, "/v1/events", None).await;
}

/// A stream that a browser opened.
async fn opened_by(house: &House, browser: &Browser<'_>, path: &str) -> Reader {
    let request = browser.request("GET", path).body(Body::empty()).unwrap();
    let response = house.response(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    Reader {
        body: response.into_body().into_data_stream(),
        text: String::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_within_seconds_when_its_session_ends_or_its_user_is_disabled() {
    let house = House::new().await;
    staff(&house).await;
    let owner = signed_in(&house, Role::Owner).await;
    for path in ["/v1/events", "/ui/v1/waiting/events"] {
        let agent = signed_in(&house, Role::Agent).await;
        let mut reader = opened_by(&house, &agent, path).await;
        assert!(reader.read_for(Millis::minutes(2)).await, "{path}");
        let out = agent.call("POST", "/ui/v1/logout", &Value::Null).await;
        assert!(out.status.is_success(), "{out:?}");
        assert!(!reader.read_for(Millis::seconds(5)).await, "{path}");
    }
    let agent = signed_in(&house, Role::Agent).await;
    let mut reader = opened_by(&house, &agent, "/v1/events").await;
    let users = owner.bare("GET", "/ui/v1/users").await.json;
    let of_agent = |it: &&Value| it["role"] == "agent";
    let found = users["items"].as_array().unwrap().iter().find(of_agent);
    let path = format!("/ui/v1/users/{}", found.unwrap()["id"].as_str().unwrap());
    let disabled = owner
        .call("PATCH", &path, &json!({"isDisabled": true}))
        .await;
    assert!(disabled.status.is_success(), "{disabled:?}");
    assert!(!reader.read_for(Millis::seconds(5)).await);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_within_seconds_when_its_key_is_revoked() {
    let house = House::new().await;
    let (key, id) = ("zv_live_stored", ApiKeyId::from_key(7));
    let record = ApiKeyRecord {
        id,
        project: PROJECT,
        name: "made later".into(),
        hash: api::hash_key(key),
        scopes: api::Scopes::READ.bits(),
        test: false,
        created_at: house.engine.now(),
        revoked_at: None,
    };
    let change = |it| house.engine.apply(Op::Key(Box::new(it)));
    change(KeyChange::Create(record)).await.unwrap();
    let response = ask(&house, key, "/v1/events", None).await;
    let mut reader = Reader {
        body: response.into_body().into_data_stream(),
        text: String::new(),
    };
    assert!(reader.read_for(Millis::minutes(2)).await);
    let at = house.engine.now();
    let project = PROJECT;
    change(KeyChange::Revoke { project, id, at }).await.unwrap();
    assert!(!reader.read_for(Millis::seconds(5)).await);
}
