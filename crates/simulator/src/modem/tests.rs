//! The two sides of the line against each other, in memory and on a clock of their own.

use std::sync::Arc;
use std::time::Duration;

use at::{Calls, Client, ClientConfig, CloseReason, Event, Pin, Received};
use sms::tpdu::{Address, Submit, UserData};

use super::device::Device;
use super::{ModemFault, ModemFaultKind, ModemSettings};

/// A client and a modem with a line between them.
struct Pair {
    client: Client,
    device: Device,
    now: Duration,
    events: Vec<Event>,
    /// What came in is acknowledged at once.
    acknowledges: bool,
}

impl Pair {
    fn new(config: ClientConfig, settings: ModemSettings) -> Self {
        let device = Device::new(Arc::new(settings), 1_795_435_200);
        Self {
            client: Client::new(config, Duration::ZERO),
            device,
            now: Duration::ZERO,
            events: Vec::new(),
            acknowledges: true,
        }
    }

    /// A pair that has come so far that messages flow.
    fn ready(config: ClientConfig, settings: ModemSettings) -> Self {
        let mut pair = Self::new(config, settings);
        pair.until("ready", |event| matches!(event, Event::Ready).then_some(()));
        pair
    }

    /// Goes on until an event is the one that is looked for.
    fn until<T>(&mut self, what: &str, find: impl Fn(&Event) -> Option<T>) -> T {
        for _ in 0..100_000 {
            while let Some(event) = self.client.next_event(self.now) {
                if let (Event::Received { ack, .. }, true) = (&event, self.acknowledges) {
                    self.client.acknowledge(*ack, self.now);
                }
                let found = find(&event);
                self.events.push(event);
                if let Some(found) = found {
                    return found;
                }
            }
            assert!(!self.client.is_closed(), "no {what}: {:?}", self.events);
            self.step();
        }
        panic!("no {what}: {:?}", self.events);
    }

    /// Carries what there is to carry; if there is nothing, time passes.
    fn step(&mut self) {
        let to_device = self.client.output().to_vec();
        self.client.consume_output(to_device.len());
        self.device.receive(&to_device, self.now);
        self.device.turn(self.now);
        let to_client = self.device.line.output().to_vec();
        self.device.line.consume_output(to_client.len());
        assert_eq!(self.client.receive(&to_client), to_client.len());
        if to_device.is_empty() && to_client.is_empty() {
            let deadlines = [self.client.next_deadline(), self.device.next_deadline()];
            self.now = deadlines.into_iter().flatten().min().expect("somebody waits for something").max(self.now);
        }
    }

    fn send(&mut self, text: &str, token: u64) {
        let septets = sms::encode_gsm7(text, sms::Shift::default()).expect("a plain text");
        let to = Address::number("+447700900123").expect("a number");
        let mut submit = Submit::new(to, 0, UserData::gsm7(&[], &septets).expect("it fits"));
        submit.status_report = true;
        self.client.send(&submit, false, token, self.now).expect("there is room");
    }

    fn sent(&mut self, token: u64) -> Option<u8> {
        self.until("sent message", |event| match event {
            Event::Sent { token: sent, reference } if *sent == token => Some(*reference),
            _ => None,
        })
    }

    fn closed(&mut self) -> CloseReason {
        self.until("end", |event| match event {
            Event::Closed(reason) => Some(reason.clone()),
            _ => None,
        })
    }

    fn text(&mut self) -> String {
        self.until("message", |event| match event {
            Event::Received { message: Received::Message(deliver), .. } => {
                match deliver.user_data.decode(deliver.coding).body {
                    sms::Body::Text(text) => Some(text),
                    sms::Body::Octets(_) => None,
                }
            }
            _ => None,
        })
    }
}

fn fault(kind: ModemFaultKind) -> ModemSettings {
    ModemSettings { faults: vec![ModemFault { kind, at_send: 1, times: 1 }], ..ModemSettings::default() }
}

#[test]
fn messages_go_out_and_their_reports_come_back() {
    for pdu_mode in [true, false] {
        for phase2plus in [true, false] {
            let settings = ModemSettings { pdu_mode, phase2plus, ..ModemSettings::default() };
            let mut pair = Pair::ready(ClientConfig::default(), settings);
            assert_eq!(pair.client.status().text_mode, !pdu_mode);
            pair.send("Hello @ [world] €", 1);
            let reference = pair.sent(1);
            let report = pair.until("report", |event| match event {
                Event::Received { message: Received::Report(report), .. } => Some(report.clone()),
                _ => None,
            });
            assert_eq!((Some(report.reference), report.status), (reference, 0));
            assert_eq!(report.recipient.to_string(), "+447700900123");
            let status = pair.client.status().clone();
            assert_eq!(status.operator.as_deref(), Some("Simulated"));
            assert_eq!((status.signal_dbm, status.number.as_deref()), (Some(-71), Some("+447700900999")));
        }
    }
}

