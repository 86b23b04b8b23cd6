//! What is configured in this run? Routes of every class with quotas and prices, a project's settings,
//! and how rough the weather is; all of it drawn from the seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{ProjectKey, RouteKey, SenderKey, VolumeKey};
use domain::model::channel::Channel;
use domain::model::consent::KeywordPolicy;
use domain::model::money::Micros;
use domain::model::policy::{Overflow, Policy, ValidityPolicy};
use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};
use domain::model::route::{
    ChargedOn, Destinations, OnUnknown, Price, PriceScope, PriceUnit, Route, RouteClass,
    UnknownWait,
};
use domain::model::sender::{Origin, Sender};
use domain::model::tariff::{Tier, Tiers};
use domain::time::{Millis, Timestamp};
use engine::topology::{Project, Topology};
use jiff::tz::TimeZone;

use crate::dice::Dice;

pub(crate) const PROJECT: ProjectKey = ProjectKey(1);
pub(crate) const SENDER: SenderKey = SenderKey(1);
/// Our address.
pub(crate) const ADDRESS: &str = "+40700000001";

/// How rough a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is drawn for itself, in any combination"
)]
pub(crate) struct Weather {
    /// Answers get lost, and links with submissions under way.
    pub(crate) doubts: bool,
    /// The process dies, with or without notice.
    pub(crate) crashes: bool,
    /// The disk has no room for a moment.
    pub(crate) full_disk: bool,
    /// Long pauses in between, over which clocks and periods turn.
    pub(crate) long_pauses: bool,
    /// Everything is kept in a file of the real store; else in its model in memory.
    pub(crate) sqlite: bool,
    /// The longest that an operation waits for its commit.
    pub(crate) commit_millis: i64,
    /// Percent of questions to the store that take a while.
    pub(crate) slow_questions: u64,
}

/// How a provider behaves, in percent of submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Temper {
    pub(crate) refuses: u64,
    pub(crate) throttles: u64,
    pub(crate) rejects: u64,
    /// The answer says that nobody knows.
    pub(crate) loses_answers: u64,
    /// No answer comes, until the connector's patience ends.
    pub(crate) is_silent: u64,
    pub(crate) takes_parts: u64,
    pub(crate) gives_back: u64,
    /// Of taken ones: will not arrive.
    pub(crate) fails: u64,
    /// Of taken ones: nothing more is heard.
    pub(crate) forgets: u64,
    /// Of receipts: come again.
    pub(crate) repeats: u64,
    /// Of receipts: before the answer.
    pub(crate) hurries: u64,
    /// Of receipts: hours later.
    pub(crate) dawdles: u64,
    /// Of final receipts: the other word follows.
    pub(crate) contradicts: u64,
    /// Receipts have our reference.
    pub(crate) names_ours: bool,
    /// It takes a long message whole, under one name.
    pub(crate) takes_whole: bool,
    pub(crate) window: u16,
    pub(crate) slowest_answer: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Scenery {
    pub(crate) routes: Vec<Route>,
    pub(crate) tempers: BTreeMap<RouteKey, Temper>,
    pub(crate) policy: Policy,
    pub(crate) fallback_after: Option<Millis>,
    pub(crate) weather: Weather,
    pub(crate) begins: Timestamp,
}

