//! Everything that the gateway says to an SMSC, read by Wireshark's dissector: nothing is malformed,
//! nothing draws a remark, and the fields say what was meant.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::recorder::{Recorder, SERVER_PORT};
use scenarios::{Place, Sink, connector, peers, resources, resources_with_smpp, skip};
use serde_json::json;
use simulator::{LoadSettings, Mo, SmscSettings};
use smpp::CommandId;

/// The columns that are asked for.
const FIELDS: [&str; 20] = [
    "smpp.command_id",
    "smpp.command_status",
    "smpp.system_id",
    "smpp.interface_version",
    "smpp.source_addr_ton",
    "smpp.source_addr",
    "smpp.dest_addr_ton",
    "smpp.destination_addr",
    "smpp.esm.submit.features",
    "smpp.regdel.receipt",
    "smpp.data_coding",
    "smpp.sm_length",
    "smpp.sar_total_segments",
    "smpp.sar_segment_seqnum",
    "smpp.message_payload",
    "smpp.opt_param_tag",
    "smpp.opt_param_len",
    "tcp.dstport",
    "_ws.malformed",
    "_ws.expert.message",
];

type Row = BTreeMap<&'static str, String>;

#[test]
fn wireshark_has_nothing_to_say_against_what_is_sent() {
    if let Err(why) = peers::installed("tshark") {
        return skip(&why);
    }
    let settings = SmscSettings { enquire_interval: Some(Duration::from_secs(1)), ..SmscSettings::default() };
    let carrier = Carrier::start(settings);
    let recorder = Recorder::start(carrier.address());
    let sink = Sink::start();
    let address = recorder.address();
    let connectors = [
        connector("udh", address, "enquire_link_seconds = 1"),
        connector("sar", address, "long_messages = \"sar\""),
        connector("payload", address, "long_messages = \"payload\""),
        "[[route]]\nid = \"sar\"\nto = \"sar\"\nmatch = { to_prefix = [\"4421\"] }\n".into(),
        "[[route]]\nid = \"payload\"\nto = \"payload\"\nmatch = { to_prefix = [\"4422\"] }\n".into(),
    ];
    let mut gateway = Place::new(&resources(&sink, "udh", &connectors.concat())).into_gateway();

    let mut client = gateway.client();
    let long = "Wireshark reads this. ".repeat(12);
    for message in [
        json!({ "to": "+447700900001", "text": "Plain", "validity_seconds": 3600 }),
        json!({ "to": "+447700900002", "text": long }),
        json!({ "to": "+447700900003", "text": "Юникод" }),
        json!({ "to": "+447700900004", "text": "Flash", "class": 0 }),
        json!({ "to": "+442100900005", "text": long }),
        json!({ "to": "+442200900006", "text": long }),
        json!({ "to": "+447700900007", "text": "TLV", "from": "60777", "tlvs": [{ "tag": 0x1401, "hex": "0102" }] }),
        json!({ "to": "+447700900008", "text": "No receipt", "receipt": "none" }),
    ] {
        let id = client.send(&message);
        sink.wait_event(&id, if message["receipt"] == "none" { "message.sent" } else { "message.delivered" });
    }
    carrier.inject_mo(&Mo::text("+447700900055", "60777", "Hello")).expect("a short text");
    sink.wait("message.received", |call| (call.event == "message.received").then_some(()));
    recorder.wait(true, CommandId::ENQUIRE_LINK_RESP);
    recorder.wait(true, CommandId::ENQUIRE_LINK);
    assert!(gateway.stop().success());

    let rows = dissect(&recorder);
    let sent: Vec<&Row> = rows.iter().filter(|row| row["tcp.dstport"] == SERVER_PORT.to_string()).collect();
    for row in &sent {
        assert_eq!((row["_ws.malformed"].as_str(), row["_ws.expert.message"].as_str()), ("", ""), "{row:?}");
    }
    let of = |id: CommandId| {
        let id = format!("0x{:08x}", id.0);
        sent.iter().filter(|row| row["smpp.command_id"] == id).copied().collect::<Vec<_>>()
    };

    let binds = of(CommandId::BIND_TRANSCEIVER);
    assert_eq!(binds.len(), 3);
    assert!(
        binds.iter().all(|row| row["smpp.system_id"] == "gateway" && row["smpp.interface_version"] == "52"),
        "{binds:?}"
    );
    assert_eq!(of(CommandId::UNBIND).len(), 3);
    assert!(!of(CommandId::ENQUIRE_LINK).is_empty() && !of(CommandId::ENQUIRE_LINK_RESP).is_empty());
    // Six single receipts and four of the parts that ask for one, and a message from a phone.
    let acknowledged = of(CommandId::DELIVER_SM_RESP);
    assert!(acknowledged.iter().all(|row| row["smpp.command_status"] == "0x00000000"));
    assert_eq!(acknowledged.len(), 10, "{acknowledged:?}");
    check_submits(&of(CommandId::SUBMIT_SM));
}

