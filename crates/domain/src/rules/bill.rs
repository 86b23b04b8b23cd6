//! R-COST-1: every submission has an estimated and a settled cost. What the provider says that it
//! charges takes the place of our estimate: its count of segments is the one that is paid.

use crate::model::money::Micros;
use crate::model::progress::Progress;

/// Takes the provider's price of attempt `no`: what was charged is corrected, and what is not charged
/// yet will be at this price. A repeat changes nothing.
pub fn billed(progress: &mut Progress, no: u8, cost: Micros) {
    let Some(attempt) = progress.attempt_mut(no) else {
        return;
    };
    let charged = attempt.settled_cost.is_some();
    if attempt.estimated_cost == cost && (!charged || attempt.settled_cost == Some(cost)) {
        return;
    }
    attempt.estimated_cost = cost;
    if charged {
        attempt.settled_cost = Some(cost);
    }
    progress.version += 1;
}
