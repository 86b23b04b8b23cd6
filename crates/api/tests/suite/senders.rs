//! Senders and phone numbers that are made by the API, and what is known of addresses.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::house::{Answer, House, LIVE, PROJECT, READ_ONLY};

async fn patch(house: &House, path: &str, body: &Value) -> Answer {
    house.call(LIVE, "PATCH", path, body.to_string()).await
}

async fn made(house: &House, body: &Value) -> String {
    let answer = house.post("/v1/senders", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json["id"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_made_sends_is_changed_and_removed() {
    let house = House::new().await;
    let body = json!({"name": "Shop", "phoneNumber": "+40 700 000 009", "enableVoice": true});
    let answer = house.post("/v1/senders", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.ignored_fields(), ["enableVoice"]);
    assert_eq!(answer.json["phoneNumber"], "+40700000009");
    assert_eq!(answer.json["managedBy"], "api");
    let default = house.get("/v1/senders/support").await;
    assert_eq!(answer.json["routes"], default.json["routes"]);
    let id = answer.json["id"].as_str().unwrap();
    let path = format!("/v1/senders/{id}");

    let sent = house
        .call_as_sender(LIVE, id, &json!({"to": "+40721000001", "text": "x"}))
        .await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    assert_eq!(sent.json["message"]["senderId"], id);
    assert_eq!(sent.json["message"]["from"], "+40700000009");

    let changed = patch(&house, &path, &json!({"name": "Shop 2", "routes": ["wa"]})).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    assert_eq!(changed.json["name"], "Shop 2");
    assert_eq!(changed.json["channels"], json!(["whatsapp"]));
    assert_eq!(house.get(&path).await.json["name"], "Shop 2");

    let gone = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn one_sender_is_the_default_and_stays() {
    let house = House::new().await;
    let id = made(&house, &json!({"name": "New", "setAsDefault": true})).await;
    let senders = house.get("/v1/senders").await;
    let defaults: Vec<_> = senders.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["isDefault"] == true)
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(defaults, [id.as_str()]);
    let path = format!("/v1/senders/{id}");
    let refused = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (StatusCode::BAD_REQUEST, &json!("bad_request"))
    );
    let back = patch(
        &house,
        "/v1/senders/support",
        &json!({"setAsDefault": true}),
    )
    .await;
    assert_eq!(back.json["isDefault"], true);
    let gone = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
}

#[tokio::test(start_paused = true)]
async fn a_sender_of_the_file_is_read_only_and_wrong_fields_are_named() {
    let house = House::new().await;
    let answer = patch(
        &house,
        "/v1/senders/support",
        &json!({"name": "x", "routes": ["gw"]}),
    )
    .await;
    assert_eq!(answer.wrong_fields(), ["name", "routes"]);
    let gone = house.call(LIVE, "DELETE", "/v1/senders/support", "").await;
    assert_eq!(gone.status, StatusCode::BAD_REQUEST);
    for (body, fields) in [
        (json!({}), vec!["name"]),
        (json!({"name": "  "}), vec!["name"]),
        (
            json!({"name": "x", "phoneNumber": "07"}),
            vec!["phoneNumber"],
        ),
        (json!({"name": "x", "routes": []}), vec!["routes"]),
        (
            json!({"name": "x", "routes": ["gw", "no", "gw"]}),
            vec!["routes.1", "routes.2"],
        ),
    ] {
        let answer = house.post("/v1/senders", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.wrong_fields(), fields, "{body}");
    }
    let body = json!({"name": "x"}).to_string();
    let refused = house.call(READ_ONLY, "POST", "/v1/senders", body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test(start_paused = true)]
async fn a_number_is_noted_given_to_a_sender_and_forgotten() {
    let house = House::new().await;
    let body = json!({"phoneNumber": "+40700000077", "name": "desk"});
    let answer = house.post("/v1/phone-numbers", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let number = &answer.json["phoneNumber"];
    assert_eq!(
        (&number["status"], &number["name"]),
        (&json!("active"), &json!("desk"))
    );
    let path = format!("/v1/phone-numbers/{}", number["id"].as_str().unwrap());

    let sender = made(&house, &json!({"name": "Shop"})).await;
    let given = patch(&house, &path, &json!({"senderId": sender, "name": null})).await;
    assert_eq!(given.status, StatusCode::OK, "{given:?}");
    assert_eq!(given.json["phoneNumber"]["senderId"], sender.as_str());
    assert_eq!(given.json["phoneNumber"].get("name"), None);
    let shown = house.get(&format!("/v1/senders/{sender}")).await;
    assert_eq!(shown.json["phoneNumber"], "+40700000077");
    let refused = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);

    let taken = patch(&house, &path, &json!({"senderId": null})).await;
    assert_eq!(taken.json["phoneNumber"].get("senderId"), None);
    let gone = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get(&path).await.status, StatusCode::NOT_FOUND);

    let listed = house.get("/v1/phone-numbers?status=active").await;
    let items = listed.json["items"].as_array().unwrap();
    let of_file: Vec<_> = items.iter().map(|it| &it["phoneNumber"]).collect();
    assert_eq!(of_file, [&json!("+40700000001")]);
    let none = house
        .get("/v1/phone-numbers/available?countryCode=RO")
        .await;
    assert_eq!(none.json, json!({"items": []}));
}

#[tokio::test(start_paused = true)]
async fn a_number_has_one_sender_at_most() {
    let house = House::new().await;
    let shop = made(
        &house,
        &json!({"name": "Shop", "phoneNumber": "+40700000009"}),
    )
    .await;
    let desk = made(&house, &json!({"name": "Desk", "phoneNumber": "1234"})).await;
    for number in ["+40 700 000 009", "+40700000001"] {
        let body = json!({"name": "Thief", "phoneNumber": number});
        let answer = house.post("/v1/senders", &body).await;
        assert_eq!(answer.wrong_fields(), ["phoneNumber"], "{number}");
        let path = format!("/v1/senders/{desk}");
        let answer = patch(&house, &path, &json!({"phoneNumber": number})).await;
        assert_eq!(answer.wrong_fields(), ["phoneNumber"], "{number}");
    }
    // Its own it may be told again, and short codes and names are everybody's.
    for (sender, address) in [(&shop, "+40700000009"), (&shop, "1234"), (&shop, "Acme")] {
        let path = format!("/v1/senders/{sender}");
        let answer = patch(&house, &path, &json!({"phoneNumber": address})).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_given_another_number_leaves_its_former_one_to_the_project() {
    let house = House::new().await;
    let shop = made(
        &house,
        &json!({"name": "Shop", "phoneNumber": "+40700000009"}),
    )
    .await;
    let desk = made(
        &house,
        &json!({"name": "Desk", "phoneNumber": "+40700000008"}),
    )
    .await;
    let path = "/v1/phone-numbers/pn_40700000008";
    let given = patch(&house, path, &json!({ "senderId": shop })).await;
    assert_eq!(
        given.json["phoneNumber"]["senderId"],
        shop.as_str(),
        "{given:?}"
    );
    let former = house.get("/v1/phone-numbers/pn_40700000009").await;
    assert_eq!(former.status, StatusCode::OK, "{former:?}");
    assert_eq!(former.json["phoneNumber"].get("senderId"), None);
    let desk = house.get(&format!("/v1/senders/{desk}")).await;
    assert_eq!(desk.json["phoneNumber"], "");
}

#[tokio::test(start_paused = true)]
async fn the_sender_that_stands_in_for_a_missing_default_is_not_removed() {
    let house = House::new().await;
    let id = made(&house, &json!({"name": "Shop"})).await;
    // As after a start without the senders of the file.
    let senders: Vec<_> = house.engine.topology().senders(PROJECT).cloned().collect();
    for sender in senders.iter().filter(|it| *it.id != *id) {
        house
            .engine
            .change_senders(|it| it.without_sender(sender.key));
    }
    let path = format!("/v1/senders/{id}");
    assert_eq!(house.get(&path).await.json["isDefault"], true);
    let refused = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_not_configured_for_now_stays_with_its_sender() {
    let house = House::new().await;
    let id = made(
        &house,
        &json!({"name": "Shop", "phoneNumber": "+40700000009"}),
    )
    .await;
    let kept = async || {
        let kept = house.engine.store().configured_by_api().await.unwrap();
        kept.senders[0].clone()
    };
    let mut record = kept().await;
    record.routes = vec!["gw".into(), "gone".into()];
    house.engine.put_sender(record.clone()).await.unwrap();
    patch(
        &house,
        &format!("/v1/senders/{id}"),
        &json!({"name": "Shop 2"}),
    )
    .await;
    assert_eq!(
        (&*kept().await.name, kept().await.routes),
        ("Shop 2", record.routes.clone())
    );
    let path = "/v1/phone-numbers/pn_40700000009";
    patch(&house, path, &json!({"senderId": null})).await;
    assert_eq!(
        (&*kept().await.address, kept().await.routes),
        ("", record.routes)
    );
}

#[tokio::test(start_paused = true)]
async fn changes_of_senders_wait_for_each_other_and_end_though_their_callers_are_gone() {
    let house = House::new().await;
    let id = made(&house, &json!({"name": "Shop"})).await;
    let other = made(&house, &json!({"name": "Other"})).await;
    let path = format!("/v1/senders/{id}");
    let busy = house.engine.configuring().await;
    let body = json!({"name": "Shop 2", "setAsDefault": true});
    for call in [
        patch(&house, &path, &body),
        patch(
            &house,
            &format!("/v1/senders/{other}"),
            &json!({"name": "Other 2"}),
        ),
    ] {
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(10), call).await;
        assert!(given_up.is_err());
    }
    assert_eq!(house.get(&path).await.json["name"], "Shop");
    drop(busy);
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    let shown = house.get(&path).await.json;
    assert_eq!(
        (&shown["name"], &shown["isDefault"]),
        (&json!("Shop 2"), &json!(true))
    );
    let shown = house.get(&format!("/v1/senders/{other}")).await;
    assert_eq!(shown.json["name"], "Other 2");
}

#[tokio::test(start_paused = true)]
async fn fields_that_are_ignored_are_named_for_numbers_and_addresses_too() {
    let house = House::new().await;
    for (path, body) in [
        (
            "/v1/phone-numbers",
            json!({"phoneNumber": "+40700000077", "shade": 1}),
        ),
        (
            "/v1/introspect/phone",
            json!({"phoneNumber": "+40700000077", "shade": 1}),
        ),
        (
            "/v1/introspect/email",
            json!({"email": "ana@example.com", "shade": 1}),
        ),
    ] {
        let answer = house.post(path, &body).await;
        assert!(answer.status.is_success(), "{path}");
        assert_eq!(answer.ignored_fields(), ["shade"], "{path}");
    }
    let path = "/v1/phone-numbers/pn_40700000077";
    let answer = patch(&house, path, &json!({"shade": 1})).await;
    assert_eq!(answer.ignored_fields(), ["shade"]);
    let answer = house.post("/v1/introspect/email", &json!({})).await;
    assert_eq!(answer.wrong_fields(), ["email"]);
}

#[tokio::test(start_paused = true)]
async fn a_number_is_looked_at_without_asking_anybody() {
    let house = House::new().await;
    let look = async |number: &str| {
        let answer = house
            .post("/v1/introspect/phone", &json!({"phoneNumber": number}))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json
    };
    let mobile = look("+40 721 000 001").await;
    assert_eq!(mobile["phoneNumber"], "+40721000001");
    assert_eq!(mobile["countryCode"], "RO");
    assert_eq!(mobile["validNumber"], true);
    assert_eq!(mobile["lineType"], "mobile");
    assert_eq!(mobile["availableChannels"], json!(["sms", "whatsapp"]));
    assert_eq!(look("+40213000001").await["lineType"], "landline");
    let wrong = look("hello").await;
    assert_eq!(
        (&wrong["validNumber"], &wrong["phoneNumber"]),
        (&json!(false), &json!("hello"))
    );
    let missing = house.post("/v1/introspect/phone", &json!({})).await;
    assert_eq!(missing.wrong_fields(), ["phoneNumber"]);
}

#[tokio::test(start_paused = true)]
async fn e_mail_addresses_are_judged_by_their_form() {
    let house = House::new().await;
    let emails = [
        "Ana@Example.com",
        "info@example.com",
        "nobody",
        "ána@example.com",
        "ana@xn--bcher-kva.example",
    ];
    let body = json!({"emails": emails});
    let answer = house.post("/v1/introspect/email", &body).await;
    let verdicts: Vec<_> = answer.json["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["verdict"].as_str().unwrap(), it["normalized"].as_str()))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("deliverable", Some("Ana@example.com")),
            ("risky", Some("info@example.com")),
            ("undeliverable", None),
            ("undeliverable", None),
            ("deliverable", Some("ana@bücher.example")),
        ]
    );
    let reasons = |at: usize| &answer.json["results"][at]["reasons"];
    assert_eq!(*reasons(2), json!(["invalid_syntax"]));
    assert_eq!(*reasons(3), json!(["non_ascii_local_part"]));
    assert_eq!(answer.json["summary"]["total"], 5);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_route_without_hooks_is_not_found() {
    let house = House::new().await;
    for path in ["/hooks/nowhere", "/hooks/gw"] {
        let answer = house.post(path, &json!({})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_senders_webhook_is_set_with_the_sender_and_goes_with_it() {
    let house = House::new().await;
    let body = json!({
        "name": "Shop", "webhookUrl": "https://x.example/y", "webhookEvents": ["message.inbound"],
    });
    let answer = house.post("/v1/senders", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let mut webhook = answer.json["webhook"].clone();
    let secret = webhook.as_object_mut().unwrap().remove("secret").unwrap();
    assert!(secret.as_str().unwrap().starts_with("whsec_"));
    let want = json!({
        "url": "https://x.example/y", "events": ["message.inbound"], "active": true,
        "signatureVersion": "v2",
    });
    assert_eq!(webhook, want);
    let path = format!("/v1/senders/{}", answer.json["id"].as_str().unwrap());
    assert_eq!(house.get(&path).await.json["webhook"], want);
    let listed = house.get("/v1/senders").await.json;
    let found = listed["items"].as_array().unwrap().iter();
    assert_eq!(found.filter(|it| it["webhook"] == want).count(), 1);
    let wrong = patch(&house, &path, &json!({"webhookEvents": ["message.nope"]})).await;
    assert_eq!(wrong.wrong_fields(), ["webhookEvents.0"]);
    let other = json!({"webhookUrl": "https://x.example/z", "webhookActive": false});
    let changed = patch(&house, &path, &other).await;
    assert_eq!(changed.json["webhook"]["url"], "https://x.example/z");
    assert_eq!(changed.json["webhook"]["active"], false);
    assert!(changed.json["webhook"].get("secret").is_none());
    let named = patch(&house, &path, &json!({"name": "Shop 2"})).await;
    assert_eq!(named.json["webhook"]["url"], "https://x.example/z");
    let cleared = patch(&house, &path, &json!({"webhookUrl": null})).await;
    assert!(cleared.json.get("webhook").is_none());
    // One of the configuration file has its webhook from here as well.
    let file = json!({"webhookUrl": "https://x.example/f"});
    let support = patch(&house, "/v1/senders/support", &file).await;
    assert!(support.json["webhook"]["secret"].is_string(), "{support:?}");
    patch(&house, &path, &file).await;
    let gone = house.call(LIVE, "DELETE", &path, "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let left = house.engine.store().webhooks().await.unwrap();
    assert_eq!(left.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_in_one_field_leaves_everything_as_it_was() {
    let house = House::new().await;
    let before = house.get("/v1/senders").await.json;
    let body = json!({"name": "New", "setAsDefault": true, "webhookUrl": "ftp://x.example/"});
    let refused = house.post("/v1/senders", &body).await;
    assert_eq!(refused.wrong_fields(), ["webhookUrl"]);
    assert_eq!(house.get("/v1/senders").await.json, before);
    let id = made(&house, &json!({"name": "New"})).await;
    let path = format!("/v1/senders/{id}");
    let before = house.get("/v1/senders").await.json;
    let body = json!({"name": "Newer", "setAsDefault": true, "webhookActive": true});
    let refused = patch(&house, &path, &body).await;
    assert_eq!(refused.wrong_fields(), ["webhookUrl"]);
    assert_eq!(house.get("/v1/senders").await.json, before);
    assert_eq!(house.engine.store().webhooks().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_sender_has_a_default_template_and_a_time_after_which_another_channel_is_tried() {
    let house = House::new().await;
    let body = json!({"name": "news", "language": "en", "body": "Acme: {{1}}"});
    let template = house.post("/v1/templates", &body).await.json;
    let body = json!({"name": "Shop", "defaultTemplate": "later/en", "fallbackAfter": 30});
    let answer = house.post("/v1/senders", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(
        answer.json["defaultTemplate"], "later/en",
        "it may be made later"
    );
    assert_eq!(answer.json["fallbackAfter"], 30);
    let path = format!("/v1/senders/{}", answer.json["id"].as_str().unwrap());
    let by_id = json!({"defaultTemplate": template["id"]});
    let changed = patch(&house, &path, &by_id).await;
    assert_eq!(changed.json["defaultTemplate"], template["id"]);
    assert_eq!(changed.json["fallbackAfter"], 30, "what is absent stays");
    assert_eq!(
        house.get(&path).await.json["defaultTemplate"],
        template["id"]
    );
    let kept = house.engine.store().configured_by_api().await.unwrap();
    let again = house.engine.topology().with_api(&kept);
    let sender = again.sender(kept.senders[0].key).unwrap();
    let named = sender.default_template.as_ref().map(ToString::to_string);
    assert_eq!(named.as_deref(), template["id"].as_str());
    for (body, field) in [
        (json!({"defaultTemplate": "Not a name"}), "defaultTemplate"),
        (
            json!({"defaultTemplate": "tpl_0000000000001"}),
            "defaultTemplate",
        ),
        (json!({"fallbackAfter": 9}), "fallbackAfter"),
        (json!({"fallbackAfter": 86_401}), "fallbackAfter"),
    ] {
        let refused = patch(&house, &path, &body).await;
        assert_eq!(refused.wrong_fields(), [field], "{body}");
        let file = patch(&house, "/v1/senders/support", &body).await;
        assert_eq!(file.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let clear = json!({"defaultTemplate": null, "fallbackAfter": null});
    let cleared = patch(&house, &path, &clear).await.json;
    for field in ["defaultTemplate", "fallbackAfter"] {
        assert_eq!(cleared.get(field), None, "{field}");
    }
}
