//! Whatever comes over the line, both sides go on: no panic, no end that never comes, no memory without end.

use std::time::Duration;

use at::{Client, ClientConfig, Event, Lines, ModemLine, from_hex, read_ussd, to_hex};
use proptest::prelude::*;
use sms::tpdu::{Address, Submit, UserData};

/// What modems say, and rubbish.
fn spoken() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "OK",
        "ERROR",
        "> ",
        "RING",
        "RDY",
        "NO CARRIER",
        "+CMS ERROR: 38",
        "+CMS ERROR: 310",
        "+CME ERROR: 10",
        "+CPIN: READY",
        "+CPIN: SIM PIN",
        "+CREG: 0,1",
        "+CREG: 0,2",
        "+CREG: 3",
        "+CMGS: 7",
        "+CMTI: \"SM\",3",
        "+CMTI: \"ME\",70000",
        "+CDSI: \"SR\",1",
        "+CMT: ,28",
        "+CDS: 26",
        "07914477790700F0040C914477000910320000621122313030400AE8329BFD4697D9EC37",
        "00",
        "+CMGR: 0,,28",
        "+CMGR: \"REC READ\",\"+44\",,\"26/11/23,10:00:00+00\",145,4,0,0,\"+44\",145,8",
        "+CMGL: 3,\"REC READ\",\"+44\",,\"26/11/23,10:00:00+00\",145,9",
        "+CMT: \"+44\",,\"26/11/23,10:00:00+00\",145,4,0,0,\"+44\",145,12",
        "+CMGL: 1,0,,28",
        "+CMGL: 2,3,,28",
        "+CUSD: 0,\"Your balance",
        "\",15",
        "+CUSD: 2",
        "+CLIP: \"+44\",145",
        "+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)",
        "+CPMS: (\"SM\",\"ME\"),(\"SM\"),(\"SM\")",
        "+CPMS: 1,2,3,4,5,6",
        "+CSCA: \"\",129",
        "+CFUN: 4",
        "+CSQ: 99,99",
        "+COPS: 0,0,\"Net\"",
        "huawei",
        "AT",
        "ATE0",
        "COMMAND NOT SUPPORT",
    ]);
    let line = line.prop_map(|line| format!("\r\n{line}\r\n").into_bytes());
    prop_oneof![
        6 => line,
        1 => Just(b"\r\n> ".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => Just(vec![b'x'; 5000]),
    ]
}

fn message() -> Submit {
    let to = Address::number("+447700900123").expect("a number");
    Submit::new(to, 0, UserData::gsm7(&[], b"hello").expect("it fits"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_client_survives_anything_and_brings_each_message_to_one_end(
        turns in prop::collection::vec((spoken(), 0u64..20_000, 0u8..8), 0..200),
        text_mode in any::<bool>(),
    ) {
        let mut config = ClientConfig { pin: at::Pin::new("1234"), ..ClientConfig::default() };
        if text_mode {
            config.mode = at::Mode::Text;
        }
        let (mut now, mut client) = (Duration::ZERO, Client::new(config, Duration::ZERO));
        let (mut open, mut token) = (std::collections::HashSet::new(), 0u64);
        let mut acks = Vec::new();
        let hear = |client: &mut Client, now, open: &mut std::collections::HashSet<u64>, acks: &mut Vec<u64>| {
            let mut events = 0;
            while let Some(event) = client.next_event(now) {
                events += 1;
                assert!(events < 20_000, "it never ends");
                match event {
                    Event::Sent { token, .. } | Event::Refused { token, .. } | Event::Unsent { token }
                    | Event::InDoubt { token } => assert!(open.remove(&token), "{token} ended twice"),
                    Event::Received { ack, .. } => acks.push(ack),
                    _ => {}
                }
            }
        };
        for (octets, wait, what) in turns {
            now += Duration::from_millis(wait);
            prop_assert_eq!(client.receive(&octets), octets.len());
            hear(&mut client, now, &mut open, &mut acks);
            match what {
                0 if client.room() > 0 => {
                    token += 1;
                    if client.send(&message(), token.is_multiple_of(2), token, now).is_ok() {
                        open.insert(token);
                    }
                }
                1 => { if let Some(ack) = acks.pop() { client.acknowledge(ack, now); } }
                2 => { let _ = client.ussd("*100#", now); }
                3 if wait.is_multiple_of(97) => client.finish(now),
                // The line reads what was written, mostly.
                _ => client.consume_output(client.output().len()),
            }
            prop_assert!(client.output().len() < 64 * 1024);
            hear(&mut client, now, &mut open, &mut acks);
            if let Some(deadline) = client.next_deadline() {
                prop_assert!(client.is_closed() || deadline > now, "a deadline at {:?} that has passed", deadline);
            }
        }
        client.transport_closed();
        hear(&mut client, now, &mut open, &mut acks);
        prop_assert!(client.is_closed());
        prop_assert!(open.is_empty(), "{:?} never ended", open);
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut(octets in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..300) {
        let read = |pieces: &[&[u8]]| {
            let (mut lines, mut all) = (Lines::default(), Vec::new());
            for piece in pieces {
                lines.fill(piece);
                all.extend(std::iter::from_fn(|| lines.next(false)));
            }
            all
        };
        let at = at.min(octets.len());
        prop_assert_eq!(read(&[&octets]), read(&[&octets[..at], &octets[at..]]));
    }

    #[test]
    fn a_modem_survives_anything(octets in prop::collection::vec(any::<u8>(), 0..2000), prompt in any::<bool>()) {
        let mut line = ModemLine::new();
        if prompt {
            line.prompt();
        }
        line.receive(&octets);
        while line.next_request().is_some() {}
    }

    #[test]
    fn hexadecimal_comes_back(octets in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,200}") {
        let hex = to_hex(&octets);
        prop_assert_eq!(from_hex(&hex), Some(octets));
        let _ = (from_hex(&text), read_ussd(&text, true), read_ussd(&text, false));
    }
}
