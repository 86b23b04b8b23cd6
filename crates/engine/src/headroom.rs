//! R-CLASS-3: how many slots of a window are kept for direct traffic.
//!
//! One always is. Where direct messages come faster than the provider answers, one is not enough: the
//! second would wait until a bulk submission is answered. So as many are kept as direct traffic needed
//! at once a moment ago, and one more; a quarter of the window more for ten seconds after one had to
//! wait, since answers come in clumps. A slot that it uses is not kept as well.

use domain::time::{Millis, Timestamp};
use ports::connector::Slots;

/// A need is remembered for one to two of these.
const SPAN: Millis = Millis::new(200);
const TWO_SPANS: Millis = Millis::new(2 * SPAN.get());
/// How long it is remembered that a direct message had to wait for a slot.
const WAIT_MEMORY: Millis = Millis::seconds(10);

/// What direct traffic has needed at once of late, in parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DirectNeed {
    in_hand: u16,
    began: Timestamp,
    peak: u16,
    peak_before: u16,
    waited_at: Option<Timestamp>,
}

impl DirectNeed {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self {
            in_hand: 0,
            began: now,
            peak: 0,
            peak_before: 0,
            waited_at: None,
        }
    }

    /// The provider was given so many parts.
    pub(crate) fn took(&mut self, parts: u16, now: Timestamp) {
        self.turn(now);
        self.in_hand = self.in_hand.saturating_add(parts);
        self.peak = self.peak.max(self.in_hand);
    }

    /// So many came back.
    pub(crate) fn gave_back(&mut self, parts: u16) {
        self.in_hand = self.in_hand.saturating_sub(parts);
    }

    /// A direct message had found no free slot.
    pub(crate) const fn waited(&mut self, now: Timestamp) {
        self.waited_at = Some(now);
    }

    /// How many slots of one link's window bulk leaves free now: at least one, windows of 1 excepted,
    /// and at most half of the window, so that bulk goes on beside bursts.
    pub(crate) fn kept(&mut self, slots: Slots, now: Timestamp) -> u16 {
        if slots.window <= 1 {
            return 0;
        }
        self.turn(now);
        let has_waited = |at: Timestamp| (Millis::ZERO..WAIT_MEMORY).contains(&now.since(at));
        let spare = if self.waited_at.is_some_and(has_waited) {
            (slots.window / 4).max(2)
        } else {
            1
        };
        let needed = self.peak.max(self.peak_before).saturating_sub(self.in_hand);
        let share = needed.div_ceil(slots.links.max(1));
        let most = (slots.window / 2).max(1);
        share.saturating_add(spare).min(most)
    }

    /// When less may be kept, though nothing comes back: whoever was held back asks again.
    pub(crate) const fn eases_at(&self) -> Timestamp {
        self.began.plus(SPAN)
    }

    fn turn(&mut self, now: Timestamp) {
        let elapsed = now.since(self.began);
        if (Millis::ZERO..SPAN).contains(&elapsed) {
            return;
        }
        if elapsed < Millis::ZERO {
            // A clock that was set back has no spans to go by.
            *self = Self {
                in_hand: self.in_hand,
                peak: self.in_hand,
                ..Self::new(now)
            };
            return;
        }
        self.peak_before = if elapsed < TWO_SPANS {
            self.peak
        } else {
            self.in_hand
        };
        self.peak = self.in_hand;
        self.began = now.plus(Millis::new(-(elapsed.get() % SPAN.get())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(1_000);

    fn at(ms: i64) -> Timestamp {
        T0.plus(Millis::new(ms))
    }

    fn slots(window: u16, links: u16) -> Slots {
        Slots {
            free: window,
            window,
            links,
        }
    }

    #[test]
    fn one_slot_is_kept_where_no_direct_message_came_and_none_of_a_window_of_one() {
        let mut need = DirectNeed::new(T0);
        assert_eq!(need.kept(slots(10, 1), at(0)), 1);
        assert_eq!(need.kept(slots(2, 1), at(0)), 1);
        assert_eq!(need.kept(slots(1, 1), at(0)), 0);
    }

    #[test]
    fn what_direct_needed_a_moment_ago_is_kept_and_what_it_uses_is_not_kept_as_well() {
        let mut need = DirectNeed::new(T0);
        need.took(1, at(0));
        need.took(2, at(10));
        assert_eq!(need.kept(slots(10, 1), at(20)), 1, "three are in use");
        need.gave_back(2);
        assert_eq!(need.kept(slots(10, 1), at(30)), 3);
        need.gave_back(1);
        assert_eq!(need.kept(slots(10, 1), at(40)), 4);
    }

    #[test]
    fn a_need_is_forgotten_after_two_spans() {
        let mut need = DirectNeed::new(T0);
        need.took(3, at(0));
        need.gave_back(3);
        assert_eq!(need.kept(slots(10, 1), at(399)), 4);
        assert_eq!(need.kept(slots(10, 1), at(400)), 1);
    }

    #[test]
    fn whoever_asks_again_when_told_gets_what_was_kept() {
        let mut need = DirectNeed::new(T0);
        need.took(3, at(10));
        need.gave_back(3);
        let (mut now, mut asked) = (at(20), 0);
        while need.kept(slots(10, 1), now) > 1 {
            assert!(need.eases_at() > now, "at {now:?}");
            now = need.eases_at();
            asked += 1;
        }
        assert_eq!(asked, 2);
    }

    #[test]
    fn a_clock_that_is_set_back_forgets_what_was_needed() {
        let mut need = DirectNeed::new(at(5_000));
        need.took(4, at(5_000));
        need.gave_back(3);
        need.waited(at(5_000));
        assert_eq!(need.kept(slots(20, 1), at(0)), 1);
        assert!(need.eases_at() > at(0));
    }

    #[test]
    fn where_one_had_to_wait_more_is_kept_for_ten_seconds() {
        let mut need = DirectNeed::new(T0);
        need.waited(at(0));
        for (window, kept) in [(2, 1), (3, 1), (4, 2), (10, 2), (100, 25)] {
            assert_eq!(need.kept(slots(window, 1), at(9_999)), kept, "{window}");
        }
        assert_eq!(need.kept(slots(100, 1), at(10_000)), 1);
    }

    #[test]
    fn half_of_a_window_is_never_kept_for_what_may_come() {
        let mut need = DirectNeed::new(T0);
        need.took(30, at(0));
        need.gave_back(30);
        assert_eq!(need.kept(slots(10, 1), at(1)), 5);
        assert_eq!(need.kept(slots(3, 1), at(1)), 1);
    }

    #[test]
    fn the_links_of_a_route_share_what_is_kept() {
        let mut need = DirectNeed::new(T0);
        need.took(7, at(0));
        need.gave_back(7);
        assert_eq!(need.kept(slots(100, 1), at(1)), 8);
        assert_eq!(need.kept(slots(100, 4), at(1)), 3);
        assert_eq!(need.kept(slots(100, 3), at(1)), 4);
    }
}
