//! The one task of a route: takes submissions, has as many under way as the window has room for, each
//! on a connection of its own, and keeps connections for a while.
//!
//! Rules: R-HEALTH (a server that cannot be reached, or refuses our login, takes the route down until
//! it is reached again), R-LIFE-4 and R-IN-2 (what waits for a greylisting server is given back in time,
//! and where its recipient opts out meanwhile).

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::model::failure::Failure;
use domain::model::receipt::SubmitOutcome;
use domain::time::Millis;
use ports::clock::Clock;
use ports::connector::{
    Connector, LinkState, RouteEvents, Slots, Submission, SubmissionKey, SubmissionSource,
};
use rand::RngExt;
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use super::codes::{Fault, Moment, Verdict};
use super::compose::{Letter, Letterhead};
use super::session::{Office, Session};

/// How long an unused connection is kept: servers end them after some minutes.
const IDLE: Duration = Duration::from_secs(30);
/// The first wait before the server is tried again; doubles to [`RETRY_MAX`], with full jitter.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// The longest such wait, and the shortest after a refused login: accounts get locked.
const RETRY_MAX: Duration = Duration::from_mins(1);
/// When a recipient that a server put off is tried again; the last one over and over. Greylisting
/// wants one to five minutes.
const PUT_OFF: [Duration; 3] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
];
/// Messages put off at a time; beyond, the engine is told, which slows the route down.
const PUT_OFF_MAX: usize = 1_000;
/// Longer than any message lives.
const LONGEST_LIFE: Duration = Duration::from_hours(24 * 365);
/// A sleep that nothing wakes from.
const FAR: Duration = Duration::from_hours(24);

/// Starts the task.
pub(super) fn start(
    office: Office,
    letterhead: Letterhead,
    window: u16,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Connector> {
    let bell = Arc::new(Notify::new());
    let ring = Arc::clone(&bell);
    source.on_ready(Arc::new(move || ring.notify_one()));
    let (stop, stopped) = watch::channel(None);
    let tasks = TaskTracker::new();
    let post = Post {
        office: Arc::new(office),
        letterhead,
        window: window.max(1),
        source,
        events,
        clock,
        bell,
        work: JoinSet::new(),
        under_way: HashMap::new(),
        open: 0,
        put_off: Vec::new(),
        idle: Vec::new(),
        link: Link::Down {
            tries: 0,
            retry_at: Some(Instant::now()),
        },
        told: None,
    };
    tasks.spawn(post.serve(stopped));
    tasks.close();
    Arc::new(EmailConnector { stop, tasks })
}

struct EmailConnector {
    stop: watch::Sender<Option<Instant>>,
    tasks: TaskTracker,
}

impl Connector for EmailConnector {
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.stop
            .send_replace(Some(Instant::now() + patience.to_duration()));
        Box::pin(self.tasks.wait())
    }
}

/// Whether the server is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    Up,
    /// `retry_at` is `None` while it is being tried.
    Down {
        tries: u32,
        retry_at: Option<Instant>,
    },
}

/// A submission, and how often it was put off.
struct Job {
    submission: Submission,
    put_off: usize,
}

/// What a piece of work came to.
enum Done {
    Opened(Result<Session, Fault>),
    Sent(Box<Sent>),
}

/// What became of handing a message over.
struct Sent {
    job: Job,
    verdict: Verdict,
    /// The connection, if it can be used again.
    session: Option<Session>,
    fault: Option<Fault>,
}

/// What waits for a server that put it off.
struct PutOff {
    job: Job,
    until: Instant,
    expires: Instant,
}

struct Post {
    office: Arc<Office>,
    letterhead: Letterhead,
    window: u16,
    source: Arc<dyn SubmissionSource>,
    events: Arc<dyn RouteEvents>,
    clock: Arc<dyn Clock>,
    bell: Arc<Notify>,
    work: JoinSet<Done>,
    /// What each piece of work owes an outcome for.
    under_way: HashMap<Id, (SubmissionKey, u16)>,
    /// Parts under way.
    open: u16,
    put_off: Vec<PutOff>,
    idle: Vec<(Session, Instant)>,
    link: Link,
    /// The link as it was told last.
    told: Option<LinkState>,
}

