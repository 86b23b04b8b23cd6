//! Golden octets made with other libraries, the library `rusmpp` as an oracle, and arbitrary octets.

use bytes::BytesMut;
use proptest::prelude::*;
use rusmpp::tokio_codec::CommandCodec;
use tokio_util::codec::Decoder;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|it| u8::from_str_radix(std::str::from_utf8(it).unwrap(), 16).unwrap())
        .collect()
}

const BIND: &str = "0000002200000009000000000000000165736d653100736563726574000034000000";
const BIND_RESP: &str = "0000001a800000090000000000000001534d5343000210000134";
const SUBMIT: &str = "0000003a00000004000000000000000200050041434d45000101343931373031323334353637380000000000000100000008\
                      48656c6c6f201b65";
const SUBMIT_PART: &str = "00000053000000040000000000000003000101343931353730303030303030310001013439313730313233343536373800\
                           40000000000100080018050003710201041f044004380432043504420020d83dde00";
const SUBMIT_RESP: &str = "0000001780000004000000000000000261626330303100";
const THROTTLED_RESP: &str = "00000010800000040000005800000002";
const RECEIPT: &str = "000000b20000000500000000000000090001013439313730313233343536373800050041434d4500040000000000000100\
                       6969643a3131323535383039207375623a30303120646c7672643a303031207375626d697420646174653a323631313231\
                       3030303020646f6e6520646174653a3236313132313030303120737461743a44454c49565244206572723a303030207465\
                       78743a48656c6c6f001e000761626330303100042700010204230003030000";

const SOURCE: Address<'_> = Address {
    ton: 5,
    npi: 0,
    text: b"ACME",
};
const DESTINATION: Address<'_> = Address {
    ton: 1,
    npi: 1,
    text: b"4917012345678",
};

#[test]
fn a_bind_is_written_as_another_library_writes_it() {
    let mut out = Vec::new();
    let fields = Bind {
        command: command::BIND_TRANSCEIVER,
        system_id: b"esme1",
        password: b"secret",
        ..Bind::default()
    };
    bind(&mut out, 1, &fields);
    assert_eq!(out, hex(BIND));
}

#[test]
fn submissions_are_written_as_another_library_writes_them() {
    let mut out = Vec::new();
    let whole = Submit {
        source: SOURCE,
        destination: DESTINATION,
        registered_delivery: 1,
        text: b"Hello \x1b\x65",
        ..Submit::default()
    };
    whole.begin(&mut out, 2).finish();
    assert_eq!(out, hex(SUBMIT));

    out.clear();
    let text: Vec<u8> = "Привет 😀"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let part = Submit {
        source: Address {
            ton: 1,
            npi: 1,
            text: b"4915700000001",
        },
        destination: DESTINATION,
        esm_class: 0x40,
        registered_delivery: 1,
        data_coding: 8,
        header: &[5, 0, 3, 0x71, 2, 1],
        text: &text,
        ..Submit::default()
    };
    part.begin(&mut out, 3).finish();
    assert_eq!(out, hex(SUBMIT_PART));
}

#[test]
fn answers_are_written_as_another_library_writes_them() {
    let mut out = Vec::new();
    deliver_response(&mut out, command::DELIVER_SM, 0, 9);
    bare(&mut out, command::ENQUIRE_LINK, 0, 4);
    bare(&mut out, command::UNBIND, 0, 5);
    bare(&mut out, command::GENERIC_NACK, 3, 0);
    let expected = "0000001180000005000000000000000900 00000010000000150000000000000004
                    00000010000000060000000000000005 00000010800000000000000300000000";
    assert_eq!(out, hex(expected));
}

#[test]
fn a_submission_is_read_back() {
    let octets = hex(SUBMIT);
    let frame = first(&octets).unwrap().unwrap();
    assert_eq!((frame.command, frame.sequence), (command::SUBMIT_SM, 2));
    let message = Message::parse(frame.body).unwrap();
    assert_eq!((message.source, message.destination), (SOURCE, DESTINATION));
    assert_eq!(message.short_message, b"Hello \x1b\x65");
    assert_eq!(message.registered_delivery, 1);
}

#[test]
fn a_receipt_is_read_with_its_parameters() {
    let octets = hex(RECEIPT);
    let frame = first(&octets).unwrap().unwrap();
    let message = Message::parse(frame.body).unwrap();
    assert_eq!(message.esm_class, 4);
    assert!(message.payload().starts_with(b"id:11255809 sub:001"));
    assert_eq!(
        message.tlvs.get(tag::RECEIPTED_MESSAGE_ID),
        Some(&b"abc001\0"[..])
    );
    assert_eq!(message.tlvs.get(tag::MESSAGE_STATE), Some(&[2][..]));
    assert_eq!(
        message.tlvs.get(tag::NETWORK_ERROR_CODE),
        Some(&[3, 0, 0][..])
    );
}

