//! R-WIN-3: which templates are refused, and what is told of them.

use super::*;
use TemplateField as Field;
use TemplateProblem as Problem;

fn change(change: impl FnOnce(&mut TemplateText)) -> Vec<(Field, Problem)> {
    let mut text = template("Hi {{1}}");
    change(&mut text);
    problems(&text)
}

fn body(body: &str) -> Vec<(Field, Problem)> {
    change(|it| it.definition.body = body.into())
}

fn buttons(buttons: Vec<ButtonDefinition>) -> Vec<(Field, Problem)> {
    change(|it| it.definition.buttons = buttons)
}

#[test]
fn a_plain_template_has_no_problem() {
    assert_eq!(change(|_| ()), []);
}

#[test]
fn names_and_languages_have_a_form() {
    for (name, good) in [
        ("a", true),
        ("a_1", true),
        ("", false),
        ("A", false),
        ("a-b", false),
    ] {
        let found = change(|it| it.definition.name = name.into());
        assert_eq!(found.is_empty(), good, "{name}");
    }
    let longest = "a".repeat(512);
    assert_eq!(change(|it| it.definition.name = longest.clone().into()), []);
    let longer = change(|it| it.definition.name = format!("{longest}a").into());
    assert_eq!(longer, [(Field::Name, Problem::NameForm)]);
    for (language, good) in [
        ("en", true),
        ("fil", true),
        ("zh_Hant", true),
        ("EN", false),
        ("e", false),
        ("en-US", false),
    ] {
        let found = change(|it| it.definition.language = language.into());
        assert_eq!(found.is_empty(), good, "{language}");
    }
}

#[test]
fn lengths_are_counted_in_characters_and_end_at_their_limit() {
    type Set = fn(&mut TemplateText, Box<str>);
    let cases: [(Set, Field, usize); 4] = [
        (|it, x| it.definition.body = x, Field::Body, 1_024),
        (|it, x| it.definition.footer = Some(x), Field::Footer, 60),
        (|it, x| it.sms_body = Some(x), Field::SmsBody, 4_096),
        (
            |it, x| {
                it.definition.header = Some(HeaderDefinition {
                    kind: HeaderKind::Text,
                    content: Some(x),
                });
            },
            Field::HeaderContent,
            60,
        ),
    ];
    for (set, field, max) in cases {
        assert_eq!(change(|it| set(it, "é".repeat(max).into())), []);
        let longer = change(|it| set(it, "é".repeat(max + 1).into()));
        assert_eq!(longer, [(field, Problem::TooLong(max))]);
        let empty = change(|it| set(it, " ".into()));
        assert_eq!(empty, [(field, Problem::Required)]);
    }
}

#[test]
fn placeholders_are_of_one_kind_and_numbered_without_a_gap() {
    for (text, want) in [
        ("{{1}} {{2}}", None),
        ("{{2}} {{1}}", None),
        ("{{a}} {{b}}", None),
        ("{{1}} {{a}}", Some(Problem::Mixed)),
        ("{{2}}", Some(Problem::Gap)),
        ("{{1}} {{3}}", Some(Problem::Gap)),
        ("{{ a }}", Some(Problem::Malformed)),
        ("{{1}} }}", Some(Problem::Malformed)),
    ] {
        let want: Vec<_> = want.map(|it| (Field::Body, it)).into_iter().collect();
        assert_eq!(body(text), want, "{text}");
    }
}

#[test]
fn a_text_for_another_channel_may_leave_out_the_first_of_two() {
    let found = change(|it| {
        it.definition.body = "{{1}} {{2}}".into();
        it.sms_body = Some("{{2}}".into());
    });
    assert_eq!(found, []);
    let named = change(|it| {
        it.definition.body = "{{a}} {{b}}".into();
        it.telegram_body = Some("{{b}} {{c}}".into());
    });
    let problem = Problem::NotInBody("c".into());
    assert_eq!(problem.to_string(), "has {{c}}, which is not in the body");
    assert_eq!(named, [(Field::TelegramBody, problem)]);
}

#[test]
fn names_are_for_each_number_of_the_body_and_each_once() {
    for (body, names, want) in [
        ("{{1}} {{2}}", &[] as &[&str], None),
        ("{{1}} {{2}}", &["a", "b"], None),
        ("{{a}} {{b}}", &["a", "b"], None),
        ("{{1}} {{2}}", &["a"], Some(Problem::Count(2))),
        ("{{1}}", &["a", "b"], Some(Problem::Count(1))),
        ("plain", &["a"], Some(Problem::Count(0))),
        ("{{1}} {{2}}", &["a", "a"], Some(Problem::Twice("a".into()))),
    ] {
        let found = change(|it| {
            it.definition.body = body.into();
            it.variables = names.iter().map(|it| (*it).into()).collect();
        });
        let want: Vec<_> = want.map(|it| (Field::Variables, it)).into_iter().collect();
        assert_eq!(found, want, "{body} {names:?}");
    }
}

#[test]
fn texts_for_other_channels_use_the_bodys_kind_of_placeholders_and_may_use_fewer() {
    for (sms, want) in [
        ("plain", None),
        ("{{1}}", None),
        ("{{2}}", Some(Problem::NotInBody("2".into()))),
        ("{{1}} {{9}}", Some(Problem::NotInBody("9".into()))),
        ("{{name}}", Some(Problem::OtherKind)),
        ("{{1}}{{x}}", Some(Problem::Mixed)),
        ("{{", Some(Problem::Malformed)),
    ] {
        let found = change(|it| it.sms_body = Some(sms.into()));
        let want: Vec<_> = want.map(|it| (Field::SmsBody, it)).into_iter().collect();
        assert_eq!(found, want, "{sms}");
    }
}

