//! Requests as providers read them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A request, whole.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn new(method: &str, target: &str, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { method: method.into(), path: path.into(), query: form(query.as_bytes()), headers, body }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the URL.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The fields of a form; none if the body says that it is none.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        match self.header("content-type").starts_with("application/x-www-form-urlencoded") {
            true => form(&self.body),
            false => Vec::new(),
        }
    }

    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Name and password of Basic authentication (RFC 7617).
    pub(super) fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization").strip_prefix("Basic ")?;
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        decoded.split_once(':').map(|(user, password)| (user.into(), password.into()))
    }

    /// The same request with another bearer token.
    pub(super) fn with_bearer(&self, token: &str) -> Self {
        let mut asked = self.clone();
        for (_, value) in asked.headers.iter_mut().filter(|(name, _)| name == "authorization") {
            *value = format!("Bearer {token}");
        }
        asked
    }

    /// A bearer token (RFC 6750).
    pub(super) fn bearer(&self) -> Option<&str> {
        self.header("authorization").strip_prefix("Bearer ")
    }
}

/// A field of a form.
pub(super) fn field<'f>(form: &'f [(String, String)], name: &str) -> Option<&'f str> {
    form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Names and values of a form, decoded (WHATWG URL, application/x-www-form-urlencoded).
pub(super) fn form(text: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(text);
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (decoded(n), decoded(v))).collect()
}

fn decoded(text: &str) -> String {
    let (mut octets, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => octets.push(b' '),
            b'%' => {
                let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(octet) => {
                        octets.push(octet);
                        rest = after.get(2..).unwrap_or_default();
                    }
                    None => octets.push(b'%'),
                }
            }
            other => octets.push(*other),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// A form of these pairs.
pub(super) fn encoded(pairs: &[(&str, &str)]) -> String {
    let one = |(name, value): &(&str, &str)| format!("{}={}", percent(name), percent(value));
    pairs.iter().map(one).collect::<Vec<_>>().join("&")
}

/// Percent-encoded (RFC 3986 §2.1).
pub(super) fn percent(text: &str) -> String {
    let one = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(octet).to_string(),
        octet => format!("%{octet:02X}"),
    };
    text.bytes().map(one).collect()
}
