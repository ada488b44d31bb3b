//! The access log: one JSON object a line, one line a request. Never a text, a secret or, unless
//! it was asked for, a whole number.
//!
//! Requests only hand their line to a bounded channel; a thread of its own writes. When the disk is
//! too slow the lines are dropped and counted: the log never holds up an answer.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use model::{Name, Timestamp};
use serde::Serialize;

/// Lines that may wait for the disk.
const LINES_WAITING: usize = 16_384;

/// Where requests are written down. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccessLog {
    orders: SyncSender<Order>,
    dropped: Arc<AtomicU64>,
}

/// How phone numbers are written into the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberRedaction {
    /// As they are.
    Full,
    /// The last four digits.
    #[default]
    Last4,
    /// Not at all.
    None,
}

enum Order {
    Line(String),
    Reopen,
    Flush(SyncSender<()>),
}

/// One request, as it is written.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub time: Timestamp,
    pub request_id: &'a str,
    pub remote: std::net::SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<&'a Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<&'a Name>,
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<model::MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<model::BatchId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
}

impl AccessLog {
    /// Opens the log, which is appended to, and starts its writer. The writer ends with the last
    /// clone of the log.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = append(path)?;
        let (orders, inbox) = sync_channel(LINES_WAITING);
        let path = path.to_owned();
        std::thread::Builder::new().name("access-log".into()).spawn(move || write_lines(&inbox, &path, file))?;
        Ok(Self { orders, dropped: Arc::default() })
    }

    /// Opens the file anew, after it was moved away (`SIGHUP`).
    pub fn reopen(&self) {
        // Waiting is fine here, and an order to a writer that has ended is moot.
        let _ = self.orders.send(Order::Reopen);
    }

    /// Waits until all that was written down before is in the file.
    pub fn flush(&self) {
        let (done, finished) = sync_channel(1);
        if self.orders.send(Order::Flush(done)).is_ok() {
            let _ = finished.recv();
        }
    }

    /// Lines that were dropped because the disk was too slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn record(&self, line: &Line<'_>) {
        let mut text = serde_json::to_string(line).expect("strings and numbers are always JSON");
        text.push('\n');
        if self.orders.try_send(Order::Line(text)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl NumberRedaction {
    /// The number as it may be written; `None` if it may not.
    #[must_use]
    pub fn apply(self, number: &str) -> Option<String> {
        match self {
            NumberRedaction::Full => Some(number.to_owned()),
            NumberRedaction::Last4 => {
                let start = number.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
                Some(format!("…{}", &number[start..]))
            }
            NumberRedaction::None => None,
        }
    }
}

fn append(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(64 * 1024, OpenOptions::new().create(true).append(true).open(path)?))
}

fn write_lines(inbox: &Receiver<Order>, path: &Path, mut file: BufWriter<File>) {
    let mut failing = false;
    while let Ok(first) = inbox.recv() {
        let mut next = Ok(first);
        let mut outcome = Ok(());
        // What waits is written together, and is in the file before the next wait.
        while let Ok(order) = next {
            outcome = outcome.and(match order {
                Order::Line(line) => file.write_all(line.as_bytes()),
                Order::Reopen => file.flush().and_then(|()| append(path)).map(|new| file = new),
                Order::Flush(done) => {
                    let flushed = file.flush();
                    let _ = done.send(());
                    flushed
                }
            });
            next = inbox.try_recv();
        }
        outcome = outcome.and(file.flush());
        match &outcome {
            Err(error) if !failing => tracing::warn!(%error, path = %path.display(), "the access log can't be written"),
            _ => {}
        }
        failing = outcome.is_err();
        if matches!(next, Err(TryRecvError::Disconnected)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str) -> Line<'_> {
        Line {
            time: Timestamp::from_millis(0),
            request_id: "r",
            remote: "127.0.0.1:9".parse().unwrap(),
            account: None,
            token: None,
            method: "GET",
            path,
            status: 200,
            ms: 0.5,
            message: None,
            batch: None,
            to: None,
            code: None,
        }
    }

    #[test]
    fn lines_are_json_and_a_moved_file_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
        let log = AccessLog::open(&path).unwrap();
        log.record(&line("/a\"\n"));
        log.flush();
        std::fs::rename(&path, &moved).unwrap();
        log.reopen();
        log.record(&line("/b"));
        log.flush();
        assert_eq!(
            std::fs::read_to_string(&moved).unwrap(),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"request_id\":\"r\",\"remote\":\"127.0.0.1:9\",\"method\":\"GET\",\
             \"path\":\"/a\\\"\\n\",\"status\":200,\"ms\":0.5}\n"
        );
        assert!(std::fs::read_to_string(&path).unwrap().contains("\"/b\""));
        assert_eq!(log.dropped(), 0);
    }

    #[test]
    fn a_slow_disk_costs_lines_and_no_time() {
        let (orders, inbox) = sync_channel(1);
        let log = AccessLog { orders, dropped: Arc::default() };
        (0..3).for_each(|_| log.record(&line("/")));
        assert_eq!(log.dropped(), 2);
        drop(inbox);
    }

    #[test]
    fn numbers_are_cut_as_asked() {
        assert_eq!(NumberRedaction::Last4.apply("+447700900123").as_deref(), Some("…0123"));
        assert_eq!(NumberRedaction::Last4.apply("é1").as_deref(), Some("…é1"));
        assert_eq!(NumberRedaction::None.apply("+447700900123"), None);
        assert_eq!(NumberRedaction::Full.apply("60777").as_deref(), Some("60777"));
    }
}
