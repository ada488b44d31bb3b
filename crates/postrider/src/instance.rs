//! One gateway to a data directory: its lock, and `run.json`, which tells other commands where it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::outcome::{Failure, Outcome};

const LOCK: &str = "gateway.lock";
const RUN: &str = "run.json";
/// Tries at the lock: others hold it for a moment while they look whether a gateway runs.
const TRIES: u32 = 5;

/// The right to be the gateway of a data directory; given back when dropped.
#[derive(Debug)]
pub struct Instance {
    directory: PathBuf,
    _lock: File,
}

/// What a running gateway tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Address and port of the HTTP API, one that can be connected to from here.
    pub http: String,
    /// It is HTTPS.
    #[serde(default)]
    pub tls: bool,
    /// The resources file that is the only authority, if one is.
    #[serde(default)]
    pub resources: Option<String>,
    /// The version of the resources that are in force.
    #[serde(default)]
    pub version: u64,
}

impl Instance {
    /// Takes the lock of a data directory, which is made if it is not there.
    pub fn claim(directory: &Path) -> Outcome<Self> {
        make_directory(directory)?;
        let path = directory.join(LOCK);
        let lock = OpenOptions::new().create(true).append(true).open(&path);
        let lock = lock.with_context(|| format!("the lock {} can't be opened", path.display()))?;
        for attempt in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { directory: directory.to_owned(), _lock: lock }),
                Err(TryLockError::WouldBlock) if attempt + 1 < TRIES => sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        let pid = read(directory).map_or_else(String::new, |running| format!(", as process {}", running.pid));
        Err(Failure::failed(format_args!("a gateway runs on {} already{pid}", directory.display())))
    }

    /// Writes down where the gateway is.
    pub fn announce(&self, running: &Running) -> Outcome {
        let (new, path) = (self.directory.join("run.json.new"), self.directory.join(RUN));
        fs::write(&new, serde_json::to_vec(running)?)?;
        Ok(fs::rename(new, path)?)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.directory.join(RUN));
    }
}

/// The gateway that runs on a data directory, if one does.
pub fn running(directory: &Path) -> Option<Running> {
    let lock = OpenOptions::new().append(true).open(directory.join(LOCK)).ok()?;
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => read(directory),
        _ => None,
    }
}

/// Makes a directory that others can't look into, with those above it.
pub fn make_directory(directory: &Path) -> Outcome {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    Ok(made.with_context(|| format!("the directory {} can't be made", directory.display()))?)
}

fn read(directory: &Path) -> Option<Running> {
    let text: io::Result<String> = fs::read_to_string(directory.join(RUN));
    serde_json::from_str(&text.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_gateways_do_not_share_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        assert_eq!(running(&data), None);
        let instance = Instance::claim(&data).unwrap();
        let itself = Running { pid: 7, http: "127.0.0.1:1".into(), tls: false, resources: None, version: 1 };
        instance.announce(&itself).unwrap();
        assert_eq!(running(&data), Some(itself));
        let Err(Failure::Failed(error)) = Instance::claim(&data) else { panic!("the second was let in") };
        assert!(error.to_string().contains("already, as process 7"), "{error}");
        drop(instance);
        assert_eq!(running(&data), None);
        Instance::claim(&data).unwrap();
    }
}
