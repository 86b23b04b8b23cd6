//! Messages read back by another library, and what must not get into a header.

use std::sync::Arc;

use domain::model::content::{PriceCategory, TemplateUse};
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

use super::*;
use crate::testing::submission;

/// 2026-11-26T18:00:00Z
const NOW: Timestamp = Timestamp::from_millis(1_795_716_000_000);

fn config() -> EmailConfig {
    EmailConfig {
        from: "shop@acme.example".into(),
        from_name: Some("ACME Ștore".into()),
        unsubscribe: Some("https://acme.example/u?m={message}&a={to}".into()),
        ..EmailConfig::default()
    }
}

fn parts(subject: &str) -> EmailParts {
    EmailParts {
        subject: subject.into(),
        html: None,
        reply_to: None,
        attachments: Vec::new(),
    }
}

fn mail(text: Option<&str>, parts: EmailParts) -> Submission {
    let mut it = submission(1, "+40712345678", "");
    it.to = Address::Email(EmailAddress::parse("ana.pop@example.com").unwrap());
    it.content = Arc::new(Content {
        text: text.map(Into::into),
        email: Some(parts),
        ..Content::text("")
    });
    it
}

fn compose(submission: &Submission) -> Result<Letter, SubmitOutcome> {
    Letterhead::new(&config())
        .unwrap()
        .compose(submission, NOW, 0x1234)
}

fn written(submission: &Submission) -> String {
    String::from_utf8(compose(submission).unwrap().octets).unwrap()
}

fn refused(submission: &Submission) -> Failure {
    match compose(submission) {
        Err(SubmitOutcome::Rejected(failure)) => failure,
        Ok(letter) => panic!("{}", String::from_utf8_lossy(&letter.octets)),
        Err(other) => panic!("{other:?}"),
    }
}

fn attachment(name: &str, kind: Option<&str>, id: Option<&str>, octets: &[u8]) -> EmailAttachment {
    EmailAttachment {
        filename: name.into(),
        content_type: kind.map(Into::into),
        content_id: id.map(Into::into),
        content: STANDARD.encode(octets).into(),
    }
}

#[test]
fn a_text_is_written_octet_for_octet_like_this() {
    let letter = compose(&mail(Some("Hello\r\n.\nBye"), parts("Your order"))).unwrap();
    assert_eq!(letter.id, "msg_0000000000001-1@acme.example");
    assert_eq!(letter.from.to_string(), "shop@acme.example");
    assert_eq!(letter.to.to_string(), "ana.pop@example.com");
    assert_eq!(
        String::from_utf8(letter.octets).unwrap(),
        "From: =?utf-8?b?QUNNRSDImHRvcmU=?= <shop@acme.example>\r\n\
         To: ana.pop@example.com\r\n\
         Subject: Your order\r\n\
         Date: Thu, 26 Nov 2026 18:00:00 +0000\r\n\
         Message-ID: <msg_0000000000001-1@acme.example>\r\n\
         Auto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 7bit\r\n\
         \r\n\
         Hello\r\n.\r\nBye\r\n"
    );
}

#[test]
fn text_html_inline_pictures_and_files_are_read_back_as_they_were_given() {
    let mut parts = parts("Factura dumneavoastră №7 – mulțumim!");
    parts.html = Some("<p>Bună <img src=\"cid:logo\"></p>".into());
    parts.reply_to = Some("help@acme.example".into());
    parts.attachments = vec![
        attachment("logo.png", Some("image/png"), Some("logo"), b"\x89PNG"),
        attachment("factură 7.pdf", Some("application/pdf"), None, b"%PDF-1.7"),
        attachment("data", None, None, &[0, 1, 2, 255]),
        attachment("old.eml", Some("message/rfc822"), None, b"Subject: x\r\n"),
    ];
    let octets = written(&mail(Some("Bună"), parts));
    let read = MessageParser::default().parse(octets.as_bytes()).unwrap();
    assert_eq!(read.subject(), Some("Factura dumneavoastră №7 – mulțumim!"));
    assert_eq!(
        read.from().unwrap().first().unwrap().name(),
        Some("ACME Ștore")
    );
    assert_eq!(
        read.reply_to().unwrap().first().unwrap().address(),
        Some("help@acme.example")
    );
    assert_eq!(read.body_text(0).unwrap().trim(), "Bună");
    assert_eq!(
        read.body_html(0).unwrap().trim(),
        "<p>Bună <img src=\"cid:logo\"></p>"
    );
    let files: Vec<_> = read
        .attachments()
        .map(|it| {
            let kind = it.content_type().unwrap();
            (
                it.attachment_name().unwrap_or_default(),
                format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()),
                it.content_id(),
                it.contents(),
            )
        })
        .collect();
    assert_eq!(
        files,
        [
            (
                "logo.png",
                "image/png".into(),
                Some("logo"),
                &b"\x89PNG"[..]
            ),
            ("factură 7.pdf", "application/pdf".into(), None, b"%PDF-1.7"),
            (
                "data",
                "application/octet-stream".into(),
                None,
                &[0, 1, 2, 255]
            ),
            (
                "old.eml",
                "application/octet-stream".into(),
                None,
                b"Subject: x\r\n"
            ),
        ]
    );
    for (outer, inner) in [("mixed", "alternative"), ("alternative", "related")] {
        let (outer, inner) = (
            octets.find(&format!("multipart/{outer}")),
            octets.find(&format!("multipart/{inner}")),
        );
        assert!(outer.unwrap() < inner.unwrap());
    }
}

