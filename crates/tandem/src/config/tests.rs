//! Is every mistake told, with its place, what is wrong and what is allowed?
// Long because: one test for each part of the configuration, over the same few files.

use std::path::Path;

use connectors::smpp::codes::Refusal;
use connectors::smpp::config::{
    BindMode, Concatenation, DefaultAlphabet, MessageIdMatch, TlsConfig, ValidityForm,
};
use domain::ids::{ProjectKey, RouteKey, SenderKey};
use domain::model::channel::Channel;
use domain::model::failure::FailureClass;
use domain::model::message::TrafficClass;
use domain::model::money::Micros;
use domain::model::quota::{Period, Quota, QuotaUnit};
use domain::model::route::{PriceScope, RouteClass};
use domain::time::{Millis, Timestamp};
use proptest::prelude::*;

use super::unpriced_tests::NOW;
use super::*;

const EXAMPLE: &str = include_str!("../../../../examples/tandem.toml");
/// The configuration of DESIGN §4 without what is not built yet.
pub(super) const DESIGN: &str = r#"
listen   = "127.0.0.1:8080"
database = "sqlite:./data/tandem.db"
public_url = "https://msg.example.com"

[[project]]
id = "main"
name = "Acme"
timezone = "Europe/Bucharest"
currency = "EUR"
api_keys = [ { name = "app", key = { env = "TANDEM_KEY" }, scopes = ["send", "read", "manage"] } ]

[[route]]
id = "gw"
channel = "sms"
class = "gateway"
provider = "smpp"
throughput = 50
quota = [ { per = "month", messages = 20000 }, { per = "day", spend = "100" } ]
prices = [ { prefix = "+40", price = "0.035" }, { prefix = "*", price = "0.05" } ]
smpp = { host = "127.0.0.1", port = 2775, system_id = "acme", password = { env = "GW_PW" }, bind = "transceiver", binds = 1, window = 100 }

[[sender]]
id = "support"
name = "Acme support"
phone_number = "+40700000001"
default = true
routes = ["gw"]
"#;

fn variable(name: &str) -> Option<String> {
    match name {
        "TANDEM_KEY" => Some("zv_live_0123456789abcdef".to_owned()),
        "GW_PW" | "BULK_PW" => Some("hunter2".to_owned()),
        _ => None,
    }
}

pub(super) fn read_text(source: &str) -> Result<Loaded, Rejected> {
    let surroundings = Surroundings {
        variable: &variable,
        folder: Path::new("/nonexistent"),
        now: NOW,
    };
    parse(source, &Overrides::default(), surroundings)
}

pub(super) fn config_of(source: &str) -> Config {
    match read_text(source) {
        Ok(loaded) => loaded.config,
        Err(rejected) => panic!("{:#?}", rejected.errors),
    }
}

/// Every error as `line:column path: what`.
fn errors_of(source: &str) -> Vec<String> {
    let errors = read_text(source)
        .err()
        .map(|it| it.errors)
        .unwrap_or_default();
    errors
        .iter()
        .map(|it| it.line("f").trim_start_matches("f:").to_owned())
        .collect()
}

#[test]
fn the_design_example_says_what_it_says() {
    let config = config_of(DESIGN);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database, Database::Sqlite("./data/tandem.db".into()));
    assert_eq!(
        config.public_url.as_deref(),
        Some("https://msg.example.com")
    );
    let [project] = &config.projects[..] else {
        panic!("one project")
    };
    assert_eq!(
        (project.name.as_str(), project.timezone.as_str()),
        ("Acme", "Europe/Bucharest")
    );
    assert_eq!(project.api_keys[0].scopes, Scope::ALL);
    assert!(!project.api_keys[0].test);
    let [route] = &config.routes[..] else {
        panic!("one route")
    };
    assert_eq!(
        (route.channel, route.class),
        (Channel::Sms, Some(RouteClass::Gateway))
    );
    assert_eq!(route.throughput, Some(50));
    let quota = |per, unit, limit| Quota { per, unit, limit };
    assert_eq!(
        route.quotas.all(),
        [
            quota(Period::Month, QuotaUnit::Messages, 20_000),
            quota(Period::Day, QuotaUnit::Spend, 100_000_000),
        ]
    );
    assert_eq!(route.prices[0].amount, Micros(35_000));
    assert_eq!(route.prices[1].scope, PriceScope::Any);
    let Provider::Smpp(smpp) = &route.provider else {
        panic!("it is SMPP")
    };
    assert_eq!(
        (smpp.host.as_str(), smpp.port, smpp.window),
        ("127.0.0.1", 2775, 100)
    );
    assert_eq!(smpp.password, "hunter2");
    assert!(config.senders[0].is_default);
}

