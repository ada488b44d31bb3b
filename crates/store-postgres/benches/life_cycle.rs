//! Time per message of a whole life cycle, by the number of messages in a commit.
//!
//! `cargo bench -p store-postgres` starts a PostgreSQL of its own with the settings that it comes with, and
//! prints microseconds of wall time, of this process's CPU and of the server's for each step. The variable
//! `COMMIT_SIZE` leaves out the other sizes.

#[allow(dead_code, reason = "nothing crashes here")]
#[path = "../../../tests/src/postgres.rs"]
mod postgres;

use std::fs;
use std::time::{Duration, Instant};

use model::{Address, Change, Delivery, Message, Receipt, ReceiptPolicy, ReceiptState};
use store::conformance::samples::{change_body, insert_queued, place};
use store::conformance::{Samples, TestClock};
use store::{Changes, DeliveryKey, RemoteId, Store};
use store_postgres::{Options, PostgresStore};

/// A message with what its steps make of it.
struct Life {
    message: Message,
    remote_id: RemoteId,
    delivery: Delivery,
}

struct Bench {
    server: postgres::Postgres,
    store: PostgresStore,
    samples: Samples,
    clock: TestClock,
    runtime: tokio::runtime::Runtime,
}

fn main() {
    let server = match postgres::Postgres::start("") {
        Ok(server) => server,
        Err(why) => return println!("skipped: {why}"),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let clock = TestClock::default();
    let its = clock.clone();
    let options = Options { clock: Some(std::sync::Arc::new(move || its.now())) };
    let target = server.database().parse().expect("it is a URL");
    let store = runtime.block_on(PostgresStore::open(target, options)).expect("an empty database takes a store");
    let bench = Bench { server, store, samples: Samples::new(clock.clone()), clock, runtime };
    println!("µs a message: wall (of this process's CPU, of the server's)");
    let only = std::env::var("COMMIT_SIZE").ok().and_then(|size| size.parse::<usize>().ok());
    let sizes = [(1, 1_000), (16, 8_000), (256, 51_200), (1000, 50_000)];
    for (size, count) in sizes.into_iter().filter(|(size, _)| only.is_none_or(|only| only == *size)) {
        bench.life_cycle(size, count);
    }
}

impl Bench {
    fn life_cycle(&self, size: usize, count: usize) {
        let mut lives = self.lives(count);
        let mut total = [Duration::ZERO; 3];
        let mut step = |name: &str, lives: &[Life], make: fn(&[Life]) -> Changes| {
            let took = self.commits(lives.chunks(size).map(make).collect());
            tell(&format!("{size} a commit: {name}"), took, count);
            total.iter_mut().zip(took).for_each(|(total, took)| *total += took);
        };
        step("accept", &lives, accept);
        lives.iter_mut().for_each(|life| life.send(&self.clock));
        step("sent", &lives, sent);
        lives.iter_mut().for_each(|life| life.receive(&self.clock));
        step("receipt", &lives, receipt);
        step("notified", &lives, notified);
        tell(&format!("{size} a commit: all"), total, count);
    }

    fn commits(&self, commits: Vec<Changes>) -> [Duration; 3] {
        let (start, own, theirs) = (Instant::now(), own_cpu(), self.server_cpu());
        self.runtime.block_on(async {
            for changes in commits {
                self.store.commit(changes).await.expect("there is room for it");
            }
        });
        [start.elapsed(), own_cpu() - own, self.server_cpu().saturating_sub(theirs)]
    }

    fn lives(&self, count: usize) -> Vec<Life> {
        let life = |n: usize| {
            // Ten thousand messages a second, recipients at random.
            if n.is_multiple_of(10) {
                self.clock.advance(1);
            }
            let mut message = self.samples.message();
            let digits = self.samples.random() % 1_000_000_000;
            change_body(&mut message, |body| {
                body.to = Address::from_carrier(&format!("+447{digits:09}"), true);
                body.account = ["shop", "bank", "club"][n % 3].into();
            });
            let remote_id = self.samples.remote_id(&message.body.id.to_string(), message.body.id, 0);
            let mut delivery = self.samples.delivery(0);
            delivery.message = Some(message.body.id);
            delivery.restorable = true;
            Life { message, remote_id, delivery }
        };
        (0..count).map(life).collect()
    }

    /// CPU of the server's processes that still run: the connections stay.
    fn server_cpu(&self) -> Duration {
        let pid = fs::read_to_string(self.server.directory().join("data/postmaster.pid")).expect("it runs");
        let parent = pid.lines().next().unwrap_or_default().to_owned();
        let of = |process: fs::DirEntry| {
            let stat = fs::read_to_string(process.path().join("stat")).ok()?;
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
            (*fields.get(1)? == parent).then_some(ticks * 10)
        };
        let processes = fs::read_dir("/proc").expect("this measures on Linux").flatten();
        Duration::from_millis(processes.filter_map(of).sum())
    }
}

impl Life {
    fn send(&mut self, clock: &TestClock) {
        let change = Change::Sent { part: 0, remote_id: (*self.remote_id.key.id).into(), policy: ReceiptPolicy::All };
        self.message.apply(change, Some(&"carrier-a".into()), clock.now().plus_millis(40));
        self.message.progress.due = None;
    }

    fn receive(&mut self, clock: &TestClock) {
        let receipt = Receipt { state: ReceiptState::Delivered, stat: "DELIVRD".into(), err: Some("000".into()) };
        let change = Change::Receipt { part: 0, receipt, policy: ReceiptPolicy::All };
        self.message.apply(change, None, clock.now().plus_millis(3000));
    }
}

fn accept(lives: &[Life]) -> Changes {
    insert_queued(&lives.iter().map(|life| life.message.clone()).collect::<Vec<_>>())
}

fn sent(lives: &[Life]) -> Changes {
    let mut changes = Changes::default();
    for life in lives {
        changes.update.push(life.message.clone());
        let mut entry = place(&life.message);
        entry.due = life.message.body.created_at;
        changes.dequeue.push(entry);
        changes.remote_ids.push(life.remote_id.clone());
    }
    changes
}

fn receipt(lives: &[Life]) -> Changes {
    let mut changes = Changes::default();
    for life in lives {
        changes.update.push(life.message.clone());
        changes.remote_ids_done.push(life.remote_id.key.clone());
        changes.deliveries.push(life.delivery.clone());
    }
    changes
}

fn notified(lives: &[Life]) -> Changes {
    let deliveries_done = lives.iter().map(|life| DeliveryKey::from(&life.delivery)).collect();
    Changes { deliveries_done, ..Changes::default() }
}

fn tell(name: &str, [wall, own, server]: [Duration; 3], count: usize) {
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    println!("{name:>30}: {:>8.2} ({:.2}, {:.2})", micros(wall), micros(own), micros(server));
}

/// What all threads of this process have had of the CPU.
fn own_cpu() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").expect("this measures on Linux");
    let of = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.flatten().filter_map(of).sum())
}