#[test]
fn a_picture_that_no_html_shows_is_a_file() {
    let mut parts = parts("Logo");
    parts.attachments = vec![attachment("l.png", Some("image/png"), Some("logo"), b"x")];
    let octets = written(&mail(Some("See"), parts));
    assert!(octets.contains("Content-Disposition: attachment; filename=\"l.png\""));
    assert!(!octets.contains("Content-ID"));
}

#[test]
fn html_may_come_alone() {
    let mut parts = parts("Hi");
    parts.html = Some("<p>Hi</p>".into());
    let octets = written(&mail(None, parts));
    assert!(octets.contains("Content-Type: text/html"));
    assert!(!octets.contains("multipart"));
}

#[test]
fn a_template_goes_as_its_text_under_the_messages_subject() {
    let mut template = TemplateUse::plain("tpl_1", PriceCategory::Utility);
    template.plain_text = Some("Order 7 has left".into());
    let mut it = mail(Some("replaced"), parts("News"));
    it.template = Some(Arc::new(template));
    let octets = written(&it);
    assert!(octets.contains("Order 7 has left") && !octets.contains("replaced"));
}

#[test]
fn a_senders_own_address_comes_before_the_routes() {
    let mut it = mail(Some("Hi"), parts("Hi"));
    it.from = "ana@other.example".into();
    let letter = compose(&it).unwrap();
    assert_eq!(letter.from.to_string(), "ana@other.example");
    assert!(letter.id.ends_with("@other.example"));
}

#[test]
fn promotions_alone_say_where_to_unsubscribe() {
    let mut it = mail(Some("Sale"), parts("Sale"));
    assert!(!written(&it).contains("List-Unsubscribe"));
    it.category = Category::Promotional;
    let octets = written(&it).replace("\r\n ", " ");
    assert!(
        octets.contains(
            "List-Unsubscribe: \
             <https://acme.example/u?m=msg_0000000000001&a=ana.pop%40example.com>\r\n"
        ),
        "{octets}"
    );
    assert!(octets.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
}

#[test]
fn an_answer_to_a_person_is_not_marked_as_sent_by_a_machine() {
    let mut it = mail(Some("Hi"), parts("Hi"));
    it.context = Some("<1@example.com>".into());
    assert!(!written(&it).contains("Auto-Submitted"));
}

#[test]
fn a_domain_travels_in_ascii_and_a_name_beyond_it_is_refused() {
    let mut it = mail(Some("Hi"), parts("Hi"));
    it.to = Address::Email(EmailAddress::parse("ana@bücher.example").unwrap());
    assert_eq!(
        compose(&it).unwrap().to.to_string(),
        "ana@xn--bcher-kva.example"
    );
    // Read by an earlier release, that knew no better.
    it.to = Address::Email(EmailAddress::kept("bücher@example.com").unwrap());
    assert_eq!(refused(&it).class, FailureClass::RecipientIncapable);
}

#[test]
fn what_e_mail_cannot_carry_is_refused() {
    let with = |attachment| {
        let mut parts = parts("Hi");
        parts.html = Some("<p>Hi</p>".into());
        parts.attachments = vec![attachment];
        mail(Some("Hi"), parts)
    };
    let mut no_subject = mail(Some("Hi"), parts("Hi"));
    no_subject.content = Arc::new(Content::text("Hi"));
    let mut picture = mail(Some("Hi"), parts("Hi"));
    picture.content = Arc::new(Content {
        kind: MessageType::Image,
        ..(*picture.content).clone()
    });
    let mut reply_to = parts("Hi");
    reply_to.reply_to = Some("x@y.example\r\nBcc: z@y.example".into());
    let mut elsewhere = mail(Some("Hi"), parts("Hi"));
    elsewhere.to = Address::Telegram(1);
    let broken = EmailAttachment {
        content: "%%%".into(),
        ..attachment("a", None, None, b"")
    };
    for (code, it) in [
        ("subject", mail(Some("Hi"), parts("Hi\r\nBcc: x@y.example"))),
        ("subject", mail(Some("Hi"), parts("Hi\nthere"))),
        ("no_text", mail(None, parts("Hi"))),
        ("no_subject", no_subject),
        ("type", picture),
        ("reply_to", mail(Some("Hi"), reply_to)),
        ("address", elsewhere),
        ("attachment", with(broken)),
        (
            "content_id",
            with(attachment("a", None, Some("x>\r\nX: y"), b"")),
        ),
    ] {
        let failure = refused(&it);
        assert_eq!(&*failure.code, code);
        assert_eq!(failure.class, FailureClass::InvalidRequest);
    }
}

#[test]
fn a_lone_carriage_return_smuggles_nothing() {
    let octets = written(&mail(Some("a\r.\r\nMAIL FROM:<x@y>\n.\r"), parts("Hi")));
    let body = octets.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body, "a\r\n.\r\nMAIL FROM:<x@y>\r\n.\r\n\r\n");
}

