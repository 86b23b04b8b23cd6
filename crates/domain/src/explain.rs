//! A decision in plain words, for people: which channel and route, why, what the others would have
//! cost, and why each was passed over. Served by the API and shown by `tandem explain`.

use std::fmt::Write as _;

use crate::decision::{
    ChannelCandidate, ChannelDrop, ChannelReason, ChannelVerdict, ClassReason, Decision,
    RouteCandidate, RouteDrop, RouteObstacle, RouteReason, RouteVerdict,
};
use crate::ids::RouteKey;
use crate::model::channel::Channel;
use crate::model::message::TrafficClass;
use crate::model::money::{Currency, Micros};

/// A reason in words: a clause that can follow a colon, without a full stop.
pub trait Words {
    /// The words.
    fn words(self) -> &'static str;
}

impl Words for ClassReason {
    fn words(self) -> &'static str {
        match self {
            Self::Caller => "the caller said so",
            Self::Reply => "it answers an inbound message",
            Self::Broadcast => "it belongs to a broadcast",
            Self::Scheduled => "it is scheduled",
            Self::Promotional => "it is promotional",
            Self::SameTextToMany => "the same text went to many recipients within a short time",
            Self::Default => "nothing marks it as bulk",
        }
    }
}

impl Words for ChannelReason {
    fn words(self) -> &'static str {
        match self {
            Self::ExplicitChannel => "the caller named it",
            Self::UnderWay => "the attempt on it goes on",
            Self::ReplySameChannel => "the contact wrote on it",
            Self::CheapestViable => "the cheapest that can carry it and has a good record",
            Self::Exploration => "the cheapest that can carry it; its record is still short",
            Self::FastestViable => "the fastest that can carry it and has no poor record",
            Self::BestSuccessRate => "none has a good record, and this one has the best",
            Self::OnlyViable => "the only one that can carry it now",
            Self::Waiting => "none can carry it now, and this one may later",
        }
    }
}

impl Words for ChannelDrop {
    fn words(self) -> &'static str {
        match self {
            Self::NotRequested => "the caller named another channel",
            Self::NotUnderWay => "the attempt under way is on another channel",
            Self::NotOnSender => "the sender has no route on it",
            Self::NoIdentifier => "the contact has no address on it",
            Self::ContentNotExpressible => "it cannot express the content",
            Self::TextTooLong => "the text is too long for it",
            Self::WindowClosed => "the 24-hour window is closed and there is no template",
            Self::DestinationNotServed => "no route on it serves the destination",
            Self::NoRouteForClass => "its routes do not take traffic of this class",
            Self::NoSimulator => "a test key needs a simulator, and the sender has none on it",
            Self::KnownIncapable => "the contact is known not to have it",
            Self::AlreadyTried => "it was tried before for this message",
            Self::RoutesExhausted => "every route on it refused the message",
            Self::TemplateNotApproved => "its provider has not approved the template",
            Self::LargerThanQuota => "the message is larger than a whole quota of its routes",
            Self::LargerThanBulkShare => {
                "the message is larger than what bulk may use of a quota of its routes"
            }
            Self::LargerThanProjectQuota => {
                "the message is larger than a whole quota of the project"
            }
        }
    }
}

impl Words for ChannelVerdict {
    fn words(self) -> &'static str {
        match self {
            Self::Chosen(reason) => reason.words(),
            Self::Dearer => "dearer",
            Self::Slower => "slower",
            Self::PoorRecord => "its success rate for this contact is too low",
            Self::PassedOver => "another channel came first",
            Self::Waiting => "none of its routes can take the message now",
            Self::Dropped(why) => why.words(),
        }
    }
}

impl Words for RouteReason {
    fn words(self) -> &'static str {
        match self {
            Self::PreferredClass => "the best of the class that this traffic prefers",
            Self::Overflow => "no route of the preferred class can take it now",
            Self::LastResort => "every gateway and platform is out",
            Self::Unclassified => "the best of those that serve this traffic",
            Self::Waiting => "no route can take it now, and this one is waited for",
        }
    }
}

impl Words for RouteDrop {
    fn words(self) -> &'static str {
        match self {
            Self::TestModeMismatch => {
                "test messages go to simulators only, live ones to real routes where there are any"
            }
            Self::DestinationNotServed => "it does not serve the destination",
            Self::NoMms => "it carries texts only, no media (MMS)",
            Self::RefusedBefore => "it refused this message",
            Self::ClassNotAllowed => "it does not take traffic of this class",
            Self::ReservedForDirect => "the rest of its quota is kept for direct messages",
            Self::LargerThanQuota => "the message is larger than a whole quota of it",
            Self::LargerThanBulkShare => {
                "the message is larger than what bulk may use of a quota of it"
            }
            Self::LargerThanProjectQuota => {
                "the message is larger than a whole quota of the project"
            }
        }
    }
}

