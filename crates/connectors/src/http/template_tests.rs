//! Placeholders: what fills them, and what mistakes in them are called.

use super::*;
use domain::text::measure;
use serde_json::json;

fn facts(text: &'static str) -> Facts<'static> {
    Facts {
        to: "+40712345678".into(),
        from: "".into(),
        text: text.into(),
        media_url: "".into(),
        media_kind: "",
        reference: "msg_1.2".to_owned(),
        callback_url: "https://m.example/hooks/a",
        validity: Some(Millis::new(90_500)),
        now: Timestamp::from_millis(1_700_000_000_000),
        segments: measure(text),
        category: Category::Otp,
    }
}

fn parse(text: &str) -> Result<Template, String> {
    let settings = BTreeMap::from([
        ("key".to_owned(), "k/1 &".to_owned()),
        ("none".to_owned(), String::new()),
    ]);
    let used = RefCell::default();
    Template::parse(text, &Scope::new(&settings, &used))
}

fn filled(text: &str) -> Value {
    parse(text).unwrap().fill_value(&facts("hé 😀"))
}

#[test]
fn placeholders_are_filled_and_filtered() {
    for (text, want) in [
        ("{{to}}", json!("+40712345678")),
        ("{{ to | digits }}", json!("40712345678")),
        ("to {{to|digits}}!", json!("to 40712345678!")),
        ("{{from|default:ACME}}", json!("ACME")),
        ("{{key}}-{{reference}}", json!("k/1 &-msg_1.2")),
        ("{{validity_seconds}}", json!(90)),
        ("{{validity_ms|clamp:100000..200000}}", json!(100_000)),
        ("{{validity_seconds|text}}", json!("90")),
        ("{{valid_until}}", json!("2023-11-14T22:14:50.5Z")),
        ("{{encoding|map:gsm=text,ucs2=unicode}}", json!("unicode")),
        ("{{is_unicode}}", json!(true)),
        ("{{is_unicode|map:true=1,false=0|number}}", json!(1)),
        ("{{segments}}", json!(1)),
        ("{{category}}", json!("otp")),
        (
            "{{callback_url_with_ref}}",
            json!("https://m.example/hooks/a?ref=msg_1.2"),
        ),
        ("plain }} text", json!("plain }} text")),
        ("", json!("")),
    ] {
        assert_eq!(filled(text), want, "{text}");
    }
}

#[test]
fn what_a_placeholder_holds_is_never_read_as_a_placeholder() {
    let template = parse("{{text}}").unwrap();
    let filled = template.fill(&facts("{{key}} {{to}}"));
    assert_eq!(filled, "{{key}} {{to}}");
}

#[test]
fn a_filling_cannot_break_out_of_a_url() {
    let template = parse("/v1/{{key}}?x={{text}}").unwrap();
    let url = template.fill_url(&facts("a&b=c/é?"));
    assert_eq!(url, "/v1/k%2F1%20%26?x=a%26b%3Dc%2F%C3%A9%3F");
}

#[test]
fn mistakes_are_named() {
    for (text, part) in [
        ("{{tto}}", "`tto`"),
        ("{{to", "not closed"),
        ("{{to|upper}}", "`upper`"),
        ("{{to|clamp:5..1}}", "clamp"),
        ("{{to|map:x}}", "map"),
        ("{{}}", "``"),
    ] {
        let message = parse(text).err().unwrap();
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn what_is_the_same_for_all_messages_cannot_name_a_message() {
    let (settings, used) = (BTreeMap::new(), RefCell::default());
    let scope = Scope::new(&settings, &used);
    assert!(Template::parse("{{to}}", &scope).is_ok());
    assert!(Template::parse("{{to}}", &scope.settings_only()).is_err());
}

#[test]
fn an_optional_branch_is_left_out_when_something_in_it_is_missing() {
    let leaf = |text: &str, optional| Branch {
        optional,
        node: Node::Filled(parse(text).unwrap()),
    };
    let period = Branch {
        optional: true,
        node: Node::Table(vec![
            ("amount".to_owned(), leaf("{{none}}", false)),
            ("unit".to_owned(), leaf("SECONDS", false)),
        ]),
    };
    let kept = Branch {
        optional: true,
        node: Node::Table(vec![
            ("to".to_owned(), leaf("{{to|digits}}", false)),
            ("from".to_owned(), leaf("{{from}}", true)),
        ]),
    };
    let tree = Branch {
        optional: false,
        node: Node::List(vec![period, kept, leaf("{{from}}", false)]),
    };
    let filled = tree.fill(&facts("x")).unwrap();
    assert_eq!(filled, json!([{ "to": "40712345678" }, ""]));
}
