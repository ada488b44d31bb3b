//! Programs that run beside a test, and end with it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

/// The program with nothing of the tester's own configuration.
pub fn postrider(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("POSTRIDER_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Output {
    postrider(arguments).output().unwrap()
}

/// Runs it to its end, which must be a good one, and gives what it printed.
pub fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {:?}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A program that runs until it is told to stop.
pub struct Running {
    child: Child,
    errors: BufReader<ChildStderr>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        Self { child, errors }
    }

    /// The first line on standard error that has this in it.
    pub fn line_with(&mut self, part: &str) -> String {
        let mut before = String::new();
        loop {
            let mut line = String::new();
            assert!(self.errors.read_line(&mut line).unwrap() > 0, "it ended without \"{part}\":\n{before}");
            if line.contains(part) {
                return line;
            }
            before += &line;
        }
    }

    pub fn signal(&self, name: &str) {
        // The shell's own, for not every system has the program.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it as a power failure would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and gives its exit code and what it printed.
    pub fn stop(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        // Its log must not fill the pipe while we wait.
        std::io::copy(&mut self.errors, &mut std::io::sink()).unwrap();
        let mut printed = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        (self.child.wait().unwrap().code(), printed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing happens to one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A gateway on a free port, with its address.
pub fn serve(data: &Path, more: &[&str]) -> (Running, String) {
    let mut command = postrider(&["serve", "--data", data.to_str().unwrap()]);
    let mut gateway = Running::start(
        command.args(more).env("POSTRIDER_HTTP__LISTEN", r#"["127.0.0.1:0"]"#).env("POSTRIDER_SMPP__LISTEN", "[]"),
    );
    let line: serde_json::Value = serde_json::from_str(&gateway.line_with("\"listening\"")).unwrap();
    assert_eq!(line["event"], "listening");
    (gateway, line["http"].as_str().unwrap().to_owned())
}

/// A simulated carrier on a free port, with its address.
pub fn carrier(more: &[&str]) -> (Running, String) {
    let mut command = postrider(&["simulate", "smpp", "--listen", "127.0.0.1:0"]);
    let mut carrier = Running::start(command.args(more));
    let line = carrier.line_with("listening smpp=");
    let address = line.trim().trim_start_matches("listening smpp=").to_owned();
    (carrier, address)
}
