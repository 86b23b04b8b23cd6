//! People and their own phones (R-PHONE-2, R-QUOTA-3): which messages wait for somebody, and what
//! somebody does with one. The rule is [`domain::rules::person`]; the store carries it out.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{MessageId, ProjectKey, RouteKey, UserId};
use domain::model::channel::Channel;
use domain::model::progress::Claim;
use domain::model::quota::Quotas;
use domain::model::route::{Destinations, OnUnknown, Route, RouteClass, UnknownWait};
use domain::rules::person::{PersonAct, PersonRefusal, may_be_taken, standing_claim};
use domain::time::Millis;
use ports::store::messages::Outbound;
use ports::store::operations::{Changed, PersonStep};
use ports::store::outcomes::PersonOutcome;
use ports::store::{Op, Registered, Unavailable};
use thiserror::Error;

use crate::stuck::direct_lane;
use crate::topology::{FormerRoute, Topology};
use crate::worker::sleep;
use crate::{Inner, settle, stuck};

/// Most messages that are offered at a time, the oldest first; beside what one has oneself.
const OFFERED_MAX: usize = 200;
/// How often it is looked whether what is offered has changed.
const LOOK_EVERY: Millis = Millis::seconds(1);
/// What the name of the route begins with that stands for a person's phone.
const PHONE_OF: &str = "phone:";

/// What waits for a person, by project: the ids, oldest first.
pub type Offers = BTreeMap<ProjectKey, Vec<MessageId>>;

/// A message that a person may take, or has.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The message.
    pub message: Outbound,
    /// Who has it.
    pub claim: Option<Claim>,
}

/// A person cannot do that with a message.
#[derive(Debug, Clone, Error)]
pub enum PersonError {
    /// The project has no such message.
    #[error("there is no such message")]
    Missing,
    /// Its contact has opted out.
    #[error("the recipient has opted out")]
    OptedOut,
    /// By the rule.
    #[error("the message is not to be had: {0:?}")]
    Refused(PersonRefusal),
    /// The store did not do it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What a page lists for somebody.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Oldest first: all that they have themselves, and the oldest of the rest.
    pub offered: Vec<Offered>,
    /// Whether there is more than is listed.
    pub more: bool,
}

/// The messages of the project that wait for a person or that one has, oldest first. What `person`
/// has is among them, however many wait: they may have sent it by now, and must be able to say so.
pub(crate) async fn listed(
    inner: &Inner,
    project: ProjectKey,
    person: Option<UserId>,
) -> Result<Listed, Unavailable> {
    let now = inner.now();
    let mut more = false;
    let mut found = inner.store.claimed(project).await?;
    for line in inner
        .lines
        .values()
        .filter(|it| it.route.project == project)
    {
        if line.route.channel != Channel::Sms {
            continue;
        }
        let stuck = stuck::waiting_for(inner, line, now).await?;
        more |= stuck.more;
        found.extend(stuck.messages.into_iter().filter(may_be_written));
    }
    found.retain(is_for_people);
    found.sort_by_key(|it| it.id);
    found.dedup_by_key(|it| it.id);
    let offered = found.into_iter().map(|message| Offered {
        claim: standing_claim(&message.progress, now),
        message,
    });
    let is_own = |it: &Offered| person.is_some() && it.claim.map(|it| it.person) == person;
    let (mut offered, mut others): (Vec<_>, Vec<_>) = offered.partition(is_own);
    let room = OFFERED_MAX.saturating_sub(offered.len());
    more |= others.len() > room;
    others.truncate(room);
    offered.append(&mut others);
    offered.sort_by_key(|it| it.message.id);
    Ok(Listed { offered, more })
}

/// Whether a person may take it, and can write it: they type no picture.
fn may_be_written(outbound: &Outbound) -> bool {
    let text = outbound.message.content.plain_text_on(Channel::Sms);
    text.is_some() && may_be_taken(&outbound.progress).is_some()
}

/// Whether people may have it at all: a test reaches nobody, so that it waits for its simulator (R-TEST).
fn is_for_people(message: &Outbound) -> bool {
    !message.message.test
}

