//! A route from outside, in made-up time, over a transport that plays what it is told.
// Long because: one bench, and every way in which a submission can end.

use std::collections::{BTreeMap, VecDeque};

use domain::model::content::Content;
use domain::time::Timestamp;
use parking_lot::Mutex;
use ports::clock::ManualClock;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::testing::{Lanes, Record, Told, key, submission};
use crate::web::protocol::{Answer, Body, Request};
use crate::web::testing::{Tiny, answer, hook};

type Reply = Result<Answer, NoAnswer>;

/// Answers by the next play after so many milliseconds; without one accepts after 100.
struct Plays {
    next: Mutex<VecDeque<(u64, Reply)>>,
    began: Instant,
    /// When which text was asked to be sent; a probe has none.
    asked: Mutex<Vec<(u128, String)>>,
    open: Mutex<(usize, usize)>,
}

impl Transport for Plays {
    fn exchange(&self, request: Request, _: usize) -> Pending<'_, Reply> {
        let text = match request.body {
            Body::Form(mut fields) => fields.remove(1).1,
            Body::None | Body::Json(_) => "probe".to_owned(),
        };
        Box::pin(async move {
            self.asked
                .lock()
                .push((self.began.elapsed().as_millis(), text));
            let play = self.next.lock().pop_front();
            let (millis, reply) = play.unwrap_or_else(|| (100, Ok(answer(200, "id"))));
            {
                let mut open = self.open.lock();
                *open = (open.0 + 1, open.1.max(open.0 + 1));
            }
            tokio::time::sleep(Duration::from_millis(millis)).await;
            self.open.lock().0 -= 1;
            reply
        })
    }
}

struct Bench {
    route: Arc<WebRoute<Tiny>>,
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    plays: Arc<Plays>,
    clock: ManualClock,
}

impl Bench {
    fn new(window: u16, plays: impl IntoIterator<Item = (u64, Reply)>) -> Self {
        Self::with(window, plays, Tiny::at("http://tiny.example"))
    }

    fn with(window: u16, plays: impl IntoIterator<Item = (u64, Reply)>, tiny: Tiny) -> Self {
        let lanes = Arc::new(Lanes::default());
        let source = Arc::clone(&lanes) as Arc<dyn SubmissionSource>;
        Self {
            lanes,
            ..Self::over(window, plays, tiny, source)
        }
    }

    /// Over a source of its own.
    fn over(
        window: u16,
        plays: impl IntoIterator<Item = (u64, Reply)>,
        tiny: Tiny,
        source: Arc<dyn SubmissionSource>,
    ) -> Self {
        let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
        let clock = ManualClock::at(Timestamp::from_millis(1_000_000));
        let plays = Arc::new(Plays {
            next: Mutex::new(plays.into_iter().collect()),
            began: Instant::now(),
            asked: Mutex::default(),
            open: Mutex::default(),
        });
        let shared = Shared {
            protocol: Arc::new(tiny),
            transport: Arc::clone(&plays) as Arc<dyn Transport>,
            events: Arc::clone(&record) as Arc<dyn RouteEvents>,
            clock: Arc::new(clock.clone()),
        };
        let route = start_over(Arc::new(shared), window, source, Box::new(|most| most));
        Self {
            route,
            lanes,
            record,
            plays,
            clock,
        }
    }

    /// Puts submissions number 1 and up, to these recipients; the text is the number.
    fn put(&self, recipients: &[u32]) {
        let numbered = (1..).zip(recipients);
        self.lanes.put(numbered.map(|(no, to)| message(no, *to)));
    }

    /// What is told until `millis` from now, in words, with the time.
    async fn hear(&self, millis: u64) -> Vec<String> {
        let until = Instant::now() + Duration::from_millis(millis);
        let mut heard = Vec::new();
        while let Ok(told) = tokio::time::timeout_at(until, self.record.wait(1)).await {
            let at = self.plays.began.elapsed().as_millis();
            heard.extend(told.iter().map(|it| format!("{at} {}", word(it))));
        }
        heard
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.plays.asked.lock();
        asked
            .iter()
            .map(|(at, text)| format!("{at} {text}"))
            .collect()
    }
}

fn message(no: i64, to: u32) -> Submission {
    submission(no, &format!("+40712345{to:03}"), &no.to_string())
}

