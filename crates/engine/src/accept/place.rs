//! Station 1: where does an accepted message go: to its route at once, or behind what waits?

use domain::model::progress::Lane;
use domain::model::sender::Sender;

use crate::Inner;

/// Where an accepted message goes: promised before it is committed, given up if it is not kept.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A place in the route's ready queue.
    Ready(Lane),
    /// The end of a lane.
    Lane(Lane),
}

impl Place {
    pub(super) fn in_lane(inner: &Inner, lane: Lane) -> Self {
        inner.lanes.add(lane, 1);
        Self::Lane(lane)
    }

    pub(super) fn give_up(self, inner: &Inner) {
        match self {
            Self::Lane(lane) => inner.lanes.add(lane, -1),
            Self::Ready(lane) => {
                if let Some(line) = inner.lines.get(&lane.route) {
                    line.unreserve(lane.class);
                }
            }
        }
    }
}

/// The ready queue if nothing waits before this message and there is room; else a lane.
///
/// While the lane of another route on the channel is being emptied because that route is down, the
/// message goes to the end of that lane, behind the earlier ones of its conversation (R-ORDER).
pub(super) fn place_for(inner: &Inner, sender: &Sender, lane: Lane) -> Place {
    let chosen = inner.lines.get(&lane.route);
    let channel = chosen.map(|it| it.route.channel);
    let emptied = sender
        .routes
        .iter()
        .filter(|route| **route != lane.route)
        .filter(|route| inner.lines.get(route).map(|it| it.route.channel) == channel)
        .map(|route| Lane {
            route: *route,
            class: lane.class,
        })
        .find(|other| inner.lanes.waiting_in(*other) > 0);
    if let Some(other) = emptied.filter(|it| is_down(inner, *it)) {
        return Place::in_lane(inner, other);
    }
    match chosen {
        Some(line) if inner.lanes.waiting_in(lane) == 0 && line.reserve(lane.class) => {
            Place::Ready(lane)
        }
        Some(_) | None => Place::in_lane(inner, lane),
    }
}

fn is_down(inner: &Inner, lane: Lane) -> bool {
    inner
        .lines
        .get(&lane.route)
        .is_some_and(|it| !it.admits(inner.now()))
}
