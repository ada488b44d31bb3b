//! Two nodes on one PostgreSQL: each sends what the other has accepted, and nothing is lost when one of them is
//! killed, or stands still for longer than its membership lasts.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use rustix::process::Signal;
use scenarios::carrier::Carrier;
use scenarios::postgres::Postgres;
use scenarios::{Client, Gateway, Place, Sink, ask_until, command, connector, resources, skip};
use serde_json::json;
use simulator::{ReceiptSettings, SmscSettings};

const CONNECTIONS: usize = 3;
const SESSIONS: usize = 2;
const WINDOW: usize = 20;
/// Messages that are accepted between one fault and the next.
const BETWEEN: usize = 150;
/// What the sessions of a node that is gone may send again: their windows, and what was not settled yet.
const AGAIN_PER_FAULT: usize = SESSIONS * (WINDOW + 64);

struct Scene {
    server: Postgres,
    database: String,
    carrier: Carrier,
    sink: Sink,
    resources: String,
    /// Texts that were accepted, with their ids.
    accepted: Mutex<HashMap<String, String>>,
    next: AtomicUsize,
}

impl Scene {
    /// `None` without PostgreSQL, which is reported as a skipped test.
    fn new() -> Option<Self> {
        let server = Postgres::start("").map_err(|why| skip(&why)).ok()?;
        let carrier = Carrier::start(SmscSettings {
            resp_delay: Duration::from_millis(1),
            receipts: ReceiptSettings {
                delay: (Duration::ZERO, Duration::from_millis(50)),
                ..ReceiptSettings::default()
            },
            ..SmscSettings::default()
        });
        let sink = Sink::start();
        let more = format!("window = {WINDOW}\nsessions = {SESSIONS}");
        let resources = resources(&sink, "carrier", &connector("carrier", carrier.address(), &more));
        let database = server.database();
        let (accepted, next) = Default::default();
        Some(Self { server, database, carrier, sink, resources, accepted, next })
    }

    /// The place of a node, with the key of the first.
    fn place(&self, first: Option<&Place>) -> Place {
        let place = Place::new(&self.resources);
        if let Some(first) = first {
            std::fs::create_dir_all(place.data()).expect("a directory can be made");
            let key = "secret.key";
            std::fs::copy(first.data().join(key), place.data().join(key)).expect("the first node has made a key");
        }
        place
    }

    fn start(&self, place: &Place, name: &str) -> Gateway {
        let mut command = command();
        command.env("POSTRIDER_STORAGE__URL", &self.database);
        command.env("POSTRIDER_NODE__NAME", name).env("POSTRIDER_NODE__MEMBERSHIP", "2s");
        place.start_with(&mut command)
    }

    fn count(&self) -> usize {
        self.accepted.lock().expect("no loader has failed").len()
    }

    fn wait_for_more(&self) {
        let before = self.count();
        ask_until("accepted messages", || (self.count() >= before + BETWEEN).then_some(()));
    }

