//! How is a route's `smpp` table read?

use std::collections::BTreeMap;

use connectors::smpp::SmppConfig;
use connectors::smpp::codes::{Refusal, TYPICAL_RECEIPT_ERRORS};
use connectors::smpp::config::{
    BindMode, ClientCertificate, Concatenation, DefaultAlphabet, MessageIdMatch, TlsConfig,
    ValidityForm,
};
use domain::model::failure::FailureClass;
use domain::time::Millis;

use super::reader::{Field, Surroundings, Table};

/// Reads the settings of an SMPP account; `None` when it cannot be logged in with.
pub(super) fn read(
    mut table: Table<'_>,
    receipts: bool,
    surroundings: Surroundings<'_>,
) -> Option<SmppConfig> {
    let default = SmppConfig::default();
    let host = table
        .require("host", "the name or address of the SMSC")
        .and_then(Field::words);
    let system_id = table
        .require("system_id", "the account at the SMSC")
        .and_then(Field::words);
    let password = table
        .require(
            "password",
            "text, { env = \"NAME\" } or { file = \"PATH\" }",
        )
        .and_then(|field| field.secret(surroundings));
    let text = |field: Field<'_>| field.text().map(str::to_owned);
    let octet = |most: i64| move |field: Field<'_>| field.whole::<u8>(0..=most);
    let wait =
        |least: Millis, most: Millis| move |field: Field<'_>| field.span_of_time(least..=most);
    let (second, hour) = (Millis::seconds(1), Millis::hours(1));
    let patient = wait(second, hour);

    let config = SmppConfig {
        host: host.unwrap_or_default().to_owned(),
        port: table.or("port", default.port, |field| field.whole(1..=65_535)),
        system_id: system_id.unwrap_or_default().to_owned(),
        password: password
            .as_ref()
            .map(|it| it.expose().to_owned())
            .unwrap_or_default(),
        system_type: table.or("system_type", default.system_type, text),
        address_range: table.or("address_range", default.address_range, text),
        service_type: table.or("service_type", default.service_type, text),
        bind: table.or("bind", default.bind, bind),
        binds: table.or("binds", default.binds, |field| field.whole(1..=64)),
        window: table.or("window", default.window, |field| field.whole(1..=10_000)),
        connect_timeout: table.or("connect_timeout", default.connect_timeout, patient),
        enquire_link: table.or("enquire_link", default.enquire_link, patient),
        enquire_link_timeout: table.or(
            "enquire_link_timeout",
            default.enquire_link_timeout,
            patient,
        ),
        response_timeout: table.or("response_timeout", default.response_timeout, patient),
        reconnect_min: table.or(
            "reconnect_min",
            default.reconnect_min,
            wait(Millis::new(10), hour),
        ),
        reconnect_max: table.or(
            "reconnect_max",
            default.reconnect_max,
            wait(Millis::new(10), hour),
        ),
        login_retry: table.or("login_retry", default.login_retry, patient),
        tls: table.get("tls").and_then(|field| tls(field, surroundings)),
        source_ton: table.get("source_ton").and_then(octet(6)),
        source_npi: table.get("source_npi").and_then(octet(18)),
        destination_ton: table.or("destination_ton", default.destination_ton, octet(6)),
        destination_npi: table.or("destination_npi", default.destination_npi, octet(18)),
        message_mode: table.or("message_mode", default.message_mode, octet(3)),
        default_alphabet: table.or("default_alphabet", default.default_alphabet, alphabet),
        concatenation: table.or("concatenation", default.concatenation, concatenation),
        receipts,
        validity_form: table.or("validity_form", default.validity_form, validity_form),
        message_id_match: table.or("message_id_match", default.message_id_match, id_match),
        receipt_errors: table.or("receipt_errors", default.receipt_errors, receipt_errors),
        statuses: table.or("statuses", default.statuses, statuses),
        parameters: table.or("parameters", default.parameters, parameters),
        unanswered_max: table.or("unanswered_max", default.unanswered_max, |field| {
            usize::try_from(field.whole::<u32>(1..=100_000)?).ok()
        }),
        reassembly_timeout: table.or("reassembly_timeout", default.reassembly_timeout, patient),
        reassembly_hold: table.or(
            "reassembly_hold",
            default.reassembly_hold,
            wait(Millis::ZERO, Millis::minutes(1)),
        ),
    };
    if config.reconnect_max < config.reconnect_min {
        table.error("reconnect_max", "must not be shorter than `reconnect_min`");
    }
    table.finish();
    (host.is_some() && system_id.is_some() && password.is_some()).then_some(config)
}

fn bind(field: Field<'_>) -> Option<BindMode> {
    const WORDS: [(&str, BindMode); 3] = [
        ("transceiver", BindMode::Transceiver),
        ("transmitter_receiver", BindMode::TransmitterReceiver),
        ("transmitter", BindMode::Transmitter),
    ];
    if field.clone().text() == Some("receiver") {
        field.error(
            "a route must be able to send; use \"transmitter_receiver\" for separate connections",
        );
        return None;
    }
    field.choice(&WORDS, &[])
}