#[test]
fn what_comes_in_leaves_the_store_when_it_is_acknowledged() {
    for pdu_mode in [true, false] {
        let mut pair = Pair::ready(ClientConfig::default(), ModemSettings { pdu_mode, ..ModemSettings::default() });
        pair.acknowledges = false;
        pair.device.phone_sends("+447700900055", "Grüße, Ψ и всё", 1, pair.now).expect("a text");
        assert_eq!(pair.text(), "Grüße, Ψ и всё");
        // It stays, and is not told of again by looking.
        for _ in 0..200 {
            while let Some(event) = pair.client.next_event(pair.now) {
                assert!(!matches!(event, Event::Received { .. }), "told of twice");
            }
            pair.step();
        }
        assert_eq!(pair.device.sim.used(), 1);
        pair.client.acknowledge(0, pair.now);
        while pair.device.sim.used() > 0 {
            assert_eq!(pair.client.next_event(pair.now), None);
            pair.step();
        }
    }
}

#[test]
fn texts_that_look_like_answers_arrive_whole() {
    let texts = [
        "OK",
        "Are you in?\r\nOK\r\nERROR",
        "First\n+CMTI: \"SM\",9\n\nlast",
        "+CMGL: 3,\"REC READ\",\"+44\",,\"26/11/23,12:00:00+00\",145,2",
        "[brackets] and €\n+CMS ERROR: 38",
        "всё",
        "RING",
    ];
    for pdu_mode in [true, false] {
        for ucs2 in [true, false] {
            let settings = ModemSettings { pdu_mode, ucs2, ..ModemSettings::default() };
            let mut pair = Pair::ready(ClientConfig::default(), settings);
            for text in texts {
                pair.device.phone_sends("+447700900055", text, 1, pair.now).expect("a text");
                assert_eq!(pair.text(), text, "{pdu_mode} {ucs2}");
            }
            // Long ones are put together by their headers, which a list does not show.
            let long = "Does it end with OK?\nOK\n".repeat(9);
            let parts = pair.device.phone_sends("+447700900055", &long, 7, pair.now).expect("a text");
            let read: String = (0..parts).map(|_| pair.text()).collect();
            assert_eq!(read, long, "{pdu_mode} {ucs2}");
            assert!(!pair.events.iter().any(|event| matches!(event, Event::Call { .. } | Event::Unreadable { .. })));
        }
    }
    // Without lengths an answer is over when nothing follows.
    let settings = ModemSettings { pdu_mode: false, ucs2: false, details: false, ..ModemSettings::default() };
    let mut pair = Pair::ready(ClientConfig::default(), settings);
    for text in ["OK", "Are you in?\nOK\nbye"] {
        pair.device.phone_sends("+447700900055", text, 1, pair.now).expect("a text");
        assert_eq!(pair.text(), text);
    }
}

#[test]
fn a_full_store_is_emptied_and_the_network_brings_the_rest() {
    let mut pair = Pair::new(ClientConfig::default(), ModemSettings { places: 5, ..ModemSettings::default() });
    for number in 0..30 {
        pair.device.phone_sends("+447700900055", &format!("{number}"), 1, pair.now).expect("a text");
    }
    let mut texts: Vec<u32> = (0..30).map(|_| pair.text().parse().expect("a number")).collect();
    texts.sort_unstable();
    assert_eq!(texts, (0..30).collect::<Vec<_>>());
}

#[test]
fn a_modem_that_hangs_is_reset() {
    let mut pair = Pair::ready(ClientConfig::default(), fault(ModemFaultKind::HangSent));
    pair.send("first", 1);
    pair.until("doubt", |event| (*event == Event::InDoubt { token: 1 }).then_some(()));
    pair.until("reset", |event| (*event == Event::Reset).then_some(()));
    while !pair.client.is_ready() {
        while pair.client.next_event(pair.now).is_some() {}
        pair.step();
    }
    pair.send("second", 2);
    assert_eq!(pair.sent(2), Some(2));
}

#[test]
fn what_was_not_written_is_given_back() {
    let mut pair = Pair::ready(ClientConfig::default(), fault(ModemFaultKind::Hang));
    pair.send("first", 1);
    pair.until("message given back", |event| (*event == Event::Unsent { token: 1 }).then_some(()));
    let mut pair = Pair::ready(ClientConfig::default(), fault(ModemFaultKind::Error));
    pair.send("first", 1);
    pair.until("refusal", |event| matches!(event, Event::Refused { token: 1, .. }).then_some(()));
    pair.send("second", 2);
    pair.sent(2);
}

