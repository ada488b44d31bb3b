//! An application replaces what its messages say while they wait, by SMPP and over HTTP: the carrier
//! gets what was said last, also when the gateway was killed in between.

use scenarios::carrier::Carrier;
use scenarios::{Gateway, Place, Process, Sink, connector, peers, resources_with_smpp, skip};
use serde_json::{Value, json};
use simulator::SmscSettings;

const TOO_LATE: u32 = 0x13;

struct Application {
    process: Process,
    answers: usize,
}

impl Application {
    fn bind(gateway: &Gateway) -> Result<Self, String> {
        let mut node = peers::node("smpp")?;
        let process = Process::start(node.arg(peers::script("client.js")).arg(gateway.smpp().to_string()));
        assert_eq!(process.wait_key("bound"), 0);
        Ok(Self { process, answers: 0 })
    }

    /// Hands a message in; its id.
    fn submit(&mut self, submit: Value) -> String {
        self.process.tell(&json!({ "submit": submit }));
        let answer = self.nth("answer");
        assert_eq!(answer["status"], 0, "{submit}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// The command_status that a replacement is answered with.
    fn replace(&mut self, replace: Value) -> Value {
        self.process.tell(&json!({ "replace": replace }));
        self.nth("replaced")
    }

    /// The next answer to what was asked.
    fn nth(&mut self, key: &str) -> Value {
        let (mut seen, wanted) = (0, self.answers);
        self.answers += 1;
        self.process.out.wait(key, |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let value = line.get("answer").or(line.get("replaced"))?;
            seen += 1;
            (seen > wanted).then(|| value.clone())
        })
    }
}

#[test]
fn what_is_said_last_reaches_the_phone() {
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let with = |address: String| resources_with_smpp(&sink, "carrier", &connector("carrier", address, ""), "");
    // Nobody listens there: what is accepted waits.
    let place = Place::new(&with("127.0.0.1:1".into()));
    let gateway = place.start();
    let mut application = match Application::bind(&gateway) {
        Ok(application) => application,
        Err(why) => return skip(&why),
    };
    let first = application.submit(json!({ "to": "447700900001", "text": "Your table is at 7" }));
    let day = json!({ "schedule_delivery_time": "000001000000000R" });
    let second = application.submit(json!({ "to": "447700900002", "text": "tomorrow", "more": day }));
    let third = application.submit(json!({ "to": "447700900003", "text": "left as it is" }));
    assert_eq!(application.replace(json!({ "id": first, "text": "Your table is at 8" })), 0);
    assert_eq!(application.replace(json!({ "id": first, "text": "x", "from": "OTHER" })), 0x0A);
    assert_eq!(application.replace(json!({ "id": "01900000-0000-7000-8000-000000000001", "text": "x" })), 0x0C);
    let mut client = gateway.client();
    assert_eq!(client.message(&second)["status"], "scheduled");
    let now = json!({ "text": "today after all, ".repeat(12), "send_at": "2020-01-01T00:00:00Z" });
    let replaced = client.patch(&format!("/v1/messages/{second}"), &now);
    assert_eq!((replaced.status, replaced.json()["parts"].as_array().map(Vec::len)), (200, Some(2)), "{replaced:?}");
    gateway.kill();
    drop(application);

    place.write_resources(&with(carrier.address().to_string()));
    let gateway = place.start();
    let mut client = gateway.client();
    for id in [&first, &second, &third] {
        sink.wait_event(id, "message.delivered");
    }
    let mut texts: Vec<Box<str>> = carrier.seen().into_iter().map(|message| message.text).collect();
    texts.sort();
    assert_eq!(texts.len(), 4, "each part once: {texts:?}");
    assert_eq!((&*texts[0], &*texts[1]), ("Your table is at 8", "left as it is"));
    let mut application = Application::bind(&gateway).expect("it was there before");
    assert_eq!(application.replace(json!({ "id": first, "text": "at 9" })), TOO_LATE);
    let late = client.patch(&format!("/v1/messages/{first}"), &json!({ "text": "at 9" }));
    assert_eq!((late.status, &late.json()["code"]), (409, &json!("too_late_to_replace")));
    let events = client.get(&format!("/v1/messages/{first}/events")).json();
    let whats: Vec<_> = events["data"].as_array().expect("a list").iter().filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(whats[..2], ["accepted", "replaced"]);
    let metrics = client.get("/metrics").body;
    let counted =
        r#"postrider_smpp_pdus_total{direction="out",command="replace_sm_resp",status="ESME_RREPLACEFAIL"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
}
