//! Text mode without UCS-2: texts that look like answers and news are texts, by their lengths.

mod support;

use std::collections::HashMap;

use at::{ClientConfig, Event, Received};
use support::{Talk, usual};

const TIME: &str = "26/11/23,12:00:00+00";

/// How a modem with details (`AT+CSDH=1`) lists and reads a text: in a list there are fewer of them.
fn listed(index: u16, text: &str, length: usize) -> String {
    format!("\r\n+CMGL: {index},\"REC UNREAD\",\"+447700900055\",,\"{TIME}\",145,{length}\r\n{text}\r\n")
}

fn read(text: &str, length: usize) -> String {
    let details = format!("145,4,0,0,\"+447700900000\",145,{length}");
    format!("\r\n+CMGR: \"REC UNREAD\",\"+447700900055\",,\"{TIME}\",{details}\r\n{text}\r\n\r\nOK\r\n")
}

/// A modem in whose store these texts lie, with or without details.
fn modem(texts: &[(&str, usize)], details: bool) -> Talk {
    let mut places: HashMap<u16, (String, usize)> =
        (1..).zip(texts.iter().map(|(text, length)| ((*text).to_owned(), *length))).collect();
    Talk::new(ClientConfig::default(), move |command| {
        if command == "AT+CSDH=1" && !details {
            return Some("\r\nERROR\r\n".into());
        }
        if let Some(index) = command.strip_prefix("AT+CMGR=") {
            let (text, length) = places.get(&index.parse().expect("a place"))?;
            return Some(read(text, *length));
        }
        if let Some(index) = command.strip_prefix("AT+CMGD=") {
            places.remove(&index.parse().expect("a place"));
        }
        if command != "AT+CMGL=\"ALL\"" {
            return Some(usual(command, true));
        }
        let mut sorted: Vec<_> = places.iter().collect();
        sorted.sort();
        let bare = |index: u16, text: &str| {
            format!("\r\n+CMGL: {index},\"REC UNREAD\",\"+447700900055\",,\"{TIME}\"\r\n{text}\r\n")
        };
        let lists = sorted.into_iter().map(|(index, (text, length))| match details {
            true => listed(*index, text, *length),
            false => bare(*index, text),
        });
        Some(lists.collect::<String>() + "\r\nOK\r\n")
    })
}

/// The next text that comes in, acknowledged.
fn next(talk: &mut Talk) -> String {
    let (ack, text) = talk.until("text", |event| match event {
        Event::Received { ack, message: Received::Message(message) } => {
            assert_eq!(message.originator.to_string(), "+447700900055");
            let text = message.user_data.decode(message.coding).body;
            let sms::Body::Text(text) = text else { panic!("no text") };
            Some((*ack, text))
        }
        Event::Unreadable { reason } => panic!("{reason}"),
        _ => None,
    });
    talk.client.acknowledge(ack, talk.now);
    text
}

const LOOKALIKES: [&str; 8] = [
    "OK",
    "Are you in?\r\nOK\r\nERROR",
    "First\n+CMTI: \"SM\",9\nlast",
    "+CMGL: 3,\"REC READ\",\"+44\",,\"26/11/23,12:00:00+00\",145,2",
    "One\r\n\r\n+CMS ERROR: 38\r\nRING",
    "RING",
    "a\r\n\r\nb",
    "plain",
];

#[test]
fn texts_that_look_like_answers_are_texts() {
    // Some count a line's end as one character, though they write two.
    let as_written = LOOKALIKES.map(|text| (text, text.chars().count()));
    let one_each = LOOKALIKES.map(|text| (text, text.replace("\r\n", "\n").chars().count()));
    for (texts, ends) in [(as_written, "\r\n"), (one_each, "\n")] {
        let mut talk = modem(&texts, true);
        for text in LOOKALIKES {
            assert_eq!(next(&mut talk), text.replace("\r\n", ends));
        }
        talk.until_asked("AT+CMGD=8");
        assert!(talk.asked.iter().all(|asked| !asked.starts_with("AT+CMGR=9")), "there is nothing at 9");
        assert!(!talk.events.iter().any(|event| matches!(event, Event::Call { .. })));
    }
}

#[test]
fn a_length_that_fits_nothing_costs_a_moment_and_no_text() {
    // Octets of UCS-2, perhaps; and one that is too small.
    let wrong = [("Hello", 10), ("Hello", 300), ("there", 2), ("one\r\ntwo", 100), ("Привет", 12), ("Hi", 4)];
    let mut talk = modem(&wrong, true);
    for (text, _) in wrong {
        assert_eq!(next(&mut talk), text.replace('\r', ""));
    }
    talk.until_asked("AT+CMGD=6");
    assert_eq!(talk.asked.iter().filter(|asked| *asked == "AT").count(), 1, "no answer was missed");
}

#[test]
fn without_lengths_an_answer_is_over_when_nothing_follows() {
    let texts = ["OK", "Are you in?\r\nOK\r\nbye", "plain", "ERROR\r\nOK"];
    let mut talk = modem(&texts.map(|text| (text, 0)), false);
    for text in texts {
        assert_eq!(next(&mut talk), text.replace("\r\n", "\n"));
    }
    talk.until_asked("AT+CMGD=4");
}

#[test]
fn what_comes_directly_has_a_length_too() {
    let mut talk = modem(&[], true);
    talk.ready();
    let text = "Are you in?\r\nOK\r\n+CMTI: \"SM\",3\r\nbye";
    let head =
        |length: usize| format!("\r\n+CMT: \"+447700900055\",,\"{TIME}\",145,4,0,0,\"+447700900000\",145,{length}\r\n");
    talk.say(&format!("{}{text}\r\n\r\nRING\r\n", head(text.chars().count())));
    assert_eq!(next(&mut talk), text);
    talk.until("call", |event| matches!(event, Event::Call { .. }).then_some(()));
    // One that counts otherwise: what follows is what it looks like.
    talk.say(&format!("{}Hello\r\n\r\n+CMTI: \"SM\",7\r\n", head(40)));
    assert_eq!(next(&mut talk), "Hello");
    talk.until_asked("AT+CMGR=7");
    // One that tells no length.
    talk.say(&format!("\r\n+CMT: \"+447700900055\",,\"{TIME}\"\r\nHello again\r\n\r\n+CMTI: \"SM\",8\r\n"));
    assert_eq!(next(&mut talk), "Hello again");
    talk.until_asked("AT+CMGR=8");
}

#[test]
fn how_a_text_is_coded_is_asked_where_a_list_does_not_say() {
    let mut talk = Talk::new(ClientConfig::default(), |command| {
        Some(match command {
            "AT+CMGL=\"ALL\"" => listed(1, "041F0440", 4) + "\r\nOK\r\n",
            "AT+CMGR=1" => read("041F0440", 4).replace("145,4,0,0", "145,4,0,8"),
            _ => usual(command, true),
        })
    });
    assert_eq!(next(&mut talk), "Пр");
}
