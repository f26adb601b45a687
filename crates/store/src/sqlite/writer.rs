//! The writer: one thread, one connection, commits in groups.
//!
//! It takes a group of what waits (see [`Lanes`]), does each piece of work inside one transaction,
//! commits once and then answers all. A single piece of work commits at once; nobody waits for a
//! timer. Work that fails is rolled back and fails alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tracing::{Span, trace_span};

use super::damage::{Damage, is_damage};
use super::files::OpenFiles;
use super::ids::Ids;
use super::lock;
use super::recent::{Recent, RecentInGroup};
use super::versions::{Touched, Versions};
use crate::lanes::Lanes;
use crate::limits::WRITES_WAITING;
use crate::watch::{Group, STAGES, Watched};
use crate::{Error, TenantId};

/// What work may use while it writes.
pub(super) struct Writing<'a> {
    pub(super) connection: &'a Connection,
    pub(super) ids: &'a mut Ids,
    pub(super) recent: &'a mut RecentInGroup,
    /// What nobody can foretell.
    pub(super) random: &'a mut StdRng,
    versions: &'a Versions,
    damage: &'a Damage,
    /// What this group has changed of the configuration so far.
    touched: Touched,
    /// Whether each piece of work can be undone alone.
    is_careful: bool,
    /// Why nothing of the group may be committed, where that is so.
    spoilt: Option<String>,
    /// Whether that is only because a piece of work could not be undone alone.
    is_to_be_repeated: bool,
    /// How long the commit took, once it is on disk.
    commit: Option<Duration>,
}

impl Writing<'_> {
    /// Does something wholly or not at all. Whatever writes, writes in here.
    ///
    /// A savepoint has every page copied that is written after it, and work that fails once it has
    /// begun to write is rare. So at first there is none: the group is rolled back, and written
    /// again with one for each piece of work.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.is_careful {
            return self.attempt_alone(work);
        }
        let done = caught(|| work(self));
        if let Err(error) = &done {
            self.damage.note(error);
            self.is_to_be_repeated = !fails_the_group(error) && !self.connection.is_autocommit();
            self.spoilt.get_or_insert_with(|| error.chain());
        }
        done
    }

    fn attempt_alone<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.execute("SAVEPOINT attempt")?;
        let (ids, recent) = (self.ids.changes(), self.recent.changes());
        let done = caught(|| work(self));
        if done.is_err() {
            self.ids.undo(ids);
            self.recent.undo(recent);
        }
        if let Err(error) = &done {
            self.damage.note(error);
            if fails_the_group(error) || self.connection.is_autocommit() {
                self.spoilt.get_or_insert_with(|| error.chain());
            }
        }
        if let Err(error) = self.end(done.is_ok()) {
            self.spoilt.get_or_insert_with(|| error.chain());
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
        let undone = self.attempt_alone(|writing| {
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

    /// Records that this group changes documents of an organisation.
    pub(super) fn touch_organisation(&mut self, tenant: TenantId) {
        self.touched.organisations.insert(tenant);
    }

    /// Records that this group changes credentials.
    pub(super) fn touch_credentials(&mut self) {
        self.touched.credentials = true;
    }

    /// Refuses an organisation that was loaded at another version of its documents. Changes of
    /// other organisations do not matter.
    pub(super) fn check_version(&self, tenant: TenantId, version: u64) -> Result<(), Error> {
        let is_current =
            !self.touched.organisations.contains(&tenant) && version == self.versions.of(tenant);
        is_current.then_some(()).ok_or(Error::Stale)
    }

    /// Whether nothing more can be written in this group.
    pub(super) fn is_over(&self) -> bool {
        self.spoilt.is_some() || self.connection.is_autocommit()
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// A panic is a failure like any other.
fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::Engine("a panic while writing; see the log before this".into()))
    })
}

/// Whether it is the store that fails, and not one piece of work: then the others would fail as
/// well, and whoever sent them is to send them again.
fn fails_the_group(error: &Error) -> bool {
    let Error::Engine(source) = error else { return false };
    let code = source.downcast_ref().and_then(rusqlite::Error::sqlite_error_code);
    matches!(
        code,
        Some(
            ErrorCode::DiskFull
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
        )
    ) || is_damage(error)
}

