//! R-WIN-3: how templates are filled, and what may stand in them.

use super::*;
use crate::model::channel::Channel;
use crate::model::content::{Content, MessageType, PriceCategory};
use crate::model::template::TemplateDefinition;

fn template(body: &str) -> TemplateText {
    TemplateText {
        definition: TemplateDefinition {
            name: "order_update".into(),
            language: "en_US".into(),
            category: PriceCategory::Utility,
            header: None,
            body: body.into(),
            footer: None,
            buttons: Vec::new(),
            add_security_recommendation: false,
            code_expiration_minutes: None,
        },
        variables: Vec::new(),
        sms_body: None,
        telegram_body: None,
        instagram_body: None,
    }
}

fn button(kind: ButtonKind) -> ButtonDefinition {
    ButtonDefinition {
        kind,
        text: Some("Go".into()),
        url: None,
        example: None,
        phone_number: None,
        otp_type: None,
        package_name: None,
        signature_hash: None,
    }
}

fn url_button(url: &str) -> ButtonDefinition {
    ButtonDefinition {
        url: Some(url.into()),
        ..button(ButtonKind::Url)
    }
}

fn values(body: &[(&str, &str)]) -> TemplateValues {
    TemplateValues {
        body: map(body),
        ..TemplateValues::default()
    }
}