    /// Sends messages to all of these nodes until `during` has ended; those that are gone are passed over.
    fn load_while(&self, nodes: &[SocketAddr], during: impl FnOnce()) {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for node in nodes {
                for _ in 0..CONNECTIONS {
                    scope.spawn(|| {
                        let mut client = Client::new(*node);
                        while !done.load(SeqCst) {
                            if !self.one(&mut client) {
                                break;
                            }
                        }
                    });
                }
            }
            during();
            done.store(true, SeqCst);
        });
    }

    /// Sends one message; `false` when the node is gone.
    fn one(&self, client: &mut Client) -> bool {
        let text = format!("message {}", self.next.fetch_add(1, SeqCst));
        let Ok(answer) = client.try_post("/v1/messages", &json!({ "to": "+447700900001", "text": text })) else {
            return false;
        };
        match answer.status {
            202 => {
                let id = answer.json()["id"].as_str().expect("a message has an id").to_owned();
                self.accepted.lock().expect("no loader has failed").insert(text, id);
            }
            429 | 503 => {}
            _ => panic!("{answer:?}"),
        }
        true
    }

    /// What was accepted until now is at the carrier, whichever node had it.
    fn all_is_sent(&self, gateway: &Gateway) {
        let ids: Vec<String> = self.accepted.lock().expect("no loader has failed").values().cloned().collect();
        let mut client = gateway.client();
        for id in ids {
            ask_until("message that is sent", || {
                Some(client.message(&id))
                    .filter(|message| message["status"] == "sent" || message["status"] == "delivered")
            });
        }
    }

    /// Every message is delivered, the application knows, and little was sent twice.
    fn nothing_is_lost(&self, gateway: &Gateway, faults: usize) {
        let accepted = self.accepted.lock().expect("no loader has failed");
        let mut client = gateway.client();
        for id in accepted.values() {
            ask_until("message that is delivered", || {
                Some(client.message(id)).filter(|message| message["status"] == "delivered")
            });
        }
        let mut missing: Vec<&String> = accepted.values().collect();
        self.sink.wait_until("end of every message", |seen| {
            missing.retain(|id| {
                !seen.of_message.get(*id).is_some_and(|events| events.iter().any(|e| e == "message.delivered"))
            });
            missing.is_empty().then_some(())
        });
        let mut times: HashMap<String, usize> = HashMap::new();
        self.carrier.seen().iter().for_each(|message| *times.entry(message.text.to_string()).or_default() += 1);
        let lost: Vec<_> = accepted.keys().filter(|text| !times.contains_key(*text)).collect();
        assert!(lost.is_empty(), "accepted and never sent: {lost:?}");
        let again: usize = times.values().map(|times| times - 1).sum();
        println!("fleet: {} accepted, {again} sent again after {faults} faults", accepted.len());
        assert!(again <= faults * AGAIN_PER_FAULT, "{again} messages were sent again");
    }
}

#[test]
fn nodes_share_the_work_and_one_that_is_killed_is_followed_by_the_other() {
    let Some(scene) = Scene::new() else { return };
    let one = scene.place(None);
    let a = scene.start(&one, "a");
    let two = scene.place(Some(&one));
    let b = scene.start(&two, "b");
    let nodes = [a.address(), b.address()];
    let database = scene.database.rsplit('/').next().expect("a URL has slashes");
    ask_until("nodes with a session each", || {
        let share = "SELECT string_agg(DISTINCT node, ',' ORDER BY node) FROM slot WHERE name LIKE";
        let shared = |what: &str| scene.server.sql(database, &format!("{share} '{what}:%'")) == "a,b";
        (shared("bind") && shared("queue") && shared("hooks")).then_some(())
    });
    scene.load_while(&nodes, || {
        scene.wait_for_more();
        scene.wait_for_more();
    });
    scene.nothing_is_lost(&b, 0);
    scene.load_while(&nodes, || {
        scene.wait_for_more();
        a.kill();
        scene.wait_for_more();
    });
    scene.nothing_is_lost(&b, 1);
    let a = scene.start(&one, "a");
    scene.load_while(&[a.address(), b.address()], || scene.wait_for_more());
    b.kill();
    scene.nothing_is_lost(&a, 2);
}

#[test]
fn a_node_that_stands_still_for_longer_than_its_membership_loses_nothing() {
    let Some(scene) = Scene::new() else { return };
    let one = scene.place(None);
    let a = scene.start(&one, "a");
    let two = scene.place(Some(&one));
    let b = scene.start(&two, "b");
    scene.load_while(&[a.address(), b.address()], || scene.wait_for_more());
    scene.load_while(&[b.address()], || {
        a.signal(Signal::STOP);
        scene.wait_for_more();
        // What the node that stands still had comes to the other. Receipts wait in its connections meanwhile.
        scene.all_is_sent(&b);
        a.signal(Signal::CONT);
        scene.wait_for_more();
    });
    a.log().wait("starting anew", |line| line.contains("starting anew").then_some(()));
    scene.nothing_is_lost(&b, 1);
}
