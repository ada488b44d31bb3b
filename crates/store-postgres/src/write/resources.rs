//! Resources: written seldom, one version after the other.

use store::ResourceChange;

use crate::error::Failure;
use crate::link::Connection;
use crate::pipeline::{Around, Step};
use crate::sql::Sql;
use crate::text::Text;

/// Changes resources if their version is still `expected`; answers with the new version.
pub(crate) async fn change_resources(
    connection: &Connection,
    changes: &[ResourceChange],
    expected: Option<u64>,
) -> Result<Option<u64>, Failure> {
    let more = i64::from(!changes.is_empty());
    let next = Step::new(Sql::NextVersion, values![expected.map(u64::cast_signed), more]);
    // Who changes them at the same time waits here, and then finds another version.
    let rows = connection.run(Around::Begin, &[next]).await?.pop().unwrap_or_default();
    let Some(row) = rows.first() else {
        connection.roll_back().await?;
        return Ok(None);
    };
    let version: i64 = row.try_get(0)?;
    let step = |change: &'_ ResourceChange| {
        let (kind, id) = (Text(change.kind.as_str().to_owned()), Text(change.id.clone()));
        match &change.json {
            Some(json) => Step::new(Sql::PutResource, values![kind, id, Text(json.clone())]),
            None => Step::new(Sql::DropResource, values![kind, id]),
        }
    };
    let steps: Vec<Step<'static>> = changes.iter().map(step).collect();
    connection.run(Around::Commit, &steps).await?;
    Ok(Some(version.cast_unsigned()))
}
