//! Which direct messages wait although no gateway and no platform that may carry them takes anything
//! (R-QUOTA-3)? People are offered them, and an alert tells of them. The rule is
//! [`domain::rules::carry::is_stuck`].

use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::message::TrafficClass;
use domain::model::progress::Lane;
use domain::model::route::Route;
use domain::rules::carry::{Load, by_simulators, is_stuck};
use domain::time::Timestamp;
use ports::store::Unavailable;
use ports::store::messages::Outbound;

use crate::line::RouteLine;
use crate::{Inner, facts, quotas};

/// Most messages of one lane that are looked at: the oldest.
const LANE_PAGE: u16 = 200;

/// What is stuck in the lane of one route.
#[derive(Debug, Default)]
pub(crate) struct Stuck {
    /// The messages, of those that were looked at.
    pub(crate) messages: Vec<Outbound>,
    /// How many there are: where all that were looked at are stuck, the rest of the lane is too.
    pub(crate) count: u64,
    /// Whether there is more in the lane than was looked at.
    pub(crate) more: bool,
}

/// The lane of a route's direct messages.
pub(crate) fn direct_lane(line: &RouteLine) -> Lane {
    Lane {
        route: line.route.key,
        class: TrafficClass::Direct,
    }
}

/// What is stuck in the lane of this route. In that of team phones too, where these are out: a sender may
/// have no other, or none that is up.
pub(crate) async fn waiting_for(
    inner: &Inner,
    line: &RouteLine,
    now: Timestamp,
) -> Result<Stuck, Unavailable> {
    let lane = direct_lane(line);
    if inner.lanes.waiting_in(lane) == 0 || !is_out(inner, line, now) {
        return Ok(Stuck::default());
    }
    let page = inner.store.lane(lane, None, LANE_PAGE).await?;
    let waiting = inner.lanes.waiting_in(lane);
    let looked_at = page.len();
    let page = page.into_iter().map(|it| it.1);
    let messages: Vec<_> = page
        .filter(|it| is_stuck_on(inner, it, line.route.channel, now))
        .collect();
    let more = looked_at == usize::from(LANE_PAGE) && waiting > u64::from(LANE_PAGE);
    let found = u64::try_from(messages.len()).unwrap_or(u64::MAX);
    let count = if more && messages.len() == looked_at {
        waiting
    } else {
        found
    };
    Ok(Stuck {
        messages,
        count,
        more,
    })
}

/// Whether a route takes no direct message now.
fn is_out(inner: &Inner, line: &RouteLine, now: Timestamp) -> bool {
    let (condition, _) = facts::condition(inner, line, now);
    condition.is_out() || !quotas::has_room(inner, &line.route, TrafficClass::Direct, now)
}

fn is_stuck_on(inner: &Inner, outbound: &Outbound, channel: Channel, now: Timestamp) -> bool {
    let message = &outbound.message;
    let topology = inner.topology();
    let both = topology
        .project(message.project)
        .zip(topology.sender(message.sender));
    let Some((project, sender)) = both else {
        return false;
    };
    let lines = sender.routes.iter().filter_map(|it| inner.lines.get(it));
    let routes: Vec<(&Route, bool)> = lines
        .map(|it| (&*it.route, is_out(inner, it, now)))
        .collect();
    let live = outbound
        .progress
        .last_attempt()
        .filter(|it| it.state == AttemptState::Sending);
    let load = Load {
        channel,
        to: &message.to,
        class: message.class,
        mms: channel == Channel::Sms && message.content.fits_mms(),
        simulated: by_simulators(message.test, routes.iter().map(|it| it.0)),
        refused_by: live.map_or(&[], |it| &it.refused_by),
        overflow: project.policy.overflow,
    };
    is_stuck(&load, &routes)
}