fn word(told: &Told) -> String {
    match told {
        Told::Submitted(key, outcome) => {
            let what = match outcome {
                SubmitOutcome::Accepted { .. } => "accepted".to_owned(),
                SubmitOutcome::NotAccepted(failure) => failure.class.code().to_owned(),
                SubmitOutcome::Rejected(failure) => format!("rejected {}", failure.code),
                SubmitOutcome::PartlyAccepted { .. } => "partly".to_owned(),
                SubmitOutcome::Unknown { .. } => "unknown".to_owned(),
            };
            format!("{} {what}", key.message.key())
        }
        Told::Returned(key) => format!("{} returned", key.message.key()),
        Told::Billed(key, bill) => format!("{} billed {:?}", key.message.key(), bill.segments),
        Told::Paused(wait) => format!("paused for {}", wait.get()),
        Told::Link(LinkState::Up) => "up".to_owned(),
        Told::Link(LinkState::Down(why)) => format!("down: {why}"),
        Told::Receipt(_) | Told::Inbound(_) | Told::Consent(_) | Told::Template(_) => {
            "heard".to_owned()
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a play is a reply")]
fn with(status: u16, headers: &[(&str, &str)]) -> Reply {
    let mut answer = answer(status, "id");
    let own = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
    answer.headers.extend(headers.iter().map(own));
    Ok(answer)
}

#[tokio::test(start_paused = true)]
async fn a_submission_is_answered_and_then_billed() {
    let bench = Bench::new(5, [(50, with(200, &[("x-parts", "2")]))]);
    bench.put(&[1]);
    assert_eq!(
        bench.hear(1_000).await,
        ["0 up", "50 1 accepted", "50 1 billed Some(2)"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_window_is_never_exceeded() {
    let bench = Bench::new(3, []);
    bench.put(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(bench.hear(301).await.len(), 10);
    assert_eq!(bench.plays.open.lock().1, 3);
    for slots in bench.lanes.slots() {
        assert!(slots.free <= slots.window && slots.window == 3, "{slots:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_longer_than_the_window_goes_alone() {
    let bench = Bench::new(2, []);
    let long = submission(1, "+40712345001", &"a".repeat(400));
    bench.lanes.put([long, message(2, 2)]);
    assert_eq!(
        bench.hear(1_000).await,
        ["0 up", "100 1 accepted", "200 2 accepted"]
    );
}

#[tokio::test(start_paused = true)]
async fn requests_to_one_recipient_follow_each_other_and_take_no_room_from_others() {
    let bench = Bench::new(2, []);
    bench.put(&[1, 1, 1, 2]);
    assert_eq!(
        bench.hear(1_000).await[1..],
        [
            "100 1 accepted",
            "100 4 accepted",
            "200 2 accepted",
            "300 3 accepted"
        ]
    );
    assert_eq!(bench.asked(), ["0 1", "0 4", "100 2", "200 3"]);
}

#[tokio::test(start_paused = true)]
async fn what_expired_while_it_waited_does_not_leave() {
    let bench = Bench::new(5, []);
    let mut late = message(2, 1);
    late.expires_at = Timestamp::from_millis(1_000_050);
    bench.lanes.put([message(1, 1), late, message(3, 1)]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    bench.clock.advance(Millis::new(50));
    assert_eq!(
        bench.hear(1_000).await,
        ["10 up", "50 2 returned", "100 1 accepted", "200 3 accepted"]
    );
    assert_eq!(bench.asked(), ["0 1", "100 3"]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_recipient_and_nobody_wants_any_more_does_not_leave() {
    let bench = Bench::new(5, []);
    bench.put(&[1, 1, 1, 1, 2]);
    assert_eq!(bench.hear(10).await, ["0 up"]);
    // The first is under way: its outcome comes as ever.
    bench.lanes.withdraw([key(1), key(2), key(4)]);
    assert_eq!(
        bench.hear(1_000).await,
        [
            "10 2 returned",
            "10 4 returned",
            "100 1 accepted",
            "100 5 accepted",
            "200 3 accepted"
        ]
    );
    assert_eq!(bench.asked(), ["0 1", "0 5", "100 3"]);
}

#[tokio::test(start_paused = true)]
async fn one_whose_recipient_is_to_be_left_alone_is_given_back_when_nobody_wants_it_any_more() {
    let alone = || {
        (
            50,
            with(429, &[("x-recipient", "1"), ("retry-after", "40")]),
        )
    };
    let bench = Bench::new(1, [alone(), alone()]);
    bench.put(&[1, 2]);
    assert_eq!(bench.hear(200).await, ["0 up"]);
    // While it is held, and while it is under way and will be.
    bench.lanes.withdraw([key(1)]);
    assert_eq!(bench.hear(1_000).await, ["200 1 returned"]);
    bench.lanes.put([message(3, 3)]);
    bench.lanes.withdraw([key(2)]);
    assert_eq!(
        bench.hear(1_000).await,
        ["1200 2 returned", "1300 3 accepted"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_did_not_leave_may_go_elsewhere_and_what_may_have_left_is_unknown() {
    let bench = Bench::new(
        1,
        [
            (10, Err(NoAnswer::NotSent("refused".into()))),
            (10, Err(NoAnswer::Unknown("lost".into()))),
            (10, with(500, &[])),
            (10, with(400, &[])),
            (10, Ok(answer(200, "panic"))),
        ],
    );
    bench.put(&[1, 2, 3, 4, 5, 6]);
    assert_eq!(
        bench.hear(1_000).await[1..],
        [
            "10 1 route_fault",
            "20 2 unknown",
            "30 3 unknown",
            "40 4 rejected 400",
            "50 5 unknown",
            "150 6 accepted"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_told_without_asking() {
    let bench = Bench::new(5, []);
    let mut pictures = message(1, 1);
    let mut content = Content::text("");
    content.text = None;
    pictures.content = Arc::new(content);
    bench.lanes.put([pictures, message(2, 1)]);
    assert_eq!(
        bench.hear(1_000).await[1..],
        ["0 1 rejected no_text", "100 2 accepted"]
    );
    assert_eq!(bench.asked(), ["0 2"]);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_does_not_work_takes_the_route_down_and_one_submission_tries_it_again() {
    let fault = || with(401, &[]);
    let plays = [
        (10, fault()),
        (20, fault()),
        (30, with(200, &[])),
        (10, fault()),
    ];
    let bench = Bench::new(3, plays);
    bench.put(&[1, 2, 1, 3, 4, 5, 6, 7]);
    assert_eq!(
        bench.hear(10_000).await,
        [
            "0 up",
            "10 1 account_fault",
            "10 down: Not now. (401)",
            "10 3 returned",
            "20 2 account_fault",
            "30 4 accepted",
            "1010 up",
            "1020 5 account_fault",
            "1020 down: Not now. (401)",
            "3020 up",
            "3120 6 accepted",
            "3220 7 accepted",
            "3220 8 accepted",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_route_with_a_probe_is_up_once_the_probe_succeeds() {
    let plays = [
        (10, Err(NoAnswer::NotSent("no such name".into()))),
        (10, with(503, &[])),
        (10, with(200, &[])),
        (10, with(401, &[])),
        (10, with(200, &[])),
    ];
    let tiny = Tiny {
        has_probe: true,
        ..Tiny::at("http://tiny.example")
    };
    let bench = Bench::with(2, plays, tiny);
    bench.put(&[1, 2]);
    assert_eq!(
        bench.hear(20_000).await,
        [
            "10 down: the provider cannot be reached: no such name",
            "1020 down: the provider answers 503",
            "3030 up",
            "3040 1 account_fault",
            "3040 down: Not now. (401)",
            "7050 up",
            "7150 2 accepted",
        ]
    );
    assert_eq!(
        bench.asked(),
        [
            "0 probe",
            "1010 probe",
            "3020 probe",
            "3030 1",
            "7040 probe",
            "7050 2"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_a_pause_has_it_and_what_waits_may_go_elsewhere() {
    let bench = Bench::new(1, [(10, with(429, &[("retry-after", "5")]))]);
    bench.put(&[1, 2]);
    assert_eq!(
        bench.hear(10_000).await,
        [
            "0 up",
            "10 1 throttled",
            "10 paused for 5000",
            "5110 2 accepted"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_takes_the_route_down() {
    let bench = Bench::new(2, [(10, with(429, &[("retry-after", "3600")]))]);
    bench.put(&[1, 1]);
    assert_eq!(
        bench.hear(5_000_000).await,
        [
            "0 up",
            "10 1 throttled",
            "10 paused for 3600000",
            "10 down: the provider asked for a long pause",
            "10 2 returned",
            "3600010 up",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_recipient_to_be_left_alone_is_nobody_elses_pause() {
    let alone = || with(429, &[("x-recipient", "1")]);
    let bench = Bench::new(1, [(10, alone()), (10, with(200, &[])), (10, alone())]);
    bench.put(&[1, 2, 1]);
    assert_eq!(
        bench.hear(60_000).await,
        [
            "0 up",
            "20 2 accepted",
            "5120 1 accepted",
            "5220 3 accepted"
        ]
    );
    assert_eq!(bench.asked(), ["0 1", "10 2", "1010 1", "5020 1", "5120 3"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_held_too_long_may_go_elsewhere_and_does_not_pause_the_route() {
    let alone = |seconds| {
        (
            10,
            with(429, &[("x-recipient", "1"), ("retry-after", seconds)]),
        )
    };
    let bench = Bench::new(1, [alone("40"), alone("40")]);
    bench.put(&[1, 1]);
    assert_eq!(
        bench.hear(100_000).await,
        ["0 up", "40020 1 recipient_absent", "40120 2 accepted"]
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_expires_while_it_is_held_is_given_back() {
    let alone = with(429, &[("x-recipient", "1"), ("retry-after", "40")]);
    let bench = Bench::new(1, [(10, alone)]);
    let mut late = message(1, 1);
    late.expires_at = Timestamp::from_millis(1_005_000);
    bench.lanes.put([late]);
    assert_eq!(bench.hear(5_000).await, ["0 up"]);
    bench.clock.advance(Millis::seconds(5));
    assert_eq!(bench.hear(5_000).await, ["5010 1 returned"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_holds_back_is_asked_again_at_its_time() {
    let bench = Bench::new(5, []);
    bench
        .lanes
        .hold_until(Some(Timestamp::from_millis(1_003_000)));
    bench.put(&[1]);
    assert_eq!(bench.hear(1_000).await, ["0 up"]);
    bench.lanes.hold_until(None);
    assert_eq!(bench.hear(5_000).await, ["3100 1 accepted"]);
}

#[tokio::test(start_paused = true)]
async fn a_time_to_ask_again_that_is_over_when_it_is_heard_is_not_lost() {
    let bench = Bench::new(5, []);
    bench
        .lanes
        .hold_until(Some(Timestamp::from_millis(999_999)));
    bench.put(&[1]);
    assert_eq!(bench.hear(10).await, ["0 up"]);
    bench.lanes.hold_until(None);
    assert_eq!(bench.hear(1_000).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_route_finishes_what_is_under_way_and_asks_nothing_more_of_its_provider() {
    let mut tiny = Tiny::at("http://tiny.example");
    tiny.has_probe = true;
    let plays = [(0, Ok(answer(200, ""))), (500, Ok(answer(401, "")))];
    let bench = Bench::with(2, plays, tiny);
    bench.put(&[1, 1]);
    assert_eq!(bench.hear(10).await, ["0 up"]);
    bench.lanes.set_in_use(false);
    // What waits for its recipient goes elsewhere; the account that fails is not probed.
    let heard = bench.hear(100_000).await;
    assert_eq!(heard, ["10 2 returned", "500 1 account_fault"]);
    assert_eq!(bench.asked(), ["0 probe", "0 1"]);
    bench.lanes.set_in_use(true);
    bench.hear(1_000).await;
    assert_eq!(bench.asked()[2], "100010 probe");
}

/// Has bulk for one recipient without end, and keeps one slot for direct.
#[derive(Default)]
struct Flood {
    bulk: Mutex<i64>,
    direct: Mutex<Option<Submission>>,
    wake: Mutex<Option<ports::connector::Wake>>,
}

impl SubmissionSource for Flood {
    fn take(&self, slots: Slots) -> ports::connector::Taken {
        let mut submissions: Vec<_> = self.direct.lock().take().into_iter().collect();
        if slots.free > 1 {
            let mut bulk = self.bulk.lock();
            *bulk += 1;
            let mut message = message(*bulk, 1);
            message.class = domain::model::message::TrafficClass::Bulk;
            submissions.push(message);
        }
        ports::connector::Taken {
            submissions,
            ask_again_at: None,
        }
    }

    fn in_use(&self) -> bool {
        true
    }

    fn withdrawn(&self) -> Vec<ports::connector::SubmissionKey> {
        Vec::new()
    }

    fn on_ready(&self, wake: ports::connector::Wake) {
        *self.wake.lock() = Some(wake);
    }
}

#[tokio::test(start_paused = true)]
async fn direct_is_taken_at_once_however_much_bulk_waits_for_its_recipient() {
    let flood = Arc::new(Flood::default());
    let source = Arc::clone(&flood) as Arc<dyn SubmissionSource>;
    let alone = with(429, &[("x-recipient", "1"), ("retry-after", "30")]);
    let bench = Bench::over(4, [(10, alone)], Tiny::at("http://tiny.example"), source);
    assert_eq!(bench.hear(50).await, ["0 up"]);
    let taken = usize::try_from(*flood.bulk.lock()).unwrap();
    assert!(taken <= WAITING_MAX + 1, "{taken}");
    *flood.direct.lock() = Some(message(5_000, 2));
    flood.wake.lock().as_ref().unwrap()();
    assert_eq!(bench.hear(200).await, ["150 5000 accepted"]);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_answers_and_not_longer_than_its_patience() {
    let bench = Bench::new(5, [(300, with(200, &[]))]);
    bench.put(&[1, 1]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    bench.route.stop(Millis::seconds(10)).await;
    bench.lanes.put([message(3, 3)]);
    assert_eq!(
        bench.record.take().iter().map(word).collect::<Vec<_>>(),
        ["up", "2 returned", "1 accepted", "down: stopped"]
    );
    assert_eq!(bench.plays.began.elapsed(), Duration::from_millis(300));

    let alone = with(429, &[("x-recipient", "1")]);
    let bench = Bench::new(5, [(300, with(200, &[])), (5, alone)]);
    bench.put(&[1, 2]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    bench.route.stop(Millis::new(100)).await;
    assert_eq!(
        bench.record.take().iter().map(word).collect::<Vec<_>>(),
        ["up", "2 returned", "1 unknown", "down: stopped"]
    );
    assert_eq!(bench.plays.began.elapsed(), Duration::from_millis(110));
}

#[tokio::test(start_paused = true)]
async fn hooks_are_heard_and_answered() {
    let bench = Bench::new(5, []);
    bench.hear(10).await;
    let hooks = bench.route.hooks().unwrap();
    let mut call = hook("POST", "https://x/hooks/1", "delivered id");
    assert_eq!(hooks.call(call.clone()).await.status, 401);
    assert_eq!(bench.record.take(), []);
    call.headers
        .push(("x-token".into(), b"t0ken".as_slice().into()));
    let (answer, ()) = tokio::join!(hooks.call(call), async {
        assert!(matches!(bench.record.wait(1).await[..], [Told::Receipt(_)]));
        bench.record.ack(ports::connector::Heard::Kept);
    });
    assert_eq!(answer, HookAnswer::with(200, "text/plain", "ok"));
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_each_submission_has_one_end() {
    for seed in 0..20 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut below = |most: u64| random.random_range(0..most);
        let plays: Vec<_> = (0..400)
            .map(|_| {
                let reply = match below(12) {
                    0 => with(401, &[]),
                    1 => with(429, &[]),
                    2 => with(429, &[("retry-after", "1")]),
                    3 => with(429, &[("x-recipient", "1")]),
                    4 => Err(NoAnswer::Unknown("lost".into())),
                    5 => Err(NoAnswer::NotSent("refused".into())),
                    6 => with(400, &[]),
                    7 if below(4) == 0 => Ok(answer(200, "panic")),
                    _ => with(200, &[]),
                };
                (below(3_000), reply)
            })
            .collect();
        let recipients: Vec<_> = (0..300)
            .map(|_| u32::try_from(below(40)).unwrap())
            .collect();
        let patience = below(2) * 1_000_000;
        let bench = Bench::new(8, plays);
        bench.put(&recipients);
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(below(20))).await;
            let first = i64::try_from(below(300)).unwrap();
            bench.lanes.withdraw((first..first + 20).map(key));
        }
        bench
            .route
            .stop(Millis::new(i64::try_from(patience).unwrap()))
            .await;
        let mut ends: BTreeMap<_, usize> = BTreeMap::new();
        for told in bench.record.take() {
            if let Told::Submitted(key, _) | Told::Returned(key) = told {
                *ends.entry(key).or_default() += 1;
            }
        }
        assert_eq!(ends.len() + bench.lanes.left(), 300, "seed {seed}");
        assert!(ends.values().all(|it| *it == 1), "seed {seed}: {ends:?}");
    }
}
