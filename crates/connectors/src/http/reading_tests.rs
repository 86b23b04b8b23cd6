//! Mistakes in the reading of descriptions: each is told in our words, at its place, and all of them.

use super::*;

fn problem(text: &str) -> (String, String) {
    let mut problems = ProviderSpec::read(toml::from_str(text).unwrap()).unwrap_err();
    let problem = problems.remove(0);
    (problem.path, problem.message)
}

/// The words of serde never come through: each says what is given, and what must be.
#[test]
fn a_value_of_the_wrong_kind_is_told_in_our_words_at_its_key() {
    for (wrong, path, message) in [
        (
            "name = 5",
            "name",
            "is a whole number; must be text in quotes",
        ),
        (
            "name = 2026-01-31",
            "name",
            "is a date; must be text in quotes",
        ),
        ("send = 'x'", "send", "is text; must be a table in { }"),
        (
            "send.headers = 'x'",
            "send.headers",
            "is text; must be a table in { }",
        ),
        (
            "send.optional = 1.5",
            "send.optional",
            "is a number with decimals; must be a list in [ ]",
        ),
        (
            "send.query.x = true",
            "send.query.x",
            "is true or false; must be text in quotes",
        ),
        (
            "send.encoding = 1",
            "send.encoding",
            "is a whole number; must be text in quotes",
        ),
        (
            "send.encoding = 'xml'",
            "send.encoding",
            "is \"xml\"; allowed: \"json\", \"form\", \"query\"",
        ),
        (
            "receipts.reply.http = 'ok'",
            "receipts.reply.http",
            "is text; must be a whole number from 0 to 65535",
        ),
        (
            "receipts.reply.http = 70000",
            "receipts.reply.http",
            "is 70000; must be a whole number from 0 to 65535",
        ),
        (
            "[[send.rules]]\noutcome = 'blocked'\nrecipient_only = 'yes'",
            "send.rules[0].recipient_only",
            "is text; must be true or false",
        ),
        (
            "send.ok.http = [99]",
            "send.ok.http[0]",
            "is 99; must be an HTTP status such as 429, or \"5xx\"",
        ),
        (
            "send.ok.id = { place = '/id' }",
            "send.ok.id",
            "is a table; must be a text or a list of texts",
        ),
    ] {
        let told = problem(&format!("preset = 'telnyx'\n{wrong}"));
        assert_eq!(told, (path.to_owned(), message.to_owned()), "{wrong}");
    }
}

/// Each at the place where it is written, whatever else is wrong around it.
#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "nome = 'x'
        base_url = 1
        colour = 'red'
        auth = { kind = 'basic', username = 'u', user = 'u' }
        [send]
        pfad = '/'
        path = 5
        body = {}
        ok = { http = [99, 200, 98] }
        [[send.rules]]
        code = '1'
        [[send.rules]]
        outcome = 'nope'
        cod = '2'
        [[send.rules]]
        outcome = 'blocked'
        cude = '3'
        [inbound]
        frm = '/f'
        [signature]
        kind = 'hmac'
        heder = 'x'
        [zzz]
        a = 1";
    let problems = ProviderSpec::read(toml::from_str(text).unwrap()).unwrap_err();
    let mut paths: Vec<&str> = problems.iter().map(|it| &*it.path).collect();
    paths.sort_unstable();
    let want = [
        "auth.password",
        "auth.user",
        "base_url",
        "colour",
        "inbound.frm",
        "inbound.from",
        "name",
        "nome",
        "send.ok.http[0]",
        "send.ok.http[2]",
        "send.path",
        "send.pfad",
        "send.rules[0].outcome",
        "send.rules[1].cod",
        "send.rules[1].outcome",
        "send.rules[2].cude",
        "signature.header",
        "signature.heder",
        "zzz",
    ];
    assert_eq!(paths, want);
}

#[test]
fn what_is_wrong_in_a_table_of_a_kind_is_told_at_its_key() {
    for (wrong, path, message) in [
        (
            "auth = 'none'",
            "auth",
            "is text; must be a table with a `kind`",
        ),
        ("auth = { kind = 1 }", "auth.kind", "must be text in quotes"),
        (
            "auth = { kind = 'bear' }",
            "auth.kind",
            "is \"bear\"; allowed: \"none\", \"basic\", \"bearer\", \"header\", \"query\"",
        ),
        ("auth = { kind = 'bearer' }", "auth.token", "is missing"),
        (
            "auth = { kind = 'bearer', token = 7 }",
            "auth.token",
            "is a whole number; must be text in quotes",
        ),
        (
            "auth = { kind = 'none', token = 'x' }",
            "auth.token",
            "is not a known setting",
        ),
        (
            "signature = { kind = 'hmac', header = 'X', key = 'k', tolerance = '5m' }",
            "signature.tolerance",
            "is text; must be a whole number from 0 to 4294967295",
        ),
        (
            "signature = { kind = 'url', secrt = 'k' }",
            "signature.secrt",
            "is not a known setting",
        ),
    ] {
        let told = problem(&format!("preset = 'telnyx'\n{wrong}"));
        assert_eq!(told, (path.to_owned(), message.to_owned()), "{wrong}");
    }
}

#[test]
fn a_missing_key_is_told_where_it_must_stand() {
    let begin = "name = 'x'\nbase_url = 'https://x'\n";
    for (rest, path) in [
        ("[send]\npath = '/'", "send.body"),
        ("auth = { token = 'x' }", "auth.kind"),
        ("", "send"),
    ] {
        let told = problem(&format!("{begin}{rest}"));
        assert_eq!(told, (path.to_owned(), "is missing".to_owned()));
    }
}

#[test]
fn what_stands_in_the_body_stays_as_it_is_written() {
    let text = "preset = 'telnyx'\nsend.body.x = [1, 1.5, true, 'a', { b = 2 }]";
    let spec = ProviderSpec::read(toml::from_str(text).unwrap()).unwrap();
    let want: Table = toml::from_str("x = [1, 1.5, true, 'a', { b = 2 }]").unwrap();
    assert_eq!(spec.send.body["x"], want["x"]);
}
