//! Mistakes in descriptions: each is found and named by its key.

use super::*;
use std::fmt::Write as _;

const MINIMAL: &str = r#"
name = "Local"
base_url = "https://sms.example.net/api"
[send]
path = "/send"
body = { to = "{{to}}", text = "{{text}}" }
"#;

/// The problems of the minimal description with something in place of its parts.
fn problems(changed: &str, settings: &[(&str, &str)]) -> String {
    let mut table: toml::Table = toml::from_str(MINIMAL).unwrap();
    lay_over(&mut table, toml::from_str(changed).unwrap());
    let spec = ProviderSpec::read(table).unwrap_or_else(|it| panic!("{it:?}"));
    let settings = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut text = String::new();
    for it in spec.check(&settings).err().unwrap_or_default() {
        writeln!(text, "{} {}", it.path, it.message).unwrap();
    }
    text
}

fn lay_over(base: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(own)) => lay_over(base, own),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[test]
fn a_sound_description_has_no_problems() {
    assert_eq!(problems("", &[]), "");
    let key = "signature = { kind = 'url', secret = '{{key}}' }";
    assert_eq!(problems(key, &[("key", "s3cret")]), "");
    let mms = "send.mms.body = { to = '{{to}}', m = [{ url = '{{media_url}}' }] }";
    assert_eq!(problems(mms, &[]), "");
}

#[test]
fn each_mistake_is_found_and_named_by_its_key() {
    let hmac =
        |rest: &str| format!("signature = {{ kind = 'hmac', header = 'X', key = 'k', {rest} }}");
    for (changed, settings, want) in [
        ("base_url = 'sms.example.net'", &[][..], "base_url is not"),
        ("base_url = 'https://u:p@h.example'", &[], "base_url is not"),
        (
            "base_url = 'https://{{to}}.x'",
            &[],
            "base_url `to` differs",
        ),
        ("send.path = 'send'", &[], "send.path must begin"),
        ("send.path = '/send?x=1'", &[], "send.path must begin"),
        (
            "send.body.x = '{{nope}}'",
            &[],
            "send.body.x `nope` is neither",
        ),
        (
            "send.body.x = [{ y = '{{a' }]",
            &[],
            "send.body.x.0.y a `{{`",
        ),
        ("send.method = 'GET'", &[], "send.method is GET"),
        (
            "send.encoding = 'form'\nsend.body.x = { y = 1 }",
            &[],
            "send.body.x is a table",
        ),
        (
            "send.optional = ['/tto']",
            &[],
            "send.optional \"/tto\" is nowhere",
        ),
        (
            "send.optional = ['to']",
            &[],
            "send.optional \"to\" is no JSON",
        ),
        (
            "send.mms.body = { to = '{{to}}', m = '{{media_url}}', url = '{{nope}}' }",
            &[],
            "send.mms.body.url `nope` is neither",
        ),
        (
            "send.mms.body = { to = '{{to}}' }",
            &[],
            "send.mms.body must name {{media_url}}",
        ),
        (
            "send.mms = { body = { to = '{{to}}', m = ['{{media_url}}'] }, optional = ['/text'] }",
            &[],
            "send.mms.optional \"/text\" is nowhere",
        ),
        ("send.body.to = '1'", &[], "send.body must name {{to}}"),
        ("send.body.text = 'x'", &[], "send.body must name {{text}}"),
        (
            "send.mms.body = { m = '{{media_url}}' }",
            &[],
            "send.mms.body must name {{to}}",
        ),
        (
            "needs.part = ''\nforms.part = 'host_label'",
            &[("part", "evil.com/")],
            "settings.part must be one part of a host name",
        ),
        (
            "defaults.it = 'a'\nchoices.it = ['a', 'b']",
            &[("it", "mars")],
            "settings.it is none of \"a\", \"b\"",
        ),
        ("forms.x = 'word'", &[], "forms.x is neither"),
        ("choices.x = []", &[], "choices.x is neither"),
        (
            "send.headers = { 'X Y' = '' }",
            &[],
            "send.headers.X Y \"X Y\" is not",
        ),
        ("send.ok.items = '/m'", &[], "send.ok.id is missing"),
        (
            "send.ok.items = 'm'\nsend.ok.id = '/i'",
            &[],
            "send.ok.items is no",
        ),
        (
            "send.ok.price = { amount = '/p', currency_is = 'euro' }",
            &[],
            "send.ok.price.currency_is is no currency",
        ),
        (
            "send.ok.price = { amount = '/p' }",
            &[],
            "send.ok.price needs",
        ),
        (
            "needs.key = 'the key'",
            &[],
            "settings.key is missing: the key",
        ),
        ("", &[("kee", "x")], "settings.kee is used nowhere"),
        ("defaults.from = 'x'", &[], "settings.from is a name"),
        (
            "auth = { kind = 'bearer', token = '{{text}}' }",
            &[],
            "auth.token `text` differs",
        ),
        (
            "receipts = { status = '/s', status_map = {} }",
            &[],
            "receipts need `id` or `ref`",
        ),
        (
            "receipts = { id = '/i', status = '/s', status_map = {}, reply = { http = 500 } }",
            &[],
            "receipts.reply.http must be",
        ),
        (
            "[inbound]\nfrom = '/f'\nto = '/t'\ntext = '/x'\nat = { place = '/a', format = 'iso' }",
            &[],
            "inbound.at.format is neither",
        ),
        (
            "signature = { kind = 'url', secret = '' }",
            &[],
            "signature.secret is empty",
        ),
        (
            "signature = { kind = 'ed25519', header = 'A', timestamp_header = 'B', key = 'AAAA' }",
            &[],
            "signature.key is not a public key",
        ),
        (
            &hmac("signed = '{body}{time}'"),
            &[],
            "signature.signed may name",
        ),
        (
            &hmac("signed = '{timestamp}.{body}'"),
            &[],
            "where `timestamp_header`",
        ),
        (&hmac("nonce_header = 'N'"), &[], "where `nonce_header`"),
        (&hmac("signed = '{url}'"), &[], "must name {body}"),
        (
            "probe = { path = '/{{to}}' }",
            &[],
            "probe.path `to` differs",
        ),
    ] {
        let found = problems(changed, settings);
        assert!(found.contains(want), "{changed}\n{found}");
        assert_eq!(found.lines().count(), 1, "{changed}\n{found}");
    }
}

