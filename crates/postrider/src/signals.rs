//! What the system tells the process.

use std::time::Duration;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::time::Instant;

/// Signals of one press of a key that come to a process on several ways (`timeout` and shells send
/// them to the process and to its group) count as one.
const ONE_PRESS: Duration = Duration::from_millis(200);

/// A signal that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: stop in order.
    Stop,
    /// SIGHUP: take up what has changed.
    Reload,
}

/// Signals as they come.
#[derive(Debug)]
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hangup: Stream,
}

impl Signals {
    /// Takes the signals over from the system.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }

    /// The next signal to stop.
    pub async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }

    /// Runs what stops the process in order; a second signal to stop ends it at once.
    pub async fn while_stopping(&mut self, stopping: impl Future<Output = ()>) {
        let began = Instant::now();
        let again = async {
            self.stop().await;
            while began.elapsed() < ONE_PRESS {
                self.stop().await;
            }
        };
        tokio::select! {
            () = stopping => {}
            () = again => {
                eprintln!("postrider: stopped at once");
                std::process::exit(1);
            }
        }
    }
}
