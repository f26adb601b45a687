//! Transactions: tried again where that helps, and found out about where nobody said how they ended.
//!
//! Each has a mark of its own, a row that is written with it. A transaction whose end nobody told,
//! since the connection was lost while it committed, is tried again with the same mark: then the key
//! of the mark is taken exactly if the first one was committed, and what it did is the answer.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_postgres::Statement;

use super::Inner;
use super::connection::{Connection, Connections, Parameter};
use super::failure::{
    Overtaken, has_failed, is_about_others, is_cancelled, is_closed, is_lost, late, unreachable,
};
use crate::rows::Row as _;
use crate::watch::Group;
use crate::{Error, TenantId};

/// How often a transaction is tried that meets others.
const TRIES: u32 = 20;
/// How long the first pause between two tries is, at most; each is at most twice as long as the one
/// before.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSE_LIMIT: Duration = Duration::from_millis(200);
/// For how long marks are kept, by the database's clock. Longer than anybody asks for one.
const MARKS_KEPT: i64 = 3_600_000;
/// Of how many transactions one forgets old marks.
const FORGET_EVERY: u64 = 64;
/// How many it forgets: more than come meanwhile, so that they become fewer, and few enough that
/// nobody notices.
const FORGOTTEN_AT_ONCE: i64 = 256;
/// How long a change of what is set up may take: it may have to look at every customer.
const CHANGE_LIMIT: Duration = Duration::from_mins(10);
/// For how long a transaction waits for others that may take long, before somebody else has its
/// connection; then it waits again.
pub(super) const WAIT_SHORTLY: &str = "SET LOCAL lock_timeout = '1s'";
/// The organisation that marks are of where a transaction is not one organisation's.
pub(super) const NO_TENANT: TenantId = TenantId(0);

/// Milliseconds since 1970 UTC by the database's clock, which is one for all processes.
macro_rules! now {
    () => {
        "(EXTRACT(EPOCH FROM now()) * 1000)::BIGINT"
    };
}

