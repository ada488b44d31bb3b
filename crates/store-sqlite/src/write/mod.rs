//! The writer: one thread, one connection, group commit.
//!
//! Whatever writes is a task that is sent to the thread. Tasks that wait when the thread is free
//! share one transaction, so one `fsync` serves them all. A task looks at everything that could
//! make it refuse (fences, keys, versions) before it writes, so a refusal leaves nothing behind and
//! spoils nothing for the others. If SQLite itself fails, the shared transaction is rolled back and
//! each task gets a transaction of its own, so that one that can't be written does not take others
//! with it.

mod accounts;
mod apply;
mod bodies;
mod groups;
mod resources;
mod rows;
mod schedules;
mod statements;

use std::path::Path;
use std::thread::JoinHandle;

use rusqlite::Connection;
use store::StoreError;
use tokio::sync::{mpsc, oneshot};

use crate::OpenError;
use crate::checkpoint::Checkpointer;
use crate::error::Failure;
use crate::queued::Counts;
pub(crate) use apply::commit;
pub(crate) use resources::{change_resources, release_lease, take_lease};
use statements::Statements;

/// Tasks that wait for the thread; more callers than this wait for a place.
const WAITING_MAX: usize = 256;
/// Most tasks that share a transaction.
const GROUP_MAX: usize = 64;

/// The way to the writer's thread. When it is dropped, the thread finishes what was sent and ends.
pub(crate) struct Writer {
    tasks: Option<mpsc::Sender<Box<dyn Task>>>,
    thread: Option<JoinHandle<()>>,
}

/// What a task works with.
pub(crate) struct Desk<'c> {
    pub db: &'c Connection,
    pub statements: Statements<'c>,
    pub buffers: Buffers,
    pub queued: Counts,
}

/// Text that is built for a row; kept so that it is allocated once.
#[derive(Default)]
pub(crate) struct Buffers {
    pub tags: String,
    pub parts: String,
    pub events: String,
}

/// Work for the writer. It may be run more than once, each time in a fresh transaction.
trait Task: Send {
    fn run(&mut self, desk: &mut Desk<'_>) -> Result<(), Failure>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Work<T, F> {
    work: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Task for Work<T, F>
where
    T: Send,
    F: FnMut(&mut Desk<'_>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, desk: &mut Desk<'_>) -> Result<(), Failure> {
        self.result = Some((self.work)(desk)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { work, result, reply } = *self;
        // What the work shares with the caller is the caller's alone when it hears.
        drop(work);
        let result = result.ok_or_else(|| StoreError::Unavailable("the work was not done".into()));
        // Nobody may be waiting any more; the work is done all the same.
        let _ = reply.send(committed.and(result));
    }
}

impl Writer {
    /// Starts the thread on `db`.
    pub fn start(db: Connection, path: &Path) -> Result<Self, OpenError> {
        let (tasks, waiting) = mpsc::channel(WAITING_MAX);
        let checkpointer = Checkpointer::start(path)?;
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(&db, waiting, checkpointer))
            .map_err(OpenError::Thread)?;
        Ok(Self { tasks: Some(tasks), thread: Some(thread) })
    }

    /// Has `work` done in a transaction, and waits until it is on disk.
    pub async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Desk<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let gone = || StoreError::Unavailable("the writer's thread has ended".into());
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Work { work, result: None, reply });
        self.tasks.as_ref().ok_or_else(gone)?.send(task).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.tasks.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has already been told on stderr, and its callers got errors.
            let _ = thread.join();
        }
    }
}

fn serve(db: &Connection, mut waiting: mpsc::Receiver<Box<dyn Task>>, mut checkpointer: Checkpointer) {
    let mut desk = Desk { db, statements: Statements::new(db), buffers: Buffers::default(), queued: Counts::default() };
    let mut group: Vec<Box<dyn Task>> = Vec::with_capacity(GROUP_MAX);
    while let Some(first) = waiting.blocking_recv() {
        group.push(first);
        while group.len() < GROUP_MAX
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        serve_group(&mut desk, &mut group);
        checkpointer.after_commit(db);
    }
}

fn serve_group(desk: &mut Desk<'_>, group: &mut Vec<Box<dyn Task>>) {
    let shared = transaction(desk, group);
    if group.len() == 1 || shared.is_ok() {
        let outcome = shared.map_err(StoreError::from);
        group.drain(..).for_each(|task| task.answer(outcome.clone()));
        return;
    }
    for mut task in group.drain(..) {
        let alone = transaction(desk, std::slice::from_mut(&mut task)).map_err(StoreError::from);
        task.answer(alone);
    }
}

/// Runs `tasks` in one transaction. On a failure it is rolled back.
fn transaction(desk: &mut Desk<'_>, tasks: &mut [Box<dyn Task>]) -> Result<(), Failure> {
    desk.queued.begin();
    let done = desk.statements.begin().and_then(|()| {
        tasks.iter_mut().try_for_each(|task| task.run(desk))?;
        desk.statements.end()
    });
    if done.is_err() {
        if !desk.db.is_autocommit() {
            // Fails only where SQLite has rolled back by itself already.
            let _ = desk.db.execute_batch("ROLLBACK");
        }
        // Tables that the transaction made are gone, and their statements with them.
        desk.statements.forget_days();
        desk.queued.forget();
    }
    done
}
