//! R-METRIC-1, R-METRIC-2, R-METRIC-3: per contact and channel, successes and failures, each
//! attempt counted once, whatever receipts repeat or arrive out of order.

use crate::model::attempt::{Attempt, AttemptState, Counted};
use crate::model::channel::Channel;
use crate::model::contact::ChannelMetrics;
use crate::model::failure::FailureClass;
use crate::time::{Millis, Timestamp};

/// How a contact's record on one channel changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MetricChange {
    /// On which channel.
    pub channel: Channel,
    /// To be added to the successes.
    pub successes: i32,
    /// To be added to the failures.
    pub failures: i32,
    /// Delivery time of the new success, where it is known.
    pub delivery_time: Option<Millis>,
    /// When the new success was.
    pub success_at: Option<Timestamp>,
}

/// Whether a failure of this class was caused by the channel or the recipient (R-METRIC-2).
///
/// Our own quota, throttling, a route being down, bad content, an opt-out, or a validity that we
/// let pass is nobody's failure: only the route's own counters see it.
pub const fn counts_against_contact(class: FailureClass) -> bool {
    match class {
        FailureClass::RecipientAbsent
        | FailureClass::RecipientIncapable
        | FailureClass::RecipientInvalid
        | FailureClass::Undeliverable => true,
        FailureClass::RouteFault
        | FailureClass::Throttled
        | FailureClass::AccountFault
        | FailureClass::SenderFault
        | FailureClass::Expired
        | FailureClass::WindowClosed
        | FailureClass::TemplateFault
        | FailureClass::ContentBlocked
        | FailureClass::OptedOut
        | FailureClass::InvalidRequest
        | FailureClass::NoRoute
        | FailureClass::UnknownOutcome => false,
    }
}

/// How an attempt in its present state is to be counted; `None` leaves it as it is.
fn verdict(attempt: &Attempt) -> Option<Counted> {
    match attempt.state {
        AttemptState::Delivered | AttemptState::Read => Some(Counted::Success),
        AttemptState::Sent if !attempt.receipts => Some(Counted::Success),
        AttemptState::Failed => attempt
            .failure
            .as_ref()
            .is_some_and(|it| counts_against_contact(it.class))
            .then_some(Counted::Failure),
        AttemptState::Sending | AttemptState::Unknown | AttemptState::Sent => None,
    }
}

/// Counts an attempt after its state changed at `at`, and remembers in it that it was counted.
///
/// The delivery time runs from the submission to the arrival of the receipt, both by our clock; a
/// receipt that came before the answer counts as zero.
pub(super) fn count(attempt: &mut Attempt, at: Timestamp) -> Option<MetricChange> {
    let now = verdict(attempt)?;
    let before = std::mem::replace(&mut attempt.counted, now);
    if now == before {
        return None;
    }
    let change = |counted: Counted| i32::from(now == counted) - i32::from(before == counted);
    let succeeded = now == Counted::Success;
    let delivery_time = attempt.delivered_at.filter(|_| succeeded).map(|delivered| {
        delivered
            .since(attempt.sent_at.unwrap_or(delivered))
            .max(Millis::ZERO)
    });
    Some(MetricChange {
        channel: attempt.channel,
        successes: change(Counted::Success),
        failures: change(Counted::Failure),
        delivery_time,
        success_at: succeeded.then_some(at),
    })
}

/// The record after a change.
pub fn apply(metrics: ChannelMetrics, change: &MetricChange) -> ChannelMetrics {
    ChannelMetrics {
        success_count: metrics
            .success_count
            .saturating_add_signed(change.successes),
        failure_count: metrics.failure_count.saturating_add_signed(change.failures),
        delivery_time_sum: Millis::new(
            metrics.delivery_time_sum.get() + change.delivery_time.map_or(0, Millis::get),
        ),
        delivery_time_count: metrics.delivery_time_count
            + u32::from(change.delivery_time.is_some()),
        last_success_at: metrics.last_success_at.max(change.success_at),
    }
}