impl Words for RouteObstacle {
    fn words(self) -> &'static str {
        match self {
            Self::Throttled => "its provider throttles it",
            Self::Down => "it is down",
            Self::OutOfQuota => "its quota has no room left for this message",
            Self::ReservedForDirect => "the rest of its quota is kept for direct messages",
            Self::Drained => "it is drained",
            Self::Disabled => "it is disabled",
            Self::ProjectOutOfQuota => "the quota of the project has no room left for this message",
        }
    }
}

impl Words for RouteVerdict {
    fn words(self) -> &'static str {
        match self {
            Self::Chosen(reason) => reason.words(),
            Self::LaterClass => "its class comes later for this traffic",
            Self::Dearer => "dearer",
            Self::LowerSuccess => "as cheap, but with a lower success rate",
            Self::Busier => "as good, but busier or later in the sender's order",
            Self::ChannelPassedOver => "the first on its channel, but another channel was chosen",
            Self::Down => "down",
            Self::Throttled => "throttled by its provider",
            Self::OutOfQuota => "out of quota",
            Self::Drained => "drained",
            Self::Disabled => "disabled",
            Self::ProjectOutOfQuota => "the project is out of quota",
            Self::Dropped(why) => why.words(),
        }
    }
}

/// A decision in short sentences: the class, then each channel, then each route, as considered.
///
/// `names` gives the operator's name of a route; `currency` is the project's.
pub fn explain(
    decision: &Decision,
    names: &dyn Fn(RouteKey) -> String,
    currency: Currency,
) -> Vec<String> {
    let class = match decision.class {
        TrafficClass::Direct => "Direct",
        TrafficClass::Bulk => "Bulk",
    };
    let mut sentences = vec![format!(
        "{class} traffic: {}.",
        decision.class_reason.words()
    )];
    if decision.channels.is_empty() {
        sentences.push("No channel was looked at: the contact opted out.".to_owned());
    } else if decision.channel().is_none() {
        sentences.push("No channel can carry the message.".to_owned());
    }
    sentences.extend(
        decision
            .channels
            .iter()
            .map(|it| channel_sentence(it, currency)),
    );
    sentences.extend(
        decision
            .routes
            .iter()
            .map(|it| route_sentence(it, names, currency)),
    );
    sentences
}

fn channel_sentence(candidate: &ChannelCandidate, currency: Currency) -> String {
    let name = match candidate.channel {
        Channel::Sms => "SMS",
        Channel::WhatsApp => "WhatsApp",
        Channel::Telegram => "Telegram",
        Channel::Email => "E-mail",
    };
    let verdict = match candidate.verdict {
        ChannelVerdict::Chosen(ChannelReason::Waiting) => "waited for",
        ChannelVerdict::Chosen(_) => "chosen",
        ChannelVerdict::Dropped(_) => "not possible",
        ChannelVerdict::Waiting => "not now",
        ChannelVerdict::Dearer
        | ChannelVerdict::Slower
        | ChannelVerdict::PoorRecord
        | ChannelVerdict::PassedOver => "passed over",
    };
    let mut facts = Vec::new();
    facts.extend(candidate.cost.map(|cost| amount(cost, currency)));
    match candidate.segments {
        Some(_) if candidate.mms => facts.push("as MMS".to_owned()),
        Some(1) => facts.push("1 segment".to_owned()),
        Some(segments) => facts.push(format!("{segments} segments")),
        None => {}
    }
    let attempts = u64::from(candidate.successes) + u64::from(candidate.failures);
    if attempts > 0 {
        facts.push(format!("{} of {attempts} delivered", candidate.successes));
    }
    if let Some(average) = candidate.average_delivery {
        facts.push(format!("{} ms on average", average.get()));
    }
    sentence(name, verdict, candidate_words(candidate), &facts)
}

/// Why, and what would help where it is one setting.
fn candidate_words(candidate: &ChannelCandidate) -> &'static str {
    match candidate.verdict {
        ChannelVerdict::Dropped(ChannelDrop::ContentNotExpressible) if candidate.mms => {
            "no route on it that could take the message carries media; one with `mms = true` would"
        }
        verdict @ (ChannelVerdict::Chosen(_)
        | ChannelVerdict::Dearer
        | ChannelVerdict::Slower
        | ChannelVerdict::PoorRecord
        | ChannelVerdict::PassedOver
        | ChannelVerdict::Waiting
        | ChannelVerdict::Dropped(_)) => verdict.words(),
    }
}

