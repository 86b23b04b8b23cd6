//! Which crate may use which? The one table of arrows; a new arrow is a change here, with an ADR.

use crate::workspace::{Metadata, Package};

/// One crate and the crates of ours that it may name in its Cargo.toml.
struct Arrows {
    package: &'static str,
    /// What the product may use.
    may_use: &'static [&'static str],
    /// What its tests may use beyond that: the conformance suites and the in-memory model of `ports`.
    tests_may_use: &'static [&'static str],
}

const TABLE: &[Arrows] = &[
    Arrows {
        package: "domain",
        may_use: &[],
        tests_may_use: &[],
    },
    Arrows {
        package: "ports",
        may_use: &["domain"],
        tests_may_use: &[],
    },
    Arrows {
        package: "engine",
        may_use: &["domain", "ports"],
        tests_may_use: &["ports"],
    },
    Arrows {
        package: "store",
        may_use: &["domain", "ports"],
        tests_may_use: &["ports"],
    },
    Arrows {
        package: "connectors",
        may_use: &["domain", "ports"],
        tests_may_use: &["ports"],
    },
    Arrows {
        package: "api",
        may_use: &["domain", "ports", "engine"],
        tests_may_use: &["ports"],
    },
    Arrows {
        package: "tandem",
        may_use: &["domain", "ports", "engine", "store", "connectors", "api"],
        tests_may_use: &["ports"],
    },
    Arrows {
        package: "loadgen",
        may_use: &[],
        tests_may_use: &[],
    },
    // The line on a store with made-up providers; nothing may use it (ADR 0016).
    Arrows {
        package: "simulation",
        may_use: &["domain", "ports", "engine", "store"],
        tests_may_use: &[],
    },
    Arrows {
        package: "xtask",
        may_use: &[],
        tests_may_use: &[],
    },
];

/// Compares what the crates declare with the table.
pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let ours: Vec<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut findings = Vec::new();
    for package in &metadata.packages {
        match TABLE.iter().find(|arrows| arrows.package == package.name) {
            Some(arrows) => findings.extend(forbidden(package, arrows, &ours)),
            None => findings.push(format!(
                "crate {} is not in the table: give it a row in xtask/src/tidy/arrows.rs",
                package.name
            )),
        }
    }
    for arrows in TABLE
        .iter()
        .filter(|arrows| !ours.contains(&arrows.package))
    {
        findings.push(format!(
            "the table names crate {}, which does not exist",
            arrows.package
        ));
    }
    findings
}

fn forbidden(package: &Package, arrows: &Arrows, ours: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for dependency in package
        .dependencies
        .iter()
        .filter(|it| ours.contains(&it.name.as_str()))
    {
        let name = dependency.name.as_str();
        let for_tests = dependency.kind.as_deref() == Some("dev");
        if arrows.may_use.contains(&name) || (for_tests && arrows.tests_may_use.contains(&name)) {
            continue;
        }
        let kind = if for_tests { "the tests of " } else { "" };
        findings.push(format!(
            "{kind}{} may not use {name} (table in xtask/src/tidy/arrows.rs)",
            package.name
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Metadata in which every crate stands alone, but for the given arrows `(from, to, kind)`.
    fn metadata(arrows: &[(&str, &str, Option<&str>)]) -> Metadata {
        let packages: Vec<_> = TABLE
            .iter()
            .map(|row| {
                let from_here = arrows.iter().filter(|(from, _, _)| *from == row.package);
                let dependencies: Vec<_> = from_here
                    .map(|(_, to, kind)| serde_json::json!({"name": to, "kind": kind}))
                    .collect();
                serde_json::json!({"name": row.package, "dependencies": dependencies})
            })
            .collect();
        serde_json::from_value(
            serde_json::json!({"packages": packages, "target_directory": "target"}),
        )
        .unwrap()
    }

    #[test]
    fn arrows_in_the_table_and_crates_of_others_pass() {
        let given = metadata(&[
            ("engine", "ports", None),
            ("engine", "tokio", None),
            ("store", "ports", Some("dev")),
            ("tandem", "store", None),
        ]);
        assert_eq!(check(&given), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_against_the_table_is_named() {
        assert_eq!(
            check(&metadata(&[("engine", "store", None)])),
            ["engine may not use store (table in xtask/src/tidy/arrows.rs)"]
        );
        assert_eq!(
            check(&metadata(&[("domain", "ports", Some("dev"))])),
            ["the tests of domain may not use ports (table in xtask/src/tidy/arrows.rs)"]
        );
    }

    #[test]
    fn a_build_dependency_counts_as_the_product() {
        assert_eq!(
            check(&metadata(&[("loadgen", "domain", Some("build"))])).len(),
            1
        );
    }

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_told() {
        let mut given = metadata(&[]);
        given.packages[0].name = "novelty".to_owned();
        let findings = check(&given);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].contains("crate novelty is not in the table"));
        assert!(findings[1].contains("names crate domain"));
    }

    #[test]
    fn the_table_has_no_cycle() {
        // Rows stand in the order of use: each may only use rows above it.
        for (index, row) in TABLE.iter().enumerate() {
            for used in row.may_use {
                let position = TABLE.iter().position(|it| it.package == *used);
                assert!(
                    position.is_some_and(|at| at < index),
                    "{} uses {used}",
                    row.package
                );
            }
        }
    }
}
