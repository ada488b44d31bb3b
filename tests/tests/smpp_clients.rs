//! Applications made of SMPP libraries that others have written: they bind, their messages of every
//! kind go out, and they are given their receipts and what phones send.

use std::process::Command;

use scenarios::carrier::Carrier;
use scenarios::{Gateway, Place, Process, Sink, connector, peers, resources_with_smpp, skip};
use serde_json::{Value, json};
use simulator::{Mo, SmscSettings};

struct Stage {
    carrier: Carrier,
    gateway: Gateway,
    client: Process,
}

impl Stage {
    /// Starts an application whose last argument is where to bind.
    fn start(mut application: Command) -> Self {
        let carrier = Carrier::start(SmscSettings::default());
        let sink = Sink::start();
        let connector = connector("carrier", carrier.address(), "");
        let resources = resources_with_smpp(&sink, "carrier", &connector, ", incoming = \"always\"");
        let gateway = Place::new(&resources).into_gateway();
        let client = Process::start(application.arg(gateway.smpp().to_string()));
        assert_eq!(client.wait_key("bound"), 0);
        Self { carrier, gateway, client }
    }

    /// Submits a text that takes so many submit_sm, and waits until each has its answer and receipt.
    fn submit(&mut self, to: &str, text: &str, parts: usize) {
        let answers = self.client.all_of("answer").len();
        self.client.tell(&json!({ "submit": { "to": to, "text": text } }));
        let mut ids = Vec::new();
        for n in 0..parts {
            let answer = self.wait_nth("answer", answers + n);
            assert_eq!(answer["status"], 0, "{text}");
            ids.push(answer["id"].as_str().expect("an id").to_owned());
        }
        for id in ids {
            let receipt = self.client.out.wait("its receipt", |line| {
                let line: Value = serde_json::from_str(line).ok()?;
                let deliver = &line["deliver"];
                deliver["text"].as_str()?.starts_with(&format!("id:{id} ")).then(|| deliver.clone())
            });
            assert_eq!(
                (&receipt["from"], &receipt["to"], &receipt["esm_class"]),
                (&json!(to), &json!("SHOP"), &json!(4))
            );
            assert!(receipt["text"].as_str().is_some_and(|text| text.contains(" stat:DELIVRD err:000 ")), "{receipt}");
            assert_eq!(receipt["id"].as_str().map(|text| text.trim_end_matches('\0')), Some(&*id));
            assert_eq!(receipt["state"], 2);
        }
    }

    fn wait_nth(&self, key: &str, nth: usize) -> Value {
        let mut seen = 0;
        self.client.out.wait(key, |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let value = line.get(key)?;
            seen += 1;
            (seen > nth).then(|| value.clone())
        })
    }

    /// What every application can do, and the end.
    fn play(mut self) {
        self.submit("447700900001", "Plain", 1);
        self.submit("447700900002", "Привет", 1);
        self.carrier.inject_mo(&Mo::text("+447700900055", "60777", "INFO please")).expect("a short text");
        let mo = self.client.out.wait("the message from a phone", |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["deliver"]["text"] == "INFO please").then(|| line["deliver"].clone())
        });
        assert_eq!((&mo["from"], &mo["to"], &mo["esm_class"]), (&json!("447700900055"), &json!("60777"), &json!(0)));
        assert!(self.gateway.stop().success());
        assert_eq!(self.client.wait_key("unbound"), Value::Bool(true));
        assert_eq!(self.client.all_of("fault"), Vec::<Value>::new());
        let texts: Vec<String> = self.carrier.seen().iter().map(|message| message.text.to_string()).collect();
        assert!(texts.iter().any(|text| text == "Plain") && texts.iter().any(|text| text == "Привет"), "{texts:?}");
    }
}

#[test]
fn a_node_application_sends_and_receives() {
    let mut node = match peers::node("smpp") {
        Ok(node) => node,
        Err(why) => return skip(&why),
    };
    node.arg(peers::script("client.js"));
    let mut stage = Stage::start(node);
    stage.submit("447700900003", "To be asked about", 1);
    let id = stage.client.all_of("answer")[0]["id"].clone();
    stage.client.tell(&json!({ "query": id }));
    assert_eq!(stage.client.wait_key("state"), json!({ "status": 0, "state": 2 }));
    stage.play();
}

#[test]
fn a_python_application_sends_long_texts_in_parts_of_its_own() {
    let python = match peers::python("smpplib") {
        Ok(python) => python,
        Err(why) => return skip(&why),
    };
    let mut python = Command::new(python);
    python.arg(peers::script("client.py"));
    let mut stage = Stage::start(python);
    stage.submit("447700900004", &"0123456789".repeat(20), 2);
    let parts: Vec<usize> = stage.carrier.seen().iter().map(|message| message.text.len()).collect();
    assert_eq!(parts, [153, 47]);
    stage.play();
}