fn route_sentence(
    candidate: &RouteCandidate,
    names: &dyn Fn(RouteKey) -> String,
    currency: Currency,
) -> String {
    let name = format!("Route {}", names(candidate.route));
    let verdict = match candidate.verdict {
        RouteVerdict::Chosen(RouteReason::Waiting) => "waited for",
        RouteVerdict::Chosen(_) => "chosen",
        RouteVerdict::Dropped(_) => "not possible",
        RouteVerdict::Down
        | RouteVerdict::Throttled
        | RouteVerdict::OutOfQuota
        | RouteVerdict::Drained
        | RouteVerdict::Disabled
        | RouteVerdict::ProjectOutOfQuota => "not now",
        RouteVerdict::LaterClass
        | RouteVerdict::Dearer
        | RouteVerdict::LowerSuccess
        | RouteVerdict::Busier
        | RouteVerdict::ChannelPassedOver => "passed over",
    };
    let mut facts = vec![candidate.channel.code().to_owned()];
    facts.extend(candidate.class.map(|class| class.code().to_owned()));
    facts.extend(candidate.cost.map(|cost| amount(cost, currency)));
    sentence(&name, verdict, &route_words(candidate), &facts)
}

/// Why: a person's own words where one took the route out, and what a verdict hides beside it.
fn route_words(candidate: &RouteCandidate) -> String {
    let words = candidate.verdict.words();
    let because = candidate.because.as_deref();
    match (candidate.verdict, candidate.obstacle) {
        (RouteVerdict::Chosen(RouteReason::Waiting), Some(obstacle)) => {
            let obstacle = because.unwrap_or(obstacle.words());
            format!("{obstacle}; it is the best of those that could come")
        }
        (_, Some(obstacle)) => format!("{words}; {}", because.unwrap_or(obstacle.words())),
        (RouteVerdict::Drained | RouteVerdict::Disabled, None) => {
            because.unwrap_or(words).to_owned()
        }
        (_, None) => match because {
            Some(because) => format!("{words}; {because}"),
            None => words.to_owned(),
        },
    }
}

/// `Name (facts) verdict: reason.`
fn sentence(name: &str, verdict: &str, reason: &str, facts: &[String]) -> String {
    let mut text = name.to_owned();
    if !facts.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(text, " ({})", facts.join(", "));
    }
    let _ = write!(text, " {verdict}: {reason}.");
    text
}

