//! The gateway is killed again and again under the load of a client of UCP, and of one of CIMD2: every message that
//! was answered is sent, no two have one name, and every receipt finds its message. Wireshark reads what was said.
//!
//! `POSTRIDER_SEED` sets where randomness starts.

use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use cimd2::{StatusReports, Submit, Values};
use fastrand::Rng;
use scenarios::carrier::Carrier;
use scenarios::pcap::{self, Packet};
use scenarios::{PATIENCE, Place, Sink, command, connector, peers, resources, skip};
use simulator::{ReceiptSettings, SmscSettings};
use ucp::{Content, NotificationType, ShortMessage};

const KILLS: usize = 4;
const WINDOW: usize = 20;
/// So many phones, so that several messages to one come within a second.
const PHONES: usize = 10;
/// What the carrier's session may be sent again after a crash, and what the client may.
const AGAIN_PER_KILL: usize = 20 + 64 + WINDOW;
/// Packets that Wireshark is shown: those of the first session.
const SHOWN: usize = 400;

/// What the client has seen, over all its sessions.
#[derive(Default)]
struct Seen {
    next: usize,
    /// Texts on their way, by token.
    asked: HashMap<u64, String>,
    /// Texts that were answered, by the message's name.
    answered: HashMap<String, String>,
    /// Names that were given twice.
    twice: Vec<String>,
    receipts: HashMap<String, usize>,
}

impl Seen {
    fn answer(&mut self, token: u64, name: String) {
        let text = self.asked.remove(&token).expect("it was asked for");
        if self.answered.insert(name.clone(), text).is_some() {
            self.twice.push(name);
        }
    }

    fn missing(&self) -> usize {
        self.answered.keys().filter(|name| !self.receipts.contains_key(*name)).count()
    }
}

/// A client's session.
trait Application: Sized {
    const NAME: &str;
    fn new() -> Self;
    fn take_output(&mut self) -> Vec<u8>;
    fn receive(&mut self, octets: &[u8], now: Duration);
    /// Deals with what has come: answers are seen, and receipts, which are acknowledged.
    fn turn(&mut self, seen: &mut Seen, now: Duration);
    /// Hands a message in, if there is room.
    fn submit(&mut self, to: &str, text: &str, token: u64, now: Duration) -> bool;
}

impl Application for ucp::Session {
    const NAME: &str = "ucp";

    fn new() -> Self {
        let login = ucp::Login { oadc: b"60777".to_vec(), password: b"secret".to_vec(), ..ucp::Login::default() };
        let session = ucp::SessionConfig { window: WINDOW, ..ucp::SessionConfig::default() };
        let config = ucp::ClientConfig { login: Some(login), session, ..ucp::ClientConfig::default() };
        ucp::Session::client(config, Duration::ZERO).expect("a sound configuration")
    }

    fn take_output(&mut self) -> Vec<u8> {
        let octets = self.output().to_vec();
        self.consume_output(octets.len());
        octets
    }

    fn receive(&mut self, octets: &[u8], now: Duration) {
        assert_eq!(ucp::Session::receive(self, octets, now), octets.len());
    }

    fn turn(&mut self, seen: &mut Seen, now: Duration) {
        let mut came = Vec::new();
        while let Some(event) = self.next_event(now) {
            match event {
                ucp::Event::Response { token, answer, .. } => {
                    let name = answer.identity().map(|name| words(&[name.adc, name.scts]));
                    seen.answer(token, name.expect("it is taken, and named"));
                }
                ucp::Event::Request { trn, operation: ucp::Operation::Notify(message) } => {
                    *seen.receipts.entry(words(&[message.oadc, message.scts])).or_default() += 1;
                    came.push(trn);
                }
                ucp::Event::Closed(reason) => panic!("the session has ended: {reason}"),
                _ => {}
            }
        }
        for trn in came {
            self.respond(trn, &ucp::Answer::ACK, now).expect("it waits");
        }
    }