#[test]
fn the_example_file_holds_without_a_warning() {
    let loaded = read_text(EXAMPLE).unwrap();
    assert_eq!(loaded.warnings, []);
    let policy = &loaded.config.projects[0].policy;
    assert_eq!(policy.validity.of(TrafficClass::Bulk), Millis::hours(24));
    let words = summary(&loaded.config).join("\n");
    assert!(
        words.contains(
            "route gw: sms by smpp, gateway, 50 a second, +40: 0.035 a segment; 0.05 a segment EUR"
        ),
        "{words}"
    );
    assert!(
        words.contains("sender support: +40700000001, the default, routes gw, bulk"),
        "{words}"
    );
}

#[test]
fn what_is_not_said_is_the_specifications_default() {
    let config = config_of("[[project]]\nid = \"p\"");
    let policy = &config.projects[0].policy;
    assert_eq!(*policy, domain::model::policy::Policy::default());
    assert_eq!(config.projects[0].idempotency, Idempotency::Conflict);
    assert_eq!(config.limits.backlog, 1_000_000);
    assert_eq!(config.listen, LISTEN);
}

/// One project, then these lines.
fn with(rest: &str) -> String {
    format!("project = [{{ id = \"p\" }}]\n\n{rest}")
}

const ROUTE: &str = "[[route]]\nid = \"r\"\nchannel = \"sms\"\nprovider = \"simulator\"\n";

/// Wrong files and what is told of each: `FILE`, a line `---`, the errors, a line `===`.
const WRONG: &str = include_str!("wrong_files.golden");

/// To take over new wording, set `UPDATE_GOLDEN=1` and look at the difference.
#[test]
fn every_mistake_is_told_with_its_place_and_what_is_allowed() {
    let case = |case: &str| {
        let (source, _) = case.split_once("\n---\n").unwrap();
        format!("{source}\n---\n{}\n===\n", errors_of(source).join("\n"))
    };
    let told: String = WRONG.split_terminator("\n===\n").map(case).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/wrong_files.golden");
        std::fs::write(file, &told).unwrap();
    }
    assert_eq!(told, WRONG);
}

#[test]
fn a_project_and_its_routes_have_quotas_of_their_own_and_the_summary_says_them() {
    let source = "[[project]]\nid = \"p\"\nquota = [{ per = \"hour\", segments = 1234567 }, { per = \"day\", spend = \"0.5\", messages = 0 }]\n[[route]]\nid = \"r\"\nchannel = \"sms\"\nprovider = \"simulator\"\nquota = [{ per = \"month\", messages = 20000 }, { per = \"day\", spend = \"100\" }]\n";
    let config = config_of(source);
    let quotas = &config.projects[0].policy.quotas;
    let limits: Vec<i64> = quotas.all().iter().map(|it| it.limit).collect();
    assert_eq!(limits, [1_234_567, 0, 500_000]);
    let summary = summary(&config).join("\n");
    for words in [
        ", at most 1,234,567 segments an hour, 0 messages a day, 0.50 EUR a day",
        ", at most 20,000 messages a month, 100.00 EUR a day",
    ] {
        assert!(summary.contains(words), "{summary}");
    }
    let without = config_of("project = [{ id = \"p\", quota = [] }]");
    assert!(without.projects[0].policy.quotas.is_none());
}

