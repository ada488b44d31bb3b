//! Any octets are an error or a result.

use super::super::{jasmin, kannel};
use super::from_jasmin::SCRIPT;
use super::{LINK, import};
use crate::resources_file::{SecretCheck, read};

/// Numbers without a pattern (xorshift), so that every run is the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

const WORDS: [&str; 48] = [
    "group = smsc",
    "group = sendsms-user",
    "group = sms-service",
    "group = core",
    "smsc = smpp",
    "smsc-id = a",
    "port",
    "host = h",
    "smsc-username = u",
    "username = u",
    "password = p",
    "keyword = k",
    "get-url = http://h/",
    "=",
    "\n",
    "\n\n",
    "\\\n",
    "\"",
    "#",
    "allowed-prefix = 44;+1;0;é",
    "denied-prefix = 4",
    "preferred-prefix-regex = ^4[0-9",
    ";",
    "forced-smsc = a",
    "throughput = 1e99",
    "instances = -1",
    "user -a",
    "smppccm -a",
    "filter -a",
    "mtrouter -a",
    "morouter -a",
    "httpccm -a",
    "ok",
    "ko",
    "cid abc",
    "uid u",
    "fid f",
    "type destinationaddrfilter",
    "order 0",
    "destination_addr ^(4|",
    "filters f",
    "connector smppc(abc)",
    "url http://h",
    "> ",
    "jcli : ",
    "\u{1b}[",
    "\u{0}",
    "(",
];

#[test]
fn anything_is_an_error_or_a_result_that_check_accepts() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for round in 0..1200 {
        let mut text: Vec<u8> = match round % 3 {
            0 => SCRIPT.into(),
            1 => format!(
                "{LINK}smsc-id = a\nallowed-prefix = 44;1\n\ngroup = sendsms-user\nusername = u\npassword = p\n"
            )
            .into(),
            _ => Vec::new(),
        };
        for _ in 0..dice.below(24) {
            let at = dice.below(text.len() + 1);
            match dice.below(4) {
                0 => drop(text.splice(at..at, [u8::try_from(dice.below(256)).unwrap()])),
                1 => drop(text.drain(at..(at + dice.below(12)).min(text.len()))),
                _ => {
                    let word = WORDS[dice.below(WORDS.len())];
                    text.splice(at..at, format!("{word}\n").into_bytes());
                }
            }
        }
        for of in [kannel::import, jasmin::import] {
            if let Ok(imported) = import(of, &text) {
                let again = read("r.toml", &imported.toml(), SecretCheck::default());
                assert!(again.is_ok(), "{again:?} of {:?}", String::from_utf8_lossy(&text));
                accepted += 1;
            }
        }
    }
    assert!(accepted > 800, "only {accepted} were read");
}
