//! The gateway is killed again and again under the load of a bound client: every message that was
//! answered is sent, and every receipt arrives.
//!
//! `POSTRIDER_SEED` sets where randomness starts.

use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use fastrand::Rng;
use scenarios::carrier::Carrier;
use scenarios::{PATIENCE, Place, Sink, connector, resources_with_smpp};
use simulator::{ReceiptSettings, SmscSettings};
use smpp::{
    Address, ClientConfig, CommandStatus, DeliverSmResp, Event, Pdu, RegisteredDelivery, Session, SessionConfig,
    SubmitSm,
};

const KILLS: usize = 6;
const WINDOW: usize = 50;
/// What the carrier's session may be sent again after a crash, and what the client may.
const AGAIN_PER_KILL: usize = 20 + 64 + WINDOW;

/// What the client has seen, over all its sessions.
#[derive(Default)]
struct Seen {
    next: usize,
    /// Texts that were answered, by message id.
    answered: HashMap<String, String>,
    receipts: HashMap<String, usize>,
}

impl Seen {
    fn missing(&self) -> usize {
        self.answered.keys().filter(|id| !self.receipts.contains_key(*id)).count()
    }
}

#[test]
fn what_was_answered_is_sent_and_every_receipt_arrives() {
    let seed = std::env::var("POSTRIDER_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    println!("smpp_never_lost: POSTRIDER_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let carrier = Carrier::start(SmscSettings {
        resp_delay: Duration::from_millis(1),
        receipts: ReceiptSettings { delay: (Duration::ZERO, Duration::from_millis(50)), ..ReceiptSettings::default() },
        seed,
        ..SmscSettings::default()
    });
    let sink = Sink::start();
    let connector = connector("carrier", carrier.address(), "window = 20");
    let place = Place::new(&resources_with_smpp(&sink, "carrier", &connector, ""));
    let mut seen = Seen::default();
    for _ in 0..KILLS {
        let gateway = place.start();
        let goal = seen.answered.len() + random.usize(1..600);
        let address = gateway.smpp();
        session(address, &mut seen, true, |seen| seen.answered.len() >= goal);
        gateway.kill();
    }
    let mut gateway = place.start();
    session(gateway.smpp(), &mut seen, false, |seen| seen.missing() == 0);
    assert!(gateway.stop().success());

    let mut times: HashMap<String, usize> = HashMap::new();
    carrier.seen().iter().for_each(|message| *times.entry(message.text.to_string()).or_default() += 1);
    let texts: HashSet<&String> = seen.answered.values().collect();
    let lost: Vec<_> = texts.iter().filter(|text| !times.contains_key(**text)).collect();
    let again: usize = times.values().map(|times| times - 1).sum();
    let twice: usize = seen.receipts.values().map(|times| times - 1).sum();
    println!("smpp_never_lost: {} answered, {again} sent again, {twice} receipts again", texts.len());
    assert!(lost.is_empty(), "answered and never sent: {lost:?}");
    assert!(again <= KILLS * AGAIN_PER_KILL, "{again} messages were sent again");
    assert!(twice <= KILLS * AGAIN_PER_KILL, "{twice} receipts came again");
}

/// Binds, submits if it is told to, and answers what comes, until `done` or the gateway is gone.
fn session(address: SocketAddr, seen: &mut Seen, submits: bool, done: impl Fn(&Seen) -> bool) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket has timeouts");
    let config = ClientConfig {
        system_id: b"shop".to_vec(),
        password: b"secret".to_vec(),
        session: SessionConfig { window: WINDOW, ..SessionConfig::default() },
        ..ClientConfig::default()
    };
    let mut session = Session::client(config, Duration::ZERO).expect("a sound configuration");
    let mut texts: HashMap<u64, String> = HashMap::new();
    let mut buffer = [0; 16 * 1024];
    while !done(seen) {
        let now = began.elapsed();
        assert!(now < PATIENCE, "{} of {} receipts are missing", seen.missing(), seen.answered.len());
        let mut deliveries = Vec::new();
        while let Some(event) = session.next_event(now) {
            match event {
                Event::Response { token, status: CommandStatus::ROK, pdu: Pdu::SubmitSmResp(body) } => {
                    let id = String::from_utf8(body.message_id.to_vec()).expect("an id is ASCII");
                    seen.answered.insert(id, texts.remove(&token).expect("it was asked for"));
                }
                Event::Request { sequence, pdu: Pdu::DeliverSm(body) } => {
                    let receipt = sms::receipt::parse(body.user_data()).expect("a receipt");
                    let id = receipt.id.expect("it names a message").into_owned();
                    *seen.receipts.entry(id).or_default() += 1;
                    deliveries.push(sequence);
                }
                Event::Closed(reason) => panic!("the session has ended: {reason}"),
                _ => {}
            }
        }
        for sequence in deliveries {
            session.respond(sequence, CommandStatus::ROK, &DeliverSmResp::default(), now).expect("it is bound");
        }
        while submits && session.window_room() > 0 {
            let text = format!("message {}", seen.next);
            let message = SubmitSm {
                source: Address::alphanumeric(b"SHOP"),
                destination: Address::international(b"447700900001"),
                registered_delivery: RegisteredDelivery::ALWAYS,
                short_message: text.as_bytes(),
                ..SubmitSm::default()
            };
            session.submit(&message, seen.next as u64, now).expect("there is room");
            texts.insert(seen.next as u64, text);
            seen.next += 1;
        }
        stream.write_all(session.output()).expect("the gateway is there");
        session.consume_output(session.output().len());
        match stream.read(&mut buffer) {
            Ok(0) => session.transport_closed(),
            Ok(read) => assert_eq!(session.receive(&buffer[..read], began.elapsed()), read),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}"),
        }
    }
}
