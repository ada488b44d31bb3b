//! An operator's own service that is asked about messages before they are routed.

use std::net::TcpListener;

use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, Place, SECRET, Sink, ask_until, command, connector, resources_with_smpp};
use serde_json::{Value, json};
use simulator::SmscSettings;

/// What a number is known for, by its end.
fn verdict(question: &Value) -> Value {
    match question["to"].as_str().and_then(|to| to.get(to.len() - 3..)) {
        Some("001") => json!({ "network": "23415", "tags": { "ported": "yes" } }),
        Some("002") => json!({ "decision": "reject", "reason": "on the list" }),
        Some("003") => json!({ "to": "+447700900999", "from": "60777" }),
        Some("004") => json!({ "route": "special" }),
        Some("005") => json!({ "netwrok": "23415" }),
        Some("006") => json!({ "route": "nowhere" }),
        _ => Value::Null,
    }
}

fn service() -> Sink {
    Sink::answering(|call| {
        let verdict = verdict(&serde_json::from_str(&call.body).unwrap_or_default());
        (String::new(), if verdict.is_null() { String::new() } else { verdict.to_string() })
    })
}

/// How often the service was asked about a number.
fn asked(service: &Sink, number: &str) -> usize {
    service.look(|seen| seen.calls.iter().filter(|call| call.body.contains(number)).count())
}

/// A place whose account has this policy: routes for a network, for who is told to, and for all others.
fn place(sink: &Sink, carriers: [&Carrier; 3], policy: &str) -> Place {
    let [usual, network, special] = carriers;
    let connectors = [("carrier", usual), ("network", network), ("special", special)];
    let connectors: String = connectors.iter().map(|(id, carrier)| connector(id, carrier.address(), "")).collect();
    let routes = "[[route]]\nid = \"network\"\nto = \"network\"\nmatch = { network = [\"23415\"] }\n\n\
                  [[route]]\nid = \"special\"\nto = \"special\"\nmatch = { account = [\"nobody\"] }\n\n\
                  [[account]]\nid = \"nobody\"\n";
    let text = resources_with_smpp(sink, "carrier", &format!("{connectors}{routes}"), "");
    let more =
        format!("policy = {{ {policy} }}\ncompat = {{ username = \"user\", password = \"pass\" }}\ndefault_sender");
    Place::new(&text.replacen("default_sender", &more, 1))
}

fn start(place: &Place) -> Gateway {
    place.start_with(command().env("POSTRIDER_KANNEL__ON_HTTP", "true"))
}

fn send(client: &mut Client, to: &str) -> (u16, Value) {
    let answer = client.post("/v1/messages", &json!({ "to": to, "text": "hello", "tags": { "kind": "otp" } }));
    (answer.status, answer.json())
}

#[test]
fn what_the_service_decides_is_what_happens() {
    let carriers = [(); 3].map(|()| Carrier::start(SmscSettings::default()));
    let (sink, service) = (Sink::start(), service());
    let policy = format!("url = \"{}\", secret = \"{SECRET}\", timeout_ms = 5000", service.url());
    let gateway = start(&place(&sink, carriers.each_ref(), &policy));
    let mut client = gateway.client();

    let (status, message) = send(&mut client, "+447700900001");
    assert_eq!((status, &message["connector"], &message["network"]), (202, &"network".into(), &"23415".into()));
    assert_eq!(message["tags"], json!({ "kind": "otp", "ported": "yes" }));
    let id = message["id"].as_str().expect("an id").to_owned();
    sink.wait_event(&id, "message.delivered");
    let events = client.get(&format!("/v1/messages/{id}/events")).json();
    let decided =
        events["data"].as_array().and_then(|all| all.iter().find(|event| event["event"] == "decided")).cloned();
    assert_eq!(decided.expect("it is told")["detail"], "network 23415, tag ported=yes");
    let call = service.look(|seen| seen.calls[0].clone());
    assert!(call.headers["webhook-signature"].starts_with("v1,"), "{call:?}");
    let question: Value = serde_json::from_str(&call.body).expect("JSON");
    assert_eq!(
        question,
        json!({
            "type": "message.routing", "account": "shop", "to": "+447700900001", "from": "SHOP", "ingress": "http",
            "encoding": "gsm7", "parts": 1, "priority": 1, "class": null, "send_at": null, "tags": { "kind": "otp" },
        })
    );

    let (status, problem) = send(&mut client, "+447700900002");
    assert_eq!((status, &problem["code"]), (422, &"policy_rejects".into()));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with(": on the list")), "{problem}");

    let (_, message) = send(&mut client, "+447700900003");
    // The application goes on finding its message by what it asked for.
    assert_eq!((&message["to"], &message["from"]), (&"+447700900003".into(), &"SHOP".into()));
    assert_eq!(message["sent_as"], json!({ "to": "+447700900999", "from": "60777" }));
    let id = message["id"].as_str().expect("an id");
    sink.wait_event(id, "message.delivered");
    let taken = carriers[0].seen().pop().expect("it was sent");
    assert_eq!((&*taken.destination.2, &*taken.source.2), ("447700900999", "60777"));
    let (_, message) = send(&mut client, "+447700900004");
    assert_eq!((&message["connector"], &message["route"]), (&"special".into(), &"special".into()));
    // What the service says amiss is its own fault: the message goes on as if nobody had been asked.
    for to in ["+447700900005", "+447700900006", "+447700900007"] {
        let (status, message) = send(&mut client, to);
        assert_eq!((status, &message["connector"]), (202, &"carrier".into()), "{to}");
    }
    // Nobody is asked about what is refused anyway.
    assert_eq!(client.post("/v1/messages", &json!({ "to": "nonsense", "text": "x" })).status, 422);

    let batch: Vec<Value> = (0..100).map(|n| json!({ "to": format!("+44770090{:04}", n % 3), "text": "x" })).collect();
    let answer = client.post("/v1/batches", &json!({ "messages": batch })).json();
    assert_eq!((&answer["accepted"], answer["rejected"].as_array().map(Vec::len)), (&json!(67), Some(33)), "{answer}");

    let kannel = |to: &str| format!("/cgi-bin/sendsms?username=user&password=pass&to={to}&text=x");
    assert_eq!(client.get(&kannel("447700900002")).body, "Not routable. Do not try again.");
    assert_eq!(client.get(&kannel("447700900001")).status, 202);
    let metrics = client.get("/metrics").body;
    for series in [
        r#"postrider_policy_questions_total{account="shop",outcome="rejected"} 35"#,
        r#"postrider_policy_questions_total{account="shop",outcome="failed"} 2"#,
        r#"postrider_policy_call_duration_seconds_count{account="shop"} "#,
    ] {
        assert!(metrics.contains(series), "{series} in\n{metrics}");
    }

    let explain = |client: &mut Client, to: &str, ask: bool| {
        client.post("/v1/explain", &json!({ "to": to, "text": "x", "ask": ask })).json()
    };
    let before = asked(&service, "+447700900001");
    let dry = explain(&mut client, "+447700900001", false);
    assert_eq!((&dry["policy"]["outcome"], &dry["message"]["connector"]), (&"not_asked".into(), &"carrier".into()));
    assert_eq!(asked(&service, "+447700900001"), before);
    let real = explain(&mut client, "+447700900001", true);
    assert_eq!((&real["policy"]["outcome"], &real["message"]["connector"]), (&"allowed".into(), &"network".into()));
    assert_eq!(real["policy"]["detail"], "network 23415, tag ported=yes");
    assert_eq!(explain(&mut client, "+447700900002", true)["problem"]["code"], "policy_rejects");
    let failed = explain(&mut client, "+447700900006", true);
    assert!(failed["policy"]["detail"].as_str().is_some_and(|why| why.contains("nowhere")), "{failed}");
}

