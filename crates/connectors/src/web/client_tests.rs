//! The client against machines on the loopback.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::web::testing::{Play, Wire, answer};

fn get(url: &str) -> Request {
    Request {
        method: Method::Get,
        url: url.to_owned(),
        headers: vec![("authorization".to_owned(), "Bearer t0ken".to_owned())],
        body: Body::None,
    }
}

fn client() -> Client {
    Client::new(Millis::seconds(20))
}

#[tokio::test]
async fn a_form_is_encoded_and_the_answer_is_given_as_it_came() {
    let mut said = answer(201, "{\"id\":\"é\"}");
    said.headers.push(("X-Id".to_owned(), "7".to_owned()));
    let wire = Wire::new([Play::Answer(said)]).await;
    let form = vec![
        ("To".to_owned(), "+40712345678".to_owned()),
        ("Body".to_owned(), "a&b=c ü".to_owned()),
    ];
    let request = Request {
        method: Method::Post,
        body: Body::Form(form),
        ..get(&format!("{}/send?x=1", wire.url()))
    };
    let answer = client().ask(request).await.unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("x-id"), Some("7"));
    assert_eq!(answer.body, "{\"id\":\"é\"}".as_bytes());
    let asked = &wire.asked()[0];
    assert_eq!((&*asked.method, &*asked.target), ("POST", "/send?x=1"));
    assert_eq!(asked.body, "To=%2B40712345678&Body=a%26b%3Dc+%C3%BC");
    assert_eq!(asked.header("authorization"), Some("Bearer t0ken"));
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(asked.header("content-type"), Some(kind));
    let agent = asked.header("user-agent").unwrap();
    assert!(agent.starts_with("Tandem/"), "{agent}");
}

#[tokio::test]
async fn json_has_its_type() {
    let wire = Wire::new([Play::Answer(answer(200, ""))]).await;
    let request = Request {
        method: Method::Put,
        body: Body::Json("{}".to_owned()),
        ..get(wire.url())
    };
    client().ask(request).await.unwrap();
    let asked = wire.asked().pop().unwrap();
    assert_eq!((&*asked.method, &*asked.body), ("PUT", "{}"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let mut moved = answer(307, "");
    moved
        .headers
        .push(("location".to_owned(), "/elsewhere".to_owned()));
    let wire = Wire::new([Play::Answer(moved)]).await;
    assert_eq!(client().ask(get(wire.url())).await.unwrap().status, 307);
    assert_eq!(wire.asked().len(), 1);
}

#[tokio::test]
async fn long_bodies_are_cut() {
    let long = "x".repeat(BODY_MAX + 10_000);
    let wire = Wire::new([Play::Answer(answer(200, &long))]).await;
    let answer = client().ask(get(wire.url())).await.unwrap();
    assert_eq!(answer.body.len(), BODY_MAX);
    let answer = client().exchange(get(wire.url()), 10).await.unwrap();
    assert_eq!(answer.body, [b'x'; 10]);
}

#[tokio::test]
async fn what_never_had_a_connection_was_not_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let no_tls = Wire::new([Play::HangUp]).await;
    let no_tls = no_tls.url().replace("http://", "https://");
    for url in [
        format!("http://{address}/t0ken"),
        format!("{no_tls}/t0ken"),
        "http://nobody.invalid/t0ken".to_owned(),
        "t0ken".to_owned(),
    ] {
        match client().ask(get(&url)).await {
            Err(NoAnswer::NotSent(why)) => assert!(!why.contains("t0ken"), "{why}"),
            other => panic!("{url}: {other:?}"),
        }
    }
    let mut request = get(&format!("http://{address}"));
    request.headers.push(("x\ny".to_owned(), "z".to_owned()));
    let outcome = client().ask(request).await;
    assert!(matches!(outcome, Err(NoAnswer::NotSent(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_connection_that_is_lost_or_silent_after_the_request_leaves_it_unknown() {
    let client = Client::new(Millis::new(300));
    for play in [Play::HangUp, Play::Silence] {
        let wire = Wire::new([play.clone()]).await;
        let url = format!("{}/t0ken", wire.url());
        match client.ask(get(&url)).await {
            Err(NoAnswer::Unknown(why)) => assert!(!why.contains("t0ken"), "{why}"),
            other => panic!("{play:?}: {other:?}"),
        }
        assert_eq!(wire.asked().len(), 1, "{play:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unknown_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let half = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal";
        stream.write_all(head).await.unwrap();
    };
    let client = client();
    let (answer, ()) = tokio::join!(client.ask(get(&url)), half);
    assert!(matches!(answer, Err(NoAnswer::Unknown(_))), "{answer:?}");
}

#[tokio::test]
async fn a_request_is_never_repeated_on_its_own() {
    // The second request meets a connection that the server closes when it has read it.
    let wire = Wire::new([Play::Answer(answer(200, "")), Play::HangUp]).await;
    let client = client();
    client.ask(get(wire.url())).await.unwrap();
    let second = client.ask(get(wire.url())).await;
    assert!(matches!(second, Err(NoAnswer::Unknown(_))), "{second:?}");
    assert_eq!(wire.asked().len(), 2);
}
