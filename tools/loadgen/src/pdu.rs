//! How do the few SMPP 3.4 PDUs of a load run look on the wire?
//!
//! Hand-written and narrow on purpose: the sink must cost a small part of what it measures, and must not
//! share a codec, and so its mistakes, with the server under test.

/// Length of a PDU header in bytes.
pub const HEADER: usize = 16;
/// Longest PDU that is read; a longer one ends the connection.
pub const MAX_PDU: usize = 64 * 1024;
/// Bit of the command id that marks a response.
pub const RESPONSE: u32 = 0x8000_0000;

/// Command ids.
pub mod command {
    /// Receipts only.
    pub const BIND_RECEIVER: u32 = 0x01;
    /// Submissions only.
    pub const BIND_TRANSMITTER: u32 = 0x02;
    /// One message to the SMSC.
    pub const SUBMIT_SM: u32 = 0x04;
    /// One message or receipt from the SMSC.
    pub const DELIVER_SM: u32 = 0x05;
    /// Orderly end of a session.
    pub const UNBIND: u32 = 0x06;
    /// Both directions.
    pub const BIND_TRANSCEIVER: u32 = 0x09;
    /// Keep-alive.
    pub const ENQUIRE_LINK: u32 = 0x15;
    /// Answer to what was not understood.
    pub const GENERIC_NACK: u32 = 0x8000_0000;
}

/// Command states.
pub mod status {
    /// Done.
    pub const OK: u32 = 0;
    /// Unknown command id.
    pub const INVALID_COMMAND: u32 = 0x03;
    /// The command does not fit the bind.
    pub const INVALID_BIND_STATE: u32 = 0x04;
    /// Destination refused for good.
    pub const INVALID_DESTINATION: u32 = 0x0B;
    /// The SMSC's queue is full.
    pub const QUEUE_FULL: u32 = 0x14;
    /// The ESME is too fast.
    pub const THROTTLED: u32 = 0x58;
}

const TLV_RECEIPTED_MESSAGE_ID: u16 = 0x001E;
const TLV_SAR_SEGMENT: u16 = 0x020F;
const TLV_INTERFACE_VERSION: u16 = 0x0210;
const TLV_MESSAGE_PAYLOAD: u16 = 0x0424;
const TLV_MESSAGE_STATE: u16 = 0x0427;

/// The header of a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Length of the PDU with its header.
    pub length: usize,
    /// Command id.
    pub command: u32,
    /// Command status; 0 in requests.
    pub status: u32,
    /// Sequence number.
    pub sequence: u32,
}

/// A peer whose stream cannot be cut into PDUs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|it| it.try_into().ok())
        .map_or(0, u32::from_be_bytes)
}

/// The header at the start of `bytes`, once the whole PDU is there.
pub fn next(bytes: &[u8]) -> Result<Option<Header>, Broken> {
    if bytes.len() < HEADER {
        return Ok(None);
    }
    let length = u32_at(bytes, 0) as usize;
    if !(HEADER..=MAX_PDU).contains(&length) {
        return Err(Broken);
    }
    if bytes.len() < length {
        return Ok(None);
    }
    Ok(Some(Header {
        length,
        command: u32_at(bytes, 4),
        status: u32_at(bytes, 8),
        sequence: u32_at(bytes, 12),
    }))
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn c_string(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|it| *it == 0)?;
        let text = self.take(end)?;
        self.byte()?;
        Some(text)
    }

    fn tlv(&mut self) -> Option<(u16, &'a [u8])> {
        let tag = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        Some((tag, self.take(usize::from(length))?))
    }
}

/// An address: type of number, numbering plan, digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// Type of number.
    pub ton: u8,
    /// Numbering plan.
    pub npi: u8,
    /// Digits or name.
    pub text: &'a [u8],
}

