//! SMSCs that break in every way that real ones do: the gateway comes back each time, keeps its
//! memory small, and loses nothing.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use scenarios::{Place, Sink, connector, resources};
use serde_json::json;
use smpp::{BindMode, BindResp, CommandId, CommandStatus, Operation, Pdu, SubmitSmResp, encode, next_frame};

/// What one connection does, once some messages have come over it.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Closes as soon as it is opened.
    ClosesAtOnce,
    /// Closes instead of answering the bind.
    ClosesAtBind,
    /// Takes the bind and answers nothing more, enquire_link neither.
    Hangs,
    /// Answers half of a PDU and closes.
    ClosesMidPdu,
    /// Sends what is no SMPP.
    Garbage,
    /// Says that a PDU of 4 GB comes, and sends a good deal of it.
    HugeLength,
    /// Sends answers to requests that nobody has made, and PDUs that nobody knows.
    Nonsense,
    /// Answers five at a time, the last first.
    OutOfOrder,
}

const MANNERS: [Manner; 8] = [
    Manner::ClosesAtOnce,
    Manner::ClosesAtBind,
    Manner::Hangs,
    Manner::ClosesMidPdu,
    Manner::Garbage,
    Manner::HugeLength,
    Manner::Nonsense,
    Manner::OutOfOrder,
];
const MESSAGES: usize = 60;
const MEGABYTE: u64 = 1024 * 1024;

#[test]
fn the_gateway_survives_every_bad_smsc() {
    let taken = Arc::<Mutex<HashSet<String>>>::default();
    let address = serve(taken.clone());
    let sink = Sink::start();
    let quick = "window = 10\nenquire_link_seconds = 1\nresponse_timeout_seconds = 1\nbind_timeout_seconds = 2\nmax_attempts = 1000";
    let place = Place::new(&resources(&sink, "bad", &connector("bad", address, quick)));
    let mut gateway = place.start();
    let before = gateway.peak_octets();

    let mut client = gateway.client();
    let message = |n: usize| json!({ "to": "+447700900001", "text": format!("message {n}"), "receipt": "none" });
    let ids: Vec<String> = (0..MESSAGES).map(|n| client.send(&message(n))).collect();
    for id in &ids {
        sink.wait_event(id, "message.sent");
    }
    let taken = taken.lock().expect("no connection fails");
    let missing: Vec<_> = (0..MESSAGES).map(|n| format!("message {n}")).filter(|text| !taken.contains(text)).collect();
    assert!(missing.is_empty(), "never answered: {missing:?}");
    let grown = gateway.peak_octets().saturating_sub(before);
    assert!(grown < 64 * MEGABYTE, "{} MB more than before", grown / MEGABYTE);
    assert!(gateway.stop().success());
}

/// Takes one connection after the other: a bad one each, then only good ones.
fn serve(taken: Arc<Mutex<HashSet<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    // Ends with the test's process.
    std::thread::spawn(move || {
        let mut manners = MANNERS.into_iter();
        for stream in listener.incoming().flatten() {
            let (manner, taken) = (manners.next(), taken.clone());
            std::thread::spawn(move || {
                let connection = Connection { stream, manner, input: Vec::new(), open: Vec::new(), taken: &taken };
                // It ends with an error whenever the gateway has had enough of it.
                let _ = connection.run();
            });
        }
    });
    address
}

struct Connection<'t> {
    stream: TcpStream,
    manner: Option<Manner>,
    input: Vec<u8>,
    /// Numbers and texts of submissions that are not answered yet.
    open: Vec<(u32, String)>,
    taken: &'t Mutex<HashSet<String>>,
}

