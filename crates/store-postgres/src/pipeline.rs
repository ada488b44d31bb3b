//! Statements that go to the server in one piece, without waiting for answers in between.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::error::Failure;
use crate::link::Connection;
use crate::sql::Sql;

/// A value of a statement.
pub(crate) type Value<'v> = Box<dyn ToSql + Sync + Send + 'v>;

/// One statement with its values.
pub(crate) struct Step<'v> {
    sql: Sql,
    day: i64,
    values: Vec<Value<'v>>,
}

impl<'v> Step<'v> {
    /// A statement on tables that are no day's.
    pub fn new(sql: Sql, values: Vec<Value<'v>>) -> Self {
        Self { sql, day: 0, values }
    }

    /// A statement on the table of a day.
    pub fn on_day(sql: Sql, day: i64, values: Vec<Value<'v>>) -> Self {
        Self { sql, day, values }
    }
}

/// What stands round the steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// They are all of a transaction.
    Whole,
    /// They begin one that goes on.
    Begin,
    /// They end one that was begun.
    Commit,
    /// Each is its own.
    Nothing,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Failure>> + Send + 'a>>;

impl Connection {
    /// Runs `steps`, and answers with the rows of each. After the first that fails nothing else of the
    /// transaction happens: the server refuses the rest, and ends it without a trace.
    pub async fn run(&self, around: Around, steps: &[Step<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
        let mut statements = Vec::with_capacity(steps.len());
        for step in steps {
            statements.push(self.statement(step.sql, step.day).await?);
        }
        let mut answers: Vec<Answer<'_>> = Vec::with_capacity(steps.len() + 2);
        if matches!(around, Around::Whole | Around::Begin) {
            answers.push(self.control("BEGIN"));
        }
        let first = answers.len();
        for (step, statement) in steps.iter().zip(statements) {
            answers.push(Box::pin(async move {
                let values: Vec<&(dyn ToSql + Sync)> = step.values.iter().map(|value| &**value as _).collect();
                Ok(self.client.query(&statement, &values).await?)
            }));
        }
        if matches!(around, Around::Whole | Around::Commit) {
            answers.push(self.control("COMMIT"));
        }
        let mut rows = all(answers).await?;
        rows.truncate(first + steps.len());
        rows.drain(..first);
        Ok(rows)
    }

    fn control(&self, sql: &'static str) -> Answer<'_> {
        Box::pin(async move {
            self.client.batch_execute(sql).await?;
            Ok(Vec::new())
        })
    }

    /// Ends a transaction of which nothing is to stay.
    pub async fn roll_back(&self) -> Result<(), Failure> {
        Ok(self.client.batch_execute("ROLLBACK").await?)
    }
}

/// Waits for all of `answers`, which are begun in their order: each is sent when it is asked first. The
/// failure is that of the first that fails.
async fn all(mut answers: Vec<Answer<'_>>) -> Result<Vec<Vec<Row>>, Failure> {
    let mut done: Vec<Option<Result<Vec<Row>, Failure>>> = answers.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut open = false;
        for (answer, done) in answers.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            match answer.as_mut().poll(context) {
                Poll::Ready(result) => *done = Some(result),
                Poll::Pending => open = true,
            }
        }
        if open { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    done.into_iter().flatten().collect()
}