#[test]
fn responses_are_read_with_and_without_body() {
    let octets = hex(SUBMIT_RESP);
    let frame = first(&octets).unwrap().unwrap();
    assert_eq!(leading_text(frame.body), b"abc001");
    let octets = hex(THROTTLED_RESP);
    let frame = first(&octets).unwrap().unwrap();
    assert_eq!((frame.status, leading_text(frame.body)), (0x58, &b""[..]));
    let octets = hex(BIND_RESP);
    assert_eq!(leading_text(first(&octets).unwrap().unwrap().body), b"SMSC");
}

#[test]
fn a_length_that_no_pdu_has_is_refused() {
    assert_eq!(first(&[0, 0, 0, 15]), Err(BadLength(15)));
    assert_eq!(first(&[0, 1, 0, 1]), Err(BadLength(0x1_0001)));
    assert_eq!(first(&[0, 1, 0, 0]), Ok(None));
}

#[test]
fn a_text_too_long_for_its_field_goes_as_a_parameter() {
    let text = [b'a'; 255];
    let mut out = Vec::new();
    Submit {
        text: &text,
        ..Submit::default()
    }
    .begin(&mut out, 1)
    .finish();
    let message = Message::parse(first(&out).unwrap().unwrap().body).unwrap();
    assert_eq!(
        (message.short_message, message.payload()),
        (&b""[..], &text[..])
    );
}

#[test]
fn a_zero_inside_a_text_field_cannot_shift_the_fields_behind_it() {
    let mut out = Vec::new();
    let source = Address {
        ton: 5,
        npi: 0,
        text: b"AC\0ME",
    };
    Submit {
        source,
        text: b"x",
        ..Submit::default()
    }
    .begin(&mut out, 1)
    .finish();
    let message = Message::parse(first(&out).unwrap().unwrap().body).unwrap();
    assert_eq!(
        (message.source.text, message.short_message),
        (&b"AC"[..], &b"x"[..])
    );
}

proptest! {
    #[test]
    fn no_octets_make_the_reader_panic(octets: Vec<u8>) {
        if let Ok(Some(frame)) = first(&octets) {
            prop_assert!(frame.length() <= octets.len());
        }
        for message in [Message::parse(&octets), Message::parse_data(&octets)].into_iter().flatten() {
            let _ = (message.payload(), message.tlvs.iter().count());
        }
    }

    #[test]
    fn the_oracle_reads_what_we_write(
        name in "[A-Za-z0-9]{1,11}",
        digits in "[1-9][0-9]{7,14}",
        text in proptest::collection::vec(any::<u8>(), 0..254),
        sequence in 1..=0x7FFF_FFFF_u32,
        data_coding in prop::sample::select(vec![0_u8, 3, 8]),
    ) {
        let mut out = Vec::new();
        let submit = Submit {
            source: Address { ton: 5, npi: 0, text: name.as_bytes() },
            destination: Address { ton: 1, npi: 1, text: digits.as_bytes() },
            validity_period: b"000000010000000R",
            registered_delivery: 1,
            data_coding,
            text: &text,
            ..Submit::default()
        };
        submit.begin(&mut out, sequence).tlv(tag::SAR_MSG_REF_NUM, &[0, 7]).finish();
        let read = CommandCodec::new().decode(&mut BytesMut::from(&out[..])).unwrap().unwrap();
        prop_assert_eq!(read.sequence_number(), sequence);
        let Some(rusmpp::Pdu::SubmitSm(pdu)) = read.pdu() else {
            panic!("not a submit_sm: {read:?}");
        };
        prop_assert_eq!(pdu.source_addr.as_str(), &name);
        prop_assert_eq!(pdu.destination_addr.as_str(), &digits);
        prop_assert_eq!(pdu.short_message().as_ref(), &text[..]);
        prop_assert_eq!(pdu.tlvs().len(), 1);
        let ours = Message::parse(first(&out).unwrap().unwrap().body).unwrap();
        prop_assert_eq!(ours.short_message, &text[..]);
        prop_assert_eq!(ours.validity_period, b"000000010000000R");
    }

    #[test]
    fn pdus_are_cut_the_same_however_the_stream_is_split(cuts in proptest::collection::vec(1_usize..40, 1..30)) {
        let stream = [BIND_RESP, RECEIPT, SUBMIT_RESP, THROTTLED_RESP].map(hex).concat();
        let mut buffer = Vec::new();
        let mut seen = Vec::new();
        let mut rest = &stream[..];
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            rest = later;
            buffer.extend_from_slice(now);
            while let Some(frame) = first(&buffer).unwrap() {
                let length = frame.length();
                seen.push((frame.command, frame.sequence));
                buffer.drain(..length);
            }
        }
        prop_assert_eq!(seen, vec![(0x8000_0009, 1), (5, 9), (0x8000_0004, 2), (0x8000_0004, 2)]);
    }
}
