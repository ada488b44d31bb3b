//! SIGHUP: a changed resources file is in force at once, a wrong one changes nothing.

use rustix::process::Signal;
use scenarios::carrier::Carrier;
use scenarios::{Place, Sink, connector, resources};
use serde_json::json;
use simulator::SmscSettings;

#[test]
fn a_changed_resources_file_is_taken_at_sighup() {
    let (first, second, sink) =
        (Carrier::start(SmscSettings::default()), Carrier::start(SmscSettings::default()), Sink::start());
    let one = connector("first", first.address(), "");
    let both = [one.clone(), connector("second", second.address(), "")].concat();
    let place = Place::new(&resources(&sink, "first", &one));
    let gateway = place.start();
    let mut client = gateway.client();
    let mut send = |text: &str| {
        let id = client.send(&json!({ "to": "+447700900001", "text": text }));
        sink.wait_event(&id, "message.delivered").data["connector"].as_str().map(str::to_owned)
    };
    assert_eq!(send("before").as_deref(), Some("first"));

    place.write_resources(&resources(&sink, "second", &both));
    gateway.signal(Signal::HUP);
    first.block_on(second.wait_until(|counters| counters.binds == 1));
    assert_eq!(send("after").as_deref(), Some("second"));
    assert_eq!(first.counters().binds, 1, "a connector that did not change keeps its session");

    place.write_resources("[[connector]]\nid = 7\n");
    let lines = gateway.log().all().len();
    gateway.signal(Signal::HUP);
    gateway.log().wait_from(lines, "what is wrong with the file", |line| line.contains("resources.toml").then_some(()));
    assert_eq!(send("after a mistake").as_deref(), Some("second"));
}
