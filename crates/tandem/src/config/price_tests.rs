//! Do prices in other currencies and prices in files of their own become the route's price book?

use std::path::Path;

use domain::ids::VolumeKey;
use domain::model::money::Micros;
use domain::model::route::Price;
use domain::time::Timestamp;

use super::*;

const LIST: &str = include_str!("../../../../examples/whatsapp-prices.toml");

/// A project in Bucharest that counts in euros, with two rates, and one route for WhatsApp.
fn with(prices: &str) -> String {
    format!(
        "[[project]]\nid = \"p\"\ntimezone = \"Europe/Bucharest\"\n\
         fx = [\n{{ from = \"USD\", rate = \"0.9\", valid_from = \"2026-07-01\" }},\n\
         {{ from = \"USD\", rate = \"0.92\", valid_from = \"2026-01-01\" }}]\n\
         [[route]]\nid = \"r\"\nchannel = \"whatsapp\"\nprovider = \"simulator\"\n{prices}\n\
         [[sender]]\nid = \"s\"\nroutes = [\"r\"]\n"
    )
}

/// Reads a configuration beside a file of prices.
fn beside(list: &str, prices: &str) -> (String, Result<Loaded, Rejected>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.toml"), list).unwrap();
    let file = folder.path().join("tandem.toml");
    std::fs::write(&file, with(prices)).unwrap();
    let list = folder.path().join("list.toml").display().to_string();
    (list, load(&file, &Overrides::default()))
}

fn prices(config: Result<Loaded, Rejected>) -> Vec<Price> {
    let loaded = config.unwrap_or_else(|it| panic!("{:#?}", it.errors));
    loaded.config.routes[0].prices.clone()
}

fn inline(text: &str) -> Vec<Price> {
    let surroundings = Surroundings {
        variable: &|_| None,
        folder: Path::new("/nonexistent"),
    };
    prices(parse(&with(text), &Overrides::default(), surroundings))
}

fn at(text: &str) -> Option<Timestamp> {
    values::moment(text, &jiff::tz::TimeZone::get("Europe/Bucharest").unwrap())
}

fn dated(prices: &[Price]) -> Vec<(Micros, Option<Timestamp>, Option<Timestamp>)> {
    let parts = |it: &Price| (it.amount, it.valid_from, it.valid_until);
    prices.iter().map(parts).collect()
}

#[test]
fn a_price_in_another_currency_is_converted_at_the_rate_of_each_time() {
    let usd = "{ prefix = \"*\", price = \"0.0101\", currency = \"USD\"";
    assert_eq!(
        dated(&inline(&format!("prices = [{usd} }}]"))),
        [
            (Micros(9_292), at("2026-01-01"), at("2026-07-01")),
            (Micros(9_090), at("2026-07-01"), None),
        ]
    );
    assert_eq!(
        dated(&inline(&format!(
            "prices = [{usd}, from = \"2026-03-01\", until = \"2026-06-01\" }}]"
        ))),
        [(Micros(9_292), at("2026-03-01"), at("2026-06-01"))]
    );
    // Before the first rate another line may hold; the project's own currency needs no rate.
    assert_eq!(
        dated(&inline(&format!(
            "prices = [{usd}, until = \"2026-02-01\" }}, {{ prefix = \"*\", price = \"0.02\", currency = \"EUR\", until = \"2026-01-01\" }}]"
        ))),
        [
            (Micros(9_292), at("2026-01-01"), at("2026-02-01")),
            (Micros(20_000), None, at("2026-01-01")),
        ]
    );
}

fn volumes(price: &Price) -> (i64, Vec<(i64, i64)>) {
    let tiers = price.tiers.all().iter();
    (
        price.amount.0,
        tiers.map(|it| (it.above, it.amount.0)).collect(),
    )
}

