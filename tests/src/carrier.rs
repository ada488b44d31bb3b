//! A simulated carrier in the test's own process, which outlives the gateways that it serves and
//! remembers every message that it took.

use std::ops::Deref;

use simulator::{
    Cimd2Smsc, Cimd2SmscSettings, HttpProvider, HttpProviderSettings, ModemSettings, SimModem, Smsc, SmscSettings,
    UcpSmsc, UcpSmscSettings,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A running SMSC with the threads that it needs.
pub struct Carrier<S = Smsc> {
    smsc: S,
    runtime: Runtime,
}

impl Carrier {
    /// Starts an SMSC on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub fn start(settings: SmscSettings) -> Self {
        Self::with(|listener| Smsc::start(listener, settings))
    }
}

impl Carrier<UcpSmsc> {
    /// Starts an SMSC that speaks UCP on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub fn start_ucp(settings: UcpSmscSettings) -> Self {
        Self::with(|listener| UcpSmsc::start(listener, settings))
    }
}

impl Carrier<Cimd2Smsc> {
    /// Starts an SMSC that speaks CIMD2 on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub fn start_cimd2(settings: Cimd2SmscSettings) -> Self {
        Self::with(|listener| Cimd2Smsc::start(listener, settings))
    }
}

impl Carrier<SimModem> {
    /// Starts a modem whose line is on a free TCP port, as ser2net has it.
    ///
    /// # Panics
    /// When there is none.
    pub fn start_modem(settings: ModemSettings) -> Self {
        Self::with(|listener| SimModem::start(listener, settings))
    }

    /// Starts a modem whose line is a pseudo-terminal.
    ///
    /// # Panics
    /// When there is none.
    pub fn start_modem_on_pty(settings: ModemSettings) -> Self {
        Self::with(|_| SimModem::start_pty(settings).expect("a pseudo-terminal"))
    }
}

impl Carrier<HttpProvider> {
    /// Starts a provider with an HTTP API on a free port.
    ///
    /// # Panics
    /// When there is none.
    pub fn start_http(settings: HttpProviderSettings) -> Self {
        Self::with(|listener| HttpProvider::start(listener, settings))
    }
}

impl<S> Carrier<S> {
    fn with(start: impl FnOnce(TcpListener) -> S) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread can be made");
        let smsc = runtime.block_on(async { start(TcpListener::bind("127.0.0.1:0").await.expect("a free port")) });
        Self { smsc, runtime }
    }

    /// Waits inside the carrier's threads.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

impl<S> Deref for Carrier<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.smsc
    }
}
