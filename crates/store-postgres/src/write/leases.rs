//! Leases. Their ends are compared with the server's clock, whatever a node thinks of the time.

use model::Timestamp;
use store::Lease;

use crate::decode::each;
use crate::error::Failure;
use crate::link::Connection;
use crate::pipeline::{Around, Step};
use crate::sql::Sql;
use crate::text::Text;

/// Takes or keeps a lease; `None` if another holder has it. `now` is given where a test sets the time.
pub(crate) async fn take_lease(
    connection: &Connection,
    (name, holder): (&str, &str),
    ttl_millis: i64,
    now: Option<Timestamp>,
) -> Result<Option<Lease>, Failure> {
    let now = now.map(|now| now.as_millis());
    let step = Step::new(Sql::TakeLease, values![Text(name), Text(holder), ttl_millis, now]);
    let rows = connection.run(Around::Nothing, &[step]).await?.pop().unwrap_or_default();
    let taken = each("lease", &rows, |columns| {
        Ok(Lease { name: name.into(), holder: holder.into(), epoch: columns.big(0)?, expires_at: columns.time(1)? })
    })?;
    Ok(taken.into_iter().next())
}

/// Gives a lease back. The epoch rises here too: what the holder still fences with it is refused from now on.
pub(crate) async fn release_lease(
    connection: &Connection,
    lease: &Lease,
    now: Option<Timestamp>,
) -> Result<(), Failure> {
    let values =
        values![Text(&*lease.name), Text(&*lease.holder), lease.epoch.cast_signed(), now.map(|now| now.as_millis()),];
    connection.run(Around::Nothing, &[Step::new(Sql::ReleaseLease, values)]).await?;
    Ok(())
}