#[test]
fn without_a_public_url_the_routes_whose_providers_call_are_named() {
    let twilio = "[[route]]\nid = \"tw\"\nchannel = \"sms\"\nprovider = \"twilio\"\ntwilio = { account_sid = \"AC00000000000000000000000000000000\", auth_token = \"t\" }\n";
    let whatsapp = "[[route]]\nid = \"wa\"\nchannel = \"whatsapp\"\nprovider = \"whatsapp\"\nwhatsapp = { phone_number_id = \"1\", access_token = \"a\", app_secret = \"b\", verify_token = \"c\" }\n";
    let told = |source: &str, overrides: &Overrides| -> Vec<String> {
        let surroundings = Surroundings {
            variable: &variable,
            folder: Path::new("/nonexistent"),
            now: NOW,
        };
        let warnings = parse(source, overrides, surroundings).unwrap().warnings;
        let about = warnings.iter().filter(|it| it.path == "public_url");
        about.map(ToString::to_string).collect()
    };
    let both = with(&format!("{ROUTE}{twilio}{whatsapp}"));
    let none = Overrides::default();
    assert_eq!(
        told(&both, &none),
        [
            "public_url: is not set: calls of the providers of the routes \"tw\", \"wa\" can be neither asked for nor verified; receipts and inbound messages may not come"
        ]
    );
    let given = Overrides::from_environment(&|name| {
        (name == "TANDEM_PUBLIC_URL").then(|| "https://msg.example.com".to_owned())
    });
    assert_eq!(told(&both, &given), [""; 0]);
    assert_eq!(told(&with(ROUTE), &none), [""; 0]);
    let off = twilio.replace("channel =", "enabled = false\nchannel =");
    assert_eq!(told(&with(&off), &none), [""; 0]);
}

#[test]
fn the_price_of_a_category_names_it() {
    let prices = "prices = [{ prefix = \"*\", price = \"0\", category = \"service\" }, { prefix = \"*\", price = \"0.06\", category = \"marketing\" }]\n";
    let words = summary(&config_of(&with(&format!("{ROUTE}{prices}")))).join("\n");
    assert!(
        words.contains("0.00 a segment (service); 0.06 a segment (marketing) EUR"),
        "{words}"
    );
}

#[test]
fn a_route_with_media_says_so_and_what_an_mms_costs() {
    let telnyx = "[route.http]\npreset = \"telnyx\"\nsettings = { api_key = \"k\", public_key = \"jxVDocTrO2FlJoVZfs97MvQ/21c2feFE2ZMk8Miq6wk=\" }";
    let twilio =
        "[route.twilio]\naccount_sid = \"AC0123456789abcdef0123456789abcdef\"\nauth_token = \"t\"";
    for (provider, table) in [("twilio", twilio), ("http", telnyx), ("simulator", "")] {
        let source = |prices: &str| {
            format!(
                "public_url = \"https://msg.example.com\"\n[[project]]\nid = \"p\"\n[[route]]\nid = \"r\"\nchannel = \"sms\"\nprovider = \"{provider}\"\nmms = true\n{prices}\n{table}\n[[sender]]\nid = \"s\"\nroutes = [\"r\"]"
            )
        };
        let priced = source("prices = [{ prefix = \"+1\", price = \"0.0079\", mms = \"0.02\" }]");
        let loaded = read_text(&priced).unwrap_or_else(|it| panic!("{:#?}", it.errors));
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        let route = loaded.config.routes[0].to_domain(RouteKey(1), ProjectKey(1));
        assert!(route.mms);
        assert_eq!(route.prices[0].mms, Some(Micros(20_000)));
        let words = summary(&loaded.config).join("\n");
        let want = format!(
            "route r: sms and MMS by {provider}, direct and bulk, +1: 0.0079 a segment, 0.02 an MMS EUR"
        );
        assert!(words.contains(&want), "{words}");

        let unpriced = source("prices = [{ prefix = \"+1\", price = \"0.0079\" }]");
        let warnings = read_text(&unpriced).unwrap().warnings;
        let [warning] = &warnings[..] else {
            panic!("{warnings:?}")
        };
        assert!(
            warning
                .to_string()
                .starts_with("route[0].mms: no line of `prices`")
        );
    }
    let plain = config_of(DESIGN);
    assert!(!plain.routes[0].mms);
}

#[test]
fn the_same_key_twice_is_refused_without_showing_it() {
    let project = |id: &str| {
        format!(
            "[[project]]\nid = \"{id}\"\napi_keys = [{{ name = \"k\", key = \"zv_live_very_secret_key\" }}]\n"
        )
    };
    let errors = errors_of(&(project("a") + &project("b")));
    assert_eq!(
        errors,
        [
            "project.api_keys: the keys \"k\" of project \"a\" and \"k\" of project \"b\" are the same"
        ]
    );
}

