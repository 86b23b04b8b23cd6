//! Station 1: checks a message against the rules, and keeps it. Where its route has room now, its
//! first attempt is planned and kept in the same operation, and goes to the route on commit.
// Long because: everything that a request goes through before its 202 reads in one go.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use domain::decision::Decision;
use domain::ids::{ConversationId, MessageId, ProjectKey, UserId};
use domain::model::channel::Channel;
use domain::model::contact::ContactFacts;
use domain::model::content::Content;
use domain::model::message::{Category, Direction, Purpose, Status, TrafficClass};
use domain::model::progress::{FallbackPolicy, Lane, Progress, Waiting};
use domain::model::quota::MeterOf;
use domain::model::sender::Sender;
use domain::rules::class::{ClassFacts, classify};
use domain::rules::person::claim;
use domain::rules::plan::{MessageFacts, Plan, PlanFacts, plan};
use domain::rules::validity::{ValidityFacts, expires_at};
use domain::text::{Segments, measure};
use domain::time::{Millis, Timestamp};
use ports::connector::SubmissionKey;
use ports::store::fold::is_answerable;
use ports::store::messages::{IdempotencyKey, MessageView, NewMessage, ViewKind};
use ports::store::operations::{Accept, FirstStep};
use ports::store::queries::Repeated;
use ports::store::{Op, Outcome, Unavailable};
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

use crate::form::Form;
use crate::plan::submission;
use crate::ready::Ready;
use crate::request::{Accepted, Preview, Refused, SendRequest};
use crate::templates::Usable;
use crate::topology::Project;
use crate::{Inner, facts, settle};

/// Furthest that a message can be scheduled ahead.
const MAX_SCHEDULE: Millis = Millis::days(366);

/// A message with all that the rules found, before anything is kept.
struct Prepared {
    message: NewMessage,
    fallback: FallbackPolicy,
    expires_at: Timestamp,
    plan: Plan,
    sender: Arc<Sender>,
    contact: ContactFacts,
    templates: Usable,
}

/// Keeps a message that somebody wants to send, or says why not.
pub(crate) async fn accept(inner: &Arc<Inner>, request: SendRequest) -> Result<Accepted, Refused> {
    if !inner.accepting.load(Ordering::SeqCst) {
        return Err(Unavailable::new("the server is stopping").into());
    }
    let full = inner.lanes.total() >= inner.limits.backlog
        || inner.store.pending() >= inner.limits.pending_operations;
    if full {
        return Err(Refused::BacklogFull);
    }
    let idempotency = request.idempotency.clone();
    let by_person = request.by_person;
    let prepared = prepare(inner, request, Sight::Counted).await?;
    let Prepared {
        message,
        fallback,
        expires_at,
        plan,
        sender,
        contact,
        templates,
    } = prepared;
    let now = message.accepted_at;
    let (step, decision, place) = match plan {
        Plan::Refuse { refusal, decision } => {
            // A repeat of a request that was taken is no new message, whatever the rules say now.
            repeated(inner, message.project, idempotency, message.accepted_at).await?;
            return Err(Refused::ByRule {
                refusal,
                decision: Box::new(decision),
            });
        }
        Plan::Wait { lane, decision } => {
            (FirstStep::Wait(lane), decision, Place::in_lane(inner, lane))
        }
        Plan::Send { attempt, decision } => {
            let lane = Lane {
                route: attempt.route,
                class: message.class,
            };
            match place_for(inner, &sender, lane) {
                Place::Ready(lane) => (FirstStep::Send(attempt), decision, Place::Ready(lane)),
                Place::Lane(lane) => (FirstStep::Wait(lane), decision, Place::Lane(lane)),
            }
        }
    };
    let (step, place) = match by_person {
        Some(person) => by_hand(inner, person, expires_at, place, now),
        None => (step, Some(place)),
    };
    let (step, place) = match message.scheduled_at {
        Some(at) => {
            if let Some(place) = place {
                place.give_up(inner);
            }
            (FirstStep::Schedule(at), None)
        }
        None => (step, place),
    };
    let accept = Accept {
        message,
        fallback,
        expires_at,
        first: step,
        decision,
        idempotency,
        epoch: inner.epoch,
    };
    let form = match &accept.first {
        FirstStep::Send(attempt) => Some(Form::of(
            &accept.message,
            &contact,
            &sender,
            &templates,
            attempt.channel,
            now,
        )),
        FirstStep::Wait(_) | FirstStep::Schedule(_) | FirstStep::Person(_) => None,
    };
    let asked = match &accept.first {
        FirstStep::Send(attempt) => Some(&attempt.reservation),
        FirstStep::Wait(_) | FirstStep::Schedule(_) | FirstStep::Person(_) => None,
    };
    let may_be_gone = asked.is_some_and(|it| !it.route.is_none() || !it.project.is_none());
    let again = may_be_gone.then(|| accept.clone());
    match (keep(inner, accept, place, form).await?, again) {
        (Kept::Accepted(accepted), _) => Ok(*accepted),
        (Kept::QuotaGone(lane), Some(accept)) => wait_for_quota(inner, accept, lane).await,
        (Kept::QuotaGone(_), None) => Err(broken_contract()),
    }
}

