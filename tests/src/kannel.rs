//! Debian's Kannel, with one link to an SMSC.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use tempfile::TempDir;

use crate::{Client, Process, Sink, ask_until, skip};

/// A running bearerbox and its smsbox. What phones send goes to the sink's URL with `mo=`.
pub struct Kannel {
    sendsms: u16,
    receipt_url: String,
    _smsbox: Process,
    _bearerbox: Process,
    _directory: TempDir,
}

impl Kannel {
    /// Starts it with an SMSC, whose group has these lines. Without Kannel the test is reported as skipped.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(smsc: &str, sink: &Sink) -> Option<Self> {
        if !std::path::Path::new("/usr/sbin/bearerbox").exists() {
            skip("Kannel is not installed");
            return None;
        }
        let [admin, boxes, sendsms] = [free_port(), free_port(), free_port()];
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("kannel.conf");
        let configuration = format!(
            "group = core\nadmin-port = {admin}\nadmin-password = x\nsmsbox-port = {boxes}\ndlr-storage = internal\n\n\
             group = smsc\nsmsc-id = carrier\n{smsc}\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {sendsms}\n\n\
             group = sendsms-user\nusername = app\npassword = app\n\n\
             group = sms-service\nkeyword = default\nomit-empty = true\nmax-messages = 0\n\
             get-url = \"{}?mo=%b&phone=%p\"\n",
            sink.url()
        );
        std::fs::write(&file, configuration).expect("it can be written");
        let bearerbox = Process::start(Command::new("/usr/sbin/bearerbox").arg(&file).current_dir(directory.path()));
        let listens = |port: u16| ask_until("listener", || TcpStream::connect(("127.0.0.1", port)).ok());
        listens(boxes);
        let smsbox = Process::start(Command::new("/usr/sbin/smsbox").arg(&file).current_dir(directory.path()));
        listens(sendsms);
        let receipt_url = sink.url().replace(':', "%3A").replace('/', "%2F") + "%3Fevent%3D%25d%26phone%3D%25p";
        Some(Self { sendsms, receipt_url, _smsbox: smsbox, _bearerbox: bearerbox, _directory: directory })
    }

    /// Sends a message, `text` being the rest of the query, and asks for every receipt. The recipient may
    /// have a plus sign.
    pub fn send(&self, from: &str, to: &str, text: &str) {
        let (to, receipt) = (to.replace('+', "%2B"), &self.receipt_url);
        let query = format!(
            "/cgi-bin/sendsms?username=app&password=app&from={from}&to={to}&{text}&dlr-mask=31&dlr-url={receipt}"
        );
        ask_until("answer of smsbox", || {
            let answer = Client::new(([127, 0, 0, 1], self.sendsms).into()).get(&query);
            answer.body.starts_with("0:").then_some(())
        });
    }

    /// Waits until it has called back that the message to this phone, in digits, was delivered.
    pub fn until_delivered(&self, sink: &Sink, phone: &str) {
        sink.wait("call of the dlr-url", |call| {
            (call.path.contains("event=1&") && call.path.contains(phone)).then_some(())
        });
    }

    /// Waits for a message from a phone: the path that it has called.
    pub fn received(&self, sink: &Sink) -> String {
        sink.wait("call of the get-url", |call| call.path.contains("mo=").then(|| call.path.clone()))
    }
}

/// A port that was free a moment ago, for programs that can't be told to take any.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
