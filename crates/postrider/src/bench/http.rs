//! Just enough HTTP/1.1 to find where a message ends.

use memchr::memmem;

/// A complete message at the front of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Octets of all of it.
    pub length: usize,
    /// Where the body begins.
    pub body: usize,
    /// The status, for a response.
    pub status: u16,
}

/// The message at the front of `octets`, if all of it is there. Only `Content-Length` is
/// understood; neither of the gateways sends anything else.
pub fn message(octets: &[u8]) -> Option<Message> {
    let body = memmem::find(octets, b"\r\n\r\n")? + 4;
    let head = &octets[..body];
    let length = header(head, b"content-length").and_then(number).unwrap_or(0);
    let total = body + length;
    let status = number(head.get(9..).unwrap_or_default()).unwrap_or(0) as u16;
    (octets.len() >= total).then_some(Message { length: total, body, status })
}

fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    head.split(|b| *b == b'\n').find_map(|line| {
        let (key, value) = line.split_at_checked(name.len())?;
        (key.eq_ignore_ascii_case(name) && value.first() == Some(&b':')).then(|| value[1..].trim_ascii())
    })
}

fn number(octets: &[u8]) -> Option<usize> {
    let digits = octets.iter().take_while(|b| b.is_ascii_digit()).take(9);
    let mut any = false;
    let value = digits.fold(0, |value, digit| {
        any = true;
        value * 10 + usize::from(digit - b'0')
    });
    any.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_where_its_length_says() {
        let octets = b"HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1";
        assert_eq!(message(octets), Some(Message { length: 49, body: 44, status: 202 }));
        assert_eq!(message(&octets[..48]), None);
        assert_eq!(message(b"HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(message(b"GET / HTTP/1.1\r\n\r\n").map(|m| m.length), Some(18));
    }
}
