//! What an inbound message says of the one that it answers.

use domain::model::content::{Content, MessageType};
use serde_json::json;

use crate::conversations::{ANA, newest, on_whatsapp, settle};
use crate::house::{House, LIVE, SMS};
use crate::webhooks::Postbox;

#[tokio::test(start_paused = true)]
async fn an_inbound_answer_tells_what_it_answers_to_who_asks_and_to_who_is_told() {
    let house = House::new().await;
    let postbox = Postbox::at(&house);
    let hook = json!({"url": "https://a.example/", "events": ["message.inbound"]}).to_string();
    house
        .call(LIVE, "PATCH", "/v1/senders/support/webhook", hook)
        .await;
    let ours = house
        .send(&json!({"to": ANA, "text": "which size?", "channel": "sms"}))
        .await;
    settle().await;
    let write = async |name: &str, quotes: &str, content: Content| {
        let mut message = on_whatsapp(ANA, name, content);
        message.quotes = Some(quotes.into());
        house.incoming(SMS, message).await;
        settle().await;
        let shown = house
            .get(&format!("/v1/messages/{}", newest(&house, ANA).await))
            .await;
        let message = shown.json["message"].clone();
        let told = postbox.events_to("https://a.example/").pop().unwrap()["data"].clone();
        assert_eq!(told["content"], message["content"]);
        assert_eq!(told["conversationId"], message["conversationId"]);
        assert!(told["conversationId"].is_string());
        message
    };
    let named = format!("ref-{ours}-0");
    let answer = write("in-1", &named, Content::text("M")).await;
    let want = json!({
        "replyToMessageId": ours, "replyToProviderMessageId": named, "replyToFrom": "+40700000001",
        "replyToText": "which size?", "replyToMessageType": "text",
    });
    assert_eq!(answer["content"], want);
    let own = write("in-2", "in-1", Content::text("no, L")).await;
    assert_eq!(own["content"]["replyToMessageId"], answer["id"]);
    assert_eq!(own["content"]["replyToFrom"], ANA);
    let lost = write("in-3", "gone", Content::text("that")).await;
    assert_eq!(lost["content"], json!({"replyToProviderMessageId": "gone"}));
    let mut thumb = Content::text("");
    thumb.kind = MessageType::Reaction;
    thumb.text = None;
    thumb.extra = Some(json!({"emoji": "👍"}).to_string().into());
    let reaction = write("in-4", &named, thumb).await;
    assert_eq!(reaction["content"]["emoji"], "👍");
    assert_eq!(reaction["content"]["reactToMessageId"], ours);
}