/// The writer's handle.
pub(super) struct Writer {
    /// Bounded by `room`.
    queue: Mutex<Option<mpsc::UnboundedSender<Job>>>,
    /// As many permits as customers may wait.
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    /// A change is on disk before it is counted here.
    versions: Arc<Versions>,
    /// Closed once the thread and its connection are gone.
    ended: watch::Receiver<()>,
    watched: Watched,
}

struct Job {
    /// How many customers it writes.
    customers: usize,
    work: Box<dyn Work>,
    /// Its part of what may wait, given back before the answer.
    room: OwnedSemaphorePermit,
    /// Where in a trace the work was asked for.
    asked: Span,
    /// The stage that it is at: waiting for its turn, or for its commit.
    stage: Span,
}

trait Work: Send {
    /// Does the work; its result waits for the commit. May be done again once it was undone.
    fn run(&mut self, writing: &mut Writing<'_>);
    /// Tells the result, or why the commit failed.
    fn answer(self: Box<Self>, committed: Result<(), Arc<Error>>);
}

struct Task<F, T> {
    work: F,
    done: Result<T, Error>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<F, T> Work for Task<F, T>
where
    F: FnMut(&mut Writing<'_>) -> Result<T, Error> + Send,
    T: Send,
{
    fn run(&mut self, writing: &mut Writing<'_>) {
        self.done = (self.work)(writing);
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<Error>>) {
        let result = committed.map_err(Error::NotCommitted).and(self.done);
        // A caller that has gone away does not need the answer; what was written stays.
        drop(self.reply.send(result));
    }
}

impl Writer {
    /// `files` are those that the connection has open, where it has any.
    pub(super) fn start(
        connection: Connection,
        files: Option<OpenFiles>,
        recent: Arc<Recent>,
        damage: Damage,
        watched: Watched,
    ) -> Result<Self, Error> {
        let (queue, waiting) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(WRITES_WAITING as usize));
        let (end, ended) = watch::channel(());
        let versions = Arc::new(Versions::default());
        let random = StdRng::try_from_rng(&mut SysRng).map_err(|error| {
            let what = "cannot get randomness from the system".to_owned();
            Error::Io { what, source: std::io::Error::other(error) }
        })?;
        let worker = Worker {
            connection,
            files,
            ids: Ids::default(),
            recent: RecentInGroup::new(recent),
            random,
            versions: Arc::clone(&versions),
            damage,
            is_failing: false,
            watched: watched.clone(),
        };
        let thread = thread::Builder::new()
            .name("patron-writer".to_owned())
            .spawn(move || {
                worker.write_until_closed(waiting);
                drop(end);
            })
            .map_err(|source| {
                let what = "cannot start the writer's thread".to_owned();
                Error::Io { what, source }
            })?;
        let (queue, thread) = (Mutex::new(Some(queue)), Some(thread));
        Ok(Self { queue, room, thread, versions, ended, watched })
    }

    /// The versions of the configuration.
    pub(super) fn versions(&self) -> &Versions {
        &self.versions
    }

    /// How many customers wait to be written or are being written.
    pub(super) fn waiting(&self) -> usize {
        (WRITES_WAITING as usize).saturating_sub(self.room.available_permits())
    }

    /// Queues work that is done wholly or not at all, and waits for its commit. Should the caller
    /// stop waiting, the work is done all the same.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Writing<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.write_each(1, move |writing| writing.attempt(&mut work)).await
    }

    /// As [`Self::write`], for work on several customers, each of whom it attempts alone.
    pub(super) async fn write_each<T: Send + 'static>(
        &self,
        customers: usize,
        work: impl FnMut(&mut Writing<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let task = Task { work, done: Err(Error::Closed), reply };
        self.enqueue(customers, Box::new(task))?;
        answer.await.map_err(|_| Error::Closed)?
    }