#[test]
fn a_price_may_go_by_volume_and_what_is_free_is_its_first_tier() {
    let of = |rest: &str| {
        let read = inline(&format!(
            "prices = [{{ prefix = \"*\", price = \"0.05\"{rest} }}]"
        ));
        volumes(&read[0])
    };
    let tiers = ", tiers = [{ above = 5000, price = \"0.04\" }, { above = 20000, price = \"0\" }]";
    assert_eq!(of(""), (50_000, vec![]));
    assert_eq!(of(", tiers = []"), (50_000, vec![]));
    assert_eq!(of(tiers), (50_000, vec![(5_000, 40_000), (20_000, 0)]));
    assert_eq!(of(", free = 1000"), (0, vec![(1_000, 50_000)]));
    assert_eq!(
        of(&format!(", free = 1000{tiers}")),
        (0, vec![(1_000, 50_000), (5_000, 40_000), (20_000, 0)])
    );
}

#[test]
fn lines_of_one_name_count_in_one_volume() {
    let line = |rest: &str| format!("{{ price = \"0.05\", free = 10, {rest} }}");
    let [a, b, c] = [
        "prefix = \"*\", volume = \"service\"",
        "prefix = \"+40\", volume = \"service\"",
        "prefix = \"+49\"",
    ]
    .map(line);
    let read = inline(&format!("prices = [{a}, {b}, {c}]"));
    let named: Vec<_> = read.iter().map(|it| it.volume).collect();
    let service = Some(VolumeKey::of("service"));
    assert_eq!(named, [service, service, None]);
}

#[test]
fn a_name_of_a_volume_that_cannot_be_one_is_told_with_its_place() {
    // Both have the same FNV-1a in 32 bits.
    let list = "[[price]]\nprefix = \"*\"\nprice = \"1\"\nvolume = \"costarring\"\n\
                [[price]]\nprefix = \"+40\"\nprice = \"1\"\nvolume = \"liquid\"\n\
                [[price]]\nprefix = \"+49\"\nprice = \"1\"\nvolume = \"a b\"\n";
    let (name, read) = beside(list, "prices = { file = \"list.toml\" }");
    let errors = read.unwrap_err().errors;
    let line = |it: &Problem| it.line("tandem.toml").replace(&name, "list.toml");
    let told: Vec<_> = errors.iter().map(line).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        told[0],
        "list.toml:8:10: price[1].volume: has the same key as `costarring`; give it another name"
    );
    assert!(
        told[1].starts_with("list.toml:12:10: price[2].volume: "),
        "{told:?}"
    );
}

#[test]
fn tiers_are_converted_at_the_rate_of_each_time() {
    let read = inline(
        "prices = [{ prefix = \"*\", price = \"0.01\", currency = \"USD\", free = 5, tiers = [{ above = 9, price = \"0.005\" }] }]",
    );
    let read: Vec<_> = read.iter().map(volumes).collect();
    assert_eq!(
        read,
        [
            (0, vec![(5, 9_200), (9, 4_600)]),
            (0, vec![(5, 9_000), (9, 4_500)])
        ]
    );
}

