//! The real binary, on a directory of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::http::Client;
use crate::lines::{Lines, Process};

/// The binary under test: `POSTRIDER_BIN`, or the one beside this test's own directory.
///
/// # Panics
/// When it has not been built.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("POSTRIDER_BIN") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a test has a path");
    let path = test.ancestors().nth(2).expect("target/PROFILE/deps/test").join("postrider");
    assert!(path.exists(), "{} is not built: cargo build -p postrider", path.display());
    path
}

/// The binary as a command, in a clean environment.
pub fn command() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("POSTRIDER_")) {
            command.env_remove(name);
        }
    }
    for listen in ["POSTRIDER_HTTP__LISTEN", "POSTRIDER_SMPP__LISTEN"] {
        command.env(listen, r#"["127.0.0.1:0"]"#);
    }
    command
}

/// A data directory and a resources file, which outlive the gateways that run on them.
pub struct Place {
    directory: TempDir,
    data: PathBuf,
}

impl Place {
    /// A new place with these resources.
    ///
    /// # Panics
    /// When there is no room for it.
    pub fn new(resources: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let place = Self { directory, data };
        place.write_resources(resources);
        place
    }

    /// Puts the data elsewhere.
    #[must_use]
    pub fn with_data(mut self, data: &Path) -> Self {
        self.data = data.to_owned();
        self
    }

    /// Replaces the resources file; a running gateway reads it at SIGHUP.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn write_resources(&self, resources: &str) {
        std::fs::write(self.resources(), resources).expect("the file can be written");
    }

    /// The resources file.
    pub fn resources(&self) -> PathBuf {
        self.directory.path().join("resources.toml")
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Starts a gateway here, and waits until it listens.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&self) -> Gateway {
        self.start_with(&mut command())
    }

    /// Starts a gateway that takes the place with it when it goes.
    ///
    /// # Panics
    /// When it does not start.
    pub fn into_gateway(self) -> Gateway {
        let mut gateway = self.start();
        gateway.place = Some(self);
        gateway
    }

    /// Starts a gateway here with a command that is prepared already.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_with(&self, command: &mut Command) -> Gateway {
        self.serve(command.arg("serve").arg("--resources").arg(self.resources()))
    }

    /// Starts a gateway here whose resources live in its store, and may be changed by anybody.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_without_file(&self) -> Gateway {
        self.serve(command().arg("serve"))
    }

    fn serve(&self, command: &mut Command) -> Gateway {
        let process = Process::start(command.current_dir(self.directory.path()).arg("--data").arg(&self.data));
        let (http, sessions) = process.err.wait("\"listening\"", |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            if line["event"] != "listening" {
                return None;
            }
            let all = |key: &str| {
                line[key].as_str()?.split(',').map(|one| one.trim().parse().ok()).collect::<Option<Vec<_>>>()
            };
            let mut http = all("http")?;
            http.extend(all("interfaces").unwrap_or_default());
            let sessions = ["smpp", "ucp", "cimd2"].map(|key| all(key).and_then(|all| all.first().copied()));
            Some((http, sessions))
        });
        let [smpp, ucp, cimd2] = sessions;
        Gateway { process, http, smpp, ucp, cimd2, place: None }
    }
}

/// A running gateway. Killed when dropped.
pub struct Gateway {
    process: Process,
    http: Vec<SocketAddr>,
    smpp: Option<SocketAddr>,
    ucp: Option<SocketAddr>,
    cimd2: Option<SocketAddr>,
    /// Dropped after the process, which writes there.
    place: Option<Place>,
}

impl Gateway {
    /// Where its HTTP API is.
    pub fn address(&self) -> SocketAddr {
        self.http[0]
    }

    /// Where it takes HTTP: the API first, then the interfaces that have addresses of their own, as the
    /// configuration has them.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.http
    }

    /// Where its SMPP server is.
    ///
    /// # Panics
    /// When it has none.
    pub fn smpp(&self) -> SocketAddr {
        self.smpp.expect("the gateway serves SMPP")
    }

    /// Where its UCP server is.
    ///
    /// # Panics
    /// When it has none.
    pub fn ucp(&self) -> SocketAddr {
        self.ucp.expect("the gateway serves UCP")
    }

    /// Where its CIMD2 server is.
    ///
    /// # Panics
    /// When it has none.
    pub fn cimd2(&self) -> SocketAddr {
        self.cimd2.expect("the gateway serves CIMD2")
    }

    /// A connection to its API, as the scenarios' account.
    pub fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its log.
    pub fn log(&self) -> &Lines {
        &self.process.err
    }

    /// Kills it without notice.
    pub fn kill(mut self) {
        self.process.kill();
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.id()).expect("a process id")).expect("not zero");
        kill_process(pid, signal).expect("the gateway runs");
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Asks it to end in order, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.process.wait_end()
    }

    /// The most octets of memory that it has had in use at a time.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn peak_octets(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }
}