/// An amount with its currency, exactly, with at least two decimals: `0.035 EUR`.
pub fn amount(micros: Micros, currency: Currency) -> String {
    let sign = if micros.0 < 0 { "-" } else { "" };
    let all = micros.0.unsigned_abs();
    let (whole, rest) = (all / 1_000_000, format!("{:06}", all % 1_000_000));
    let (kept, zeros) = rest.split_at(2);
    format!(
        "{sign}{whole}.{kept}{} {}",
        zeros.trim_end_matches('0'),
        currency.code()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::route::RouteClass;
    use crate::time::Millis;

    #[test]
    fn amounts_are_exact_and_have_two_decimals_at_least() {
        for (micros, want) in [
            (0, "0.00 EUR"),
            (35_000, "0.035 EUR"),
            (100_000, "0.10 EUR"),
            (1_230_000, "1.23 EUR"),
            (1, "0.000001 EUR"),
            (-2_500_000, "-2.50 EUR"),
        ] {
            assert_eq!(amount(Micros(micros), Currency::EUR), want);
        }
    }

    #[test]
    fn a_decision_reads_as_sentences() {
        let decision = Decision {
            class: TrafficClass::Direct,
            class_reason: ClassReason::Default,
            channels: vec![
                ChannelCandidate {
                    channel: Channel::WhatsApp,
                    verdict: ChannelVerdict::Chosen(ChannelReason::CheapestViable),
                    cost: Some(Micros(10_000)),
                    segments: None,
                    mms: false,
                    successes: 120,
                    failures: 1,
                    average_delivery: Some(Millis::new(1_100)),
                },
                ChannelCandidate {
                    channel: Channel::Sms,
                    verdict: ChannelVerdict::Dearer,
                    cost: Some(Micros(100_000)),
                    segments: Some(2),
                    mms: false,
                    successes: 0,
                    failures: 0,
                    average_delivery: None,
                },
            ],
            routes: vec![
                RouteCandidate {
                    route: RouteKey(1),
                    channel: Channel::WhatsApp,
                    class: None,
                    verdict: RouteVerdict::Chosen(RouteReason::Unclassified),
                    obstacle: None,
                    cost: Some(Micros(10_000)),
                    because: None,
                },
                RouteCandidate {
                    route: RouteKey(2),
                    channel: Channel::Sms,
                    class: Some(RouteClass::Gateway),
                    verdict: RouteVerdict::OutOfQuota,
                    obstacle: None,
                    cost: None,
                    because: None,
                },
                RouteCandidate {
                    route: RouteKey(3),
                    channel: Channel::Sms,
                    class: Some(RouteClass::Platform),
                    verdict: RouteVerdict::Drained,
                    obstacle: None,
                    cost: None,
                    because: Some("drained by app: maintenance".into()),
                },
            ],
        };
        let names = |key: RouteKey| {
            match key.0 {
                1 => "wa",
                2 => "gw",
                _ => "bulk",
            }
            .to_owned()
        };
        assert_eq!(
            explain(&decision, &names, Currency::EUR),
            [
                "Direct traffic: nothing marks it as bulk.",
                "WhatsApp (0.01 EUR, 120 of 121 delivered, 1100 ms on average) chosen: the cheapest \
                 that can carry it and has a good record.",
                "SMS (0.10 EUR, 2 segments) passed over: dearer.",
                "Route wa (whatsapp, 0.01 EUR) chosen: the best of those that serve this traffic.",
                "Route gw (sms, gateway) not now: out of quota.",
                "Route bulk (sms, platform) not now: drained by app: maintenance.",
            ]
        );
    }

    /// How a route is told of that is so.
    fn told(
        verdict: RouteVerdict,
        obstacle: Option<RouteObstacle>,
        because: Option<&str>,
    ) -> String {
        let candidate = RouteCandidate {
            route: RouteKey(1),
            channel: Channel::Sms,
            class: None,
            verdict,
            obstacle,
            cost: None,
            because: because.map(Into::into),
        };
        route_sentence(&candidate, &|_| "gw".to_owned(), Currency::EUR)
    }

    #[test]
    fn a_route_that_is_waited_for_says_what_keeps_it() {
        let waiting = RouteVerdict::Chosen(RouteReason::Waiting);
        for (obstacle, words) in [
            (RouteObstacle::Throttled, "its provider throttles it"),
            (RouteObstacle::Down, "it is down"),
            (
                RouteObstacle::OutOfQuota,
                "its quota has no room left for this message",
            ),
            (
                RouteObstacle::ReservedForDirect,
                "the rest of its quota is kept for direct messages",
            ),
            (RouteObstacle::Drained, "it is drained"),
            (RouteObstacle::Disabled, "it is disabled"),
            (
                RouteObstacle::ProjectOutOfQuota,
                "the quota of the project has no room left for this message",
            ),
        ] {
            assert_eq!(
                told(waiting, Some(obstacle), None),
                format!(
                    "Route gw (sms) waited for: {words}; it is the best of those that could come."
                )
            );
        }
        assert_eq!(
            told(
                waiting,
                Some(RouteObstacle::Drained),
                Some("drained by app: maintenance")
            ),
            "Route gw (sms) waited for: drained by app: maintenance; it is the best of those that \
             could come."
        );
    }

    #[test]
    fn a_route_that_was_not_waited_for_says_what_would_have_kept_it() {
        assert_eq!(
            told(
                RouteVerdict::ChannelPassedOver,
                Some(RouteObstacle::Down),
                None
            ),
            "Route gw (sms) passed over: the first on its channel, but another channel was chosen; \
             it is down."
        );
    }

    #[test]
    fn a_decision_of_before_obstacles_were_noted_reads_as_it_did() {
        assert_eq!(
            told(RouteVerdict::Chosen(RouteReason::Waiting), None, None),
            "Route gw (sms) waited for: no route can take it now, and this one is waited for."
        );
    }

    #[test]
    fn a_refusal_says_that_nothing_can_carry_it() {
        let refused = |channels| Decision {
            class: TrafficClass::Bulk,
            class_reason: ClassReason::Broadcast,
            channels,
            routes: Vec::new(),
        };
        let dropped = ChannelCandidate {
            channel: Channel::Sms,
            verdict: ChannelVerdict::Dropped(ChannelDrop::NotOnSender),
            cost: None,
            segments: None,
            mms: false,
            successes: 0,
            failures: 0,
            average_delivery: None,
        };
        let names = |_| String::new();
        assert_eq!(
            explain(&refused(vec![dropped]), &names, Currency::EUR),
            [
                "Bulk traffic: it belongs to a broadcast.",
                "No channel can carry the message.",
                "SMS not possible: the sender has no route on it.",
            ]
        );
        assert_eq!(
            explain(&refused(Vec::new()), &names, Currency::EUR)[1],
            "No channel was looked at: the contact opted out."
        );
    }
}
