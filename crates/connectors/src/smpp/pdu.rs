//! How the PDUs of SMPP 3.4 that a client needs look on the wire.
//!
//! Written by hand although `rusmpp` has a codec (ADR 0008 allows for it): the library refuses a
//! whole PDU for an id of 65 octets, a password of nine or one octet that is not ASCII, all of which
//! real servers send or demand, and it allocates for every field. Reading here borrows and is
//! lenient; the library stays as the oracle of the tests. Source: SMPP v3.4 issue 1.2.

/// Octets of a header.
pub const HEADER: usize = 16;
/// Longest PDU that is read; a peer that announces a longer one is cut off.
pub const MAX_COMMAND_LENGTH: usize = 64 * 1024;
/// Bit of a command id that marks a response.
pub const RESPONSE: u32 = 0x8000_0000;

/// Command ids (section 5.1.2.1).
pub mod command {
    /// Asks to hear only.
    pub const BIND_RECEIVER: u32 = 0x01;
    /// Asks to submit only.
    pub const BIND_TRANSMITTER: u32 = 0x02;
    /// One message to the SMSC.
    pub const SUBMIT_SM: u32 = 0x04;
    /// One message or receipt from the SMSC.
    pub const DELIVER_SM: u32 = 0x05;
    /// Orderly end.
    pub const UNBIND: u32 = 0x06;
    /// Asks for both directions.
    pub const BIND_TRANSCEIVER: u32 = 0x09;
    /// The SMSC asks to be bound to.
    pub const OUTBIND: u32 = 0x0B;
    /// Keep-alive.
    pub const ENQUIRE_LINK: u32 = 0x15;
    /// A handset is reachable again.
    pub const ALERT_NOTIFICATION: u32 = 0x102;
    /// Another form of a message or receipt.
    pub const DATA_SM: u32 = 0x103;
    /// Answer to what was not understood.
    pub const GENERIC_NACK: u32 = 0x8000_0000;
}

/// Tags of optional parameters (section 5.3.2).
pub mod tag {
    /// Our id at submission, on a receipt.
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    /// Reference of a concatenated message.
    pub const SAR_MSG_REF_NUM: u16 = 0x020C;
    /// Number of its parts.
    pub const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
    /// Number of this part, from one.
    pub const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
    /// Error of the network: its type and 16 bits.
    pub const NETWORK_ERROR_CODE: u16 = 0x0423;
    /// The message where it does not fit or is not in `short_message`.
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    /// Final state, on a receipt.
    pub const MESSAGE_STATE: u16 = 0x0427;
}

/// A PDU as it was cut out of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Command id.
    pub command: u32,
    /// Command status; 0 in requests.
    pub status: u32,
    /// Sequence number.
    pub sequence: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

impl Frame<'_> {
    /// Octets on the wire.
    pub const fn length(&self) -> usize {
        HEADER + self.body.len()
    }
}

/// The peer announced a length that no PDU has: its stream cannot be cut any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the peer announced a PDU of {0} octets")]
pub struct BadLength(pub u32);

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|it| it.try_into().ok())
        .map_or(0, u32::from_be_bytes)
}

/// The PDU at the start of `bytes`, once all of it is there.
pub fn first(bytes: &[u8]) -> Result<Option<Frame<'_>>, BadLength> {
    if bytes.len() < 4 {
        return Ok(None);
    }
    let length = u32_at(bytes, 0);
    let octets = length as usize;
    if !(HEADER..=MAX_COMMAND_LENGTH).contains(&octets) {
        return Err(BadLength(length));
    }
    Ok(bytes.get(HEADER..octets).map(|body| Frame {
        command: u32_at(bytes, 4),
        status: u32_at(bytes, 8),
        sequence: u32_at(bytes, 12),
        body,
    }))
}

/// Reads fields from the front of a body.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1).map(|it| it[0])
    }

    fn c_string(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|it| *it == 0)?;
        let text = self.take(end);
        self.octet()?;
        text
    }

    fn address(&mut self) -> Option<Address<'a>> {
        Some(Address {
            ton: self.octet()?,
            npi: self.octet()?,
            text: self.c_string()?,
        })
    }
}

/// An address with its type of number and numbering plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Address<'a> {
    /// Type of number.
    pub ton: u8,
    /// Numbering plan.
    pub npi: u8,
    /// Digits or name.
    pub text: &'a [u8],
}