impl Post {
    async fn serve(mut self, mut stop: watch::Receiver<Option<Instant>>) {
        let mut ask_again = None;
        let mut is_orphan = false;
        loop {
            let now = Instant::now();
            let until = match *stop.borrow_and_update() {
                // Nobody holds the connector any more.
                None if is_orphan => Some(now),
                until => until,
            };
            if let Some(until) = until {
                self.give_back(|_| true);
                if self.under_way.is_empty() || until <= now {
                    break;
                }
            } else if self.source.in_use() {
                self.look_for_server(now);
                let unwanted = self.source.withdrawn();
                self.give_back(|it| it.expires <= now || unwanted.contains(&it.job.submission.key));
                if let Some(at) = self.pull(now) {
                    ask_again = Some(at);
                } else if ask_again.is_some_and(|it| it <= now) {
                    ask_again = None;
                }
            } else {
                // The server is left alone, and what it puts off may go elsewhere.
                self.give_back(|_| true);
                self.close_idle(|_| true);
                ask_again = None;
            }
            self.close_idle(|since| since + IDLE <= now);
            let due = self.due(now).filter(|_| self.source.in_use());
            let wake_at = [until, ask_again, due].into_iter().flatten().min();
            tokio::select! {
                Some(done) = self.work.join_next_with_id() => self.done(done),
                () = sleep_until(wake_at.unwrap_or(now + FAR)) => {}
                () = self.bell.notified() => {}
                changed = stop.changed(), if !is_orphan => is_orphan = changed.is_err(),
            }
        }
        self.give_up().await;
    }

    /// When something is to be done that nothing else wakes for.
    fn due(&self, now: Instant) -> Option<Instant> {
        let retry = match self.link {
            Link::Up => None,
            Link::Down { retry_at, .. } => retry_at,
        };
        // What is ready and has no room yet is woken by what makes room.
        let times = self.put_off.iter().flat_map(|it| [it.until, it.expires]);
        let put_off = times.filter(|it| *it > now).min();
        let idle = self.idle.first().map(|it| it.1 + IDLE);
        [retry, put_off, idle].into_iter().flatten().min()
    }

    fn look_for_server(&mut self, now: Instant) {
        if let Link::Down { tries, retry_at } = self.link
            && retry_at.is_some_and(|it| it <= now)
        {
            self.link = Link::Down {
                tries,
                retry_at: None,
            };
            let office = Arc::clone(&self.office);
            self.work
                .spawn(async move { Done::Opened(Session::open(&office).await) });
        }
    }

    /// Takes what the window has room for, what was put off first; gives when to ask again.
    fn pull(&mut self, now: Instant) -> Option<Instant> {
        while self.link == Link::Up && self.open < self.window {
            let ready = self.put_off.iter().position(|it| it.until <= now);
            let Some(ready) = ready else { break };
            let job = self.put_off.swap_remove(ready).job;
            self.begin(job);
        }
        let mut ask_again = None;
        while self.link == Link::Up && self.open < self.window {
            let taken = self.source.take(Slots {
                free: self.window - self.open,
                window: self.window,
                links: 1,
            });
            let clock_now = self.clock.now();
            ask_again = taken
                .ask_again_at
                .map(|it| now + it.since(clock_now).to_duration());
            if taken.submissions.is_empty() {
                break;
            }
            for submission in taken.submissions {
                if submission.expires_at <= clock_now {
                    self.events.returned(submission.key);
                } else {
                    self.begin(Job {
                        submission,
                        put_off: 0,
                    });
                }
            }
        }
        ask_again
    }

    fn begin(&mut self, job: Job) {
        let salt = rand::rng().random::<u64>();
        let key = job.submission.key;
        let now = self.clock.now();
        let letter = match self.letterhead.compose(&job.submission, now, salt) {
            Ok(letter) => letter,
            Err(outcome) => {
                self.events.submitted(key, outcome);
                return;
            }
        };
        let parts = job.submission.parts_left().max(1);
        let office = Arc::clone(&self.office);
        let session = self.idle.pop().map(|it| it.0);
        let work = self.work.spawn(deliver(office, session, letter, job));
        self.under_way.insert(work.id(), (key, parts));
        self.open = self.open.saturating_add(parts);
    }

