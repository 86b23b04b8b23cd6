//! Submissions: one outcome each, and the right one.

use domain::model::failure::{Failure, FailureClass};
use domain::model::receipt::SubmitOutcome;
use ports::connector::Submission;

use super::provider::{AccountFault, FirstWord, Opening, Treatment};
use super::{Bench, REFERENCE, Stage, TEXT};

const ACCEPT: Treatment = Treatment::Accept(REFERENCE);

fn failure(outcome: &SubmitOutcome) -> Option<&Failure> {
    match outcome {
        SubmitOutcome::NotAccepted(failure)
        | SubmitOutcome::Rejected(failure)
        | SubmitOutcome::PartlyAccepted { failure, .. } => Some(failure),
        SubmitOutcome::Accepted { .. } | SubmitOutcome::Unknown { .. } => None,
    }
}

fn is_accepted(outcome: &SubmitOutcome) -> bool {
    matches!(outcome, SubmitOutcome::Accepted { .. })
}

/// What is kept and shown of a failure has words, and none of ours.
fn is_decent(bench: &dyn Bench, outcome: &SubmitOutcome) {
    let failure = failure(outcome).unwrap_or_else(|| panic!("no failure: {outcome:?}"));
    assert!(
        !failure.code.is_empty() && !failure.text.is_empty(),
        "{failure:?}"
    );
    shows_nothing(bench, &format!("{failure:?}"));
}

fn shows_nothing(bench: &dyn Bench, shown: &str) {
    for secret in bench.secrets().it().unwrap_or_default() {
        assert!(!shown.contains(&secret), "a credential is shown");
    }
    assert!(!shown.contains(TEXT), "message text is shown");
}

pub(super) async fn are_accepted(bench: &dyn Bench) {
    let stage = Stage::new(bench, &[ACCEPT]).await;
    let submission = bench.submission(1, ACCEPT);
    let known_as = bench.known_as(&submission, REFERENCE).it();
    let outcome = stage.submit(submission).await;
    let SubmitOutcome::Accepted { references } = outcome else {
        panic!("an accepted submission is {outcome:?}");
    };
    assert!(
        references
            .iter()
            .any(|it| known_as.as_ref().is_none_or(|name| *it.reference == *name)),
        "{references:?}"
    );
    stage.was_asked(1);
}

pub(super) async fn are_rejected(bench: &dyn Bench) {
    let stage = Stage::new(bench, &[Treatment::Reject]).await;
    let outcome = stage.submit(bench.submission(1, Treatment::Reject)).await;
    assert!(matches!(outcome, SubmitOutcome::Rejected(_)), "{outcome:?}");
    is_decent(bench, &outcome);
    stage.was_asked(1);
}

/// Either the engine is told, or the connector itself waits for the recipient and asks again.
pub(super) async fn are_throttled(bench: &dyn Bench) {
    let stage = Stage::new(bench, &[Treatment::Throttle, ACCEPT]).await;
    let outcome = stage.submit(bench.submission(1, Treatment::Throttle)).await;
    if let SubmitOutcome::NotAccepted(failure) = &outcome {
        assert_eq!(failure.class, FailureClass::Throttled);
        is_decent(bench, &outcome);
        stage.was_asked(1);
    } else {
        assert!(is_accepted(&outcome), "{outcome:?}");
        stage.was_asked(2);
    }
}

/// R-ROUTE-5: the bytes left; and an answer that nobody documented is no success.
pub(super) async fn are_unknown_where_the_answer_is_lost_or_nobody_knows_it(bench: &dyn Bench) {
    let has_undocumented = bench.undocumented().it().is_some();
    let undocumented = has_undocumented.then_some(Treatment::Undocumented);
    for treatment in undocumented.into_iter().chain([Treatment::LoseAnswer]) {
        let stage = Stage::new(bench, &[treatment]).await;
        let outcome = stage.submit(bench.submission(1, treatment)).await;
        let is_unknown = matches!(outcome, SubmitOutcome::Unknown { .. });
        assert!(is_unknown, "{treatment:?} is {outcome:?}");
        stage.was_asked(1);
    }
}

