//! A pseudo-terminal: the modem's end as a stream, and the other end for whoever opens it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// `O_NOCTTY` of Linux: the modem's terminal is not to become that of this process.
const NO_CONTROLLING_TERMINAL: i32 = 0o400;

/// The modem's end.
#[derive(Debug)]
pub(super) struct Terminal {
    ours: AsyncFd<File>,
    path: PathBuf,
    /// The other end, so that it stays while nobody has it open.
    _theirs: File,
}

impl Terminal {
    /// Makes one, as a serial line would be: octets pass as they are.
    pub(super) fn open() -> io::Result<Self> {
        let fd: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&fd)?;
        unlockpt(&fd)?;
        let path = PathBuf::from(OsStr::from_bytes(ptsname(&fd, Vec::new())?.as_bytes()));
        let mut options = std::fs::OpenOptions::new();
        let theirs = options.read(true).write(true).custom_flags(NO_CONTROLLING_TERMINAL).open(&path)?;
        let mut line = tcgetattr(&theirs)?;
        line.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &line)?;
        rustix::io::ioctl_fionbio(&fd, true)?;
        #[expect(deprecated, reason = "a File keeps the descriptor that it has, which is all that is asked for")]
        let ours = AsyncFd::new(File::from(fd))?;
        Ok(Self { ours, path, _theirs: theirs })
    }

    /// The device that terminals open.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl AsyncRead for Terminal {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.ours.poll_read_ready(context))?;
            let room = buffer.initialize_unfilled();
            match guard.try_io(|ours| ours.get_ref().read(room)) {
                Ok(read) => {
                    buffer.advance(read?);
                    return Poll::Ready(Ok(()));
                }
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Terminal {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.ours.poll_write_ready(context))?;
            match guard.try_io(|ours| ours.get_ref().write(octets)) {
                Ok(written) => return Poll::Ready(written),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
