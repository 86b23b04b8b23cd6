//! Is everybody warned of what a quota of money does not see?

use std::path::Path;

use domain::time::Timestamp;

use super::*;

/// The moment of every test here: 18 November 2026.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// The warnings about a route of this project with these lines.
fn told(project: &str, route: &str) -> Vec<String> {
    // Phones of the team must know where to call.
    let url = if route.contains("smsgate") {
        "public_url = \"https://msg.example.com\"\n"
    } else {
        ""
    };
    let source = format!(
        "{url}[[project]]\nid = \"p\"\n{project}\n[[route]]\nid = \"r\"\n{route}\n\
         [[sender]]\nid = \"s\"\nroutes = [\"r\"]\n"
    );
    let surroundings = Surroundings {
        variable: &|_| None,
        folder: Path::new("."),
        now: NOW,
    };
    let loaded = parse(&source, &Overrides::default(), surroundings);
    let loaded = loaded.unwrap_or_else(|it| panic!("{source}\n{:#?}", it.errors));
    let lines = loaded.warnings.iter().map(|it| it.line("f.toml"));
    lines.collect()
}

const SPEND: &str = "quota = [{ per = \"day\", spend = \"100\" }]";
const COUNT: &str = "quota = [{ per = \"day\", messages = 100 }]";
const SMPP: &str = "channel = \"sms\"\nprovider = \"smpp\"\n\
    smpp = { host = \"127.0.0.1\", system_id = \"a\", password = \"b\" }";
const SIMULATOR: &str = "channel = \"sms\"\nprovider = \"simulator\"";
const PHONES: &str = "channel = \"sms\"\nprovider = \"smsgate\"";
const WHATSAPP: &str = "channel = \"whatsapp\"\nprovider = \"simulator\"";

#[test]
fn a_price_list_that_cannot_be_read_is_told_as_such_alone() {
    let source = format!(
        "[[project]]\nid = \"p\"\n[[route]]\nid = \"r\"\n{SMPP}\n{SPEND}\nprices = 7\n\
         [[sender]]\nid = \"s\"\nroutes = [\"r\"]\n"
    );
    let surroundings = Surroundings {
        variable: &|_| None,
        folder: Path::new("."),
        now: NOW,
    };
    let told = parse(&source, &Overrides::default(), surroundings).unwrap_err();
    let told: Vec<_> = told.errors.iter().map(|it| it.line("f.toml")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("prices"), "{told:?}");
}

#[test]
fn a_route_without_prices_under_a_quota_of_money_is_told_where_the_quota_or_the_route_stands() {
    let what = "the route has no `prices`, and";
    let of = |whose: &str| {
        format!(
            "{what} {whose} `quota` counts money: what it sends costs nothing there; \
             `price = \"0\"` says that something is free"
        )
    };
    let own = told("", &format!("{SMPP}\n{SPEND}"));
    assert_eq!(own, [format!("f.toml:9:9: route[0].quota: {}", of("its"))]);
    let projects = told(SPEND, SMPP);
    let want = format!("f.toml:4:1: route[0]: {}", of("the project's"));
    assert_eq!(projects, [want]);
    for (project, route) in [
        ("", SMPP.to_owned()),
        (COUNT, format!("{SMPP}\n{COUNT}")),
        (SPEND, SIMULATOR.to_owned()),
        (SPEND, PHONES.to_owned()),
        (SPEND, format!("{SMPP}\nenabled = false")),
        (
            SPEND,
            format!("{SMPP}\nprices = [{{ prefix = \"*\", price = \"0\" }}]"),
        ),
    ] {
        let found = told(project, &route);
        let found = found.iter().filter(|it| it.contains("quota"));
        assert_eq!(found.count(), 0, "{project}\n{route}");
    }
}

#[test]
fn prices_that_leave_out_destinations_are_told_where_a_quota_counts_money() {
    let some =
        "prices = [{ prefix = \"+40\", price = \"0.05\" }, { country = \"DE\", price = \"0.08\" }]";
    let want = "f.toml:8:10: route[0].prices: no line for every destination (`prefix = \"*\"`) holds \
                now, and its `quota` counts money: what has no price costs nothing there";
    assert_eq!(told("", &format!("{SIMULATOR}\n{some}\n{SPEND}")), [want]);
    assert_eq!(told("", &format!("{SIMULATOR}\n{some}")), [""; 0]);
    // All that it serves has a price.
    for (allow, is_told) in [
        ("\"+40\"", false),
        ("\"+4072\", \"+40\"", false),
        ("\"+40\", \"+41\"", true),
        ("\"+4\"", true),
    ] {
        let route = format!("{SIMULATOR}\n{some}\n{SPEND}\ndestinations = {{ allow = [{allow}] }}");
        assert_eq!(told("", &route).len(), usize::from(is_told), "{allow}");
    }
}

#[test]
fn a_line_for_every_destination_counts_only_while_it_holds() {
    for (dates, is_told) in [
        ("", false),
        (", from = \"2026-01-01\"", false),
        (", until = \"2027-01-01\"", false),
        (", from = \"2027-01-01\"", true),
    ] {
        let route = format!(
            "{SIMULATOR}\nprices = [{{ prefix = \"*\", price = \"0.05\"{dates} }}]\n{SPEND}"
        );
        assert_eq!(told("", &route).len(), usize::from(is_told), "{dates}");
    }
}

#[test]
fn the_categories_of_whatsapp_without_a_price_are_named() {
    let marketing = "{ prefix = \"*\", price = \"0.06\", category = \"marketing\" }";
    let rest = "{ prefix = \"*\", price = \"0.01\" }";
    let found = told("", &format!("{WHATSAPP}\nprices = [{marketing}]\n{SPEND}"));
    assert_eq!(found.len(), 1);
    let named = "holds now for \"service\", \"utility\", \"authentication\", and";
    assert!(found[0].contains(named), "{found:?}");
    let all = told(
        "",
        &format!("{WHATSAPP}\nprices = [{marketing}, {rest}]\n{SPEND}"),
    );
    assert_eq!(all, [""; 0]);
}

#[test]
fn prices_whose_time_is_over_are_told_whether_a_quota_counts_them_or_not() {
    let old = "{ prefix = \"+40\", price = \"0.05\", until = \"2026-06-01\" }";
    let next = "{ prefix = \"+40\", price = \"0.06\", from = \"2026-06-01\" }";
    let any = "{ prefix = \"*\", price = \"0.07\" }";
    let place = "f.toml:8:10: route[0].prices: the time of every line";
    for (lines, quota, want) in [
        (format!("{old}, {next}"), "", None),
        (format!("{old}, {next}, {any}"), SPEND, None),
        (
            format!("{old}, {any}"),
            SPEND,
            Some(" for \"+40\" is over: other lines hold there, or none"),
        ),
        (
            old.to_owned(),
            "",
            Some(" is over: nothing that the route sends has a price"),
        ),
        (
            old.to_owned(),
            SPEND,
            Some(" is over: nothing that the route sends has a price"),
        ),
    ] {
        let found = told("", &format!("{SIMULATOR}\nprices = [{lines}]\n{quota}"));
        let want: Vec<_> = want.iter().map(|it| format!("{place}{it}")).collect();
        assert_eq!(found, want, "{lines}");
    }
}
