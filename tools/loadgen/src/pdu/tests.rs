//! Golden bytes, made by node-smpp and four of them read again by tshark.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

#[test]
fn what_is_written_is_what_others_write() {
    let euro = Address {
        ton: 5,
        npi: 0,
        text: b"ACME",
    };
    let german = Address {
        ton: 1,
        npi: 1,
        text: b"4917012345678",
    };
    for (got, want) in [
        (
            written(|out| push_bind(out, command::BIND_TRANSCEIVER, 1, b"esme1", b"secret")),
            "0000002200000009000000000000000165736d653100736563726574000034000000",
        ),
        (
            written(|out| push_bind_resp(out, command::BIND_TRANSCEIVER, 1, b"SMSC")),
            "0000001a800000090000000000000001534d5343000210000134",
        ),
        (
            written(|out| push_submit(out, 2, euro, german, b"Hello \x1be")),
            "0000003a00000004000000000000000200050041434d4500010134393137303132333435363738000000000000010000000848656c6c6f201b65",
        ),
        (
            written(|out| push_submit_resp(out, 2, b"abc001")),
            "0000001780000004000000000000000261626330303100",
        ),
        (
            written(|out| push_empty(out, command::SUBMIT_SM | RESPONSE, status::THROTTLED, 2)),
            "00000010800000040000005800000002",
        ),
        (
            written(|out| push_deliver_resp(out, 9)),
            "0000001180000005000000000000000900",
        ),
        (
            written(|out| push_empty(out, command::ENQUIRE_LINK, status::OK, 4)),
            "00000010000000150000000000000004",
        ),
        (
            written(|out| push_empty(out, command::UNBIND, status::OK, 5)),
            "00000010000000060000000000000005",
        ),
        (
            written(|out| push_empty(out, command::GENERIC_NACK, status::INVALID_COMMAND, 0)),
            "00000010800000000000000300000000",
        ),
    ] {
        assert_eq!(got, hex(want));
    }
}

#[test]
fn a_submission_of_one_part_is_read() {
    let bytes = hex(
        "0000003a00000004000000000000000200050041434d4500010134393137303132333435363738000000000000010000000848656c6c6f201b65",
    );
    let header = next(&bytes).unwrap().unwrap();
    assert_eq!(
        header,
        Header {
            length: 58,
            command: command::SUBMIT_SM,
            status: 0,
            sequence: 2
        }
    );
    let read = message(&bytes[HEADER..]).unwrap();
    assert_eq!((read.source.ton, read.source.text), (5, &b"ACME"[..]));
    assert_eq!(
        (read.destination.npi, read.destination.text),
        (1, &b"4917012345678"[..])
    );
    assert_eq!(
        (read.text, read.registered_delivery, read.part),
        (&b"Hello \x1be"[..], 1, 1)
    );
}

#[test]
fn a_part_of_a_long_message_is_read_without_its_header() {
    let bytes = hex(concat!(
        "0000005300000004000000000000000300010134393135373030303030303031000101343931373031323334353637",
        "380040000000000100080018050003710201041f044004380432043504420020d83dde00"
    ));
    let read = message(&bytes[HEADER..]).unwrap();
    assert_eq!((read.part, read.data_coding, read.text.len()), (1, 8, 18));
    let mut second = bytes[HEADER..].to_vec();
    let at = second
        .windows(6)
        .position(|it| it == [5, 0, 3, 0x71, 2, 1])
        .unwrap();
    second[at + 5] = 2;
    assert_eq!(message(&second).unwrap().part, 2);
}

#[test]
fn a_receipt_of_another_smsc_is_read() {
    let bytes = hex(concat!(
        "000000b20000000500000000000000090001013439313730313233343536373800050041434d45000400000000000001",
        "006969643a3131323535383039207375623a30303120646c7672643a303031207375626d697420646174653a32363131",
        "32313030303020646f6e6520646174653a3236313132313030303120737461743a44454c49565244206572723a303030",
        "20746578743a48656c6c6f001e000761626330303100042700010204230003030000",
    ));
    assert_eq!(next(&bytes).unwrap().unwrap().length, bytes.len());
    let read = message(&bytes[HEADER..]).unwrap();
    assert_eq!(
        (read.esm_class, read.receipted_id),
        (4, Some(&b"abc001"[..]))
    );
    assert_eq!(
        (read.source.text, read.destination.text),
        (&b"4917012345678"[..], &b"ACME"[..])
    );
    assert!(read.text.starts_with(b"id:11255809 sub:001 dlvrd:001 "));
}

#[test]
fn our_receipt_swaps_the_addresses_and_names_the_id_twice() {
    let submit = written(|out| {
        let source = Address {
            ton: 1,
            npi: 1,
            text: b"40700000001",
        };
        let destination = Address {
            ton: 1,
            npi: 1,
            text: b"40720000123",
        };
        push_submit(
            out,
            1,
            source,
            destination,
            b"L0000123 order parcel today courier",
        );
    });
    let submit = message(&submit[HEADER..]).unwrap();
    let mut bytes = receipt(&submit, b"sm-1", b"2611210000", FinalState::Delivered);
    set_sequence(&mut bytes, 77);
    let header = next(&bytes).unwrap().unwrap();
    assert_eq!(
        (header.length, header.command, header.sequence),
        (bytes.len(), command::DELIVER_SM, 77)
    );
    let read = message(&bytes[HEADER..]).unwrap();
    assert_eq!(read.source.text, b"40720000123");
    assert_eq!(read.destination.text, b"40700000001");
    assert_eq!((read.esm_class, read.receipted_id), (4, Some(&b"sm-1"[..])));
    assert_eq!(
        String::from_utf8_lossy(read.text),
        "id:sm-1 sub:001 dlvrd:001 submit date:2611210000 done date:2611210000 stat:DELIVRD err:000 text:L0000123 order parce"
    );
}

#[test]
fn half_a_pdu_waits_and_an_impossible_length_breaks_the_stream() {
    let bytes = hex("0000001180000005000000000000000900");
    for end in 0..bytes.len() {
        assert_eq!(next(&bytes[..end]), Ok(None), "{end} bytes");
    }
    assert!(next(&bytes).unwrap().is_some());
    assert_eq!(next(&hex("0000000f800000050000000000000009")), Err(Broken));
    assert_eq!(next(&hex("00010001800000050000000000000009")), Err(Broken));
}

#[test]
fn a_body_that_ends_early_is_no_message() {
    let submit =
        hex("00050041434d4500010134393137303132333435363738000000000000010000000848656c6c6f201b65");
    for end in 0..submit.len() {
        assert_eq!(message(&submit[..end]), None, "{end} bytes");
    }
    assert!(message(&submit).is_some());
}
