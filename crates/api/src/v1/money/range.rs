//! Which sums are asked for: the time, and by what they are kept apart.

use domain::ids::{CampaignKey, RouteKey, SenderKey};
use domain::model::channel::Channel;
use domain::model::message::TrafficClass;
use domain::phone::CountryCode;
use domain::time::{Millis, Timestamp};
use engine::topology::{Project, Topology};
use jiff::tz::TimeZone;
use ports::store::books::{TallyFilter, TallyGroups};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::{IntoParams, PartialSchema};

use crate::error::ApiError;
use crate::json;
use crate::page::{Params, Query};

/// What is asked for where nobody says: the last 30 days.
const USUAL: Millis = Millis::days(30);
/// Longest time by the hour: a month.
const MOST_BY_HOUR: Millis = Millis::days(31);
/// Longest time otherwise: a year, and the month that it is compared with.
const MOST: Millis = Millis::days(400);
/// Most sums that are read for one answer; days are added up from hours.
pub(crate) const MOST_READ: u32 = 50_000;
/// Most items of one answer.
pub(crate) const MOST_ITEMS: usize = 5_000;

/// What may be asked for, in words.
const PARAMETERS: [(&str, &str); 9] = [
    (
        "from",
        "RFC 3339 time, or a date in the project's time zone; 30 days before `until` otherwise",
    ),
    (
        "until",
        "The same; now otherwise. At most 400 days after `from`, 31 by the hour",
    ),
    (
        "by",
        "Kept apart by these, with commas between: `day` or `hour`, `channel`, `route`, `sender`, `country`, `class`, `campaign`",
    ),
    (
        "channel",
        "Of this channel only: of its routes that stand in the configuration, also switched off",
    ),
    (
        "route",
        "Of this route only, also of one that is not configured any more",
    ),
    ("sender", "Of this sender only"),
    ("country", "Of this country only"),
    ("class", "Of `direct` or of `bulk` traffic only"),
    ("campaign", "Of this campaign only"),
];

/// By which time the sums are kept apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// One sum for the whole time.
    Whole,
    /// One for each hour, UTC.
    Hour,
    /// One for each day of the project's time zone.
    Day,
}

/// What is asked for.
pub(crate) struct Range {
    /// Of the store.
    pub(crate) filter: TallyFilter,
    /// By which time.
    pub(crate) step: Step,
    /// Of this channel only; the store knows routes, and a route has one.
    pub(crate) channel: Option<Channel>,
    /// Whether sums are kept apart by channel, and by route.
    pub(crate) by: ByRoute,
}

/// What sums are kept apart by, of what their route says.
#[derive(Clone, Copy, Default)]
pub(crate) struct ByRoute {
    /// By the channel of the route.
    pub(crate) channel: bool,
    /// By the route itself.
    pub(crate) route: bool,
}

impl IntoParams for Range {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |(name, words): (&str, &str)| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .description(Some(words))
                .required(Required::False)
                .schema(Some(String::schema()))
                .build()
        };
        PARAMETERS.map(parameter).into()
    }
}

impl Range {
    /// Reads [`PARAMETERS`]. `campaigns`: those of the project.
    pub(crate) fn read(
        query: Query,
        project: &Project,
        topology: &Topology,
        campaigns: &[(CampaignKey, Box<str>)],
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        const TIME: &str = "must be an RFC 3339 time, such as 2026-11-22T10:00:00Z, or a date, such as 2026-11-22, in the project's time zone";
        let mut params = Params::new(query)?;
        for (name, _) in PARAMETERS {
            // A variable that was not set in a script must not ask for all there is.
            if params.given(name) == Some("") {
                params.wrong(name, "is empty; leave it out where it is not meant");
            }
        }
        let zone = &project.policy.timezone;
        let (mut groups, by, step) = by(&mut params);
        let until = params.read("until", TIME, |it| moment(it, zone));
        let from = params.read("from", TIME, |it| moment(it, zone));
        // The hour that goes on begins before now.
        let until = until.unwrap_or(now.plus(Millis::new(1)));
        let from = from.unwrap_or_else(|| until.plus(Millis::new(-USUAL.get())));
        let most = if step == Step::Hour {
            MOST_BY_HOUR
        } else {
            MOST
        };
        if from >= until {
            params.wrong("until", "must be later than `from`");
        } else if until.as_millis().saturating_sub(from.as_millis()) > most.get() {
            let days = most.get() / Millis::days(1).get();
            params.wrong(
                "from",
                format!("must be at most {days} days before `until`"),
            );
        }
        let route: Option<RouteKey> = params.read("route", "is not a route of the project", |it| {
            topology.route_of_history(project.key, it)
        });
        let sender: Option<SenderKey> =
            params.read("sender", "is not a sender of the project", |it| {
                topology.sender_by_id(project.key, it).map(|it| it.key)
            });
        let country = params.get("country").map(CountryCode::with_numbers);
        if let Some(Err(why)) = country {
            params.wrong("country", why.to_string());
        }
        let country = country.and_then(Result::ok);
        let class = params.read("class", "must be direct or bulk", TrafficClass::from_code);
        let channel = params.read("channel", &channels(), Channel::from_code);
        groups.route = by.route || by.channel || channel.is_some();
        let campaign = params.read("campaign", "is not a campaign of the project", |name| {
            let found = campaigns.iter().find(|it| *it.1 == *name.trim());
            found.map(|it| it.0)
        });
        params.done()?;
        Ok(Self {
            filter: TallyFilter {
                project: project.key,
                from,
                until,
                route,
                sender,
                country,
                class,
                campaign,
                by: groups,
                limit: MOST_READ + 1,
            },
            step,
            channel,
            by,
        })
    }
}

