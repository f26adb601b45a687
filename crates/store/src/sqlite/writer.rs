//! The writer: one thread, one connection, commits in groups.
//!
//! It takes whatever waits in the queue, does each piece of work inside one transaction, commits
//! once and then answers all. A single piece of work commits at once; nobody waits for a timer.
//! Work that fails is rolled back to its own savepoint and fails alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::task;

use super::ids::Ids;
use crate::Error;

/// The most pieces of work that wait; one more is refused as overload.
const QUEUE_LIMIT: usize = 4_096;
/// Once a group holds this many customers, it takes no further work.
const GROUP_LIMIT: usize = 512;

/// What work may use while it writes.
pub(super) struct Writing<'a> {
    pub(super) connection: &'a Connection,
    pub(super) ids: &'a mut Ids,
}

impl Writing<'_> {
    /// Does something wholly or not at all.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.execute("SAVEPOINT attempt")?;
        let done = catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or_else(|_| {
            Err(Error::Engine(
                "a panic while writing; see the log before this".into(),
            ))
        });
        match done {
            Ok(value) => {
                self.execute("RELEASE attempt")?;
                Ok(value)
            }
            Err(error) => {
                self.ids.forget();
                // A full disk has the engine roll back everything: then there is no savepoint left.
                if !self.connection.is_autocommit() {
                    self.execute("ROLLBACK TO attempt")?;
                    self.execute("RELEASE attempt")?;
                }
                Err(error)
            }
        }
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// The writer's handle.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Job {
    /// How many customers it writes.
    size: usize,
    work: Box<dyn Work>,
}

trait Work: Send {
    /// Does the work; its result waits for the commit.
    fn run(&mut self, writing: &mut Writing<'_>);
    /// Tells the result, or why the commit failed.
    fn answer(self: Box<Self>, committed: Result<(), String>);
}

struct Task<F, T> {
    work: Option<F>,
    done: Result<T, Error>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<F, T> Work for Task<F, T>
where
    F: FnOnce(&mut Writing<'_>) -> Result<T, Error> + Send,
    T: Send,
{
    fn run(&mut self, writing: &mut Writing<'_>) {
        if let Some(work) = self.work.take() {
            self.done = writing.attempt(work);
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), String>) {
        let result = committed
            .map_err(|error| Error::Engine(error.into()))
            .and(self.done);
        // A caller that has gone away does not need the answer; what was written stays.
        drop(self.reply.send(result));
    }
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, Error> {
        let (queue, waiting) = mpsc::channel(QUEUE_LIMIT);
        let thread = thread::Builder::new()
            .name("patron-writer".to_owned())
            .spawn(move || write_until_closed(&connection, waiting))
            .map_err(|error| Error::Io(error, "cannot start the writer's thread".to_owned()))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues work and waits for its commit. Should the caller stop waiting, the work is done all
    /// the same.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        size: usize,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let task = Task {
            work: Some(work),
            done: Err(Error::Closed),
            reply,
        };
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        queue
            .ok_or(Error::Closed)?
            .try_send(Job {
                size,
                work: Box::new(task),
            })
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => Error::Overloaded,
                mpsc::error::TrySendError::Closed(_) => Error::Closed,
            })?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Takes no more work, finishes what waits, and closes the connection.
    pub(super) async fn stop(&self) {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            drop(task::spawn_blocking(move || thread.join()).await);
        }
    }
}

fn write_until_closed(connection: &Connection, mut waiting: mpsc::Receiver<Job>) {
    let mut ids = Ids::default();
    while let Some(first) = waiting.blocking_recv() {
        let mut size = first.size;
        let mut group = vec![first];
        while size < GROUP_LIMIT
            && let Ok(next) = waiting.try_recv()
        {
            size = size.saturating_add(next.size);
            group.push(next);
        }
        let committed = commit(connection, &mut ids, &mut group);
        if let Err(error) = &committed {
            ids.forget();
            tracing::error!(error, jobs = group.len(), "a commit failed");
        }
        for job in group {
            job.work.answer(committed.clone());
        }
    }
}

fn commit(connection: &Connection, ids: &mut Ids, group: &mut [Job]) -> Result<(), String> {
    let text = |error: Error| match error {
        Error::Engine(source) => source.to_string(),
        other => other.to_string(),
    };
    let mut writing = Writing { connection, ids };
    writing.execute("BEGIN IMMEDIATE").map_err(text)?;
    for job in group {
        job.work.run(&mut writing);
        if connection.is_autocommit() {
            return Err("the engine rolled the transaction back".to_owned());
        }
    }
    writing.execute("COMMIT").map_err(|error| {
        if !connection.is_autocommit() {
            drop(writing.execute("ROLLBACK"));
        }
        text(error)
    })
}
