//! What is configured of a pool of phones.

use domain::ids::{ProjectKey, RouteKey};
use domain::time::Millis;

/// A pool of phones: one route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmsGateConfig {
    /// Whose project, for the audit log.
    pub project: ProjectKey,
    /// The route.
    pub route: RouteKey,
    /// What phones call, without a slash at the end; filled in from the public URL.
    pub api_url: String,
    /// Parts that one phone may hold.
    pub window: u16,
    /// How long a phone may keep a message before it must not send it any more: the time after which
    /// it can go elsewhere although the phone is silent (R-PHONE-3).
    pub hold: Millis,
    /// Parts that one SIM card may send in an hour.
    pub per_hour: u32,
    /// Parts that one SIM card may send in a day.
    pub per_day: u32,
    /// How long a phone without an open stream counts as present after it was heard.
    pub present_for: Millis,
    /// How long a phone may take to fetch what it is offered; after that it counts as silent.
    pub fetch_within: Millis,
    /// How often a phone is asked to say how it is; it fetches what waits then, too.
    pub ping: Millis,
    /// Whether carriers are asked for delivery reports.
    pub delivery_reports: bool,
}

impl SmsGateConfig {
    /// The defaults for this route.
    pub fn new(route: RouteKey) -> Self {
        Self {
            project: ProjectKey(0),
            route,
            api_url: String::new(),
            window: 10,
            hold: Millis::minutes(5),
            per_hour: 100,
            per_day: 500,
            present_for: Millis::minutes(5),
            fetch_within: Millis::seconds(20),
            ping: Millis::minutes(2),
            delivery_reports: true,
        }
    }

    /// How long the outcome of what a phone holds may stay open: after it the phone certainly does
    /// not send any more. `unknown_wait` of the route must not be shorter (R-PHONE-3).
    pub fn settled_after(&self) -> Millis {
        Millis::new(self.hold.get() + CLOCK_MARGIN.get() + SLACK.get())
    }
}

/// How far the clock of a phone may be off before its word on validity is not to be believed.
pub(super) const CLOCK_MARGIN: Millis = Millis::seconds(60);
/// How much longer an unknown outcome is waited for than a phone may take.
const SLACK: Millis = Millis::seconds(30);