/// A message that a person sends from their own phone is theirs from the start (R-PHONE-4); given back,
/// it goes where it would have gone.
fn by_hand(
    inner: &Inner,
    person: UserId,
    expires_at: Timestamp,
    place: Place,
    now: Timestamp,
) -> (FirstStep, Option<Place>) {
    place.give_up(inner);
    let (Place::Ready(lane) | Place::Lane(lane)) = place;
    inner.offers_changed.notify_one();
    (
        FirstStep::Person(claim(person, lane, expires_at, now)),
        None,
    )
}

/// Keeps a message whose quota was gone by the time it was to be reserved: it waits, and is planned
/// again at once, on another route where one has quota (R-QUOTA-2).
async fn wait_for_quota(
    inner: &Arc<Inner>,
    accept: Accept,
    lane: Lane,
) -> Result<Accepted, Refused> {
    let accept = Accept {
        first: FirstStep::Wait(lane),
        ..accept
    };
    let place = Place::in_lane(inner, lane);
    match keep(inner, accept, Some(place), None).await? {
        Kept::Accepted(accepted) => Ok(*accepted),
        Kept::QuotaGone(_) => Err(broken_contract()),
    }
}

fn broken_contract() -> Refused {
    Unavailable::new("the store broke the contract of Accept").into()
}

/// Refuses a request whose idempotency key was used before (R-LIFE-3).
async fn repeated(
    inner: &Inner,
    project: ProjectKey,
    key: Option<IdempotencyKey>,
    now: Timestamp,
) -> Result<(), Refused> {
    let Some(key) = key else { return Ok(()) };
    match inner.store.earlier(project, key, now).await? {
        Some(Repeated { original, differs }) => Err(Refused::AlreadyAccepted { original, differs }),
        None => Ok(()),
    }
}

/// What would be decided now.
pub(crate) async fn preview(inner: &Arc<Inner>, request: SendRequest) -> Result<Preview, Refused> {
    let prepared = prepare(inner, request, Sight::Ignored).await?;
    Ok(match prepared.plan {
        Plan::Send { decision, .. } => Preview {
            decision,
            refusal: None,
            waits: false,
        },
        Plan::Wait { decision, .. } => Preview {
            decision,
            refusal: None,
            waits: true,
        },
        Plan::Refuse { refusal, decision } => Preview {
            decision,
            refusal: Some(refusal),
            waits: false,
        },
    })
}

/// Where an accepted message goes: promised before it is committed, given up if it is not kept.
#[derive(Clone, Copy)]
enum Place {
    /// A place in the route's ready queue.
    Ready(Lane),
    /// The end of a lane.
    Lane(Lane),
}

impl Place {
    fn in_lane(inner: &Inner, lane: Lane) -> Self {
        inner.lanes.add(lane, 1);
        Self::Lane(lane)
    }

    fn give_up(self, inner: &Inner) {
        match self {
            Self::Lane(lane) => inner.lanes.add(lane, -1),
            Self::Ready(lane) => {
                if let Some(line) = inner.lines.get(&lane.route) {
                    line.unreserve(lane.class);
                }
            }
        }
    }
}