fn map(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<Box<str>, Box<str>> {
    let boxed = |it: &(&str, &str)| (it.0.into(), it.1.into());
    pairs.iter().map(boxed).collect()
}

fn filled(text: &TemplateText, values: &TemplateValues) -> Result<TemplateUse, FillError> {
    fill(TemplateId::from_key(1), text, values)
}

#[test]
fn placeholders_are_numbers_or_names_between_double_braces() {
    for (text, want) in [
        ("", &[][..]),
        ("no placeholder", &[]),
        ("Hi {{1}}", &["1"]),
        ("{{2}} before {{1}}, {{2}} again", &["1", "2"]),
        ("{{10}} {{9}}", &["9", "10"]),
        ("{{name}} and {{order_id}}", &["name", "order_id"]),
        ("{{b}} {{a}} {{b}}", &["b", "a"]),
        ("{{ name }} {{}} {{0}} {{01}} {{1a}} {{a-b}}", &[]),
        ("{{{1}}} {{{{x}}}}", &["x"]),
        ("open {{1", &[]),
        ("{{ {{1}}", &["1"]),
        ("ß{{1}}é", &["1"]),
    ] {
        assert_eq!(placeholders(text), want, "{text:?}");
    }
}

#[test]
fn the_pieces_make_up_the_text() {
    for text in [
        "",
        "a{{1}}b",
        "{{1}}{{2}}",
        "{{x",
        "}}{{",
        "{{{1}}}",
        "é{{ü}}{{u}}",
    ] {
        let whole: String = pieces(text)
            .iter()
            .map(|it| match it {
                Piece::Text(words) => (*words).to_owned(),
                Piece::Placeholder(name) => format!("{{{{{name}}}}}"),
            })
            .collect();
        assert_eq!(whole, text);
    }
}

#[test]
fn a_missing_variable_is_named_and_extra_ones_are_ignored() {
    let text = template("Hi {{1}}, order {{2}}");
    let use_ = filled(&text, &values(&[("1", "Ana"), ("2", "A-17"), ("9", "x")])).unwrap();
    assert_eq!(use_.plain_text.as_deref(), Some("Hi Ana, order A-17"));
    let texts: Vec<_> = use_.body.iter().map(|it| (&it.name, &*it.text)).collect();
    assert_eq!(texts, [(&None, "Ana"), (&None, "A-17")]);
    for given in [&[("1", "Ana")][..], &[("1", "Ana"), ("2", "")]] {
        assert_eq!(
            filled(&text, &values(given)),
            Err(FillError::Missing("2".into()))
        );
    }
}

#[test]
fn named_placeholders_keep_their_names_in_the_order_of_the_text() {
    let text = template("{{order}} for {{name}}, {{order}}");
    let use_ = filled(&text, &values(&[("name", "Ana"), ("order", "A-17")])).unwrap();
    assert_eq!(use_.plain_text.as_deref(), Some("A-17 for Ana, A-17"));
    let names: Vec<_> = use_.body.iter().map(|it| it.name.as_deref()).collect();
    assert_eq!(names, [Some("order"), Some("name")]);
}

#[test]
fn numbered_placeholders_are_also_filled_by_the_names_that_the_template_gives_them() {
    let mut text = template("Hi {{1}}, order {{2}}");
    text.variables = vec!["customer".into(), "order".into()];
    let use_ = filled(&text, &values(&[("customer", "Ana"), ("2", "A-17")])).unwrap();
    assert_eq!(use_.plain_text.as_deref(), Some("Hi Ana, order A-17"));
}

#[test]
fn a_value_is_not_looked_into_for_placeholders() {
    let use_ = filled(&template("{{1}}"), &values(&[("1", "{{1}}")])).unwrap();
    assert_eq!(use_.plain_text.as_deref(), Some("{{1}}"));
}

#[test]
fn sms_and_telegram_have_their_own_words_where_the_template_says_so() {
    for (sms, telegram, want_sms, want_telegram) in [
        (None, None, "Body Ana", None),
        (Some("Sms {{1}}"), None, "Sms Ana", None),
        (None, Some("Tg {{1}}"), "Body Ana", Some("Tg Ana")),
        (Some("Sms"), Some("Tg"), "Sms", Some("Tg")),
    ] {
        let mut text = template("Body {{1}}");
        text.sms_body = sms.map(Into::into);
        text.telegram_body = telegram.map(Into::into);
        let use_ = filled(&text, &values(&[("1", "Ana")])).unwrap();
        assert_eq!(use_.plain_text.as_deref(), Some(want_sms));
        assert_eq!(use_.telegram_text.as_deref(), want_telegram);
        let content = Content {
            kind: MessageType::Template,
            template: Some(use_),
            ..Content::text("not this")
        };
        for (channel, want) in [
            (Channel::Sms, want_sms),
            (Channel::WhatsApp, "Body Ana"),
            (Channel::Telegram, want_telegram.unwrap_or(want_sms)),
        ] {
            assert_eq!(content.plain_text_on(channel), Some(want));
            let worded = content.worded_for(channel);
            let sent = worded.as_ref().unwrap_or(&content).plain_text();
            if channel != Channel::WhatsApp {
                assert_eq!(sent, Some(want), "{channel:?}");
            }
        }
    }
}

#[test]
fn a_one_time_codes_button_takes_the_code_of_the_body() {
    let mut text = template("{{1}} is your code");
    text.definition.category = PriceCategory::Authentication;
    text.definition.buttons = vec![button(ButtonKind::Otp)];
    let mut given = values(&[("1", "123456")]);
    let code = |given: &TemplateValues| filled(&text, given).unwrap().buttons[0].text.clone();
    assert_eq!(&*code(&given), "123456");
    given.buttons.insert(0, "654321".into());
    assert_eq!(&*code(&given), "654321");
}

#[test]
fn only_buttons_with_something_to_fill_are_filled() {
    let mut text = template("x");
    text.definition.buttons = vec![
        button(ButtonKind::QuickReply),
        url_button("https://a.example/{{1}}"),
        url_button("https://a.example/"),
    ];
    let mut given = TemplateValues::default();
    assert_eq!(filled(&text, &given), Err(FillError::MissingForButton(1)));
    given.buttons = [(1, "A-17".into()), (2, "ignored".into())].into();
    let buttons = |given: &TemplateValues| {
        let filled = filled(&text, given).unwrap().buttons;
        filled
            .into_iter()
            .map(|it| (it.index, it.text))
            .collect::<Vec<_>>()
    };
    assert_eq!(buttons(&given), [(1, "A-17".into())]);
    given.buttons.insert(0, "YES".into());
    assert_eq!(buttons(&given), [(0, "YES".into()), (1, "A-17".into())]);
}

#[test]
fn a_header_is_filled_by_its_kind() {
    let with = |kind, content: Option<&str>| {
        let mut text = template("x {{name}}");
        let content = content.map(Into::into);
        text.definition.header = Some(HeaderDefinition { kind, content });
        text
    };
    let header = |text: &TemplateText, header: &[(&str, &str)]| {
        let mut given = values(&[("name", "Ana"), ("1", "no")]);
        given.header = map(header);
        filled(text, &given).map(|it| it.header)
    };
    assert_eq!(
        header(&with(HeaderKind::Text, Some("plain")), &[]),
        Ok(None)
    );
    let numbered = with(HeaderKind::Text, Some("Order {{1}}"));
    assert_eq!(
        header(&numbered, &[]),
        Err(FillError::MissingInHeader("1".into())),
        "the body's numbers are not the header's"
    );
    let text = |name: Option<&str>, text: &str| {
        Ok(Some(TemplateHeader::Text(TemplateParameter {
            name: name.map(Into::into),
            text: text.into(),
        })))
    };
    assert_eq!(header(&numbered, &[("1", "A-17")]), text(None, "A-17"));
    let named = with(HeaderKind::Text, Some("For {{name}}"));
    assert_eq!(header(&named, &[]), text(Some("name"), "Ana"));

    for kind in [HeaderKind::Image, HeaderKind::Video, HeaderKind::Document] {
        let medium = |url: Option<&str>, id: Option<&str>, filename: Option<&str>| {
            Ok(Some(TemplateHeader::Medium {
                kind,
                url: url.map(Into::into),
                id: id.map(Into::into),
                filename: filename.map(Into::into),
            }))
        };
        let (bare, own) = (with(kind, None), with(kind, Some("https://a.example/x")));
        assert_eq!(header(&bare, &[]), Err(FillError::MissingMedium(kind)));
        assert_eq!(
            header(&own, &[]),
            medium(Some("https://a.example/x"), None, None)
        );
        assert_eq!(
            header(
                &own,
                &[("mediaUrl", "https://b.example"), ("filename", "y")]
            ),
            medium(Some("https://b.example"), None, Some("y"))
        );
        assert_eq!(
            header(&own, &[("mediaId", "77")]),
            medium(None, Some("77"), None)
        );
    }
}

#[test]
fn a_default_template_takes_the_messages_text_where_it_has_one_place_for_it() {
    let default = |body: &str, message: Option<&str>| {
        let filled = fill_default(TemplateId::from_key(1), &template(body), message);
        filled.and_then(|it| it.plain_text.map(String::from))
    };
    let long = "x".repeat(BODY_MAX);
    for (body, message, want) in [
        ("You have news", Some("Hi"), Some("You have news")),
        ("You have news", None, Some("You have news")),
        ("Acme: {{1}}", Some(" Hi "), Some("Acme: Hi")),
        ("Acme: {{text}}", Some("Hi"), Some("Acme: Hi")),
        ("Acme: {{1}}", None, None),
        ("{{1}} {{2}}", Some("Hi"), None),
        ("Acme: {{1}}", Some(&long), None),
    ] {
        assert_eq!(
            default(body, message).as_deref(),
            want,
            "{body} {message:?}"
        );
    }
}

#[test]
fn only_an_approved_template_may_go_on_whatsapp() {
    for status in TemplateStatus::ALL {
        let want = status == TemplateStatus::Approved;
        assert_eq!(may_go_on_whatsapp(status), want, "{status:?}");
    }
}

mod what_may_stand_in_it;