#[test]
fn a_mistake_in_tiers_is_told_with_its_place() {
    let told = |rest: &str| -> Vec<String> {
        let list = format!("[[price]]\nprefix = \"*\"\nprice = \"0.05\"\n{rest}\n");
        let (name, read) = beside(&list, "prices = { file = \"list.toml\" }");
        let errors = read.unwrap_err().errors;
        let line = |it: &Problem| it.line("tandem.toml").replace(&name, "list.toml");
        errors.iter().map(line).collect()
    };
    let tier = |above: &str, price: &str| format!("{{ above = {above}, price = {price} }}");
    for (rest, want) in [
        (
            "free = 0".to_owned(),
            "list.toml:4:8: price[0].free: is 0; must be a whole number from 1 to 1000000000000",
        ),
        (
            "free = \"10\"".to_owned(),
            "list.toml:4:8: price[0].free: is text; must be a whole number from 1 to 1000000000000",
        ),
        (
            "tiers = \"0.04\"".to_owned(),
            "list.toml:4:9: price[0].tiers: is text; must be a list in [ ]",
        ),
        (
            "tiers = [5]".to_owned(),
            "list.toml:4:10: price[0].tiers[0]: is a whole number; must be a table in { }",
        ),
        (
            "tiers = [{ price = \"0.04\" }]".to_owned(),
            "list.toml:4:10: price[0].tiers[0].above: is missing; must be how many units of a month come before it",
        ),
        (
            "tiers = [{ above = 5 }]".to_owned(),
            "list.toml:4:10: price[0].tiers[0].price: is missing; must be a decimal number in quotes, such as \"0.035\"",
        ),
        (
            "tiers = [{ above = 5, amount = \"1\", price = \"1\" }]".to_owned(),
            "list.toml:4:23: price[0].tiers[0].amount: is not a known setting; known here: above, price",
        ),
        (
            format!("tiers = [{}]", tier("5", "\"-0.04\"")),
            "list.toml:4:31: price[0].tiers[0].price: is \"-0.04\"; must be a decimal number with at most 6 decimals, such as \"0.035\"",
        ),
        (
            format!("tiers = [{}]", tier("0", "\"1\"")),
            "list.toml:4:20: price[0].tiers[0].above: is 0; must be a whole number from 1 to 1000000000000",
        ),
        (
            format!("tiers = [{}, {}]", tier("5", "\"1\""), tier("5", "\"1\"")),
            "list.toml:4:48: price[0].tiers[1].above: is 5; must be more than the 5 of the tier before it",
        ),
        (
            format!("free = 7\ntiers = [{}]", tier("7", "\"1\"")),
            "list.toml:5:20: price[0].tiers[0].above: is 7; must be more than the 7 that are `free`: it counts those too",
        ),
    ] {
        assert_eq!(told(&rest), [want], "{rest}");
    }
}

#[test]
fn the_summary_says_what_a_volume_makes_of_a_price() {
    let of = |rest: &str| {
        let text = with(&format!(
            "prices = [{{ prefix = \"*\", price = \"0.05\"{rest} }}]"
        ));
        let surroundings = Surroundings {
            variable: &|_| None,
            folder: Path::new("/nonexistent"),
        };
        let loaded = parse(&text, &Overrides::default(), surroundings);
        summary(&loaded.unwrap().config).join("\n")
    };
    let tiers =
        ", tiers = [{ above = 5000, price = \"0.04\" }, { above = 20000, price = \"0.03\" }]";
    for (rest, want) in [
        (
            tiers.to_owned(),
            "direct and bulk, 0.05 a message, 0.04 above 5,000 a month, 0.03 above 20,000 a month EUR",
        ),
        (
            format!(", free = 1000{tiers}"),
            "direct and bulk, free up to 1,000 a month, then 0.05 a message, 0.04 above 5,000 a month, 0.03 above 20,000 a month EUR",
        ),
        (
            ", free = 1000, volume = \"a\"".to_owned(),
            "free up to 1,000 a month, then 0.05 a message (own volume) EUR",
        ),
    ] {
        assert!(of(&rest).contains(want), "{}", of(&rest));
    }
}

#[test]
fn prices_come_from_a_file_beside_the_configuration_as_if_they_stood_in_it() {
    let list = "[[price]]\nprefix = \"+40\"\nprice = \"0.03\"\n\n[[price]]\nprefix = \"*\"\nprice = \"0.05\"\ncategory = \"utility\"\ncurrency = \"USD\"\non = \"delivery\"\n";
    let (_, read) = beside(list, "prices = { file = \"list.toml\" }");
    let same = inline(
        "prices = [{ prefix = \"+40\", price = \"0.03\" }, { prefix = \"*\", price = \"0.05\", category = \"utility\", currency = \"USD\", on = \"delivery\" }]",
    );
    assert_eq!(same.len(), 3);
    assert_eq!(prices(read), same);
}