/// The optional parameters of a PDU; one that is cut off ends them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tlvs<'a>(&'a [u8]);

impl<'a> Tlvs<'a> {
    /// The value of the first parameter with this tag.
    pub fn get(self, wanted: u16) -> Option<&'a [u8]> {
        self.iter()
            .find(|(tag, _)| *tag == wanted)
            .map(|(_, value)| value)
    }

    /// Each parameter in order.
    pub fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut fields = Fields(self.0);
        std::iter::from_fn(move || {
            let tag = u16::from_be_bytes(fields.take(2)?.try_into().ok()?);
            let length = u16::from_be_bytes(fields.take(2)?.try_into().ok()?);
            Some((tag, fields.take(usize::from(length))?))
        })
    }
}

/// The body of a `submit_sm` or `deliver_sm`, which have the same fields, or of a `data_sm`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Message<'a> {
    /// Who it is from.
    pub source: Address<'a>,
    /// Whom it goes to.
    pub destination: Address<'a>,
    /// Mode, type and features.
    pub esm_class: u8,
    /// How long the SMSC keeps trying; empty is its own choice.
    pub validity_period: &'a [u8],
    /// Which receipts are asked for.
    pub registered_delivery: u8,
    /// How the text is encoded.
    pub data_coding: u8,
    /// The text, with its user data header where `esm_class` says so.
    pub short_message: &'a [u8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> Message<'a> {
    /// Reads the body of a `submit_sm` or `deliver_sm`; `None` when it ends too soon.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(body);
        fields.c_string()?; // service_type
        let source = fields.address()?;
        let destination = fields.address()?;
        let esm_class = fields.octet()?;
        fields.take(2)?; // protocol_id, priority_flag
        fields.c_string()?; // schedule_delivery_time
        let validity_period = fields.c_string()?;
        let registered_delivery = fields.octet()?;
        fields.octet()?; // replace_if_present_flag
        let data_coding = fields.octet()?;
        fields.octet()?; // sm_default_msg_id
        let length = fields.octet()?;
        let short_message = fields.take(usize::from(length))?;
        Some(Self {
            source,
            destination,
            esm_class,
            validity_period,
            registered_delivery,
            data_coding,
            short_message,
            tlvs: Tlvs(fields.0),
        })
    }

    /// Reads the body of a `data_sm`; `None` when it ends too soon.
    pub fn parse_data(body: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(body);
        fields.c_string()?; // service_type
        let source = fields.address()?;
        let destination = fields.address()?;
        let esm_class = fields.octet()?;
        let registered_delivery = fields.octet()?;
        let data_coding = fields.octet()?;
        Some(Self {
            source,
            destination,
            esm_class,
            registered_delivery,
            data_coding,
            tlvs: Tlvs(fields.0),
            ..Self::default()
        })
    }

    /// The text, wherever it stands: `short_message`, else the parameter `message_payload`.
    pub fn payload(&self) -> &'a [u8] {
        if self.short_message.is_empty() {
            self.tlvs.get(tag::MESSAGE_PAYLOAD).unwrap_or_default()
        } else {
            self.short_message
        }
    }
}

/// The text at the front of a response: the message id, or the SMSC's name. An error response may
/// have no body at all, and some servers forget the final zero.
pub fn leading_text(body: &[u8]) -> &[u8] {
    body.split(|it| *it == 0).next().unwrap_or_default()
}

/// Appends PDUs to a buffer.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    begin: usize,
}