#[test]
fn the_first_sender_of_a_project_is_its_default_where_none_says_so() {
    let sender =
        |id: &str, more: &str| format!("[[sender]]\nid = \"{id}\"\nroutes = [\"r\"]\n{more}");
    for (first, second, want) in [
        ("", "", [true, false]),
        ("", "default = true\n", [false, true]),
        ("default = false\n", "", [true, false]),
    ] {
        let config = config_of(&with(&format!(
            "{ROUTE}{}{}",
            sender("a", first),
            sender("b", second)
        )));
        let defaults: Vec<bool> = config.senders.iter().map(|it| it.is_default).collect();
        assert_eq!(defaults, want, "{first:?} {second:?}");
    }
}

#[test]
fn overrides_go_before_the_file_and_flags_before_the_environment() {
    let environment = |name: &str| match name {
        "TANDEM_LISTEN" => Some("127.0.0.1:1".to_owned()),
        "TANDEM_DATABASE" => Some("sqlite:env.db".to_owned()),
        "TANDEM_LOG" => Some("debug".to_owned()),
        "TANDEM_PUBLIC_URL" => Some(String::new()),
        _ => None,
    };
    let surroundings = Surroundings {
        variable: &variable,
        folder: Path::new("."),
        now: NOW,
    };
    let overrides = Overrides::from_environment(&environment)
        .listen(Some("127.0.0.1:2".to_owned()))
        .database(None);
    let config = parse(DESIGN, &overrides, surroundings).unwrap().config;
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.database, Database::Sqlite("env.db".into()));
    assert_eq!(config.log.level, "debug");
    assert_eq!(
        config.public_url.as_deref(),
        Some("https://msg.example.com")
    );

    let wrong =
        Overrides::from_environment(&|name| (name == "TANDEM_LOG").then(|| "=,=".to_owned()))
            .listen(Some("80".to_owned()));
    let rejected = parse(DESIGN, &wrong, surroundings).unwrap_err();
    let lines: Vec<String> = rejected.errors.iter().map(|it| it.line("f")).collect();
    assert_eq!(
        lines,
        [
            "--listen: is \"80\"; must be an address and a port, such as \"127.0.0.1:8080\"",
            "TANDEM_LOG: is \"=,=\"; must be error, warn, info, debug or trace, or targets with levels such as \"info,engine=debug\"",
        ]
    );
}

#[test]
fn no_secret_shows_in_debug_output_or_in_messages() {
    let loaded = read_text(EXAMPLE).unwrap();
    let shown = format!("{loaded:?} {}", summary(&loaded.config).join(" "));
    assert!(
        !shown.contains("hunter2") && !shown.contains("0123456789abcdef"),
        "{shown}"
    );
    let secret = "s3cr3t-value";
    for wrong in [
        format!("[[project]]\nid = \"p\"\napi_keys = [{{ name = \"a\", key = \"{secret}"),
        format!(
            "[[project]]\nid = \"p\"\napi_keys = [{{ name = \"a\", key = \"{secret}\", key = 1 }}]"
        ),
        format!("[[project]]\nid = \"p\"\napi_keys = [{{ name = \"a\", key = [\"{secret}\"] }}]"),
        format!("[[project]]\nid = \"p\"\napi_keys = [{{ nam = \"a\", key = \"{secret}\" }}]"),
    ] {
        let errors = errors_of(&wrong);
        assert!(!errors.is_empty(), "{wrong}");
        assert!(!errors.join(" ").contains(secret), "{errors:?}");
    }
}

#[test]
fn secrets_are_read_from_files_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key.txt"), "zv_live_from_a_file_000\n").unwrap();
    let file = folder.path().join("tandem.toml");
    std::fs::write(
        &file,
        "[[project]]\nid = \"p\"\napi_keys = [{ name = \"a\", key = { file = \"key.txt\" } }]",
    )
    .unwrap();
    let loaded = load(&file, &Overrides::default()).unwrap();
    assert_eq!(
        loaded.config.projects[0].api_keys[0].key.expose(),
        "zv_live_from_a_file_000"
    );

    let rejected = load(&folder.path().join("absent.toml"), &Overrides::default()).unwrap_err();
    assert!(rejected.errors[0].what.starts_with("cannot be read: "));
}

