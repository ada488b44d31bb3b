//! Schedules as rows.

use foldhash::{HashSet, HashSetExt};
use rusqlite::OptionalExtension;
use store::{Changes, ScheduleChange};

use super::Desk;
use super::statements::Sql;
use crate::error::Failure;

impl Desk<'_> {
    /// Places of changes whose schedule has another revision than was seen.
    pub(super) fn schedules_moved(&mut self, changes: &[ScheduleChange]) -> Result<Vec<usize>, Failure> {
        let mut seen = HashSet::new();
        let mut moved = Vec::new();
        for (place, change) in changes.iter().enumerate() {
            let statement = self.statements.get(Sql::ScheduleRevision)?;
            let revision = statement.query_row([change.id.as_bytes().as_slice()], |row| row.get(0)).optional()?;
            if !seen.insert(change.id) || revision.unwrap_or(0_u64) != change.seen {
                moved.push(place);
            }
        }
        Ok(moved)
    }

    pub(super) fn put_schedules(&mut self, changes: &Changes) -> Result<(), Failure> {
        for ScheduleChange { id, put, messages, .. } in &changes.schedules {
            let id = id.as_bytes().as_slice();
            let Some(schedule) = put else {
                self.statements.get(Sql::DropSchedule)?.execute([id])?;
                self.statements.get(Sql::DropScheduleMessages)?.execute([id])?;
                continue;
            };
            self.statements.get(Sql::PutSchedule)?.execute((
                id,
                schedule.account.as_ref(),
                schedule.revision.cast_signed(),
                schedule.due.map(|at| at.as_millis()),
                schedule.ended_at.map(|at| at.as_millis()),
                serde_json::to_string(&schedule.terms).expect("strings, times and numbers only"),
                serde_json::to_string(&schedule.course).expect("strings, times and numbers only"),
            ))?;
            if let Some(messages) = messages {
                self.statements.get(Sql::PutScheduleMessages)?.execute((id, messages.as_ref()))?;
            }
        }
        Ok(())
    }
}
