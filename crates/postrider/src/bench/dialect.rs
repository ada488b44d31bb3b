//! Requests, as each gateway wants them. The same messages for everybody: message `n` goes to the
//! `n`th number and carries its own text.

use std::io::Write;

use memchr::memmem;

use super::args::{Dialect, HttpArgs};

/// Writes requests.
#[derive(Debug)]
pub struct Requests {
    dialect: Dialect,
    address: String,
    token: String,
    user: String,
    password: String,
    sink: Option<String>,
}

impl Requests {
    pub fn new(args: &HttpArgs, sink: Option<String>) -> Self {
        Self {
            dialect: args.dialect,
            address: args.address.clone(),
            token: args.token.clone(),
            user: args.user.clone(),
            password: args.password.clone(),
            sink,
        }
    }

    /// The request for messages `from..to`, one or a batch, into `out`.
    pub fn write(&self, from: u64, to: u64, out: &mut Vec<u8>) {
        out.clear();
        // Writing to a Vec does not fail.
        let _ = match self.dialect {
            Dialect::Kannel => self.kannel(from, out),
            Dialect::Postrider => self.postrider(from, to, out),
        };
    }

    fn kannel(&self, n: u64, out: &mut Vec<u8>) -> std::io::Result<()> {
        let Self { address, user, password, .. } = self;
        write!(out, "GET /cgi-bin/sendsms?username={user}&password={password}&from=12345&to={}", number(n))?;
        write!(out, "&text=Your+one-time+code+is+{n:08}")?;
        if let Some(sink) = &self.sink {
            // The final receipt only, as with Postrider's default.
            write!(out, "&dlr-mask=3&dlr-url={}%2Fdlr%3Fref%3Db-{n}", percent(sink))?;
        }
        write!(out, " HTTP/1.1\r\nHost: {address}\r\n\r\n")
    }

    fn postrider(&self, from: u64, to: u64, out: &mut Vec<u8>) -> std::io::Result<()> {
        let mut body = Vec::with_capacity(160 * (to - from) as usize);
        let path = if to - from == 1 { "/v1/messages" } else { "/v1/batches" };
        if to - from == 1 {
            message(from, &mut body)?;
        } else {
            body.extend_from_slice(b"{\"messages\":[");
            for n in from..to {
                if n > from {
                    body.push(b',');
                }
                message(n, &mut body)?;
            }
            body.extend_from_slice(b"]}");
        }
        let Self { address, token, .. } = self;
        write!(out, "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n")?;
        write!(out, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len())?;
        out.extend_from_slice(&body);
        Ok(())
    }
}

fn message(n: u64, out: &mut Vec<u8>) -> std::io::Result<()> {
    let number = number(n);
    write!(out, r#"{{"to":"+{number}","from":"12345","text":"Your one-time code is {n:08}","client_ref":"b-{n}"}}"#)
}

/// The number that message `n` goes to.
pub fn number(n: u64) -> u64 {
    447_000_000_000 + n % 1_000_000_000
}

fn percent(text: &str) -> String {
    text.replace(':', "%3A").replace('/', "%2F")
}

/// The message that a call-back is about: the number after `b-`, wherever it stands.
pub fn reference(octets: &[u8]) -> Option<u64> {
    // Ids may hold the same two characters, but not behind these.
    let marks = memmem::find_iter(octets, b"b-");
    let at = marks.into_iter().find(|&at| at > 0 && matches!(octets[at - 1], b'"' | b'='))?;
    let digits = octets[at + 2..].iter().take_while(|b| b.is_ascii_digit());
    let (mut number, mut any) = (0u64, false);
    for digit in digits.take(18) {
        number = number * 10 + u64::from(digit - b'0');
        any = true;
    }
    any.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_in_both_kinds_of_call_back() {
        assert_eq!(reference(b"GET /dlr?ref=b-42 HTTP/1.1"), Some(42));
        assert_eq!(reference(br#"{"data":{"id":"01ab-7","client_ref":"b-7","x":1}}"#), Some(7));
        assert_eq!(reference(b"GET / HTTP/1.1"), None);
        assert_eq!(reference(b"\"b-\""), None);
    }
}
