//! The octets of submissions.

use std::sync::Arc;

use domain::model::attempt::PartSet;
use domain::model::content::{Content, MessageType};
use domain::model::message::{Category, TrafficClass};
use domain::phone::PhoneNumber;
use domain::text::measure;
use ports::connector::SubmissionKey;
use proptest::prelude::*;

use super::super::inbound::{piece, read};
use super::super::pdu::{Message, first};
use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_763_769_600_000);

fn submission(from: &str, text: &str) -> Submission {
    Submission {
        key: SubmissionKey {
            message: MessageId::from_key(77),
            attempt: 1,
        },
        class: TrafficClass::Direct,
        from: from.into(),
        to: PhoneNumber::parse("+4917012345678").unwrap().into(),
        content: Arc::new(Content::text(text)),
        template: None,
        category: Category::Transactional,
        context: None,
        parts: measure(text).count,
        accepted: PartSet::NONE,
        validity: None,
        expires_at: Timestamp::from_millis(i64::MAX),
    }
}

fn write_parts(config: &SmppConfig, submission: Submission) -> Vec<Vec<u8>> {
    let outgoing = Outgoing::new(config, submission).unwrap();
    outgoing
        .missing()
        .zip(1..)
        .map(|(part, sequence)| {
            let mut out = Vec::new();
            outgoing.write(config, part, sequence, NOW, &mut out);
            out
        })
        .collect()
}

fn parse(octets: &[u8]) -> Message<'_> {
    Message::parse(first(octets).unwrap().unwrap().body).unwrap()
}

#[test]
fn a_short_text_is_one_golden_pdu() {
    let written = write_parts(&SmppConfig::default(), submission("ACME", "Hello €"));
    let golden: &[u8] =
        b"\0\0\0\x3a\0\0\0\x04\0\0\0\0\0\0\0\x01\0\x05\0ACME\0\x01\x014917012345678\0\0\0\0\0\0\x01\0\0\0\x08Hello \x1b\x65";
    assert_eq!(written, [golden]);
}

#[test]
fn our_address_gets_its_type_by_its_kind() {
    for (from, ton, npi, text) in [
        ("+40700000001", 1, 1, "40700000001"),
        ("40700000001", 1, 1, "40700000001"),
        ("12345", 3, 0, "12345"),
        ("ACME Shop", 5, 0, "ACME Shop"),
        ("", 0, 0, ""),
    ] {
        let written = write_parts(&SmppConfig::default(), submission(from, "x"));
        let source = parse(&written[0]).source;
        assert_eq!(
            (source.ton, source.npi, source.text),
            (ton, npi, text.as_bytes()),
            "{from:?}"
        );
    }
    let config = SmppConfig {
        source_ton: Some(6),
        source_npi: Some(9),
        ..SmppConfig::default()
    };
    let written = write_parts(&config, submission("12345", "x"));
    assert_eq!(
        (parse(&written[0]).source.ton, parse(&written[0]).source.npi),
        (6, 9)
    );
}

#[test]
fn a_name_that_no_network_shows_is_not_taken() {
    for from in ["Twelve chars", "Größe"] {
        let unfit = Outgoing::new(&SmppConfig::default(), submission(from, "x")).unwrap_err();
        assert!(
            matches!(unfit.outcome, SubmitOutcome::NotAccepted(it) if it.class == FailureClass::SenderFault)
        );
    }
}

#[test]
fn parts_carry_a_header_and_share_a_reference() {
    let text = "a".repeat(153) + "b";
    let written = write_parts(
        &SmppConfig::default(),
        submission("ACME", &(text + &"c".repeat(152))),
    );
    let parts: Vec<_> = written.iter().map(|it| parse(it)).collect();
    assert_eq!(parts.len(), 2);
    let reference = parts[0].short_message[3];
    for (part, number) in parts.iter().zip(1..) {
        assert_eq!(part.esm_class, 0x40);
        assert_eq!(part.short_message[..6], [5, 0, 3, reference, 2, number]);
        assert_eq!(part.short_message.len(), 159);
    }
}

