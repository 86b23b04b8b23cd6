//! Messages of people, as Twilio tells them.

use super::super::fixtures::config;
use super::*;

const SMS: [(&str, &str); 6] = [
    ("MessageSid", "SM9"),
    ("SmsStatus", "received"),
    ("From", "+4917012345678"),
    ("To", "+14155550000"),
    ("Body", "Hallo"),
    ("NumMedia", "0"),
];
const WHATSAPP: [(&str, &str); 7] = [
    ("MessageSid", "SM9"),
    ("SmsStatus", "received"),
    ("From", "whatsapp:+4917012345678"),
    ("To", "whatsapp:+14155550000"),
    ("ProfileName", "Anna"),
    ("WaId", "4917012345678"),
    ("NumMedia", "0"),
];

fn phone(text: &str) -> Address {
    Address::Phone(PhoneNumber::parse(text).unwrap())
}

/// These parameters, the later of two with one name.
fn fields(base: &[(&str, &str)], more: &[(&str, &str)]) -> Fields {
    let base = base
        .iter()
        .filter(|it| more.iter().all(|one| one.0 != it.0));
    let all = base.chain(more);
    let all: Vec<_> = all.map(|it| (it.0.to_owned(), it.1.to_owned())).collect();
    Fields::from(all)
}

fn told(channel: TwilioChannel, fields: &Fields) -> Vec<Telling> {
    read(&config(channel), fields)
}

fn messages(told: Vec<Telling>) -> Vec<IncomingMessage> {
    told.into_iter()
        .map(|it| {
            let Telling::Inbound(message) = it else {
                panic!("{it:?}");
            };
            *message
        })
        .collect()
}