/// R-IN-2: what waits behind another is given back and never put to the provider, and what has left has
/// its outcome. Which of the two, the connector alone decides: each has one end.
pub(super) async fn are_given_back_or_have_left_where_nobody_wants_them_any_more(
    bench: &dyn Bench,
) {
    let stage = Stage::new(bench, &[ACCEPT; 4]).await;
    let first = bench.submission(1, ACCEPT);
    let to = &first.to;
    let others = [2, 3, 4].map(|no| Submission {
        to: to.clone(),
        ..bench.submission(no, ACCEPT)
    });
    stage.lanes.withdraw(others.iter().map(|it| it.key));
    let mut keys: Vec<_> = [&first]
        .into_iter()
        .chain(&others)
        .map(|it| it.key)
        .collect();
    stage.lanes.put([first].into_iter().chain(others));
    let (mut ended, mut left) = (Vec::new(), 0);
    for _ in 0..keys.len() {
        let (key, outcome) = stage.end_of_one().await;
        let is_wanted = key == keys[0];
        assert!(!is_wanted || outcome.is_some(), "it was not withdrawn");
        if let Some(outcome) = outcome {
            assert!(is_accepted(&outcome), "{outcome:?}");
            left += 1;
        }
        ended.push(key);
    }
    ended.sort_unstable();
    keys.sort_unstable();
    assert_eq!(ended, keys);
    stage.was_asked(left);
    stage.end().await;
}

/// R-ROUTE-4: the bytes certainly did not leave. Routes that log in or probe take nothing then.
pub(super) async fn go_elsewhere_where_nobody_listens(bench: &dyn Bench) {
    let takes_it = match bench.first_word() {
        FirstWord::OurOwn => false,
        FirstWord::ASubmission => true,
        FirstWord::Never(why) => {
            assert!(why.contains(' '), "no reason: {why}");
            return;
        }
    };
    let waiting = bench.submission(1, ACCEPT);
    let stage = Stage::begin(bench, Opening::NobodyListens, &[ACCEPT], Some(waiting)).await;
    if takes_it {
        let (_, outcome) = stage.outcome().await;
        let class = failure(&outcome).map(|it| it.class);
        assert_eq!(class, Some(FailureClass::RouteFault), "{outcome:?}");
        assert!(
            matches!(outcome, SubmitOutcome::NotAccepted(_)),
            "a submission that did not leave is {outcome:?}"
        );
        is_decent(bench, &outcome);
    } else {
        shows_nothing(bench, &stage.wait_for_link(false).await);
        assert_eq!(stage.lanes.left(), 1);
    }
    stage.was_asked(0);
    stage.end().await;
}

/// R-HEALTH: a route that is not let in is down, takes nothing and believes nothing; and it is up by
/// itself when it is let in.
pub(super) async fn wait_until_the_login_works(bench: &dyn Bench) {
    match bench.first_word() {
        FirstWord::OurOwn => {}
        // Then the next case is this one.
        FirstWord::ASubmission => {
            assert_eq!(bench.account_fault(), AccountFault::TakesTheRouteDown);
            return;
        }
        FirstWord::Never(_) => return,
    }
    let waiting = bench.submission(1, ACCEPT);
    let stage = Stage::begin(bench, Opening::RefusesLogin, &[ACCEPT], Some(waiting)).await;
    shows_nothing(bench, &stage.wait_for_link(false).await);
    stage.wait_for_link(true).await;
    let (_, outcome) = stage.outcome().await;
    assert!(is_accepted(&outcome), "{outcome:?}");
    stage.was_asked(1);
    stage.end().await;
}

/// R-HEALTH: down at once, and up again by itself.
pub(super) async fn wait_while_the_account_does_not_work(bench: &dyn Bench) {
    let is_down = match bench.account_fault() {
        AccountFault::TakesTheRouteDown => true,
        AccountFault::IsOfTheSubmission(why) => {
            assert!(why.contains(' '), "no reason: {why}");
            false
        }
        AccountFault::Never(why) => {
            assert!(why.contains(' '), "no reason: {why}");
            return;
        }
    };
    let stage = Stage::new(bench, &[Treatment::AccountFault, ACCEPT]).await;
    stage
        .lanes
        .put([bench.submission(1, Treatment::AccountFault)]);
    let (_, outcome) = stage.outcome().await;
    assert!(
        matches!(outcome, SubmitOutcome::NotAccepted(_)),
        "{outcome:?}"
    );
    let class = failure(&outcome).map(|it| it.class);
    assert_eq!(class, Some(FailureClass::AccountFault), "{outcome:?}");
    is_decent(bench, &outcome);
    if is_down {
        shows_nothing(bench, &stage.wait_for_link(false).await);
        stage.wait_for_link(true).await;
    }
    stage.lanes.put([bench.submission(2, ACCEPT)]);
    let (_, outcome) = stage.outcome().await;
    assert!(is_accepted(&outcome), "{outcome:?}");
    stage.was_asked(2);
    stage.end().await;
}
