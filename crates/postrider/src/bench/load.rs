//! The load: connections that send one request after another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::args::HttpArgs;
use super::dialect::Requests;
use super::http;

/// One run of load.
#[derive(Debug)]
pub struct Load {
    requests: Requests,
    address: String,
    messages: u64,
    connections: usize,
    batch: u64,
    rate: Option<u64>,
    next: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    refusals: Mutex<BTreeMap<String, u64>>,
    /// When each message's request was sent: microseconds since the beginning.
    started: Vec<AtomicU32>,
}

impl Load {
    pub fn new(args: &HttpArgs, sink: Option<String>) -> anyhow::Result<Self> {
        anyhow::ensure!(args.batch > 0 && args.connections > 0, "--batch and --connections must be at least 1");
        Ok(Self {
            requests: Requests::new(args, sink),
            address: args.address.clone(),
            messages: args.messages,
            connections: args.connections,
            batch: args.batch,
            rate: args.rate,
            next: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            refusals: Mutex::default(),
            started: (0..args.messages).map(|_| AtomicU32::new(0)).collect(),
        })
    }

    /// Sends everything; the answer is each request's latency in microseconds.
    pub async fn run(self: &Arc<Self>, begin: Instant) -> anyhow::Result<Vec<u32>> {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..self.connections {
            let load = self.clone();
            tasks.spawn(async move { load.connection(begin).await });
        }
        let mut latencies = Vec::new();
        while let Some(done) = tasks.join_next().await {
            latencies.extend(done??);
        }
        Ok(latencies)
    }

    pub fn messages(&self) -> u64 {
        self.messages
    }

    pub fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// What was answered instead of an acceptance, and how often.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn started(&self) -> Vec<u32> {
        self.started.iter().map(|at| at.load(Relaxed)).collect()
    }

    async fn connection(&self, begin: Instant) -> anyhow::Result<Vec<u32>> {
        let mut socket = TcpStream::connect(&self.address).await.with_context(|| self.address.clone())?;
        socket.set_nodelay(true)?;
        let mut latencies = Vec::new();
        let (mut request, mut answer) = (Vec::new(), Vec::with_capacity(16 * 1024));
        loop {
            let from = self.next.fetch_add(self.batch, Relaxed);
            if from >= self.messages {
                return Ok(latencies);
            }
            let to = (from + self.batch).min(self.messages);
            let due = self.due(begin, from).await;
            let offset = begin.elapsed().as_micros() as u32;
            for at in &self.started[from as usize..to as usize] {
                at.store(offset, Relaxed);
            }
            self.requests.write(from, to, &mut request);
            socket.write_all(&request).await?;
            let status = read_answer(&mut socket, &mut answer).await?;
            latencies.push(due.elapsed().as_micros().min(u128::from(u32::MAX)) as u32);
            if status / 100 == 2 {
                self.accepted.fetch_add(to - from, Relaxed);
            } else {
                self.refused.fetch_add(to - from, Relaxed);
                let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
                *refusals.entry(format!("HTTP {status}")).or_default() += to - from;
            }
        }
    }

    /// Waits for a request's turn; the answer is when that was.
    async fn due(&self, begin: Instant, from: u64) -> Instant {
        let Some(rate) = self.rate else { return Instant::now() };
        let due = begin + Duration::from_secs_f64(from as f64 / rate as f64);
        tokio::time::sleep_until(due.into()).await;
        due
    }
}

async fn read_answer(socket: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<u16> {
    answer.clear();
    loop {
        if let Some(message) = http::message(answer) {
            return Ok(message.status);
        }
        anyhow::ensure!(socket.read_buf(answer).await? > 0, "the gateway closed the connection");
    }
}
