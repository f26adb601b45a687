//! The writer: one thread, one connection, commits in groups.
//!
//! It takes a group of what waits (see [`Lanes`]), does each piece of work inside one transaction,
//! commits once and then answers all. A single piece of work commits at once; nobody waits for a
//! timer. Work that fails is rolled back to its own savepoint and fails alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::ids::Ids;
use super::lanes::Lanes;
use super::lock;
use crate::{Error, Tenant};

/// The most customers who wait to be written; work past it is refused as overload. At some
/// thousands a second, what waits is done within about one.
const WAITING_LIMIT: u32 = 8_192;

/// What work may use while it writes.
pub(super) struct Writing<'a> {
    pub(super) connection: &'a Connection,
    pub(super) ids: &'a mut Ids,
    /// What nobody can foretell.
    pub(super) random: &'a mut StdRng,
    /// The generation of what is set up, as this group found it.
    generation: u64,
    /// Something that is set up was changed in this group.
    changed: bool,
    /// Something could neither be done nor undone: the group must not be committed.
    spoilt: bool,
}

impl Writing<'_> {
    /// Does something wholly or not at all. Whatever writes, writes in here.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.execute("SAVEPOINT attempt")?;
        let changes = self.ids.changes();
        let done = catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or_else(|_| {
            Err(Error::Engine("a panic while writing; see the log before this".into()))
        });
        if done.is_err() {
            self.ids.undo(changes);
        }
        if let Err(error) = self.end(done.is_ok()) {
            self.spoilt = true;
            return Err(error);
        }
        done
    }

    /// Does something, and undoes it.
    pub(super) fn rehearse<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut rehearsed = None;
        let undone = self.attempt(|writing| {
            rehearsed = Some(work(writing)?);
            // Any error, so that what was done is undone.
            Err::<T, _>(Error::Closed)
        });
        rehearsed.map_or(undone, Ok)
    }

    fn end(&self, keep: bool) -> Result<(), Error> {
        // A full disk has the engine roll back everything: then there is no savepoint left.
        if !keep && self.connection.is_autocommit() {
            return Ok(());
        }
        if !keep {
            self.execute("ROLLBACK TO attempt")?;
        }
        self.execute("RELEASE attempt")
    }

    /// Notes that something that is set up changes with this group.
    pub(super) fn change_set_up(&mut self) {
        self.changed = true;
    }

    /// Refuses an organisation that was loaded before something that is set up was changed.
    pub(super) fn check_current(&self, tenant: &Tenant) -> Result<(), Error> {
        let current = !self.changed && tenant.generation == self.generation;
        current.then_some(()).ok_or(Error::Stale)
    }

    /// Whether nothing more can be written in this group.
    pub(super) fn is_over(&self) -> bool {
        self.spoilt || self.connection.is_autocommit()
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// The writer's handle.
pub(super) struct Writer {
    /// Bounded by `room`.
    queue: Mutex<Option<mpsc::UnboundedSender<Job>>>,
    /// As many permits as customers may wait.
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    /// Counts the changes of what is set up; each is on disk before it is counted.
    generation: Arc<AtomicU64>,
    /// Closed once the thread and its connection are gone.
    ended: watch::Receiver<()>,
}

struct Job {
    /// How many customers it writes.
    customers: usize,
    work: Box<dyn Work>,
    /// Its part of what may wait, given back with the answer.
    _room: OwnedSemaphorePermit,
}

trait Work: Send {
    /// Does the work; its result waits for the commit.
    fn run(&mut self, writing: &mut Writing<'_>);
    /// Tells the result, or why the commit failed.
    fn answer(self: Box<Self>, committed: Result<(), Arc<Error>>);
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
            self.done = work(writing);
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<Error>>) {
        let result = committed.map_err(Error::NotCommitted).and(self.done);
        // A caller that has gone away does not need the answer; what was written stays.
        drop(self.reply.send(result));
    }
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, Error> {
        let (queue, waiting) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(WAITING_LIMIT as usize));
        let (end, ended) = watch::channel(());
        let generation = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&generation);
        let random = StdRng::try_from_rng(&mut SysRng).map_err(|error| {
            let what = "cannot get randomness from the system".to_owned();
            Error::Io { what, source: std::io::Error::other(error) }
        })?;
        let thread = thread::Builder::new()
            .name("patron-writer".to_owned())
            .spawn(move || {
                write_until_closed(&connection, waiting, &counted, random);
                drop((connection, end));
            })
            .map_err(|source| {
                let what = "cannot start the writer's thread".to_owned();
                Error::Io { what, source }
            })?;
        Ok(Self { queue: Mutex::new(Some(queue)), room, thread: Some(thread), generation, ended })
    }

    /// The generation of what is set up.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Queues work that is done wholly or not at all, and waits for its commit. Should the caller
    /// stop waiting, the work is done all the same.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.write_each(1, |writing| writing.attempt(work)).await
    }

    /// As [`Self::write`], for work on several customers, each of whom it attempts alone.
    pub(super) async fn write_each<T: Send + 'static>(
        &self,
        customers: usize,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let task = Task { work: Some(work), done: Err(Error::Closed), reply };
        self.enqueue(customers, Box::new(task))?;
        answer.await.map_err(|_| Error::Closed)?
    }

    fn enqueue(&self, customers: usize, work: Box<dyn Work>) -> Result<(), Error> {
        let queue = lock(&self.queue);
        let queue = queue.as_ref().ok_or(Error::Closed)?;
        // Work for more customers than may wait is taken where nothing else waits.
        let permits = u32::try_from(customers).unwrap_or(u32::MAX).clamp(1, WAITING_LIMIT);
        let room = Arc::clone(&self.room).try_acquire_many_owned(permits);
        let room = room.map_err(|_| Error::Overloaded)?;
        queue.send(Job { customers, work, _room: room }).map_err(|_| Error::Closed)
    }

    /// Takes no more work, finishes what waits, and closes the connection. Whoever calls it while
    /// another does waits for the same end.
    pub(super) async fn stop(&self) {
        self.take_no_more();
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    fn take_no_more(&self) {
        drop(lock(&self.queue).take());
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.take_no_more();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn write_until_closed(
    connection: &Connection,
    mut queue: mpsc::UnboundedReceiver<Job>,
    generation: &AtomicU64,
    mut random: StdRng,
) {
    let mut ids = Ids::default();
    let mut lanes = Lanes::new();
    while let Some(mut group) = next_group(&mut lanes, &mut queue) {
        let mut writing = Writing {
            connection,
            ids: &mut ids,
            random: &mut random,
            generation: generation.load(Ordering::Acquire),
            changed: false,
            spoilt: false,
        };
        let committed = commit(&mut writing, &mut group).map_err(Arc::new);
        if writing.changed {
            generation.fetch_add(1, Ordering::Release);
        }
        match &committed {
            Ok(()) => ids.keep(),
            Err(error) => {
                ids.forget();
                tracing::error!(error = error.chain(), jobs = group.len(), "a commit failed");
            }
        }
        for job in group {
            job.work.answer(committed.clone());
        }
    }
}

/// Waits until there is something to do; `None` once the queue is closed and empty.
fn next_group(
    lanes: &mut Lanes<Job>,
    queue: &mut mpsc::UnboundedReceiver<Job>,
) -> Option<Vec<Job>> {
    if lanes.is_empty() {
        let first = queue.blocking_recv()?;
        lanes.push(first.customers, first);
    }
    while let Ok(next) = queue.try_recv() {
        lanes.push(next.customers, next);
    }
    Some(lanes.next_group())
}

fn commit(writing: &mut Writing<'_>, group: &mut [Job]) -> Result<(), Error> {
    let done = (|| {
        writing.execute("BEGIN IMMEDIATE")?;
        for job in group {
            job.work.run(writing);
            if writing.is_over() {
                return Err(Error::Engine("the transaction was given up".into()));
            }
        }
        writing.execute("COMMIT")
    })();
    if done.is_err() && !writing.connection.is_autocommit() {
        drop(writing.execute("ROLLBACK"));
    }
    done
}
