//! How is a `[[route]]` read?

use domain::model::channel::Channel;
use domain::model::money::Currency;
use domain::model::quota::Quotas;
use domain::model::route::{Destinations, OnUnknown, Price, RouteClass, UnknownWait};
use domain::time::Millis;
use jiff::tz::TimeZone;

use super::model::{Project, Provider, Route};
use super::reader::{Field, Surroundings, Table, quoted};
use super::unpriced::{self, Priced};
use super::{email, http, price, simulator, smpp, smsgate, telegram, twilio, values, whatsapp};

/// Channels that are known and not built yet.
const CHANNELS_LATER: [&str; 5] = ["instagram", "messenger", "rcs", "viber", "voice"];
/// Settings of capabilities that are not built yet.
const LATER: [&str; 4] = ["alert", "alerts", "quiet_hours", "webhook"];

/// The kinds of connections; each has a table of its own name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Smpp,
    WhatsApp,
    Twilio,
    Http,
    Telegram,
    Email,
    SmsGate,
    Simulator,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Smpp,
        Self::WhatsApp,
        Self::Twilio,
        Self::Http,
        Self::Telegram,
        Self::Email,
        Self::SmsGate,
        Self::Simulator,
    ];

    /// The word of the configuration.
    const fn code(self) -> &'static str {
        match self {
            Self::Smpp => "smpp",
            Self::WhatsApp => "whatsapp",
            Self::Twilio => "twilio",
            Self::Http => "http",
            Self::Telegram => "telegram",
            Self::Email => "email",
            Self::SmsGate => "smsgate",
            Self::Simulator => "simulator",
        }
    }

    /// The channels that it carries.
    const fn channels(self) -> &'static [Channel] {
        match self {
            Self::Smpp | Self::SmsGate => &[Channel::Sms],
            Self::WhatsApp => &[Channel::WhatsApp],
            Self::Twilio | Self::Http => &[Channel::Sms, Channel::WhatsApp],
            Self::Telegram => &[Channel::Telegram],
            Self::Email => &[Channel::Email],
            Self::Simulator => &Channel::ALL,
        }
    }

    /// Whether the provider ever says more than that it took a message.
    const fn gives_receipts(self) -> bool {
        match self {
            Self::Smpp
            | Self::WhatsApp
            | Self::Twilio
            | Self::Http
            | Self::SmsGate
            | Self::Simulator => true,
            Self::Telegram | Self::Email => false,
        }
    }

    /// What must stand in its table; `None` where the table may be left out.
    const fn needs(self) -> Option<&'static str> {
        match self {
            Self::Smpp => Some("a table with host, system_id and password"),
            Self::WhatsApp => {
                Some("a table with phone_number_id, access_token, app_secret and verify_token")
            }
            Self::Twilio => Some("a table with account_sid and auth_token"),
            Self::Http => Some("a table with a preset and its settings, or a description"),
            Self::Telegram => Some("a table with bot_token"),
            Self::Email => Some("a table with host and from"),
            Self::SmsGate | Self::Simulator => None,
        }
    }
}

