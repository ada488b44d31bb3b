//! The PostgreSQL that the tests of one process share.
#![allow(dead_code, reason = "each file of tests uses a part of it")]

#[path = "../../../../tests/src/postgres.rs"]
mod postgres;

use std::io::Write as _;
use std::sync::OnceLock;

pub use postgres::Postgres;

/// The shared server, which may forget what it was told in a crash of the machine; `None` if PostgreSQL is
/// not installed, which is reported as a skipped test.
pub fn shared() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| Postgres::start("fsync = off\nfull_page_writes = off\nmax_wal_size = 4GB"));
    shared.as_ref().map_err(|why| skip(why)).ok()
}

/// Says that this test can't be run here, and why. Return from the test after it.
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    eprintln!("SKIPPED {test}: {why}");
    let Some(file) = std::env::var_os("POSTRIDER_SKIPS") else { return };
    if let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(file) {
        // One write, so that tests which run in parallel don't mix their lines.
        let _ = file.write_all(format!("{test}: {why}\n").as_bytes());
    }
}
