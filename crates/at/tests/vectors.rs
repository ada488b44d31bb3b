//! What real modems were recorded to answer, and what four programs really sent.

use std::time::Duration;

use at::{Client, ClientConfig, Event, ModemLine, Request, read_ussd};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/at_transcripts.json")).expect("JSON")
}

fn lines(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|line| line.as_str().map(str::to_owned)).collect()
}

#[test]
fn ussd_answers_of_real_modems_are_read() {
    let vectors = vectors();
    let answers = vectors["device_answers"].as_array().expect("a list").iter();
    let mut read = 0;
    for answer in answers.filter(|answer| answer["source"].as_str().is_some_and(|source| source.contains("ussd"))) {
        let raw = answer["raw_text"].as_str().expect("a text");
        let said = read_ussd(raw.trim_start_matches("+CUSD:").trim_end_matches('\n'), false);
        let expected = &answer["expected"];
        if let Some(text) = expected["text"].as_str() {
            assert_eq!(said.text, text);
        }
        if let Some(text) = expected["text_until_NUL"].as_str() {
            let begin = text.trim_end_matches(" ...");
            assert!(said.text.starts_with(begin) && !said.text.contains('\u{FFFF}'), "{said:?}");
        }
        assert!(!said.text.is_empty());
        read += 1;
    }
    assert_eq!(read, 5);
}

#[test]
fn dialogues_of_ussd_have_one_answer() {
    let vectors = vectors();
    let mut read = 0;
    for vector in vectors["field_meanings"].as_array().expect("a list") {
        let Some(state) = vector["session_n"].as_u64() else { continue };
        let meaning = vector["meaning"].as_str().expect("a text");
        // "Initiating Release" is what this network says; it is an answer as good as any, and comes first.
        if meaning.starts_with("answer before OK") {
            continue;
        }
        let all = lines(&vector["lines"]);
        let answers = all.iter().filter_map(|line| line.strip_prefix("+CUSD:"));
        let said: Vec<_> = answers.map(|text| read_ussd(text, false)).collect();
        let last = said.last().expect("an answer");
        if !meaning.starts_with('(') && !meaning.starts_with("n=3") {
            assert_eq!(last.text, meaning);
        }
        let words = ["done", "reply_expected", "ended"];
        assert_eq!(last.state.as_str(), words[usize::try_from(state).unwrap()]);
        read += 1;
    }
    assert_eq!(read, 6);
}

/// A modem that answers as it was recorded, OK to what is not in the record but has to work, ERROR to the rest.
fn answer(profile: &Value, command: &str) -> Vec<String> {
    let recorded = lines(&profile["answers"][command]);
    if !recorded.is_empty() {
        return recorded;
    }
    let ok = ["AT", "ATE0", "ATQ0V1", "AT+CMEE=1", "AT+CMGF=0", "AT+CLIP=1", "AT+CREG=1", "AT+CMGL=4"];
    let said = match command {
        "AT+CREG?" => "+CREG: 0,1\r\nOK",
        "AT+CSQ" => "+CSQ: 17,0\r\nOK",
        "AT+CFUN?" => "+CFUN: 1\r\nOK",
        known if ok.contains(&known) || known.starts_with("AT+CPMS=\"") => "OK",
        _ => "ERROR",
    };
    vec![format!("{said}\r\n")]
}

#[test]
fn every_recorded_modem_is_set_up() {
    let vectors = vectors();
    let profiles = vectors["modem_profiles"].as_array().expect("a list");
    for profile in profiles {
        let (mut now, mut client) = (Duration::ZERO, Client::new(ClientConfig::default(), Duration::ZERO));
        let mut line = ModemLine::new();
        line.set_echo(false);
        let mut ready = false;
        for _ in 0..400 {
            while let Some(event) = client.next_event(now) {
                ready |= event == Event::Ready;
                assert!(!matches!(event, Event::Closed(_)), "{}: {event:?}", profile["modem"]);
            }
            if ready {
                break;
            }
            line.receive(client.output());
            client.consume_output(client.output().len());
            let mut said = String::new();
            while let Some(Request::Command(command)) = line.next_request() {
                said.extend(answer(profile, &command));
            }
            if said.is_empty() {
                now = client.next_deadline().expect("it waits for something");
            } else {
                client.receive(said.as_bytes());
            }
        }
        assert!(ready, "{} was not set up: {:?}", profile["modem"], client.status());
        let maker = profile["answers"]["AT+CGMI"][0].as_str().unwrap_or_default().trim();
        assert_eq!(client.status().maker.as_deref(), Some(maker), "{}", profile["modem"]);
        // The ZTE answers the state of its SIM with the signal of its radio here and there; the IMEI is always there.
        assert!(client.status().imei.is_some(), "{}", profile["modem"]);
    }
    assert_eq!(profiles.len(), 6);
}

#[test]
fn what_other_programs_send_is_read_as_they_meant_it() {
    let vectors = vectors();
    for sequence in vectors["observed_client_sequences"].as_array().expect("a list") {
        let mut line = ModemLine::new();
        for step in sequence["lines"].as_array().expect("a list") {
            if step["dir"] != "to-modem" {
                continue;
            }
            if let Some(body) = step["body"].as_str() {
                line.prompt();
                line.receive(body.as_bytes());
                line.receive(b"\x1A");
                assert_eq!(line.next_request(), Some(Request::Text(body.as_bytes().to_vec())));
            } else if let Some(text) = step["text"].as_str() {
                line.receive(text.as_bytes());
                line.receive(b"\r");
                let expected = text.starts_with("AT").then(|| Request::Command(text.trim_end().to_owned()));
                assert_eq!(line.next_request(), expected, "{text:?}");
            }
        }
    }
}