/// Not `READ WRITE`: a database that is not to be written to any more says so by its default.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const MARK: &str = concat!(
    "INSERT INTO commit_mark (organisation_id, mark, attempt, committed_at)
     VALUES ($1, $2, $3, ",
    now!(),
    ") ON CONFLICT (organisation_id, mark) DO NOTHING RETURNING attempt"
);
const MARKED: &str = "SELECT attempt FROM commit_mark WHERE organisation_id = $1 AND mark = $2";
/// The row that the probes of all processes share: it has no bytes, as no transaction's mark does.
const PROBE: &str = concat!(
    "INSERT INTO commit_mark (organisation_id, mark, attempt, committed_at)
     VALUES (0, '', 1, ",
    now!(),
    ") ON CONFLICT (organisation_id, mark) DO UPDATE SET committed_at = EXCLUDED.committed_at"
);
const FORGET: &str = concat!(
    "DELETE FROM commit_mark WHERE organisation_id = $1 AND mark IN (
        SELECT mark FROM commit_mark WHERE organisation_id = $1 AND committed_at < ",
    now!(),
    " - $2::BIGINT ORDER BY committed_at LIMIT $3 FOR UPDATE SKIP LOCKED)"
);

/// By what the tries of a transaction are known, and until when they may go on.
struct Mark {
    tenant: TenantId,
    bytes: [u8; 16],
    deadline: Instant,
}

/// How a try ended.
enum Ended<T> {
    /// After a commit that took so long.
    Committed(T, Duration),
    /// An earlier try, this one, was committed.
    Earlier(i64),
    /// Nothing was written, by an earlier try neither, and another one would end the same.
    Refused(Error),
    /// The same, but another try may do better.
    Again(Error),
    /// Nothing was written by this try, and the connection is of no use.
    Lost(Error),
    /// It is not known whether this was written by a commit that began then.
    Unknown(T, Instant),
}

/// What a transaction is about, and how long it may take.
#[derive(Clone, Copy)]
pub(super) struct Aim {
    pub(super) tenant: TenantId,
    pub(super) requests: usize,
    pub(super) customers: usize,
    purpose: Purpose,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Registrations,
    /// A change of what is set up.
    Change,
    Other,
}

impl Aim {
    /// One request of an organisation.
    pub(super) const fn one(tenant: TenantId) -> Self {
        Self { tenant, requests: 1, customers: 1, purpose: Purpose::Other }
    }

    /// A group of registrations.
    pub(super) const fn group(tenant: TenantId, requests: usize, customers: usize) -> Self {
        Self { tenant, requests, customers, purpose: Purpose::Registrations }
    }

    /// A change of what is set up.
    pub(super) const fn change(tenant: TenantId) -> Self {
        Self { purpose: Purpose::Change, ..Self::one(tenant) }
    }
}

impl Inner {
    /// Does something wholly or not at all; `work` may be done several times.
    ///
    /// # Errors
    /// [`Error::Unreachable`] where the database could not be reached in time and nothing was
    /// written; [`Error::OutcomeUnknown`] where it is not known whether anything was; whatever the
    /// work refuses.
    pub(super) async fn transact<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        aim: Aim,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let done = self.try_until_known(aim, work).await;
        self.tell(aim, started.elapsed(), done.as_ref().map(|(_, commit)| *commit));
        done.map(|(done, _)| done)
    }

    /// Tells whoever watches of what was committed, and of what was to be and was not; and the log that
    /// commits began to fail, or succeed again, and not of each that does.
    fn tell(&self, aim: Aim, took: Duration, committed: Result<Duration, &Error>) {
        let Aim { requests, customers, .. } = aim;
        let commit = match committed {
            Ok(commit) => Some(commit),
            Err(error) if has_failed(error) => None,
            Err(_) => return,
        };
        let was_failing = self.is_failing.swap(commit.is_none(), Ordering::Relaxed);
        match committed {
            Err(error) if !was_failing => {
                tracing::error!(error = error.chain(), jobs = requests, "a commit failed");
            }
            Ok(_) if was_failing => tracing::info!("commits succeed again"),
            _ => {}
        }
        self.watched.wrote(Group { requests, customers, took, commit });
    }

    /// Registrations have connections of their own, so that they wait for nothing else.
    const fn connections(&self, purpose: Purpose) -> &Connections {
        match purpose {
            Purpose::Registrations => &self.groups,
            Purpose::Change | Purpose::Other => &self.others,
        }
    }

    /// What was done, and how long it took to commit it and to know that.
    async fn try_until_known<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        Aim { tenant, purpose, .. }: Aim,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<(T, Duration), Error> {
        let connections = self.connections(purpose);
        let is_in_vain = |error: &Error| {
            connections.is_broken() || matches!(error, Error::Closed | Error::Overloaded)
        };
        let limit = if purpose == Purpose::Change { CHANGE_LIMIT } else { self.deadline };
        let deadline = Instant::now() + limit;
        let mark = Mark { tenant, bytes: self.random.u128().to_be_bytes(), deadline };
        let mut unknown: Vec<(i64, T, Instant)> = Vec::new();
        let mut tries: u32 = 0;
        loop {
            tries = tries.saturating_add(1);
            let attempt = i64::from(tries);
            let ended = match connections.get().await {
                Ok(connection) => self.attempt(connection, &mark, attempt, &work).await,
                Err(error) => Ended::Lost(error),
            };
            if matches!(ended, Ended::Refused(_) | Ended::Again(_)) {
                // It left its mark, which it could not have beside another one.
                unknown.clear();
            }
            let is_late = Instant::now() >= deadline;
            let error = match ended {
                Ended::Committed(done, commit) => return Ok((done, commit)),
                Ended::Earlier(attempt) => {
                    let earlier = unknown.into_iter().find(|(earlier, ..)| *earlier == attempt);
                    let earlier = earlier.map(|(_, done, began)| (done, began.elapsed()));
                    return earlier.ok_or(Error::OutcomeUnknown);
                }
                Ended::Unknown(done, began) => {
                    unknown.push((attempt, done, began));
                    Error::OutcomeUnknown
                }
                Ended::Refused(error) => return Err(error),
                Ended::Again(error) if is_late || tries >= TRIES => return Err(error),
                // While nobody knows whether it was written, there is nothing to do but ask.
                Ended::Lost(error) if unknown.is_empty() && (is_late || is_in_vain(&error)) => {
                    return Err(unreachable(error));
                }
                Ended::Again(error) | Ended::Lost(error) => error,
            };
            if is_late {
                tracing::warn!(
                    error = error.chain(),
                    "it is not known whether something was written"
                );
                return Err(Error::OutcomeUnknown);
            }
            tokio::time::sleep(pause(tries, self.random.u64())).await;
        }
    }

    /// Reads; once more where the connection is closed over it, as those are that were kept while the
    /// database was away.
    pub(super) async fn read<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + self.deadline;
        let mut is_first = true;
        loop {
            let connection = self.readers.get().await.inspect_err(|error| self.refused(error))?;
            match timeout_at(deadline, work(connection.clone())).await {
                Err(_) => {
                    connection.give_up();
                    self.readers.doubt();
                    return Err(late());
                }
                Ok(Err(error)) if is_first && is_closed(&error) => {
                    connection.give_up();
                    is_first = false;
                }
                Ok(Err(error)) if is_lost(&error) || is_cancelled(&error) => {
                    return Err(unreachable(error));
                }
                Ok(done) => return done,
            }
        }
    }

    /// Tells whoever watches that somebody was refused, where it was for want of room.
    pub(super) fn refused(&self, error: &Error) {
        if matches!(error, Error::Overloaded) {
            self.watched.refused();
        }
    }

    /// Does something, and undoes it.
    pub(super) async fn undo<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        let work = &work;
        self.repeat(|connection| async move {
            let begin = connection.run(BEGIN);
            let done = tokio::try_join!(biased; begin, work(connection.clone()));
            connection.run("ROLLBACK").await?;
            done.map(|((), done)| done)
        })
        .await
    }

    /// Commits one row, the same each time, so that probes leave nothing behind that grows.
    ///
    /// # Errors
    /// The database takes no writes.
    pub(super) async fn probe(&self) -> Result<(), Error> {
        let started = Instant::now();
        let probed =
            self.repeat(|connection| async move { connection.execute(PROBE, &[]).await.map(drop) });
        let probed = probed.await;
        let took = started.elapsed();
        self.tell(Aim::one(NO_TENANT), took, probed.as_ref().map(|()| took));
        probed
    }

    /// Does something that may be done again, until it is done or cannot be.
    async fn repeat<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + self.deadline;
        for tries in 1..=TRIES {
            let connection = self.others.get().await.inspect_err(|error| self.refused(error))?;
            connection.is_open(true);
            let done = timeout_at(deadline, work(connection.clone())).await.map_err(|_| {
                self.others.doubt();
                late()
            })?;
            match done {
                Ok(done) => {
                    connection.is_open(false);
                    return Ok(done);
                }
                Err(error) if is_about_others(&error) => connection.is_open(false),
                Err(error) if is_lost(&error) && Instant::now() < deadline => {}
                Err(error) if is_lost(&error) => return Err(unreachable(error)),
                Err(error) => {
                    connection.is_open(false);
                    return Err(error);
                }
            }
            drop(connection);
            tokio::time::sleep(pause(tries, self.random.u64())).await;
        }
        Err(late())
    }

    async fn attempt<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        connection: Connection,
        mark: &Mark,
        attempt: i64,
        work: &(impl Fn(Connection) -> W + Sync),
    ) -> Ended<T> {
        connection.is_open(true);
        if attempt > 1 {
            match timeout_at(mark.deadline, begin_again(&connection, mark, attempt)).await {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(earlier))) => return Ended::Earlier(earlier),
                Ok(Err(error)) => return Ended::Lost(error),
                Err(_) => return self.silent(),
            }
        }
        let done = async {
            let statement = connection.prepare(MARK).await?;
            let begun = async {
                match attempt {
                    // Nobody can have this mark yet.
                    1 => begin(&connection, &statement, mark, attempt).await.map(drop),
                    _ => Ok(()),
                }
            };
            let ((), done) = tokio::try_join!(biased; begun, work(connection.clone()))?;
            if attempt == 1 && self.random.u64().is_multiple_of(FORGET_EVERY) {
                let old: [Parameter<'_>; 3] = [&mark.tenant.0, &MARKS_KEPT, &FORGOTTEN_AT_ONCE];
                connection.execute(FORGET, &old).await?;
            }
            Ok(done)
        };
        // A connection of which no answer comes is closed, and nothing that waits is called off.
        match timeout_at(mark.deadline, done).await {
            Ok(Ok(done)) => self.commit(&connection, mark, done).await,
            Ok(Err(error)) => undone(&connection, mark, error).await,
            Err(_) => self.silent(),
        }
    }

    /// No answer came in time.
    fn silent<T>(&self) -> Ended<T> {
        self.others.doubt();
        Ended::Lost(late())
    }

    /// Where anything but its success is heard of a commit, nobody knows whether it happened.
    async fn commit<T>(&self, connection: &Connection, mark: &Mark, done: T) -> Ended<T> {
        let started = Instant::now();
        match timeout_at(mark.deadline, connection.run("COMMIT")).await {
            Ok(Ok(())) => {
                connection.is_open(false);
                Ended::Committed(done, started.elapsed())
            }
            Ok(Err(_)) => Ended::Unknown(done, started),
            Err(_) => {
                self.others.doubt();
                Ended::Unknown(done, started)
            }
        }
    }
}

