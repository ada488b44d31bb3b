//! Everything that UCP sessions say to each other, read by Wireshark's dissector: nothing is malformed, nothing draws
//! a remark, and the fields say what was meant.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use scenarios::pcap::{self, Packet};
use scenarios::{peers, skip};
use ucp::*;

const SERVER_PORT: u16 = 5_000;
/// Sessions start and are asked at this time.
const NOW: Duration = Duration::ZERO;

/// The columns that are asked for. Times are in seconds.
const FIELDS: [&str; 27] = [
    "ucp.hdr.TRN",
    "ucp.hdr.LEN",
    "ucp.hdr.O_R",
    "ucp.hdr.OT",
    "ucp.parm.AdC",
    "ucp.parm.OAdC",
    "ucp.parm.NRq",
    "ucp.parm.NT",
    "ucp.parm.VP",
    "ucp.parm.SCTS",
    "ucp.parm.Dst",
    "ucp.parm.Rsn",
    "ucp.parm.MT",
    "ucp.parm.NB",
    "ucp.parm.AMsg",
    "ucp.parm.MCLs",
    "ucp.parm.OTOA",
    "ucp.parm.PID",
    "ucp.parm.PWD",
    "ucp.parm.NPL",
    "ucp.xser.service",
    "ucp.xser.data",
    "ucp.parm.ACK",
    "ucp.parm.EC",
    "ucp.parm.SM",
    "_ws.malformed",
    "_ws.expert.message",
];

type Row = BTreeMap<&'static str, String>;

/// Sends what each of two sessions has to say to the other.
fn exchange(client: &mut Session, server: &mut Session, packets: &mut Vec<Packet>) {
    carry(client, server, true, packets);
    carry(server, client, false, packets);
}

/// Sends frames from one session to the other, which answers: the last operation negatively.
fn carry(from: &mut Session, to: &mut Session, to_server: bool, packets: &mut Vec<Packet>) {
    let octets = from.output().to_vec();
    from.consume_output(octets.len());
    let mut rest = &octets[..];
    while let NextFrame { used: used @ 1.., found: Some(Ok(_)), .. } = next_frame(rest, &FrameRules::default()) {
        packets.push(Packet { connection: 1, to_server, octets: rest[..used].to_vec() });
        rest = &rest[used..];
    }
    assert!(rest.is_empty(), "only frames are sent");
    assert_eq!(to.receive(&octets, NOW), octets.len());
    let (mut open, mut login) = (Vec::new(), false);
    while let Some(event) = to.next_event(NOW) {
        match event {
            Event::LoginRequest { .. } => login = true,
            Event::Request { trn, .. } => open.push(trn),
            Event::Malformed { error, .. } => panic!("{error}"),
            _ => {}
        }
    }
    if login {
        to.accept_login(b"welcome", NOW).expect("it waits");
    }
    let refused = open.pop();
    for trn in open {
        to.respond(trn, &Answer::ack(b"447700900001:221026183639"), NOW).expect("it waits");
    }
    if let Some(trn) = refused {
        to.respond(trn, &Answer::nack(ErrorCode::ADC_INVALID), NOW).expect("it waits");
    }
}

/// What two sessions say when each sends everything that it may.
fn conversation() -> Vec<Packet> {
    let login = Login { oadc: b"60777".to_vec(), password: b"secret".to_vec(), ..Login::default() };
    let session = SessionConfig { keep_alive: Some(KeepAlive::every_minute(b"60777")), ..SessionConfig::default() };
    let config = ClientConfig { login: Some(login), announce: true, session: session.clone() };
    let mut client = Session::client(config, NOW).expect("the settings are good");
    let mut server = Session::server(ServerConfig { session, ..ServerConfig::default() }, NOW).expect("likewise");
    let mut packets = Vec::new();
    exchange(&mut client, &mut server, &mut packets);
    exchange(&mut client, &mut server, &mut packets);
    assert!(client.is_open());

    let name = pack_name(b"KANNEL").expect("a name");
    let mut services = XserBuf::new();
    services.push_udh(&[5, 0, 3, 2, 2, 1]).expect("a header");
    services.push_dcs(8);
    let text = ShortMessage {
        adc: b"447700900001",
        oadc: &name,
        nrq: Some(1),
        nt: Some(NotificationType::ALL),
        vp: b"2310261836",
        content: Content::alphanumeric(b"Plain text"),
        otoa: Some(AddressType::ALPHANUMERIC),
        ..ShortMessage::default()
    };
    let unicode = ShortMessage {
        adc: b"447700900002",
        oadc: b"60777",
        content: Content::transparent(&[0x04, 0x1F, 0x04, 0x40]),
        mcls: Some(1),
        xser: services.as_xsers(),
        ..ShortMessage::default()
    };
    let digits = ShortMessage { content: Content::Numeric(b"0123456789"), ..unicode };
    let plain = ShortMessage { adc: b"447700900003", oadc: b"60777", ..ShortMessage::default() };
    let mut list = AddressesBuf::new();
    list.push(b"447700900004").expect("an address");
    list.push(b"447700900005").expect("an address");
    let call = Content::alphanumeric(b"Call");
    for operation in [
        Operation::Submit(text),
        Operation::Submit(unicode),
        Operation::Submit(digits),
        Operation::CallInput(CallInput { adc: b"447700900006", oadc: b"60777", content: call, ..Default::default() }),
        Operation::MultipleCallInput(MultipleCallInput {
            rad: list.as_addresses(),
            oadc: b"60777",
            content: call,
            ..Default::default()
        }),
        Operation::MessageTransfer(MessageTransfer {
            adc: b"447700900007",
            oadc: b"60777",
            amsg: Hex::octets(b"Transfer"),
            ..Default::default()
        }),
        Operation::Modify(plain),
        Operation::Inquire(plain),
        Operation::Delete(plain),
        Operation::List(ListManagement {
            oadc: b"60777",
            styp: Some(ListType::ADD_MO),
            vers: b"0100",
            ladc: b"447700900008",
            ..Default::default()
        }),
    ] {
        client.request(&operation, 1, NOW).expect("the window has room");
    }
    let message = ShortMessage { adc: b"60777", oadc: b"447700900055", scts: b"221026183639", content: call, ..plain };
    let report = ShortMessage {
        dst: Some(DeliveryStatus::NOT_DELIVERED),
        rsn: Some(Reason::ABSENT_SUBSCRIBER),
        dscts: b"221026183700",
        ..message
    };
    for operation in [
        Operation::Deliver(message),
        Operation::Notify(report),
        Operation::InquiryResponse(message),
        Operation::DeleteResponse(message),
        Operation::CallInput(CallInput { adc: b"60777", content: call, ..Default::default() }),
    ] {
        server.request(&operation, 1, NOW).expect("the window has room");
    }
    exchange(&mut client, &mut server, &mut packets);
    exchange(&mut client, &mut server, &mut packets);
    assert_eq!((client.outstanding(), server.outstanding()), (0, 0));
    packets
}