/// Reads one route of one of these projects; `None` when too little of it is usable.
pub(super) fn read(
    place: Field<'_>,
    projects: &[Project],
    surroundings: Surroundings<'_>,
) -> Option<Route> {
    let mut table = place.clone().table()?;
    let id = table.require("id", values::ID_WORDS).and_then(Field::id);
    let project = super::checks::project_of(&mut table, projects);
    let channel = table
        .require("channel", &quoted(&Channel::ALL.map(Channel::code)))
        .and_then(|field| field.choice(&Channel::ALL.map(|it| (it.code(), it)), &CHANNELS_LATER));
    let written_class = table.get("class");
    let class = written_class.clone().and_then(|field| {
        let all = [RouteClass::Gateway, RouteClass::Platform, RouteClass::Phone];
        field.choice(&all.map(|it| (it.code(), it)), &[])
    });
    let enabled = table.or("enabled", true, Field::flag);
    let throughput = table
        .get("throughput")
        .and_then(|field| field.whole(1..=1_000_000));
    let zone = project
        .and_then(|it| TimeZone::get(&it.timezone).ok())
        .unwrap_or(TimeZone::UTC);
    let currency = project.map(|it| it.policy.currency);
    let mms_field = table.get("mms");
    let mms = mms_field.clone().and_then(Field::flag).unwrap_or(false);
    let book = price::Book {
        project,
        zone: &zone,
        mms,
    };
    let price_field = table.get("prices");
    let prices = price_field
        .clone()
        .map(|field| price::read(field, &book, surroundings));
    // A list that cannot be read is told as such.
    let are_read = !matches!(prices, Some(None));
    let prices = prices.flatten().unwrap_or_default();
    let quota_field = table.get("quota");
    let quotas = quota_field
        .clone()
        .and_then(super::quota::read)
        .unwrap_or(Quotas::NONE);
    let destinations = table.or("destinations", Destinations::default(), destinations);
    let receipts = table.get("receipts");
    let answers_stop = table.get("answers_stop").and_then(Field::flag);
    let on_unknown = table.or("on_unknown", OnUnknown::Resend, |field| {
        field.choice(
            &[("resend", OnUnknown::Resend), ("fail", OnUnknown::Fail)],
            &[],
        )
    });
    let written_wait = table.get("unknown_wait");
    let unknown_wait = written_wait.clone().and_then(unknown_wait);
    let kind = kind(&mut table);
    let class = if kind == Some(Kind::SmsGate) {
        class_of_phones(written_class, class);
        Some(RouteClass::Phone)
    } else {
        class
    };
    let receipts = receipts_of(receipts, kind);
    let provider = provider(
        &mut table,
        kind,
        Carries {
            channel,
            mms,
            receipts,
            currency,
        },
        surroundings,
    );
    if let Some(field) = mms_field.filter(|_| mms) {
        check_mms(&field, channel, kind, provider.as_ref(), &prices);
    }
    if enabled && are_read {
        let priced = Priced {
            place,
            quota: quota_field,
            prices: price_field,
            project,
            channel,
            costs_nothing: matches!(kind, Some(Kind::Simulator | Kind::SmsGate)),
        };
        unpriced::warn(&priced, &prices, &quotas, &destinations, surroundings.now);
    }
    let unknown_wait = match &provider {
        Some(Provider::SmsGate(phones)) => {
            wait_for_phones(written_wait, unknown_wait, phones.settled_after())
        }
        Some(_) | None => unknown_wait.unwrap_or_default(),
    };
    table.later(&LATER);
    table.finish();

    // Twilio answers the usual words on text messages unless its account says otherwise.
    let by_itself = channel == Some(Channel::Sms)
        && matches!(&provider, Some(Provider::Twilio(it)) if it.auto_replies_to_stop);
    Some(Route {
        id: id?.to_owned(),
        project: project?.id.clone(),
        channel: channel?,
        class,
        enabled,
        throughput,
        prices,
        quotas,
        destinations,
        receipts,
        answers_stop: answers_stop.unwrap_or(by_itself),
        mms,
        on_unknown,
        unknown_wait,
        provider: provider?,
    })
}

/// Phones carry what nothing else can (R-ROUTE-3): their route is of class `phone`.
fn class_of_phones(written: Option<Field<'_>>, class: Option<RouteClass>) {
    if let (Some(field), Some(RouteClass::Gateway | RouteClass::Platform)) = (written, class) {
        field.error("a route with phones is of class \"phone\"; leave it out");
    }
}

/// What a phone may still send must not be sent again (R-PHONE-3): its outcome stays open for as
/// long as that.
fn wait_for_phones(
    written: Option<Field<'_>>,
    wait: Option<UnknownWait>,
    settled_after: Millis,
) -> UnknownWait {
    let least = UnknownWait {
        direct: settled_after,
        bulk: settled_after,
    };
    let Some(wait) = wait else { return least };
    if let Some(field) = written
        && wait.direct.min(wait.bulk) < settled_after
    {
        let span = values::show_span(settled_after);
        field.error(format!(
            "must be at least {span}: a phone may send what it holds for so long; \
             make \"hold\" shorter, or leave it out"
        ));
    }
    wait
}

/// The kind of the connection.
fn kind(table: &mut Table<'_>) -> Option<Kind> {
    let words = Kind::ALL.map(|it| (it.code(), it));
    table
        .require("provider", &quoted(&Kind::ALL.map(Kind::code)))
        .and_then(|field| field.choice(&words, &[]))
}

/// Whether the route gives receipts: as its provider does, unless the file says that it does not.
fn receipts_of(written: Option<Field<'_>>, kind: Option<Kind>) -> bool {
    let can = kind.is_none_or(Kind::gives_receipts);
    let Some(field) = written else { return can };
    let place = field.clone();
    let receipts = field.flag().unwrap_or(can);
    if receipts && !can {
        place.error("this provider never says whether a message arrived; leave it out");
    }
    receipts && can
}

/// What a route says of itself that its provider has to know.
#[derive(Clone, Copy)]
struct Carries {
    channel: Option<Channel>,
    mms: bool,
    receipts: bool,
    currency: Option<Currency>,
}

