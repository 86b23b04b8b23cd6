//! What happens while one process lives? It starts on what the disk has, and whatever the agenda says
//! comes upon it, until it ends, one way or another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::ids::RouteKey;
use domain::model::audit::{Actor, ActorKind};
use domain::model::content::Content;
use domain::model::control::RouteControl;
use domain::rules::alert::AlertSettings;
use domain::time::{Millis, Timestamp};
use engine::request::{Refused, SendRequest};
use engine::{Engine, Limits, Setup};
use parking_lot::Mutex;
use ports::connector::{Heard, IncomingMessage, IncomingReceipt};
use ports::store::messages::IdempotencyKey;

use crate::agenda::{Event, mode};
use crate::clock::MadeUpClock;
use crate::dice::Dice;
use crate::disk::Access;
use crate::link::Link;
use crate::people;
use crate::scenery::{ADDRESS, PROJECT, SENDER};
use crate::script::person;
use crate::stage::{self, Answered, Stage};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// Everything has happened and has ended.
    Finished,
    /// It died, or was stopped; the next one starts so much later.
    Gone(Millis),
}

/// Time that is lived through before and after a leap.
const BREATH: Millis = Millis::seconds(15);

pub(crate) struct Life {
    stage: Arc<Stage>,
    engine: Engine,
    access: Arc<Access>,
    links: BTreeMap<RouteKey, Arc<Link>>,
    no: u64,
}

impl Life {
    /// Starts the process on what the disk has.
    pub(crate) async fn begin(stage: Arc<Stage>, access: Arc<Access>, seed: u64) -> Self {
        let no = {
            let mut life = stage.life.lock();
            *life += 1;
            *life
        };
        stage.clock.begin();
        stage
            .chronicle
            .lock()
            .line(None, format!("process {no} starts"));
        access.note_events();
        tokio::spawn(Arc::clone(&access).write());
        let chance = Mutex::new(Dice::new(seed, 1_000 + no));
        let engine = Engine::start(Setup {
            clock: Arc::<MadeUpClock>::clone(&stage.clock),
            random: Arc::new(move || chance.lock().next()),
            store: Arc::<Access>::clone(&access),
            topology: stage.scenery.topology(),
            limits: Limits::default(),
        })
        .await
        .unwrap();
        engine.watch_alerts(AlertSettings::default());
        let mut links = BTreeMap::new();
        for route in stage.providers.keys() {
            let source = engine.source(*route).unwrap();
            let events = engine.events(*route).unwrap();
            let link = Link::connect(&stage, *route, source, events);
            engine.attach(*route, Arc::<Link>::clone(&link));
            links.insert(*route, link);
        }
        let again: Vec<_> = std::mem::take(&mut *stage.untold.lock())
            .into_iter()
            .collect();
        for event in again {
            let span = Millis::new(stage.dice.lock().between(10, 5_000));
            stage.note_in(span, event);
        }
        Self {
            stage,
            engine,
            access,
            links,
            no,
        }
    }

    /// Lives until the end.
    pub(crate) async fn go_on(&self) -> Over {
        let over = self.play().await;
        let over = match over {
            Some(over) => over,
            None => self.come_to_an_end().await,
        };
        self.stage.clock.end();
        over
    }

    /// Lets happen what stands in the agenda; `None`: all of it did.
    async fn play(&self) -> Option<Over> {
        loop {
            let now = self.stage.now();
            let due = self.stage.agenda.lock().due(now);
            if let Some(event) = due {
                if let Some(over) = self.happens(event).await {
                    return Some(over);
                }
                continue;
            }
            let next = self.stage.agenda.lock().next_at()?;
            let until = self.leap(next).await;
            if let Some(over) = self.wait(until).await {
                return Some(over);
            }
        }
    }

    /// Waits until then, or until something new stands in the agenda.
    async fn wait(&self, until: Timestamp) -> Option<Over> {
        let span = until.since(self.stage.now());
        tokio::select! {
            biased;
            why = self.engine.ended() => {
                self.stage.chronicle.lock().line(None, format!("the process ends itself: {why}"));
                Some(Over::Gone(Millis::seconds(1)))
            }
            () = self.stage.bell.notified() => None,
            () = tokio::time::sleep(span.to_duration()) => None,
        }
    }

    /// Nothing happens for long: time moves on at once, as for a machine that slept, up to a breath
    /// before the next thing is due anywhere. Answers until when to wait now.
    async fn leap(&self, next: Timestamp) -> Timestamp {
        let now = self.stage.now();
        if self.stage.agenda.lock().is_busy(now, Millis::seconds(60)) {
            return next;
        }
        tokio::time::sleep(BREATH.to_duration()).await;
        let due = self.engine.store().next_due().await.unwrap();
        // Something may have been noted in the meantime.
        let Some(next) = self.stage.agenda.lock().next_at() else {
            return self.stage.now();
        };
        let until = due.map_or(next, |it| it.min(next));
        let span = until.since(self.stage.now()).get() - BREATH.get();
        if span > 30_000 {
            self.access.note_events();
            tokio::time::advance(Millis::new(span).to_duration()).await;
        }
        until.max(self.stage.now().plus(Millis::new(1))).min(next)
    }