#[test]
fn wireshark_has_nothing_to_say_against_what_clients_are_sent() {
    if let Err(why) = peers::installed("tshark") {
        return skip(&why);
    }
    let carrier = Carrier::start(SmscSettings::default());
    let sink = Sink::start();
    let connector = connector("carrier", carrier.address(), "");
    let resources = resources_with_smpp(&sink, "carrier", &connector, ", incoming = \"always\"");
    let mut gateway = Place::new(&resources).into_gateway();
    let recorder = Recorder::start(gateway.smpp());
    carrier.block_on(carrier.wait_until(|counters| counters.binds > 0));
    carrier.inject_mo(&Mo::text("+447700900055", "60777", "Привет")).expect("a short text");
    sink.wait("message.received", |call| (call.event == "message.received").then_some(()));
    let mut settings = LoadSettings::new(recorder.address());
    (settings.system_id, settings.messages, settings.window) = ("shop".into(), 5, 2);
    let report = carrier.block_on(simulator::load(&settings)).expect("it binds");
    assert_eq!((report.accepted, report.receipts, report.incoming), (5, 5, 1));
    settings.password = "wrong".into();
    assert!(carrier.block_on(simulator::load(&settings)).is_err());
    assert!(gateway.stop().success());

    let rows = dissect(&recorder);
    let sent: Vec<&Row> = rows.iter().filter(|row| row["tcp.dstport"] != SERVER_PORT.to_string()).collect();
    for row in &sent {
        assert_eq!((row["_ws.malformed"].as_str(), row["_ws.expert.message"].as_str()), ("", ""), "{row:?}");
    }
    let of = |id: CommandId| {
        let id = format!("0x{:08x}", id.0);
        sent.iter().filter(|row| row["smpp.command_id"] == id).copied().collect::<Vec<_>>()
    };
    let binds = of(CommandId::BIND_TRANSCEIVER_RESP);
    let statuses: Vec<_> = binds.iter().map(|row| row["smpp.command_status"].as_str()).collect();
    assert_eq!(statuses, ["0x00000000", "0x0000000e"]);
    assert_eq!(binds[0]["smpp.system_id"], "Postrider");
    assert_eq!(of(CommandId::SUBMIT_SM_RESP).len(), 5);
    let delivers = of(CommandId::DELIVER_SM);
    assert_eq!(delivers.len(), 6);
    let mo = delivers.iter().find(|row| row["smpp.source_addr"] == "447700900055").expect("it was sent on");
    assert_eq!((mo["smpp.data_coding"].as_str(), mo["smpp.sm_length"].as_str()), ("0x08", "12"));
    let receipt = delivers.iter().find(|row| row["smpp.destination_addr"] == "LOAD").expect("it was sent");
    assert!(["0x001e", "0x0427"].iter().all(|tag| receipt["smpp.opt_param_tag"].contains(tag)), "{receipt:?}");
}

fn check_submits(submits: &[&Row]) {
    let to = |number: &str| -> Vec<&Row> {
        submits.iter().filter(|row| row["smpp.destination_addr"] == number).copied().collect()
    };
    let plain = to("447700900001")[0];
    assert_eq!((plain["smpp.source_addr_ton"].as_str(), plain["smpp.source_addr"].as_str()), ("0x05", "SHOP"));
    assert_eq!(plain["smpp.dest_addr_ton"], "0x01");
    assert_eq!((plain["smpp.regdel.receipt"].as_str(), plain["smpp.data_coding"].as_str()), ("0x01", "0x00"));
    assert_eq!((plain["smpp.esm.submit.features"].as_str(), plain["smpp.sm_length"].as_str()), ("0x00", "5"));
    let parts = to("447700900002");
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|row| row["smpp.esm.submit.features"] == "0x01"), "{parts:?}");
    assert_eq!(parts[0]["smpp.sm_length"], "159");
    let unicode = to("447700900003")[0];
    assert_eq!((unicode["smpp.data_coding"].as_str(), unicode["smpp.sm_length"].as_str()), ("0x08", "12"));
    assert_eq!(to("447700900004")[0]["smpp.data_coding"], "0x10");
    let sar: Vec<_> = to("442100900005")
        .iter()
        .map(|row| [&row["smpp.sar_total_segments"], &row["smpp.sar_segment_seqnum"], &row["smpp.esm.submit.features"]])
        .map(|row| row.map(String::as_str))
        .collect();
    assert_eq!(sar, [["2", "1", "0x00"], ["2", "2", "0x00"]]);
    let payload = to("442200900006");
    assert_eq!((payload.len(), payload[0]["smpp.sm_length"].as_str()), (1, "0"));
    assert_eq!(payload[0]["smpp.message_payload"].len(), 2 * 264);
    let vendor = to("447700900007")[0];
    assert!(vendor["smpp.opt_param_tag"].contains("0x1401"), "{vendor:?}");
    assert_eq!(vendor["smpp.source_addr"], "60777");
    assert_eq!(to("447700900008")[0]["smpp.regdel.receipt"], "0x00");
}

/// One row a PDU.
fn dissect(recorder: &Recorder) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("session.pcap");
    recorder.write_pcap(&file).expect("the file can be written");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&file).args([
        "-d",
        &format!("tcp.port=={SERVER_PORT},smpp"),
        "-T",
        "fields",
        "-E",
        "separator=|",
    ]);
    // The segments are ours, so that only what they carry is judged.
    command.args(["-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.check_checksum:FALSE"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| FIELDS.into_iter().zip(line.split('|').map(str::to_owned)).collect()).collect()
}
