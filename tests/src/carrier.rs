//! A simulated carrier in the test's own process, which outlives the gateways that it serves and
//! remembers every message that it took.

use std::net::SocketAddr;
use std::ops::Deref;

use simulator::{Smsc, SmscSettings};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A running SMSC with the threads that it needs.
pub struct Carrier {
    smsc: Smsc,
    runtime: Runtime,
}

impl Carrier {
    /// Starts an SMSC on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub fn start(settings: SmscSettings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread can be made");
        let smsc = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            Smsc::start(listener, settings)
        });
        Self { smsc, runtime }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.smsc.address()
    }

    /// Waits inside the carrier's threads.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

impl Deref for Carrier {
    type Target = Smsc;

    fn deref(&self) -> &Smsc {
        &self.smsc
    }
}