/// The ready queue if nothing waits before this message and there is room; else a lane.
///
/// While the lane of another route on the channel is being emptied because that route is down, the
/// message goes to the end of that lane, behind the earlier ones of its conversation (R-ORDER).
fn place_for(inner: &Inner, sender: &Sender, lane: Lane) -> Place {
    let chosen = inner.lines.get(&lane.route);
    let channel = chosen.map(|it| it.route.channel);
    let emptied = sender
        .routes
        .iter()
        .filter(|route| **route != lane.route)
        .filter(|route| inner.lines.get(route).map(|it| it.route.channel) == channel)
        .map(|route| Lane {
            route: *route,
            class: lane.class,
        })
        .find(|other| inner.lanes.waiting_in(*other) > 0);
    if let Some(other) = emptied.filter(|it| is_down(inner, *it)) {
        return Place::in_lane(inner, other);
    }
    match chosen {
        Some(line) if inner.lanes.waiting_in(lane) == 0 && line.reserve(lane.class) => {
            Place::Ready(lane)
        }
        Some(_) | None => Place::in_lane(inner, lane),
    }
}

fn is_down(inner: &Inner, lane: Lane) -> bool {
    inner
        .lines
        .get(&lane.route)
        .is_some_and(|it| !it.admits(inner.now()))
}

/// Whether the message counts for the detection of bulk traffic (R-CLASS-1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    Counted,
    Ignored,
}

async fn prepare(inner: &Inner, request: SendRequest, sight: Sight) -> Result<Prepared, Refused> {
    let now = inner.now();
    let unknown = || Refused::Unavailable(Unavailable::new("the sender is not configured"));
    let topology = inner.topology();
    let project = topology.project(request.project).ok_or_else(unknown)?;
    let sender = Arc::clone(topology.sender(request.sender).ok_or_else(unknown)?);
    let contact = inner
        .store
        .contact_facts(request.project, request.sender, &request.to)
        .await?;
    let thread = thread(inner, &request, &contact).await?;
    let scheduled_at = request.scheduled_at.filter(|at| *at > now);
    if scheduled_at.is_some_and(|at| at.since(now) > MAX_SCHEDULE) {
        return Err(Refused::TimeOutOfRange);
    }
    let promotional = request.category == Category::Promotional;
    let (class, class_reason) = classify(&ClassFacts {
        caller: request.traffic_class,
        reply: thread.reply_to.is_some(),
        broadcast: false,
        scheduled: scheduled_at.is_some(),
        promotional,
        same_text_to_many: sight == Sight::Counted && goes_to_many(inner, &request, project, now),
    });
    let text_segments = request.content.plain_text().map(measure);
    let message = NewMessage {
        project: request.project,
        sender: request.sender,
        to: request.to,
        content: Arc::new(request.content),
        class,
        class_reason,
        category: request.category,
        purpose: Purpose::Ordinary,
        speed: project.policy.speed_of(request.speed, request.category),
        explicit: request.explicit,
        reply_to: thread.reply_to,
        context: thread.context,
        test: request.test,
        metadata: request.metadata,
        scheduled_at,
        accepted_at: now,
    };
    let routes = facts::routes(inner, &sender, now);
    let templates = Usable::of(inner, &message.content, &sender, &contact, now);
    let periods = inner.quotas.periods(project.key, &project.policy, now);
    let of_project = MeterOf::Project(project.key);
    let quota = inner
        .quotas
        .facts(of_project, &project.policy.quotas, &periods);
    let plan = plan(&PlanFacts {
        now,
        policy: &project.policy,
        sender: &sender,
        routes: &routes,
        contact: &contact,
        templates: templates.facts(),
        quota: &quota,
        periods,
        message: message_facts(&message, text_segments),
    });
    let fallback = FallbackPolicy {
        enabled: request
            .fallback_enabled
            .unwrap_or(request.explicit.is_none()),
        after: request.fallback_after.or(sender.fallback_after),
        untried: topology.channels_of(&sender, request.test),
    };
    let expires_at = expires_at(
        &ValidityFacts {
            accepted_at: now,
            scheduled_at,
            requested: request.validity,
            category: request.category,
            class,
        },
        &project.policy,
    );
    Ok(Prepared {
        message,
        fallback,
        expires_at,
        plan,
        sender,
        contact,
        templates,
    })
}

/// What the plan rule asks of a message that no attempt was made for.
fn message_facts(message: &NewMessage, text_segments: Option<Segments>) -> MessageFacts<'_> {
    MessageFacts {
        to: &message.to,
        content: &message.content,
        class: message.class,
        class_reason: message.class_reason,
        category: message.category,
        purpose: message.purpose,
        speed: message.speed,
        explicit: message.explicit,
        reply_channel: message.reply_to.map(|(_, channel)| channel),
        may_reply: may_reply(message),
        tried: domain::model::channel::ChannelSet::EMPTY,
        refused_by: &[],
        test: message.test,
        text_segments,
    }
}

