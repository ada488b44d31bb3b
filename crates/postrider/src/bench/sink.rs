//! The sink: takes call-backs, as an application would, and notes which messages they are about.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::dialect::reference;
use super::http;
use super::stats::Latencies;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Listens for call-backs.
#[derive(Debug)]
pub struct Sink {
    address: std::net::SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Debug)]
struct Seen {
    origin: Instant,
    /// Microseconds since `origin` of each message's first call-back, and 0 before it.
    at: Vec<AtomicU32>,
    distinct: AtomicU64,
    repeated: AtomicU64,
    last: Mutex<Instant>,
}

/// What came.
#[derive(Debug)]
pub struct Taken {
    /// Messages that were called back about.
    pub distinct: u64,
    /// Call-backs beyond the first of a message.
    pub repeated: u64,
    /// From the beginning of the load to the last first call-back.
    pub last: Duration,
    /// From each message's request to its first call-back.
    pub latencies: Latencies,
}

impl Sink {
    pub async fn listen(address: &str, messages: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let origin = Instant::now();
        let seen = Arc::new(Seen {
            origin,
            at: (0..messages).map(|_| AtomicU32::new(0)).collect(),
            distinct: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            last: Mutex::new(origin),
        });
        let shared = seen.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, shared.clone()));
            }
        });
        Ok(Self { address, seen })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until `wanted` messages were called back about, or nothing has come for `patience`.
    pub async fn wait(&self, wanted: u64, patience: Duration) {
        let mut last = (self.seen.distinct.load(Relaxed), Instant::now());
        while last.0 < wanted && last.1.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = self.seen.distinct.load(Relaxed);
            if now > last.0 {
                last = (now, Instant::now());
            }
        }
    }

    /// Messages that were called back about so far.
    pub fn distinct(&self) -> u64 {
        self.seen.distinct.load(Relaxed)
    }

    /// What came, for messages that were sent `started` microseconds after `begin`.
    pub fn summary(&self, begin: Instant, started: &[u32]) -> Taken {
        let seen = &self.seen;
        let offset = begin.duration_since(seen.origin).as_micros() as u32;
        let latencies = seen.at.iter().zip(started).filter_map(|(at, started)| {
            let at = at.load(Relaxed);
            (at > 0).then(|| at.saturating_sub(offset).saturating_sub(*started))
        });
        let last = *seen.last.lock().unwrap_or_else(PoisonError::into_inner);
        Taken {
            distinct: seen.distinct.load(Relaxed),
            repeated: seen.repeated.load(Relaxed),
            last: last.saturating_duration_since(begin),
            latencies: Latencies::new(latencies.collect()),
        }
    }
}

async fn serve(mut socket: TcpStream, seen: Arc<Seen>) {
    let _ = socket.set_nodelay(true);
    let mut octets = Vec::with_capacity(16 * 1024);
    loop {
        let mut answers = 0;
        let mut begin = 0;
        while let Some(message) = http::message(&octets[begin..]) {
            if let Some(n) = reference(&octets[begin..begin + message.length]) {
                seen.note(n);
            }
            begin += message.length;
            answers += 1;
        }
        octets.drain(..begin);
        if answers > 0 && socket.write_all(&OK.repeat(answers)).await.is_err() {
            return;
        }
        match socket.read_buf(&mut octets).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

impl Seen {
    fn note(&self, n: u64) {
        let Some(at) = usize::try_from(n).ok().and_then(|n| self.at.get(n)) else { return };
        let now = Instant::now();
        let micros = now.duration_since(self.origin).as_micros().clamp(1, u128::from(u32::MAX)) as u32;
        if at.compare_exchange(0, micros, Relaxed, Relaxed).is_ok() {
            self.distinct.fetch_add(1, Relaxed);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = now;
        } else {
            self.repeated.fetch_add(1, Relaxed);
        }
    }
}