/// The `by`: words with commas between.
fn by(params: &mut Params) -> (TallyGroups, ByRoute, Step) {
    let mut groups = TallyGroups::default();
    let mut by_route = ByRoute::default();
    let mut step = Step::Whole;
    let words: Vec<String> = params
        .get("by")
        .into_iter()
        .flat_map(|it| it.split(','))
        .map(|it| it.trim().to_owned())
        .collect();
    for word in words {
        let asked = match word.as_str() {
            "hour" if step != Step::Day => Some(Step::Hour),
            "day" if step != Step::Hour => Some(Step::Day),
            "hour" | "day" => {
                params.wrong("by", "may have `hour` or `day`, not both");
                continue;
            }
            _ => None,
        };
        match word.as_str() {
            "hour" | "day" => {
                step = asked.unwrap_or(step);
                groups.hour = true;
            }
            "channel" => by_route.channel = true,
            "route" => by_route.route = true,
            "sender" => groups.sender = true,
            "country" => groups.country = true,
            "class" => groups.class = true,
            "campaign" => groups.campaign = true,
            _ => params.wrong(
                "by",
                "must be words with commas between, of day, hour, channel, route, sender, country, class and campaign",
            ),
        }
    }
    (groups, by_route, step)
}

/// What is wrong with a channel that is none.
fn channels() -> String {
    format!(
        "must be one of {}",
        Channel::ALL.map(Channel::code).join(", ")
    )
}

/// A time, or the beginning of a day in this zone.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    // A plus that was not escaped arrives as a blank.
    json::timestamp(text)
        .or_else(|| json::timestamp(&text.replace(' ', "+")))
        .or_else(|| {
            let date: jiff::civil::Date = text.parse().ok()?;
            let began = date.to_zoned(zone.clone()).ok()?;
            Some(Timestamp::from_millis(began.timestamp().as_millisecond()))
        })
}

/// The day of the zone in which an hour begins.
pub(crate) fn day(hour: Timestamp, zone: &TimeZone) -> Option<jiff::civil::Date> {
    let at = jiff::Timestamp::from_millisecond(hour.as_millis()).ok()?;
    Some(at.to_zoned(zone.clone()).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_belongs_to_the_day_in_which_it_begins_also_where_clocks_differ_by_half_an_hour() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        for (hour, want) in [
            ("2026-11-21T17:00:00Z", "2026-11-21"),
            // 23:30 to 0:30 by the local clock.
            ("2026-11-21T18:00:00Z", "2026-11-21"),
            ("2026-11-21T19:00:00Z", "2026-11-22"),
        ] {
            let day = day(json::timestamp(hour).unwrap(), &zone).unwrap();
            assert_eq!(day.to_string(), want, "{hour}");
        }
    }

    #[test]
    fn a_date_is_the_beginning_of_the_day_in_the_projects_zone() {
        let zone = TimeZone::get("Europe/Bucharest").unwrap();
        let want = json::timestamp("2026-11-21T22:00:00Z");
        assert_eq!(moment("2026-11-22", &zone), want);
        assert_eq!(moment("2026-11-22T00:00:00 02:00", &zone), want);
        assert_eq!(moment("yesterday", &zone), None);
    }
}