fn alphabet(field: Field<'_>) -> Option<DefaultAlphabet> {
    field.choice(
        &[
            ("gsm", DefaultAlphabet::Gsm),
            ("latin1", DefaultAlphabet::Latin1),
        ],
        &[],
    )
}

fn concatenation(field: Field<'_>) -> Option<Concatenation> {
    let words = [
        ("udh", Concatenation::UserDataHeader),
        ("sar", Concatenation::SarParameters),
    ];
    field.choice(&words, &[])
}

fn validity_form(field: Field<'_>) -> Option<ValidityForm> {
    let words = [
        ("relative", ValidityForm::Relative),
        ("absolute", ValidityForm::Absolute),
        ("unset", ValidityForm::Unset),
    ];
    field.choice(&words, &[])
}

fn id_match(field: Field<'_>) -> Option<MessageIdMatch> {
    let words = [
        ("auto", MessageIdMatch::Auto),
        ("as_is", MessageIdMatch::AsIs),
        (
            "resp_hex_dlr_dec",
            MessageIdMatch::ResponseHexReceiptDecimal,
        ),
        (
            "resp_dec_dlr_hex",
            MessageIdMatch::ResponseDecimalReceiptHex,
        ),
    ];
    field.choice(&words, &[])
}

/// `true`, or a table of certificates; `None` is plain TCP.
fn tls(field: Field<'_>, surroundings: Surroundings<'_>) -> Option<TlsConfig> {
    if !field.is_table() {
        return field.flag()?.then(TlsConfig::default);
    }
    let mut table = field.table()?;
    let pem = |field: Field<'_>| field.pem(surroundings);
    let ca = table.get("ca").and_then(pem);
    let server_name = table
        .get("server_name")
        .and_then(Field::words)
        .map(str::to_owned);
    let (certificates, key) = (table.get("certificate"), table.get("key"));
    // By what is written: why one of them cannot be read is told where it stands.
    if certificates.is_some() != key.is_some() {
        table.error(
            "key",
            "`certificate` and `key` belong together; give both or neither",
        );
    }
    table.finish();
    let client = certificates
        .and_then(pem)
        .zip(key.and_then(pem))
        .map(|(certificates, key)| ClientCertificate { certificates, key });
    Some(TlsConfig {
        ca,
        server_name,
        client,
    })
}

/// `"typical"`, or a table from the vendor's code to a class of failure.
fn receipt_errors(field: Field<'_>) -> Option<BTreeMap<String, FailureClass>> {
    if !field.is_table() {
        field.choice(&[("typical", ())], &[])?;
        let owned = |(code, class): &(&str, FailureClass)| ((*code).to_owned(), *class);
        return Some(TYPICAL_RECEIPT_ERRORS.iter().map(owned).collect());
    }
    let row = |(code, field): (String, Field<'_>)| {
        let code = match code.trim_start_matches('0') {
            "" => "0".to_owned(),
            code => code.to_owned(),
        };
        Some((code, failure_class(field)?))
    };
    Some(field.table()?.rows().into_iter().filter_map(row).collect())
}

/// A table from the vendor's `command_status` to what it means.
fn statuses(field: Field<'_>) -> Option<BTreeMap<u32, Refusal>> {
    let row = |(status, field): (String, Field<'_>)| {
        let Some(status) = number(&status).filter(|it| *it != 0) else {
            field.error("must be named by a number such as 1025 or \"0x401\"");
            return None;
        };
        let mut table = field.table()?;
        let failure = table
            .require("failure", "a class of failure")
            .and_then(failure_class);
        let for_good = table.or("for_good", false, Field::flag);
        table.finish();
        let refusal = if for_good {
            Refusal::ForGood
        } else {
            Refusal::NotTaken
        };
        Some((status, refusal(failure?)))
    };
    Some(field.table()?.rows().into_iter().filter_map(row).collect())
}

/// A table from a parameter's tag to its value as text.
fn parameters(field: Field<'_>) -> Option<Vec<(u16, Vec<u8>)>> {
    let row = |(tag, field): (String, Field<'_>)| {
        let Some(tag) = number(&tag).and_then(|it| u16::try_from(it).ok()) else {
            field.error("must be named by a tag such as \"0x1400\"");
            return None;
        };
        Some((tag, field.text()?.as_bytes().to_vec()))
    };
    Some(field.table()?.rows().into_iter().filter_map(row).collect())
}

fn failure_class(field: Field<'_>) -> Option<FailureClass> {
    field.choice(&FailureClass::ALL.map(|it| (it.code(), it)), &[])
}

/// A number in decimal, or in hexadecimal with `0x`.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
