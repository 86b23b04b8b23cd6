//! A whole link in made-up time against a scripted SMSC at the other end of in-memory pipes.

use std::collections::VecDeque;

use domain::model::receipt::SubmitOutcome;
use domain::time::Timestamp;
use ports::clock::ManualClock;
use ports::connector::Heard;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::super::codes::status;
use super::super::pdu::{self, RESPONSE, Writer, command};
use super::super::smsc::{self, delivery};
use super::*;
use crate::testing::{Lanes, Record, Told, key, submission};

const TO: &str = "+4917012345678";

type Peer = smsc::Peer<DuplexStream>;

/// Gives the SMSC's end of each connection to the test; refuses while the test says so.
struct Pipes {
    ends: mpsc::UnboundedSender<Peer>,
    refusals: Mutex<usize>,
}

impl Dialer for Pipes {
    fn dial(&self) -> Dialing<'_> {
        let mut refusals = self.refusals.lock();
        if *refusals > 0 {
            *refusals -= 1;
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        }
        let (ours, theirs) = duplex(64 * 1024);
        let sent = self.ends.send(Peer::new(theirs));
        Box::pin(async move {
            sent.map_err(|_| io::Error::from(io::ErrorKind::ConnectionReset))?;
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }
}

struct Bench {
    connector: Arc<dyn Connector>,
    lanes: Arc<Lanes>,
    record: Arc<Record>,
    peers: mpsc::UnboundedReceiver<Peer>,
}

impl Bench {
    fn new(config: SmppConfig, refusals: usize) -> Self {
        Self::over(Arc::new(Lanes::default()), config, refusals)
    }

    fn over(lanes: Arc<Lanes>, config: SmppConfig, refusals: usize) -> Self {
        let (ends, peers) = mpsc::unbounded_channel();
        let record = Arc::new(Record::default());
        let dialer: Arc<dyn Dialer> = Arc::new(Pipes {
            ends,
            refusals: Mutex::new(refusals),
        });
        let connector = start(
            config,
            &dialer,
            Arc::clone(&lanes) as Arc<dyn SubmissionSource>,
            Arc::clone(&record) as Arc<dyn RouteEvents>,
            Arc::new(ManualClock::at(Timestamp::from_millis(0))),
        );
        Self {
            connector,
            lanes,
            record,
            peers,
        }
    }

    async fn peer(&mut self) -> Peer {
        self.peers.recv().await.unwrap()
    }

