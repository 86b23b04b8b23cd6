//! R-COST-1: which line of a price book holds, and what it makes of a message.

use domain::model::channel::Channel;
use domain::model::content::PriceCategory;
use domain::model::money::Micros;
use domain::model::quota::Use;
use domain::model::route::{ChargedOn, Price, PriceScope, PriceUnit, Route};
use domain::model::tariff::{NamedVolumes, Tier, Tiers, Volumes};
use domain::phone::CountryCode;
use domain::rules::cost::{Quote, Size, least_price, price_of, smallest};
use domain::rules::quota::SMALLEST;
use domain::time::{Millis, Timestamp};
use proptest::prelude::*;

use super::world::{NOW, flat, number, route};

/// The price of one segment by this book, in micros.
fn price(book: &[Price], category: Option<PriceCategory>, segments: u16) -> Option<i64> {
    let route = route(1, Channel::Sms, None, book.to_vec());
    let size = Size::Segments(segments);
    price_of(&route, &number(), category, size, NOW, Volumes::NONE).map(|it| it.amount.0)
}

fn prefix(prefix: &str, micros: i64) -> Price {
    Price {
        scope: PriceScope::Prefix(prefix.into()),
        ..flat(micros)
    }
}

fn country(code: &str, micros: i64) -> Price {
    let code = CountryCode::parse(code).expect("two letters");
    Price {
        scope: PriceScope::Country(code),
        ..flat(micros)
    }
}

fn of(category: PriceCategory, line: Price) -> Price {
    Price {
        category: Some(category),
        ..line
    }
}

#[test]
fn a_route_without_a_price_book_is_free_and_one_whose_book_has_no_line_for_it_is_unknown() {
    let free = route(1, Channel::Sms, None, Vec::new());
    assert_eq!(
        price_of(
            &free,
            &number(),
            None,
            Size::Segments(3),
            NOW,
            Volumes::NONE
        ),
        Some(Quote::FREE)
    );
    assert_eq!(price(&[prefix("+49", 1), country("DE", 2)], None, 1), None);
}

#[test]
fn the_longest_prefix_wins_then_the_country_then_any() {
    let book = [
        flat(1),
        country("RO", 2),
        prefix("+4", 3),
        prefix("+4072", 4),
        prefix("+40", 5),
        prefix("+407210000012", 6),
        prefix("+49", 7),
        country("DE", 8),
    ];
    assert_eq!(price(&book, None, 1), Some(4));
    assert_eq!(price(&book[..3], None, 1), Some(3));
    assert_eq!(price(&book[..2], None, 1), Some(2));
    assert_eq!(price(&book[..1], None, 1), Some(1));
}

#[test]
fn a_line_for_the_category_wins_over_one_for_any_of_the_same_scope() {
    use PriceCategory::{Marketing, Service, Utility};
    let book = [
        flat(1),
        of(Utility, flat(2)),
        of(Marketing, flat(3)),
        of(Service, prefix("+40", 4)),
    ];
    assert_eq!(price(&book, None, 1), Some(1));
    assert_eq!(price(&book, Some(Utility), 1), Some(2));
    assert_eq!(price(&book, Some(Marketing), 1), Some(3));
    assert_eq!(price(&book, Some(Service), 1), Some(4));
    assert_eq!(price(&book[1..], None, 1), None);
    // The scope goes before the category.
    assert_eq!(
        price(&[prefix("+40", 9), of(Utility, flat(2))], Some(Utility), 1),
        Some(9)
    );
}

#[test]
fn a_line_holds_from_its_first_moment_to_just_before_its_last() {
    let at = |millis| Some(Timestamp::from_millis(NOW.as_millis() + millis));
    for (from, until, holds) in [
        (None, None, true),
        (at(0), None, true),
        (at(1), None, false),
        (None, at(1), true),
        (None, at(0), false),
        (at(-5), at(5), true),
    ] {
        let line = Price {
            valid_from: from,
            valid_until: until,
            ..flat(1)
        };
        assert_eq!(
            price(&[line], None, 1).is_some(),
            holds,
            "{from:?} to {until:?}"
        );
    }
}

#[test]
fn of_two_lines_alike_the_later_in_force_wins_then_the_first_in_the_book() {
    let since = |days, micros| Price {
        valid_from: Some(Timestamp::from_millis(
            NOW.as_millis() - Millis::days(days).get(),
        )),
        ..flat(micros)
    };
    assert_eq!(
        price(&[since(9, 1), since(2, 2), since(5, 3), flat(4)], None, 1),
        Some(2)
    );
    assert_eq!(price(&[flat(4), flat(5)], None, 1), Some(4));
}

#[test]
fn a_price_per_segment_counts_segments_and_one_per_message_does_not() {
    let by_message = [Price {
        unit: PriceUnit::Message,
        ..flat(35_000)
    }];
    for segments in [1, 2, 16] {
        assert_eq!(
            price(&[flat(35_000)], None, segments),
            Some(35_000 * i64::from(segments))
        );
        assert_eq!(price(&by_message, None, segments), Some(35_000));
    }
}

#[test]
fn the_quote_says_when_it_is_charged() {
    for charged_on in [ChargedOn::Submit, ChargedOn::Delivery] {
        let book = route(
            1,
            Channel::WhatsApp,
            None,
            vec![Price {
                charged_on,
                ..flat(7)
            }],
        );
        let quote = price_of(
            &book,
            &number(),
            None,
            Size::Segments(1),
            NOW,
            Volumes::NONE,
        );
        assert_eq!(
            quote,
            Some(Quote {
                amount: Micros(7),
                charged_on,
                line: Some(0),
            })
        );
    }
}

