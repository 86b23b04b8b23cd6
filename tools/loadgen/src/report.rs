//! How are the figures shown?

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::tally::Phase;

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half are faster.
    pub p50_ms: f64,
    /// One of a hundred is slower.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Latency {
    /// Percentiles by nearest rank of microseconds; zeros if there are none.
    pub fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        let at = |percent: usize| {
            let rank = (micros.len() * percent).div_ceil(100).max(1);
            micros
                .get(rank - 1)
                .map_or(0.0, |it| f64::from(*it) / 1_000.0)
        };
        Self {
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
        }
    }
}

/// Three latencies and two rates of a phase.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct PhaseFigures {
    /// 202 answers a second, from the first request to the last answer.
    pub accepted_per_s: f64,
    /// Ended messages a second, from the first request to the last end.
    pub e2e_per_s: f64,
    /// Request to answer.
    pub answer: Latency,
    /// Request to submission.
    pub request_to_submit: Latency,
    /// Receipt to its acknowledgement.
    pub receipt_to_ack: Latency,
}

impl PhaseFigures {
    /// The figures of a phase that is over.
    pub fn of(phase: Phase) -> Self {
        let start = phase.first_request_us.unwrap_or_default();
        Self {
            accepted_per_s: rate(phase.accepted, start, phase.last_accept_us),
            e2e_per_s: rate(phase.ended, start, phase.last_end_us),
            answer: Latency::of(phase.answer_us),
            request_to_submit: Latency::of(phase.to_submit_us),
            receipt_to_ack: Latency::of(phase.ack_us),
        }
    }
}

/// A count as a float; exact below 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of messages stay far below 2^53"
)]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// Events a second between two moments in microseconds; 0 if no time passed.
pub fn rate(count: u64, from_us: u64, to_us: u64) -> f64 {
    let seconds = float(to_us.saturating_sub(from_us)) / 1e6;
    if seconds > 0.0 {
        float(count) / seconds
    } else {
        0.0
    }
}

/// The middle value; the mean of the two middle ones of an even number; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Prints `figures` on stdout: one line of JSON, or a name and a value a line.
pub fn print(figures: &impl Serialize, json: bool) -> anyhow::Result<()> {
    let value = serde_json::to_value(figures)?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{value}")?;
    } else {
        let mut lines = Vec::new();
        flatten("", &value, &mut lines);
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in lines {
            writeln!(out, "{name:width$}  {value}")?;
        }
    }
    Ok(())
}

fn flatten(prefix: &str, value: &serde_json::Value, lines: &mut Vec<(String, String)>) {
    let join = |name: &str| {
        if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        }
    };
    match value {
        serde_json::Value::Object(members) => members
            .iter()
            .for_each(|(name, it)| flatten(&join(name), it, lines)),
        serde_json::Value::Array(items) => {
            (1..)
                .zip(items)
                .for_each(|(number, it): (u32, _)| flatten(&join(&number.to_string()), it, lines));
        }
        serde_json::Value::Number(number) if number.is_f64() => {
            lines.push((
                prefix.to_owned(),
                format!("{:.3}", number.as_f64().unwrap_or_default()),
            ));
        }
        serde_json::Value::String(text) => lines.push((prefix.to_owned(), text.clone())),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            lines.push((prefix.to_owned(), value.to_string()));
        }
    }
}

/// Says on stderr how far things are; on a terminal, in place.
pub fn progress(text: &str) {
    let mut err = std::io::stderr().lock();
    // Safe to ignore: a progress line that cannot be shown changes nothing.
    let (start, end) = if err.is_terminal() {
        ("\r\x1b[K", "")
    } else {
        ("", "\n")
    };
    drop(write!(err, "{start}{text}{end}"));
}

/// Says something on stderr that shall stay there.
pub fn note(text: &str) {
    let mut err = std::io::stderr().lock();
    let start = if err.is_terminal() { "\r\x1b[K" } else { "" };
    // Safe to ignore: as above.
    drop(writeln!(err, "{start}{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_nearest_rank() {
        let latency = Latency::of((1..=100).rev().map(|it| it * 1_000).collect());
        assert_eq!(
            latency,
            Latency {
                p50_ms: 50.0,
                p99_ms: 99.0,
                max_ms: 100.0
            }
        );
        assert_eq!(
            Latency::of(vec![7_000]),
            Latency {
                p50_ms: 7.0,
                p99_ms: 7.0,
                max_ms: 7.0
            }
        );
        assert_eq!(Latency::of(Vec::new()), Latency::default());
    }

    #[test]
    fn medians_of_odd_even_and_no_values() {
        for (values, want) in [
            (vec![3.0, 1.0, 2.0], 2.0),
            (vec![4.0, 1.0], 2.5),
            (vec![], 0.0),
        ] {
            assert!((median(values) - want).abs() < 1e-9);
        }
    }

    #[test]
    fn a_rate_over_no_time_is_zero() {
        assert!((rate(10, 5, 5)).abs() < 1e-9);
        assert!((rate(10, 0, 2_000_000) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn nested_figures_become_dotted_names() {
        let mut lines = Vec::new();
        flatten(
            "",
            &serde_json::json!({"a": {"b": 1.5}, "c": [1, true]}),
            &mut lines,
        );
        let want = [("a.b", "1.500"), ("c.1", "1"), ("c.2", "true")];
        assert_eq!(
            lines,
            want.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