#[test]
fn a_header_has_one_placeholder_at_most_and_a_medium_is_a_url() {
    for (kind, content, want) in [
        (HeaderKind::Text, "Order {{1}}", None),
        (
            HeaderKind::Text,
            "{{1}} {{2}}",
            Some(Problem::OnePlaceholder),
        ),
        (HeaderKind::Image, "https://a.example/x.png", None),
        (HeaderKind::Video, "x.mp4", Some(Problem::NotAUrl)),
    ] {
        let found = change(|it| {
            let content = Some(content.into());
            it.definition.header = Some(HeaderDefinition { kind, content });
        });
        let want: Vec<_> = want
            .map(|it| (Field::HeaderContent, it))
            .into_iter()
            .collect();
        assert_eq!(found, want, "{content}");
    }
}

#[test]
fn buttons_are_three_at_most_with_25_characters() {
    let plain = || button(ButtonKind::QuickReply);
    assert_eq!(buttons(vec![plain(), plain(), plain()]), []);
    assert_eq!(
        buttons(vec![plain(), plain(), plain(), plain()]),
        [(Field::Buttons, Problem::TooMany(3))]
    );
    let labelled = |text: Option<String>| {
        let text = text.map(Into::into);
        buttons(vec![ButtonDefinition { text, ..plain() }])
    };
    assert_eq!(labelled(Some("x".repeat(25))), []);
    assert_eq!(
        labelled(Some("x".repeat(26))),
        [(Field::ButtonText(0), Problem::TooLong(25))]
    );
    assert_eq!(labelled(None), [(Field::ButtonText(0), Problem::Required)]);
}

#[test]
fn each_kind_of_button_has_what_it_needs() {
    for (url, want) in [
        ("https://a.example/{{1}}", None),
        ("https://a.example", None),
        ("", Some(Problem::Required)),
        ("a.example", Some(Problem::NotAUrl)),
        ("https://{{1}}.example", Some(Problem::NotAtTheEnd)),
        (
            "https://a.example/{{1}}{{2}}",
            Some(Problem::OnePlaceholder),
        ),
    ] {
        let want: Vec<_> = want
            .map(|it| (Field::ButtonUrl(0), it))
            .into_iter()
            .collect();
        assert_eq!(buttons(vec![url_button(url)]), want, "{url}");
    }
    for (number, want) in [
        (Some("+40712345678"), None),
        (None, Some(Problem::Required)),
        (Some("call me"), Some(Problem::NotAPhone)),
    ] {
        let phone_number = number.map(Into::into);
        let it = ButtonDefinition {
            phone_number,
            ..button(ButtonKind::Phone)
        };
        let want: Vec<_> = want
            .map(|it| (Field::ButtonPhone(0), it))
            .into_iter()
            .collect();
        assert_eq!(buttons(vec![it]), want, "{number:?}");
    }
    assert_eq!(
        buttons(vec![button(ButtonKind::RequestContactInfo)]),
        [(Field::ButtonText(0), Problem::NotAllowed)]
    );
}

#[test]
fn one_time_codes_and_their_button_belong_together() {
    let otp = |otp_type: Option<&str>, package: bool| ButtonDefinition {
        text: None,
        otp_type: otp_type.map(Into::into),
        package_name: package.then(|| "com.example".into()),
        signature_hash: package.then(|| "K8a+AINcGX7".into()),
        ..button(ButtonKind::Otp)
    };
    let auth = |body: &str, buttons: Vec<ButtonDefinition>| {
        change(|it| {
            it.definition.category = PriceCategory::Authentication;
            it.definition.body = body.into();
            it.definition.buttons = buttons;
        })
    };
    let wrong = |field, problem| vec![(field, problem)];
    assert_eq!(auth("{{1}}", vec![otp(None, false)]), []);
    assert_eq!(auth("{{1}}", vec![otp(Some("COPY_CODE"), false)]), []);
    assert_eq!(auth("{{1}}", vec![otp(Some("ONE_TAP"), true)]), []);
    assert_eq!(
        auth("{{1}}", vec![otp(Some("ONE_TAP"), false)]),
        wrong(Field::ButtonPackage(0), Problem::Required)
    );
    assert_eq!(
        auth("{{1}}", vec![otp(Some("OTHER"), false)]),
        wrong(Field::ButtonOtpType(0), Problem::OtpType)
    );
    assert_eq!(
        auth("code", vec![otp(None, false)]),
        wrong(Field::Body, Problem::NoCode)
    );
    for buttons in [
        vec![],
        vec![button(ButtonKind::QuickReply)],
        vec![otp(None, false), otp(None, false)],
    ] {
        assert_eq!(
            auth("{{1}}", buttons),
            wrong(Field::Buttons, Problem::OtpButton)
        );
    }
    assert_eq!(
        buttons(vec![otp(None, false)]),
        wrong(Field::Buttons, Problem::OtpElsewhere)
    );
}

#[test]
fn a_code_lives_1_to_90_minutes_and_no_template_is_a_service_message() {
    for (minutes, good) in [(0, false), (1, true), (90, true), (91, false)] {
        let found = change(|it| it.definition.code_expiration_minutes = Some(minutes));
        assert_eq!(found.is_empty(), good, "{minutes}");
    }
    assert_eq!(
        change(|it| it.definition.category = PriceCategory::Service),
        [(Field::Category, Problem::CategoryForm)]
    );
}
