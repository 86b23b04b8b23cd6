//! What is there beside the process, and outlives it? Time, providers, people, the agenda and the
//! chronicle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ids::{MessageId, RouteKey};
use domain::model::channel::Channel;
use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::clock::Clock;
use tokio::sync::Notify;

use crate::agenda::{Agenda, Event};
use crate::chronicle::Chronicle;
use crate::clock::MadeUpClock;
use crate::dice::Dice;
use crate::provider::Provider;
use crate::scenery::Scenery;
use crate::script::{self, Script};

/// What a caller was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answered {
    Accepted(MessageId),
    Repeated(MessageId),
    Refused(String),
}

/// A person's word that was kept: its place in the chronicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    /// When the provider brought it for the first time.
    pub(crate) brought: usize,
    /// When the provider was told that it is kept.
    pub(crate) kept: usize,
}

pub(crate) struct Stage {
    pub(crate) scenery: Arc<Scenery>,
    pub(crate) clock: Arc<MadeUpClock>,
    pub(crate) chronicle: Arc<Mutex<Chronicle>>,
    pub(crate) agenda: Mutex<Agenda>,
    /// Woken when something new stands in the agenda.
    pub(crate) bell: Notify,
    /// Chance that belongs to no provider.
    pub(crate) dice: Mutex<Dice>,
    pub(crate) providers: BTreeMap<RouteKey, Mutex<Provider>>,
    pub(crate) script: Script,
    /// What each ask was answered, as often as it was asked.
    pub(crate) answers: Mutex<BTreeMap<usize, Vec<Answered>>>,
    /// Asks that wait for their answer.
    pub(crate) asking: Mutex<BTreeSet<usize>>,
    /// What providers told and have no acknowledgement for: they tell it again.
    pub(crate) untold: Mutex<BTreeSet<Event>>,
    /// What people wrote and is kept.
    pub(crate) heard: Mutex<BTreeMap<usize, Heard>>,
    pub(crate) brought: Mutex<BTreeMap<usize, usize>>,
    /// How many processes there were.
    pub(crate) life: Mutex<u64>,
}

impl Stage {
    pub(crate) fn set(seed: u64) -> Arc<Self> {
        let scenery = Arc::new(Scenery::draw(seed));
        let (script, agenda) = script::write(seed, &scenery);
        let clock = Arc::new(MadeUpClock::new(scenery.begins));
        let chronicle = Chronicle::new(Arc::clone(&clock));
        let provider = |route: &domain::model::route::Route| {
            let provider = Provider {
                route: route.key,
                channel: route.channel,
                temper: scenery.tempers[&route.key],
                gives_receipts: route.receipts,
                dice: Dice::new(seed, 200 + u64::from(route.key.0)),
                is_up: true,
                is_connected: false,
                under_way: BTreeMap::new(),
                names: BTreeMap::new(),
                count: 0,
            };
            (route.key, Mutex::new(provider))
        };
        Arc::new(Self {
            providers: scenery.routes.iter().map(provider).collect(),
            chronicle: Arc::new(Mutex::new(chronicle)),
            scenery,
            clock,
            agenda: Mutex::new(agenda),
            bell: Notify::new(),
            dice: Mutex::new(Dice::new(seed, 3)),
            script,
            answers: Mutex::default(),
            asking: Mutex::default(),
            untold: Mutex::default(),
            heard: Mutex::default(),
            brought: Mutex::default(),
            life: Mutex::new(0),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn note_in(&self, span: Millis, event: Event) {
        let at = self.now().plus(span);
        self.agenda.lock().note(at, event);
        self.bell.notify_one();
    }

    /// By which route a person's message on this channel comes.
    pub(crate) fn route_in(&self, channel: Channel) -> RouteKey {
        let mut routes = self.scenery.routes.iter();
        routes.find(|it| it.channel == channel).unwrap().key
    }
}
