//! What applications say of their messages beside the text reaches the carrier: over SMPP from
//! libraries that others have written, and over HTTP.

use std::process::Command;

use scenarios::carrier::Carrier;
use scenarios::{Gateway, Place, Process, Sink, connector, peers, resources_with_smpp, skip};
use serde_json::{Value, json};
use simulator::{SeenMessage, SmscSettings};

struct Stage {
    carrier: Carrier,
    gateway: Gateway,
    sink: Sink,
}

impl Stage {
    fn start(more: &str) -> Self {
        let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
        let connector = connector("carrier", carrier.address(), more);
        let gateway = Place::new(&resources_with_smpp(&sink, "carrier", &connector, "")).into_gateway();
        Self { carrier, gateway, sink }
    }

    fn bind(&self, mut application: Command) -> Application {
        let process = Process::start(application.arg(self.gateway.smpp().to_string()));
        assert_eq!(process.wait_key("bound"), 0);
        Application { process, answers: 0 }
    }

    /// What the carrier was told of the message with this text.
    fn told(&self, id: &str, text: &str) -> SeenMessage {
        self.sink.wait_event(id, "message.delivered");
        let seen = self.carrier.seen().into_iter().find(|message| &*message.text == text);
        seen.unwrap_or_else(|| panic!("the carrier has no \"{text}\""))
    }
}

struct Application {
    process: Process,
    answers: usize,
}

impl Application {
    /// Hands a message in; its id.
    fn submit(&mut self, text: &str, more: Value) -> String {
        self.process.tell(&json!({ "submit": { "to": "447700900001", "text": text, "more": more } }));
        let mut seen = 0;
        let answer = self.process.out.wait("an answer", |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            seen += usize::from(line.get("answer").is_some());
            (seen > self.answers).then(|| line["answer"].clone())
        });
        self.answers += 1;
        assert_eq!(answer["status"], 0, "{text}");
        answer["id"].as_str().expect("an id").to_owned()
    }
}

#[test]
fn what_an_application_says_goes_on_to_the_carrier() {
    let mut node = match peers::node("smpp") {
        Ok(node) => node,
        Err(why) => return skip(&why),
    };
    node.arg(peers::script("client.js"));
    let stage = Stage::start("");
    let mut application = stage.bind(node);
    let said = json!({ "service_type": "CMT", "protocol_id": 0x41, "priority_flag": 3, "esm_class": 0x80 });
    let id = application.submit("all of it", said);
    let told = stage.told(&id, "all of it");
    assert_eq!((&*told.service_type, told.flags, told.esm_class), ("CMT", [0x41, 3, 0], 0x80));
    let shown = stage.gateway.client().message(&id);
    assert_eq!(
        (&shown["protocol_id"], &shown["service_type"], &shown["reply_path"], &shown["replace_if_present"]),
        (&json!(0x41), &json!("CMT"), &json!(true), &Value::Null)
    );
    let id = application.submit("nothing", json!({}));
    let told = stage.told(&id, "nothing");
    assert_eq!((&*told.service_type, told.flags, told.esm_class), ("", [0, 0, 0], 0));

    // One that waits here gives way to the next; that one's carrier is told, too.
    let (flag, day) = (json!(1), json!("000001000000000R"));
    let first = application.submit("first", json!({ "replace_if_present_flag": flag, "schedule_delivery_time": day }));
    let other = application.submit("other", json!({ "schedule_delivery_time": day }));
    let second = application.submit("second", json!({ "replace_if_present_flag": flag }));
    assert_eq!(stage.told(&second, "second").flags, [0, 0, 1]);
    let mut client = stage.gateway.client();
    let replaced = client.message(&first);
    assert_eq!((&replaced["status"], &replaced["reason"]["code"]), (&json!("canceled"), &json!("superseded")));
    assert_eq!(client.message(&other)["status"], "scheduled");
}

#[test]
fn a_connector_has_its_own_name_for_the_service() {
    let python = match peers::python("smpplib") {
        Ok(python) => python,
        Err(why) => return skip(&why),
    };
    let mut python = Command::new(python);
    python.arg(peers::script("client.py"));
    let stage = Stage::start("service_type = \"VMA\"\nprotocol_id = 7");
    let mut application = stage.bind(python);
    let id = application.submit("by python", json!({ "service_type": "CMT", "priority_flag": 1 }));
    let told = stage.told(&id, "by python");
    assert_eq!((&*told.service_type, told.flags), ("VMA", [7, 1, 0]));
}

#[test]
fn the_same_goes_over_http_and_outlives_the_process() {
    let sink = Sink::start();
    let carrier = Carrier::start(SmscSettings::default());
    let with = |address: String| resources_with_smpp(&sink, "carrier", &connector("carrier", address, ""), "");
    let place = Place::new(&with("127.0.0.1:1".into()));
    let gateway = place.start();
    let message = json!({ "to": "+447700900001", "text": "by http", "protocol_id": 64, "service_type": "VMN",
        "reply_path": true, "replace_if_present": true });
    let id = gateway.client().send(&message);
    let wrong = json!({ "to": "+447700900001", "text": "x", "protocol_id": 256, "service_type": "too long" });
    let refused = gateway.client().post("/v1/messages", &wrong);
    assert_eq!(refused.status, 422, "{refused:?}");
    let pointers: Vec<Value> =
        refused.json()["errors"].as_array().expect("a list").iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!(pointers, ["/protocol_id", "/service_type"]);
    gateway.kill();
    place.write_resources(&with(carrier.address().to_string()));
    let _gateway = place.start();
    sink.wait_event(&id, "message.delivered");
    let told = carrier.seen().remove(0);
    assert_eq!((&*told.service_type, told.flags, told.esm_class), ("VMN", [64, 1, 1], 0x80));
}
