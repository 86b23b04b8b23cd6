//! What is told beside the errors of wrong files: warnings, the summary, secrets from elsewhere.

use super::tests::{DESIGN, config_of, read_text};
use super::unpriced_tests::NOW;
use super::*;

/// What is allowed in a description of a provider, and probably not meant.
#[test]
fn a_description_that_believes_everybody_or_hides_its_mms_is_warned_of() {
    let warnings = |more: &str| {
        let source = format!(
            r#"
public_url = "https://msg.example.com"
[[project]]
id = "p"
[[sender]]
id = "s"
phone_number = "+40700000001"
routes = ["r"]
[[route]]
id = "r"
channel = "sms"
provider = "http"
[route.http]
name = "Own"
base_url = "https://sms.example.net"
send.path = "/"
send.body = {{ to = "{{{{to}}}}", text = "{{{{text}}}}" }}
{more}
"#
        );
        let warnings = read_text(&source).unwrap().warnings;
        let of_http = warnings.iter().filter(|it| it.path.contains("http"));
        of_http
            .map(|it| (it.path.clone(), it.place.is_some()))
            .collect::<Vec<_>>()
    };
    let receipts = "receipts = { id = \"/id\", status = \"/s\", status_map = {} }";
    let signature = "signature = { kind = \"url\", secret = \"s\" }";
    let at = |path: &str| vec![(path.to_owned(), true)];
    assert_eq!(warnings(""), []);
    assert_eq!(warnings(receipts), at("route[0].http.signature"));
    let inbound = "inbound = { from = \"/f\", to = \"/t\", text = \"/x\" }";
    assert_eq!(warnings(inbound), at("route[0].http.signature"));
    let none = format!("{receipts}\nsignature = {{ kind = \"none\" }}");
    assert_eq!(warnings(&none), at("route[0].http.signature"));
    assert_eq!(warnings(&format!("{receipts}\n{signature}")), []);
    let mms = "send.mms.body = { to = \"{{to}}\", m = \"{{media_url}}\" }";
    assert_eq!(warnings(mms), at("route[0].http.send.mms"));
}

#[test]
fn a_secret_from_elsewhere_is_on_one_line_too() {
    let source = DESIGN.replace("GW_PW", "TORN");
    let surroundings = Surroundings {
        variable: &|name| {
            Some(format!(
                "zv_live_0123456789abcdef{}",
                if name == "TORN" { "\n" } else { "" }
            ))
        },
        now: NOW,
        folder: Path::new("/nonexistent"),
    };
    let rejected = parse(&source, &Overrides::default(), surroundings).unwrap_err();
    let told: Vec<String> = rejected.errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["route[0].smpp.password: holds a line break or another control character"]
    );
}

#[test]
fn messages_of_whatsapp_have_no_segments_in_the_summary() {
    let source = DESIGN.replace(
        "[[sender]]",
        "[[route]]\nid = \"wa\"\nchannel = \"whatsapp\"\nprovider = \"simulator\"\n\
         prices = [ { prefix = \"*\", price = \"0.01\" } ]\n[[sender]]",
    );
    let lines = summary(&config_of(&source));
    let line = |id: &str| {
        let start = format!("  route {id}: ");
        lines.iter().find(|it| it.starts_with(&start)).unwrap()
    };
    assert!(line("wa").contains("0.01 a message EUR"), "{lines:?}");
    assert!(line("gw").contains("0.05 a segment EUR"), "{lines:?}");
}

#[test]
fn warnings_do_not_refuse_a_configuration() {
    let source = "[[project]]\nid = \"p\"\napi_keys = [{ name = \"sdk\", key = \"My API Key\" }, { name = \"t\", key = \"zv_test_0123456789\" }]";
    let warnings: Vec<String> = read_text(source)
        .unwrap()
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        warnings,
        [
            "project[0]: it has a test key and no simulator route: test messages will be refused (R-TEST)",
            "project[0]: it has no sender: nothing can be sent",
            "project[0].api_keys[0].key: is shorter than 16 characters and may be guessed",
        ]
    );
}
