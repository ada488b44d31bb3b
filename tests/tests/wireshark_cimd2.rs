//! What CIMD2 sessions of both sides say to each other, read by Wireshark's dissector: nothing is malformed, nothing
//! draws a remark, checksums are right, and the fields say what was meant.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use cimd2::{
    Answer, Cancel, ClientConfig, Deliver, DeliveryRequest, DeliveryRequestResp, EnquireStatus, EnquireStatusResp,
    ErrorCode, Event, Get, GetResp, Octets, OperationCode, Packet, Piece, RelativeTime, Secret, Session, SessionConfig,
    Set, StatusCode, StatusError, StatusReport, StatusReports, Submit, SubmitResp, Tag, Values, next_piece, write_text,
};
use scenarios::{pcap, peers, skip};

/// The port that the capture file names as the server's.
const PORT: u16 = 9971;

/// The columns that are asked for.
const FIELDS: [&str; 27] = [
    "cimd.opcode",
    "cimd.pnumber",
    "cimd.chksum",
    "cimd.ui",
    "cimd.passwd",
    "cimd.ws",
    "cimd.da",
    "cimd.oa",
    "cimd.aoi",
    "cimd.dcs",
    "cimd.udh",
    "cimd.ud",
    "cimd.udb",
    "cimd.vpr",
    "cimd.srr",
    "cimd.priority",
    "cimd.cm",
    "cimd.scts",
    "cimd.stcode",
    "cimd.sterrcode",
    "cimd.mcount",
    "cimd.gpar",
    "cimd.smsct",
    "cimd.errcode",
    "cimd.errtext",
    "_ws.malformed",
    "_ws.expert.message",
];

type Row = BTreeMap<&'static str, String>;

#[test]
fn wireshark_has_nothing_to_say_against_what_is_sent() {
    if let Err(why) = peers::installed("tshark") {
        return skip(&why);
    }
    let rows = dissect(&Talk::new().play());
    for row in &rows {
        assert_eq!((row["_ws.malformed"].as_str(), row["_ws.expert.message"].as_str()), ("", ""), "{row:?}");
    }
    let of = |code: OperationCode| -> Vec<&Row> {
        rows.iter().filter(|row| row["cimd.opcode"] == code.0.to_string()).collect()
    };
    let has = |row: &Row, fields: &[(&str, &str)]| {
        for (name, value) in fields {
            assert_eq!(row[name], *value, "{name} in {row:?}");
        }
    };
    has(
        of(OperationCode::LOGIN)[0],
        &[("cimd.pnumber", "1"), ("cimd.ui", "shop"), ("cimd.passwd", "secret"), ("cimd.ws", "10")],
    );
    let submits = of(OperationCode::SUBMIT);
    has(
        submits[0],
        &[
            ("cimd.pnumber", "3"),
            ("cimd.da", "4915123456789"),
            ("cimd.aoi", "Postrider"),
            // Wireshark knows the combinations (of characters beyond ASCII not all), but not what an escape means.
            ("cimd.ud", "\u{1b}e5 \u{1b}<x\u{1b}> _"),
            ("cimd.vpr", "143"),
            ("cimd.srr", "62"),
            ("cimd.priority", "1"),
        ],
    );
    has(
        submits[1],
        &[("cimd.oa", "999"), ("cimd.udh", "050003010201"), ("cimd.udb", "041F0440"), ("cimd.dcs", "0x08")],
    );
    let answers = of(OperationCode::SUBMIT_RESP);
    has(answers[0], &[("cimd.da", "4915123456789"), ("cimd.scts", "261122183420"), ("cimd.errcode", "")]);
    has(answers[1], &[("cimd.errcode", "10"), ("cimd.errtext", "slow down")]);
    has(of(OperationCode::ENQUIRE_STATUS_RESP)[0], &[("cimd.stcode", "1"), ("cimd.sterrcode", "29")]);
    has(of(OperationCode::DELIVERY_REQUEST_RESP)[0], &[("cimd.mcount", "2")]);
    has(of(OperationCode::CANCEL)[0], &[("cimd.cm", "2")]);
    has(of(OperationCode::GET)[0], &[("cimd.gpar", "501")]);
    has(of(OperationCode::GET_RESP)[0], &[("cimd.smsct", "261122183421")]);
    has(of(OperationCode::DELIVER)[0], &[("cimd.pnumber", "0"), ("cimd.oa", "4915123456789"), ("cimd.ud", "hello")]);
    has(of(OperationCode::STATUS_REPORT)[0], &[("cimd.pnumber", "2"), ("cimd.stcode", "4")]);
    for code in [
        OperationCode::LOGIN_RESP,
        OperationCode::SET,
        OperationCode::SET_RESP,
        OperationCode::CANCEL_RESP,
        OperationCode::DELIVER_RESP,
        OperationCode::STATUS_REPORT_RESP,
        OperationCode::ALIVE,
        OperationCode::ALIVE_RESP,
        OperationCode::NACK,
        OperationCode::GENERAL_ERROR,
        OperationCode::LOGOUT,
        OperationCode::LOGOUT_RESP,
    ] {
        assert_eq!(of(code).len(), 1, "{code}");
    }
}

