//! Who is written to next: one request at a time to each recipient, direct before bulk (R-CLASS-3) and
//! each in the order in which they came (R-ORDER), and none to a recipient whom the provider asks to
//! leave alone for a while.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use domain::model::address::Address;
use domain::model::message::TrafficClass;
use domain::time::Timestamp;
use ports::connector::Submission;
use tokio::time::Instant;

/// A submission in the driver's hands.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) submission: Submission,
    /// Its place among all.
    no: u64,
    /// Times it was held already.
    pub(super) holds: u32,
    /// How long altogether.
    pub(super) held: Duration,
}

impl Taken {
    /// Slots that it takes.
    pub(super) fn slots(&self) -> u16 {
        self.submission.parts_left().max(1)
    }

    /// Direct before bulk (R-CLASS-3), then in the order in which they came.
    fn rank(&self) -> (bool, u64) {
        (self.submission.class == TrafficClass::Bulk, self.no)
    }
}

#[derive(Default)]
struct Lane {
    is_busy: bool,
    held_until: Option<Instant>,
    /// By rank.
    waiting: VecDeque<Taken>,
}

impl Lane {
    fn wait(&mut self, taken: Taken) {
        let rank = taken.rank();
        let at = self.waiting.partition_point(|it| it.rank() < rank);
        self.waiting.insert(at, taken);
    }

    /// Whether nothing is to be known of the recipient any more.
    fn is_over(&self, now: Instant) -> bool {
        let is_held = self.held_until.is_some_and(|it| it > now);
        !self.is_busy && self.waiting.is_empty() && !is_held
    }

    fn free(&self, now: Instant) -> Option<&Taken> {
        let is_free = !self.is_busy && self.held_until.is_none_or(|it| it <= now);
        self.waiting.front().filter(|_| is_free)
    }
}

/// Every recipient with a request under way or a submission that waits, or who is to be left alone.
#[derive(Default)]
pub(super) struct Recipients {
    lanes: HashMap<Address, Lane>,
    waiting: usize,
    last_no: u64,
}

impl Recipients {
    /// Submissions that wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Gives it back where its recipient is free, to be sent; else it waits.
    pub(super) fn offer(&mut self, submission: Submission) -> Option<Taken> {
        self.last_no += 1;
        let lane = self.lanes.entry(submission.to.clone()).or_default();
        let taken = Taken {
            submission,
            no: self.last_no,
            holds: 0,
            held: Duration::ZERO,
        };
        if lane.is_busy || lane.held_until.is_some() || !lane.waiting.is_empty() {
            lane.wait(taken);
            self.waiting += 1;
            return None;
        }
        lane.is_busy = true;
        Some(taken)
    }

    /// The one to send next of those that wait, and its slots; `fits` says whether there is room.
    pub(super) fn next(&mut self, now: Instant, fits: impl FnOnce(u16) -> bool) -> Next {
        self.lanes.retain(|_, lane| !lane.is_over(now));
        let free = self.lanes.iter().filter_map(|(to, lane)| {
            let first = lane.free(now)?;
            Some((first.rank(), first.slots(), to))
        });
        let Some((_, slots, to)) = free.min_by_key(|it| it.0) else {
            return Next::Nothing;
        };
        if !fits(slots) {
            return Next::NoRoom;
        }
        let to = to.clone();
        let lane = self.lanes.entry(to).or_default();
        lane.held_until = None;
        match lane.waiting.pop_front() {
            Some(taken) => {
                lane.is_busy = true;
                self.waiting -= 1;
                Next::Send(Box::new(taken))
            }
            None => Next::Nothing,
        }
    }

    /// The request to this recipient is over, whatever became of it.
    pub(super) fn done(&mut self, to: &Address) {
        if let Some(lane) = self.lanes.get_mut(to) {
            lane.is_busy = false;
            if lane.waiting.is_empty() {
                self.lanes.remove(to);
            }
        }
    }

    /// The request is over, and it and all others to this recipient wait until then.
    pub(super) fn hold(&mut self, taken: Taken, until: Instant) {
        let lane = self.lanes.entry(taken.submission.to.clone()).or_default();
        lane.is_busy = false;
        lane.held_until = Some(until);
        lane.wait(taken);
        self.waiting += 1;
    }

    /// When a recipient for whom something waits is to be left alone no longer.
    pub(super) fn due(&self) -> Option<Instant> {
        self.lanes
            .values()
            .filter(|it| !it.is_busy && !it.waiting.is_empty())
            .filter_map(|it| it.held_until)
            .min()
    }

    /// Takes out those that wait and are such, in the order in which they came. A recipient whom the
    /// provider asked to leave alone is left alone still.
    pub(super) fn take_out(
        &mut self,
        now: Instant,
        which: impl Fn(&Submission) -> bool,
    ) -> Vec<Taken> {
        let mut out = Vec::new();
        self.lanes.retain(|_, lane| {
            if lane.waiting.iter().any(|it| which(&it.submission)) {
                let (gone, stays): (Vec<_>, Vec<_>) = std::mem::take(&mut lane.waiting)
                    .into_iter()
                    .partition(|it| which(&it.submission));
                out.extend(gone);
                lane.waiting = stays.into();
            }
            !lane.is_over(now)
        });
        self.waiting -= out.len();
        out.sort_unstable_by_key(|it| it.no);
        out
    }

    /// When the first of those that wait may not be sent any more.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        let waiting = self.lanes.values().flat_map(|it| &it.waiting);
        waiting.map(|it| it.submission.expires_at).min()
    }

    /// Takes out all that wait, in the order in which they came.
    pub(super) fn drain(&mut self) -> Vec<Taken> {
        let mut drained = Vec::with_capacity(self.waiting);
        self.lanes.retain(|_, lane| {
            lane.held_until = None;
            drained.extend(lane.waiting.drain(..));
            lane.is_busy
        });
        self.waiting = 0;
        drained.sort_unstable_by_key(|it| it.no);
        drained
    }
}

/// What [`Recipients::next`] found.
pub(super) enum Next {
    /// Nobody who waits is free.
    Nothing,
    /// There is one, for whom there is no room yet.
    NoRoom,
    /// This one is under way now.
    Send(Box<Taken>),
}

#[cfg(test)]
#[path = "recipients_tests.rs"]
mod tests;
