//! What the courier posts, and where it goes under no circumstances.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn request(url: &str) -> PostRequest {
    PostRequest {
        url: url.into(),
        headers: vec![("x-zavu-event", "message.sent".to_owned())],
        body: b"{\"a\":1}".to_vec(),
        timeout: Duration::from_secs(5),
    }
}

/// A courier for which every name has these addresses.
fn courier_with(config: CourierConfig, addresses: &[&str]) -> (HttpCourier, Arc<AtomicUsize>) {
    let addresses: Vec<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let found = addresses.clone();
        Box::pin(async move { Ok(found) })
    });
    (
        HttpCourier::new(config, Guarded { config, lookup }).unwrap(),
        asked,
    )
}

const STRICT: CourierConfig = CourierConfig {
    allow_private: false,
};
const LOOSE: CourierConfig = CourierConfig {
    allow_private: true,
};

/// Answers every connection so, and returns what was asked.
async fn receiver(answer: String) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, hear) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"{\"a\":1}") {
                let mut chunk = [0; 1024];
                let count = stream.read(&mut chunk).await.unwrap();
                assert!(count > 0, "the request broke off");
                bytes.extend_from_slice(&chunk[..count]);
            }
            // Whether anybody still listens does not matter here.
            drop(heard.send(String::from_utf8(bytes).unwrap()));
            // A client that has enough may close before the end.
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    (port, hear)
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written_and_the_status_comes_back() {
    let answer = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned();
    let (port, mut hear) = receiver(answer).await;
    let (courier, asked) = courier_with(LOOSE, &["127.0.0.1"]);
    let url = format!("http://receiver.example:{port}/hook?a=b");
    assert_eq!(courier.post(request(&url)).await, Ok(204));
    let heard = hear.recv().await.unwrap();
    assert!(
        heard.starts_with("POST /hook?a=b HTTP/1.1\r\n"),
        "{heard:?}"
    );
    let host = format!("host: receiver.example:{port}\r\n");
    assert!(heard.to_lowercase().contains(&host), "{heard:?}");
    assert!(
        heard.contains("x-zavu-event: message.sent\r\n"),
        "{heard:?}"
    );
    assert!(heard.ends_with("\r\n\r\n{\"a\":1}"), "{heard:?}");
    assert_eq!(
        asked.load(Ordering::SeqCst),
        1,
        "looked up once, and pinned"
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (target, mut reached) = receiver("HTTP/1.1 200 OK\r\n\r\n".to_owned()).await;
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{target}/\r\ncontent-length: 0\r\n\r\n"
    );
    let (port, _hear) = receiver(answer).await;
    let (courier, _) = courier_with(LOOSE, &[]);
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(courier.post(request(&url)).await, Ok(307));
    assert!(reached.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n{}",
        "x".repeat(BODY_MAX)
    );
    let (port, _hear) = receiver(answer).await;
    let (courier, _) = courier_with(LOOSE, &[]);
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(courier.post(request(&url)).await, Ok(200));
}

#[tokio::test]
async fn an_address_that_is_not_public_is_not_connected_to_however_it_is_written() {
    let (port, mut reached) = receiver("HTTP/1.1 200 OK\r\n\r\n".to_owned()).await;
    let (courier, asked) = courier_with(STRICT, &[]);
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "0",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "①②⑦.0.0.1",
    ] {
        let answer = courier
            .post(request(&format!("http://{host}:{port}/")))
            .await;
        assert!(
            matches!(answer, Err(CourierError::NotAllowed(_))),
            "{host}: {answer:?}"
        );
    }
    assert!(reached.try_recv().is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_is_judged_by_the_address_that_is_connected_to() {
    let (port, mut reached) = receiver("HTTP/1.1 200 OK\r\n\r\n".to_owned()).await;
    for addresses in [
        &["127.0.0.1"][..],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
        &["10.0.0.1", "192.168.0.1"],
        &["fe80::1"],
    ] {
        let (courier, _) = courier_with(STRICT, addresses);
        let url = format!("http://innocent.example:{port}/");
        let answer = courier.post(request(&url)).await;
        assert!(
            matches!(answer, Err(CourierError::NotAllowed(_))),
            "{addresses:?}: {answer:?}"
        );
    }
    // Metadata services are refused also where the private network is allowed.
    let (courier, _) = courier_with(LOOSE, &["169.254.169.254"]);
    let answer = courier.post(request("http://innocent.example/")).await;
    assert!(matches!(answer, Err(CourierError::NotAllowed(_))));
    assert!(reached.try_recv().is_err());
}

#[tokio::test]
async fn the_own_name_of_this_machine_is_refused() {
    let courier = courier(STRICT).unwrap();
    for host in ["localhost", "LOCALHOST", "localhost."] {
        let answer = courier.post(request(&format!("http://{host}:9/"))).await;
        assert!(
            matches!(
                answer,
                Err(CourierError::NotAllowed(_) | CourierError::Unreachable(_))
            ),
            "{host}: {answer:?}"
        );
    }
    let answer = courier.post(request("http://localhost:9/")).await;
    assert!(matches!(answer, Err(CourierError::NotAllowed(_))));
}

#[tokio::test]
async fn only_http_without_a_password_is_spoken() {
    let (courier, asked) = courier_with(LOOSE, &["127.0.0.1"]);
    for url in [
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example/",
        "/hook",
        "http://",
        "http://user:pw@a.example/",
        "http://user@a.example/",
    ] {
        let answer = courier.post(request(url)).await;
        assert!(
            matches!(answer, Err(CourierError::NotAllowed(_))),
            "{url}: {answer:?}"
        );
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_there_and_no_answer_in_time_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap().port();
    let (courier, _) = courier_with(LOOSE, &[]);
    let impatient = PostRequest {
        timeout: Duration::from_millis(50),
        ..request(&format!("http://127.0.0.1:{silent}/secret"))
    };
    assert_eq!(courier.post(impatient).await, Err(CourierError::TimedOut));
    drop(listener);
    let answer = courier
        .post(request(&format!("http://127.0.0.1:{silent}/secret")))
        .await;
    let Err(CourierError::Unreachable(why)) = answer else {
        panic!("{answer:?}")
    };
    assert!(!why.contains("secret"), "{why}");
}