    fn submit(&mut self, to: &str, text: &str, token: u64, now: Duration) -> bool {
        let message = ShortMessage {
            adc: to.as_bytes(),
            oadc: b"60777",
            nrq: Some(1),
            nt: Some(NotificationType::FINAL),
            content: Content::alphanumeric(text.as_bytes()),
            ..ShortMessage::default()
        };
        self.window_room() > 0 && ucp::Session::submit(self, &message, token, now).is_ok()
    }
}

impl Application for cimd2::Session {
    const NAME: &str = "cimd2";

    fn new() -> Self {
        let session = cimd2::SessionConfig { window: WINDOW, ..cimd2::SessionConfig::default() };
        let config = cimd2::ClientConfig {
            user: b"60777".to_vec(),
            password: b"secret".to_vec(),
            announce_window: true,
            session,
            ..cimd2::ClientConfig::default()
        };
        cimd2::Session::client(config, Duration::ZERO).expect("a sound configuration")
    }

    fn take_output(&mut self) -> Vec<u8> {
        let octets = self.output().to_vec();
        self.consume_output(octets.len());
        octets
    }

    fn receive(&mut self, octets: &[u8], now: Duration) {
        assert_eq!(cimd2::Session::receive(self, octets, now), octets.len());
    }

    fn turn(&mut self, seen: &mut Seen, now: Duration) {
        let mut came = Vec::new();
        while let Some(event) = self.next_event(now) {
            match event {
                cimd2::Event::Response { token, error, packet: cimd2::Packet::SubmitResp(answer) } => {
                    assert!(error.is_ok(), "{error}");
                    seen.answer(token, words(&[answer.destination, answer.timestamp]));
                }
                cimd2::Event::Request { sequence, packet: cimd2::Packet::StatusReport(report) } => {
                    *seen.receipts.entry(words(&[report.destination, report.timestamp])).or_default() += 1;
                    came.push(sequence);
                }
                cimd2::Event::Closed(reason) => panic!("the session has ended: {reason}"),
                _ => {}
            }
        }
        for sequence in came {
            let answer = cimd2::Packet::StatusReportResp(cimd2::Answer::default());
            self.respond(sequence, &answer, now).expect("it waits");
        }
    }

    fn submit(&mut self, to: &str, text: &str, token: u64, now: Duration) -> bool {
        let message = Submit {
            destinations: Values::one(to.as_bytes()),
            text: Some(text.as_bytes()),
            status_reports: Some(StatusReports::FINAL),
            ..Submit::default()
        };
        self.window_room() > 0 && cimd2::Session::submit(self, &message, token, now).is_ok()
    }
}

fn words(name: &[&[u8]; 2]) -> String {
    name.map(|octets| String::from_utf8_lossy(octets).into_owned()).join(":")
}

#[test]
fn what_was_answered_over_ucp_is_sent_and_every_notification_finds_its_message() {
    never_lost::<ucp::Session>();
}

#[test]
fn what_was_answered_over_cimd2_is_sent_and_every_report_finds_its_message() {
    never_lost::<cimd2::Session>();
}

