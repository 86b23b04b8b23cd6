//! A courier that does as it is told, and letters that say no more than which event they are.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::time::{Millis, Timestamp};
use engine::publish::{Letters, Publishing};
use engine::topology::Topology;
use parking_lot::Mutex;
use ports::clock::Clock;
use ports::courier::{Courier, CourierError, PostRequest};
use ports::hooks::Pending;
use ports::store::events::EventRecord;
use ports::store::messages::MessageView;
use ports::store::webhooks::Webhook;

use super::T0;

/// What an endpoint does with a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    /// It answers this status.
    Answers(u16),
    /// It answers 200 after so long.
    Takes(Millis),
    /// It never answers.
    Hangs,
    /// Nobody is there.
    IsAway,
}

/// What arrived where, and when, in milliseconds since the beginning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Arrived {
    pub(crate) at: i64,
    pub(crate) url: String,
    /// The event's place.
    pub(crate) event: i64,
    /// The event's public id.
    pub(crate) id: String,
}

/// The outside world.
#[derive(Default)]
struct Outside {
    arrived: Vec<Arrived>,
    /// What each URL does next; 200 where nothing is said.
    acts: BTreeMap<String, VecDeque<Act>>,
    /// What each URL does after that.
    always: BTreeMap<String, Act>,
}

/// The courier.
#[derive(Clone)]
pub(crate) struct Outdoors {
    clock: Arc<dyn Clock>,
    outside: Arc<Mutex<Outside>>,
}

struct Writer;

impl Letters for Writer {
    fn letter(
        &self,
        event: &EventRecord,
        message: Option<&MessageView>,
        webhook: &Webhook,
        _: &Topology,
        _: Timestamp,
        patience: Duration,
    ) -> Option<PostRequest> {
        message?;
        Some(PostRequest {
            url: webhook.url.clone(),
            headers: Vec::new(),
            body: format!("{} {}", event.seq.0, event.id()).into_bytes(),
            timeout: patience,
        })
    }
}

impl Outdoors {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let outside = Arc::default();
        Self { clock, outside }
    }

    pub(crate) fn publishing(&self) -> Publishing {
        Publishing {
            courier: Arc::new(self.clone()),
            letters: Arc::new(Writer),
        }
    }

    /// What a URL does with the next deliveries.
    pub(crate) fn next(&self, url: &str, acts: impl IntoIterator<Item = Act>) {
        let mut outside = self.outside.lock();
        outside.acts.entry(url.into()).or_default().extend(acts);
    }

    /// What a URL does with every delivery from now on.
    pub(crate) fn always(&self, url: &str, act: Act) {
        self.outside.lock().always.insert(url.into(), act);
    }

    /// What arrived at a URL.
    pub(crate) fn at(&self, url: &str) -> Vec<Arrived> {
        let mut arrived = self.outside.lock().arrived.clone();
        arrived.retain(|it| it.url == url);
        arrived
    }

    /// Which events arrived at a URL.
    pub(crate) fn events_at(&self, url: &str) -> Vec<i64> {
        self.at(url).iter().map(|it| it.event).collect()
    }

    fn arrive(&self, request: &PostRequest) -> Act {
        let text = String::from_utf8(request.body.clone()).unwrap();
        let (event, id) = text.split_once(' ').unwrap();
        let url = request.url.to_string();
        let mut outside = self.outside.lock();
        let always = outside.always.get(&url).copied();
        let next = outside.acts.get_mut(&url).and_then(VecDeque::pop_front);
        outside.arrived.push(Arrived {
            at: self.clock.now().since(T0).get(),
            url,
            event: event.parse().unwrap(),
            id: id.into(),
        });
        next.or(always).unwrap_or(Act::Answers(200))
    }
}

impl Courier for Outdoors {
    fn post(&self, request: PostRequest) -> Pending<'_, Result<u16, CourierError>> {
        Box::pin(async move {
            match self.arrive(&request) {
                Act::Answers(status) => Ok(status),
                Act::Takes(span) => {
                    tokio::time::sleep(span.to_duration()).await;
                    Ok(200)
                }
                Act::Hangs => std::future::pending().await,
                Act::IsAway => Err(CourierError::Unreachable("refused".into())),
            }
        })
    }
}
