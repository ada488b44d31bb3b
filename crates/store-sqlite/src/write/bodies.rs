//! Bodies that take the place of others. That is rare, so its statements are not made for each day.

use std::sync::Arc;

use model::{Body, Content};
use rusqlite::OptionalExtension;

use super::Desk;
use super::apply::under_key_of;
use super::statements::Sql;
use crate::days;
use crate::error::Failure;
use store::encoding::{ENCODINGS, Extra, RECEIPTS, number};

impl Desk<'_> {
    /// Writes what may be replaced of bodies, and moves their deadlines.
    pub(super) fn put_bodies(&mut self, bodies: &[Arc<Body>]) -> Result<(), Failure> {
        bodies.iter().try_for_each(|body| self.put_body(body))
    }

    fn put_body(&mut self, body: &Body) -> Result<(), Failure> {
        let day = body.id.made_at().day();
        let Some(day_statements) = self.statements.day(day)? else { return Ok(()) };
        let (id, table) = (body.id.as_bytes().as_slice(), days::table(day));
        let old = format!("SELECT expires_at FROM {table} WHERE key = ?1 AND id = ?2");
        let put = format!(
            "UPDATE {table} SET content = ?3, encoding = ?4, receipt = ?5, send_at = ?6, expires_at = ?7, extra = ?8
                WHERE key = ?1 AND id = ?2"
        );
        let (mut old, mut put) = (self.db.prepare_cached(&old)?, self.db.prepare_cached(&put)?);
        let mut ended_at: Option<i64> = None;
        under_key_of(body.id, &mut day_statements.is_under, |key| {
            let Some(expired_at) = old.query_row((key, id), |row| row.get(0)).optional()? else { return Ok(0) };
            ended_at = Some(expired_at);
            put.raw_bind_parameter(1, key)?;
            put.raw_bind_parameter(2, id)?;
            match &body.content {
                Content::Text(text) => put.raw_bind_parameter(3, text.as_ref())?,
                Content::Binary { data, .. } => put.raw_bind_parameter(3, data.as_ref())?,
            }
            put.raw_bind_parameter(4, number(&ENCODINGS, &body.encoding))?;
            put.raw_bind_parameter(5, number(&RECEIPTS, &body.receipt))?;
            put.raw_bind_parameter(6, body.send_at.map(|at| at.as_millis()))?;
            put.raw_bind_parameter(7, body.expires_at.as_millis())?;
            put.raw_bind_parameter(8, Extra::of(body))?;
            put.raw_execute()
        })?;
        let Some(ended_at) = ended_at else { return Ok(()) };
        if self.statements.get(Sql::DropDeadline)?.execute((ended_at, id))? > 0 {
            self.statements.get(Sql::PutDeadline)?.execute((body.expires_at.as_millis(), id))?;
        }
        Ok(())
    }
}
