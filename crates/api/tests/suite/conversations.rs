//! Conversations, reactions, typing and files.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::model::content::{Content, EmailAttachment, EmailParts, MessageType};
use domain::phone::PhoneNumber;
use ports::connector::IncomingMessage;
use serde_json::{Value, json};

use crate::house::{Answer, House, LIVE, OTHER_PROJECT, READ_ONLY, SMS, WHATSAPP};
use crate::webhooks::Postbox;

pub(crate) const ANA: &str = "+40712345678";
const BOB: &str = "+40712345679";

pub(crate) fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().unwrap()
}

pub(crate) fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// Time for what follows by itself.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// A message that a person wrote, as a provider of WhatsApp tells it.
pub(crate) fn on_whatsapp(from: &str, name: &str, content: Content) -> IncomingMessage {
    let from = PhoneNumber::parse(from).unwrap();
    let mut message = IncomingMessage::new(from.into(), "+40700000001", content);
    message.provider_id = Some(name.into());
    message
}

/// The id of the newest message of a person.
pub(crate) async fn newest(house: &House, of: &str) -> String {
    let list = house.get(&format!("/v1/messages?limit=1&to={of}")).await;
    text_of(&items(&list)[0], "id").to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_conversation_has_the_shape_that_clients_expect() {
    let house = House::new().await;
    house.send(&json!({"to": ANA, "text": "Hello"})).await;
    settle().await;
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("Hi there"));
    house.incoming(WHATSAPP, incoming).await;
    let list = house.get("/v1/conversations").await;
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    assert_eq!(list.json["nextCursor"], Value::Null);
    let shown = &items(&list)[0];
    let contact = house.get(&format!("/v1/contacts/phone/{ANA}")).await.json;
    let want = json!({
        "id": shown["id"],
        "contactId": contact["id"],
        "contactIdentifier": ANA,
        "senderId": "support",
        "channels": ["sms", "whatsapp"],
        "lastMessage": {
            "id": newest(&house, ANA).await,
            "text": "Hi there",
            "channel": "whatsapp",
            "direction": "inbound",
            "at": "2026-11-22T10:00:01.000Z",
        },
        "messageCount": 2,
        "unreadCount": 1,
        "optedOut": false,
        "whatsappWindowUntil": "2026-11-23T10:00:01.000Z",
        "createdAt": "2026-11-22T10:00:00.000Z",
        "updatedAt": "2026-11-22T10:00:01.000Z",
    });
    assert_eq!(*shown, want);
    let path = format!("/v1/conversations/{}", text_of(shown, "id"));
    assert_eq!(house.get(&path).await.json, json!({"conversation": want}));

    let messages = house.get(&format!("{path}/messages")).await;
    assert_eq!(items(&messages).len(), 2);
    assert_eq!(items(&messages)[0]["direction"], "inbound");
    assert_eq!(items(&messages)[1]["conversationId"], shown["id"]);
    let first = house.get(&format!("{path}/messages?limit=1")).await;
    let cursor = text_of(&first.json, "nextCursor");
    let second = house
        .get(&format!("{path}/messages?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(items(&second)[0], items(&messages)[1]);
}

#[tokio::test(start_paused = true)]
async fn reading_is_asked_with_or_without_a_content_type_and_leaves_nothing_unread() {
    let house = House::new().await;
    house.inbound(SMS, ANA, "one").await;
    house.inbound(SMS, ANA, "two").await;
    let list = house.get("/v1/conversations").await;
    assert_eq!(items(&list)[0]["unreadCount"], 2);
    let path = format!("/v1/conversations/{}/read", text_of(&items(&list)[0], "id"));
    let refused = house.call(READ_ONLY, "POST", &path, "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for content_type in [Some("application/json"), None] {
        let mut request = Request::builder()
            .method("POST")
            .uri(&path)
            .header("authorization", format!("Bearer {LIVE}"));
        if let Some(it) = content_type {
            request = request.header("content-type", it);
        }
        let answer = house.request(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.json["conversation"]["unreadCount"], 0);
        assert_eq!(answer.json["conversation"]["messageCount"], 2);
    }
}

#[tokio::test(start_paused = true)]
async fn conversations_are_paged_filtered_and_searched() {
    let house = House::new().await;
    let named =
        json!({"channels": [{"channel": "sms", "identifier": BOB}], "displayName": "Bob Marin"});
    house.post("/v1/contacts", &named).await;
    for (route, from) in [(SMS, ANA), (WHATSAPP, BOB)] {
        house.inbound(route, from, "hi").await;
    }
    let first = house.get("/v1/conversations?limit=1").await;
    assert_eq!(items(&first)[0]["contactIdentifier"], BOB);
    assert_eq!(items(&first)[0]["displayName"], "Bob Marin");
    let cursor = text_of(&first.json, "nextCursor");
    let second = house
        .get(&format!("/v1/conversations?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(items(&second)[0]["contactIdentifier"], ANA);
    assert_eq!(second.json["nextCursor"], Value::Null);
    for (query, want) in [
        ("channel=sms", vec![ANA]),
        ("channel=whatsapp", vec![BOB]),
        ("channel=voice", vec![]),
        ("senderId=support", vec![BOB, ANA]),
        ("senderId=alerts", vec![]),
        ("search=bob%20mar", vec![BOB]),
        ("search=0712%20345%20678", vec![ANA]),
        ("search=nobody", vec![]),
        ("search=", vec![]),
        ("search=%20%20", vec![]),
    ] {
        let list = house.get(&format!("/v1/conversations?{query}")).await;
        let found: Vec<_> = items(&list)
            .iter()
            .map(|it| text_of(it, "contactIdentifier"))
            .collect();
        assert_eq!(found, want, "{query}");
    }
    for (query, field) in [
        ("channel=fax", "channel"),
        ("senderId=nobody", "senderId"),
        ("cursor=cursor", "cursor"),
        ("limit=0", "limit"),
    ] {
        let refused = house.get(&format!("/v1/conversations?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.wrong_fields(), [field]);
    }
}

#[tokio::test(start_paused = true)]
async fn another_projects_conversation_does_not_exist() {
    let house = House::new().await;
    house.inbound(SMS, ANA, "hi").await;
    let list = house.get("/v1/conversations").await;
    let id = text_of(&items(&list)[0], "id");
    for (method, path) in [
        ("GET", format!("/v1/conversations/{id}")),
        ("GET", format!("/v1/conversations/{id}/messages")),
        ("POST", format!("/v1/conversations/{id}/read")),
    ] {
        let answer = house.call(OTHER_PROJECT, method, &path, "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let nothing = house.get("/v1/conversations/conv_x").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    let theirs = house
        .call(OTHER_PROJECT, "GET", "/v1/conversations", "")
        .await;
    assert!(items(&theirs).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reaction_is_a_message_of_its_own_on_a_whatsapp_message() {
    let house = House::new().await;
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("Hi"));
    house.incoming(WHATSAPP, incoming).await;
    let target = newest(&house, ANA).await;
    let path = format!("/v1/messages/{target}/reactions");
    let answer = house.post(&path, &json!({"emoji": "👍", "x": 1})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let message = &answer.json["message"];
    assert_eq!(message["messageType"], "reaction");
    assert_eq!(message["channel"], "whatsapp");
    assert_eq!(
        (&message["to"], &message["status"]),
        (&json!(ANA), &json!("queued"))
    );
    assert_eq!(
        message["content"],
        json!({"emoji": "👍", "reactToMessageId": target})
    );
    assert_eq!(answer.ignored_fields(), ["x"]);

    // One of ours, once its provider took it.
    let ours = house
        .send(&json!({"to": ANA, "text": "hello", "channel": "whatsapp"}))
        .await;
    settle().await;
    let shown = house.get(&format!("/v1/messages/{ours}")).await.json;
    assert_eq!(
        shown["message"]["providerMessageId"],
        format!("ref-{ours}-0")
    );
    let path = format!("/v1/messages/{ours}/reactions");
    let answer = house.post(&path, &json!({"emoji": "🎉"})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reaction_can_be_sent_as_any_message_and_names_what_it_lacks() {
    let house = House::new().await;
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("Hi"));
    house.incoming(WHATSAPP, incoming).await;
    let target = newest(&house, ANA).await;
    let reaction =
        |content: Value| json!({"to": ANA, "messageType": "reaction", "content": content});
    let good = reaction(json!({"emoji": "👍", "reactToMessageId": target}));
    let answer = house.post("/v1/messages", &good).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    assert_eq!(answer.json["message"]["channel"], "whatsapp");
    for (content, wrong) in [
        (json!({"reactToMessageId": target}), "content.emoji"),
        (json!({"emoji": "👍"}), "content.reactToMessageId"),
        (
            json!({"emoji": "👍", "reactToMessageId": "nothing"}),
            "content.reactToMessageId",
        ),
    ] {
        let refused = house.post("/v1/messages", &reaction(content)).await;
        assert_eq!(refused.wrong_fields(), [wrong]);
    }
    let mut stranger = good;
    stranger["to"] = json!("+40721000099");
    let refused = house.post("/v1/messages", &stranger).await;
    assert_eq!(
        refused.wrong_fields(),
        ["content.reactToMessageId"],
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_reacted_to_is_said_so() {
    let house = House::new().await;
    let text = house
        .send(&json!({"to": ANA, "text": "hello", "channel": "sms"}))
        .await;
    let path = format!("/v1/messages/{text}/reactions");
    let refused = house.post(&path, &json!({"emoji": "👍"})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json["code"], "bad_request");
    assert_eq!(
        refused.json["message"],
        "Reactions are only supported for WhatsApp messages"
    );
    for body in [json!({}), json!({"emoji": "x".repeat(33)})] {
        let refused = house.post(&path, &body).await;
        assert_eq!(refused.wrong_fields(), ["emoji"], "{body}");
    }
    let nothing = "/v1/messages/msg_0000000000000/reactions";
    let missing = house.post(nothing, &json!({"emoji": "👍"})).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    // The window is over.
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("Hi"));
    house.incoming(WHATSAPP, incoming).await;
    let path = format!("/v1/messages/{}/reactions", newest(&house, ANA).await);
    tokio::time::sleep(Duration::from_hours(25)).await;
    let late = house.post(&path, &json!({"emoji": "👍"})).await;
    assert_eq!(late.json["code"], "whatsapp_window_closed", "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn typing_is_shown_to_who_wrote_on_whatsapp() {
    let house = House::new().await;
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("Hi"));
    house.incoming(WHATSAPP, incoming).await;
    let path = format!("/v1/messages/{}/typing", newest(&house, ANA).await);
    for content_type in [Some("application/json"), None] {
        let mut request = Request::builder()
            .method("POST")
            .uri(&path)
            .header("authorization", format!("Bearer {LIVE}"))
            .header("zavu-sender", "support");
        if let Some(it) = content_type {
            request = request.header("content-type", it);
        }
        let answer = house.request(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        assert_eq!(answer.json, json!({"success": true}));
    }
}

#[tokio::test(start_paused = true)]
async fn typing_is_not_shown_to_who_opted_out() {
    let house = House::new().await;
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("stop"));
    house.incoming(WHATSAPP, incoming).await;
    settle().await;
    let list = house
        .get(&format!("/v1/messages?status=received&to={ANA}"))
        .await;
    let path = format!("/v1/messages/{}/typing", text_of(&items(&list)[0], "id"));
    let refused = house.post(&path, &json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json["code"], "recipient_opted_out");
}

#[tokio::test(start_paused = true)]
async fn where_typing_cannot_be_shown_the_answer_says_why() {
    let house = House::new().await;
    let typing = async |id: String| {
        house
            .post(&format!("/v1/messages/{id}/typing"), &json!({}))
            .await
    };
    let ours = house.send(&json!({"to": ANA, "text": "hello"})).await;
    let refused = typing(ours).await;
    assert_eq!(
        refused.json["message"],
        "Typing indicators can only be sent in response to inbound messages"
    );
    house.inbound(SMS, ANA, "hi").await;
    let refused = typing(newest(&house, ANA).await).await;
    assert_eq!(
        refused.json["message"],
        "Typing indicators are only supported for WhatsApp messages"
    );
    house.inbound(WHATSAPP, ANA, "hi").await;
    let refused = typing(newest(&house, ANA).await).await;
    assert_eq!(
        refused.json["message"],
        "Cannot send typing indicator: no provider message ID available"
    );
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let incoming = on_whatsapp(ANA, "wamid.2", Content::text("Hi"));
    house.incoming(WHATSAPP, incoming).await;
    let refused = typing(newest(&house, ANA).await).await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    assert_eq!(refused.json["code"], "provider_error");
    assert_eq!(refused.json["details"]["providerCode"], "100");
    assert_eq!(refused.header("x-should-retry"), "false");
    assert_eq!(
        typing("msg_0000000000000".to_owned()).await.status,
        StatusCode::NOT_FOUND
    );
}

fn picture(name: &str, object: &Value) -> IncomingMessage {
    let content = Content {
        kind: MessageType::Image,
        text: None,
        extra: Some(object.to_string().into()),
        template: None,
        email: None,
    };
    on_whatsapp(ANA, name, content)
}

#[tokio::test(start_paused = true)]
async fn a_medium_is_served_as_a_file_and_never_as_a_page() {
    let house = House::new().await;
    let object = json!({"mediaId": "media-1", "filename": "a b.html"});
    house.incoming(WHATSAPP, picture("wamid.1", &object)).await;
    let path = format!("/v1/messages/{}/media", newest(&house, ANA).await);
    let answer = house.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json, json!("<b>hi</b>"));
    for (name, value) in [
        ("content-type", "text/html"),
        ("x-content-type-options", "nosniff"),
        (
            "content-disposition",
            "attachment; filename*=UTF-8''a%20b.html",
        ),
        ("content-security-policy", "sandbox; default-src 'none'"),
    ] {
        assert_eq!(answer.header(name), value);
    }
    let conversation = house.get("/v1/conversations").await;
    assert_eq!(items(&conversation)[0]["lastMessage"]["text"], "[image]");
    let other = house.call(OTHER_PROJECT, "GET", &path, "").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);

    let lost = picture("wamid.2", &json!({"mediaId": "media-2"}));
    house.incoming(WHATSAPP, lost).await;
    let path = format!("/v1/messages/{}/media", newest(&house, ANA).await);
    let answer = house.get(&path).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.header("x-should-retry"), "true");

    house.inbound(WHATSAPP, ANA, "no medium").await;
    let path = format!("/v1/messages/{}/media", newest(&house, ANA).await);
    assert_eq!(house.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn the_files_of_an_e_mail_are_listed_told_and_served() {
    let house = House::new().await;
    let postbox = Postbox::at(&house);
    let hook = json!({"url": "https://a.example/", "events": ["message.inbound"]}).to_string();
    house
        .call(LIVE, "PATCH", "/v1/senders/support/webhook", hook)
        .await;
    let file = |filename: &str, content_id: Option<&str>| EmailAttachment {
        filename: filename.into(),
        content_type: Some("text/plain".into()),
        content_id: content_id.map(Into::into),
        content: "aGVsbG8=".into(),
    };
    let mut content = Content::text("see below");
    content.email = Some(EmailParts {
        subject: "Files".into(),
        html: None,
        reply_to: None,
        attachments: vec![file("a.txt", None), file("b.txt", Some("pic"))],
    });
    house
        .incoming(SMS, on_whatsapp(ANA, "mail-1", content))
        .await;
    settle().await;
    let id = newest(&house, ANA).await;
    let path = format!("/v1/messages/{id}/attachments");
    let list = house.get(&path).await;
    let second = &items(&list)[1];
    assert_eq!(items(&list).len(), 2);
    let want = json!({
        "id": second["id"],
        "filename": "b.txt",
        "mimeType": "text/plain",
        "size": 5,
        "isInline": true,
        "contentId": "pic",
        "downloadUrl": null,
        "downloadPath": format!("{path}/{}", text_of(second, "id")),
        "createdAt": "2026-11-22T10:00:00.000Z",
    });
    assert_eq!(*second, want);
    let shown = house.get(&format!("/v1/messages/{id}")).await;
    assert_eq!(shown.json["message"]["attachments"], list.json["items"]);
    let told = postbox.events_to("https://a.example/").pop().unwrap();
    assert_eq!(told["data"]["attachments"], list.json["items"]);
    let served = house.get(text_of(second, "downloadPath")).await;
    assert_eq!(
        (served.status, served.json),
        (StatusCode::OK, json!("hello"))
    );
    let missing = house.get(&format!("{path}/att_x")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);

    house.inbound(SMS, ANA, "no files").await;
    let id = newest(&house, ANA).await;
    let none = house.get(&format!("/v1/messages/{id}/attachments")).await;
    let bare = house.get(&format!("/v1/messages/{id}")).await;
    assert_eq!(bare.json["message"].get("attachments"), None);
    assert_eq!(none.json, json!({"items": []}));
}

#[tokio::test(start_paused = true)]
async fn an_answer_goes_back_on_the_channel_and_quotes() {
    let house = House::new().await;
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("Hi"));
    house.incoming(WHATSAPP, incoming).await;
    let id = newest(&house, ANA).await;
    let answer = house
        .post(
            "/v1/messages",
            &json!({"to": ANA, "text": "hello", "inReplyTo": id}),
        )
        .await;
    assert_eq!(answer.json["message"]["channel"], "whatsapp", "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn unread_conversations_are_counted_and_found_behind_any_number_of_others() {
    let house = House::new().await;
    crate::pages::staff(&house).await;
    let agent = crate::pages::signed_in(&house, domain::model::user::Role::Agent).await;
    let incoming = on_whatsapp(ANA, "wamid.1", Content::text("Hi there"));
    house.incoming(WHATSAPP, incoming).await;
    for no in 0..40 {
        let body =
            json!({"to": format!("+40712346{no:03}"), "text": format!("Order {no} is ready")});
        house.send(&body).await;
    }
    let count = async || agent.bare("GET", "/ui/v1/unread").await.json;
    assert_eq!(count().await, json!({"conversations": 1}));
    let unread = house.get("/v1/conversations?unread=true").await;
    assert_eq!(items(&unread).len(), 1, "{unread:?}");
    let id = text_of(&items(&unread)[0], "id");
    house
        .post(&format!("/v1/conversations/{id}/read"), &json!({}))
        .await;
    assert_eq!(count().await, json!({"conversations": 0}));
    let unread = house.get("/v1/conversations?unread=true").await;
    assert_eq!(items(&unread).len(), 0);
    let all = house.get("/v1/conversations?unread=false").await;
    assert!(items(&all).len() > 1);
    let wrong = house.get("/v1/conversations?unread=perhaps").await;
    assert_eq!(wrong.wrong_fields(), ["unread"]);
}
