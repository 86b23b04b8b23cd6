//! `GET /v1/events`: everything that happens in a project, as server-sent events, from where the
//! reader left off (R-MON-1).
//!
//! A stream holds one page of events in memory and reads the next when the reader has taken it, so
//! that a slow reader costs no more than a fast one.

pub(crate) mod envelope;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::ids::{ConversationId, ProjectKey};
use domain::model::event::{EventKind, EventKinds, EventSeq};
use futures_util::stream;
use parking_lot::Mutex;
use ports::store::Unavailable;
use ports::store::events::{EventFilter, EventRecord};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorCode, ErrorOut};
use crate::lasting::Lasting;
use crate::page::{Params, Query};

/// Most streams at a time.
const STREAMS: usize = 512;
/// How many of them one project may have, so that it leaves some to the others.
const OF_A_PROJECT: usize = 256;
/// Events that a stream holds.
const PAGE: u16 = 64;
/// How many places a stream looks at in one reading: for each of them a message may be looked up, on
/// the readers that serve all else.
const LOOK_AT: u32 = 2_000;
/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lives: its reader comes again.
const LIFE: Duration = Duration::from_hours(1);
/// When a reader comes again after its stream ended.
const COME_AGAIN: Duration = Duration::from_secs(1);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies that gather what they pass on are told not to.
pub(crate) const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The paths of this resource.
pub(crate) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(stream_events))
        .layer(Extension(Arc::new(Places::default())))
}

/// The places of streams.
pub(crate) struct Places {
    all: Arc<Semaphore>,
    /// As many as there are projects with a reader, at most.
    of_projects: Mutex<BTreeMap<ProjectKey, Arc<Semaphore>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(STREAMS)),
            of_projects: Mutex::default(),
        }
    }
}

impl Places {
    /// A place for a stream of this project, if there is one.
    fn take(&self, project: ProjectKey) -> Option<[OwnedSemaphorePermit; 2]> {
        let of_it = {
            let mut of_projects = self.of_projects.lock();
            let of_it = of_projects
                .entry(project)
                .or_insert_with(|| Arc::new(Semaphore::new(OF_A_PROJECT)));
            Arc::clone(of_it)
        };
        let of_it = of_it.try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some([of_it, of_all])
    }
}