impl Scenery {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let weather = weather(&mut dice);
        let sms = dice.between(2, 4);
        let mut routes: Vec<_> = (1..=sms).map(|no| sms_route(no, &mut dice)).collect();
        routes.push(whatsapp_route(sms + 1, &mut dice));
        let temper = |route: &Route| {
            let number = u64::from(route.key.0);
            (
                route.key,
                temper(weather, &mut Dice::new(seed, 100 + number)),
            )
        };
        let tempers = routes.iter().map(temper).collect();
        Self {
            tempers,
            policy: policy(&mut dice),
            fallback_after: dice
                .chance(20)
                .then(|| Millis::seconds(dice.between(10, 120))),
            begins: beginning(&mut dice),
            routes,
            weather,
        }
    }

    pub(crate) fn topology(&self) -> Topology {
        let project = Project {
            key: PROJECT,
            id: "main".into(),
            name: "Main".into(),
            policy: self.policy.clone(),
            idempotency_replay: false,
        };
        let sender = Sender {
            key: SENDER,
            id: "support".into(),
            project: PROJECT,
            name: "Support".into(),
            address: ADDRESS.into(),
            is_default: true,
            routes: self.routes.iter().map(|it| it.key).collect(),
            default_template: None,
            fallback_after: self.fallback_after,
            keywords: KeywordPolicy::default(),
            origin: Origin::File,
            created_at: self.begins,
            updated_at: self.begins,
        };
        Topology::new([project], [sender], self.routes.clone())
    }

    /// The route of this key; `None` for a person's phone.
    pub(crate) fn route(&self, key: RouteKey) -> Option<&Route> {
        self.routes.iter().find(|it| it.key == key)
    }

    /// What is configured, in a few words for the reader of a history.
    pub(crate) fn words(&self) -> Vec<String> {
        let zone = self.policy.timezone.iana_name().unwrap_or("?");
        let mut words = vec![
            format!("{:?}", self.weather),
            format!(
                "zone {zone}, validity {:?}, overflow {:?}, project quotas {:?}, fallbackAfter {:?}",
                self.policy.validity,
                self.policy.overflow,
                self.policy.quotas.all(),
                self.fallback_after
            ),
        ];
        for route in &self.routes {
            words.push(format!(
                "{}: {:?} {:?}, {:?} a second, quotas {:?}, {:?}, unknown: {:?} {:?}, receipts {}, {:?}",
                route.id,
                route.channel,
                route.class,
                route.throughput,
                route.quotas.all(),
                route.prices,
                route.on_unknown,
                route.unknown_wait,
                route.receipts,
                self.tempers[&route.key],
            ));
        }
        words
    }
}

fn weather(dice: &mut Dice) -> Weather {
    let sqlite = dice.chance(20);
    Weather {
        doubts: dice.chance(60),
        crashes: dice.chance(50),
        full_disk: dice.chance(15),
        long_pauses: dice.chance(40),
        sqlite,
        commit_millis: dice.pick(&[0, 3, 3, 20, 200]),
        slow_questions: dice.pick(&[0, 0, 10, 40]),
    }
}

/// A time shortly before something turns: an hour, a day, or the clocks.
fn beginning(dice: &mut Dice) -> Timestamp {
    const TURNS: [i64; 6] = [
        1_800_000_000_000, // nothing but an hour, perhaps
        1_806_195_600_000, // 2027-03-28 01:00 UTC: clocks go forward in Europe
        1_824_944_400_000, // 2027-10-31 01:00 UTC: and back
        1_793_512_800_000, // 2026-11-01 06:00 UTC: back in New York
        1_798_761_600_000, // 2027-01-01 00:00 UTC
        1_803_848_400_000, // 2027-02-28 23:00 UTC
    ];
    let turn = Timestamp::from_millis(dice.pick(&TURNS));
    turn.plus(Millis::new(-dice.between(0, 20 * 60_000)))
}

fn policy(dice: &mut Dice) -> Policy {
    let zones = [
        "UTC",
        "Europe/Bucharest",
        "America/New_York",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
    ];
    let spans = [
        Millis::minutes(2),
        Millis::minutes(10),
        Millis::hours(1),
        Millis::hours(48),
    ];
    Policy {
        timezone: TimeZone::get(dice.pick(&zones)).unwrap(),
        quotas: if dice.chance(20) {
            quotas(dice, 3)
        } else {
            Quotas::NONE
        },
        bulk_recipients: 100,
        overflow: Overflow {
            direct_to_platform: dice.chance(80),
            bulk_to_gateway: dice.chance(80),
            reserve_direct_percent: dice.pick(&[0, 25, 50, 50, 100]),
        },
        validity: ValidityPolicy {
            direct: dice.pick(&spans),
            bulk: dice.pick(&spans),
        },
        ..Policy::default()
    }
}

fn quotas(dice: &mut Dice, times: i64) -> Quotas {
    let count = dice.between(1, 2);
    Quotas::new((0..count).map(|_| {
        let per = dice.pick(&[Period::Hour, Period::Hour, Period::Day]);
        let unit = dice.pick(&[QuotaUnit::Messages, QuotaUnit::Segments, QuotaUnit::Spend]);
        let units = times * dice.between(3, 20);
        let limit = match unit {
            QuotaUnit::Messages => units,
            QuotaUnit::Segments => units * 3 / 2,
            QuotaUnit::Spend => units * 40_000,
        };
        Quota { per, unit, limit }
    }))
}