    async fn happens(&self, event: Event) -> Option<Over> {
        let stage = &self.stage;
        match event {
            Event::Send(no) => self.send(no),
            Event::Write(no) => self.write(no),
            Event::Team(work) => {
                let (stage, engine) = (Arc::clone(stage), self.engine.clone());
                tokio::spawn(people::work(stage, engine, work));
            }
            Event::Answer(route, no) => self.links[&route].answer(no),
            Event::Receipt(no) => self.receipt(no),
            Event::Link(route, is_up) => self.links[&route].turn(is_up),
            Event::Control(route, control) => self.control(route, control),
            Event::Full(full) => {
                stage
                    .chronicle
                    .lock()
                    .line(None, format!("the disk is full: {full}"));
                self.access.full.store(full, Ordering::SeqCst);
            }
            Event::Crash(down) => {
                stage
                    .chronicle
                    .lock()
                    .line(None, format!("process {} dies", self.no));
                return Some(Over::Gone(Millis::new(down)));
            }
            Event::Stop(down) => {
                let words = format!("process {} is stopped", self.no);
                stage.chronicle.lock().line(None, words);
                self.stop().await;
                return Some(Over::Gone(Millis::new(down)));
            }
        }
        None
    }

    /// An orderly stop; the providers' answers come meanwhile.
    async fn stop(&self) {
        let mut stop = std::pin::pin!(self.engine.stop(Millis::seconds(10)));
        loop {
            let now = self.stage.now();
            let answer = {
                let mut agenda = self.stage.agenda.lock();
                match agenda.due(now) {
                    Some(Event::Answer(route, no)) => Some((route, no)),
                    Some(other) => {
                        agenda.note(now.plus(Millis::seconds(11)), other);
                        continue;
                    }
                    None => None,
                }
            };
            if let Some((route, no)) = answer {
                self.links[&route].answer(no);
                continue;
            }
            let next = self.stage.agenda.lock().next_at();
            let span = next.map_or(Millis::seconds(60), |it| it.since(now));
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = tokio::time::sleep(span.to_duration()) => {}
            }
        }
    }

    fn send(&self, no: usize) {
        let ask = &self.stage.script.asks[no];
        let times = if ask.twice { 2 } else { 1 };
        for _ in 0..times {
            let (stage, engine) = (Arc::clone(&self.stage), self.engine.clone());
            tokio::spawn(async move {
                stage.asking.lock().insert(no);
                let request = request(&stage, no);
                let answer = engine.accept(request).await;
                stage.asking.lock().remove(&no);
                let answer = match answer {
                    Ok(accepted) => Answered::Accepted(accepted.view.id),
                    Err(Refused::AlreadyAccepted { original, .. }) => Answered::Repeated(original),
                    Err(Refused::ByRule { refusal, .. }) => {
                        Answered::Refused(format!("{refusal:?}"))
                    }
                    Err(error) => Answered::Refused(error.to_string()),
                };
                let message = match answer {
                    Answered::Accepted(id) | Answered::Repeated(id) => Some(id),
                    Answered::Refused(_) => None,
                };
                let words = format!("ask {no} is answered: {answer:?}");
                stage.chronicle.lock().line(message, words);
                stage.answers.lock().entry(no).or_default().push(answer);
            });
        }
    }

    fn write(&self, no: usize) {
        let stage = Arc::clone(&self.stage);
        let writing = &stage.script.writings[no];
        let route = stage.route_in(writing.channel);
        let message = IncomingMessage {
            provider_id: Some(format!("in{no}").into()),
            sent_at: Some(stage.now()),
            ..IncomingMessage::new(person(writing.from), ADDRESS, Content::text(writing.text))
        };
        let words = format!(
            "person {} writes {:?}: {}",
            writing.from, writing.channel, writing.text
        );
        let brought = stage.chronicle.lock().line(None, words);
        stage.brought.lock().entry(no).or_insert(brought);
        let event = Event::Write(no);
        stage.untold.lock().insert(event.clone());
        let hearing = Arc::clone(&stage);
        let ack = move |heard: Heard| {
            hearing.untold.lock().remove(&event);
            if heard == Heard::TryAgain {
                hearing.note_in(Millis::seconds(1), event);
                return;
            }
            let kept = hearing
                .chronicle
                .lock()
                .line(None, format!("writing {no} is kept"));
            let brought = hearing.brought.lock()[&no];
            let heard = stage::Heard { brought, kept };
            hearing.heard.lock().entry(no).or_insert(heard);
        };
        self.links[&route].events.inbound(message, Box::new(ack));
    }

    fn receipt(&self, no: usize) {
        let stage = &self.stage;
        let (report, to, key, route) = {
            let chronicle = stage.chronicle.lock();
            let report = chronicle.reports[no].clone();
            let handed = &chronicle.handed[report.handed];
            (report.clone(), handed.to.clone(), handed.key, handed.route)
        };
        let receipt = {
            let provider = stage.providers[&route].lock();
            let names = &provider.names[&report.handed];
            let name = names.iter().find(|it| it.part == report.part).unwrap();
            IncomingReceipt {
                references: vec![name.reference.clone()],
                ours: provider.temper.names_ours.then_some(key),
                recipient: Some(to),
                whole: provider.temper.takes_whole,
                state: report.state.clone(),
                raw: no.to_string().into(),
            }
        };
        let event = Event::Receipt(no);
        stage.untold.lock().insert(event.clone());
        let hearing = Arc::clone(stage);
        let ack = move |heard: Heard| {
            hearing.untold.lock().remove(&event);
            if heard == Heard::TryAgain {
                hearing.note_in(Millis::seconds(1), event);
            }
        };
        self.links[&route].events.receipt(receipt, Box::new(ack));
    }

    fn control(&self, route: RouteKey, control: Option<(u8, Option<i64>)>) {
        let (engine, stage) = (self.engine.clone(), Arc::clone(&self.stage));
        let words = format!("control of route{}: {control:?}", route.0);
        stage.chronicle.lock().line(None, words);
        tokio::spawn(async move {
            let done = match control {
                Some((number, until)) => {
                    let control = RouteControl {
                        mode: mode(number),
                        reason: "made up".into(),
                        by: Actor::new(ActorKind::Key, "simulation"),
                        since: stage.now(),
                        until: until.map(|it| stage.scenery.begins.plus(Millis::new(it))),
                    };
                    engine.control_route(PROJECT, route, control).await
                }
                None => engine.release_route(route, None).await,
            };
            if done.is_err() {
                stage.note_in(Millis::seconds(2), Event::Control(route, control));
            }
        });
    }

    /// Nothing more befalls it: every route works, and time passes until nothing is due any more, and
    /// then until a day has turned.
    async fn come_to_an_end(&self) -> Over {
        let words = "nothing more happens from here on";
        self.stage.chronicle.lock().line(None, words);
        for route in self.links.keys() {
            if let Err(error) = self.engine.release_route(*route, None).await {
                panic!("{error}");
            }
            self.links[route].turn(true);
        }
        for _ in 0..2_000 {
            if let Some(over) = self.play().await {
                return over;
            }
            if let Some(over) = self.wait(self.stage.now().plus(Millis::seconds(3))).await {
                return over;
            }
            if self.stage.agenda.lock().next_at().is_some() {
                continue;
            }
            let Some(due) = self.engine.store().next_due().await.unwrap() else {
                break;
            };
            let span = due.since(self.stage.now()).get() - 2_000;
            if span > 3_000 {
                self.access.note_events();
                tokio::time::advance(Millis::new(span).to_duration()).await;
            }
        }
        self.access.note_events();
        tokio::time::advance(Millis::hours(26).to_duration()).await;
        for _ in 0..15 {
            tokio::time::sleep(Millis::new(2_100).to_duration()).await;
            tokio::time::advance(Millis::seconds(60).to_duration()).await;
        }
        if let Some(over) = self.play().await {
            return over;
        }
        self.engine.stop(Millis::seconds(1)).await;
        Over::Finished
    }
}

/// What a caller asks for.
fn request(stage: &Stage, no: usize) -> SendRequest {
    let ask = &stage.script.asks[no];
    let key = ask.has_key.then(|| IdempotencyKey {
        key: format!("key{no}").into(),
        fields: vec![("text", u64::try_from(no).unwrap())],
    });
    let in_reply_to = {
        let chronicle = stage.chronicle.lock();
        let last = chronicle.inbound.get(&person(ask.to)).copied();
        last.filter(|_| ask.replies)
    };
    SendRequest {
        project: PROJECT,
        sender: SENDER,
        to: person(ask.to),
        content: Content::text(ask.text.as_str()),
        explicit: ask.explicit,
        traffic_class: ask.class,
        category: ask.category,
        speed: None,
        in_reply_to,
        reacts_to: None,
        conversation: None,
        scheduled_at: ask.scheduled_in.map(|it| stage.now().plus(Millis::new(it))),
        validity: ask.validity,
        fallback_enabled: ask.fallback,
        fallback_after: ask.fallback_after,
        metadata: None,
        campaign: None,
        idempotency: key,
        test: false,
        by_person: ask.by_person.map(domain::ids::UserId::from_key),
    }
}
