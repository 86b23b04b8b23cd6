//! R-QUOTA-1, R-COST-1, R-METRIC-4: balance, ledger, quotas and sums, in the shapes of the clients.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};
use domain::rules::alert::AlertSettings;
use domain::time::Millis;
use serde_json::{Value, json};

use crate::house::{
    Answer, House, LIVE, NO_CLASS, OTHER_PROJECT, READ_ONLY, REFUSED_EVERYWHERE, WHATSAPP,
};

const TO: &str = "+40712345678";

fn quotas(per: Period, unit: QuotaUnit, limit: i64) -> Quotas {
    Quotas::new([Quota { per, unit, limit }])
}

/// Sends a text by SMS, and lets it arrive.
async fn send(house: &House, to: &str) -> String {
    let body = json!({"to": to, "text": "hello", "channel": "sms"});
    let id = house.send(&body).await;
    tokio::time::sleep(Millis::seconds(2).to_duration()).await;
    id
}

#[tokio::test(start_paused = true)]
async fn the_balance_is_what_was_paid_in_less_what_was_charged_and_the_ledger_says_so() {
    let house = House::new().await;
    let empty = house.get("/v1/balance").await.json;
    assert_eq!(
        (&empty["balance"], &empty["totalSpent"], &empty["currency"]),
        (&json!(0), &json!(0), &json!("EUR"))
    );
    assert_eq!(
        (&empty["isSubAccount"], &empty["creditLimit"]),
        (&json!(false), &Value::Null)
    );
    let paid = house
        .post(
            "/v1/balance/deposits",
            &json!({"amount": "10.50", "note": "invoice 7"}),
        )
        .await;
    assert_eq!(paid.status, StatusCode::CREATED);
    assert_eq!(paid.json["balance"], 1_050);
    let message = send(&house, TO).await;
    let balance = house.get("/v1/balance").await.json;
    assert_eq!(
        (&balance["balance"], &balance["totalSpent"]),
        (&json!(1045.5), &json!(4.5))
    );
    assert_eq!(
        balance["exact"],
        json!({"balance": "10.455", "deposited": "10.50", "totalSpent": "0.045"})
    );
    assert_eq!(
        balance["routes"],
        json!([{"route": "gw", "standing": "active", "charged": "0.045"}])
    );
    let first = house.get("/v1/balance/ledger?limit=1").await.json;
    let line = &first["items"][0];
    assert_eq!(
        (
            &line["kind"],
            &line["amount"],
            &line["to"],
            &line["from"],
            &line["route"]
        ),
        (
            &json!("charge"),
            &json!("0.045"),
            &json!("charges"),
            &json!("funds"),
            &json!("gw")
        )
    );
    assert_eq!(
        (&line["messageId"], &line["attempt"]),
        (&json!(message), &json!(1))
    );
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = house
        .get(&format!("/v1/balance/ledger?limit=1&cursor={cursor}"))
        .await
        .json;
    let line = &second["items"][0];
    assert_eq!(
        (&line["kind"], &line["to"], &line["from"], &line["note"]),
        (
            &json!("deposit"),
            &json!("funds"),
            &json!("deposits"),
            &json!("invoice 7")
        )
    );
    assert_eq!(second["nextCursor"], Value::Null);
    let others = house
        .call(OTHER_PROJECT, "GET", "/v1/balance", "")
        .await
        .json;
    assert_eq!(others["balance"], 0, "each project has its own");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_deposit_names_the_field_and_moves_nothing() {
    let house = House::new().await;
    for (body, field) in [
        (json!({}), "amount"),
        (json!({"amount": 5}), "amount"),
        (json!({"amount": "0.00"}), "amount"),
        (json!({"amount": "five"}), "amount"),
        (json!({"amount": "0.0000001"}), "amount"),
        (json!({"amount": "1000000001"}), "amount"),
        (json!({"amount": "5", "note": "x".repeat(201)}), "note"),
        (json!({"amount": "5", "note": "a\nb"}), "note"),
    ] {
        let answer = house.post("/v1/balance/deposits", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.wrong_fields(), [field], "{body}");
    }
    for key in [READ_ONLY, NO_CLASS] {
        let body = json!({"amount": "5"}).to_string();
        let answer = house.call(key, "POST", "/v1/balance/deposits", body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(
        house.get("/v1/balance/ledger").await.json["items"],
        json!([])
    );
}

/// A deposit with this header.
async fn deposit(house: &House, key: &str, body: &Value) -> Answer {
    let request = Request::post("/v1/balance/deposits")
        .header("authorization", format!("Bearer {LIVE}"))
        .header("content-type", "application/json")
        .header("Idempotency-Key", key)
        .body(Body::from(body.to_string()))
        .unwrap();
    house.request(request).await
}

#[tokio::test(start_paused = true)]
async fn a_repeated_deposit_moves_money_once_and_is_answered_as_the_first() {
    let house = House::new().await;
    let body = json!({"amount": "10.50", "note": "invoice 7"});
    let first = deposit(&house, "pay-7", &body).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.header("idempotent-replayed"), "");
    // The same amount in other words, and the key in the body.
    let again = json!({"amount": "10.500", "note": "invoice 7", "idempotencyKey": "pay-7"});
    for repeat in [
        deposit(&house, "pay-7", &body).await,
        deposit(&house, "pay-7", &again).await,
        house.post("/v1/balance/deposits", &again).await,
    ] {
        assert_eq!(repeat.status, StatusCode::CREATED);
        assert_eq!(repeat.json, first.json);
        assert_eq!(repeat.header("idempotent-replayed"), "true");
    }
    for (body, field) in [
        (json!({"amount": "11", "note": "invoice 7"}), "amount"),
        (json!({"amount": "10.50"}), "note"),
    ] {
        let refused = deposit(&house, "pay-7", &body).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.json["code"], "conflict");
        assert_eq!(refused.header("x-should-retry"), "false");
        assert_eq!(refused.wrong_fields(), [field]);
    }
    let differs = deposit(&house, "other", &again).await;
    assert_eq!(differs.status, StatusCode::BAD_REQUEST);
    assert_eq!(differs.wrong_fields(), ["idempotencyKey"]);
    let ledger = house.get("/v1/balance/ledger").await.json;
    assert_eq!(ledger["items"].as_array().unwrap().len(), 1);
    let log = house.get("/v1/audit").await.json;
    let deposited = log["items"].as_array().unwrap().iter();
    let deposited = deposited.filter(|it| it["action"] == "balance.deposited");
    assert_eq!(deposited.count(), 1, "{log}");
    // A message under the same key is something else, and other deposits need no key.
    let message = json!({"to": TO, "text": "hello", "channel": "sms", "idempotencyKey": "pay-7"});
    house.send(&message).await;
    house.post("/v1/balance/deposits", &body).await;
    let balance = house.get("/v1/balance").await.json;
    assert_eq!(balance["exact"]["deposited"], "21.00");
}

#[tokio::test(start_paused = true)]
async fn a_quota_shows_what_is_used_and_left_and_when_it_begins_anew() {
    let house = House::with_quotas(
        quotas(Period::Hour, QuotaUnit::Messages, 4),
        quotas(Period::Day, QuotaUnit::Spend, 1_000_000),
    )
    .await;
    send(&house, TO).await;
    let shown = house.get("/v1/quotas").await.json;
    assert_eq!(
        shown["items"],
        json!([
            {"per": "day", "unit": "spend", "currency": "EUR",
            "exact": {"limit": "1.00", "used": "0.045", "reserved": "0.00", "left": "0.955"}, "limit": 1, "used": 0.045, "reserved": 0,
             "left": 0.955, "usedPercent": 4,
             "periodStart": "2026-11-22T00:00:00.000Z", "periodEnd": "2026-11-23T00:00:00.000Z"},
            {"route": "gw", "per": "hour", "unit": "messages", "limit": 4, "used": 1,
             "reserved": 0, "left": 3, "usedPercent": 25,
             "periodStart": "2026-11-22T10:00:00.000Z", "periodEnd": "2026-11-22T11:00:00.000Z"},
        ])
    );
    let others = house
        .call(OTHER_PROJECT, "GET", "/v1/quotas", "")
        .await
        .json;
    let others = others["items"].as_array().unwrap();
    assert!(
        others
            .iter()
            .all(|it| it["used"] == 0 && it.get("route").is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_out_says_until_when_and_the_next_message_goes_elsewhere() {
    let house =
        House::with_quotas(quotas(Period::Hour, QuotaUnit::Messages, 1), Quotas::NONE).await;
    send(&house, TO).await;
    let routes = house.get("/v1/routes").await.json;
    let gw = &routes["items"][0];
    assert_eq!(
        (&gw["condition"], &gw["reason"]),
        (&json!("out_of_quota"), &json!("out of quota"))
    );
    assert_eq!(gw["until"], "2026-11-22T11:00:00.000Z");
    assert_eq!(gw["quotas"][0]["usedPercent"], 100);
    let next = send(&house, "+40712345679").await;
    let routing = house
        .get(&format!("/v1/messages/{next}/routing"))
        .await
        .json;
    let gw = routing["decisions"][0]["routes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["route"] == "gw")
        .unwrap()
        .clone();
    assert_eq!(gw["verdict"], "out_of_quota");
    assert!(
        routing
            .to_string()
            .contains("Route gw (sms, gateway, 0.045 EUR) not now: out of quota.")
    );
}

#[tokio::test(start_paused = true)]
async fn a_projects_quota_that_is_used_up_is_told_as_the_projects() {
    let house =
        House::with_quotas(Quotas::NONE, quotas(Period::Hour, QuotaUnit::Messages, 1)).await;
    send(&house, TO).await;
    let waiting = send(&house, "+40712345679").await;
    let routes = house.get("/v1/routes").await.json;
    for route in routes["items"].as_array().unwrap() {
        assert_eq!(route["condition"], "out_of_quota", "{route}");
        assert_eq!(route["reason"], "the project is out of quota");
        assert_eq!(route["until"], "2026-11-22T11:00:00.000Z");
    }
    let message = house.get(&format!("/v1/messages/{waiting}")).await.json;
    assert_eq!(message["message"]["status"], "queued");
    let routing = house
        .get(&format!("/v1/messages/{waiting}/routing"))
        .await
        .json;
    assert!(
        routing
            .to_string()
            .contains("not now: the project is out of quota."),
        "{routing}"
    );
    let decision = &routing["decisions"][0];
    let waited_for = decision["routes"].as_array().unwrap();
    let waited_for: Vec<_> = waited_for
        .iter()
        .filter(|it| it["verdict"] == "chosen")
        .map(|it| (&it["reason"], &it["obstacle"]))
        .collect();
    let waits = (json!("waiting"), json!("project_out_of_quota"));
    assert_eq!(waited_for, [(&waits.0, &waits.1)]);
    assert_eq!(decision["obstacle"], "project_out_of_quota");
    assert!(
        routing.to_string().contains(
            "waited for: the quota of the project has no room left for this message; it is the best \
             of those that could come."
        ),
        "{routing}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_nothing_is_told_as_what_it_is_and_has_no_end() {
    let none = quotas(Period::Day, QuotaUnit::Messages, 0);
    for (of_route, of_project, reason) in [
        (
            none.clone(),
            Quotas::NONE,
            "a quota of it is 0; it is out until that is raised",
        ),
        (
            Quotas::NONE,
            none.clone(),
            "a quota of the project is 0; it is out until that is raised",
        ),
        (
            quotas(Period::Day, QuotaUnit::Spend, 1),
            Quotas::NONE,
            "a quota of it is less than any message needs; it is out until that is raised",
        ),
    ] {
        let house = House::with_quotas(of_route, of_project).await;
        let routes = house.get("/v1/routes").await.json;
        let gw = &routes["items"][0];
        assert_eq!(
            (&gw["condition"], &gw["reason"]),
            (&json!("out_of_quota"), &json!(reason))
        );
        // It was so from the start: nobody knows since when, and it does not open by itself.
        assert!(gw["since"].is_null(), "{gw}");
        assert!(gw.get("until").is_none(), "{gw}");
    }
}

#[tokio::test(start_paused = true)]
async fn costs_and_deliverability_are_summed_by_what_is_asked_for() {
    let house = House::new().await;
    send(&house, TO).await;
    send(&house, "+4915112345678").await;
    let refused = format!("+40712345{REFUSED_EVERYWHERE}");
    send(&house, &refused).await;
    let costs = house
        .get("/v1/costs?by=day,country&from=2026-11-22")
        .await
        .json;
    assert_eq!(
        (&costs["currency"], &costs["timezone"]),
        (&json!("EUR"), &json!("UTC"))
    );
    assert_eq!(
        costs["items"],
        json!([
            {"day": "2026-11-22", "country": "DE", "sent": 1, "segments": 1, "cost": 0.045, "costExact": "0.045"},
            {"day": "2026-11-22", "country": "RO", "sent": 1, "segments": 1, "cost": 0.045, "costExact": "0.045"},
        ])
        .as_array()
        .map(|all| Value::Array(all.clone()))
        .unwrap()
    );
    assert_eq!(costs["total"]["costExact"], "0.09");
    let report = house
        .get("/v1/deliverability?by=hour,route,sender,class&route=gw")
        .await
        .json;
    let [sum] = &report["items"].as_array().unwrap()[..] else {
        panic!("{report}")
    };
    assert_eq!(
        (&sum["hour"], &sum["route"], &sum["sender"], &sum["class"]),
        (
            &json!("2026-11-22T10:00:00.000Z"),
            &json!("gw"),
            &json!("support"),
            &json!("direct")
        )
    );
    assert_eq!(
        (&sum["sent"], &sum["delivered"], &sum["deliveredPercent"]),
        (&json!(2), &json!(2), &json!(100.0))
    );
    assert!(sum["avgDeliveryTimeMs"].is_i64());
    let body = json!({"to": TO, "text": "Sale", "channel": "sms", "campaign": " spring sale "});
    let id = house.send(&body).await;
    tokio::time::sleep(Millis::seconds(2).to_duration()).await;
    let shown = house.get(&format!("/v1/messages/{id}")).await.json;
    assert_eq!(shown["message"]["campaign"], "spring sale", "{shown}");
    let report = house.get("/v1/deliverability?by=campaign").await.json;
    let sums: Vec<_> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["campaign"].as_str().unwrap(), &it["sent"]))
        .collect();
    assert_eq!(sums, [("", &json!(2)), ("spring sale", &json!(1))]);
    let costs = house.get("/v1/costs?campaign=spring%20sale").await.json;
    assert_eq!(costs["total"]["costExact"], "0.045");
    let nothing = house.get("/v1/deliverability?until=2026-11-01").await.json;
    assert_eq!(nothing["items"], json!([]));
    assert_eq!(nothing["total"]["deliveredPercent"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn sums_may_be_of_one_class_or_channel_and_kept_apart_by_channel() {
    let house = House::new().await;
    // The window of WhatsApp is open.
    house.inbound(WHATSAPP, TO, "hi").await;
    for (channel, class) in [("sms", "direct"), ("sms", "bulk"), ("whatsapp", "direct")] {
        let body = json!({"to": TO, "text": "hello", "channel": channel, "trafficClass": class});
        house.send(&body).await;
        tokio::time::sleep(Millis::seconds(2).to_duration()).await;
    }
    let sent = async |query: &str| {
        let report = house.get(&format!("/v1/deliverability?{query}")).await.json;
        let sums = report["items"].as_array().unwrap().iter();
        let sums: Vec<_> = sums
            .map(|it| {
                let by = it.get("channel").or(it.get("route"));
                (by.cloned().unwrap_or_default(), it["sent"].clone())
            })
            .collect();
        (json!(sums), report["total"]["sent"].clone())
    };
    let of_all = json!([["sms", 2], ["whatsapp", 1]]);
    assert_eq!(sent("by=channel").await, (of_all, json!(3)));
    let one = json!([[null, 1]]);
    assert_eq!(sent("class=bulk").await, (one.clone(), json!(1)));
    assert_eq!(sent("channel=whatsapp").await, (one, json!(1)));
    let both = sent("class=direct&channel=sms&by=route").await;
    assert_eq!(both.1, json!(1), "{both:?}");
    let none = sent("channel=telegram").await;
    assert_eq!(none, (json!([]), json!(0)));
}

#[tokio::test(start_paused = true)]
async fn what_happened_keeps_the_names_of_routes_that_are_not_in_use_any_more() {
    let house = House::new().await;
    house.inbound(WHATSAPP, TO, "hi").await;
    let by_sms = send(&house, TO).await;
    let body = json!({"to": TO, "text": "hello", "channel": "whatsapp"});
    let by_whatsapp = house.send(&body).await;
    tokio::time::sleep(Millis::seconds(2).to_duration()).await;
    let house = house.restarted_without("gw", "wa").await;

    let sums = async |query: &str| {
        let report = house.get(&format!("/v1/costs?{query}")).await.json;
        let sums = report["items"].as_array().unwrap().iter();
        let sums: Vec<_> = sums
            .map(|it| (it["channel"].clone(), it["route"].clone()))
            .collect();
        json!(sums)
    };
    let both = json!([["", "wa"], ["sms", "gw"]]);
    assert_eq!(sums("by=channel,route").await, both);
    assert_eq!(sums("by=route&route=wa").await, json!([[null, "wa"]]));
    assert_eq!(sums("by=route&channel=sms").await, json!([[null, "gw"]]));
    let balance = house.get("/v1/balance").await.json;
    assert_eq!(
        balance["routes"],
        json!([{"route": "gw", "standing": "switched_off", "charged": "0.045"},
            {"route": "wa", "standing": "removed", "charged": "0.01"}])
    );
    let ledger = house.get("/v1/balance/ledger").await.json;
    let routes = ledger["items"].as_array().unwrap().iter();
    let routes: Vec<_> = routes.map(|it| it["route"].clone()).collect();
    assert_eq!(json!(routes), json!(["wa", "gw"]));

    for (message, id, words) in [
        (by_sms, "gw", "gw (switched off)"),
        (by_whatsapp, "wa", "wa (not configured)"),
    ] {
        let shown = house.get(&format!("/v1/messages/{message}")).await.json;
        assert_eq!(shown["message"]["route"], id);
        let routing = house.get(&format!("/v1/messages/{message}/routing")).await;
        let routing = routing.json;
        assert_eq!(routing["attempts"][0]["route"], id, "{routing}");
        assert_eq!(routing["decisions"][0]["route"], id, "{routing}");
        let text = routing["explanation"].to_string();
        assert!(text.contains(words), "{text}");
    }
    // What carries messages is named by what is in use alone.
    let sender = json!({"name": "Shop", "phoneNumber": "+40700000077", "routes": ["gw"]});
    let refused = house.post("/v1/senders", &sender).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_range_names_the_parameter() {
    let house = House::new().await;
    for path in ["/v1/costs", "/v1/deliverability"] {
        for (query, field) in [
            ("from=yesterday", "from"),
            ("until=1", "until"),
            ("from=2026-11-22&until=2026-11-22", "until"),
            ("from=2020-01-01", "from"),
            ("from=2026-10-01&by=hour", "from"),
            ("by=week", "by"),
            ("by=day,hour", "by"),
            ("by=day,", "by"),
            ("route=nowhere", "route"),
            ("sender=nobody", "sender"),
            ("route=other-gw", "route"),
            ("country=Romania", "country"),
            ("country=UK", "country"),
            ("country=XX", "country"),
            ("class=", "class"),
            ("by=", "by"),
            ("from=", "from"),
            ("campaign=&by=day", "campaign"),
            ("campaign=winter", "campaign"),
            ("class=gateway", "class"),
            ("channel=pigeon", "channel"),
        ] {
            let answer = house.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}?{query}");
            assert_eq!(answer.wrong_fields(), [field], "{path}?{query}");
        }
    }
    let answer = house.get("/v1/balance/ledger?limit=0&cursor=x").await;
    assert_eq!(answer.wrong_fields(), ["limit", "cursor"]);
}

#[tokio::test(start_paused = true)]
async fn a_balance_beyond_a_thousand_million_is_refused_and_nothing_is_booked() {
    let house = House::new().await;
    let most = json!({"amount": "1000000000"});
    let paid = house.post("/v1/balance/deposits", &most).await;
    assert_eq!(paid.status, StatusCode::CREATED);
    let more = house
        .post("/v1/balance/deposits", &json!({"amount": "0.000001"}))
        .await;
    assert_eq!(more.wrong_fields(), ["amount"]);
    let lines = house.get("/v1/balance/ledger").await.json;
    assert_eq!(lines["items"].as_array().unwrap().len(), 1);
    let back = json!({"amount": "-1000000000"});
    let paid = house.post("/v1/balance/deposits", &back).await;
    assert_eq!(paid.json["balance"], 0.0);
}

#[tokio::test(start_paused = true)]
async fn an_alert_of_a_quota_says_which_and_how_much_of_it_is_used() {
    let spend = quotas(Period::Day, QuotaUnit::Spend, 100_000);
    let house = House::with_quotas(spend, Quotas::NONE).await;
    house.engine.watch_alerts(AlertSettings::default());
    for _ in 0..2 {
        send(&house, TO).await;
    }
    let list = house.get("/v1/alerts?status=raised").await.json;
    let alerts = list["items"].as_array().unwrap();
    // What is left is less than any message costs.
    let kinds: Vec<_> = alerts.iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["quota_100", "quota_80"], "{list}");
    let quota =
        json!({"per": "day", "unit": "spend", "limit": 0.1, "used": 0.09, "usedPercent": 90});
    for alert in alerts {
        assert_eq!(
            (&alert["subject"], &alert["quota"]),
            (&json!("route:gw"), &quota)
        );
    }
    assert_eq!(
        (&alerts[0]["value"], &alerts[1]["value"]),
        (&json!(100), &json!(90))
    );
    assert_eq!(
        alerts[0]["message"],
        "route gw is out of quota: 0.09 EUR of 0.10 EUR a day (90 %)"
    );
    let routes = house.get("/v1/routes").await.json;
    let gateway = routes["items"].as_array().unwrap();
    let gateway = gateway.iter().find(|it| it["id"] == "gw").unwrap();
    assert_eq!(gateway["reason"], "out of quota", "{gateway}");
    assert_eq!(gateway["until"], "2026-11-23T00:00:00.000Z");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_more_than_a_whole_quota_is_refused_with_that_reason() {
    let segments = quotas(Period::Hour, QuotaUnit::Segments, 3);
    let house = House::with_quotas(Quotas::NONE, segments).await;
    let body = |length: usize| json!({"to": TO, "text": "x".repeat(length), "channel": "sms"});
    let answer = house.post("/v1/messages", &body(4 * 153)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
    assert_eq!(answer.json["code"], "no_channel");
    let channels = answer.json["details"]["channels"].as_array().unwrap();
    let on_sms = channels.iter().find(|it| it["channel"] == "sms").unwrap();
    assert_eq!(on_sms["reason"], "larger_than_project_quota");
    let preview = house.post("/v1/routing/preview", &body(4 * 153)).await.json;
    let words = preview["routing"]["explanation"].to_string();
    assert!(
        words.contains("larger than a whole quota of the project"),
        "{preview}"
    );
    let fits = house.post("/v1/messages", &body(3 * 153)).await;
    assert_eq!(fits.status, StatusCode::ACCEPTED, "{fits:?}");
}
