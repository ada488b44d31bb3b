//! Which devices are in use: two connectors that search for their modems must not talk to each other's. And which modem
//! was found where, so that the others need not ask again.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::transport::Transport;

/// Devices of which is remembered who is there.
const KNOWN_MAX: usize = 1024;

/// The devices that are in use by connectors of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    devices: Mutex<Devices>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Devices {
    used: HashMap<PathBuf, Use>,
    /// The IMEIs that were heard last.
    known: HashMap<PathBuf, Box<str>>,
}

/// What a device is in use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Somebody is looking who is there.
    Search,
    /// It is somebody's modem.
    Session,
}

/// A device that is in use until this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    ports: Ports,
    path: PathBuf,
}

impl Ports {
    /// Takes a device; or says what somebody else has it for. Names that lead to the same device are the same.
    pub(super) fn take(&self, address: &str, what_for: Use) -> Result<Taken, Use> {
        let path = path_of(address);
        let mut devices = self.lock();
        if let Some(other) = devices.used.get(&path) {
            return Err(*other);
        }
        devices.used.insert(path.clone(), what_for);
        Ok(Taken { ports: self.clone(), path })
    }

    /// The IMEI of the modem that was there last.
    pub(super) fn known(&self, address: &str) -> Option<Box<str>> {
        self.lock().known.get(&path_of(address)).cloned()
    }

    /// Waits until a device is in use no more.
    pub(super) fn freed(&self) -> Notified<'_> {
        self.0.freed.notified()
    }

    fn lock(&self) -> MutexGuard<'_, Devices> {
        self.0.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Whoever was looking has found what it was looking for.
    pub(super) fn keep(&self) {
        self.ports.lock().used.insert(self.path.clone(), Use::Session);
    }

    /// The modem there has this IMEI.
    pub(super) fn heard(&self, imei: &str) {
        let mut devices = self.ports.lock();
        if devices.known.len() >= KNOWN_MAX {
            devices.known.clear();
        }
        devices.known.insert(self.path.clone(), imei.into());
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.ports.lock().used.remove(&self.path);
        self.ports.0.freed.notify_waiters();
    }
}

fn path_of(address: &str) -> PathBuf {
    std::fs::canonicalize(address).unwrap_or_else(|_| address.into())
}

/// A stream that keeps its device for itself.
pub(super) struct Held {
    pub(super) stream: Box<dyn Transport>,
    pub(super) taken: Taken,
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
        let [device, link] = [device.to_str().unwrap(), link.to_str().unwrap()];
        let taken = ports.take(device, Use::Search).unwrap();
        assert_eq!(ports.take(link, Use::Session).unwrap_err(), Use::Search);
        taken.keep();
        assert_eq!(ports.take(link, Use::Session).unwrap_err(), Use::Session);
        taken.heard("490154203237518");
        drop(taken);
        assert_eq!(ports.known(link).as_deref(), Some("490154203237518"));
        assert!(ports.take(link, Use::Session).is_ok());
    }
}