#[test]
fn routes_and_senders_become_those_of_the_domain() {
    let config = config_of(&with(&format!(
        "{ROUTE}class = \"platform\"\n[[route]]\nid = \"off\"\nenabled = false\nchannel = \"sms\"\nprovider = \"simulator\"\n[[sender]]\nid = \"s\"\nroutes = [\"off\", \"r\"]\nphone_number = \"ACME\"\nfallback_after = \"30s\"\ndefault_template = \"hello/en\"\n[sender.keywords]\nusual_words = false\nstop = [\"gata\"]\nhelp_reply = \"\""
    )));
    let route = config.routes[0].to_domain(RouteKey(3), ProjectKey(1));
    assert!(route.simulator && route.receipts);
    assert_eq!(
        (route.key, route.class, &*route.id),
        (RouteKey(3), Some(RouteClass::Platform), "r")
    );
    let made = Timestamp::from_millis(7);
    let on = |id: &str| (id == "r").then_some(RouteKey(3));
    let sender = config.senders[0].to_domain(SenderKey(2), ProjectKey(1), on, made);
    assert_eq!(sender.routes, [RouteKey(3)]);
    assert_eq!(
        (&*sender.address, sender.fallback_after),
        ("ACME", Some(Millis::seconds(30)))
    );
    let template = sender.default_template.map(|it| it.to_string());
    assert_eq!(template.as_deref(), Some("hello/en"));
    assert!(sender.is_default);
    let words = &sender.keywords;
    assert!(words.enabled && !words.usual_words);
    assert_eq!(words.stop, ["gata".into()]);
    assert_eq!(
        (words.help_reply.as_deref(), &words.stop_reply),
        (Some(""), &None)
    );
}

#[test]
fn every_smpp_setting_reaches_the_connector() {
    let source = with(
        "[[route]]\nid = \"r\"\nchannel = \"sms\"\nprovider = \"smpp\"\nreceipts = false\n[route.smpp]\nhost = \"h\"\nsystem_id = \"s\"\npassword = \"p\"\nport = 1\nsystem_type = \"t\"\naddress_range = \"a\"\nservice_type = \"b\"\nbind = \"transmitter_receiver\"\nbinds = 2\nwindow = 3\nconnect_timeout = \"4s\"\nenquire_link = \"5s\"\nenquire_link_timeout = \"6s\"\nresponse_timeout = \"7s\"\nreconnect_min = \"8s\"\nreconnect_max = \"9s\"\nlogin_retry = \"10s\"\ntls = { server_name = \"n\" }\nsource_ton = 5\nsource_npi = 0\ndestination_ton = 2\ndestination_npi = 3\nmessage_mode = 3\ndefault_alphabet = \"latin1\"\nconcatenation = \"sar\"\nvalidity_form = \"absolute\"\nmessage_id_match = \"resp_hex_dlr_dec\"\nreceipt_errors = { 001 = \"recipient_absent\" }\nstatuses = { 0x401 = { failure = \"throttled\" }, 1026 = { failure = \"content_blocked\", for_good = true } }\nparameters = { 0x1400 = \"entity\" }\nunanswered_max = 11\nreassembly_timeout = \"12s\"\nreassembly_hold = \"0s\"",
    );
    let config = config_of(&source);
    let Provider::Smpp(smpp) = &config.routes[0].provider else {
        panic!("it is SMPP")
    };
    let want = connectors::smpp::SmppConfig {
        host: "h".into(),
        port: 1,
        system_id: "s".into(),
        password: "p".into(),
        system_type: "t".into(),
        address_range: "a".into(),
        service_type: "b".into(),
        bind: BindMode::TransmitterReceiver,
        binds: 2,
        window: 3,
        connect_timeout: Millis::seconds(4),
        enquire_link: Millis::seconds(5),
        enquire_link_timeout: Millis::seconds(6),
        response_timeout: Millis::seconds(7),
        reconnect_min: Millis::seconds(8),
        reconnect_max: Millis::seconds(9),
        login_retry: Millis::seconds(10),
        tls: Some(TlsConfig {
            server_name: Some("n".into()),
            ..TlsConfig::default()
        }),
        source_ton: Some(5),
        source_npi: Some(0),
        destination_ton: 2,
        destination_npi: 3,
        message_mode: 3,
        default_alphabet: DefaultAlphabet::Latin1,
        concatenation: Concatenation::SarParameters,
        receipts: false,
        validity_form: ValidityForm::Absolute,
        message_id_match: MessageIdMatch::ResponseHexReceiptDecimal,
        receipt_errors: [("1".to_owned(), FailureClass::RecipientAbsent)].into(),
        statuses: [
            (0x401, Refusal::NotTaken(FailureClass::Throttled)),
            (1026, Refusal::ForGood(FailureClass::ContentBlocked)),
        ]
        .into(),
        parameters: vec![(0x1400, b"entity".to_vec())],
        unanswered_max: 11,
        reassembly_timeout: Millis::seconds(12),
        reassembly_hold: Millis::ZERO,
    };
    assert_eq!(**smpp, want);
}