/// What a sink needs of a `submit_sm` or `deliver_sm`; both have the same body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who it is from.
    pub source: Address<'a>,
    /// Whom it goes to.
    pub destination: Address<'a>,
    /// Message mode, type and features.
    pub esm_class: u8,
    /// Which receipts are asked for.
    pub registered_delivery: u8,
    /// Text encoding.
    pub data_coding: u8,
    /// The text without its user data header.
    pub text: &'a [u8],
    /// Number of this part, from 1; 1 for a message of one part.
    pub part: u8,
    /// Message id of the TLV `receipted_message_id`.
    pub receipted_id: Option<&'a [u8]>,
}

fn address<'a>(cursor: &mut Cursor<'a>) -> Option<Address<'a>> {
    Some(Address {
        ton: cursor.byte()?,
        npi: cursor.byte()?,
        text: cursor.c_string()?,
    })
}

/// The part number in a user data header, where it has a concatenation element.
fn part_number(header: &[u8]) -> Option<u8> {
    let mut cursor = Cursor(header);
    loop {
        let (element, length) = (cursor.byte()?, cursor.byte()?);
        let data = cursor.take(usize::from(length))?;
        if matches!(element, 0x00 | 0x08) {
            return data.last().copied();
        }
    }
}

/// Reads the body of a `submit_sm` or `deliver_sm`; none if it ends early.
pub fn message(body: &[u8]) -> Option<Message<'_>> {
    let mut cursor = Cursor(body);
    cursor.c_string()?;
    let source = address(&mut cursor)?;
    let destination = address(&mut cursor)?;
    let (esm_class, _protocol, _priority) = (cursor.byte()?, cursor.byte()?, cursor.byte()?);
    cursor.c_string()?;
    cursor.c_string()?;
    let (registered_delivery, _replace, data_coding, _default) = (
        cursor.byte()?,
        cursor.byte()?,
        cursor.byte()?,
        cursor.byte()?,
    );
    let length = cursor.byte()?;
    let mut text = cursor.take(usize::from(length))?;
    let (mut part, mut receipted_id) = (1, None);
    while let Some((tag, value)) = cursor.tlv() {
        match tag {
            TLV_MESSAGE_PAYLOAD if text.is_empty() => text = value,
            TLV_SAR_SEGMENT => part = value.first().copied().unwrap_or(1),
            TLV_RECEIPTED_MESSAGE_ID => {
                receipted_id = Some(value.strip_suffix(b"\0").unwrap_or(value));
            }
            _ => {}
        }
    }
    if esm_class & 0x40 != 0 {
        let (header_length, rest) = text.split_first()?;
        let (header, rest) = rest.split_at_checked(usize::from(*header_length))?;
        part = part_number(header).unwrap_or(1);
        text = rest;
    }
    Some(Message {
        source,
        destination,
        esm_class,
        registered_delivery,
        data_coding,
        text,
        part,
        receipted_id,
    })
}

/// Appends a PDU whose body `write` appends, and fills in its length.
pub fn push(
    out: &mut Vec<u8>,
    command: u32,
    status: u32,
    sequence: u32,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&command.to_be_bytes());
    out.extend_from_slice(&status.to_be_bytes());
    out.extend_from_slice(&sequence.to_be_bytes());
    write(out);
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Appends a PDU without a body.
pub fn push_empty(out: &mut Vec<u8>, command: u32, status: u32, sequence: u32) {
    push(out, command, status, sequence, |_| {});
}

/// Sets the sequence number of the PDU that `bytes` is.
pub fn set_sequence(bytes: &mut [u8], sequence: u32) {
    if let Some(field) = bytes.get_mut(12..HEADER) {
        field.copy_from_slice(&sequence.to_be_bytes());
    }
}

fn push_c_string(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    out.push(0);
}

fn push_tlv(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(value);
}

fn push_address(out: &mut Vec<u8>, address: Address<'_>) {
    out.extend_from_slice(&[address.ton, address.npi]);
    push_c_string(out, address.text);
}

