//! Addresses of webhooks.

use std::net::Ipv6Addr;

/// Is this `https://` or `http://` with a host, and nothing in it that an address on the web may not
/// have (RFC 3986 §3)?
#[must_use]
pub fn is_web(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (is_host, port) = match host.strip_prefix('[').and_then(|literal| literal.split_once(']')) {
        Some((literal, port)) => (literal.parse::<Ipv6Addr>().is_ok(), port),
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), port)
        }
    };
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|number| number.parse::<u16>().is_ok());
    let is_user = user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~%!$&'()*+,;=:-".contains(&b));
    is_host && is_port && is_user && rest.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::is_web;

    #[test]
    fn addresses_have_a_host_and_no_odd_characters() {
        for good in [
            "https://x",
            "http://127.0.0.1:8080/hook?a=[1]#b",
            "https://me:s%20cret@hooks.example.com/",
            "http://[::1]:9/",
            "https://a_b.example?x",
        ] {
            assert!(is_web(good), "{good}");
        }
        for bad in [
            "",
            "ftp://x",
            "HTTPS://x",
            "https://",
            "https:///path",
            "https://:80",
            "https://x:port",
            "https://x:65536",
            "https://[",
            "https://[]/",
            "https://[::1",
            "https://[::1]x",
            "https://[x]",
            "https://a b/",
            "https://x/a b",
            "https://x/ä",
            "https://a@b@c",
            "https://x\n",
        ] {
            assert!(!is_web(bad), "{bad}");
        }
    }
}