/// Two sessions and all that they have said.
struct Talk {
    client: Session,
    server: Session,
    now: Duration,
    said: Vec<pcap::Packet>,
}

impl Talk {
    fn new() -> Self {
        let now = Duration::ZERO;
        let session = SessionConfig { window: 10, ..SessionConfig::default() };
        let client = ClientConfig {
            user: b"shop".to_vec(),
            password: b"secret".to_vec(),
            announce_window: true,
            session: session.clone(),
            ..ClientConfig::default()
        };
        Self {
            client: Session::client(client, now).expect("good settings"),
            server: Session::server(session, now).expect("good settings"),
            now,
            said: Vec::new(),
        }
    }

    /// Says everything that a session can.
    fn play(mut self) -> Vec<pcap::Packet> {
        self.exchange();
        let to = Values::one(b"4915123456789");
        let mut text = Vec::new();
        write_text(b"\x1Be5 \x1B<x\x1B> \x11", &mut text);
        let plain = Submit {
            destinations: to,
            alpha_originator: b"Postrider",
            text: Some(&text),
            validity: Some(RelativeTime::at_least(43_200)),
            status_reports: Some(StatusReports::FINAL),
            priority: Some(1),
            ..Submit::default()
        };
        let part = Submit {
            destinations: to,
            originator: b"999",
            dcs: Some(8),
            header: Octets::new(&[5, 0, 3, 1, 2, 1]),
            binary: Octets::new(&[4, 0x1F, 4, 0x40]),
            ..Submit::default()
        };
        let (destination, timestamp) = (&b"4915123456789"[..], &b"261122183420"[..]);
        let requests: [Packet<'_>; 7] = [
            plain.into(),
            part.into(),
            EnquireStatus { destination, timestamp, ..EnquireStatus::default() }.into(),
            DeliveryRequest { mode: Some(0), ..DeliveryRequest::default() }.into(),
            Cancel { mode: Some(2), destination, timestamp, ..Cancel::default() }.into(),
            Set { password: Secret(b"better"), ..Set::default() }.into(),
            Get { parameter: Some(Tag::SMSC_TIME), ..Get::default() }.into(),
        ];
        for (token, request) in (0..).zip(&requests) {
            self.client.request(request, token, self.now).expect("it is logged in");
            self.exchange();
        }
        let message = Deliver {
            destination: b"999",
            originator: destination,
            text: Some(b"hello"),
            timestamp,
            ..Deliver::default()
        };
        let report =
            StatusReport { destination, timestamp, status: Some(StatusCode::DELIVERED), ..StatusReport::default() };
        self.server.request(&message, 1, self.now).expect("it is logged in");
        self.server.request(&report, 2, self.now).expect("it is logged in");
        // What draws a nack, and what a general error; they are not ours, and are not read by Wireshark.
        for stray in [&b"\x0203:021\t00\x03"[..], b"\x0230:021\t\x03"] {
            assert_eq!(self.server.receive(stray, self.now), stray.len());
            while self.server.next_event(self.now).is_some() {}
        }
        self.exchange();
        self.now += Duration::from_secs(60);
        self.exchange();
        self.client.logout(self.now);
        self.exchange();
        assert!(self.client.is_closed() && self.server.is_closed());
        self.said
    }

