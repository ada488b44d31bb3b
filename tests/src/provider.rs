//! A provider that answers by a script: what no simulated one would, over TLS too.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The path with its query.
    pub path: String,
    /// The body.
    pub body: String,
}

/// An answer as it goes over the wire; none, and the connection is closed when the request has come whole.
type Script = dyn Fn(&Asked, usize) -> Option<String> + Send + Sync;

/// A running provider.
pub struct Scripted {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Starts one. The script is given each request with its number, from 0 on.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start(script: impl Fn(&Asked, usize) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(script))
    }

    /// The same over TLS.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start_tls(
        config: ServerConfig,
        script: impl Fn(&Asked, usize) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::serve(Some(Arc::new(config)), Arc::new(script))
    }

    fn serve(tls: Option<Arc<ServerConfig>>, script: Arc<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let all = asked.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, script, all) = (tls.clone(), script.clone(), all.clone());
                std::thread::spawn(move || match tls {
                    None => while_open(stream, &*script, &all),
                    Some(tls) => {
                        let session = ServerConnection::new(tls).expect("the configuration is good");
                        while_open(StreamOwned::new(session, stream), &*script, &all);
                    }
                });
            }
        });
        Self { address, asked }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An answer with this status and this body, of any type.
pub fn answer(status: u16, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Answers until the connection ends, or the script ends it.
fn while_open(stream: impl Read + Write, script: &Script, all: &Mutex<Vec<Asked>>) {
    let mut connection = BufReader::new(stream);
    while let Ok(asked) = read(&mut connection) {
        let number = {
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(asked.clone());
            all.len() - 1
        };
        let Some(answer) = script(&asked, number) else { return };
        let stream = connection.get_mut();
        if stream.write_all(answer.as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

fn read<S: Read>(connection: &mut BufReader<S>) -> io::Result<Asked> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(Asked { path, body: String::from_utf8_lossy(&body).into_owned() })
}
