//! Resources and leases: written seldom, and each by a question that comes first.

use model::Timestamp;
use rusqlite::OptionalExtension;
use store::{Lease, ResourceChange};

use super::Desk;
use crate::error::Failure;

/// Changes resources if their version is still `expected`; answers with the new version.
pub(crate) fn change_resources(
    desk: &mut Desk<'_>,
    changes: &[ResourceChange],
    expected: Option<u64>,
) -> Result<Option<u64>, Failure> {
    let version: u64 =
        desk.db.query_row("SELECT value FROM meta WHERE name = 'resources_version'", [], |row| row.get(0))?;
    if expected.is_some_and(|expected| expected != version) {
        return Ok(None);
    }
    if changes.is_empty() {
        return Ok(Some(version));
    }
    for ResourceChange { kind, id, json } in changes {
        match json {
            Some(json) => desk.db.execute(
                "INSERT OR REPLACE INTO resource(kind, id, json) VALUES (?1, ?2, ?3)",
                (kind.as_str(), id, json),
            )?,
            None => desk.db.execute("DELETE FROM resource WHERE kind = ?1 AND id = ?2", (kind.as_str(), id))?,
        };
    }
    desk.db.execute("UPDATE meta SET value = ?1 WHERE name = 'resources_version'", [version + 1])?;
    Ok(Some(version + 1))
}

/// Takes or keeps a lease; `None` if another holder has it.
pub(crate) fn take_lease(
    desk: &mut Desk<'_>,
    name: &str,
    holder: &str,
    now: Timestamp,
    ttl_millis: i64,
) -> Result<Option<Lease>, Failure> {
    let mut find = desk.db.prepare_cached("SELECT holder, epoch, expires_at FROM lease WHERE name = ?1")?;
    let kept =
        find.query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, row.get::<_, i64>(2)?)));
    let epoch = match kept.optional()? {
        None => 1,
        Some((kept_by, epoch, _)) if kept_by == holder => epoch,
        Some((_, _, expires_at)) if expires_at > now.as_millis() => return Ok(None),
        Some((_, epoch, _)) => epoch.saturating_add(1),
    };
    let expires_at = now.plus_millis(ttl_millis);
    let mut put = desk
        .db
        .prepare_cached("INSERT OR REPLACE INTO lease(name, holder, epoch, expires_at) VALUES (?1, ?2, ?3, ?4)")?;
    put.execute((name, holder, epoch, expires_at.as_millis()))?;
    Ok(Some(Lease { name: name.into(), holder: holder.into(), epoch, expires_at }))
}

/// Gives a lease back. The epoch rises here too: what the holder still fences with it is refused
/// from now on.
pub(crate) fn release_lease(desk: &mut Desk<'_>, lease: &Lease, now: Timestamp) -> Result<(), Failure> {
    desk.db.execute(
        "UPDATE lease SET holder = '', epoch = epoch + 1, expires_at = ?4 WHERE name = ?1 AND holder = ?2 AND epoch = ?3",
        (lease.name.as_ref(), lease.holder.as_ref(), lease.epoch, now.as_millis()),
    )?;
    Ok(())
}