/// Whether a message may count as an answer without saying so (R-CHAN-2).
pub(crate) fn may_reply(message: &NewMessage) -> bool {
    message.explicit.is_none()
        && message.class == TrafficClass::Direct
        && message.scheduled_at.is_none()
        && message.category != Category::Promotional
}

/// What a message has to do with earlier ones.
#[derive(Default)]
struct Thread {
    /// The inbound message that it answers, and that one's channel.
    reply_to: Option<(MessageId, Channel)>,
    /// The provider's id of the message that it answers or reacts to.
    context: Option<Box<str>>,
}

/// What a message has to do with earlier ones; checks that they are of the same thread.
async fn thread(
    inner: &Inner,
    request: &SendRequest,
    contact: &ContactFacts,
) -> Result<Thread, Refused> {
    if let Some(conversation) = request.conversation
        && (Some(conversation.contact) != contact.id || conversation.sender != request.sender)
    {
        return Err(Refused::OtherThread);
    }
    if let Some(target) = request.reacts_to {
        let context = reacted_to(inner, request, contact, target).await?;
        return Ok(Thread {
            context: Some(context),
            ..Thread::default()
        });
    }
    let Some(id) = request.in_reply_to else {
        return Ok(Thread::default());
    };
    let view = inner.store.message(request.project, id).await?;
    match view.map(|it| (it.contact, it.kind)) {
        Some((writer, ViewKind::Inbound(inbound))) => {
            // The person may have written from another of their addresses.
            let is_theirs = inbound.from == request.to || writer.is_some() && writer == contact.id;
            if !is_theirs || inbound.sender != request.sender {
                return Err(Refused::OtherThread);
            }
            // Text messages know no quotes; their ids are of no use.
            let context = inbound
                .provider_id
                .filter(|_| is_answerable(inbound.channel));
            Ok(Thread {
                reply_to: Some((id, inbound.channel)),
                context,
            })
        }
        Some((_, ViewKind::Outbound { .. })) | None => Err(Refused::NoSuchInbound),
    }
}

/// The provider's id of a message that is reacted to.
async fn reacted_to(
    inner: &Inner,
    request: &SendRequest,
    contact: &ContactFacts,
    target: MessageId,
) -> Result<Box<str>, Refused> {
    let view = inner.store.message(request.project, target).await?;
    let view = view.ok_or(Refused::NothingToReactTo)?;
    let sender = match &view.kind {
        ViewKind::Outbound { message, .. } => message.sender,
        ViewKind::Inbound(inbound) => inbound.sender,
    };
    if view.contact.is_none() || view.contact != contact.id || sender != request.sender {
        return Err(Refused::OtherThread);
    }
    let reference = inner.store.provider_reference(target).await?;
    Ok(reference.ok_or(Refused::NothingToReactTo)?.reference)
}

/// Whether the same sender sends the same text to many (R-CLASS-1).
fn goes_to_many(inner: &Inner, request: &SendRequest, project: &Project, now: Timestamp) -> bool {
    let content = content_hash(&request.content);
    let recipient = hash_of(&request.to);
    inner
        .bulk
        .lock()
        .observe(request.sender, content, recipient, now, &project.policy)
}

