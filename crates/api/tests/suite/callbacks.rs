//! Providers' calls: whose is it that the log speaks of?

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::time::Millis;
use parking_lot::Mutex;
use ports::connector::Connector;
use ports::hooks::{HookAnswer, HookCall, Hooks, Pending};

use super::house::{House, WHATSAPP};

/// A connector that finds fault with every call.
struct Fussy;

impl Connector for Fussy {
    fn stop(&self, _patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }

    fn hooks(&self) -> Option<&dyn Hooks> {
        Some(self)
    }
}

impl Hooks for Fussy {
    fn call(&self, _call: HookCall) -> Pending<'_, HookAnswer> {
        Box::pin(async {
            tracing::warn!("this is no JSON");
            HookAnswer::empty(200)
        })
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_connector_logs_of_a_call_names_the_route() {
    let house = House::new().await;
    house.engine.attach(WHATSAPP, Arc::new(Fussy));
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let capture = tracing::subscriber::set_default(subscriber);
    let topology = house.engine.topology();
    let route = &topology.route(WHATSAPP).unwrap().id;
    let call = Request::post(format!("/hooks/{route}?token=s3cret"));
    let answer = house.request(call.body(Body::from("{")).unwrap()).await;
    drop(capture);
    assert_eq!(answer.status, StatusCode::OK);
    let text = String::from_utf8(log.0.lock().clone()).unwrap();
    let line = text.lines().find(|it| it.contains("this is no JSON"));
    assert!(
        line.is_some_and(|it| it.contains(&format!("route={route}"))),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
}
