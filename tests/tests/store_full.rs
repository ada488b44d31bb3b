//! The disk is full: nothing is accepted that can't be kept, the gateway says so, and it goes on by
//! itself when there is room again.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use scenarios::carrier::Carrier;
use scenarios::{Gateway, Place, Sink, ask_until, binary, command, connector, resources, skip};
use serde_json::json;
use simulator::SmscSettings;

struct Scene {
    carrier: Carrier,
    sink: Sink,
    place: Place,
}

impl Scene {
    fn new() -> Self {
        let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
        let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), "")));
        Self { carrier, sink, place }
    }
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(why) => return skip(&why),
    };
    let Scene { carrier, sink, place } = Scene::new();
    let scene = Scene { carrier, sink, place: place.with_data(&disk.path().join("data")) };
    let gateway = scene.place.start();
    let ballast = disk.path().join("ballast");
    refuses_and_recovers(&scene, gateway, || fill(&ballast), || fs::remove_file(&ballast).expect("it is there"));
}

#[test]
fn a_file_size_limit_refuses_and_recovers() {
    let scene = Scene::new();
    // The signal that comes with the limit would end the process; the error alone is meant here.
    let mut shell = Command::new("sh");
    let prepared = command();
    prepared.get_envs().for_each(|(name, value)| match value {
        Some(value) => drop(shell.env(name, value)),
        None => drop(shell.env_remove(name)),
    });
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary());
    let gateway = scene.place.start_with(&mut shell);
    let pid = Pid::from_raw(i32::try_from(gateway.id()).expect("a process id"));
    let limit = |octets| {
        let limit = Rlimit { current: octets, maximum: None };
        prlimit(pid, Resource::Fsize, limit).expect("a limit of our own process");
    };
    refuses_and_recovers(&scene, gateway, || limit(Some(4096)), || limit(None));
}

fn refuses_and_recovers(scene: &Scene, gateway: Gateway, fill: impl FnOnce(), free: impl FnOnce()) {
    let mut client = gateway.client();
    let message = |n: usize| json!({ "to": "+447700900001", "text": format!("message {n}") });
    let mut accepted = vec![client.send(&message(0))];
    scene.sink.wait_event(&accepted[0], "message.delivered");
    fill();

    // What the store has set aside already may still be used; then it is full.
    let mut refused = 0;
    for n in 1.. {
        let answer = client.post("/v1/messages", &message(n));
        match answer.status {
            202 => accepted.push(answer.json()["id"].as_str().expect("an id").to_owned()),
            503 => {
                assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok()), "{answer:?}");
                assert_eq!(answer.header("content-type"), Some("application/problem+json"));
                assert_eq!(answer.json()["retryable"], true, "{answer:?}");
                refused += 1;
            }
            _ => panic!("{answer:?}"),
        }
        if refused == 20 {
            break;
        }
        assert!(n < 100_000, "the disk never became full");
    }
    ask_until("/readyz that says so", || (client.get("/readyz").status == 503).then_some(()));
    assert_eq!(client.get("/livez").status, 200);

    free();
    ask_until("/readyz that is well again", || (client.get("/readyz").status == 200).then_some(()));
    accepted.push(client.send(&message(0)));
    for id in &accepted {
        scene.sink.wait_event(id, "message.delivered");
    }
    // And all of it is on the disk.
    gateway.kill();
    let gateway = scene.place.start();
    let mut client = gateway.client();
    assert!(accepted.iter().all(|id| client.message(id)["id"] == id.as_str()));
    assert!(scene.carrier.counters().distinct >= accepted.len() as u64 - 1);
}

/// Writes until there is no room left.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("there is room yet");
    for piece in [&[0; 65_536][..], &[0; 512][..]] {
        while file.write_all(piece).is_ok() {}
    }
}

/// A small file system in memory; taken away when dropped.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(folder.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Ok(Self { folder }),
            Ok(output) => Err(format!("no tmpfs can be mounted: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => Err(format!("no tmpfs can be mounted: {error}")),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a gateway that is being killed may have files open still.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).output();
    }
}
