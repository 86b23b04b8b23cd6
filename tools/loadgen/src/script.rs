//! How does the SMSC misbehave, and how often?

use std::fmt;
use std::str::FromStr;

/// One kind of misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answered by `ESME_RTHROTTLED` without a body; not taken.
    Throttle,
    /// Answered by `ESME_RMSGQFUL`; not taken.
    QueueFull,
    /// Answered by `ESME_RINVDSTADR`; not taken, for good.
    Reject,
    /// Taken and receipted, but never answered.
    DropResponse,
    /// Taken and answered, but no receipt comes.
    NoReceipt,
    /// The receipt comes twice.
    DoubleReceipt,
    /// The receipt is written before the answer.
    EarlyReceipt,
    /// The receipt says undeliverable.
    Undeliverable,
}

const NAMES: [(&str, Fault); 8] = [
    ("throttle", Fault::Throttle),
    ("queue-full", Fault::QueueFull),
    ("reject", Fault::Reject),
    ("drop-resp", Fault::DropResponse),
    ("no-receipt", Fault::NoReceipt),
    ("double-receipt", Fault::DoubleReceipt),
    ("early-receipt", Fault::EarlyReceipt),
    ("undeliv", Fault::Undeliverable),
];

#[derive(Debug, Clone, Copy)]
struct Rule {
    fault: Fault,
    times: u64,
    of: u64,
}

/// A list such as `throttle:1/50,no-receipt:1/100`: of each run of 50 submissions one is throttled, and so on.
#[derive(Debug, Clone, Default)]
pub struct Script(Vec<Rule>);

/// Why a script cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadScript(String);

impl fmt::Display for BadScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
        write!(
            f,
            "`{}` is not NAME:TIMES/OF with NAME one of {}",
            self.0,
            names.join(", ")
        )
    }
}

impl std::error::Error for BadScript {}

impl FromStr for Script {
    type Err = BadScript;

    fn from_str(text: &str) -> Result<Self, BadScript> {
        let rule = |item: &str| {
            let (name, share) = item.split_once(':')?;
            let (times, of) = share.split_once('/')?;
            let (times, of) = (times.parse().ok()?, of.parse().ok()?);
            let (_, fault) = NAMES.iter().find(|(known, _)| *known == name)?;
            (0 < of && times <= of).then_some(Rule {
                fault: *fault,
                times,
                of,
            })
        };
        text.split(',')
            .filter(|it| !it.is_empty())
            .map(|item| rule(item.trim()).ok_or_else(|| BadScript(item.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Script {
    /// What happens to submission number `count`; at most one fault each. Rules of equal length are shifted
    /// against each other, so that `a:1/100,b:1/100` strikes two of each hundred.
    pub fn fault(&self, count: u64) -> Option<Fault> {
        (0_u64..)
            .zip(&self.0)
            .find(|(index, rule)| (count + index * 37) % rule.of < rule.times)
            .map(|(_, rule)| rule.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_strikes_as_often_as_asked() {
        let script: Script = "throttle:1/50,reject:1/100,no-receipt:3/100"
            .parse()
            .unwrap();
        let count = |fault| {
            (0..10_000)
                .filter(|it| script.fault(*it) == Some(fault))
                .count()
        };
        assert_eq!(count(Fault::Throttle), 200);
        assert_eq!(count(Fault::Reject), 100);
        assert_eq!(count(Fault::NoReceipt), 300);
        assert_eq!(count(Fault::DropResponse), 0);
    }

    #[test]
    fn an_empty_script_is_no_fault_and_a_wrong_one_is_named() {
        assert_eq!("".parse::<Script>().unwrap().fault(0), None);
        for text in [
            "throttle",
            "throttle:1",
            "nonsense:1/2",
            "reject:3/2",
            "reject:0/0",
        ] {
            assert_eq!(text.parse::<Script>().unwrap_err(), BadScript(text.into()));
        }
    }
}
