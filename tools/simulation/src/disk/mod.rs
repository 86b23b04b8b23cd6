//! What does a process keep, and what is lost with it? What was committed stays, what was waiting for
//! its commit is gone, wholly or from some place on. Everything that is committed is written down in
//! the chronicle, so that the invariants see the very steps that were made durable.

mod queries;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use domain::time::{Millis, Timestamp};
use parking_lot::Mutex;
use ports::conformance::store::kit::{ask, try_to_ask};
use ports::memory::MemoryStore;
use ports::store::{Answer, Completion, Epoch, Op, Outcome, Registered, Store, Unavailable};
use store::{Options, SqliteStore};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::chronicle::{Chronicle, Note};
use crate::dice::Dice;
use crate::scenery::{PROJECT, Scenery};

/// What survives a process.
pub(crate) enum Disk {
    Memory(Arc<MemoryStore>),
    /// The file of the real store, opened anew by each process.
    File(TempDir),
}

impl Disk {
    pub(crate) fn new(sqlite: bool) -> Self {
        if sqlite {
            Self::File(tempfile::tempdir().unwrap())
        } else {
            Self::Memory(Arc::default())
        }
    }

    pub(crate) fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::<MemoryStore>::clone(store),
            Self::File(folder) => {
                let path = folder.path().join("simulation.db");
                Arc::new(SqliteStore::open(&path, Options::default()).unwrap())
            }
        }
    }
}

/// Names everything that is configured as the scenery does.
pub(crate) fn register(store: &dyn Store, scenery: &Scenery) {
    let now = scenery.begins;
    let name = |registered| ask(store.register(registered, now)).0;
    assert_eq!(name(Registered::Project("main".into())), PROJECT.0);
    name(Registered::Sender(PROJECT, "support".into()));
    for route in &scenery.routes {
        let key = name(Registered::Route(PROJECT, Box::from(&*route.id)));
        assert_eq!(key, route.key.0, "routes are numbered in their order");
    }
}

/// One process's way to the disk.
pub(crate) struct Access {
    store: Arc<dyn Store>,
    scenery: Arc<Scenery>,
    chronicle: Arc<Mutex<Chronicle>>,
    dice: Mutex<Dice>,
    waiting: Mutex<VecDeque<(Op, Completion)>>,
    bell: Notify,
    /// Whether the disk has no room: nothing is committed, and that is said.
    pub(crate) full: AtomicBool,
}

impl Access {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        scenery: Arc<Scenery>,
        chronicle: Arc<Mutex<Chronicle>>,
        dice: Dice,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            scenery,
            chronicle,
            dice: Mutex::new(dice),
            waiting: Mutex::default(),
            bell: Notify::new(),
            full: AtomicBool::new(false),
        })
    }

    /// Commits what waits, a while after it came, together with what came meanwhile.
    pub(crate) async fn write(self: Arc<Self>) {
        loop {
            while self.waiting.lock().is_empty() {
                self.bell.notified().await;
            }
            let most = self.scenery.weather.commit_millis;
            let span = Millis::new(self.dice.lock().between(0, most));
            tokio::time::sleep(span.to_duration()).await;
            let batch = std::mem::take(&mut *self.waiting.lock());
            if self.full.load(Ordering::SeqCst) {
                for (_, done) in batch {
                    done(Err(Unavailable::new("the disk is full")));
                }
                continue;
            }
            if self.scenery.weather.sqlite {
                self.commit_together(batch);
            } else {
                for step in batch {
                    self.commit_together([step]);
                }
            }
        }
    }

    /// Notes what was told so far, before it may be forgotten.
    pub(crate) fn note_events(&self) {
        self.chronicle.lock().hear_events(&*self.store);
    }

    /// The process dies: of what waits, the first so many are kept, and nobody hears of it.
    pub(crate) fn die(&self) {
        let mut waiting = std::mem::take(&mut *self.waiting.lock());
        let most = i64::try_from(waiting.len()).unwrap();
        let kept = self.dice.lock().between(0, most);
        waiting.truncate(usize::try_from(kept).unwrap());
        let silent = waiting.into_iter().map(|(op, done)| {
            drop(done);
            let done: Completion = Box::new(|_| ());
            (op, done)
        });
        self.commit_together(silent.collect::<Vec<_>>());
    }

    fn commit_together(&self, batch: impl IntoIterator<Item = (Op, Completion)>) {
        let mut answers = Vec::new();
        for (op, done) in batch {
            let note = Note::of(&op);
            let (told, answer) = mpsc::channel();
            let hear = move |result| told.send(result).unwrap();
            self.store.commit(op, Box::new(hear));
            answers.push((note, answer, done));
        }
        for (note, answer, done) in answers {
            let result: Result<Outcome, Unavailable> = answer.recv().unwrap();
            let reserves = note.reserves().cloned();
            let outcome = result.as_ref().unwrap_or_else(|error| panic!("{error}"));
            self.chronicle.lock().committed(&note, outcome);
            if let Some(reserves) = reserves {
                let meters = ask(self.store.meters());
                let is_alone = !self.scenery.weather.sqlite && !note.goes_on();
                let kept = matches!(outcome, Outcome::Accepted { .. } | Outcome::Changed(_));
                let reserves = (is_alone && kept).then_some(&reserves);
                let mut chronicle = self.chronicle.lock();
                crate::invariants::quotas::at_any_moment(
                    &self.scenery,
                    &meters,
                    reserves,
                    &mut chronicle,
                );
            }
            done(result);
        }
    }

    fn ask<'a, T: Send + 'a>(&'a self, question: Answer<'a, T>) -> Answer<'a, T> {
        let is_slow = {
            let mut dice = self.dice.lock();
            let percent = self.scenery.weather.slow_questions;
            (percent > 0 && dice.chance(percent)).then(|| Millis::new(dice.between(1, 30)))
        };
        Box::pin(async move {
            // The real store answers from threads of its own, for which made-up time does not wait.
            let answer = try_to_ask(question);
            if let Some(span) = is_slow {
                tokio::time::sleep(span.to_duration()).await;
            }
            answer
        })
    }
}

impl Store for Access {
    fn commit(&self, op: Op, done: Completion) {
        self.waiting.lock().push_back((op, done));
        self.bell.notify_one();
    }

    fn pending(&self) -> usize {
        self.waiting.lock().len()
    }

    fn raise_epoch(&self) -> Answer<'_, Epoch> {
        self.ask(self.store.raise_epoch())
    }

    fn register(&self, registered: Registered, now: Timestamp) -> Answer<'_, (u32, Timestamp)> {
        self.ask(self.store.register(registered, now))
    }
}
