//! CPU per message of a whole life cycle, by the number of messages in a commit.
//!
//! `cargo bench -p store-sqlite` prints microseconds of CPU of the whole process (writer,
//! checkpoints and all) and of wall time for each step; `… -- 1000000` puts that many messages into
//! the store first, and the variable `COMMIT_SIZE` leaves out the other sizes. CPU is what Linux counts for each thread (`/proc/self/task/*/schedstat`).

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Address, Change, Delivery, Message, Receipt, ReceiptPolicy, ReceiptState, Status};
use store::conformance::samples::{change_body, insert_queued, place};
use store::conformance::{Samples, TestClock};
use store::{Changes, DeliveryKey, RemoteId, Store};
use store_sqlite::{Options, SqliteStore};

/// A message with what its steps make of it.
struct Life {
    message: Message,
    remote_id: RemoteId,
    delivery: Delivery,
}

struct Bench {
    store: SqliteStore,
    samples: Samples,
    clock: TestClock,
    /// Remote ids as some carriers make them; others count.
    random_ids: Cell<bool>,
    runtime: tokio::runtime::Runtime,
}

fn main() {
    let directory = tempfile::tempdir().expect("a directory for the file");
    let clock = TestClock::default();
    let its = clock.clone();
    let options = Options { clock: Arc::new(move || its.now()), ..Options::default() };
    let path = directory.path().join("postrider.db");
    let bench = Bench {
        store: SqliteStore::open(&path, options).expect("an empty directory takes a store"),
        samples: Samples::new(clock.clone()),
        clock,
        random_ids: Cell::new(false),
        runtime: tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
    };
    let before = std::env::args().filter_map(|a| a.parse::<usize>().ok()).next().unwrap_or(0);
    for _ in 0..before.div_ceil(10_000) {
        bench.commits("", bench.lives(10_000).chunks(10_000).map(accept).collect(), 10_000);
    }
    println!("with {before} messages queued before; µs of CPU (of wall time) a message");
    let only = std::env::var("COMMIT_SIZE").ok().and_then(|size| size.parse::<usize>().ok());
    let sizes = [(1, 2_000), (16, 16_000), (256, 51_200)];
    for (size, count) in sizes.into_iter().filter(|(size, _)| only.is_none_or(|only| only == *size)) {
        bench.life_cycle(size, count);
    }
    bench.commits("10,000 at once: accept", bench.lives(20_000).chunks(10_000).map(accept).collect(), 20_000);
    bench.random_ids.set(true);
    println!("with remote ids at random:");
    bench.life_cycle(256, 51_200);
    let bytes = |name: &str| std::fs::metadata(directory.path().join(name)).map_or(0, |file| file.len());
    let (file, log) = (bytes("postrider.db") >> 20, bytes("postrider.db-wal") >> 20);
    println!("resident memory: {} MB, file: {file} MB, log: {log} MB", resident_bytes() >> 20);
}

impl Bench {
    fn life_cycle(&self, size: usize, count: usize) {
        let mut lives = self.lives(count);
        let mut total = Duration::ZERO;
        let mut step = |name: &str, lives: &[Life], make: fn(&[Life]) -> Changes| {
            let commits = lives.chunks(size).map(make).collect();
            total += self.commits(&format!("{size} a commit: {name}"), commits, count);
        };
        step("accept", &lives, accept);
        lives.iter_mut().for_each(|life| life.send(&self.clock));
        step("sent", &lives, sent);
        lives.iter_mut().for_each(|life| life.receive(&self.clock));
        step("receipt", &lives, receipt);
        step("notified", &lives, notified);
        println!("{:>30}: {:>7.2}", format!("{size} a commit: all"), micros(total, count));
    }

    fn commits(&self, name: &str, commits: Vec<Changes>, count: usize) -> Duration {
        let (start, cpu) = (Instant::now(), cpu_time());
        self.runtime.block_on(async {
            for changes in commits {
                self.store.commit(changes).await.expect("there is room for it");
            }
        });
        let (wall, cpu) = (start.elapsed(), cpu_time() - cpu);
        if !name.is_empty() {
            println!("{name:>30}: {:>7.2} ({:.2})", micros(cpu, count), micros(wall, count));
        }
        cpu
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
            let remote_id = if self.random_ids.get() { self.samples.random() } else { n as u64 };
            let remote_id = self.samples.remote_id(&format!("{remote_id:016x}"), message.body.id, 0);
            let mut delivery = self.samples.delivery(0);
            delivery.message = Some(message.body.id);
            delivery.payload = format!("{{\"data\":\"{}\"}}", "x".repeat(689)).into();
            Life { message, remote_id, delivery }
        };
        (0..count).map(life).collect()
    }
}

impl Life {
    fn send(&mut self, clock: &TestClock) {
        let policy = ReceiptPolicy::All;
        let change = Change::Sent { part: 0, remote_id: (*self.remote_id.key.id).into(), policy };
        self.message.apply(change, Some(&"carrier-a".into()), clock.now().plus_millis(40));
        self.message.progress.due = None;
        assert_eq!(self.message.progress.status, Status::Sent);
    }

    fn receive(&mut self, clock: &TestClock) {
        let receipt = Receipt { state: ReceiptState::Delivered, stat: "DELIVRD".into(), err: Some("000".into()) };
        let change = Change::Receipt { part: 0, receipt, policy: ReceiptPolicy::All };
        self.message.apply(change, None, clock.now().plus_millis(3000));
        assert_eq!(self.message.progress.status, Status::Delivered);
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

fn micros(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

/// What all threads of this process have had of the CPU.
fn cpu_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("this measures on Linux");
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.flatten().filter_map(of).sum())
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("this measures on Linux");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}
