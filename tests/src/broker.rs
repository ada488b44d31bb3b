//! Mosquitto as the broker of MQTT bridges, and its own programs as devices and applications.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::kannel::free_port;
use crate::{Gateway, Process, ask_until, skip};

const BROKER: &str = "/usr/sbin/mosquitto";

/// A broker that can be stopped and started again; what it was to keep, it keeps.
pub struct Broker {
    port: u16,
    directory: TempDir,
    process: Option<Process>,
}

impl Broker {
    /// Starts one that knows the users `bridge` and `device`, with `more` of its configuration; `None` if Mosquitto is
    /// not installed.
    ///
    /// # Panics
    /// When it can't be done.
    pub fn start(more: &str) -> Option<Self> {
        let clients = ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr", "mosquitto_passwd"];
        let found = |program: &&str| Path::new("/usr/bin").join(program).exists();
        if !Path::new(BROKER).exists() || !clients.iter().all(found) {
            skip("Mosquitto and its clients are not installed");
            return None;
        }
        let (port, directory) = (free_port(), tempfile::tempdir().expect("a directory"));
        let passwords = directory.path().join("passwords");
        for (flag, user) in [("-c", "bridge"), ("-b", "device")] {
            let mut arguments = vec![flag];
            if flag == "-c" {
                arguments.push("-b");
            }
            let made = Command::new("mosquitto_passwd").args(arguments).arg(&passwords).args([user, "secret"]).status();
            assert!(made.expect("mosquitto_passwd runs").success());
        }
        let configuration = format!(
            "listener {port} 127.0.0.1\n{more}\nallow_anonymous false\npassword_file {}\npersistence true\n\
             persistence_location {}/\nuser root\nmax_queued_messages 10000\n",
            passwords.display(),
            directory.path().display()
        );
        std::fs::write(directory.path().join("broker.conf"), configuration).expect("it can be written");
        let mut broker = Self { port, directory, process: None };
        broker.begin();
        Some(broker)
    }

    /// Begins anew after it was killed.
    ///
    /// # Panics
    /// When it can't be done.
    pub fn begin(&mut self) {
        let mut command = Command::new(BROKER);
        self.process = Some(Process::start(command.arg("-c").arg(self.directory.path().join("broker.conf"))));
        ask_until("broker", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    /// Ends it without notice.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// One of Mosquitto's programs, as the user `device`. What it says comes line by line.
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new("stdbuf");
        command.args(["-oL", program, "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-u", "device", "-P", "secret", "-V", "5"]);
        command
    }

    /// What is published below a topic, a line each: the topic, and what is said.
    ///
    /// # Panics
    /// When it can't be done.
    pub fn listen(&self, topic: &str) -> Process {
        let mut command = self.client("mosquitto_sub");
        let listener = Process::start(command.args(["-d", "-q", "1", "-F", "%t %p", "-t", topic]));
        listener.out.wait("subscription", |line| line.contains("SUBACK").then_some(()));
        listener
    }

    /// Publishes with QoS 1.
    ///
    /// # Panics
    /// When it can't be done.
    pub fn publish(&self, topic: &str, payload: &str) {
        let sent = self.client("mosquitto_pub").args(["-q", "1", "-t", topic, "-m", payload]).status();
        assert!(sent.expect("mosquitto_pub runs").success());
    }

    /// Publishes, and waits for the answer.
    ///
    /// # Panics
    /// When it can't be done.
    pub fn ask(&self, topic: &str, payload: &str, more: &[&str]) -> Value {
        let mut command = self.client("mosquitto_rr");
        command.args(["-q", "1", "-W", "60", "-e", "device/answers", "-t", topic, "-m", payload]).args(more);
        let answer = command.stderr(Stdio::inherit()).output().expect("mosquitto_rr runs");
        serde_json::from_slice(&answer.stdout).expect("the answer is JSON")
    }
}

/// What was published at a topic, as JSON.
///
/// # Panics
/// When it does not come.
pub fn said(listener: &Process, topic: &str, which: impl Fn(&Value) -> bool) -> Value {
    listener.out.wait(topic, |line| {
        let (at, payload) = line.split_once(' ')?;
        let value = serde_json::from_str(payload).ok()?;
        (at == topic && which(&value)).then_some(value)
    })
}

/// Waits for the gateway's bridge.
///
/// # Panics
/// When it does not connect.
pub fn until_connected(gateway: &Gateway) {
    gateway.log().wait("connection to the broker", |line| line.contains("connected to the MQTT broker").then_some(()));
}