#[test]
fn the_rest_of_a_message_keeps_the_reference_of_what_was_taken() {
    let text = "я".repeat(140);
    let whole = write_parts(&SmppConfig::default(), submission("ACME", &text));
    let mut rest = submission("ACME", &text);
    rest.accepted = PartSet::first(1);
    let rest = write_parts(&SmppConfig::default(), rest);
    assert_eq!(rest.len(), 2);
    assert_eq!(
        parse(&rest[0]).short_message,
        parse(&whole[1]).short_message
    );
}

#[test]
fn neighbouring_messages_have_different_references() {
    let references: Vec<u8> = (0..64)
        .map(|it| reference(MessageId::from_key((1 << 60) + it)))
        .collect();
    let mut distinct = references.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), references.len());
}

#[test]
fn parts_can_be_marked_by_parameters() {
    let config = SmppConfig {
        concatenation: Concatenation::SarParameters,
        ..SmppConfig::default()
    };
    let written = write_parts(&config, submission("ACME", &"a".repeat(161)));
    let second = parse(&written[1]);
    assert_eq!((second.esm_class, second.short_message.len()), (0, 8));
    assert_eq!(second.tlvs.get(tag::SAR_TOTAL_SEGMENTS), Some(&[2][..]));
    assert_eq!(second.tlvs.get(tag::SAR_SEGMENT_SEQNUM), Some(&[2][..]));
}

#[test]
fn a_validity_period_is_rounded_down_but_never_to_nothing() {
    for (millis, relative) in [
        (1, "000000000001000R"),
        (90_999, "000000000130000R"),
        (48 * 3_600_000, "000002000000000R"),
    ] {
        let span = Millis::new(millis);
        assert_eq!(
            validity(ValidityForm::Relative, span, NOW).as_deref(),
            Some(relative)
        );
    }
    let absolute = validity(ValidityForm::Absolute, Millis::minutes(90), NOW);
    assert_eq!(absolute.as_deref(), Some("251122013000000+"));
    assert_eq!(
        validity(ValidityForm::Unset, Millis::minutes(90), NOW),
        None
    );
}

#[test]
fn a_latin1_link_gets_latin1_and_passes_over_what_it_lacks() {
    let config = SmppConfig {
        default_alphabet: DefaultAlphabet::Latin1,
        ..SmppConfig::default()
    };
    let written = write_parts(&config, submission("ACME", "@Grüße"));
    assert_eq!(parse(&written[0]).short_message, b"@Gr\xfc\xdfe");
    let unfit = Outgoing::new(&config, submission("ACME", "5 €")).unwrap_err();
    assert!(matches!(unfit.outcome, SubmitOutcome::NotAccepted(_)));
}

#[test]
fn what_is_no_text_is_rejected() {
    let mut picture = submission("ACME", "x");
    picture.content = Arc::new(Content {
        kind: MessageType::Image,
        ..Content::text("x")
    });
    let unfit = Outgoing::new(&SmppConfig::default(), picture).unwrap_err();
    assert!(matches!(unfit.outcome, SubmitOutcome::Rejected(_)));
    let long = submission("ACME", &"a".repeat(153 * 17));
    let unfit = Outgoing::new(&SmppConfig::default(), long).unwrap_err();
    assert!(matches!(unfit.outcome, SubmitOutcome::Rejected(_)));
}

#[test]
fn every_submission_carries_the_links_own_parameters() {
    let config = SmppConfig {
        parameters: vec![(0x1400, b"ENTITY".to_vec())],
        ..SmppConfig::default()
    };
    let written = write_parts(&config, submission("ACME", "x"));
    assert_eq!(parse(&written[0]).tlvs.get(0x1400), Some(&b"ENTITY"[..]));
}

proptest! {
    #[test]
    fn any_text_arrives_whole_in_as_many_parts_as_were_charged(text in "\\PC{1,400}") {
        let segments = measure(&text);
        prop_assume!(segments.count <= MAX_PARTS);
        let written = write_parts(&SmppConfig::default(), submission("ACME", &text));
        prop_assert_eq!(written.len(), usize::from(segments.count));
        let mut whole = Vec::new();
        let mut coding = None;
        for octets in &written {
            let message = parse(octets);
            let piece = piece(&message).unwrap();
            whole.extend_from_slice(piece.octets);
            coding = Some(piece.coding);
        }
        prop_assert_eq!(read(coding.unwrap(), &whole, DefaultAlphabet::Gsm), nfc(&text));
    }
}
