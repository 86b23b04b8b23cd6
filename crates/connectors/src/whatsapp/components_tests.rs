//! Templates as Meta's pages show them.

use super::*;

fn button(kind: ButtonKind, text: Option<&str>) -> ButtonDefinition {
    ButtonDefinition {
        kind,
        text: text.map(Into::into),
        url: None,
        example: None,
        phone_number: None,
        otp_type: None,
        package_name: None,
        signature_hash: None,
    }
}

fn definition(category: PriceCategory, body: &str) -> TemplateDefinition {
    TemplateDefinition {
        name: "seasonal_promotion".into(),
        language: "en_US".into(),
        category,
        header: None,
        body: body.into(),
        footer: None,
        buttons: Vec::new(),
        add_security_recommendation: false,
        code_expiration_minutes: None,
    }
}

fn seasonal() -> TemplateDefinition {
    TemplateDefinition {
        header: Some(HeaderDefinition {
            kind: HeaderKind::Text,
            content: Some("Our {{1}} is on!".into()),
        }),
        footer: Some("Reply STOP to stop".into()),
        buttons: vec![
            button(ButtonKind::QuickReply, Some("Unsubscribe")),
            ButtonDefinition {
                url: Some("https://x.example/{{1}}".into()),
                example: Some("https://x.example/summer".into()),
                ..button(ButtonKind::Url, Some("Shop"))
            },
            ButtonDefinition {
                phone_number: Some("+40712345678".into()),
                ..button(ButtonKind::Phone, Some("Call"))
            },
            button(ButtonKind::RequestContactInfo, None),
        ],
        ..definition(
            PriceCategory::Marketing,
            "Until {{2}} with code {{1}} and {{2}} again.",
        )
    }
}

#[test]
fn a_template_is_written_as_meta_documents_it() {
    assert_eq!(
        write(&seasonal()).unwrap(),
        json!({
            "name": "seasonal_promotion",
            "language": "en_US",
            "category": "MARKETING",
            "components": [
                {"type": "HEADER", "format": "TEXT", "text": "Our {{1}} is on!",
                 "example": {"header_text": ["example 1"]}},
                {"type": "BODY", "text": "Until {{2}} with code {{1}} and {{2}} again.",
                 "example": {"body_text": [["example 1", "example 2"]]}},
                {"type": "FOOTER", "text": "Reply STOP to stop"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "Unsubscribe"},
                    {"type": "URL", "text": "Shop", "url": "https://x.example/{{1}}",
                     "example": ["https://x.example/summer"]},
                    {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+40712345678"},
                    {"type": "REQUEST_CONTACT_INFO"},
                ]},
            ],
        })
    );
}

#[test]
fn named_placeholders_have_examples_by_name() {
    let named = definition(PriceCategory::Utility, "Hi {{ name }}, order {{order_id}}.");
    let written = write(&named).unwrap();
    assert_eq!(written["parameter_format"], "NAMED");
    assert_eq!(
        written["components"][0]["example"],
        json!({"body_text_named_params": [
            {"param_name": "name", "example": "name"},
            {"param_name": "order_id", "example": "order_id"},
        ]})
    );
    let counted = write(&seasonal()).unwrap();
    assert_eq!(counted.get("parameter_format"), None);
}