fn never_lost<A: Application>() {
    let seed = std::env::var("POSTRIDER_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("sessions_never_lost: POSTRIDER_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let carrier = Carrier::start(SmscSettings {
        resp_delay: Duration::from_millis(1),
        receipts: ReceiptSettings { delay: (Duration::ZERO, Duration::from_millis(50)), ..ReceiptSettings::default() },
        seed,
        ..SmscSettings::default()
    });
    let sink = Sink::start();
    let connector = connector("carrier", carrier.address(), "window = 20");
    let login =
        format!("{} = {{ user = \"60777\", password = \"secret\", window = {WINDOW} }}\ndefault_country", A::NAME);
    let place = Place::new(&resources(&sink, "carrier", &connector).replacen("default_country", &login, 1));
    let listen = format!("POSTRIDER_{}__LISTEN", A::NAME.to_uppercase());
    let start = || place.start_with(command().env(&listen, r#"["127.0.0.1:0"]"#));
    let address = |gateway: &scenarios::Gateway| if A::NAME == "ucp" { gateway.ucp() } else { gateway.cimd2() };
    let (mut seen, mut said) = (Seen::default(), Vec::new());
    for _ in 0..KILLS {
        let gateway = start();
        let goal = seen.answered.len() + random.usize(1..300);
        session::<A>(address(&gateway), &mut seen, &mut said, true, |seen| seen.answered.len() >= goal);
        gateway.kill();
        seen.asked.clear();
    }
    let mut gateway = start();
    session::<A>(address(&gateway), &mut seen, &mut said, false, |seen| seen.missing() == 0);
    assert!(gateway.stop().success());

    let mut times: HashMap<String, usize> = HashMap::new();
    carrier.seen().iter().for_each(|message| *times.entry(message.text.to_string()).or_default() += 1);
    let texts: HashSet<&String> = seen.answered.values().collect();
    let lost: Vec<_> = texts.iter().filter(|text| !times.contains_key(**text)).collect();
    let again: usize = times.values().map(|times| times - 1).sum();
    let twice: usize = seen.receipts.values().map(|times| times - 1).sum();
    println!("sessions_never_lost: {} answered, {again} sent again, {twice} receipts again", texts.len());
    assert!(lost.is_empty(), "answered and never sent: {lost:?}");
    assert!(seen.twice.is_empty(), "names of two messages: {:?}", seen.twice);
    assert!(again <= KILLS * AGAIN_PER_KILL, "{again} messages were sent again");
    assert!(twice <= KILLS * AGAIN_PER_KILL, "{twice} receipts came again");
    read_by_wireshark(A::NAME, &said);
}

/// Logs in, submits if it is told to, and answers what comes, until `done` or the gateway is gone.
fn session<A: Application>(
    address: SocketAddr,
    seen: &mut Seen,
    said: &mut Vec<Packet>,
    submits: bool,
    done: impl Fn(&Seen) -> bool,
) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket has timeouts");
    let mut application = A::new();
    let mut buffer = [0; 16 * 1024];
    let first = said.is_empty();
    let mut note = |to_server, octets: &[u8]| {
        if first && said.len() < SHOWN && !octets.is_empty() {
            said.push(Packet { connection: 1, to_server, octets: octets.to_vec() });
        }
    };
    while !done(seen) {
        let now = began.elapsed();
        assert!(now < PATIENCE, "{} of {} receipts are missing", seen.missing(), seen.answered.len());
        application.turn(seen, now);
        let mut next = || {
            let (text, token) = (format!("message {}", seen.next), seen.next as u64);
            let to = format!("4477009000{:02}", seen.next % PHONES);
            let sent = submits && application.submit(&to, &text, token, now);
            if sent {
                seen.asked.insert(token, text);
                seen.next += 1;
            }
            sent
        };
        while next() {}
        let octets = application.take_output();
        note(true, &octets);
        stream.write_all(&octets).expect("the gateway reads");
        match stream.read(&mut buffer) {
            Ok(0) => panic!("the gateway has closed the connection"),
            Ok(read) => {
                note(false, &buffer[..read]);
                application.receive(&buffer[..read], began.elapsed());
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Wireshark finds nothing malformed, and nothing to remark on.
fn read_by_wireshark(protocol: &str, said: &[Packet]) {
    const PORT: u16 = 9_971;
    if let Err(why) = peers::installed("tshark") {
        return skip(&why);
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("session.pcap");
    pcap::write(&file, PORT, said).expect("the file can be written");
    let dissector = if protocol == "ucp" { "ucp" } else { "cimd" };
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&file).args(["-d", &format!("tcp.port=={PORT},{dissector}"), "-T", "fields"]);
    command.args(["-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.check_checksum:FALSE"]);
    for field in ["frame.protocols", "_ws.malformed", "_ws.expert.message"] {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let read = rows.iter().filter(|row| row[0].contains(dissector)).count();
    assert!(read * 2 > said.len(), "{read} of {} packets were read", said.len());
    for row in &rows {
        assert!(row[1..].iter().all(|remark| remark.is_empty()), "{row:?}");
    }
}
