//! Which devices are in use: two connectors that search for their modems must not talk to each other's.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::transport::Transport;

/// The devices that are in use by connectors of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports(Arc<Mutex<HashSet<PathBuf>>>);

/// A device that is in use until this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    ports: Ports,
    path: PathBuf,
}

impl Ports {
    /// Takes a device; `None` if somebody has it. Names that lead to the same device are the same.
    pub(super) fn take(&self, address: &str) -> Option<Taken> {
        let path = std::fs::canonicalize(address).unwrap_or_else(|_| address.into());
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert(path.clone()).then(|| Taken { ports: self.clone(), path })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.ports.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}

/// A stream that keeps its device for itself.
pub(super) struct Held {
    pub(super) stream: Box<dyn Transport>,
    pub(super) _taken: Option<Taken>,
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_taken_once_under_all_its_names() {
        let directory = tempfile::tempdir().unwrap();
        let (device, link) = (directory.path().join("ttyUSB0"), directory.path().join("by-id"));
        std::fs::write(&device, "").unwrap();
        std::os::unix::fs::symlink(&device, &link).unwrap();
        let ports = Ports::default();
        let taken = ports.take(device.to_str().unwrap());
        assert!(taken.is_some() && ports.take(link.to_str().unwrap()).is_none());
        drop(taken);
        assert!(ports.take(link.to_str().unwrap()).is_some());
    }
}