/// Begins a transaction and leaves the mark; whether it was not there yet.
async fn begin(
    connection: &Connection,
    statement: &Statement,
    mark: &Mark,
    attempt: i64,
) -> Result<bool, Error> {
    let bytes = mark.bytes.as_slice();
    let marked: [Parameter<'_>; 3] = [&mark.tenant.0, &bytes, &attempt];
    let ((), left) = tokio::try_join!(
        biased;
        connection.run(BEGIN),
        connection.rows(statement, &marked),
    )?;
    Ok(!left.is_empty())
}

/// The same after an earlier try, which is told where it was committed.
async fn begin_again(
    connection: &Connection,
    mark: &Mark,
    attempt: i64,
) -> Result<Option<i64>, Error> {
    let statement = connection.prepare(MARK).await?;
    // Waits for the end of an earlier try that is still under way.
    if begin(connection, &statement, mark, attempt).await? {
        return Ok(None);
    }
    let parameters: [Parameter<'_>; 2] = [&mark.tenant.0, &mark.bytes.as_slice()];
    let earlier = connection.first(MARKED, &parameters, |row| row.number("attempt")).await?;
    earlier.map(Some).ok_or_else(|| Overtaken.into())
}

/// What becomes of a try that failed before it was to be committed.
async fn undone<T>(connection: &Connection, mark: &Mark, error: Error) -> Ended<T> {
    let rolled_back = timeout_at(mark.deadline, connection.run("ROLLBACK")).await;
    if is_lost(&error) || !matches!(rolled_back, Ok(Ok(()))) {
        return Ended::Lost(error);
    }
    connection.is_open(false);
    if is_about_others(&error) { Ended::Again(error) } else { Ended::Refused(error) }
}

fn pause(tries: u32, random: u64) -> Duration {
    let most = PAUSE.saturating_mul(1 << tries.min(8)).min(PAUSE_LIMIT);
    let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % most.max(1))
}
