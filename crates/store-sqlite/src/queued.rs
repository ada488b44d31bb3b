//! How many messages of an account are in queues.
//!
//! The queue itself is what is counted, a range of its key in each lane. So that not every commit has
//! to, the writer remembers what it counted and changes that with every entry that it really puts or
//! takes away, for as long as somebody asks. Nothing of this is on disk, so there is nothing that could
//! ever say otherwise than the queue.

use foldhash::HashMap;
use model::Name;
use rusqlite::Connection;

/// Messages of these accounts in all queues.
pub(crate) fn count(db: &Connection, accounts: &[Name]) -> rusqlite::Result<Vec<u64>> {
    let lanes = lanes(db)?;
    let mut statement = db.prepare_cached(
        "SELECT count(*) FROM queue WHERE connector = ?1 AND shard = ?2 AND priority = ?3 AND account = ?4",
    )?;
    let mut of = |account: &Name| -> rusqlite::Result<u64> {
        lanes.iter().try_fold(0, |sum: u64, (connector, shard, priority)| {
            let count: u64 = statement.query_row((connector, shard, priority, account.as_ref()), |row| row.get(0))?;
            Ok(sum.saturating_add(count))
        })
    };
    accounts.iter().map(&mut of).collect()
}

/// Every lane that has an entry: one seek each.
fn lanes(db: &Connection) -> rusqlite::Result<Vec<(String, i64, i64)>> {
    let mut statement = db.prepare_cached(
        "SELECT connector, shard, priority FROM queue WHERE (connector, shard, priority) > (?1, ?2, ?3)
            ORDER BY connector, shard, priority LIMIT 1",
    )?;
    let mut lanes: Vec<(String, i64, i64)> = Vec::new();
    loop {
        let (connector, shard, priority) = lanes.last().map_or(("", -1, -1), |(c, s, p)| (c.as_str(), *s, *p));
        let mut rows = statement.query((connector, shard, priority))?;
        let Some(row) = rows.next()? else { break };
        let lane = (row.get(0)?, row.get(1)?, row.get(2)?);
        drop(rows);
        lanes.push(lane);
    }
    Ok(lanes)
}

/// Entries of an account that come and go without anybody asking how many there are, after which that is
/// forgotten: its limit was taken away.
const UNASKED_MAX: u32 = 100_000;

/// What the writer remembers.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    accounts: HashMap<Name, Count>,
    /// What SQLite says changes when another connection writes.
    version: Option<i64>,
    /// It was looked at in this transaction: nobody else writes while that is open.
    is_fresh: bool,
}

#[derive(Debug)]
struct Count {
    queued: u64,
    /// Changes since somebody asked.
    unasked: u32,
}

impl Counts {
    /// The writer begins a transaction.
    pub fn begin(&mut self) {
        self.is_fresh = false;
    }

    /// How many messages of an account there are, within the writer's transaction.
    pub fn of(&mut self, db: &Connection, account: &Name) -> rusqlite::Result<u64> {
        if !self.is_fresh {
            let version = db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
            if self.version.replace(version) != Some(version) {
                self.accounts.clear();
            }
            self.is_fresh = true;
        }
        if let Some(count) = self.accounts.get_mut(account) {
            count.unasked = 0;
            return Ok(count.queued);
        }
        let queued = count(db, std::slice::from_ref(account))?.into_iter().sum();
        self.accounts.insert(account.clone(), Count { queued, unasked: 0 });
        Ok(queued)
    }

    /// Entries were put.
    pub fn put(&mut self, account: &Name, rows: usize) {
        self.change(account, |queued| queued.saturating_add(rows as u64));
    }

    /// Entries were taken away.
    pub fn taken(&mut self, account: &Name, rows: usize) {
        self.change(account, |queued| queued.saturating_sub(rows as u64));
    }

    fn change(&mut self, account: &Name, change: impl FnOnce(u64) -> u64) {
        if self.accounts.is_empty() {
            return;
        }
        let Some(count) = self.accounts.get_mut(account) else { return };
        count.queued = change(count.queued);
        count.unasked += 1;
        if count.unasked > UNASKED_MAX {
            self.accounts.remove(account);
        }
    }

    /// What was counted may never have been: the transaction was rolled back.
    pub fn forget(&mut self) {
        self.accounts.clear();
    }
}
