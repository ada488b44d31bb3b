//! Programs that others have written. `./test` installs them under `target/peers`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::{Call, Process, SECRET};

/// Python with the packages that scenarios need; `Err` says what is missing.
pub fn python(module: &str) -> Result<PathBuf, String> {
    let python = directory().join("venv/bin/python");
    let found = Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Ok(python),
        _ => Err(format!("the Python package {module} is not in {}", directory().join("venv").display())),
    }
}

/// Node.js with a package on its path; `Err` says what is missing.
pub fn node(package: &str) -> Result<Command, String> {
    let modules = directory().join("npm/node_modules");
    if !modules.join(package).exists() {
        return Err(format!("the npm package {package} is not in {}", modules.display()));
    }
    installed("node")?;
    let mut command = Command::new("node");
    command.env("NODE_PATH", modules);
    Ok(command)
}

/// A program of the system; `Err` if it is not installed.
pub fn installed(program: &str) -> Result<(), String> {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("{program} is not installed")),
    }
}

/// A file of ours that drives a peer.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// Which of these calls the reference implementation of Standard Webhooks takes for genuine.
///
/// # Panics
/// When the verifier does not work.
pub fn genuine(python: &Path, calls: &[Call]) -> Vec<bool> {
    let mut verifier = Process::start(Command::new(python).arg(script("verify_webhooks.py")).arg(SECRET));
    for call in calls {
        verifier.tell(&json!({ "headers": call.headers, "body": call.body }));
    }
    let ended = verifier.wait_end();
    assert!(ended.success(), "the verifier failed: {}", verifier.err.tail());
    verifier.out.wait("all verdicts", |line| {
        let verdicts: Value = serde_json::from_str(line).ok()?;
        verdicts.as_array()?.iter().map(Value::as_bool).collect()
    })
}

/// Where `./test` puts them.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers")
}