    async fn bound(config: SmppConfig) -> (Self, Peer) {
        let mut bench = Self::new(config, 0);
        let mut peer = bench.peer().await;
        peer.answer_bind(0).await;
        assert_eq!(bench.record.wait(1).await, [Told::Link(LinkState::Up)]);
        (bench, peer)
    }
}

fn is_down(told: &[Told]) -> bool {
    matches!(told, [Told::Link(LinkState::Down(_))])
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_out_and_its_answer_comes_back() {
    let (bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    bench.lanes.put([submission(1, TO, "Hello")]);
    let sequence = peer.submission().await;
    peer.write(command::SUBMIT_SM | RESPONSE, 0, sequence, b"abc001\0")
        .await;
    let told = bench.record.wait(1).await;
    assert!(
        matches!(&told[..], [Told::Submitted(it, SubmitOutcome::Accepted { .. })] if *it == key(1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_answered_when_another_thread_says_that_it_is_kept() {
    let (bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    let source = pdu::Address {
        ton: 1,
        npi: 1,
        text: b"4917012345678",
    };
    let said = pdu::Submit {
        source,
        text: b"Hi",
        ..pdu::Submit::default()
    };
    // One octet at a time, as a slow network may bring them.
    for octet in delivery(&said, 9) {
        peer.stream.write_all(&[octet]).await.unwrap();
        tokio::task::yield_now().await;
    }
    bench.record.wait(1).await;
    std::thread::scope(|scope| {
        scope.spawn(|| bench.record.ack(Heard::Kept));
    });
    let answer = peer.read().await.unwrap();
    assert_eq!(
        (answer.command, answer.status, answer.sequence),
        (0x8000_0005, 0, 9)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_down_and_comes_back_and_what_was_under_way_is_unknown() {
    let (mut bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    bench.lanes.put([submission(1, TO, "x")]);
    peer.submission().await;
    drop(peer);
    let told = bench.record.wait(2).await;
    assert!(matches!(
        &told[0],
        Told::Submitted(_, SubmitOutcome::Unknown { .. })
    ));
    assert!(is_down(&told[1..]));
    bench.lanes.put([submission(2, TO, "y")]);
    let mut peer = bench.peer().await;
    peer.answer_bind(0).await;
    assert_eq!(bench.record.wait(1).await, [Told::Link(LinkState::Up)]);
    peer.submission().await;
}

#[tokio::test(start_paused = true)]
async fn connecting_is_tried_again_and_again_with_growing_patience() {
    let began = Instant::now();
    let mut bench = Bench::new(SmppConfig::default(), 12);
    let mut peer = bench.peer().await;
    // Twelve waits of at most 1, 2, 4, … 32, then 60 seconds.
    assert!(began.elapsed() <= Duration::from_secs(63 + 6 * 60));
    assert!(
        began.elapsed() > Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    peer.answer_bind(0).await;
    let told = bench.record.wait(2).await;
    assert!(
        is_down(&told[..1]),
        "told once although it failed twelve times: {told:?}"
    );
    assert_eq!(told[1..], [Told::Link(LinkState::Up)]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_not_tried_again_within_a_minute() {
    let mut bench = Bench::new(SmppConfig::default(), 0);
    let mut began = VecDeque::new();
    for _ in 0..3 {
        let mut peer = bench.peer().await;
        peer.answer_bind(status::INVALID_PASSWORD).await;
        began.push_back(peer.began);
    }
    assert!(began[1] - began[0] >= Duration::from_mins(1));
    assert!(began[2] - began[1] >= Duration::from_mins(2));
    let told = bench.record.wait(1).await;
    assert!(matches!(&told[..], [Told::Link(LinkState::Down(why))] if why.contains("RINVPASWD")));
}

#[tokio::test(start_paused = true)]
async fn after_an_orderly_unbind_the_link_comes_back_at_once() {
    let (mut bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    let before = Instant::now();
    peer.write(command::UNBIND, 0, 1, b"").await;
    assert_eq!(
        peer.read().await.unwrap().command,
        command::UNBIND | RESPONSE
    );
    assert!(peer.read().await.is_none());
    bench.peer().await;
    assert_eq!(Instant::now(), before);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up() {
    let mut bench = Bench::new(SmppConfig::default(), 0);
    let peer = bench.peer().await;
    assert!(is_down(&bench.record.wait(1).await));
    assert_eq!(peer.began.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn the_route_is_up_while_one_of_its_binds_is() {
    let config = SmppConfig {
        binds: 2,
        ..SmppConfig::default()
    };
    let mut bench = Bench::new(config, 0);
    let (mut first, mut second) = (bench.peer().await, bench.peer().await);
    first.answer_bind(0).await;
    second.answer_bind(0).await;
    assert_eq!(bench.record.wait(1).await, [Told::Link(LinkState::Up)]);
    drop(first);
    let mut third = bench.peer().await;
    assert_eq!(bench.record.take(), []);
    drop(second);
    assert!(is_down(&bench.record.wait(1).await));
    third.answer_bind(0).await;
    assert_eq!(bench.record.wait(1).await, [Told::Link(LinkState::Up)]);
    assert_eq!(bench.lanes.wakes(), 3, "one each, and one for the route");
}

#[tokio::test(start_paused = true)]
async fn a_pair_binds_once_in_each_direction_and_only_the_transmitter_makes_it_up() {
    let config = SmppConfig {
        bind: BindMode::TransmitterReceiver,
        ..SmppConfig::default()
    };
    let mut bench = Bench::new(config, 0);
    let (mut first, mut second) = (bench.peer().await, bench.peer().await);
    assert_eq!(first.answer_bind(0).await, command::BIND_TRANSMITTER);
    assert_eq!(bench.record.wait(1).await, [Told::Link(LinkState::Up)]);
    assert_eq!(second.answer_bind(0).await, command::BIND_RECEIVER);
    assert_eq!(bench.lanes.wakes(), 2, "one for the route");
    bench.lanes.put([submission(1, TO, "x")]);
    first.submission().await;
    drop(second);
    bench.peer().await;
    assert_eq!(bench.record.take(), []);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_the_answers_and_unbinds() {
    let (bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    bench.lanes.put([submission(1, TO, "x")]);
    let sequence = peer.submission().await;
    let connector = Arc::clone(&bench.connector);
    let stopping = tokio::spawn(async move { connector.stop(Millis::seconds(20)).await });
    tokio::time::sleep(Duration::from_secs(3)).await;
    bench.lanes.put([submission(2, TO, "y")]);
    peer.write(command::SUBMIT_SM | RESPONSE, 0, sequence, b"1\0")
        .await;
    let unbind = peer.read().await.unwrap();
    assert_eq!(unbind.command, command::UNBIND);
    peer.write(command::UNBIND | RESPONSE, 0, unbind.sequence, b"")
        .await;
    stopping.await.unwrap();
    assert!(matches!(
        bench.record.take()[0],
        Told::Submitted(_, SubmitOutcome::Accepted { .. })
    ));
    assert_eq!(bench.lanes.left(), 1);
}

/// Answers link tests and the unbind, and sees the connection end.
async fn unbinds(peer: &mut Peer) {
    let mut is_unbound = false;
    while !is_unbound {
        let asked = peer.read().await.unwrap();
        is_unbound = asked.command == command::UNBIND;
        assert!(is_unbound || asked.command == command::ENQUIRE_LINK);
        peer.write(asked.command | RESPONSE, 0, asked.sequence, b"")
            .await;
    }
    assert!(peer.read().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_disabled_route_waits_for_the_answers_unbinds_and_binds_again_at_once_when_enabled() {
    let (mut bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    bench.lanes.put([submission(1, TO, "x")]);
    let sequence = peer.submission().await;
    bench.lanes.set_in_use(false);
    bench.lanes.put([submission(2, TO, "y")]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.record.take(), [], "its answer is waited for");
    peer.write(command::SUBMIT_SM | RESPONSE, 0, sequence, b"1\0")
        .await;
    unbinds(&mut peer).await;
    let told = bench.record.wait(2).await;
    assert!(matches!(
        &told[0],
        Told::Submitted(_, SubmitOutcome::Accepted { .. })
    ));
    assert_eq!(told[1], Told::Link(LinkState::Down(DISABLED.into())));
    // However long it lasts.
    tokio::time::sleep(Duration::from_hours(30)).await;
    assert!(bench.peers.try_recv().is_err());
    assert_eq!(bench.lanes.left(), 1);
    let before = Instant::now();
    bench.lanes.set_in_use(true);
    let mut peer = bench.peer().await;
    peer.answer_bind(0).await;
    assert_eq!(bench.record.wait(1).await, [Told::Link(LinkState::Up)]);
    peer.submission().await;
    assert_eq!(Instant::now(), before);
}

#[tokio::test(start_paused = true)]
async fn what_the_smsc_kept_for_a_disabled_route_is_heard_on_its_next_bind() {
    let (mut bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    let receipt = pdu::Submit {
        esm_class: 4,
        source: pdu::Address {
            ton: 1,
            npi: 1,
            text: b"4917012345678",
        },
        text: b"id:abc001 sub:001 dlvrd:001 submit date:2611220800 done date:2611220801 stat:DELIVRD err:000",
        ..pdu::Submit::default()
    };
    // One comes while it is disabled already: until the unbind it is taken.
    bench.lanes.put([submission(1, TO, "x")]);
    let sequence = peer.submission().await;
    bench.lanes.set_in_use(false);
    peer.stream.write_all(&delivery(&receipt, 8)).await.unwrap();
    assert!(matches!(bench.record.wait(1).await[..], [Told::Receipt(_)]));
    peer.write(command::SUBMIT_SM | RESPONSE, 0, sequence, b"abc001\0")
        .await;
    bench.record.wait(1).await;
    // It unbinds only after that is answered.
    bench.record.ack(Heard::Kept);
    assert_eq!(peer.read().await.unwrap().sequence, 8);
    unbinds(&mut peer).await;
    assert!(is_down(&bench.record.wait(1).await));
    bench.lanes.set_in_use(true);
    let mut peer = bench.peer().await;
    peer.answer_bind(0).await;
    bench.record.wait(1).await;
    peer.stream.write_all(&delivery(&receipt, 9)).await.unwrap();
    assert!(matches!(bench.record.wait(1).await[..], [Told::Receipt(_)]));
    bench.record.ack(Heard::Kept);
    assert_eq!(peer.read().await.unwrap().sequence, 9);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_disabled_from_the_start_does_not_connect_and_can_be_stopped() {
    let lanes = Arc::new(Lanes::default());
    lanes.set_in_use(false);
    let mut bench = Bench::over(lanes, SmppConfig::default(), 0);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!(bench.peers.try_recv().is_err());
    assert_eq!(bench.record.take(), []);
    let before = Instant::now();
    bench.connector.stop(Millis::seconds(20)).await;
    assert_eq!(Instant::now(), before);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_enabled_before_it_has_unbound_keeps_its_bind() {
    let (mut bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    bench.lanes.put([submission(1, TO, "x")]);
    let sequence = peer.submission().await;
    bench.lanes.set_in_use(false);
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.lanes.set_in_use(true);
    bench.lanes.put([submission(2, TO, "y")]);
    peer.submission().await;
    peer.write(command::SUBMIT_SM | RESPONSE, 0, sequence, b"1\0")
        .await;
    bench.record.wait(1).await;
    assert!(bench.peers.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_disabled_route_unbinds_although_an_answer_never_comes() {
    let (bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    bench.lanes.put([submission(1, TO, "x")]);
    peer.submission().await;
    bench.lanes.set_in_use(false);
    unbinds(&mut peer).await;
    assert!(matches!(
        bench.record.take()[..],
        [
            Told::Submitted(_, SubmitOutcome::Unknown { .. }),
            Told::Link(LinkState::Down(_))
        ]
    ));
}

#[tokio::test(start_paused = true)]
async fn a_disabled_route_gives_up_connecting_and_stops_at_once() {
    let bench = Bench::new(SmppConfig::default(), usize::MAX);
    bench.record.wait(1).await;
    bench.lanes.set_in_use(false);
    tokio::time::sleep(Duration::from_hours(1)).await;
    let before = Instant::now();
    bench.connector.stop(Millis::seconds(20)).await;
    assert_eq!(Instant::now(), before);
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_a_server_that_is_not_there() {
    let bench = Bench::new(SmppConfig::default(), usize::MAX);
    bench.record.wait(1).await;
    let before = Instant::now();
    bench.connector.stop(Millis::seconds(20)).await;
    assert_eq!(Instant::now(), before);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_connector_ends_its_link() {
    let (bench, mut peer) = Bench::bound(SmppConfig::default()).await;
    let before = Instant::now();
    drop(bench.connector);
    assert_eq!(peer.read().await.unwrap().command, command::UNBIND);
    // The answer never comes.
    assert!(peer.read().await.is_none());
    assert_eq!(before.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn what_a_pause_left_unread_is_acted_on_at_once_when_it_ends() {
    let config = SmppConfig {
        window: 1,
        unanswered_max: 1,
        ..SmppConfig::default()
    };
    let (bench, mut peer) = Bench::bound(config).await;
    bench.lanes.put((1..=2).map(|no| submission(no, TO, "x")));
    let sequence = peer.submission().await;
    let source = pdu::Address {
        ton: 1,
        npi: 1,
        text: b"4917012345678",
    };
    let mut octets = Vec::new();
    for no in [8, 9] {
        let said = pdu::Submit {
            source,
            text: b"Hi",
            ..pdu::Submit::default()
        };
        octets.extend(delivery(&said, no));
    }
    let accepted = command::SUBMIT_SM | RESPONSE;
    Writer::begin(&mut octets, accepted, 0, sequence)
        .octets(b"1\0")
        .finish();
    peer.stream.write_all(&octets).await.unwrap();
    let before = Instant::now();
    for no in [8, 9] {
        assert!(matches!(bench.record.wait(1).await[..], [Told::Inbound(_)]));
        bench.record.ack(Heard::Kept);
        assert_eq!(peer.read().await.unwrap().sequence, no);
    }
    peer.submission().await;
    assert_eq!(Instant::now(), before);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_does_not_fill_the_memory_and_loses_nothing() {
    let config = SmppConfig {
        window: 5_000,
        ..SmppConfig::default()
    };
    let (bench, mut peer) = Bench::bound(config).await;
    bench
        .lanes
        .put((0..5_000).map(|no| submission(no, TO, &"a".repeat(100))));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut seen = 0;
    while seen < 5_000 {
        let sequence = peer.submission().await;
        peer.write(command::SUBMIT_SM | RESPONSE, 0, sequence, b"1\0")
            .await;
        seen += 1;
    }
    assert_eq!(bench.record.wait(5_000).await.len(), 5_000);
}
