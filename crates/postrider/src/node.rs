//! Which node of a fleet this process is, where the store is for several.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use engine::NodeSettings;
use ring::rand::{SecureRandom, SystemRandom};

use crate::config::{Config, StorageUrl};
use crate::hex::to_hex;
use crate::outcome::{Failure, Outcome};

/// What tells this data directory from those of all other nodes.
const HOLDER: &str = "node.id";
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// May a node be called this?
pub fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// This node, if the store is for several. Only whoever has the lock of the data directory may ask: a process
/// that is started again there is the same node, and what the one before had on its way is refused.
pub fn settings(config: &Config) -> Outcome<Option<NodeSettings>> {
    if !matches!(config.store(), StorageUrl::Postgres(_)) {
        return Ok(None);
    }
    let name = match &config.node.name {
        Some(name) => name.clone(),
        None => host_name()?,
    };
    let holder = holder(&config.data_directory().join(HOLDER))?;
    Ok(Some(NodeSettings { name, holder, membership: config.node.membership.0 }))
}

fn host_name() -> Outcome<String> {
    let name = fs::read_to_string(HOST_NAME).unwrap_or_default();
    match name.trim() {
        name if is_name(name) => Ok(name.to_owned()),
        _ => Err(Failure::failed("the host has no name that a node could have; set name in [node]")),
    }
}

/// The id in a data directory, which is made if it is not there.
fn holder(path: &Path) -> Outcome<String> {
    match fs::read_to_string(path) {
        Ok(id) if !id.trim().is_empty() => return Ok(id.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::file(path, format_args!("can't be read: {error}"))),
    }
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).map_err(|_| Failure::failed("the system gave no randomness"))?;
    let id = to_hex(&id);
    let written = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path);
    let written = written.and_then(|mut file| writeln!(file, "{id}").and_then(|()| file.sync_all()));
    written.with_context(|| format!("{} can't be written", path.display()))?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        assert!(["a", "sms-1.example", "n_2"].iter().all(|name| is_name(name)));
        assert!(["", "a b", "a\nb", "ä", &"x".repeat(65)].iter().all(|name| !is_name(name)));
    }

    #[test]
    fn a_data_directory_is_the_same_node_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(HOLDER);
        let id = holder(&path).unwrap();
        assert_eq!((id.len(), holder(&path).unwrap()), (32, id));
    }
}
