//! How does a made-up connector work? As a real one: it pulls when it has a free slot, owes an outcome
//! for each submission, and says that it does not know where its link was lost.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::ids::RouteKey;
use domain::model::failure::FailureClass;
use domain::model::receipt::SubmitOutcome;
use domain::time::Millis;
use ports::connector::{Connector, LinkState, RouteEvents, Slots, Submission, SubmissionSource};
use tokio::sync::Notify;

use crate::agenda::Event;
use crate::chronicle::{Chronicle, Handed};
use crate::provider::{Answer, Fate, UnderWay, failure, pieces};
use crate::stage::Stage;

/// The connector of one route in one process.
pub(crate) struct Link {
    pub(crate) stage: Arc<Stage>,
    pub(crate) route: RouteKey,
    pub(crate) events: Arc<dyn RouteEvents>,
    source: Arc<dyn SubmissionSource>,
    bell: Arc<Notify>,
    is_stopped: AtomicBool,
}

impl Link {
    pub(crate) fn connect(
        stage: &Arc<Stage>,
        route: RouteKey,
        source: Arc<dyn SubmissionSource>,
        events: Arc<dyn RouteEvents>,
    ) -> Arc<Self> {
        let link = Arc::new(Self {
            stage: Arc::clone(stage),
            route,
            events,
            source,
            bell: Arc::new(Notify::new()),
            is_stopped: AtomicBool::new(false),
        });
        {
            let mut provider = stage.providers[&route].lock();
            provider.under_way.clear();
            provider.is_connected = false;
        }
        let bell = Arc::clone(&link.bell);
        link.source.on_ready(Arc::new(move || bell.notify_one()));
        tokio::spawn(Arc::clone(&link).pull());
        link
    }

    async fn pull(self: Arc<Self>) {
        loop {
            self.follow_use();
            self.give_back_unwanted();
            let again = self.take();
            tokio::select! {
                biased;
                () = self.bell.notified() => {}
                () = tokio::time::sleep(again.to_duration()) => {}
            }
        }
    }

    /// Connects where the link works and people let the route be used, and disconnects where not.
    fn follow_use(&self) {
        let mut provider = self.stage.providers[&self.route].lock();
        let is_idle = provider.under_way.is_empty();
        let doubts = self.stage.scenery.weather.doubts;
        let may = provider.is_up && self.source.in_use();
        let turned = match (provider.is_connected, may) {
            (false, true) => Some(LinkState::Up),
            (true, false) if is_idle || (!provider.is_up && doubts) => {
                Some(LinkState::Down("made up".into()))
            }
            (true | false, _) => None,
        };
        if let Some(state) = turned {
            provider.is_connected = state == LinkState::Up;
            drop(provider);
            let words = format!("link of route{}: {state:?}", self.route.0);
            self.stage.chronicle.lock().line(None, words);
            self.events.link(state);
        }
    }

    /// R-IN-2, R-FALL-3: what nobody wants any more goes back, where it has not left yet; all else is
    /// answered as ever.
    fn give_back_unwanted(&self) {
        for key in self.source.withdrawn() {
            let held = {
                let mut provider = self.stage.providers[&self.route].lock();
                let mut under_way = provider.under_way.iter();
                let place = under_way.find(|it| it.1.key == key && is_unsent(it.1));
                let place = place.map(|it| *it.0);
                place.and_then(|it| provider.under_way.remove(&it))
            };
            if held.is_some() {
                let words = format!("route{} has not sent it, and gives it back", self.route.0);
                self.stage.chronicle.lock().line(Some(key.message), words);
                self.events.returned(key);
            }
        }
    }

    /// Takes what there is; how long to wait before asking again.
    fn take(&self) -> Millis {
        let (free, window) = {
            let provider = self.stage.providers[&self.route].lock();
            (provider.free(), provider.temper.window)
        };
        let is_connected = self.stage.providers[&self.route].lock().is_connected;
        let is_up = self.stage.providers[&self.route].lock().is_up;
        if !is_connected || !is_up || self.is_stopped.load(Ordering::SeqCst) {
            return Millis::days(1);
        }
        let taken = self.source.take(Slots {
            free,
            window,
            links: 1,
        });
        let mut bulk = None;
        for submission in taken.submissions {
            let key = submission.key;
            match (submission.class, bulk) {
                (domain::model::message::TrafficClass::Bulk, _) => bulk = Some(key),
                (domain::model::message::TrafficClass::Direct, Some(bulk)) => {
                    let words = format!("R-CLASS-3: taken behind bulk {}", bulk.message);
                    self.stage
                        .chronicle
                        .lock()
                        .violated(Some(key.message), words);
                }
                (domain::model::message::TrafficClass::Direct, None) => {}
            }
            self.hand(&submission);
        }
        taken.ask_again_at.map_or(Millis::days(1), |it| {
            it.since(self.stage.now()).max(Millis::new(1))
        })
    }

