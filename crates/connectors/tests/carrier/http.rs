//! The same over the HTTP APIs of providers: every preset against a simulator of its API.

use std::time::Duration;

use engine::dispatch::SessionState;
use model::Status;
use simulator::{HttpApi, HttpProvider, HttpProviderSettings};

use crate::bench::{Bench, is_bound};

fn settings(api: HttpApi) -> HttpProviderSettings {
    HttpProviderSettings::new(api)
}

/// A gateway whose connector has the preset of this API.
async fn start(settings: HttpProviderSettings, beside: &str) -> Bench<HttpProvider> {
    let (name, _) = HttpApi::ALL.iter().find(|(_, api)| *api == settings.api).unwrap();
    let values = r#""values":{"service_code":"60777"}"#;
    // Those whose interface has no place for the address of receipts are given one here.
    let own = match settings.api {
        HttpApi::Get => r#","answer":{"id":"regex:(.+)"}"#,
        HttpApi::MtnV2 => {
            r#","poll":[{"every_seconds":1,"request":{"path":"/v2/messages/sms/inbound/registrations/1/messages"}}]"#
        }
        _ => "",
    };
    Bench::start_http(settings, &format!(r#""preset":"{name}",{values}{own}"#), beside).await
}

#[tokio::test]
async fn every_preset_sends_and_hears_what_became_of_it() {
    for (name, api) in HttpApi::ALL {
        // Receipts of these are asked for, or there are none.
        let asked = matches!(api, HttpApi::MtnV2);
        let beside = if asked { r#""query_after_seconds":1"# } else { "" };
        let bench = start(settings(api), beside).await;
        bench.until_states(|states| states.iter().any(is_bound)).await;
        if matches!(api, HttpApi::MtnV3 | HttpApi::Android) {
            // The provider knows where to call when it was told.
            bench.until_counted(|counters| counters.inquiries >= 2).await;
        }
        let id =
            bench.submit(r#"{"to":"+447700900123","from":"447700900999","text":"hello & good-bye, \"Ψ\" <é>"}"#).await;
        let told = !matches!(api, HttpApi::Ozeki | HttpApi::Get);
        let message = bench.until(id, if told { Status::Delivered } else { Status::Sent }).await;
        let [seen] = &bench.smsc.seen()[..] else { panic!("{name}: not one message") };
        assert_eq!(seen.to.trim_start_matches('+'), "447700900123", "{name}");
        assert_eq!(
            seen.from.trim_start_matches('+'),
            "447700900999".repeat(usize::from(api != HttpApi::Android)),
            "{name}"
        );
        let text = match api {
            // GSM 7-bit (3GPP 23.038 §6.2.1), a septet an octet: Ψ is 17, é is 05.
            HttpApi::Jasmin => "68656c6c6f202620676f6f642d6279652c20221722203c053e".to_owned(),
            _ => "hello & good-bye, \"Ψ\" <é>".to_owned(),
        };
        assert_eq!(*seen.text, text, "{name}");
        let remote_id = message.progress.parts[0].remote_id.clone().unwrap_or_default();
        match api {
            HttpApi::MtnV3 | HttpApi::Kannel => assert_eq!(*remote_id, id.0.simple().to_string(), "{name}"),
            _ => assert_eq!(remote_id, seen.id, "{name}"),
        }
        assert!(bench.smsc.inject_mo("+447700900123", "60777", "hi & <you>"), "{name}");
        bench.until_counted(|counters| counters.mo_acked == 1).await;
        let [mo] = &bench.until_received().await[..] else { panic!("{name}: not one message from a phone") };
        assert_eq!(mo.body.content.text(), Some("hi & <you>"), "{name}");
        assert_eq!((mo.body.from.as_str(), mo.body.to.as_str()), ("+447700900123", "60777"), "{name}");
        bench.stop().await.stop().await;
    }
}

#[tokio::test]
async fn long_texts_go_whole() {
    let bench = start(settings(HttpApi::Twilio), "").await;
    let text = "Ψ".repeat(300);
    let id = bench.text(&text).await;
    let message = bench.until(id, Status::Delivered).await;
    assert_eq!((message.progress.parts.len(), &*bench.smsc.seen()[0].text), (1, &*text));
}

#[tokio::test]
async fn what_is_not_delivered_says_why() {
    for (name, api) in HttpApi::ALL {
        if matches!(api, HttpApi::Ozeki | HttpApi::Get | HttpApi::MtnV2) {
            continue;
        }
        let bench = start(HttpProviderSettings { undelivered: 1.0, ..settings(api) }, "").await;
        let id = bench.text("nobody there").await;
        let reason = bench.until(id, Status::Undelivered).await.progress.reason.unwrap();
        assert!(reason.permanent && reason.receipt_stat.is_some(), "{name}");
    }
}

#[tokio::test]
async fn refusals_end_messages_and_busy_providers_are_asked_again() {
    for (name, api) in HttpApi::ALL {
        let bench = start(HttpProviderSettings { fail: 1.0, ..settings(api) }, "").await;
        let id = bench.text("refused").await;
        let reason = bench.until(id, Status::Rejected).await.progress.reason.unwrap();
        assert_eq!((&*reason.code, reason.permanent), ("carrier_refused", true), "{name}");
        bench.smsc.change(|settings| (settings.fail, settings.throttle) = (0.0, Some(0)));
        let id = bench.text("busy").await;
        bench.until_counted(|counters| counters.throttled >= 1).await;
        bench.smsc.change(|settings| settings.throttle = None);
        bench.until(id, Status::Sent).await;
        let seen = bench.smsc.seen();
        assert_eq!(seen.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn who_is_not_known_loses_nothing() {
    for (name, api) in HttpApi::ALL {
        let bench = start(HttpProviderSettings { password: "other".into(), ..settings(api) }, "").await;
        let id = bench.text("wait").await;
        bench.until_counted(|counters| counters.binds_refused + counters.inquiries >= 1).await;
        let is_down = |state: &SessionState| matches!(state, SessionState::Down { retry_at: Some(_), .. });
        if matches!(api, HttpApi::Ozeki) {
            // It says so with a status of 200, as of any other refusal.
            continue;
        }
        bench.until_states(|states| states.iter().any(is_down)).await;
        let message = bench.until(id, Status::Queued).await;
        assert_eq!(message.progress.attempts, 0, "{name}");
    }
}

#[tokio::test]
async fn batches_are_answered_one_by_one() {
    let resp_delay = (Duration::from_millis(20), Duration::from_millis(20));
    let bench = start(HttpProviderSettings { resp_delay, ..settings(HttpApi::Infobip) }, r#""window":2"#).await;
    let ids = bench.texts(300).await;
    bench.until_all(&ids, Status::Delivered).await;
    let counters = bench.smsc.counters();
    assert_eq!((counters.accepted, counters.distinct, counters.duplicates), (300, 300, 0));
    assert!(counters.responses < 150, "{counters:?}");
}

#[tokio::test]
async fn connections_are_kept() {
    let bench = start(settings(HttpApi::Telnyx), r#""window":4"#).await;
    let ids = bench.texts(200).await;
    bench.until_all(&ids, Status::Delivered).await;
    assert!(bench.smsc.counters().connections <= 8, "{:?}", bench.smsc.counters());
}

#[tokio::test]
async fn what_was_not_answered_is_in_doubt() {
    let lost = HttpProviderSettings { close_after: Some(1), ..settings(HttpApi::Twilio) };
    let bench = start(lost, "").await;
    let id = bench.text("twice").await;
    bench.until(id, Status::Delivered).await;
    assert_eq!(bench.smsc.counters().duplicates, 1, "it was taken, and sent again");
    let lost = HttpProviderSettings { close_after: Some(1), ..settings(HttpApi::Twilio) };
    let bench = start(lost, r#""in_doubt":"fail""#).await;
    let id = bench.text("once").await;
    bench.until_counted(|counters| counters.accepted == 1).await;
    // Its receipt tells what became of it.
    bench.until(id, Status::Unknown).await;
    let next = bench.text("next").await;
    bench.until(next, Status::Delivered).await;
    assert_eq!(bench.smsc.counters().duplicates, 0);
}

#[tokio::test]
async fn silence_ends_in_doubt_too() {
    let silent = HttpProviderSettings { drop: 1.0, ..settings(HttpApi::Sinch) };
    let bench = start(silent, r#""response_timeout_seconds":1"#).await;
    let id = bench.text("again").await;
    bench.until_counted(|counters| counters.dropped >= 1).await;
    bench.smsc.change(|settings| settings.drop = 0.0);
    bench.until(id, Status::Delivered).await;
}