fn message(told: Vec<Telling>) -> IncomingMessage {
    let mut messages = messages(told);
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

fn on_whatsapp(more: &[(&str, &str)]) -> IncomingMessage {
    message(told(TwilioChannel::WhatsApp, &fields(&WHATSAPP, more)))
}

fn object(message: &IncomingMessage) -> ContentObject {
    ContentObject::of(&message.content).unwrap()
}

#[test]
fn a_text_message_is_a_text() {
    let read = message(told(TwilioChannel::Sms, &fields(&SMS, &[])));
    let want = IncomingMessage {
        provider_id: Some("SM9".into()),
        ..IncomingMessage::new(
            phone("+4917012345678"),
            "+14155550000",
            Content::text("Hallo"),
        )
    };
    assert_eq!(read, want);
}

#[test]
fn a_whatsapp_message_comes_without_the_channels_prefix() {
    let read = on_whatsapp(&[
        ("Body", "Ja"),
        ("ButtonText", "Ja, gerne"),
        ("ButtonPayload", "YES"),
        ("OriginalRepliedMessageSid", "SM8"),
    ]);
    let want = IncomingMessage {
        profile_name: Some("Anna".into()),
        quotes: Some("SM8".into()),
        provider_id: Some("SM9".into()),
        ..IncomingMessage::new(
            phone("+4917012345678"),
            "+14155550000",
            Content::text("Ja, gerne"),
        )
    };
    assert_eq!(read, want);
}

#[test]
fn a_hidden_number_is_taken_from_where_it_is() {
    let hidden = ("From", "whatsapp:US.13491208655302741918");
    let user = Address::WhatsAppUser(WhatsAppUserId::parse(&hidden.1[9..]).unwrap());
    let both = on_whatsapp(&[hidden, ("Body", "x")]);
    assert_eq!(both.from, phone("+4917012345678"));
    assert_eq!(both.aliases, std::slice::from_ref(&user));

    let only = on_whatsapp(&[hidden, ("Body", "x"), ("WaId", "")]);
    assert_eq!(only.from, user);
    assert!(only.aliases.is_empty());

    let other = on_whatsapp(&[("WaId", "14155551212"), ("Body", "x")]);
    assert_eq!(other.from, phone("+4917012345678"));
    assert_eq!(other.aliases, [phone("+14155551212")]);
}

#[test]
fn who_cannot_be_answered_is_not_told_of() {
    for from in ["ACME", "12345", "", "whatsapp:", "whatsapp:x"] {
        let fields = fields(&SMS, &[("From", from)]);
        assert_eq!(told(TwilioChannel::Sms, &fields), [], "{from}");
    }
}

#[test]
fn a_medium_makes_the_kind_of_message() {
    for (mime_type, kind) in [
        ("image/jpeg", MessageType::Image),
        ("IMAGE/PNG", MessageType::Image),
        ("image/webp", MessageType::Sticker),
        ("video/mp4", MessageType::Video),
        ("audio/ogg", MessageType::Audio),
        ("application/pdf", MessageType::Document),
        ("text/vcard", MessageType::Document),
        ("", MessageType::Document),
    ] {
        let read = on_whatsapp(&[
            ("NumMedia", "1"),
            ("Body", "look"),
            ("MediaUrl0", "https://api.twilio.com/m/0"),
            ("MediaContentType0", mime_type),
        ]);
        assert_eq!(read.content.kind, kind, "{mime_type}");
        assert_eq!(read.content.text.as_deref(), Some("look"));
        let object = object(&read);
        assert_eq!(
            object.media_url.as_deref(),
            Some("https://api.twilio.com/m/0")
        );
        assert_eq!(object.mime_type.unwrap_or_default(), mime_type);
    }
}

#[test]
fn several_media_are_several_messages_with_ids_of_their_own() {
    let fields = fields(
        &SMS,
        &[
            ("NumMedia", "2"),
            ("Body", "two"),
            ("MediaUrl0", "https://api.twilio.com/m/0"),
            ("MediaContentType0", "image/webp"),
            ("MediaUrl1", "https://api.twilio.com/m/1"),
            ("MediaContentType1", "video/mp4"),
        ],
    );
    let read = messages(told(TwilioChannel::Sms, &fields));
    let seen: Vec<_> = read
        .iter()
        .map(|it| {
            (
                it.content.kind,
                it.content.text.as_deref(),
                it.provider_id.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (MessageType::Image, Some("two"), Some("SM9")),
            (MessageType::Video, None, Some("SM9/1")),
        ]
    );
}

#[test]
fn a_count_of_media_without_media_is_a_text() {
    for count in ["1", "4294967296", "99999999999999999999", "-1"] {
        let fields = fields(&SMS, &[("NumMedia", count)]);
        let read = message(told(TwilioChannel::Sms, &fields));
        assert_eq!(read.content, Content::text("Hallo"), "{count}");
    }
}

#[test]
fn a_place_is_a_location() {
    let read = on_whatsapp(&[
        ("Latitude", "44.4268"),
        ("Longitude", "26.1025"),
        ("Label", "Office"),
        ("Address", "Strada 1"),
    ]);
    assert_eq!(read.content.kind, MessageType::Location);
    let object = object(&read);
    assert_eq!(
        (object.latitude, object.longitude),
        (Some(44.4268), Some(26.1025))
    );
    assert_eq!(object.location_name.as_deref(), Some("Office"));
    assert_eq!(object.location_address.as_deref(), Some("Strada 1"));
}

#[test]
fn an_advertisement_that_led_here_is_told() {
    let read = on_whatsapp(&[
        ("Body", "Hi"),
        ("ReferralHeadline", "Sale"),
        ("ReferralSourceType", "ad"),
        ("ReferralSourceUrl", "https://fb.example/1"),
        ("ReferralCtwaClid", "clid"),
        ("ReferralMediaUrl", "https://fb.example/v"),
        ("ReferralMediaContentType", "video/mp4"),
    ]);
    assert_eq!(read.content.kind, MessageType::Text);
    assert_eq!(
        object(&read).referral,
        Some(serde_json::json!({
            "headline": "Sale",
            "sourceType": "ad",
            "sourceUrl": "https://fb.example/1",
            "ctwaClid": "clid",
            "mediaType": "video",
            "videoUrl": "https://fb.example/v",
        }))
    );
}

#[test]
fn nothing_in_it_is_a_kind_that_we_have_no_words_for() {
    assert!(on_whatsapp(&[]).unsupported);
    let sms = fields(&SMS, &[("Body", "")]);
    let read = message(told(TwilioChannel::Sms, &sms));
    assert!(!read.unsupported);
    assert_eq!(read.content, Content::text(""));
}

/// The consent that is told, and whether it comes before the message.
fn consent_of(config: &TwilioConfig, more: &[(&str, &str)]) -> Option<ConsentSignal> {
    let mut told = read(config, &fields(&SMS, more));
    assert!(matches!(told.pop(), Some(Telling::Inbound(_))));
    let Telling::Consent(signal) = told.pop()? else {
        panic!("{told:?}");
    };
    Some(signal)
}

/// R-IN-2.
#[test]
fn an_opt_out_at_twilio_is_told_before_its_message() {
    for auto_replies_to_stop in [false, true] {
        let config = TwilioConfig {
            auto_replies_to_stop,
            ..config(TwilioChannel::Sms)
        };
        for (kind, want) in [("STOP", Some(true)), ("START", Some(false)), ("HELP", None)] {
            let told = consent_of(&config, &[("OptOutType", kind), ("Body", "Arrêt")]);
            assert_eq!(told.as_ref().map(|it| it.opted_out), want, "{kind}");
            if let Some(told) = told {
                assert_eq!(told.from, phone("+4917012345678"));
                assert_eq!(&*told.to, "+14155550000");
                assert!(!told.promotions_only);
                assert_eq!(*told.raw, *format!("OptOutType={kind}"));
            }
        }
    }
}

#[test]
fn the_standard_words_count_where_twilio_answers_them_itself() {
    let answers = config(TwilioChannel::Sms);
    let silent = TwilioConfig {
        auto_replies_to_stop: false,
        ..answers.clone()
    };
    for (body, want) in [
        (" stop ", Some(true)),
        ("Unsubscribe", Some(true)),
        ("UNSTOP", Some(false)),
        ("please stop", None),
        ("yes", None),
    ] {
        let told = consent_of(&answers, &[("Body", body)]);
        assert_eq!(told.map(|it| it.opted_out), want, "{body}");
        assert_eq!(consent_of(&silent, &[("Body", body)]), None, "{body}");
    }
    // Twilio answers none of them on WhatsApp.
    let read = on_whatsapp(&[("Body", "STOP")]);
    assert_eq!(read.content, Content::text("STOP"));
}