/// Appends a bind request of interface version 3.4.
pub fn push_bind(
    out: &mut Vec<u8>,
    command: u32,
    sequence: u32,
    system_id: &[u8],
    password: &[u8],
) {
    push(out, command, status::OK, sequence, |out| {
        push_c_string(out, system_id);
        push_c_string(out, password);
        out.push(0); // system_type
        out.extend_from_slice(&[0x34, 0, 0, 0]); // version, ton, npi, address_range
    });
}

/// Appends the answer to a bind.
pub fn push_bind_resp(out: &mut Vec<u8>, command: u32, sequence: u32, system_id: &[u8]) {
    push(out, command | RESPONSE, status::OK, sequence, |out| {
        push_c_string(out, system_id);
        push_tlv(out, TLV_INTERFACE_VERSION, &[0x34]);
    });
}

/// Appends the answer that a submission was taken under `id`.
pub fn push_submit_resp(out: &mut Vec<u8>, sequence: u32, id: &[u8]) {
    push(
        out,
        command::SUBMIT_SM | RESPONSE,
        status::OK,
        sequence,
        |out| push_c_string(out, id),
    );
}

/// Appends a submission of one part in the default alphabet that asks for a receipt.
pub fn push_submit(
    out: &mut Vec<u8>,
    sequence: u32,
    source: Address<'_>,
    destination: Address<'_>,
    text: &[u8],
) {
    push(out, command::SUBMIT_SM, status::OK, sequence, |out| {
        out.push(0); // service_type
        push_address(out, source);
        push_address(out, destination);
        out.extend_from_slice(&[0, 0, 0, 0, 0]); // esm_class, protocol, priority, schedule, validity
        out.extend_from_slice(&[1, 0, 0, 0]); // registered_delivery, replace, data_coding, default message
        out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(&text[..text.len().min(254)]);
    });
}

/// Appends the answer that a receipt is kept.
pub fn push_deliver_resp(out: &mut Vec<u8>, sequence: u32) {
    push(
        out,
        command::DELIVER_SM | RESPONSE,
        status::OK,
        sequence,
        |out| out.push(0),
    );
}

/// How a message ended, as a receipt says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalState {
    /// `DELIVRD`, message state 2.
    Delivered,
    /// `UNDELIV`, message state 5.
    Undeliverable,
}

/// A receipt, still without its sequence number: standard text, and the id and state as TLVs.
pub fn receipt(submit: &Message<'_>, id: &[u8], date: &[u8], state: FinalState) -> Vec<u8> {
    let (word, error, delivered, code) = match state {
        FinalState::Delivered => (&b"DELIVRD"[..], &b"000"[..], &b"001"[..], 2),
        FinalState::Undeliverable => (&b"UNDELIV"[..], &b"005"[..], &b"000"[..], 5),
    };
    let mut out = Vec::with_capacity(256);
    push(&mut out, command::DELIVER_SM, status::OK, 0, |out| {
        out.push(0); // service_type
        push_address(out, submit.destination);
        push_address(out, submit.source);
        out.extend_from_slice(&[0x04, 0, 0, 0, 0]); // esm_class: receipt; protocol, priority, schedule, validity
        out.extend_from_slice(&[0, 0, 0, 0]); // registered_delivery, replace, data_coding, default message
        let length_at = out.len();
        out.push(0);
        for piece in [
            &b"id:"[..],
            id,
            b" sub:001 dlvrd:",
            delivered,
            b" submit date:",
            date,
            b" done date:",
            date,
            b" stat:",
            word,
            b" err:",
            error,
            b" text:",
            &submit.text[..submit.text.len().min(20)],
        ] {
            out.extend_from_slice(piece);
        }
        out[length_at] = u8::try_from(out.len() - length_at - 1).unwrap_or(u8::MAX);
        push_tlv(out, TLV_RECEIPTED_MESSAGE_ID, &[id, b"\0"].concat());
        push_tlv(out, TLV_MESSAGE_STATE, &[code]);
    });
    out
}

#[cfg(test)]
mod tests;
