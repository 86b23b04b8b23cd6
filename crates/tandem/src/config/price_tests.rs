//! Do prices in other currencies and prices in files of their own become the route's price book?

use std::path::Path;

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
