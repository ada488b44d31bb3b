//! What SMPP 3.3 does not have.

use std::time::Duration;

use smpp::*;

use crate::pair::*;

const NOW: Duration = Duration::ZERO;
const OK: CommandStatus = CommandStatus::ROK;

fn old_client() -> Session {
    let mut config = ClientConfig { mode: BindMode::Transmitter, ..client_config() };
    config.session.version = InterfaceVersion::V3_3;
    lone_client(config)
}

#[test]
fn a_3_3_client_sends_no_tlvs() {
    let mut client = old_client();
    assert!(!client.with_tlvs());
    let mut tlvs = TlvBuf::new();
    tlvs.push_u16(Tag::USER_MESSAGE_REFERENCE, 7);
    let with = SubmitSm { tlvs: tlvs.as_tlvs(), ..message() };
    take_output(&mut client);
    client.submit(&with, 1, NOW).unwrap();
    assert_eq!(take_output(&mut client), wire(&message(), 2, OK));
    // The text would be lost.
    tlvs.push(Tag::MESSAGE_PAYLOAD, b"long").unwrap();
    let payload = SubmitSm { short_message: b"", tlvs: tlvs.as_tlvs(), ..message() };
    let refused = SubmitError::Encode(EncodeError::PayloadWithoutTlvs);
    assert_eq!(client.submit(&payload, 1, NOW), Err(refused));
    let data = SubmitError::NotInVersion(CommandId::DATA_SM);
    assert_eq!(client.request(&DataSm::default(), 1, NOW), Err(data));
    assert!(client.output().is_empty());
    assert_eq!(client.outstanding(), 1);
}

#[test]
fn a_server_sends_no_tlvs_to_a_3_3_client_and_short_ids_only() {
    let config = SessionConfig::default();
    let mut server = Session::server(config.clone(), NOW).unwrap();
    let bind = Bind { interface_version: InterfaceVersion(0), ..Default::default() };
    feed(&mut server, &wire(&Pdu::Bind(BindMode::Transmitter, bind), 1, OK), NOW, usize::MAX);
    server.accept_bind(b"MC", NOW).unwrap();
    let expected = Pdu::BindResp(BindMode::Transmitter, BindResp { system_id: b"MC", ..Default::default() });
    assert_eq!(take_output(&mut server), wire(&expected, 1, OK));
    feed(&mut server, &wire(&message(), 2, OK), NOW, usize::MAX);
    let long = SubmitSmResp { message_id: b"123456789", ..Default::default() };
    let refused = EncodeError::TooLong { field: "message_id", length: 9, max: 8 };
    assert_eq!(server.respond(2, OK, &long, NOW), Err(RespondError::Encode(refused)));
    assert_eq!(server.unanswered(), 1);
    let short = SubmitSmResp { message_id: b"12345678", ..Default::default() };
    assert_eq!(server.respond(2, OK, &short, NOW), Ok(()));
    // A 3.4 client may have long ones.
    let mut server = lone_server(config, BindMode::Transmitter, InterfaceVersion::V3_4);
    feed(&mut server, &wire(&message(), 2, OK), NOW, usize::MAX);
    assert_eq!(server.respond(2, OK, &long, NOW), Ok(()));
}

#[test]
fn a_server_answers_with_the_version_that_both_speak() {
    let config = SessionConfig { version: InterfaceVersion::V5_0, ..SessionConfig::default() };
    for (asked, answered) in [(0x34, 0x34), (0x50, 0x50), (0x00, 0x34), (0x60, 0x50)] {
        let mut server = Session::server(config.clone(), NOW).unwrap();
        let bind = Bind { interface_version: InterfaceVersion(asked), ..Default::default() };
        feed(&mut server, &wire(&Pdu::Bind(BindMode::Transceiver, bind), 1, OK), NOW, usize::MAX);
        server.accept_bind(b"MC", NOW).unwrap();
        let mut tlvs = TlvBuf::new();
        tlvs.push_u8(Tag::SC_INTERFACE_VERSION, answered);
        let body = BindResp { system_id: b"MC", tlvs: tlvs.as_tlvs() };
        let expected = Pdu::BindResp(BindMode::Transceiver, body);
        assert_eq!(take_output(&mut server), wire(&expected, 1, OK), "{asked:#x}");
    }
}

#[test]
fn a_transceiver_is_no_3_3_client_whatever_it_says() {
    let server = lone_server(SessionConfig::default(), BindMode::Transceiver, InterfaceVersion(0));
    assert!(server.with_tlvs());
}

#[test]
fn operations_that_nobody_uses_are_nacked() {
    let mut server = lone_server(SessionConfig::default(), BindMode::Transceiver, InterfaceVersion::V3_4);
    let old = Pdu::Unknown { id: CommandId::PARAM_RETRIEVE, body: b"name\0" };
    assert_eq!(feed(&mut server, &wire(&old, 4, OK), NOW, usize::MAX), []);
    assert_eq!(headers(&take_output(&mut server)), [(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, 4)]);
    assert_eq!(server.counters().refused, 1);
}