#[test]
fn a_one_time_code_template_has_metas_own_texts() {
    let copy = TemplateDefinition {
        add_security_recommendation: true,
        code_expiration_minutes: Some(10),
        buttons: vec![button(ButtonKind::Otp, Some("Copy"))],
        ..definition(PriceCategory::Authentication, "{{1}} is your code.")
    };
    assert_eq!(
        write(&copy).unwrap()["components"],
        json!([
            {"type": "BODY", "add_security_recommendation": true},
            {"type": "FOOTER", "code_expiration_minutes": 10},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]},
        ])
    );
    let mut one_tap = copy;
    one_tap.buttons[0].otp_type = Some("ONE_TAP".into());
    assert!(write(&one_tap).is_err());
    one_tap.buttons[0].package_name = Some("com.example.app".into());
    one_tap.buttons[0].signature_hash = Some("K8a/AINcGX7".into());
    assert_eq!(
        write(&one_tap).unwrap()["components"][2]["buttons"][0],
        json!({"type": "OTP", "otp_type": "ONE_TAP", "text": "Copy",
            "supported_apps": [{"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}]})
    );
}

#[test]
fn the_example_of_a_medium_is_a_handle_and_no_url() {
    let with = |content: Option<&str>| TemplateDefinition {
        header: Some(HeaderDefinition {
            kind: HeaderKind::Image,
            content: content.map(Into::into),
        }),
        ..definition(PriceCategory::Marketing, "Look")
    };
    assert_eq!(
        write(&with(Some("4::aW1hZ2U="))).unwrap()["components"][0],
        json!({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2U="]}})
    );
    for no_handle in [
        None,
        Some("https://x.example/i.png"),
        Some("::"),
        Some("4::"),
    ] {
        assert!(write(&with(no_handle)).is_err(), "{no_handle:?}");
    }
}

#[test]
fn what_meta_would_refuse_is_said_before_it_is_asked() {
    assert!(write(&definition(PriceCategory::Service, "x")).is_err());
    for wrong in [
        button(ButtonKind::QuickReply, None),
        button(ButtonKind::Url, Some("no url")),
        ButtonDefinition {
            url: Some("https://x.example/{{1}}".into()),
            ..button(ButtonKind::Url, Some("no example"))
        },
        button(ButtonKind::Phone, Some("no number")),
    ] {
        let mut template = definition(PriceCategory::Utility, "x");
        template.buttons.push(wrong.clone());
        assert!(write(&template).is_err(), "{wrong:?}");
    }
}

#[test]
fn what_was_written_is_read_back() {
    let mut listed = write(&seasonal()).unwrap();
    listed["status"] = json!("APPROVED");
    assert_eq!(read(&listed), Some(seasonal()));

    let mut named = definition(PriceCategory::Utility, "Hi {{name}}");
    named.buttons.push(ButtonDefinition {
        otp_type: Some("ZERO_TAP".into()),
        package_name: Some("com.example.app".into()),
        signature_hash: Some("K8a/AINcGX7".into()),
        ..button(ButtonKind::Otp, None)
    });
    assert_eq!(read(&write(&named).unwrap()), Some(named));
}

#[test]
fn the_link_that_meta_makes_of_a_code_button_is_a_code_button_again() {
    let listed = json!({"name": "login", "language": "ro", "category": "AUTHENTICATION",
    "components": [
        {"type": "BODY", "text": "*{{1}}* is your verification code.",
         "add_security_recommendation": true, "example": {"body_text": [["123456"]]}},
        {"type": "FOOTER", "text": "This code expires in 10 minutes.",
         "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Copy code",
         "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
         "example": ["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"]}]},
    ]});
    let read = read(&listed).unwrap();
    assert!(read.add_security_recommendation);
    assert_eq!(read.code_expiration_minutes, Some(10));
    let want = ButtonDefinition {
        otp_type: Some("COPY_CODE".into()),
        ..button(ButtonKind::Otp, Some("Copy code"))
    };
    assert_eq!(read.buttons, [want]);
}

#[test]
fn a_listed_template_may_have_parts_that_we_have_no_place_for() {
    let listed = json!({"name": "n", "language": "ro", "category": "marketing", "components": [
        {"type": "HEADER", "format": "LOCATION"},
        {"type": "CAROUSEL", "cards": []},
        {"type": "BODY", "text": "Hi"},
        {"type": "BUTTONS", "buttons": [{"type": "CATALOG", "text": "See"}]},
    ]});
    let want = TemplateDefinition {
        name: "n".into(),
        language: "ro".into(),
        ..definition(PriceCategory::Marketing, "Hi")
    };
    assert_eq!(read(&listed), Some(want));
    assert_eq!(
        read(&json!({"name": "n", "language": "ro", "category": "NEW"})),
        None
    );
    assert_eq!(read(&json!({})), None);
}