#[test]
fn an_answer_holds_for_its_recipient_while_it_is_kept() {
    let carriers = [(); 3].map(|()| Carrier::start(SmscSettings::default()));
    let (sink, service) = (Sink::start(), service());
    let policy = format!("url = \"{}\", timeout_ms = 5000, cache_seconds = 3600, send_text = true", service.url());
    let gateway = start(&place(&sink, carriers.each_ref(), &policy));
    let mut client = gateway.client();
    for _ in 0..5 {
        let (_, message) = send(&mut client, "+447700900001");
        assert_eq!(message["network"], "23415");
        assert_eq!(send(&mut client, "+447700900002").0, 422);
    }
    assert_eq!((asked(&service, "+447700900001"), asked(&service, "+447700900002")), (1, 1));
    assert!(service.look(|seen| seen.calls.iter().all(|call| call.body.contains(r#""text":"hello""#))));
    let metrics = client.get("/metrics").body;
    assert!(metrics.contains(r#"postrider_policy_questions_total{account="shop",outcome="cached"} 8"#), "{metrics}");
}

#[test]
fn a_service_that_is_gone_holds_nobody_up() {
    let carriers = [(); 3].map(|()| Carrier::start(SmscSettings::default()));
    let sink = Sink::start();
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("it is bound"));
    let place = place(&sink, carriers.each_ref(), &format!("url = \"{url}\", timeout_ms = 20"));
    let gateway = start(&place);
    let mut client = gateway.client();
    for _ in 0..20 {
        let (status, message) = send(&mut client, "+447700900001");
        assert_eq!((status, &message["connector"]), (202, &"carrier".into()));
    }
    let skipped = |client: &mut Client| {
        let metrics = client.get("/metrics").body;
        let line =
            metrics.lines().find(|line| line.contains(r#"policy_questions_total{account="shop",outcome="skipped"}"#));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u32>().ok()).unwrap_or_default()
    };
    assert!(skipped(&mut client) > 0, "what fails again and again is not waited for");
    drop(gateway);

    let text = std::fs::read_to_string(place.resources()).expect("it is there");
    place.write_resources(&text.replace("timeout_ms = 20", "timeout_ms = 20, on_failure = \"reject\""));
    let gateway = start(&place);
    let mut client = gateway.client();
    let answer = client.post("/v1/messages", &json!({ "to": "+447700900001", "text": "hello" }));
    assert_eq!((answer.status, &answer.json()["code"]), (503, &"policy_unavailable".into()));
    assert!(answer.header("retry-after").is_some());

    // When it is back, it is found again.
    let service = service();
    place.write_resources(&text.replace(&url, &service.url()).replace("timeout_ms = 20", "timeout_ms = 5000"));
    gateway.signal(rustix::process::Signal::HUP);
    ask_until("answers", || (send(&mut client, "+447700900001").1["network"] == "23415").then_some(()));
}

#[test]
fn smpp_is_asked_about_too() {
    let carriers = [(); 3].map(|()| Carrier::start(SmscSettings::default()));
    let (sink, service) = (Sink::start(), Sink::start());
    let gateway = start(&place(&sink, carriers.each_ref(), &format!("url = \"{}\", timeout_ms = 5000", service.url())));
    let mut load = command();
    load.args(["bench", "smpp", "--system-id", "shop", "--password", "secret", "--messages", "20"]);
    let output = load.arg("--address").arg(gateway.smpp().to_string()).output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    assert!(
        service.look(|seen| seen.calls.iter().filter(|call| call.body.contains(r#""ingress":"smpp""#)).count()) >= 20
    );
}
