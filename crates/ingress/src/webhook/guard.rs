//! Which addresses may be called. A webhook's URL comes from an application, so without this it
//! could make the gateway call what only the gateway's own network can reach.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks that are not the public Internet (IANA special-purpose registries, RFC 6890), with a
/// word for people.
const RESERVED: [(&str, &str); 34] = [
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by carriers"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "for documentation"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::/96", "reserved"),
    ("::ffff:0:0/96", "an IPv4 address in disguise"),
    ("::ffff:0:0:0/96", "an IPv4 address in disguise"),
    ("64:ff9b::/96", "translated to IPv4"),
    ("64:ff9b:1::/48", "translated to IPv4"),
    ("100::/64", "discarded"),
    ("2001::/23", "reserved"),
    ("2001:2::/48", "for benchmarks"),
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "translated to IPv4"),
    ("3fff::/20", "for documentation"),
    ("5f00::/16", "reserved"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
    ("4000::/2", "reserved"),
];

/// Says which addresses may be called.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    allowed: Vec<IpNet>,
    reserved: Vec<(IpNet, &'static str)>,
}

impl Guard {
    /// Lets through what is public, and `allowed`.
    pub fn new(allowed: &[IpNet]) -> Self {
        let parse = |(net, word): (&str, &'static str)| (net.parse().expect("a constant that is a network"), word);
        Self { allowed: allowed.to_vec(), reserved: RESERVED.into_iter().map(parse).collect() }
    }

    /// What is wrong with `address`: `loopback`, `private` …; `None` if it may be called.
    pub fn objection(&self, address: IpAddr) -> Option<&'static str> {
        // Whoever allows 10.0.0.0/8 means it in every way of writing it.
        let plain = address.to_canonical();
        if self.allowed.iter().any(|net| net.contains(&address) || net.contains(&plain)) {
            return None;
        }
        self.reserved.iter().find(|(net, _)| net.contains(&address)).map(|(_, word)| *word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objection(allowed: &[&str], address: &str) -> Option<&'static str> {
        let allowed: Vec<IpNet> = allowed.iter().map(|net| net.parse().unwrap()).collect();
        Guard::new(&allowed).objection(address.parse().unwrap())
    }

    #[test]
    fn what_is_not_the_public_internet_is_refused() {
        let refused = [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
            "5f00::1",
        ];
        for address in refused {
            assert!(objection(&[], address).is_some(), "{address} must be refused");
        }
    }

    #[test]
    fn public_addresses_are_called() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
        ] {
            assert_eq!(objection(&[], address), None, "{address}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_and_nothing_beside_it() {
        assert_eq!(objection(&["127.0.0.0/8"], "127.0.0.1"), None);
        assert_eq!(objection(&["127.0.0.0/8"], "::ffff:127.0.0.1"), None);
        assert_eq!(objection(&["127.0.0.0/8"], "::1"), Some("loopback"));
        assert_eq!(objection(&["10.0.0.0/24"], "10.0.1.1"), Some("private"));
        assert_eq!(objection(&["fd00::/8"], "fd00::1"), None);
    }
}
