//! The handle of a simulated modem, and its lines: TCP as ser2net has it, and a pseudo-terminal.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sms::TextError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::device::Device;
use super::network::ModemSeen;
use super::settings::ModemSettings;
use super::terminal::Terminal;
use crate::counters::{Counters, Totals};
use crate::record::Record;

/// A running modem. Dropping it stops it.
#[derive(Debug)]
pub struct SimModem {
    shared: Arc<Shared>,
    address: Option<SocketAddr>,
    path: Option<PathBuf>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    device: Mutex<Device>,
    record: Mutex<Record<ModemSeen>>,
    totals: Totals,
    counted: Notify,
    /// There is something to do on the line.
    wake: Notify,
    unplug: Notify,
}

impl SimModem {
    /// Serves the modem's line on `listener`, to one at a time. Needs a tokio runtime.
    ///
    /// # Panics
    /// When the listener has no address, which no bound socket is without.
    #[must_use]
    pub fn start(listener: TcpListener, settings: ModemSettings) -> Self {
        let address = listener.local_addr().expect("a listener is bound to an address");
        let shared = Arc::new(Shared::new(settings));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, shared.clone()));
        Self { shared, address: Some(address), path: None, tasks }
    }

    /// Serves the modem's line on a new pseudo-terminal; its path is [`path`](Self::path). Needs a tokio runtime.
    ///
    /// # Errors
    /// When the system has none.
    pub fn start_pty(settings: ModemSettings) -> std::io::Result<Self> {
        let terminal = Terminal::open()?;
        let path = terminal.path().to_owned();
        let shared = Arc::new(Shared::new(settings));
        let mut tasks = JoinSet::new();
        let line = shared.clone();
        tasks.spawn(async move {
            line.device().connected();
            // A terminal has no end while this side is open.
            serve(terminal, &line).await;
        });
        Ok(Self { shared, address: None, path: Some(path), tasks })
    }

    /// Where it listens, unless it is on a pseudo-terminal.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The device that terminals open, if it is on a pseudo-terminal.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What it has counted: messages sent as submits, status reports as receipts, and what came from phones.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.totals.read()
    }

    /// Waits until the counters fulfil a condition.
    pub async fn wait_until(&self, condition: impl Fn(&Counters) -> bool) {
        loop {
            let counted = self.shared.counted.notified();
            tokio::pin!(counted);
            counted.as_mut().enable();
            if condition(&self.counters()) {
                return;
            }
            counted.await;
        }
    }

    /// Every message that it sent, unless it remembers less.
    #[must_use]
    pub fn seen(&self) -> Vec<ModemSeen> {
        self.shared.record().messages().to_vec()
    }

    /// How often a message was sent, by its recipient and its user data as in the TPDU.
    #[must_use]
    pub fn times_seen(&self, to: &str, user_data: &[u8]) -> u32 {
        self.shared.record().times(to.as_bytes(), user_data)
    }

    /// Changes its settings.
    pub fn change(&self, change: impl FnOnce(&mut ModemSettings)) {
        let mut device = self.shared.device();
        let mut settings = (*device.settings).clone();
        change(&mut settings);
        device.settings = Arc::new(settings);
        drop(device);
        self.shared.wake.notify_one();
    }

    /// A text from a phone to the SIM; long ones in parts tied by `reference`. Gives how many parts it has.
    ///
    /// # Errors
    /// When the text can't be sent.
    pub fn inject_mo(&self, from: &str, text: &str, reference: u16) -> Result<usize, TextError> {
        let now = self.shared.started.elapsed();
        let count = self.shared.device().phone_sends(from, text, reference, now);
        self.shared.wake.notify_one();
        count
    }

    /// Somebody calls, and gives up after so many rings.
    pub fn call(&self, from: &str, rings: u8) {
        let now = self.shared.started.elapsed();
        self.shared.device().called(from, rings, now);
        self.shared.wake.notify_one();
    }

    /// Calls that were hung up on.
    #[must_use]
    pub fn hung_up(&self) -> u64 {
        self.shared.device().hung_up
    }

    /// Messages and reports that lie in the store.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.shared.device().sim.used()
    }

    /// Tries that are left for the PIN.
    #[must_use]
    pub fn pin_tries(&self) -> u8 {
        self.shared.device().sim.tries
    }

    /// Breaks the connection, as if it was unplugged. TCP lets in the next.
    pub fn unplug(&self) {
        self.shared.unplug.notify_one();
    }

    /// Stops it.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Shared {
    fn new(settings: ModemSettings) -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch = i64::try_from(epoch.as_secs()).unwrap_or(0);
        Self {
            started: Instant::now(),
            device: Mutex::new(Device::new(Arc::new(settings), epoch)),
            record: Mutex::default(),
            totals: Totals::default(),
            counted: Notify::new(),
            wake: Notify::new(),
            unplug: Notify::new(),
        }
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) -> MutexGuard<'_, Record<ModemSeen>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is due; gives what is to be written, when it is to be looked at again, and whether the line breaks.
    fn turn(&self) -> (Vec<u8>, Option<Duration>, bool) {
        let now = self.started.elapsed();
        let mut device = self.device();
        device.turn(now);
        if !device.taken.is_empty() {
            let (new, again) = self.record().add(&mut device.taken);
            device.counters.distinct += new;
            device.counters.duplicates += again;
        }
        if device.counters != Counters::default() {
            self.totals.add(&mut device.counters);
            self.counted.notify_waiters();
        }
        let output = device.line.output().to_vec();
        (output, device.next_deadline(), std::mem::take(&mut device.breaks))
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Only costs latency if it fails.
                let _ = stream.set_nodelay(true);
                shared.device().connected();
                serve(stream, &shared).await;
            }
            // Out of file descriptors, mostly: others must close first.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Serves one line until it breaks.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, shared: &Shared) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = vec![0; 4096];
    loop {
        let (output, deadline, breaks) = shared.turn();
        if breaks {
            return;
        }
        let until = deadline.and_then(|at| shared.started.checked_add(at));
        tokio::select! {
            read = reader.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    let now = shared.started.elapsed();
                    shared.device().receive(buffer.get(..count).unwrap_or_default(), now);
                }
            },
            written = writer.write(&output), if !output.is_empty() => match written {
                Ok(count) => shared.device().line.consume_output(count),
                Err(_) => return,
            },
            () = sleep_until(until) => {}
            () = shared.wake.notified() => {}
            () = shared.unplug.notified() => return,
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
