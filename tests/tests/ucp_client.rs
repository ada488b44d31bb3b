//! An application made of somebody else's UCP library, on the gateway's server.

use std::process::Command;

use scenarios::carrier::Carrier;
use scenarios::{Place, Process, Sink, command, connector, peers, resources, skip};
use serde_json::{Value, json};
use simulator::{Mo, MoContent, MoForm, SmscSettings};

#[test]
fn a_python_application_sends_and_is_told() {
    let python = match peers::python("ucp") {
        Ok(python) => python,
        Err(why) => return skip(&why),
    };
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let login = "ucp = { user = \"60777\", password = \"secret\", incoming = \"always\" }\ndefault_country";
    let connector = connector("carrier", carrier.address(), "");
    let place = Place::new(&resources(&sink, "carrier", &connector).replacen("default_country", login, 1));
    let mut gateway = place.start_with(command().env("POSTRIDER_UCP__LISTEN", r#"["127.0.0.1:0"]"#));
    let script = peers::script("ucp_client.py");
    let mut application = Process::start(Command::new(python).arg(script).arg(gateway.ucp().to_string()));
    let told = |application: &Process, what: &str, ot: u64| -> Value {
        application.out.wait(what, |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let of = line.get(what)?;
            (of["ot"] == ot).then(|| of.clone())
        })
    };
    assert_eq!(told(&application, "answer", 60)["ack"], "A");
    application.tell(&json!({ "from": "60777", "to": "447700900123", "text": "Gr\u{fc}\u{df}e {\u{20ac}}" }));
    let answer = told(&application, "answer", 51);
    assert_eq!(answer["ack"], "A", "{answer}");
    let note = told(&application, "operation", 53);
    let name = format!("447700900123:{}", note["scts"].as_str().expect("a time stamp"));
    assert_eq!((&answer["sm"], &note["from"], &note["dst"]), (&name.into(), &"447700900123".into(), &"0".into()));
    assert_eq!(&*carrier.seen()[0].text, "Grüße {€}");

    let content = MoContent::Text { text: "Danke".into(), form: MoForm::Udh, reference: 1 };
    let mo = Mo { from: "+447700900055".into(), to: "60777".into(), content, system_id: None };
    carrier.inject_mo(&mo).expect("it can be sent");
    let message = told(&application, "operation", 52);
    assert_eq!((&message["from"], &message["text"]), (&"447700900055".into(), &"Danke".into()), "{message}");
    assert!(gateway.stop().success());
}