#[test]
fn a_modem_that_starts_anew_is_set_up_anew() {
    let mut pair = Pair::ready(ClientConfig::default(), fault(ModemFaultKind::Restart));
    pair.send("first", 1);
    pair.until("doubt", |event| (*event == Event::InDoubt { token: 1 }).then_some(()));
    while !pair.client.is_ready() {
        while pair.client.next_event(pair.now).is_some() {}
        pair.step();
    }
    // It tells of what comes in again.
    pair.device.phone_sends("+447700900055", "Hello", 1, pair.now).expect("a text");
    assert_eq!(pair.text(), "Hello");
}

#[test]
fn rubbish_and_news_in_an_answer_change_nothing() {
    for kind in [ModemFaultKind::Garbage, ModemFaultKind::News] {
        let mut pair = Pair::ready(ClientConfig::default(), fault(kind));
        pair.send("first", 1);
        assert_eq!(pair.sent(1), Some(1), "{kind:?}");
    }
}

#[test]
fn a_pin_is_entered_once_and_never_with_one_try_left() {
    let locked = |tries| ModemSettings { pin: Some("1234".into()), pin_tries: tries, ..ModemSettings::default() };
    let with = |pin| ClientConfig { pin: Pin::new(pin), ..ClientConfig::default() };
    assert!(Pair::ready(with("1234"), locked(3)).client.is_ready());
    let mut wrong = Pair::new(with("4321"), locked(3));
    assert!(matches!(wrong.closed(), CloseReason::Sim(_)));
    assert!(wrong.events.contains(&Event::PinRefused));
    assert_eq!(wrong.device.sim.tries, 2);
    let mut last = Pair::new(with("1234"), locked(1));
    assert!(matches!(last.closed(), CloseReason::Sim(why) if why.contains("one try")));
    assert_eq!(last.device.sim.tries, 1);
    let mut none = Pair::new(ClientConfig::default(), locked(3));
    assert!(matches!(none.closed(), CloseReason::Sim(why) if why.contains("none is configured")));
}

#[test]
fn without_a_network_the_session_ends() {
    let mut pair = Pair::new(ClientConfig::default(), ModemSettings { registration: 2, ..ModemSettings::default() });
    assert_eq!(pair.closed().to_string(), "no network: searching");
    assert!(pair.now >= Duration::from_secs(120));
}

#[test]
fn calls_are_told_of_and_hung_up_on() {
    for (calls, hung_up) in [(Calls::Reject, 1), (Calls::Report, 0)] {
        let mut pair = Pair::ready(ClientConfig { calls, ..ClientConfig::default() }, ModemSettings::default());
        pair.device.called("+447700900055", 4, pair.now);
        let from = pair.until("call", |event| match event {
            Event::Call { from } => Some(from.clone()),
            _ => None,
        });
        assert_eq!(from.as_deref(), Some("+447700900055"));
        for _ in 0..100 {
            while let Some(event) = pair.client.next_event(pair.now) {
                assert!(!matches!(event, Event::Call { .. }), "one call is told of once");
            }
            pair.step();
        }
        assert_eq!(pair.device.hung_up, hung_up);
    }
}

#[test]
fn the_network_answers_by_ussd() {
    let mut pair = Pair::ready(ClientConfig::default(), ModemSettings::default());
    let answer = |event: &Event| match event {
        Event::Ussd { asked: true, answer } => Some(answer.clone()),
        _ => None,
    };
    pair.client.ussd("*100#", pair.now).expect("a code");
    assert_eq!(pair.until("answer", answer).text, "Your balance is 10.00");
    pair.client.ussd("*999#", pair.now).expect("a code");
    assert_eq!(pair.until("answer", answer).state.as_str(), "not_supported");
    assert!(pair.client.ussd("*100#\"", pair.now).is_err());
}

#[test]
fn an_orderly_end_waits_for_what_is_under_way() {
    let settings = ModemSettings { send_delay: Duration::from_secs(3), ..ModemSettings::default() };
    let mut pair = Pair::ready(ClientConfig::default(), settings);
    pair.send("first", 1);
    while pair.device.sending.is_none() {
        while pair.client.next_event(pair.now).is_some() {}
        pair.step();
    }
    pair.client.finish(pair.now);
    assert_eq!(pair.sent(1), Some(1));
    assert_eq!(pair.closed(), CloseReason::Finished);
}
