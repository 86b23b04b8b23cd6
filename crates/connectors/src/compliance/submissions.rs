//! Submissions: one outcome each, and the right one.

use std::sync::Arc;

use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use domain::time::Millis;
use tokio::net::TcpListener;

use super::{Bench, Stage, TEXT, world};
use crate::testing::{Lanes, Record, Told};
use crate::web::testing::{Play, answer};

const REFERENCE: &str = "SM0123456789";

fn failure(outcome: &SubmitOutcome) -> Option<&Failure> {
    match outcome {
        SubmitOutcome::NotAccepted(failure)
        | SubmitOutcome::Rejected(failure)
        | SubmitOutcome::PartlyAccepted { failure, .. } => Some(failure),
        SubmitOutcome::Accepted { .. } | SubmitOutcome::Unknown { .. } => None,
    }
}

/// What is kept and shown of a failure has words, and none of ours.
fn is_decent(bench: &dyn Bench, outcome: &SubmitOutcome) {
    let failure = failure(outcome).unwrap_or_else(|| panic!("no failure: {outcome:?}"));
    assert!(
        !failure.code.is_empty() && !failure.text.is_empty(),
        "{failure:?}"
    );
    let shown = format!("{failure:?}");
    for secret in bench.secrets() {
        assert!(!shown.contains(&secret), "a credential is shown");
    }
    assert!(!shown.contains(TEXT), "message text is shown");
}

pub(super) async fn are_accepted(bench: &dyn Bench) {
    let stage = Stage::new(bench, [Play::Answer(bench.accepted(REFERENCE))]).await;
    let (outcome, asked) = stage.submit(bench).await;
    let SubmitOutcome::Accepted { references } = outcome else {
        panic!("an accepted submission is {outcome:?}");
    };
    let known_as = bench.known_as(REFERENCE);
    assert!(
        references.iter().any(|it| *it.reference == known_as),
        "{references:?}"
    );
    assert_eq!(asked.len(), 1, "asked more than once");
}

pub(super) async fn are_rejected(bench: &dyn Bench) {
    let stage = Stage::new(bench, [Play::Answer(bench.rejected())]).await;
    let (outcome, asked) = stage.submit(bench).await;
    assert!(matches!(outcome, SubmitOutcome::Rejected(_)), "{outcome:?}");
    is_decent(bench, &outcome);
    assert_eq!(asked.len(), 1, "asked more than once");
}

/// Either the engine is told, or the connector itself waits for the recipient and asks again.
pub(super) async fn are_throttled(bench: &dyn Bench) {
    let plays = [bench.throttled(), bench.accepted(REFERENCE)].map(Play::Answer);
    let stage = Stage::new(bench, plays).await;
    let (outcome, asked) = stage.submit(bench).await;
    if let SubmitOutcome::NotAccepted(failure) = &outcome {
        assert_eq!(failure.class, FailureClass::Throttled);
        is_decent(bench, &outcome);
        assert_eq!(asked.len(), 1);
    } else {
        assert!(
            matches!(outcome, SubmitOutcome::Accepted { .. }),
            "{outcome:?}"
        );
        assert_eq!(asked.len(), 2);
    }
}

/// R-ROUTE-5: the bytes left; and an answer that nobody documented is no success.
pub(super) async fn are_unknown_where_the_answer_is_lost_or_nobody_knows_it(bench: &dyn Bench) {
    for play in [
        Play::HangUp,
        Play::Answer(answer(200, "<html>Hello</html>")),
    ] {
        let stage = Stage::new(bench, [play.clone()]).await;
        let (outcome, asked) = stage.submit(bench).await;
        let is_unknown = matches!(outcome, SubmitOutcome::Unknown { .. });
        assert!(is_unknown, "{play:?} is {outcome:?}");
        assert_eq!(asked.len(), 1, "{play:?}: asked more than once");
    }
}

/// R-ROUTE-4: the bytes certainly did not leave. Routes with a probe take nothing then.
pub(super) async fn go_elsewhere_where_nobody_listens(bench: &dyn Bench) {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let (lanes, record) = (Arc::new(Lanes::default()), Arc::new(Record::default()));
    let route = bench.start(&url, world(&lanes, &record));
    lanes.put([bench.submission(1)]);
    let told = record
        .wait(if bench.aside().is_some() { 1 } else { 2 })
        .await;
    if bench.aside().is_some() {
        assert!(matches!(told[0], Told::Link(_)), "{told:?}");
        assert_eq!(lanes.left(), 1);
    } else {
        let Told::Submitted(_, outcome @ SubmitOutcome::NotAccepted(failure)) = &told[1] else {
            panic!("a submission that did not leave: {told:?}");
        };
        assert_eq!(failure.class, FailureClass::RouteFault);
        is_decent(bench, outcome);
    }
    route.stop(Millis::ZERO).await;
}

/// R-HEALTH: down at once, and up again by itself.
pub(super) async fn wait_while_the_account_does_not_work(bench: &dyn Bench) {
    let plays = [bench.account_fault(), bench.accepted(REFERENCE)].map(Play::Answer);
    let stage = Stage::new(bench, plays).await;
    stage.lanes.put([bench.submission(1)]);
    let (_, outcome) = stage.outcome().await;
    let class = failure(&outcome).map(|it| it.class);
    assert_eq!(class, Some(FailureClass::AccountFault), "{outcome:?}");
    is_decent(bench, &outcome);
    stage.wait_for_link(false).await;
    stage.wait_for_link(true).await;
    stage.lanes.put([bench.submission(2)]);
    let (_, outcome) = stage.outcome().await;
    assert!(
        matches!(outcome, SubmitOutcome::Accepted { .. }),
        "{outcome:?}"
    );
    stage.end().await;
}
