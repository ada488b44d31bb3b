//! What modems have done to us, each once: late answers, prompts that come too late, PINs that nobody answered for.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use at::{ClientConfig, CloseReason, Event, Failure, Pin};
use sms::tpdu::{Address, Submit, UserData};
use support::{Talk, usual};

fn message() -> Submit {
    Submit::new(Address::number("+447700900123").unwrap(), 0, UserData::gsm7(&[], b"hello").unwrap())
}

#[test]
fn answers_that_come_late_are_not_taken_for_those_to_what_is_asked_next() {
    let (mut lists, mut calls) = (0, 0);
    let mut talk = Talk::new(ClientConfig::default(), move |command| {
        // It says nothing to a look into the store, nor to the first call after it.
        (lists, calls) = (lists + u32::from(command == "AT+CMGL=4"), calls + u32::from(lists > 0 && command == "AT"));
        (lists == 1 && calls < 2).then(String::new)
    });
    talk.ready();
    for _ in 0..2 {
        talk.until_asked("AT");
    }
    assert_eq!(talk.client.next_event(talk.now), None);
    // It has answered the second call; the others are answered now, with what may have been written since.
    for _ in 0..2 {
        talk.say("\r\nOK\r\n");
        assert_eq!(talk.client.next_event(talk.now), None);
    }
    talk.until_asked("AT+CREG=1");
    let status = talk.client.status();
    assert_eq!((status.maker.as_deref(), status.model.as_deref()), (Some("Maker"), Some("Model")));
    assert_eq!(status.imei.as_deref(), Some("490154203237518"));
}

/// What is written after `AT+CMGS`, if the modem answers that so and says no more about it; and how the message ends.
fn after_announcement(answer: &'static str) -> (Vec<u8>, Event) {
    let mut announced = false;
    let mut talk = Talk::new(ClientConfig::default(), move |command| {
        let first = command.starts_with("AT+CMGS") && !std::mem::replace(&mut announced, true);
        first.then(|| answer.to_owned())
    });
    talk.ready();
    talk.client.send(&message(), false, 1, talk.now).unwrap();
    talk.until_asked("AT+CMGS=18");
    let before = talk.written.len();
    let ended = talk.until("end of the message", |event| {
        matches!(event, Event::Refused { token: 1, .. } | Event::Unsent { token: 1 }).then(|| event.clone())
    });
    talk.until_asked("AT+CSQ");
    (talk.written.split_off(before), ended)
}

#[test]
fn a_prompt_that_does_not_come_is_ended_before_anything_else_is_typed() {
    let refused = Event::Refused { token: 1, failure: Failure::Plain };
    for (answer, end) in [
        ("\r\nOK\r\n", refused.clone()),
        ("\r\nERROR\r\n", refused),
        // Nothing at all, and so it goes again.
        ("", Event::Unsent { token: 1 }),
    ] {
        let (written, ended) = after_announcement(answer);
        assert_eq!((ended, written.first()), (end, Some(&0x1B)), "after {answer:?}");
    }
}

/// A modem whose SIM wants a PIN, and that answers to it so.
fn locked(answer: &'static str) -> Talk {
    let config = ClientConfig { pin: Pin::new("4321"), ..ClientConfig::default() };
    Talk::new(config, move |command| {
        Some(match command {
            "AT+CPIN?" => "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n".into(),
            pin if pin.starts_with("AT+CPIN=") => answer.into(),
            _ => return None,
        })
    })
}

fn entered(talk: &Talk) -> usize {
    talk.asked.iter().filter(|asked| asked.starts_with("AT+CPIN=")).count()
}

fn ended(talk: &mut Talk) -> CloseReason {
    talk.until("end", |event| match event {
        Event::Closed(reason) => Some(reason.clone()),
        _ => None,
    })
}

#[test]
fn a_pin_that_nobody_answered_for_counts_as_refused() {
    for answer in ["\r\n+CME ERROR: 16\r\n", ""] {
        let mut talk = locked(answer);
        assert!(matches!(ended(&mut talk), CloseReason::Sim(_)));
        assert_eq!((talk.events.iter().filter(|event| **event == Event::PinRefused).count(), entered(&talk)), (1, 1));
    }
    // The line breaks, or an end is wanted, before the answer.
    for breaks in [true, false] {
        let mut talk = locked("");
        talk.until_asked("AT+CPIN=\"4321\"");
        assert!(!format!("{:?}", talk.client).contains("4321"), "a log may show it");
        if breaks {
            talk.client.transport_closed();
        } else {
            talk.client.finish(talk.now);
        }
        ended(&mut talk);
        assert!(talk.events.contains(&Event::PinRefused), "{:?}", talk.events);
    }
}

#[test]
fn a_modem_that_starts_anew_gets_its_pin_once_in_a_session() {
    let locked = Rc::new(RefCell::new(true));
    let sim = locked.clone();
    let config = ClientConfig { pin: Pin::new("4321"), ..ClientConfig::default() };
    let mut talk = Talk::new(config, move |command| {
        Some(match command {
            "AT+CPIN?" if *sim.borrow() => "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n".into(),
            "AT+CPIN=\"4321\"" => {
                sim.replace(false);
                "\r\nOK\r\n".into()
            }
            _ => return None,
        })
    });
    talk.ready();
    locked.replace(true);
    talk.say("\r\nRDY\r\n");
    assert!(matches!(ended(&mut talk), CloseReason::Sim(why) if why.contains("still wants its PIN")));
    assert_eq!(entered(&talk), 1);
    assert!(!talk.events.contains(&Event::PinRefused), "it was right: another session may enter it");
}

#[test]
fn commands_of_the_user_s_come_first_and_last() {
    let config = ClientConfig {
        init: vec!["ATZ".into(), "AT^CURC=0".into()],
        init_last: vec!["AT+CNMI=2,1,0,2,0".into()],
        status: Duration::from_secs(1),
        ..ClientConfig::default()
    };
    let mut talk = Talk::new(config, |command| Some(usual(command, false)));
    talk.ready();
    let at = |command: &str| talk.asked.iter().position(|asked| asked.starts_with(command)).unwrap_or(usize::MAX);
    let last = |command: &str| talk.asked.iter().rposition(|asked| asked.starts_with(command)).unwrap_or(usize::MAX);
    // What was set back is set again, and messages are set up after that.
    assert!(at("ATZ") < at("AT^CURC=0") && at("AT^CURC=0") < last("ATE0"), "{:?}", talk.asked);
    assert!(last("ATE0") < last("AT+CMEE=1") && last("AT+CMEE=1") < at("AT+CMGF=0"), "{:?}", talk.asked);
    assert_eq!((last("AT+CNMI="), last("AT+CREG=1") + 1), (last("AT+CNMI=2,1,0,2,0"), last("AT+CNMI=2,1,0,2,0")));
    assert!(last("AT+CNMI=") < at("AT+CREG?"), "{:?}", talk.asked);
    // Nor is it undone later.
    for _ in 0..3 {
        talk.until_asked("AT+CSQ");
    }
    let last = talk.asked.iter().rfind(|asked| asked.starts_with("AT+CNMI=")).unwrap();
    assert_eq!(last, "AT+CNMI=2,1,0,2,0");
}