/// Has a person do something with a message. `name` is what the route of their phone is called by.
pub(crate) async fn act(
    inner: &Arc<Inner>,
    (project, message): (ProjectKey, MessageId),
    person: UserId,
    what: Act<'_>,
) -> Result<Changed, PersonError> {
    if let Act::Take | Act::Sent { .. } = what {
        // What a message is never changes, so that it may be read before.
        let found = inner.store.outbound(message).await?;
        if found.is_some_and(|it| it.message.project == project && !is_for_people(&it)) {
            return Err(PersonError::Refused(PersonRefusal::NotWaiting));
        }
    }
    let act = match what {
        Act::Take => PersonAct::Take,
        Act::GiveBack => PersonAct::GiveBack,
        Act::Sent { name } => PersonAct::Sent(phone_of(inner, project, name).await?),
    };
    let step = PersonStep {
        project,
        message,
        person,
        act,
        at: inner.now(),
    };
    match inner.apply(Op::Person(step)).await?.of_person()? {
        PersonOutcome::Changed(changed) => {
            settle::changed_now(inner, &changed);
            inner.offers_changed.notify_one();
            Ok(changed)
        }
        PersonOutcome::Refused(refusal) => Err(PersonError::Refused(refusal)),
        PersonOutcome::OptedOut => Err(PersonError::OptedOut),
        PersonOutcome::Missing => Err(PersonError::Missing),
    }
}

/// What a person does.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// Takes the message, or keeps it for longer.
    Take,
    /// Gives it back.
    GiveBack,
    /// Has sent it.
    Sent {
        /// What the route is called by that stands for their phone.
        name: &'a str,
    },
}

/// The route that stands for a person's phone, made on first use.
async fn phone_of(inner: &Inner, project: ProjectKey, name: &str) -> Result<RouteKey, Unavailable> {
    let id = format!("{PHONE_OF}{name}");
    let registered = Registered::Route(project, id.as_str().into());
    let (key, _) = inner.store.register(registered, inner.now()).await?;
    let route = persons_phone(project, RouteKey(key), &id);
    if inner.topology().route(route.key).is_none() {
        inner.change_topology(|it| it.with_route(route));
    }
    Ok(RouteKey(key))
}

/// A person's phone as a route: nothing is ever planned for it.
pub(crate) fn persons_phone(project: ProjectKey, key: RouteKey, id: &str) -> Route {
    Route {
        key,
        id: id.into(),
        project,
        channel: Channel::Sms,
        class: Some(RouteClass::Phone),
        simulator: false,
        mms: false,
        receipts: false,
        answers_stop: false,
        throughput: None,
        destinations: Destinations::default(),
        prices: Vec::new(),
        quotas: Quotas::NONE,
        on_unknown: OnUnknown::default(),
        unknown_wait: UnknownWait::default(),
    }
}

/// Adds the routes that are known by name only: people's phones, for which nothing is planned, so that they
/// have no line, and those that are configured no more.
pub(crate) fn with_registered(
    mut topology: Topology,
    registered: Vec<(ProjectKey, RouteKey, Box<str>)>,
) -> Topology {
    let mut former = Vec::new();
    for (project, key, id) in registered {
        if is_persons_phone(&id) {
            topology = topology.with_route(persons_phone(project, key, &id));
        } else if topology.route(key).is_none() {
            former.push(FormerRoute {
                key,
                project,
                id: id.into(),
                channel: None,
            });
        }
    }
    topology.with_former(former)
}

/// Whether a registered route is a person's phone.
pub(crate) fn is_persons_phone(id: &str) -> bool {
    id.starts_with(PHONE_OF)
}

/// Tells whoever listens what waits for people, whenever that or who has it changes.
pub(crate) async fn follow(inner: Arc<Inner>) {
    let mut has_claims = true;
    let mut has_changed = false;
    loop {
        let mut offers = Offers::new();
        let may_wait = has_claims || has_changed || anything_waits(&inner);
        let topology = inner.topology();
        has_claims = false;
        for project in topology.projects().filter(|_| may_wait) {
            let listed = listed(&inner, project.key, None).await;
            match listed.map(|it| it.offered) {
                Ok(found) if found.is_empty() => {}
                Ok(found) => {
                    has_claims |= found.iter().any(|it| it.claim.is_some());
                    let ids = found.iter().map(|it| it.message.id).collect();
                    offers.insert(project.key, ids);
                }
                Err(error) => tracing::error!(%error, "what waits for people cannot be read"),
            }
        }
        inner.offers.send_if_modified(|now| {
            let is_news = has_changed || *now != offers;
            *now = offers;
            is_news
        });
        let rests = !has_claims && !anything_waits(&inner);
        has_changed = tokio::select! {
            // Nothing changes by itself where nothing waits.
            () = sleep(LOOK_EVERY), if !rests => false,
            () = inner.direct_waits.notified(), if rests => false,
            () = inner.offers_changed.notified() => true,
        };
    }
}

fn anything_waits(inner: &Inner) -> bool {
    let mut lines = inner.lines.values();
    lines.any(|it| inner.lanes.waiting_in(direct_lane(it)) > 0)
}
