//! Octets between a client's session and a socket.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Link {
    stream: TcpStream,
    began: Instant,
}

impl Link {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), began: Instant::now() }
    }

    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub async fn write(&mut self, octets: &[u8]) {
        // A server that has closed the connection is seen when it is read.
        let _ = self.stream.write_all(octets).await;
    }

    /// What is there next; nothing at the end.
    pub async fn read(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 16 * 1024];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("something comes");
        buffer.truncate(read.unwrap_or(0));
        buffer
    }
}