    fn done(&mut self, done: Result<(Id, Done), JoinError>) {
        let id = match &done {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let owed = self.under_way.remove(&id);
        self.open = self.open.saturating_sub(owed.map_or(0, |it| it.1));
        match done {
            Ok((_, Done::Opened(opened))) => self.opened(opened),
            Ok((_, Done::Sent(sent))) => self.sent(*sent),
            // A bug; what it was doing must not be done again blindly.
            Err(error) => {
                tracing::error!(%error, "handing an e-mail over broke off");
                match owed {
                    Some((key, _)) => self.events.submitted(key, unknown()),
                    None => self.lost(&Fault::lost(Moment::Hello, "broke off")),
                }
            }
        }
    }

    fn sent(&mut self, sent: Sent) {
        let now = Instant::now();
        self.idle.extend(sent.session.map(|it| (it, now)));
        match sent.verdict {
            Verdict::Ended(outcome) => {
                let key = sent.job.submission.key;
                self.events.submitted(key, outcome);
            }
            Verdict::Later(failure) => self.put_off(sent.job, failure, now),
        }
        match sent.fault {
            Some(fault) if fault.is_of_the_route() => self.lost(&fault),
            Some(fault) if !fault.is_heard() => {}
            Some(_) | None => self.reached(),
        }
    }

    fn opened(&mut self, opened: Result<Session, Fault>) {
        match opened {
            Ok(session) => {
                self.idle.push((session, Instant::now()));
                self.reached();
            }
            Err(fault) => self.lost(&fault),
        }
    }

    fn reached(&mut self) {
        self.link = Link::Up;
        self.tell(LinkState::Up);
    }

    /// Tells the link's state where it is another than before.
    fn tell(&mut self, state: LinkState) {
        if self.told.as_ref() != Some(&state) {
            self.told = Some(state.clone());
            self.events.link(state);
        }
    }

    fn lost(&mut self, fault: &Fault) {
        let tries = match self.link {
            Link::Up => 0,
            // Others found the same meanwhile.
            Link::Down {
                retry_at: Some(_), ..
            } => return,
            Link::Down { tries, .. } => tries,
        };
        let wait = RETRY_MAX.min(RETRY_MIN * (1 << tries.min(16)));
        let jitter = rand::rng().random::<f64>();
        let wait = if fault.is_refused_login() {
            RETRY_MAX + RETRY_MAX.mul_f64(jitter / 10.0)
        } else {
            wait.mul_f64(jitter)
        };
        self.link = Link::Down {
            tries: tries.saturating_add(1),
            retry_at: Some(Instant::now() + wait),
        };
        self.tell(LinkState::Down(fault.to_string().into()));
    }

    fn put_off(&mut self, job: Job, failure: Failure, now: Instant) {
        if self.put_off.len() >= PUT_OFF_MAX {
            let outcome = SubmitOutcome::NotAccepted(failure);
            self.events.submitted(job.submission.key, outcome);
            return;
        }
        let left = job.submission.expires_at.since(self.clock.now());
        // As long as any message may live, since no point in time is as far as the end of time.
        let left = left.to_duration().min(LONGEST_LIFE);
        let waits = &PUT_OFF[..=job.put_off.min(PUT_OFF.len() - 1)];
        let wait = waits.iter().rev().find(|it| **it < left);
        self.put_off.push(PutOff {
            job: Job {
                submission: job.submission,
                put_off: job.put_off + 1,
            },
            until: now + *wait.unwrap_or(&left),
            expires: now + left,
        });
    }

    fn give_back(&mut self, which: impl Fn(&PutOff) -> bool) {
        for it in self.put_off.extract_if(.., |it| which(it)) {
            self.events.returned(it.job.submission.key);
        }
    }

    /// Ends connections by the time since when they are unused.
    fn close_idle(&mut self, which: impl Fn(Instant) -> bool) {
        for (session, _) in self.idle.extract_if(.., |it| which(it.1)) {
            tokio::spawn(session.close());
        }
    }

    /// The end: what has no answer yet is unknown.
    async fn give_up(mut self) {
        self.work.abort_all();
        for (key, _) in self.under_way.into_values() {
            self.events.submitted(key, unknown());
        }
        let mut goodbyes: JoinSet<()> = JoinSet::new();
        for (session, _) in self.idle {
            goodbyes.spawn(session.close());
        }
        goodbyes.join_all().await;
        self.events.link(LinkState::Down("stopped".into()));
    }
}

fn unknown() -> SubmitOutcome {
    SubmitOutcome::Unknown {
        references: Vec::new(),
    }
}

/// Hands one message over, on the given connection or a new one.
async fn deliver(office: Arc<Office>, session: Option<Session>, letter: Letter, job: Job) -> Done {
    let (session, sent) = hand_over(&office, session, &letter).await;
    let (verdict, fault) = match sent {
        Ok(()) => (Verdict::taken(&letter.id), None),
        Err(fault) => (fault.verdict(), Some(fault)),
    };
    Done::Sent(Box::new(Sent {
        job,
        verdict,
        session,
        fault,
    }))
}

/// Also gives the connection back, if it can be used again.
async fn hand_over(
    office: &Arc<Office>,
    session: Option<Session>,
    letter: &Letter,
) -> (Option<Session>, Result<(), Fault>) {
    let mut is_old = session.is_some();
    let mut kept = session;
    loop {
        let mut session = match kept.take() {
            Some(session) => session,
            None => match Session::open(office).await {
                Ok(session) => session,
                Err(fault) => return (None, Err(fault)),
            },
        };
        match session.send(letter).await {
            Ok(()) => return (Some(session), Ok(())),
            Err(fault) if is_old && fault.is_of_an_old_connection() => is_old = false,
            Err(fault) => {
                let is_usable = fault.leaves_connection() && session.forget().await;
                return (is_usable.then_some(session), Err(fault));
            }
        }
    }
}

#[cfg(test)]
#[path = "post_tests.rs"]
pub(super) mod tests;