    fn enqueue(&self, customers: usize, work: Box<dyn Work>) -> Result<(), Error> {
        let queue = lock(&self.queue);
        let queue = queue.as_ref().ok_or(Error::Closed)?;
        // Work for more customers than may wait is taken where nothing else waits.
        let permits = u32::try_from(customers).unwrap_or(u32::MAX).clamp(1, WRITES_WAITING);
        let room = Arc::clone(&self.room).try_acquire_many_owned(permits);
        let room = room.map_err(|_| {
            self.watched.refused();
            Error::Overloaded
        })?;
        let (asked, stage) = (Span::current(), trace_span!(target: STAGES, "queue"));
        queue.send(Job { customers, work, room, asked, stage }).map_err(|_| Error::Closed)
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

/// What the writer's thread has.
struct Worker {
    connection: Connection,
    files: Option<OpenFiles>,
    ids: Ids,
    recent: RecentInGroup,
    random: StdRng,
    versions: Arc<Versions>,
    damage: Damage,
    /// Whether the last commit failed.
    is_failing: bool,
    watched: Watched,
}

/// What came of writing a group.
struct Attempt {
    committed: Result<(), Error>,
    touched: Touched,
    is_to_be_repeated: bool,
    commit: Option<Duration>,
}

impl Worker {
    fn write_until_closed(mut self, mut queue: mpsc::UnboundedReceiver<Job>) {
        let mut lanes = Lanes::new();
        while let Some(mut group) = next_group(&mut lanes, &mut queue) {
            let committed = self.write(&mut group).map_err(Arc::new);
            self.tell(committed.as_ref().map_err(Arc::as_ref), group.len());
            for job in group {
                drop((job.room, job.asked, job.stage));
                job.work.answer(committed.clone());
            }
        }
        // Not done, it is found when the data are opened again.
        if let Err(error) = self.recent.merge_all(&self.connection) {
            tracing::warn!(error = error.chain(), "recent identifiers stay recent");
        }
    }

    fn write(&mut self, group: &mut [Job]) -> Result<(), Error> {
        let started = Instant::now();
        let mut attempt = self.attempt(group, false);
        if attempt.is_to_be_repeated {
            self.ids.undo(0);
            self.recent.undo(0);
            attempt = self.attempt(group, true);
        }
        // Also after a commit that failed: what is on disk then is not known.
        self.versions.advance(&attempt.touched);
        if attempt.committed.is_ok() {
            self.ids.keep();
            self.recent.keep();
        } else {
            self.ids.forget();
            self.recent.forget();
        }
        self.watched.wrote(Group {
            requests: group.len(),
            customers: group.iter().map(|job| job.customers).sum(),
            took: started.elapsed(),
            commit: attempt.commit,
        });
        attempt.committed
    }

    fn attempt(&mut self, group: &mut [Job], is_careful: bool) -> Attempt {
        let mut writing = Writing {
            connection: &self.connection,
            ids: &mut self.ids,
            recent: &mut self.recent,
            random: &mut self.random,
            versions: &self.versions,
            damage: &self.damage,
            touched: Touched::default(),
            is_careful,
            spoilt: None,
            is_to_be_repeated: false,
            commit: None,
        };
        let committed = commit(&mut writing, group, self.files.as_ref(), self.is_failing);
        if let Err(error) = &committed {
            self.damage.note(error);
        }
        let Writing { touched, is_to_be_repeated, commit, .. } = writing;
        Attempt { committed, touched, is_to_be_repeated, commit }
    }

    /// Tells the log that commits began to fail, or succeed again, and not of each that does.
    fn tell(&mut self, committed: Result<&(), &Error>, jobs: usize) {
        match committed {
            Err(error) if !self.is_failing => {
                tracing::error!(error = error.chain(), jobs, "a commit failed");
            }
            Ok(()) if self.is_failing => tracing::info!("commits succeed again"),
            _ => {}
        }
        self.is_failing = committed.is_err();
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

fn commit(
    writing: &mut Writing<'_>,
    group: &mut [Job],
    files: Option<&OpenFiles>,
    was_failing: bool,
) -> Result<(), Error> {
    let done = (|| {
        files.map_or(Ok(()), OpenFiles::check)?;
        writing.recent.know(writing.connection)?;
        writing.execute("BEGIN IMMEDIATE")?;
        if was_failing {
            write_something(writing.connection)?;
        }
        for job in group.iter_mut() {
            job.stage = Span::none();
            job.asked.in_scope(|| job.work.run(writing));
            if writing.is_over() {
                return Err(Error::GivenUp(writing.spoilt.take().unwrap_or_default()));
            }
        }
        writing.recent.merge(writing.connection)?;
        for job in group {
            job.stage = trace_span!(target: STAGES, parent: &job.asked, "commit");
        }
        let started = Instant::now();
        writing.execute("COMMIT")?;
        writing.commit = Some(started.elapsed());
        // What went into a file that was removed meanwhile will not be found again.
        files.map_or(Ok(()), OpenFiles::check)
    })();
    if done.is_err() && !writing.connection.is_autocommit() {
        drop(writing.execute("ROLLBACK"));
    }
    done
}

/// After a failure, a commit that has nothing to write tells nothing of whether writing succeeds
/// again; so it writes a number that nobody reads, as it is.
fn write_something(connection: &Connection) -> Result<(), Error> {
    const UNUSED: &str = "user_version";
    let version: i32 = connection.pragma_query_value(None, UNUSED, |row| row.get(0))?;
    Ok(connection.pragma_update(None, UNUSED, version)?)
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;
    use crate::sqlite::{Location, Tuning, open};

    /// A statement of several rows is undone by itself when the disk is full, and its transaction
    /// goes on.
    const TOO_MUCH: &str =
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 1000)
         INSERT INTO thing SELECT zeroblob(4096) FROM n";

    fn run(writing: &mut Writing<'_>, sql: &str) -> Result<(), Error> {
        writing.attempt(|writing| Ok(writing.connection.execute_batch(sql)?))
    }

    /// The file may not grow, as if the disk were full; then it may.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_fills_the_disk_fails_with_its_neighbours_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::Directory(directory.path().to_owned());
        let opened = open::open(&location, &Tuning::default()).unwrap();
        opened.writer.execute_batch("CREATE TABLE thing (thing BLOB)").unwrap();
        let pages: i64 =
            opened.writer.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let limit = |pages: i64| format!("PRAGMA max_page_count = {pages}");
        opened.writer.execute_batch(&limit(pages + 20)).unwrap();
        let damage = Damage::none(&opened.writer);
        let writer = Arc::new(
            Writer::start(opened.writer, opened.files, opened.recent, damage, Watched::default())
                .unwrap(),
        );

        // A batch of which one customer fails, and single ones that may be in its group.
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let writer = Arc::clone(&writer);
            tasks.spawn(async move {
                writer
                    .write(|writing| {
                        Ok(writing.connection.execute_batch("INSERT INTO thing VALUES (1)")?)
                    })
                    .await
                    .is_ok()
            });
        }
        let batch = writer.write_each(3, |writing| {
            run(writing, "INSERT INTO thing VALUES (2)")?;
            let failed = run(writing, TOO_MUCH).unwrap_err();
            assert!(writing.is_over(), "{failed:?}");
            Ok(())
        });
        let refused = batch.await.unwrap_err();
        assert!(refused.chain().contains("full"), "{}", refused.chain());
        let kept = tasks.join_all().await.into_iter().map(u32::from).sum::<u32>();
        assert_eq!(rows(&writer).await, kept);

        let lift = limit(1 << 30);
        let lifted =
            writer.write_each(1, move |writing| Ok(writing.connection.execute_batch(&lift)?));
        lifted.await.unwrap();
        writer.write_each(1, |writing| run(writing, TOO_MUCH)).await.unwrap();
        assert_eq!(rows(&writer).await, kept + 1_000);
        writer.stop().await;
    }

    async fn rows(writer: &Writer) -> u32 {
        let read = |writing: &mut Writing<'_>| {
            Ok(writing.connection.query_row("SELECT count(*) FROM thing", [], |row| row.get(0))?)
        };
        writer.write(read).await.unwrap()
    }
}