/// The least that the next message costs by this book, in micros, after so many segments of the month.
fn least(book: &[Price], segments: i64) -> i64 {
    let used = Use {
        segments,
        ..Use::NONE
    };
    let carried = Volumes {
        whole: used,
        named: &NamedVolumes::NONE,
    };
    least_price(&route(1, Channel::Sms, None, book.to_vec()), NOW, carried).0
}

#[test]
fn the_least_that_a_message_costs_is_that_of_the_cheapest_line_whatever_it_is_for() {
    use PriceCategory::Utility;
    assert_eq!(
        least(&[flat(5), prefix("+49", 3), of(Utility, flat(4))], 0),
        3
    );
    let with_media = |micros| Price {
        mms: Some(Micros(micros)),
        ..flat(5)
    };
    assert_eq!(least(&[with_media(9)], 0), 5);
    assert_eq!(least(&[with_media(2)], 0), 2);
}

#[test]
fn a_line_that_does_not_hold_now_is_no_part_of_the_least_price() {
    let at = |millis| Some(Timestamp::from_millis(NOW.as_millis() + millis));
    let over = Price {
        valid_until: at(0),
        ..flat(1)
    };
    let to_come = Price {
        valid_from: at(1),
        ..flat(2)
    };
    let last = Price {
        valid_until: at(1),
        ..flat(7)
    };
    assert_eq!(least(&[over.clone(), to_come.clone(), last], 0), 7);
    assert_eq!(
        least(&[over, to_come], 0),
        0,
        "what has no price is booked as free"
    );
}

#[test]
fn without_a_price_book_and_within_a_free_allowance_the_least_price_is_nothing() {
    assert_eq!(least(&[], 0), 0);
    let allowance = Price {
        tiers: Tiers::new([Tier {
            above: 10,
            amount: Micros(80),
        }]),
        ..flat(0)
    };
    for (segments, want) in [(0, 0), (9, 0), (10, 80), (11, 80)] {
        let least = least(std::slice::from_ref(&allowance), segments);
        assert_eq!(least, want, "after {segments}");
    }
}

#[test]
fn a_lower_price_at_a_volume_that_is_not_reached_is_not_the_least() {
    let cheaper_later = Price {
        tiers: Tiers::new([Tier {
            above: 10,
            amount: Micros(30),
        }]),
        ..flat(100)
    };
    for (segments, want) in [(0, 100), (9, 100), (10, 30)] {
        let least = least(std::slice::from_ref(&cheaper_later), segments);
        assert_eq!(least, want, "after {segments}");
    }
}

#[test]
fn the_smallest_message_is_that_of_the_cheapest_route_that_charges_anything() {
    let [free, dear, cheap] =
        [Vec::new(), vec![flat(9)], vec![flat(4)]].map(|book| route(1, Channel::Sms, None, book));
    let of = |routes: &[&Route]| smallest(routes.iter().map(|it| (*it, Volumes::NONE)), NOW);
    let spend = |micros| Use {
        spend: Micros(micros),
        ..SMALLEST
    };
    assert_eq!(of(&[&dear, &free, &cheap]), spend(4));
    assert_eq!(of(&[&dear]), spend(9));
    assert_eq!(of(&[&free]), SMALLEST);
    assert_eq!(of(&[]), SMALLEST);
}

proptest! {
    #[test]
    fn no_message_costs_less_than_the_least_price(
        prices in prop::collection::vec((0..9_i64, 0..9_i64, 1..20_i64, any::<bool>()), 1..4),
        segments in 0..30_i64,
        parts in 1..5_u16,
    ) {
        let line = |(amount, later, above, is_each): (i64, i64, i64, bool)| Price {
            tiers: Tiers::new([Tier { above, amount: Micros(later) }]),
            unit: if is_each { PriceUnit::Message } else { PriceUnit::Segment },
            ..flat(amount)
        };
        let book: Vec<_> = prices.into_iter().map(line).collect();
        let used = Use { segments, messages: segments, spend: Micros::ZERO };
        let used = Volumes { whole: used, named: &NamedVolumes::NONE };
        let route = route(1, Channel::Sms, None, book);
        let cost = price_of(&route, &number(), None, Size::Segments(parts), NOW, used);
        let cost = cost.expect("each line fits").amount;
        prop_assert!(least_price(&route, NOW, used) <= cost);
    }

    #[test]
    fn the_order_of_different_lines_in_the_book_does_not_matter(
        kept in prop::collection::vec(any::<bool>(), 8),
        seed in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
        category in prop::option::of(Just(PriceCategory::Utility)),
    ) {
        use PriceCategory::Utility;
        let lines = [
            flat(1), of(Utility, flat(2)), country("RO", 3), of(Utility, country("RO", 4)),
            prefix("+40", 5), of(Utility, prefix("+40", 6)), prefix("+4072", 7), prefix("+49", 8),
        ];
        let pick = |order: &mut dyn Iterator<Item = usize>| -> Vec<Price> {
            order.filter(|it| kept[*it]).map(|it| lines[it].clone()).collect()
        };
        let (sorted, shuffled) = (pick(&mut (0..8)), pick(&mut seed.into_iter()));
        prop_assert_eq!(price(&sorted, category, 1), price(&shuffled, category, 1));
    }
}
