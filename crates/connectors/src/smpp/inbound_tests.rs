//! Texts in every coding, and the ways in which parts are marked.

use proptest::prelude::*;

use super::super::pdu::{Submit, first};
use super::*;

fn deliver(submit: &Submit<'_>, tlvs: &[(u16, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut pdu = submit.begin(&mut out, 1);
    for (tag, value) in tlvs {
        pdu.tlv(*tag, value);
    }
    pdu.finish();
    out
}

fn message(octets: &[u8]) -> Message<'_> {
    Message::parse(first(octets).unwrap().unwrap().body).unwrap()
}

#[test]
fn each_data_coding_is_read_as_people_meant_it() {
    for (data_coding, octets, expected) in [
        (0x00, &b"\x00 \x1b\x65"[..], "@ €"),
        (0x01, b"a@b_c", "a@b_c"),
        (0x01, b"a\x00b\x11c", "a@b_c"),
        (0x03, b"caf\xe9", "café"),
        (0x06, b"\xbf\xe0", "Пр"),
        (0x07, b"\xf9\xec", "של"),
        (0x08, b"\xd8\x3d\xde\x00", "😀"),
        (0x10, b"\x00", "@"),
        (0x18, b"\x00a", "a"),
        (0xF0, b"\x00", "@"),
        (0x0E, b"abc", "abc"),
    ] {
        assert_eq!(
            decode(data_coding, octets, DefaultAlphabet::Gsm),
            expected,
            "{data_coding:#x}"
        );
    }
    assert_eq!(decode(0, b"caf\xe9", DefaultAlphabet::Latin1), "café");
}

#[test]
fn parts_are_recognised_by_header_and_by_parameters() {
    let place = |wide| {
        Some(Place {
            reference: 7,
            wide,
            total: 3,
            number: 2,
        })
    };
    let header8 = Submit {
        esm_class: 0x40,
        header: &[5, 0, 3, 7, 3, 2],
        text: b"x",
        ..Submit::default()
    };
    let header16 = Submit {
        esm_class: 0x40,
        header: &[6, 8, 4, 0, 7, 3, 2],
        text: b"x",
        ..Submit::default()
    };
    let plain = Submit {
        text: b"x",
        ..Submit::default()
    };
    let sar: [(u16, &[u8]); 3] = [
        (tag::SAR_MSG_REF_NUM, &[0, 7]),
        (tag::SAR_TOTAL_SEGMENTS, &[3]),
        (tag::SAR_SEGMENT_SEQNUM, &[2]),
    ];
    for (octets, expected) in [
        (deliver(&header8, &[]), place(false)),
        (deliver(&header16, &[]), place(true)),
        (deliver(&plain, &sar), place(true)),
        (deliver(&plain, &[]), None),
    ] {
        let message = message(&octets);
        let piece = piece(&message).unwrap();
        assert_eq!((piece.place, piece.octets), (expected, &b"x"[..]));
    }
}

#[test]
fn a_part_number_that_cannot_be_is_no_part() {
    for numbers in [[3, 0], [3, 4], [1, 1], [0, 0]] {
        let header = [5, 0, 3, 7, numbers[0], numbers[1]];
        let octets = deliver(
            &Submit {
                esm_class: 0x40,
                header: &header,
                text: b"x",
                ..Submit::default()
            },
            &[],
        );
        assert_eq!(piece(&message(&octets)).unwrap().place, None, "{numbers:?}");
    }
}

#[test]
fn national_tables_are_used_where_the_header_names_them() {
    let octets = deliver(
        &Submit {
            esm_class: 0x40,
            header: &[3, 0x24, 1, 1],
            text: b"\x1b\x47",
            ..Submit::default()
        },
        &[],
    );
    let message = message(&octets);
    let piece = piece(&message).unwrap();
    assert_eq!(read(piece.coding, piece.octets, DefaultAlphabet::Gsm), "Ğ");
}

#[test]
fn what_is_for_a_program_is_not_a_message() {
    let ported = Submit {
        esm_class: 0x40,
        header: &[6, 5, 4, 0x0B, 0x84, 0, 0],
        ..Submit::default()
    };
    let binary = Submit {
        data_coding: 4,
        text: b"\x01\x02",
        ..Submit::default()
    };
    for submit in [ported, binary] {
        let octets = deliver(&submit, &[]);
        assert_eq!(piece(&message(&octets)), None);
    }
}

proptest! {
    #[test]
    fn no_header_makes_the_reader_panic(text: Vec<u8>, esm_class: u8, data_coding: u8) {
        let octets = deliver(&Submit { esm_class, data_coding, text: &text, ..Submit::default() }, &[]);
        if let Some(piece) = piece(&message(&octets)) {
            drop(read(piece.coding, piece.octets, DefaultAlphabet::Gsm));
        }
    }
}
