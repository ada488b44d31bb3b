//! A relay that records the PDUs that go through it, and writes them down as a capture file that
//! others can read: no privileges needed, unlike a sniffer.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use smpp::{CommandId, DEFAULT_MAX_PDU, Frame, next_frame};

use crate::PATIENCE;
use crate::pcap::{self, Packet};

/// The port that the capture file names as the server's.
pub const SERVER_PORT: u16 = 2775;

/// A running relay.
pub struct Recorder {
    address: SocketAddr,
    shared: Arc<(Mutex<Vec<Packet>>, Condvar)>,
}

impl Recorder {
    /// Relays connections to `server`.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let recorder = Self { address: listener.local_addr().expect("it is bound"), shared: Arc::default() };
        let shared = recorder.shared.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for (connection, client) in (0..).zip(listener.incoming().flatten()) {
                let Ok(server) = TcpStream::connect(server) else { continue };
                for (to_server, from, to) in [(true, &client, &server), (false, &server, &client)] {
                    let (Ok(from), Ok(to), shared) = (from.try_clone(), to.try_clone(), shared.clone()) else { return };
                    std::thread::spawn(move || relay(from, to, connection, to_server, &shared));
                }
            }
        });
        recorder
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until such a PDU has gone one way.
    ///
    /// # Panics
    /// When none does.
    pub fn wait(&self, to_server: bool, id: CommandId) {
        let deadline = Instant::now() + PATIENCE;
        let is_it = |pdu: &Packet| pdu.to_server == to_server && pdu.octets[4..8] == id.0.to_be_bytes();
        let mut recorded = self.lock();
        while !recorded.iter().any(is_it) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {id:?} came (to the server: {to_server})");
            recorded = self.shared.1.wait_timeout(recorded, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes down what has gone through so far, one PDU a packet.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write_pcap(&self, path: &Path) -> io::Result<()> {
        pcap::write(path, SERVER_PORT, &self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Packet>> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn relay(
    mut from: TcpStream,
    mut to: TcpStream,
    connection: u16,
    to_server: bool,
    shared: &(Mutex<Vec<Packet>>, Condvar),
) {
    let (mut buffer, mut open) = ([0; 16_000], Vec::new());
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        open.extend_from_slice(&buffer[..length]);
        // Recorded before it goes on, so that an answer never stands before its request.
        while let Ok(Some(length)) = next_frame(&open, DEFAULT_MAX_PDU).map(|frame| frame.as_ref().map(Frame::wire_len))
        {
            let octets = open.drain(..length).collect();
            shared.0.lock().unwrap_or_else(PoisonError::into_inner).push(Packet { connection, to_server, octets });
            shared.1.notify_all();
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
