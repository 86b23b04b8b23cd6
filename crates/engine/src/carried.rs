//! What do the named volumes of each route's price book hold this month, as the plans see it
//! (R-COST-1)? Kept ready to be handed out, since every message that is planned asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{RouteKey, VolumeKey};
use domain::model::quota::{Meter, MeterOf, Periods, Use};
use domain::model::tariff::NamedVolumes;
use domain::rules::quota::turned;
use domain::time::Timestamp;
use parking_lot::RwLock;

/// The volumes of every route that has any.
#[derive(Debug, Default)]
pub(crate) struct Carried(RwLock<BTreeMap<RouteKey, OfRoute>>);

/// The volumes of one route in one month.
#[derive(Debug, Default)]
struct OfRoute {
    /// When the month began.
    month: Timestamp,
    /// In the order of their keys.
    named: Arc<Vec<(VolumeKey, Use)>>,
}

impl Carried {
    /// What a route's volumes hold in the month that began then.
    pub(crate) fn of(&self, route: RouteKey, month: Timestamp) -> NamedVolumes {
        let routes = self.0.read();
        let found = routes.get(&route).filter(|it| it.month == month);
        found.map_or_else(NamedVolumes::default, |it| {
            NamedVolumes::new(Arc::clone(&it.named))
        })
    }

    /// Counts what is planned, until the store tells.
    pub(crate) fn add(&self, route: RouteKey, volume: VolumeKey, need: Use, month: Timestamp) {
        let mut routes = self.0.write();
        let of_route = routes.entry(route).or_default();
        if of_route.month != month {
            *of_route = OfRoute {
                month,
                ..OfRoute::default()
            };
        }
        let named = Arc::make_mut(&mut of_route.named);
        match named.binary_search_by_key(&volume, |it| it.0) {
            Ok(place) => named[place].1 = named[place].1.plus(need),
            Err(place) => named.insert(place, (volume, need)),
        }
    }

    /// Goes by what the store says from here on.
    pub(crate) fn read_anew(&self, meters: &BTreeMap<MeterOf, Meter>) {
        let mut routes: BTreeMap<RouteKey, OfRoute> = BTreeMap::new();
        for (of, meter) in meters {
            let MeterOf::Volume(route, volume) = *of else {
                continue;
            };
            let of_route = routes.entry(route).or_default();
            // What is from an earlier month than others holds nothing any more.
            if of_route.month < meter.month.began {
                *of_route = OfRoute {
                    month: meter.month.began,
                    ..OfRoute::default()
                };
            }
            if of_route.month == meter.month.began {
                let named = Arc::make_mut(&mut of_route.named);
                named.push((volume, meter.month.used()));
            }
        }
        *self.0.write() = routes;
    }
}

/// What the meters say of a route's volumes, without what is only planned since.
pub(crate) fn kept(
    route: RouteKey,
    meters: &BTreeMap<MeterOf, Meter>,
    periods: &Periods,
) -> NamedVolumes {
    let volume = |key| MeterOf::Volume(route, VolumeKey(key));
    let of_route = meters.range(volume(u32::MIN)..=volume(u32::MAX));
    let named = of_route.filter_map(|(of, meter)| match *of {
        MeterOf::Volume(_, volume) => Some((volume, turned(*meter, periods).month.used())),
        MeterOf::Route(_) | MeterOf::Project(_) => None,
    });
    NamedVolumes::new(Arc::new(named.collect()))
}

#[cfg(test)]
mod tests {
    use domain::model::quota::Span;

    use super::*;

    const ROUTE: RouteKey = RouteKey(1);
    const MONTH: Timestamp = Timestamp::from_millis(1_000);
    const NEXT: Timestamp = Timestamp::from_millis(2_000);

    fn messages(messages: i64) -> Use {
        Use {
            messages,
            ..Use::NONE
        }
    }

    fn meter(began: Timestamp, used: i64) -> Meter {
        Meter {
            month: Span {
                began,
                settled: messages(used),
                ..Span::default()
            },
            ..Meter::default()
        }
    }

    fn count(carried: &Carried, volume: u32, month: Timestamp) -> i64 {
        let named = carried.of(ROUTE, month);
        named.of(VolumeKey(volume)).messages
    }

    #[test]
    fn what_is_planned_counts_on_until_the_store_tells() {
        let carried = Carried::default();
        for volume in [7, 3, 7] {
            carried.add(ROUTE, VolumeKey(volume), messages(2), MONTH);
        }
        assert_eq!(count(&carried, 7, MONTH), 4);
        assert_eq!(count(&carried, 3, MONTH), 2);
        assert_eq!(count(&carried, 5, MONTH), 0);
        let meters = [
            (MeterOf::Route(ROUTE), meter(MONTH, 99)),
            (MeterOf::Volume(ROUTE, VolumeKey(3)), meter(MONTH, 1)),
            (MeterOf::Volume(RouteKey(2), VolumeKey(7)), meter(MONTH, 50)),
        ];
        carried.read_anew(&meters.into());
        assert_eq!(count(&carried, 3, MONTH), 1);
        assert_eq!(count(&carried, 7, MONTH), 0);
    }

    #[test]
    fn a_month_that_is_over_holds_nothing() {
        let carried = Carried::default();
        let meters = [
            (MeterOf::Volume(ROUTE, VolumeKey(3)), meter(MONTH, 5)),
            (MeterOf::Volume(ROUTE, VolumeKey(4)), meter(NEXT, 6)),
            (MeterOf::Volume(ROUTE, VolumeKey(5)), meter(MONTH, 7)),
        ];
        carried.read_anew(&meters.into());
        let counts = [3, 4, 5].map(|it| count(&carried, it, NEXT));
        assert_eq!(counts, [0, 6, 0]);
        assert_eq!(count(&carried, 4, MONTH), 0);
        carried.add(ROUTE, VolumeKey(4), messages(1), MONTH);
        assert_eq!(count(&carried, 4, MONTH), 1);
    }
}
