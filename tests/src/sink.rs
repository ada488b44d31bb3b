//! The application's end of webhooks: takes every call, and lets scenarios wait for events.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::PATIENCE;

/// What a sink answers a call with: headers, each with its end of line, and a body.
type Answer = dyn Fn(&Call) -> (String, String) + Send + Sync;

/// A web server for webhooks. Every call is answered 200.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<(Mutex<Seen>, Condvar)>,
}

/// One call as it came.
#[derive(Clone, Debug)]
pub struct Call {
    /// The path with its query, as it was called.
    pub path: String,
    /// The headers, with names in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: String,
    /// The event: `message.delivered`.
    pub event: String,
    /// What it is about: the body's `data`.
    pub data: Value,
}

/// All that has come so far.
#[derive(Default)]
pub struct Seen {
    /// Calls in the order that they came.
    pub calls: Vec<Call>,
    /// The events of each message, in the order that they came.
    pub of_message: HashMap<String, Vec<String>>,
    /// How many messages have had an event that ends them.
    pub ended: usize,
}

impl Sink {
    /// Starts one.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start() -> Self {
        Self::answering(|_| Default::default())
    }

    /// Starts one that has something to say: the headers of its answers, each with its end of line, and
    /// their bodies.
    ///
    /// # Panics
    /// When no port is free.
    pub fn answering(answer: impl Fn(&Call) -> (String, String) + Send + Sync + 'static) -> Self {
        let answer: Arc<Answer> = Arc::new(answer);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::<(Mutex<Seen>, Condvar)>::default();
        let sink = Self { address, shared: shared.clone() };
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, answer) = (shared.clone(), answer.clone());
                std::thread::spawn(move || while_open(stream, &shared, &*answer));
            }
        });
        sink
    }

    /// What webhooks are to call.
    pub fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// Waits for the first call that `find` takes.
    ///
    /// # Panics
    /// When none comes.
    pub fn wait<T>(&self, what: &str, mut find: impl FnMut(&Call) -> Option<T>) -> T {
        let mut at = 0;
        self.wait_until(what, |seen| {
            let found = seen.calls[at..].iter().find_map(&mut find);
            at = seen.calls.len();
            found
        })
    }

    /// Waits for an event of a message, and gives the call.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_event(&self, id: &str, event: &str) -> Call {
        self.wait(&format!("{event} of {id}"), |call| {
            (call.event == event && call.data["id"] == id).then(|| call.clone())
        })
    }

    /// Waits until `find` finds what it wants in all that has come.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`] of the last call.
    pub fn wait_until<T>(&self, what: &str, mut find: impl FnMut(&Seen) -> Option<T>) -> T {
        let mut seen = self.lock();
        let (mut calls, mut deadline) = (seen.calls.len(), Instant::now() + PATIENCE);
        loop {
            if let Some(found) = find(&seen) {
                return found;
            }
            if seen.calls.len() > calls {
                (calls, deadline) = (seen.calls.len(), Instant::now() + PATIENCE);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} among {calls} webhook calls:\n{}", events_of(&seen));
            seen = self.shared.1.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Looks at all that has come so far.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events that end a message.
fn ends(event: &str) -> bool {
    let words = ["delivered", "undelivered", "rejected", "expired", "failed", "unknown", "canceled"];
    event.strip_prefix("message.").is_some_and(|word| words.contains(&word))
}

fn events_of(seen: &Seen) -> String {
    let last = &seen.calls[seen.calls.len().saturating_sub(20)..];
    last.iter().map(|call| format!("{} {}\n", call.event, call.data)).collect()
}

/// Takes calls until the connection ends.
fn while_open(stream: TcpStream, shared: &(Mutex<Seen>, Condvar), answer: &Answer) {
    // An answer that waits for more to send would cost 40 ms a call.
    let _ = stream.set_nodelay(true);
    let mut connection = BufReader::new(stream);
    while let Ok(call) = read_call(&mut connection) {
        let (headers, body) = answer(&call);
        let mut seen = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = call.data["id"].as_str() {
            let events = seen.of_message.entry(id.to_owned()).or_default();
            let first_end = ends(&call.event) && !events.iter().any(|event| ends(event));
            events.push(call.event.clone());
            seen.ended += usize::from(first_end);
        }
        seen.calls.push(call);
        drop(seen);
        shared.1.notify_all();
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        if connection.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_call(connection: &mut BufReader<TcpStream>) -> io::Result<Call> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let json: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    let event = json["type"].as_str().unwrap_or_default().to_owned();
    Ok(Call { path, headers, body, event, data: json["data"].clone() })
}