impl Connection<'_> {
    fn run(mut self) -> std::io::Result<()> {
        if matches!(self.manner, Some(Manner::ClosesAtOnce)) {
            return Ok(());
        }
        let mut buffer = [0; 4096];
        loop {
            let length = self.stream.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            self.input.extend_from_slice(&buffer[..length]);
            let input = std::mem::take(&mut self.input);
            let mut rest = &input[..];
            while let Some(frame) = next_frame(rest, 65_536).expect("the gateway sends SMPP") {
                rest = &rest[frame.wire_len()..];
                let pdu = frame.decode().expect("the gateway sends good PDUs");
                if !self.take(frame.header.sequence_number, &pdu)? {
                    return Ok(());
                }
            }
            self.input = rest.to_vec();
            self.answer_good()?;
        }
    }

    /// Deals with a PDU; `false` when the connection is to be closed.
    fn take(&mut self, sequence: u32, pdu: &Pdu<'_>) -> std::io::Result<bool> {
        match pdu {
            Pdu::Bind(..) if matches!(self.manner, Some(Manner::ClosesAtBind)) => return Ok(false),
            Pdu::Bind(mode, _) => self.bind(sequence, *mode)?,
            _ if matches!(self.manner, Some(Manner::Hangs)) => {}
            Pdu::SubmitSm(message) => {
                let text = String::from_utf8_lossy(message.short_message).into_owned();
                self.open.push((sequence, text));
                if self.open.len() == 5 {
                    return self.misbehave();
                }
            }
            Pdu::EnquireLink => self.send(sequence, &Pdu::EnquireLinkResp)?,
            Pdu::Unbind => {
                self.send(sequence, &Pdu::UnbindResp)?;
                return Ok(false);
            }
            _ => {}
        }
        Ok(true)
    }

    fn bind(&mut self, sequence: u32, mode: BindMode) -> std::io::Result<()> {
        self.send(sequence, &Pdu::BindResp(mode, BindResp { system_id: b"bad", ..BindResp::default() }))
    }

    fn misbehave(&mut self) -> std::io::Result<bool> {
        match self.manner {
            Some(Manner::ClosesMidPdu) => {
                let (sequence, _) = self.open[0];
                let whole = wire(sequence, &SubmitSmResp { message_id: b"half", ..SubmitSmResp::default() });
                self.stream.write_all(&whole[..whole.len() - 3])?;
                Ok(false)
            }
            Some(Manner::Garbage) => {
                self.stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")?;
                self.wait_close()
            }
            Some(Manner::HugeLength) => {
                self.stream.write_all(&[0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0, 0, 4])?;
                for _ in 0..2048 {
                    self.stream.write_all(&[0; 65_536])?;
                }
                self.wait_close()
            }
            Some(Manner::Nonsense) => {
                let nobody = SubmitSmResp { message_id: b"nobody", ..SubmitSmResp::default() };
                self.send(0x7FFF_FFFF, &nobody)?;
                self.send(77, &Pdu::Unknown { id: CommandId(0x0001_0203), body: b"what?" })?;
                self.send(78, &Pdu::Unknown { id: CommandId::DELIVER_SM, body: b"no deliver_sm" })?;
                self.send(79, &Pdu::Unknown { id: CommandId(0x8000_0103), body: b"" })?;
                self.answer_open()?;
                Ok(false)
            }
            Some(Manner::OutOfOrder) => {
                self.open.reverse();
                self.answer_open()?;
                // From now on as it should be.
                self.manner = None;
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    /// The gateway must be the one who closes.
    fn wait_close(&mut self) -> std::io::Result<bool> {
        let mut buffer = [0; 4096];
        while self.stream.read(&mut buffer)? > 0 {}
        Ok(false)
    }

    fn answer_good(&mut self) -> std::io::Result<()> {
        if self.manner.is_none() { self.answer_open() } else { Ok(()) }
    }

    fn answer_open(&mut self) -> std::io::Result<()> {
        for (sequence, text) in std::mem::take(&mut self.open) {
            let id = format!("{sequence:x}");
            self.send(sequence, &SubmitSmResp { message_id: id.as_bytes(), ..SubmitSmResp::default() })?;
            self.taken.lock().expect("no connection fails").insert(text);
        }
        Ok(())
    }

    fn send(&mut self, sequence: u32, pdu: &impl Operation) -> std::io::Result<()> {
        self.stream.write_all(&wire(sequence, pdu))
    }
}

fn wire(sequence: u32, pdu: &impl Operation) -> Vec<u8> {
    let mut octets = Vec::new();
    encode(pdu, sequence, CommandStatus::ROK, &mut octets).expect("good values");
    octets
}
