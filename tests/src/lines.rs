//! Programs that talk in lines: the gateway's log, and what peers print.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::{PATIENCE, ask_until};

/// Lines as they come, to be waited for by any number of threads.
#[derive(Clone, Default)]
pub struct Lines {
    shared: Arc<(Mutex<Gathered>, Condvar)>,
}

#[derive(Default)]
struct Gathered {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    /// Gathers the lines of `from` until it ends.
    pub fn gather(from: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let writer = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                writer.lock().lines.push(String::from_utf8_lossy(&line).into_owned());
                writer.shared.1.notify_all();
            }
            writer.lock().ended = true;
            writer.shared.1.notify_all();
        });
        lines
    }

    /// What `find` makes of the first line from the `from`-th on that it takes, and that line's number.
    ///
    /// # Panics
    /// When no such line comes.
    pub fn wait_from<T>(&self, from: usize, what: &str, mut find: impl FnMut(&str) -> Option<T>) -> (usize, T) {
        let deadline = Instant::now() + PATIENCE;
        let mut at = from;
        let mut gathered = self.lock();
        loop {
            while let Some(line) = gathered.lines.get(at) {
                if let Some(found) = find(line) {
                    return (at, found);
                }
                at += 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if gathered.ended || left.is_zero() {
                let why = if gathered.ended { "it ended" } else { "too late" };
                panic!("no line with {what} ({why}); the last lines:\n{}", tail(&gathered.lines));
            }
            gathered = self.shared.1.wait_timeout(gathered, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What `find` makes of the first line that it takes.
    ///
    /// # Panics
    /// When no such line comes.
    pub fn wait<T>(&self, what: &str, find: impl FnMut(&str) -> Option<T>) -> T {
        self.wait_from(0, what, find).1
    }

    /// All lines so far.
    pub fn all(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    /// The last lines, for the text of a failure.
    pub fn tail(&self) -> String {
        tail(&self.lock().lines)
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tail(lines: &[String]) -> String {
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// A program that prints JSON lines and may be told things in lines. Killed when dropped.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What it prints.
    pub out: Lines,
    /// What it complains about.
    pub err: Lines,
}

impl Process {
    /// Starts a program.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start(command: &mut Command) -> Self {
        Self::start_with_input(command.stdin(Stdio::piped()))
    }

    /// Starts a program that reads what the command says.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start_with_input(command: &mut Command) -> Self {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
        let out = Lines::gather(child.stdout.take().expect("piped"));
        let err = Lines::gather(child.stderr.take().expect("piped"));
        Self { stdin: child.stdin.take(), child, out, err }
    }

    /// The first JSON line with this key, as its value.
    ///
    /// # Panics
    /// When no such line comes.
    pub fn wait_key(&self, key: &str) -> Value {
        self.out.wait(&format!("\"{key}\" (stderr: {})", self.err.tail()), |line| {
            serde_json::from_str::<Value>(line).ok()?.get(key).cloned()
        })
    }

    /// The value of `key` in every JSON line so far that has it.
    pub fn all_of(&self, key: &str) -> Vec<Value> {
        let value = |line: &String| serde_json::from_str::<Value>(line).ok()?.get(key).cloned();
        self.out.all().iter().filter_map(value).collect()
    }

    /// Tells it something.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn tell(&mut self, line: &Value) {
        let stdin = self.stdin.as_mut().expect("not closed");
        writeln!(stdin, "{line}").expect("the program listens");
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without notice, as a crash or a power cut does, and waits until it is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our child")
    }

    /// Closes its input and waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn wait_end(&mut self) -> ExitStatus {
        self.stdin = None;
        ask_until("end of the program", || self.ended())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
