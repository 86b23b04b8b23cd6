//! Which rules are there, and where does a text cite one?

use std::collections::BTreeSet;

/// Every rule number of the specification, in its order. `docs/RULES.md` has one row for each.
pub(super) const RULES: &[&str] = &[
    "R-CLASS-1",
    "R-CLASS-2",
    "R-CLASS-3",
    "R-CHAN-1",
    "R-CHAN-2",
    "R-CHAN-3",
    "R-CHAN-4",
    "R-CHAN-5",
    "R-WIN-1",
    "R-WIN-2",
    "R-WIN-3",
    "R-WIN-4",
    "R-ROUTE-1",
    "R-ROUTE-2",
    "R-ROUTE-3",
    "R-ROUTE-4",
    "R-ROUTE-5",
    "R-PARTS",
    "R-HEALTH",
    "R-QUOTA-1",
    "R-QUOTA-2",
    "R-QUOTA-3",
    "R-COST-1",
    "R-COST-2",
    "R-FALL-1",
    "R-FALL-2",
    "R-FALL-3",
    "R-FALL-4",
    "R-FALL-5",
    "R-FALL-6",
    "R-METRIC-1",
    "R-METRIC-2",
    "R-METRIC-3",
    "R-METRIC-4",
    "R-LIFE-1",
    "R-LIFE-2",
    "R-LIFE-3",
    "R-LIFE-4",
    "R-DUP",
    "R-ORDER",
    "R-MON-1",
    "R-MON-2",
    "R-MON-3",
    "R-ALERT",
    "R-PHONE-1",
    "R-PHONE-2",
    "R-PHONE-3",
    "R-PHONE-4",
    "R-IN-1",
    "R-IN-2",
    "R-IN-3",
    "R-BCAST-1",
    "R-BCAST-2",
    "R-BCAST-3",
    "R-API-1",
    "R-API-2",
    "R-API-3",
    "R-API-4",
    "R-API-5",
    "R-API-6",
    "R-SEC",
    "R-TEST",
    "R-RUN-1",
    "R-RUN-2",
    "R-RUN-3",
];

/// Every rule number in the text, in order, with the line (from one) it stands on.
pub(super) fn citations(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices("R-") {
            let inside_a_word =
                line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            if !inside_a_word && let Some(length) = rule_length(&line[at..]) {
                found.push((index + 1, &line[at..at + length]));
            }
        }
    }
    found
}

/// The distinct rule numbers in the text.
pub(super) fn cited(text: &str) -> BTreeSet<&str> {
    citations(text).into_iter().map(|(_, rule)| rule).collect()
}

/// Whether the number is a rule of the list, or the name of a family in it (`R-CHAN`).
pub(super) fn is_known(rule: &str) -> bool {
    RULES.iter().any(|known| {
        known
            .strip_prefix(rule)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// The length of the rule number that the text begins with: `R-`, two capitals or more, then
/// perhaps a dash and digits.
fn rule_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let run =
        |from: usize, is: fn(&u8) -> bool| bytes[from..].iter().take_while(|byte| is(byte)).count();
    let capitals = run(2, u8::is_ascii_uppercase);
    let end = 2 + capitals;
    let goes_on = bytes
        .get(end)
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if capitals < 2 || goes_on {
        return None;
    }
    if bytes.get(end) != Some(&b'-') {
        return Some(end);
    }
    let digits = run(end + 1, u8::is_ascii_digit);
    Some(if digits == 0 { end } else { end + 1 + digits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_numbers_are_found_and_look_alikes_are_not() {
        let text = "see R-CHAN-3, R-PARTS.\n(R-FALL-1..6) PR-ABC R-x R-A `R-DUP` R-DUPs OR-AB-1 R-QUOTA: R-LIFE-2";
        assert_eq!(
            citations(text),
            [
                (1, "R-CHAN-3"),
                (1, "R-PARTS"),
                (2, "R-FALL-1"),
                (2, "R-DUP"),
                (2, "R-QUOTA"),
                (2, "R-LIFE-2"),
            ]
        );
    }

    #[test]
    fn a_family_is_known_and_a_number_past_its_end_is_not() {
        for (rule, want) in [
            ("R-CHAN-3", true),
            ("R-CHAN", true),
            ("R-CHAN-6", false),
            ("R-CHA", false),
            ("R-SEC", true),
            ("R-SEC-1", false),
        ] {
            assert_eq!(is_known(rule), want, "{rule}");
        }
    }

    #[test]
    fn no_rule_is_listed_twice() {
        assert_eq!(RULES.iter().collect::<BTreeSet<_>>().len(), RULES.len());
    }
}