    /// Hands a submission to the provider.
    fn hand(&self, submission: &Submission) {
        let mut provider = self.stage.providers[&self.route].lock();
        let Fate {
            answer,
            after,
            taken,
            names,
            receipts,
        } = provider.fate(submission);
        let mut chronicle = self.stage.chronicle.lock();
        let slots = submission.parts_left().max(1);
        let key = submission.key;
        if matches!(answer, Some(Answer::GiveBack)) {
            chronicle.line(
                Some(key.message),
                format!("route{} will give it back", self.route.0),
            );
            drop(chronicle);
            let place = usize::MAX - usize::try_from(provider.count).unwrap();
            provider.count += 1;
            provider
                .under_way
                .insert(place, UnderWay { key, slots, answer });
            self.stage
                .note_in(Millis::new(after), Event::Answer(self.route, place));
            return;
        }
        let text = submission.content.text.clone().unwrap_or_default();
        let fate = format!("{answer:?} after {after} ms, taken {taken:?}");
        let handed = Handed {
            seq: 0,
            at: self.stage.now(),
            route: self.route,
            channel: provider.channel,
            key,
            class: submission.class,
            to: submission.to.clone(),
            text,
            parts: submission.parts,
            pieces: pieces(submission),
            is_rest: !submission.accepted.is_empty(),
            taken,
            reserved_at: None,
            told: None,
            told_seq: None,
        };
        let no = chronicle.hand(handed, &fate);
        for (span, part, state) in receipts {
            let report = report(&mut chronicle, no, part, state);
            self.stage
                .note_in(Millis::new(span), Event::Receipt(report));
        }
        drop(chronicle);
        if answer.is_some() {
            self.stage
                .note_in(Millis::new(after), Event::Answer(self.route, no));
        }
        provider.names.insert(no, names);
        provider
            .under_way
            .insert(no, UnderWay { key, slots, answer });
    }

    /// The provider's answer arrives.
    pub(crate) fn answer(&self, no: usize) {
        let under_way = self.stage.providers[&self.route]
            .lock()
            .under_way
            .remove(&no);
        let Some(UnderWay {
            key,
            answer: Some(answer),
            ..
        }) = under_way
        else {
            return;
        };
        match answer {
            Answer::Outcome(outcome) => self.events.submitted(key, outcome),
            Answer::SlowDown(wait) => {
                let throttled = failure(FailureClass::Throttled);
                self.events
                    .submitted(key, SubmitOutcome::NotAccepted(throttled));
                self.events.paused(Millis::new(wait));
            }
            Answer::GiveBack => self.events.returned(key),
        }
        self.bell.notify_one();
    }

    /// The link is lost with all that was under way, or works again. Where nothing is to be in doubt, what
    /// is under way is answered first.
    pub(crate) fn turn(&self, is_up: bool) {
        let lost = {
            let mut provider = self.stage.providers[&self.route].lock();
            provider.is_up = is_up;
            if is_up || !self.stage.scenery.weather.doubts {
                std::collections::BTreeMap::new()
            } else {
                std::mem::take(&mut provider.under_way)
            }
        };
        for (_, UnderWay { key, answer, .. }) in lost {
            match answer {
                Some(Answer::GiveBack) => self.events.returned(key),
                Some(Answer::Outcome(_) | Answer::SlowDown(_)) | None => {
                    let words = "its answer is lost with the link";
                    self.stage.chronicle.lock().line(Some(key.message), words);
                    let unknown = SubmitOutcome::Unknown {
                        references: Vec::new(),
                    };
                    self.events.submitted(key, unknown);
                }
            }
        }
        self.follow_use();
        self.bell.notify_one();
    }
}

/// Whether it has not left the connector.
const fn is_unsent(under_way: &UnderWay) -> bool {
    matches!(under_way.answer, Some(Answer::GiveBack))
}

fn report(
    chronicle: &mut Chronicle,
    handed: usize,
    part: u16,
    state: domain::model::receipt::ReceiptState,
) -> usize {
    chronicle.reports.push(crate::chronicle::Report {
        handed,
        part,
        state,
        kept: None,
        taken_for: None,
    });
    chronicle.reports.len() - 1
}

impl Connector for Link {
    fn stop(&self, patience: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            self.is_stopped.store(true, Ordering::SeqCst);
            let deadline = self.stage.now().plus(patience);
            loop {
                let is_idle = self.stage.providers[&self.route]
                    .lock()
                    .under_way
                    .is_empty();
                if is_idle || self.stage.now() >= deadline {
                    return;
                }
                tokio::time::sleep(Millis::new(10).to_duration()).await;
            }
        })
    }
}