    /// Carries octets to and fro until both are quiet.
    fn exchange(&mut self) {
        loop {
            let mut quiet = true;
            for to_server in [true, false] {
                let (from, to) = match to_server {
                    true => (&mut self.client, &mut self.server),
                    false => (&mut self.server, &mut self.client),
                };
                while from.next_event(self.now).is_some() {}
                let octets = from.output().to_vec();
                from.consume_output(octets.len());
                quiet &= octets.is_empty();
                self.said.extend(packets(&octets).map(|octets| pcap::Packet { connection: 0, to_server, octets }));
                assert_eq!(to.receive(&octets, self.now), octets.len());
                serve(to, self.now);
            }
            if quiet {
                return;
            }
        }
    }
}

/// Deals with what came.
fn serve(session: &mut Session, now: Duration) {
    let (mut login, mut requests) = (false, Vec::new());
    while let Some(event) = session.next_event(now) {
        match event {
            Event::LoginRequest { .. } => login = true,
            Event::Request { sequence, packet: Packet::Submit(message) } if message.text.is_none() => {
                requests.push((sequence, None));
            }
            Event::Request { sequence, packet } => requests.push((sequence, Some(cimd2::Operation::code(&packet)))),
            Event::Nacked { .. } | Event::TimedOut { .. } | Event::Malformed { .. } | Event::Broken(_) => {
                panic!("{event:?}")
            }
            _ => {}
        }
    }
    if login {
        session.accept_login(now).expect("a login waits");
    }
    for (sequence, request) in requests {
        match request.map(answer) {
            Some(answer) => session.respond(sequence, &answer, now),
            None => session.refuse(sequence, ErrorCode::CONGESTION, b"slow down", now),
        }
        .expect("the request waits");
    }
}

fn answer(request: OperationCode) -> Packet<'static> {
    let (destination, timestamp) = (&b"4915123456789"[..], &b"261122183420"[..]);
    match request {
        OperationCode::SUBMIT => SubmitResp { destination, timestamp, ..SubmitResp::default() }.into(),
        OperationCode::ENQUIRE_STATUS => EnquireStatusResp {
            destination,
            timestamp,
            status: Some(StatusCode::IN_PROCESS),
            status_error: Some(StatusError::ABSENT),
            ..EnquireStatusResp::default()
        }
        .into(),
        OperationCode::DELIVERY_REQUEST => {
            DeliveryRequestResp { count: Some(2), ..DeliveryRequestResp::default() }.into()
        }
        OperationCode::GET => GetResp { smsc_time: b"261122183421", ..GetResp::default() }.into(),
        OperationCode::CANCEL => Packet::CancelResp(Answer::default()),
        OperationCode::SET => Packet::SetResp(Answer::default()),
        OperationCode::DELIVER => Packet::DeliverResp(Answer::default()),
        OperationCode::STATUS_REPORT => Packet::StatusReportResp(Answer::default()),
        other => panic!("{other} is not told to a caller"),
    }
}

/// Every packet in some output, one by one.
fn packets(mut octets: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(move || {
        let piece = next_piece(octets, usize::MAX)?;
        assert!(matches!(piece, Piece::Frame(_)), "{piece:?}");
        let (packet, rest) = octets.split_at(piece.wire_len());
        octets = rest;
        Some(packet.to_vec())
    })
}

/// One row a packet.
fn dissect(said: &[pcap::Packet]) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("session.pcap");
    pcap::write(&file, PORT, said).expect("the file can be written");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&file).args(["-d", &format!("tcp.port=={PORT},cimd"), "-T", "fields", "-E", "separator=/t"]);
    // The segments are ours, so that only what they carry is judged.
    command.args(["-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.check_checksum:FALSE"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<Row> =
        text.lines().map(|line| FIELDS.into_iter().zip(line.split('\t').map(str::to_owned)).collect()).collect();
    assert_eq!(rows.len(), said.len(), "a row a packet");
    rows
}