proptest! {
    #[test]
    fn no_text_makes_the_check_panic(source: String) {
        drop(errors_of(&source));
    }

    /// A file with a piece cut out or doubled: most of these reach deep into the reading.
    #[test]
    fn no_damage_to_a_good_file_makes_the_check_panic(
        at in 0..EXAMPLE.len(),
        length in 0_usize..40,
        put in "[\\[\\]{}\"=.,\\n+a0-9-]{0,6}",
    ) {
        let mut damaged = EXAMPLE.as_bytes().to_vec();
        let end = (at + length).min(damaged.len());
        damaged.splice(at..end, put.bytes());
        drop(errors_of(&String::from_utf8_lossy(&damaged)));
    }
}

#[test]
fn who_answers_stop_follows_from_the_provider_unless_the_file_says() {
    let route = |channel: &str, more: &str, settings: &str| {
        let sid = "AC00000000000000000000000000000000";
        let text = with(&format!(
            "[[route]]\nid = \"r\"\nchannel = \"{channel}\"\nprovider = \"twilio\"\n{more}\n\
             twilio = {{ account_sid = \"{sid}\", auth_token = \"t\"{settings} }}\n"
        ));
        read_text(&text).unwrap().config.routes[0].answers_stop
    };
    let off = ", auto_replies_to_stop = false";
    for (channel, more, settings, want) in [
        ("sms", "", "", true),
        ("sms", "", off, false),
        ("sms", "answers_stop = false", "", false),
        ("sms", "answers_stop = true", off, true),
        ("whatsapp", "", "", false),
    ] {
        assert_eq!(
            route(channel, more, settings),
            want,
            "{channel} {more} {settings}"
        );
    }
}

#[test]
fn a_pool_of_phones_is_of_class_phone_and_its_outcomes_stay_open_for_long_enough() {
    let public = "public_url = \"https://msg.example.com\"";
    let route = |more: &str| {
        format!(
            "{public}\n{}",
            with(&format!(
                "[[route]]\nid = \"r\"\nchannel = \"sms\"\nprovider = \"smsgate\"\n{more}\n"
            ))
        )
    };
    let read = |more: &str| read_text(&route(more)).unwrap().config.routes[0].clone();
    let plain = read("");
    assert_eq!(plain.class, Some(RouteClass::Phone));
    assert_eq!(plain.unknown_wait.direct, Millis::seconds(390));
    let set = read(
        "class = \"phone\"\nunknown_wait = \"10m\"\nreceipts = false\n\
         smsgate = { hold = \"2m\", window = 3, per_hour = 30, ping = \"1m\" }",
    );
    assert_eq!(set.unknown_wait.bulk, Millis::minutes(10));
    let Provider::SmsGate(phones) = &set.provider else {
        panic!("{:?}", set.provider)
    };
    assert_eq!((phones.window, phones.per_hour), (3, 30));
    assert_eq!(phones.hold, Millis::minutes(2));
    assert!(!phones.delivery_reports);
    for (source, want) in [
        (route("class = \"gateway\""), "of class \"phone\""),
        (route("unknown_wait = \"30s\""), "must be at least 390s"),
        (route("smsgate = { hold = \"1s\" }"), "hold"),
        (route("").replace(public, ""), "public_url"),
    ] {
        let errors = errors_of(&source);
        assert!(
            errors.iter().any(|it| it.contains(want)),
            "{want}: {errors:?}"
        );
    }
}

#[test]
fn the_example_of_every_provider_holds() {
    let source = include_str!("../../../../examples/providers.toml");
    let variable = |name: &str| {
        // Telegram's token has a form of its own.
        Some(
            if name == "TG_TOKEN" {
                "1:a"
            } else {
                "a-secret-of-24-characters"
            }
            .to_owned(),
        )
    };
    let surroundings = Surroundings {
        variable: &variable,
        folder: std::path::Path::new("."),
        now: NOW,
    };
    let loaded = parse(source, &Overrides::default(), surroundings).unwrap();
    assert_eq!(loaded.warnings, []);
}
