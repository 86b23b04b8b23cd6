//! Which SIM card of which phone carries a message? Pure: facts in, choice out (R-PHONE-1).
//!
//! Phones that listen come before those that only poll: these may come for it much later, or not at all.
//! Then the phone that the person knows, and of its cards the one that they know; then the
//! least loaded, the least used, and the one that rested longest.

use std::cmp::Reverse;
use std::sync::Arc;

use domain::time::Timestamp;

/// A SIM card, or a phone that chooses its card itself, as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Card {
    /// Whose.
    pub(super) phone: Arc<str>,
    /// Which; `None` is the phone's choice.
    pub(super) sim: Option<u8>,
    /// Whether the phone is present and not resting.
    pub(super) able: bool,
    /// Whether the phone listens all the time.
    pub(super) is_connected: bool,
    /// Parts that the phone has room for.
    pub(super) room: u16,
    /// Parts of its limits that are left, the smaller of hour and day.
    pub(super) left: u32,
    /// Parts that it was handed in the last hour.
    pub(super) used: u32,
    /// When it was last handed something.
    pub(super) last: Option<Timestamp>,
}

impl Card {
    /// How many parts it takes now.
    pub(super) fn takes(&self) -> u16 {
        if self.able {
            self.room.min(u16::try_from(self.left).unwrap_or(u16::MAX))
        } else {
            0
        }
    }

    /// Whether it takes a message of so many parts. One that is longer than a whole window goes
    /// alone.
    fn carries(&self, parts: u16, window: u16) -> bool {
        let fits = parts <= self.room || (self.room == window && parts > window);
        self.able && fits && u32::from(parts) <= self.left
    }
}

/// The card for a message of so many parts, if one takes it; `known` is whom the person last
/// exchanged messages with.
pub(super) fn choose<'a>(
    cards: &'a [Card],
    parts: u16,
    window: u16,
    known: Option<(&str, Option<u8>)>,
) -> Option<&'a Card> {
    let familiarity = |card: &Card| match known {
        Some((phone, sim)) if *card.phone == *phone => 1 + u8::from(card.sim == sim),
        Some(_) | None => 0,
    };
    let able = cards.iter().filter(|it| it.carries(parts, window));
    able.min_by_key(|it| {
        (
            Reverse(it.is_connected),
            Reverse(familiarity(it)),
            Reverse(it.room),
            it.used,
            it.last,
            Arc::clone(&it.phone),
            it.sim,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(phone: &str, sim: Option<u8>) -> Card {
        Card {
            phone: phone.into(),
            sim,
            able: true,
            is_connected: true,
            room: 10,
            left: 100,
            used: 0,
            last: None,
        }
    }

    fn chosen(
        cards: &[Card],
        parts: u16,
        known: Option<(&str, Option<u8>)>,
    ) -> Option<(String, Option<u8>)> {
        choose(cards, parts, 10, known).map(|it| (it.phone.to_string(), it.sim))
    }

    #[test]
    fn the_phone_that_the_person_knows_comes_first_and_its_known_card() {
        let mut cards = [card("a", Some(1)), card("b", Some(1)), card("b", Some(2))];
        cards[2].used = 50;
        cards[2].room = 3;
        let known = Some(("b", Some(2)));
        assert_eq!(chosen(&cards, 1, known), Some(("b".into(), Some(2))));
        cards[2].left = 0;
        assert_eq!(chosen(&cards, 1, known), Some(("b".into(), Some(1))));
        cards[1].able = false;
        assert_eq!(chosen(&cards, 1, known), Some(("a".into(), Some(1))));
    }

    #[test]
    fn a_phone_that_only_polls_gets_what_no_phone_that_listens_has_room_for() {
        let mut cards = [card("a", None), card("b", None)];
        cards[0].is_connected = false;
        cards[1].room = 1;
        let known = Some(("a", None));
        assert_eq!(chosen(&cards, 1, known), Some(("b".into(), None)));
        cards[1].room = 0;
        assert_eq!(chosen(&cards, 1, known), Some(("a".into(), None)));
        cards[0].able = false;
        assert_eq!(chosen(&cards, 1, known), None);
    }

    #[test]
    fn strangers_go_to_the_least_loaded_then_the_least_used_then_the_longest_rested() {
        let mut cards = [card("a", None), card("b", None), card("c", None)];
        assert_eq!(chosen(&cards, 1, None).unwrap().0, "a");
        cards[0].last = Some(Timestamp::from_millis(2));
        cards[1].last = Some(Timestamp::from_millis(1));
        cards[2].used = 1;
        assert_eq!(chosen(&cards, 1, None).unwrap().0, "b");
        cards[2].room = 11;
        assert_eq!(chosen(&cards, 1, None).unwrap().0, "c");
    }

    #[test]
    fn what_does_not_fit_is_not_taken_unless_it_fits_nowhere_else() {
        let mut cards = [card("a", None)];
        cards[0].left = 2;
        assert_eq!(chosen(&cards, 3, None), None);
        cards[0].left = 100;
        assert!(
            chosen(&cards, 12, None).is_some(),
            "longer than the window: alone"
        );
        cards[0].room = 9;
        assert_eq!(chosen(&cards, 12, None), None);
        assert_eq!(chosen(&cards, 10, None), None);
        assert!(chosen(&cards, 9, None).is_some());
    }
}