fn content_hash(content: &Content) -> u64 {
    hash_of((content.kind, &content.text, &content.extra))
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What became of a message that was to be kept.
enum Kept {
    /// It is.
    Accepted(Box<Accepted>),
    /// It is not: the route of this lane, or the project, has no quota left for it.
    QuotaGone(Lane),
}

/// Commits the message; on commit, in the order of commit, hands it to its route.
async fn keep(
    inner: &Arc<Inner>,
    accept: Accept,
    place: Option<Place>,
    form: Option<Form>,
) -> Result<Kept, Refused> {
    if let FirstStep::Send(attempt) = &accept.first {
        inner.quotas.planned(accept.message.project, attempt);
    }
    let decision = accept.decision.clone();
    let message = accept.message.clone();
    let progress = shown_progress(&accept);
    let ready = match &accept.first {
        FirstStep::Send(attempt) => {
            form.map(|form| (attempt.clone(), accept.fallback, accept.expires_at, form))
        }
        FirstStep::Wait(_) | FirstStep::Schedule(_) | FirstStep::Person(_) => None,
    };
    let (done, answer) = oneshot::channel();
    let on_commit = {
        let inner = Arc::clone(inner);
        let message = message.clone();
        move |result: Result<Outcome, Unavailable>| {
            match &result {
                Ok(Outcome::Accepted {
                    message: id,
                    contact,
                    due,
                    ..
                }) => {
                    settle::note_due(&inner, *due);
                    match (place, ready) {
                        (Some(Place::Ready(lane)), Some((attempt, fallback, expires_at, form))) => {
                            let key = SubmissionKey {
                                message: *id,
                                attempt: 1,
                            };
                            let attempt = attempt.start(1);
                            let submission = submission(
                                key,
                                &message,
                                &attempt,
                                fallback.after,
                                expires_at,
                                form,
                            );
                            let ready = Ready {
                                due: message.accepted_at,
                                thread: ConversationId {
                                    contact: *contact,
                                    sender: message.sender,
                                },
                                purpose: message.purpose,
                                submission,
                            };
                            settle::hand_over(&inner, lane.route, ready);
                        }
                        (Some(Place::Lane(lane)), _) => settle::entered(&inner, lane, *id),
                        (Some(Place::Ready(_)) | None, _) => {}
                    }
                }
                Ok(_) | Err(_) => {
                    if let Some(place) = place {
                        place.give_up(&inner);
                    }
                }
            }
            // Safe because: a caller that went away has no use for the answer.
            let _unheard = done.send(result);
        }
    };
    inner
        .store
        .commit(Op::Accept(Box::new(accept)), Box::new(on_commit));
    let outcome = answer
        .await
        .map_err(|_| Unavailable::new("the store has stopped"))??;
    match outcome {
        Outcome::Accepted {
            message: id,
            contact,
            ..
        } => {
            metrics::counter!("tandem_accepted_total", "class" => message.class.code())
                .increment(1);
            let view = MessageView {
                id,
                direction: Direction::Outbound,
                contact: Some(contact),
                status: Status::Queued,
                updated_at: message.accepted_at,
                quoted: None,
                kind: ViewKind::Outbound {
                    message: Box::new(message),
                    progress: Box::new(progress),
                    decision: None,
                },
            };
            Ok(Kept::Accepted(Box::new(Accepted { view, decision })))
        }
        Outcome::AlreadyAccepted { original, differs } => {
            Err(Refused::AlreadyAccepted { original, differs })
        }
        Outcome::QuotaGone(gone) => {
            inner.quotas.is_gone(&gone);
            let lane = place.map(|it| match it {
                Place::Ready(lane) | Place::Lane(lane) => lane,
            });
            lane.map(Kept::QuotaGone)
                .ok_or_else(|| Unavailable::new("the store broke the contract of Accept").into())
        }
        Outcome::OptedOut => Err(Refused::ByRule {
            refusal: domain::rules::plan::Refusal::OptedOut,
            decision: Box::new(Decision {
                channels: Vec::new(),
                routes: Vec::new(),
                ..decision
            }),
        }),
        Outcome::Fenced => {
            settle::follow(inner, Ok(Outcome::Fenced));
            Err(Unavailable::new("another process owns the database now").into())
        }
        Outcome::Changed(_)
        | Outcome::ReceiptParked
        | Outcome::InboundKept { .. }
        | Outcome::InboundRepeated { .. }
        | Outcome::Contact(_)
        | Outcome::ConsentKept { .. }
        | Outcome::Done
        | Outcome::PersonRefused(_)
        | Outcome::User(_)
        | Outcome::Missing
        | Outcome::Stale
        | Outcome::Template(_)
        | Outcome::Webhook(_)
        | Outcome::Replayed { .. }
        | Outcome::AlreadyDeposited { .. }
        | Outcome::EventsPruned { .. } => {
            Err(Unavailable::new("the store broke the contract of Accept").into())
        }
    }
}

/// The message as the answer shows it: `queued`, with its first attempt where it has one.
fn shown_progress(accept: &Accept) -> Progress {
    let waiting = match &accept.first {
        FirstStep::Send(_) => Waiting::No,
        FirstStep::Wait(lane) => Waiting::Lane(*lane),
        FirstStep::Schedule(at) => Waiting::Schedule { at: *at },
        FirstStep::Person(claim) => Waiting::Person(*claim),
    };
    let mut progress = Progress::accepted(
        accept.message.class,
        accept.fallback,
        accept.expires_at,
        waiting,
    );
    if let FirstStep::Send(attempt) = &accept.first {
        progress.start_attempt(attempt);
        progress.status = Status::Queued;
    }
    progress
}