#[test]
fn path_query_and_headers_may_say_to_whom_and_what() {
    for around in [
        "send = { path = '/{{to}}', query = { t = '{{text}}' } }",
        "send = { headers = { To = '{{to}}', Text = '{{text}}' } }",
    ] {
        let mut table: toml::Table = toml::from_str(MINIMAL).unwrap();
        lay_over(&mut table, toml::from_str(around).unwrap());
        table["send"]["body"] = toml::Value::Table(toml::from_str("id = 1").unwrap());
        let found = ProviderSpec::read(table).unwrap().check(&BTreeMap::new());
        assert_eq!(found.err(), None, "{around}");
    }
}

#[test]
fn no_setting_of_a_preset_makes_another_host() {
    for (preset, name, wrong) in [
        ("infobip", "subdomain", "evil.com/"),
        ("infobip", "subdomain", "evil.com#"),
        ("infobip", "subdomain", "a.b"),
        ("sinch", "region", "mars"),
        ("sinch", "region", "evil.com/"),
        ("sinch", "service_plan_id", "../x"),
    ] {
        let spec = ProviderSpec::preset(preset).unwrap();
        let mut settings: BTreeMap<String, String> = spec
            .needs
            .keys()
            .map(|it| (it.clone(), "a".to_owned()))
            .collect();
        assert!(spec.check(&settings).is_ok(), "{preset}");
        settings.insert(name.to_owned(), wrong.to_owned());
        let found = spec.check(&settings).err().unwrap_or_default();
        let paths: Vec<&str> = found.iter().map(|it| &*it.path).collect();
        assert_eq!(paths, [format!("settings.{name}")], "{preset} {wrong}");
        assert!(!found[0].message.contains(wrong), "it may be a secret");
    }
}

#[test]
fn a_missing_setting_is_reported_once() {
    let spec = ProviderSpec::preset("infobip").unwrap();
    let found = spec.check(&BTreeMap::new()).unwrap_err();
    let paths: Vec<&str> = found.iter().map(|it| &*it.path).collect();
    let want = [
        "settings.api_key",
        "settings.callback_secret",
        "settings.subdomain",
    ];
    assert_eq!(paths, want);
}

#[test]
fn no_secret_is_shown_by_debug() {
    let spec = ProviderSpec::preset("telnyx").unwrap();
    let key = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    let settings = [("api_key", "KEY0123"), ("public_key", key)];
    let settings = settings.map(|it| (it.0.to_owned(), it.1.to_owned()));
    let provider = spec.check(&BTreeMap::from(settings)).unwrap();
    let shown = format!("{provider:?}");
    assert!(
        shown.contains("api.telnyx.com") && !shown.contains("KEY0123"),
        "{shown}"
    );
}