impl<'a> Writer<'a> {
    /// Begins a PDU; it is complete after [`Writer::finish`].
    pub fn begin(out: &'a mut Vec<u8>, command: u32, status: u32, sequence: u32) -> Self {
        let begin = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&command.to_be_bytes());
        out.extend_from_slice(&status.to_be_bytes());
        out.extend_from_slice(&sequence.to_be_bytes());
        Self { out, begin }
    }

    /// Appends octets as they are.
    pub fn octets(&mut self, octets: &[u8]) -> &mut Self {
        self.out.extend_from_slice(octets);
        self
    }

    /// Appends a text and its zero; what follows a zero inside it is left out.
    pub fn c_string(&mut self, text: &[u8]) -> &mut Self {
        self.octets(leading_text(text)).octets(&[0])
    }

    /// Appends an address.
    pub fn address(&mut self, address: Address<'_>) -> &mut Self {
        self.octets(&[address.ton, address.npi])
            .c_string(address.text)
    }

    /// Appends an optional parameter; one of more than 65,535 octets is left out.
    pub fn tlv(&mut self, tag: u16, value: &[u8]) -> &mut Self {
        if let Ok(length) = u16::try_from(value.len()) {
            self.octets(&tag.to_be_bytes())
                .octets(&length.to_be_bytes())
                .octets(value);
        }
        self
    }

    /// Writes the length.
    pub fn finish(&mut self) {
        let length = u32::try_from(self.out.len() - self.begin).unwrap_or(u32::MAX);
        self.out[self.begin..self.begin + 4].copy_from_slice(&length.to_be_bytes());
    }
}

/// Appends a PDU that is a header only.
pub fn bare(out: &mut Vec<u8>, command: u32, status: u32, sequence: u32) {
    Writer::begin(out, command, status, sequence).finish();
}

/// Appends the answer to a `deliver_sm` or `data_sm`, whose message id is empty (section 4.6.2).
pub fn deliver_response(out: &mut Vec<u8>, command: u32, status: u32, sequence: u32) {
    Writer::begin(out, command | RESPONSE, status, sequence)
        .c_string(b"")
        .finish();
}

/// What a bind says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bind<'a> {
    /// Which of the three bind commands.
    pub command: u32,
    /// Account.
    pub system_id: &'a [u8],
    /// Its password.
    pub password: &'a [u8],
    /// Kind of client, where the SMSC wants one.
    pub system_type: &'a [u8],
    /// Which addresses it serves; usually empty.
    pub address_range: &'a [u8],
}

/// Version of the protocol that a bind claims.
const INTERFACE_VERSION: u8 = 0x34;

/// Appends a bind.
pub fn bind(out: &mut Vec<u8>, sequence: u32, bind: &Bind<'_>) {
    Writer::begin(out, bind.command, 0, sequence)
        .c_string(bind.system_id)
        .c_string(bind.password)
        .c_string(bind.system_type)
        .octets(&[INTERFACE_VERSION])
        .address(Address {
            ton: 0,
            npi: 0,
            text: bind.address_range,
        })
        .finish();
}

/// One `submit_sm` to write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Submit<'a> {
    /// Application, where the SMSC wants it named.
    pub service_type: &'a [u8],
    /// Who it is from.
    pub source: Address<'a>,
    /// Whom it goes to.
    pub destination: Address<'a>,
    /// Mode, type and features.
    pub esm_class: u8,
    /// How long the SMSC keeps trying; empty is its own choice.
    pub validity_period: &'a [u8],
    /// Which receipts are asked for.
    pub registered_delivery: u8,
    /// How the text is encoded.
    pub data_coding: u8,
    /// User data header; empty where there is none.
    pub header: &'a [u8],
    /// The text without header. With it at most 254 octets; a longer text goes as a parameter.
    pub text: &'a [u8],
}

/// Longest `short_message`.
const SHORT_MESSAGE: usize = 254;

impl Submit<'_> {
    /// Appends it; the caller may add parameters before it finishes the PDU.
    pub fn begin<'o>(&self, out: &'o mut Vec<u8>, sequence: u32) -> Writer<'o> {
        let mut pdu = Writer::begin(out, command::SUBMIT_SM, 0, sequence);
        pdu.c_string(self.service_type)
            .address(self.source)
            .address(self.destination)
            .octets(&[self.esm_class, 0, 0])
            .c_string(b"")
            .c_string(self.validity_period)
            .octets(&[self.registered_delivery, 0, self.data_coding, 0]);
        let length = self.header.len() + self.text.len();
        match u8::try_from(length) {
            Ok(short) if length <= SHORT_MESSAGE => {
                pdu.octets(&[short]).octets(self.header).octets(self.text);
            }
            Ok(_) | Err(_) => {
                pdu.octets(&[0])
                    .tlv(tag::MESSAGE_PAYLOAD, &[self.header, self.text].concat());
            }
        }
        pdu
    }
}

#[cfg(test)]
#[path = "pdu_tests.rs"]
mod tests;
