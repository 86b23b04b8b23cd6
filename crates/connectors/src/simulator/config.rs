//! What can be set for a simulated route.

use domain::model::channel::Channel;
use domain::time::Millis;

/// Settings of a simulated route. Chances are in percent and apply to recipients without a number of
/// their own in [`numbers`](super::numbers); equal seeds and submissions give equal plays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimulatorConfig {
    /// What it carries.
    pub channel: Channel,
    /// Submissions without an answer, in parts, at least 1.
    pub window: u16,
    /// How long an answer takes.
    pub answer_delay: Millis,
    /// How long after the answer the final receipt comes, at least.
    pub receipt_delay: Millis,
    /// How much longer than that it may take.
    pub receipt_spread: Millis,
    /// Whether receipts are given at all.
    pub receipts: bool,
    /// Chance that the final receipt says failed.
    pub failure_percent: u8,
    /// Chance that no final receipt comes.
    pub lose_receipts_percent: u8,
    /// Chance that the final receipt comes twice.
    pub double_receipts_percent: u8,
    /// Chance that the final receipt comes before the answer.
    pub reorder_percent: u8,
    /// Chance that the recipient reads it, on WhatsApp.
    pub read_percent: u8,
    /// Whether WhatsApp refuses free-form content outside the 24 hours after an inbound message.
    /// What opened before a restart is not remembered.
    pub enforce_window: bool,
    /// How long it takes until a submission without an answer counts as unknown.
    pub response_timeout: Millis,
    /// What the chances are drawn from.
    pub seed: u64,
}

impl SimulatorConfig {
    /// A route of this channel that answers quickly and delivers everything.
    pub const fn new(channel: Channel) -> Self {
        Self {
            channel,
            window: 100,
            answer_delay: Millis::new(20),
            receipt_delay: Millis::new(500),
            receipt_spread: Millis::new(500),
            receipts: true,
            failure_percent: 0,
            lose_receipts_percent: 0,
            double_receipts_percent: 0,
            reorder_percent: 0,
            read_percent: 0,
            enforce_window: true,
            response_timeout: Millis::seconds(2),
            seed: 0,
        }
    }
}