/// Streams what happens, as server-sent events: `id` is the place to resume from, `event` the type,
/// `data` the same JSON object that a webhook gets. A comment every 15 s shows that the stream lives.
/// It ends after an hour and when the server stops; standard readers come again by themselves. It also
/// ends, within 5 s, when the session ends that it was opened with, or its key is revoked.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "streamEvents",
    tag = "events",
    params(
        ("types" = Option<String>, Query, description = "Only these types, with commas between them"),
        ("conversationId" = Option<String>, Query, description = "Of the steps of outbound messages, only those in this conversation; everything else is told all the same"),
        ("after" = Option<i64>, Query, description = "Goes on after this place, for readers that cannot set the header"),
        ("Last-Event-ID" = Option<i64>, Header, description = "Goes on after this place; without, from now on"),
    ),
    responses(
        (status = 200, description = "The stream", content_type = "text/event-stream", body = String),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
        (status = 429, description = "The key's rate limit is reached, or too many streams are open", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn stream_events(
    State(api): State<Arc<ApiState>>,
    Extension(places): Extension<Arc<Places>>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    let mut params = Params::new(query)?;
    let kinds = params.read("types", "must be types of events, with commas", kinds);
    let place = "must be the `id` of an event of this stream";
    let steps_in = params.read("conversationId", "must be the id of a conversation", |it| {
        it.parse().ok()
    });
    if let Some(conversation) = steps_in
        && !has(&api, caller.project(), conversation).await?
    {
        params.wrong(
            "conversationId",
            "is not the id of a conversation of this project",
        );
    }
    let after = params.read("after", place, seq);
    let resumed = headers.get(LAST_EVENT_ID).map(HeaderValue::to_str);
    let resumed = match resumed {
        None | Some(Ok("")) => None,
        Some(text) => {
            let place_of = text.ok().and_then(seq);
            if place_of.is_none() {
                params.wrong("Last-Event-ID", place);
            }
            place_of
        }
    };
    // Listened to before the place is read, so that nothing is missed.
    let newest = api.engine.watch_events();
    let last = api.engine.store().newest_event().await?;
    let (from, after) = match (resumed, after) {
        (Some(resumed), _) => ("Last-Event-ID", resumed),
        (None, Some(after)) => ("after", after),
        (None, None) => ("", last),
    };
    if after > last {
        // From another database, or of one that was set back: going on there would miss events.
        params.wrong(from, "is beyond the newest event of this server");
    }
    params.done()?;
    let Some(place) = places.take(caller.project()) else {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            "Too many event streams are open",
        )
        .should_retry(true)
        .retry_after(5));
    };
    let feed = Feed {
        filter: EventFilter {
            project: caller.project(),
            sender: None,
            kinds: kinds.unwrap_or(EventKinds::ALL),
            steps_in,
            after,
            limit: PAGE,
            look_at: LOOK_AT,
        },
        page: VecDeque::new(),
        newest,
        ends: Instant::now() + LIFE,
        lasting: Lasting::of(&api, &headers),
        api,
        _place: place,
    };
    let opening = Event::default().retry(COME_AGAIN).comment("open");
    let events = stream::unfold((Some(opening), feed), |(opening, mut feed)| async {
        let event = match opening {
            Some(opening) => opening,
            None => feed.next().await?,
        };
        Some((Ok::<_, Infallible>(event), (None, feed)))
    });
    let alive = KeepAlive::new().interval(HEARTBEAT);
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

fn kinds(text: &str) -> Option<EventKinds> {
    text.split(',')
        .map(|it| EventKind::from_code(it.trim()))
        .collect()
}

fn seq(text: &str) -> Option<EventSeq> {
    let seq: i64 = text.parse().ok()?;
    (seq >= 0).then_some(EventSeq(seq))
}

/// Whether the project has the sender and the contact of this conversation.
async fn has(
    api: &ApiState,
    project: ProjectKey,
    conversation: ConversationId,
) -> Result<bool, Unavailable> {
    let topology = api.engine.topology();
    let sender = topology.sender(conversation.sender);
    if sender.is_none_or(|it| it.project != project) {
        return Ok(false);
    }
    let contact = api.engine.store().contact(project, conversation.contact);
    Ok(contact.await?.is_some())
}

/// One reader's stream.
struct Feed {
    api: Arc<ApiState>,
    filter: EventFilter,
    page: VecDeque<EventRecord>,
    newest: watch::Receiver<EventSeq>,
    ends: Instant,
    lasting: Lasting,
    _place: [OwnedSemaphorePermit; 2],
}

/// What one step of a reading found.
enum Found {
    /// An event to tell.
    Event(Event),
    /// Nothing to tell as yet, and there is more to look at.
    More,
    /// Nothing up to the newest event.
    Nothing,
}

impl Feed {
    /// The next event, once there is one; `None` when the stream ends. It may have millions of events
    /// to skip, so what ends it is asked for before each step.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.api.closing.is_cancelled() || Instant::now() >= self.ends {
                return None;
            }
            let read = match self.lasting.stands(&self.api).await {
                Ok(true) => self.read().await,
                Ok(false) => return None,
                Err(error) => Err(error),
            };
            match read {
                Ok(Found::Event(event)) => return Some(event),
                // Others have their turn, also where the store answers at once.
                Ok(Found::More) => tokio::task::yield_now().await,
                Ok(Found::Nothing) => self.wait().await,
                Err(error) => {
                    // The reader comes again, and goes on where it was.
                    tracing::error!(%error, "an event stream was cut off");
                    return None;
                }
            }
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.newest.changed() => {}
            () = self.api.closing.cancelled() => {}
            () = tokio::time::sleep_until(self.ends.min(self.lasting.look_at())) => {}
        }
    }

    /// One step of the reading: an event of the page that is held, or the next page.
    async fn read(&mut self) -> Result<Found, Unavailable> {
        if let Some(record) = self.page.pop_front() {
            let event = self.written(&record).await?;
            return Ok(event.map_or(Found::More, Found::Event));
        }
        self.newest.mark_unchanged();
        let page = self.api.engine.store().events(self.filter).await?;
        self.filter.after = page.upto;
        if page.events.is_empty() && !page.more {
            return Ok(Found::Nothing);
        }
        self.page = page.events.into();
        Ok(Found::More)
    }

    async fn written(&self, record: &EventRecord) -> Result<Option<Event>, Unavailable> {
        let event = &record.event;
        let engine = &self.api.engine;
        let message = match event.message {
            Some(id) => engine.store().message(event.project, id).await?,
            None => None,
        };
        let body = envelope::write(record, message.as_ref(), &engine.topology());
        Ok(body.map(|body| {
            Event::default()
                .id(record.seq.0.to_string())
                .event(event.kind.code())
                .data(body)
        }))
    }
}
