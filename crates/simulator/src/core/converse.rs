//! The loop round one connection's session, whichever protocol it speaks.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Command, Kind, Shared};
use crate::directory::Inbox;
use crate::settings::FaultKind;
use crate::wire;

/// Octets read at a time.
const READ_SIZE: usize = 64 * 1024;

/// A sans-I/O session, as far as its octets and its time are concerned.
pub(crate) trait Wire {
    fn output(&self) -> &[u8];
    fn consume_output(&mut self, written: usize);
    fn output_is_full(&self) -> bool;
    #[must_use]
    fn receive(&mut self, octets: &[u8], now: Duration) -> usize;
    fn transport_closed(&mut self);
    fn is_closed(&self) -> bool;
    fn next_deadline(&self) -> Option<Duration>;
}

macro_rules! wire {
    ($($session:ty),*) => {$(
        impl Wire for $session {
            fn output(&self) -> &[u8] {
                self.output()
            }

            fn consume_output(&mut self, written: usize) {
                self.consume_output(written);
            }

            fn output_is_full(&self) -> bool {
                self.output_is_full()
            }

            fn receive(&mut self, octets: &[u8], now: Duration) -> usize {
                self.receive(octets, now)
            }

            fn transport_closed(&mut self) {
                self.transport_closed();
            }

            fn is_closed(&self) -> bool {
                self.is_closed()
            }

            fn next_deadline(&self) -> Option<Duration> {
                self.next_deadline()
            }
        }
    )*};
}

wire!(smpp::Session, ucp::Session, cimd2::Session);

/// One side of a session: what is done about what has come.
pub(crate) trait Conversation {
    type Wire: Wire;

    /// What the protocol's octets look like when they are broken.
    const BROKEN: Broken;

    fn wire(&mut self) -> &mut Self::Wire;

    /// Deals with everything that has come or become due.
    fn turn(&mut self, now: Duration);

    /// When something is due, beside what the session itself waits for.
    fn due(&self) -> Option<Duration>;

    /// What has struck the connection.
    fn fault(&self) -> Option<FaultKind>;

    /// Ends the session in order; `false` if the protocol has no order for it.
    fn unbind(&mut self, now: Duration) -> bool;
}

/// What a struck connection says.
pub(crate) struct Broken {
    /// The beginning of an answer.
    pub(crate) half: &'static [u8],
    /// What says to be longer than anybody waits for.
    pub(crate) huge: &'static [u8],
}

/// Serves a connection until it is to be closed, and breaks it if a fault has struck it. What is owed
/// to the client comes by `inbox`.
pub(crate) async fn converse<K: Kind, C: Conversation>(
    conversation: &mut C,
    mut stream: TcpStream,
    shared: &Shared<K>,
    inbox: &Inbox<K::Delivery>,
) {
    exchange(conversation, &mut stream, shared, inbox).await;
    if let Some(fault) = conversation.fault() {
        tokio::select! {
            () = strike(&mut stream, fault, &C::BROKEN, conversation.wire().output()) => {}
            () = shared.told_to_close() => {}
        }
    }
}

async fn exchange<K: Kind, C: Conversation>(
    conversation: &mut C,
    stream: &mut TcpStream,
    shared: &Shared<K>,
    inbox: &Inbox<K::Delivery>,
) {
    let mut buffer = vec![0; READ_SIZE];
    let mut commands = shared.commands();
    loop {
        conversation.turn(shared.now());
        let due = conversation.due();
        let struck = conversation.fault().is_some();
        let session = conversation.wire();
        if struck || (session.is_closed() && session.output().is_empty()) {
            return;
        }
        let due = session.next_deadline().into_iter().chain(due).min();
        // While the output is full the session takes no octets: it reads on when the client does.
        let input = (!session.output_is_full()).then_some(&mut buffer[..]);
        tokio::select! {
            step = wire::step(stream, session.output(), input) => match step {
                Ok(step) => {
                    session.consume_output(step.written);
                    match step.read {
                        None => {}
                        Some(0) => session.transport_closed(),
                        Some(read) => {
                            let taken = session.receive(&buffer[..read], shared.now());
                            debug_assert!(taken == read, "all that was complete was taken out before");
                        }
                    }
                }
                Err(_) => return,
            },
            () = shared.sleep_until(due.unwrap_or_default()), if due.is_some() => {}
            () = inbox.news() => {}
            command = commands.changed() => {
                let command = command.map(|()| *commands.borrow_and_update());
                match command {
                    Ok(Command::Unbind) => if !conversation.unbind(shared.now()) {
                        return;
                    },
                    Ok(Command::Close) | Err(_) => return,
                    Ok(Command::None) => {}
                }
            }
        }
    }
}

/// Breaks the connection. What the session had to say goes out before nonsense does.
async fn strike(stream: &mut TcpStream, fault: FaultKind, broken: &Broken, output: &[u8]) {
    let nonsense: &[u8] = match fault {
        FaultKind::Close | FaultKind::Unbind => return,
        FaultKind::CloseMidPdu => {
            let cut = output.len().saturating_sub(5);
            let half = if cut == 0 { broken.half } else { &output[..cut] };
            let _ = stream.write_all(half).await;
            return;
        }
        FaultKind::Garbage => b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        FaultKind::HugeLength => broken.huge,
        FaultKind::Hang => return std::future::pending().await,
    };
    let mut whole = output.to_vec();
    whole.extend_from_slice(nonsense);
    if stream.write_all(&whole).await.is_ok() {
        // It is for the client to close.
        let mut buffer = [0; 4096];
        while let Ok(1..) = tokio::io::AsyncReadExt::read(stream, &mut buffer).await {}
    }
}