/// The names of the headers that a message begins with.
fn header_names(octets: &str) -> Vec<&str> {
    let head = octets.split_once("\r\n\r\n").unwrap().0;
    head.split("\r\n")
        .filter(|it| !it.starts_with([' ', '\t']))
        .map(|it| it.split(':').next().unwrap())
        .collect()
}

/// Text that tries to break out.
fn any_text() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(vec![
        "\r\nBcc: x@y.example\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "\"",
        ";",
        "<",
        ">",
        "=?utf-8?q?",
        "\0",
        "\u{85}",
        "\u{2028}",
        "ș",
        "x",
        " ",
        "\t",
        "\r\n.\r\n",
        "--=_0000000000001234_1",
    ]);
    prop::collection::vec(
        prop_oneof![3 => bad.prop_map(str::to_owned), 1 => ".{0,12}"],
        0..8,
    )
    .prop_map(|it| it.concat())
}

#[test]
fn a_text_that_knows_the_boundary_does_not_end_its_part() {
    let mut parts = parts("Hi");
    let html = "--=_0000000000001234_1\r\nBcc: x@y.example\r\n";
    parts.html = Some(html.into());
    let letter = compose(&mail(Some("--=_0000000000001235_1--"), parts)).unwrap();
    let read = MessageParser::default().parse(&letter.octets).unwrap();
    assert_eq!(read.parts.len(), 3, "alternative, text and HTML");
    assert!(read.body_html(0).unwrap().contains("Bcc: x@y.example"));
}

proptest! {
    #[test]
    fn nothing_that_callers_give_adds_a_header_or_a_line_break_of_its_own(
        subject in any_text(), text in any_text(), html in any_text(), name in any_text(),
        kind in any_text(), id in any_text(), reply_to in any_text(), own in any_text(),
    ) {
        let mut parts = parts(&subject);
        parts.html = Some(html.into());
        parts.reply_to = reply_to.contains('@').then(|| reply_to.into());
        parts.attachments = vec![
            attachment(&name, Some(&kind), None, b"x"),
            attachment(&name, Some("image/png"), Some(&id), b"x"),
        ];
        let mut it = mail(Some(&text), parts);
        it.from = own.into();
        it.category = Category::Promotional;
        let Ok(letter) = compose(&it) else { return Ok(()) };
        let octets = String::from_utf8(letter.octets).unwrap();
        let known = [
            "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Auto-Submitted",
            "List-Unsubscribe-Post", "List-Unsubscribe", "MIME-Version", "Content-Type",
        ];
        let names = header_names(&octets);
        for name in &names {
            prop_assert!(known.contains(name), "{name} in {octets}");
            prop_assert_eq!(names.iter().filter(|it| *it == name).count(), 1);
        }
        let bare = octets.replace("\r\n", "");
        prop_assert!(!bare.contains(['\r', '\n']), "{:?}", octets);
        let read = MessageParser::default().parse(octets.as_bytes()).unwrap();
        prop_assert_eq!(read.to().unwrap().iter().count(), 1);
        prop_assert_eq!(read.attachments().count(), 2);
    }
}