#[test]
fn a_mistake_in_a_file_of_prices_is_told_with_its_place_there_once() {
    let told = |list: &str| -> Vec<String> {
        let two = "prices = { file = \"list.toml\" }\n[[route]]\nid = \"other\"\nchannel = \"whatsapp\"\nprovider = \"simulator\"\nprices = { file = \"list.toml\" }";
        let (name, read) = beside(list, two);
        let errors = read.unwrap_err().errors;
        let line = |it: &Problem| it.line("tandem.toml").replace(&name, "list.toml");
        errors.iter().map(line).collect()
    };
    assert_eq!(
        told(
            "[[price]]\nprefix = \"*\"\nprice = 0.05\n\n[[price]]\nprefix = \"+40\"\nprice = \"1\"\n  currency = \"GBP\"\n[other]\n"
        ),
        [
            "list.toml:3:9: price[0].price: is a number with decimals; must be text in quotes",
            "list.toml:8:14: price[1].currency: is GBP; the project's currency is EUR, and its `fx` has no rate from GBP: add { from = \"GBP\", rate = \"…\", valid_from = \"…\" } to it",
            "list.toml:9:2: other: is not a known setting; known here: price",
        ]
    );
    assert_eq!(
        told("# nothing\n"),
        ["list.toml:1:1: price: is missing; must be at least one [[price]] line"]
    );
    let broken = told("[[price]]\nprefix = \n");
    assert!(
        broken[0].starts_with("list.toml:2:") && broken[0].contains("this is not TOML"),
        "{broken:?}"
    );
}

#[test]
fn the_list_of_whatsapp_prices_holds_and_bills_service_messages_from_october_2026() {
    use domain::model::content::PriceCategory;
    use domain::model::route::ChargedOn;

    let (_, read) = beside(LIST, "prices = { file = \"list.toml\" }");
    let prices = prices(read);
    assert!(prices.iter().all(|it| it.charged_on == ChargedOn::Delivery));
    let october = at("2026-10-01T00:00:00").unwrap();
    let holding = |category: PriceCategory, now: i64| {
        let now = Timestamp::from_millis(october.as_millis() + now);
        let of = |it: &&Price| {
            it.category == Some(category)
                && it.valid_from.is_none_or(|from| from <= now)
                && it.valid_until.is_none_or(|until| now < until)
        };
        let all: Vec<Micros> = prices.iter().filter(of).map(|it| it.amount).collect();
        assert_eq!(all.len(), 1, "{category:?}");
        all[0]
    };
    assert_eq!(holding(PriceCategory::Service, -1), Micros::ZERO);
    let utility = holding(PriceCategory::Utility, 0);
    assert!(utility > Micros::ZERO);
    assert_eq!(holding(PriceCategory::Service, 0), utility);
    for category in [PriceCategory::Marketing, PriceCategory::Authentication] {
        assert!(holding(category, 0) > Micros::ZERO);
    }
}

#[test]
fn what_is_off_in_the_list_of_whatsapp_prices_holds_when_it_is_put_on() {
    let on = LIST
        .replace("\n# free ", "\nfree ")
        .replace("\n# tiers ", "\ntiers ");
    let (_, read) = beside(&on, "prices = { file = \"list.toml\" }");
    let prices = prices(read);
    let by_volume: Vec<_> = prices.iter().filter(|it| it.goes_by_volume()).collect();
    let free: Vec<_> = by_volume
        .iter()
        .filter(|it| it.amount == Micros::ZERO)
        .collect();
    assert_eq!(free.len(), 1);
    assert_eq!(free[0].tiers.all()[0].above, 1_000);
    assert_eq!(free[0].volume, Some(VolumeKey::of("service")));
    // Two of two tiers, at each rate.
    assert_eq!(by_volume.len(), 1 + 2 * 2);
}
