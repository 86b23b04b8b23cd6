//! How is a route's `simulator` table read?

use connectors::simulator::SimulatorConfig;
use domain::model::channel::Channel;
use domain::time::Millis;

use super::reader::{Field, Table};

/// Longest delay that a simulator plays.
const DELAY_MAX: Millis = Millis::hours(1);

/// Reads the settings of a simulator; every one has a default.
pub(super) fn read(table: Option<Table<'_>>, channel: Channel, receipts: bool) -> SimulatorConfig {
    let default = SimulatorConfig {
        receipts,
        ..SimulatorConfig::new(channel)
    };
    let Some(mut table) = table else {
        return default;
    };
    let delay = |field: Field<'_>| field.span_of_time(Millis::ZERO..=DELAY_MAX);
    let percent = |field: Field<'_>| field.whole::<u8>(0..=100);
    let config = SimulatorConfig {
        channel,
        receipts,
        window: table.or("window", default.window, |field| field.whole(1..=10_000)),
        answer_delay: table.or("answer_delay", default.answer_delay, delay),
        receipt_delay: table.or("receipt_delay", default.receipt_delay, delay),
        receipt_spread: table.or("receipt_spread", default.receipt_spread, delay),
        failure_percent: table.or("failure_percent", default.failure_percent, percent),
        lose_receipts_percent: table.or(
            "lose_receipts_percent",
            default.lose_receipts_percent,
            percent,
        ),
        double_receipts_percent: table.or(
            "double_receipts_percent",
            default.double_receipts_percent,
            percent,
        ),
        reorder_percent: table.or("reorder_percent", default.reorder_percent, percent),
        read_percent: table.or("read_percent", default.read_percent, percent),
        enforce_window: table.or("enforce_window", default.enforce_window, Field::flag),
        response_timeout: table.or("response_timeout", default.response_timeout, |field| {
            field.span_of_time(Millis::new(1)..=DELAY_MAX)
        }),
        seed: table.or("seed", default.seed, |field| field.whole(0..=i64::MAX)),
    };
    table.finish();
    config
}