fn price(dice: &mut Dice, amount: i64) -> Price {
    let tiers = if dice.chance(20) {
        Tiers::new([Tier {
            above: dice.between(3, 12),
            amount: Micros(amount / 2),
        }])
    } else {
        Tiers::NONE
    };
    Price {
        scope: PriceScope::Any,
        category: None,
        amount: Micros(if dice.chance(10) { 0 } else { amount }),
        tiers,
        volume: dice.chance(30).then(|| VolumeKey::of("a")),
        mms: None,
        unit: dice.pick(&[PriceUnit::Segment, PriceUnit::Segment, PriceUnit::Message]),
        charged_on: dice.pick(&[ChargedOn::Submit, ChargedOn::Submit, ChargedOn::Delivery]),
        valid_from: None,
        valid_until: None,
    }
}

fn sms_route(no: i64, dice: &mut Dice) -> Route {
    let class = match no {
        1 => Some(RouteClass::Gateway),
        2 => Some(RouteClass::Platform),
        _ => dice.pick(&[
            None,
            Some(RouteClass::Phone),
            Some(RouteClass::Phone),
            Some(RouteClass::Gateway),
            Some(RouteClass::Platform),
        ]),
    };
    let amount = dice.between(20, 60) * 1_000;
    let route = Route {
        channel: Channel::Sms,
        class,
        receipts: dice.chance(90),
        quotas: if dice.chance(50) {
            quotas(dice, 1)
        } else {
            Quotas::NONE
        },
        ..plain_route(no, amount, dice)
    };
    let mut destinations = Destinations::default();
    if dice.chance(15) {
        destinations.deny.push("+44".into());
    }
    Route {
        destinations,
        ..route
    }
}

fn whatsapp_route(no: i64, dice: &mut Dice) -> Route {
    Route {
        channel: Channel::WhatsApp,
        class: Some(RouteClass::Gateway),
        quotas: if dice.chance(20) {
            quotas(dice, 1)
        } else {
            Quotas::NONE
        },
        ..plain_route(no, 10_000, dice)
    }
}

fn plain_route(no: i64, amount: i64, dice: &mut Dice) -> Route {
    Route {
        key: RouteKey(u32::try_from(no).unwrap()),
        id: Arc::from(format!("route{no}")),
        project: PROJECT,
        channel: Channel::Sms,
        class: None,
        simulator: false,
        receipts: true,
        answers_stop: dice.chance(10),
        mms: false,
        throughput: dice.pick(&[None, None, Some(1), Some(5), Some(20)]),
        destinations: Destinations::default(),
        prices: vec![price(dice, amount)],
        quotas: Quotas::NONE,
        on_unknown: dice.pick(&[OnUnknown::Resend, OnUnknown::Resend, OnUnknown::Fail]),
        unknown_wait: UnknownWait {
            direct: Millis::seconds(dice.pick(&[5, 30, 30])),
            bulk: Millis::seconds(dice.pick(&[5, 60, 600])),
        },
    }
}

fn temper(weather: Weather, dice: &mut Dice) -> Temper {
    let rough = dice.chance(60);
    let doubt = |percent| if weather.doubts { percent } else { 0 };
    let trouble = |percent| if rough { percent } else { 0 };
    Temper {
        refuses: trouble(dice.pick(&[0, 5, 20])),
        throttles: trouble(dice.pick(&[0, 5, 20])),
        rejects: trouble(dice.pick(&[0, 5, 15])),
        loses_answers: doubt(dice.pick(&[0, 5, 20])),
        is_silent: doubt(dice.pick(&[0, 0, 3])),
        takes_parts: trouble(dice.pick(&[0, 10, 30])),
        gives_back: trouble(dice.pick(&[0, 5, 10])),
        fails: dice.pick(&[2, 10, 30]),
        forgets: dice.pick(&[0, 5, 15]),
        repeats: dice.pick(&[0, 10, 30]),
        hurries: dice.pick(&[0, 10, 40]),
        dawdles: dice.pick(&[0, 5, 15]),
        contradicts: dice.pick(&[0, 0, 10]),
        names_ours: dice.chance(30),
        takes_whole: dice.chance(30),
        window: dice.pick(&[1, 2, 5, 10, 50]),
        slowest_answer: dice.pick(&[20, 200, 2_000]),
    }
}
