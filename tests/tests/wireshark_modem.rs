//! Every kind of message that the gateway sends by a modem, read by Wireshark's dissector of SMS: nothing is
//! malformed, and the fields say what was meant.

use std::process::Command;

use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, pcap, peers, resources, skip};
use serde_json::{Value, json};
use simulator::{ModemSettings, SimModem};

/// The columns that are asked for.
const FIELDS: [&str; 12] = [
    "gsm_sms.tp-mti",
    "gsm_sms.tp-srr",
    "gsm_sms.tp-udhi",
    "gsm_sms.tp-da",
    "gsm_sms.tp-pid",
    "gsm_sms.tp-dcs",
    "gsm_sms.tp-vpf",
    "gsm_sms.udh.mm.msg_parts",
    "gsm_sms.udh.mm.msg_part",
    "gsm_sms.sms_text",
    "_ws.malformed",
    "_ws.expert.message",
];

fn sent(messages: &[Value]) -> Vec<Vec<u8>> {
    let (modem, sink): (Carrier<SimModem>, _) = (Carrier::start_modem(ModemSettings::default()), Sink::start());
    let address = modem.address().expect("it is on TCP");
    let connector = format!("[[connector]]\nid = \"gsm\"\nprotocol = \"modem\"\naddress = \"tcp://{address}\"\n");
    let gateway = Place::new(&resources(&sink, "gsm", &connector)).into_gateway();
    let mut client = gateway.client();
    for message in messages {
        let mut message = message.clone();
        message["to"] = json!("+447700900123");
        let id = client.send(&message);
        let event = if message["receipt"] == "none" { "message.sent" } else { "message.delivered" };
        sink.wait_event(&id, event);
    }
    modem.seen().into_iter().map(|seen| seen.tpdu.into_vec()).collect()
}

fn dissected(tpdus: &[Vec<u8>]) -> Vec<Vec<String>> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("sms.pcap");
    pcap::write_exported(&file, "gsm_sms", tpdus).expect("it can be written");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&file).args(["-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn wireshark_reads_what_goes_to_the_modem() {
    if let Err(why) = peers::installed("tshark") {
        return skip(&why);
    }
    let long = "A text that is too long for one message goes in several. ".repeat(6);
    let messages = [
        json!({ "text": "Plain @ £ [€]" }),
        json!({ "text": "Žluťoučký kůň 🙂" }),
        json!({ "text": "Flash", "class": 0 }),
        json!({ "text": "Quiet", "receipt": "none" }),
        json!({ "text": "Soon", "validity_seconds": 3600 }),
        json!({ "text": long }),
        json!({ "binary": { "data": "AQIDBA==", "udh": "BgUEFYEVgQ==", "dcs": 4 } }),
    ];
    let tpdus = sent(&messages);
    let rows = dissected(&tpdus);
    assert_eq!(rows.len(), tpdus.len());
    let field = |row: &[String], name: &str| {
        let at = FIELDS.iter().position(|known| *known == name).expect("a column");
        row.get(at).cloned().unwrap_or_default()
    };
    let texts = ["Plain @ £ [€]", "Žluťoučký kůň 🙂", "Flash", "Quiet", "Soon"];
    for (n, row) in rows.iter().enumerate() {
        assert_eq!((field(row, "_ws.malformed"), field(row, "_ws.expert.message")), Default::default(), "{row:?}");
        assert!(field(row, "gsm_sms.tp-da").contains("447700900123"), "{row:?}");
        assert_eq!(field(row, "gsm_sms.tp-mti"), "1", "{row:?}");
        if let Some(text) = texts.get(n) {
            assert_eq!(field(row, "gsm_sms.sms_text"), *text);
        }
    }
    let is_set = |row: &[String], name: &str| matches!(field(row, name).as_str(), "1" | "True");
    assert!(is_set(&rows[0], "gsm_sms.tp-srr") && !is_set(&rows[3], "gsm_sms.tp-srr"));
    assert_eq!(field(&rows[2], "gsm_sms.tp-dcs"), "16");
    assert_eq!((field(&rows[0], "gsm_sms.tp-vpf"), field(&rows[4], "gsm_sms.tp-vpf")), ("0".into(), "2".into()));
    let parts: Vec<_> = (5..rows.len() - 1)
        .map(|n| (field(&rows[n], "gsm_sms.udh.mm.msg_part"), field(&rows[n], "gsm_sms.udh.mm.msg_parts")))
        .collect();
    assert_eq!(parts, [("1".into(), "3".into()), ("2".into(), "3".into()), ("3".into(), "3".into())]);
    let last = rows.last().expect("the binary one");
    assert!(is_set(last, "gsm_sms.tp-udhi") && field(last, "gsm_sms.tp-dcs").ends_with('4'), "{last:?}");
}