fn provider(
    table: &mut Table<'_>,
    kind: Option<Kind>,
    carries: Carries,
    surroundings: Surroundings<'_>,
) -> Option<Provider> {
    let Carries {
        channel,
        mms,
        receipts,
        currency,
    } = carries;
    let mut settings = None;
    for its_kind in Kind::ALL {
        match (table.get(its_kind.code()), kind) {
            (Some(field), Some(kind)) if kind == its_kind => settings = Some(field),
            (Some(field), Some(_)) => field.error(
                "belongs to another provider than the one of this route; remove one of them",
            ),
            (Some(_), None) | (None, _) => {}
        }
    }
    let kind = kind?;
    if channel.is_some_and(|it| !kind.channels().contains(&it)) {
        let channels: Vec<_> = kind.channels().iter().map(|it| it.code()).collect();
        let what = format!("\"{}\" carries {} only", kind.code(), carried(&channels));
        table.error("provider", what);
    }
    if let (None, Some(needs)) = (&settings, kind.needs()) {
        table.require(kind.code(), needs);
    }
    if kind == Kind::Simulator {
        let settings = settings.and_then(Field::table);
        let config = simulator::read(settings, channel?, receipts);
        return Some(Provider::Simulator(config));
    }
    if kind == Kind::SmsGate {
        let config = smsgate::read(settings.and_then(Field::table), receipts);
        return Some(Provider::SmsGate(Box::new(config)));
    }
    let settings = settings?.table()?;
    match kind {
        Kind::Smpp => {
            smpp::read(settings, receipts, surroundings).map(|it| Provider::Smpp(Box::new(it)))
        }
        Kind::WhatsApp => {
            whatsapp::read(settings, surroundings).map(|it| Provider::WhatsApp(Box::new(it)))
        }
        Kind::Twilio => twilio::read(settings, channel?, currency, surroundings)
            .map(|it| Provider::Twilio(Box::new(it))),
        Kind::Http => http::read(settings, channel, mms, currency, surroundings)
            .map(|it| Provider::Http(Box::new(it))),
        Kind::Telegram => {
            telegram::read(settings, surroundings).map(|it| Provider::Telegram(Box::new(it)))
        }
        Kind::Email => email::read(settings, surroundings).map(|it| Provider::Email(Box::new(it))),
        Kind::SmsGate | Kind::Simulator => None,
    }
}

/// Tells where a route that is to carry media cannot, or does not say what that costs.
fn check_mms(
    field: &Field<'_>,
    channel: Option<Channel>,
    kind: Option<Kind>,
    provider: Option<&Provider>,
    prices: &[Price],
) {
    if channel.is_some_and(|it| it != Channel::Sms) {
        field.error(
            "is for routes on the channel \"sms\"; the other channels carry media as they are",
        );
        return;
    }
    match (kind, provider) {
        (Some(Kind::Http), Some(Provider::Http(config))) if !config.provider.carries_mms() => {
            field.error(format!(
                "the description of {} has no `send.mms`, so that it carries texts only",
                config.provider.name()
            ));
        }
        (
            Some(
                kind @ (Kind::Smpp | Kind::WhatsApp | Kind::Telegram | Kind::Email | Kind::SmsGate),
            ),
            _,
        ) => {
            field.error(format!(
                "\"{}\" carries no MMS; \"twilio\", \"http\" and \"simulator\" can",
                kind.code()
            ));
        }
        (Some(Kind::Http | Kind::Twilio | Kind::Simulator) | None, _) => {}
    }
    if !prices.is_empty() && prices.iter().all(|it| it.mms.is_none()) {
        field.warn(
            "no line of `prices` says what an MMS costs (`mms`): media use this route after every \
             route with a price, and their cost is not counted",
        );
    }
}

/// "the channel a", "the channels a and b".
fn carried(channels: &[&str]) -> String {
    match channels {
        [only] => format!("the channel \"{only}\""),
        several => format!("the channels {}", quoted(several)),
    }
}

fn destinations(field: Field<'_>) -> Option<Destinations> {
    let mut table = field.table()?;
    let prefixes = |field: Field<'_>| {
        let read = |it: Field<'_>| it.parse("a prefix such as \"+40\"", values::prefix);
        Some(field.list()?.into_iter().filter_map(read).collect())
    };
    let destinations = Destinations {
        allow: table.or("allow", Vec::new(), prefixes),
        deny: table.or("deny", Vec::new(), prefixes),
    };
    if let Some(both) = destinations
        .allow
        .iter()
        .find(|it| destinations.deny.contains(it))
    {
        table.error("deny", format!("\"{both}\" is allowed and denied"));
    }
    table.finish();
    Some(destinations)
}

/// One duration for both classes, or `{ direct, bulk }`.
fn unknown_wait(field: Field<'_>) -> Option<UnknownWait> {
    let span = |field: Field<'_>| field.span_of_time(Millis::ZERO..=Millis::days(7));
    if !field.is_table() {
        return span(field).map(|both| UnknownWait {
            direct: both,
            bulk: both,
        });
    }
    let mut table = field.table()?;
    let default = UnknownWait::default();
    let wait = UnknownWait {
        direct: table.or("direct", default.direct, span),
        bulk: table.or("bulk", default.bulk, span),
    };
    table.finish();
    Some(wait)
}