#[test]
fn wireshark_has_nothing_to_say_against_what_sessions_send() {
    if let Err(why) = peers::installed("tshark") {
        return skip(&why);
    }
    let packets = conversation();
    let rows = dissect(&packets);
    assert_eq!(rows.len(), packets.len());
    for (row, packet) in rows.iter().zip(&packets) {
        assert_eq!((row["_ws.malformed"].as_str(), row["_ws.expert.message"].as_str()), ("", ""), "{row:?}");
        assert_eq!(row["ucp.hdr.LEN"], (packet.octets.len() - 2).to_string());
    }
    let of = |ot: &str, kind: &str| -> Vec<&Row> {
        let kind = kind.to_owned();
        rows.iter().filter(|row| row["ucp.hdr.OT"] == ot && row["ucp.hdr.O_R"] == kind).collect()
    };
    let login = of("60", "O")[0];
    assert_eq!((login["ucp.parm.OAdC"].as_str(), login["ucp.parm.PWD"].as_str()), ("60777", "secret"));
    assert_eq!(of("60", "R")[0]["ucp.parm.SM"], "welcome");
    let alert = of("31", "O")[0];
    assert_eq!((alert["ucp.parm.AdC"].as_str(), alert["ucp.parm.PID"].as_str()), ("60777", "539"));

    let submits = of("51", "O");
    let [text, unicode, digits] = submits[..] else { panic!("{submits:?}") };
    let shown = |row: &Row, names: &[&str]| names.iter().map(|name| row[name].clone()).collect::<Vec<_>>();
    let names = ["ucp.parm.AdC", "ucp.parm.OAdC", "ucp.parm.NRq", "ucp.parm.NT", "ucp.parm.MT", "ucp.parm.AMsg"];
    assert_eq!(shown(text, &names), ["447700900001", "0BCBA0D3596402", "1", "7", "3", "Plain text"]);
    assert_eq!(text["ucp.parm.OTOA"], "5039");
    assert!(text["ucp.parm.VP"].contains("Oct 23, 2026 18:36"), "{text:?}");
    assert_eq!(shown(unicode, &["ucp.parm.MT", "ucp.parm.NB", "ucp.parm.MCLs"]), ["4", "0032", "1"]);
    assert_eq!(shown(unicode, &["ucp.xser.service", "ucp.xser.data"]), ["0x01,0x02", "050003020201,08"]);
    assert_eq!(digits["ucp.parm.MT"], "2");
    assert_eq!(of("02", "O").len() + of("2", "O").len(), 1);

    let report = of("53", "O")[0];
    assert_eq!(shown(report, &["ucp.parm.Dst", "ucp.parm.Rsn"]), ["2", "107"]);
    assert!(report["ucp.parm.SCTS"].contains("Oct 22, 2026 18:36:39"), "{report:?}");

    let results: Vec<&Row> = rows.iter().filter(|row| row["ucp.hdr.O_R"] == "R").collect();
    assert_eq!(results.len() * 2, rows.len(), "everything was answered");
    let refused: Vec<_> = results.iter().filter(|row| !row["ucp.parm.EC"].is_empty()).collect();
    assert!(refused.iter().all(|row| row["ucp.parm.EC"] == "6" && row["ucp.parm.ACK"] == "N"), "{refused:?}");
    assert!(!refused.is_empty());
    assert!(of("51", "R").iter().any(|row| row["ucp.parm.SM"] == "447700900001:221026183639"));
}

/// One row a frame.
fn dissect(packets: &[Packet]) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("session.pcap");
    pcap::write(&file, SERVER_PORT, packets).expect("the file can be written");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&file).args(["-d", &format!("tcp.port=={SERVER_PORT},ucp"), "-T", "fields"]);
    command.args(["-E", "separator=|", "-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.check_checksum:FALSE"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.env("TZ", "UTC").output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // Characters are shown in quotes.
    let cell = |cell: &str| cell.trim_matches('\'').to_owned();
    text.lines().map(|line| FIELDS.into_iter().zip(line.split('|').map(cell)).collect()).collect()
}
