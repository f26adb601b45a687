//! Transactions: tried again where that helps, and found out about where nobody said how they ended.
//!
//! Each has a mark of its own, a row that is written with it. A transaction whose end nobody told,
//! since the connection was lost while it committed, is tried again with the same mark: then the key
//! of the mark is taken exactly if the first one was committed, and what it did is the answer.

use std::future::Future;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio_postgres::error::SqlState;

use super::Inner;
use super::connection::{Connection, Parameter};
use super::rows::{code, database_error};
use crate::watch::Group;
use crate::{Error, TenantId};

/// How often a transaction is tried that meets others.
const TRIES: u32 = 20;
/// How long the first pause between two tries is, at most; each is at most twice as long as the one
/// before.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSE_LIMIT: Duration = Duration::from_millis(200);
/// For how long marks are kept. Longer than anybody asks for one.
const MARKS_KEPT: i64 = 3_600_000;
/// Of how many transactions one forgets old marks.
const FORGET_EVERY: u64 = 64;
/// The organisation that marks are of where a transaction is not one organisation's.
pub(super) const NO_TENANT: TenantId = TenantId(0);

/// Not `READ WRITE`: a database that is not to be written to any more says so by its default.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const MARK: &str = "INSERT INTO commit_mark (organisation_id, mark, attempt, committed_at)
                    VALUES ($1, $2, $3, $4)";
const MARKED: &str = "SELECT attempt FROM commit_mark WHERE organisation_id = $1 AND mark = $2";
const FORGET: &str = "DELETE FROM commit_mark WHERE organisation_id = $1 AND committed_at < $2";
const MARK_KEY: &str = "commit_mark_pkey";

/// What is read does not go together any more: somebody else changed it meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("what was read was changed meanwhile")]
pub(super) struct Overtaken;

impl From<Overtaken> for Error {
    fn from(overtaken: Overtaken) -> Self {
        Self::Engine(Box::new(overtaken))
    }
}

/// How a try ended.
enum Ended<T> {
    /// After a commit that took so long.
    Committed(T, Duration),
    /// An earlier try, this one, was committed.
    Earlier(i64),
    /// Nothing was written, and another try would end the same.
    Refused(Error),
    /// Nothing was written; another try may do better.
    Again(Error),
    /// The same, and the connection is of no use.
    Lost(Error),
    /// It is not known whether this was written.
    Unknown(T),
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
        tenant: TenantId,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        self.transact_for(tenant, (1, 1), work).await
    }

    /// The same, for so many requests about so many customers.
    pub(super) async fn transact_for<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        tenant: TenantId,
        (requests, customers): (usize, usize),
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let done = self.try_until_known(tenant, work).await;
        let (done, commit) = done.map_or_else(|error| (Err(error), None), |(t, c)| (Ok(t), c));
        self.watched.wrote(Group { requests, customers, took: started.elapsed(), commit });
        done
    }

    /// What was done, and how long its commit took, where that was told.
    async fn try_until_known<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        tenant: TenantId,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<(T, Option<Duration>), Error> {
        let deadline = Instant::now() + self.deadline;
        let mark = self.random.u128().to_be_bytes();
        let mut unknown: Vec<(i64, T)> = Vec::new();
        let mut tries: u32 = 0;
        loop {
            tries = tries.saturating_add(1);
            let attempt = i64::from(tries);
            let ended = match self.writers.get().await {
                Ok(connection) => {
                    let mark = Mark { tenant, key: &mark, attempt, deadline };
                    self.attempt(connection, mark, &work).await
                }
                Err(Error::Closed) => Ended::Refused(Error::Closed),
                Err(error) => Ended::Lost(error),
            };
            let is_late = Instant::now() >= deadline;
            let error = match ended {
                Ended::Committed(done, commit) => return Ok((done, Some(commit))),
                Ended::Earlier(attempt) => {
                    let earlier = unknown.into_iter().find(|(earlier, _)| *earlier == attempt);
                    return earlier.map(|(_, done)| (done, None)).ok_or(Error::OutcomeUnknown);
                }
                Ended::Unknown(done) => {
                    unknown.push((attempt, done));
                    Error::OutcomeUnknown
                }
                Ended::Refused(error) if unknown.is_empty() => return Err(error),
                Ended::Again(error) if unknown.is_empty() && (is_late || tries >= TRIES) => {
                    return Err(error);
                }
                // While nobody knows whether it was written, there is nothing to do but ask.
                Ended::Lost(error)
                    if unknown.is_empty() && (is_late || self.writers.is_broken()) =>
                {
                    return Err(unreachable(error));
                }
                Ended::Refused(error) | Ended::Again(error) | Ended::Lost(error) => error,
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

    /// Reads; once more where the connection is lost over it, as those are that were kept while the
    /// database was away.
    pub(super) async fn read<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + self.deadline;
        loop {
            let connection = self.readers.get().await?;
            match connection.until(deadline, work(connection.clone())).await {
                Err(error) if is_lost(&error) && Instant::now() < deadline => {}
                Err(error) if is_lost(&error) => return Err(unreachable(error)),
                done => return done,
            }
        }
    }

    /// Does something, and undoes it.
    pub(super) async fn undo<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + self.deadline;
        let mut tries: u32 = 0;
        loop {
            tries = tries.saturating_add(1);
            let connection = self.writers.get().await?;
            connection.is_open(true);
            let done = connection.until(deadline, async {
                let work = work(connection.clone());
                tokio::try_join!(biased; connection.run(BEGIN), work).map(|((), done)| done)
            });
            let done = done.await;
            if connection.until(deadline, connection.run("ROLLBACK")).await.is_ok() {
                connection.is_open(false);
            }
            match done {
                Err(error) if Instant::now() >= deadline || tries >= TRIES => {
                    return Err(if is_lost(&error) { unreachable(error) } else { error });
                }
                Err(error) if is_lost(&error) || is_about_others(&error) => {
                    tokio::time::sleep(pause(tries, self.random.u64())).await;
                }
                done => return done,
            }
        }
    }

    async fn attempt<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        connection: Connection,
        mark: Mark<'_>,
        work: &(impl Fn(Connection) -> W + Sync),
    ) -> Ended<T> {
        let Mark { tenant, key, attempt, deadline } = mark;
        connection.is_open(true);
        let done = async {
            let now = now();
            let statement = connection.prepare(MARK).await?;
            let marked: [Parameter<'_>; 4] = [&tenant.0, &key, &attempt, &now];
            let ((), _, done) = tokio::try_join!(
                biased;
                connection.run(BEGIN),
                connection.rows(&statement, &marked),
                work(connection.clone()),
            )?;
            if attempt == 1 && self.random.u64().is_multiple_of(FORGET_EVERY) {
                let before = now.saturating_sub(MARKS_KEPT);
                connection.execute(FORGET, &[&tenant.0, &before]).await?;
            }
            Ok(done)
        };
        match connection.until(deadline, done).await {
            Ok(done) => commit(&connection, deadline, done).await,
            Err(error) => undone(&connection, mark, error).await,
        }
    }
}

/// A try of a transaction, and until when there is time for it.
#[derive(Clone, Copy)]
struct Mark<'a> {
    tenant: TenantId,
    key: &'a [u8],
    attempt: i64,
    deadline: Instant,
}

async fn commit<T>(connection: &Connection, deadline: Instant, done: T) -> Ended<T> {
    let started = Instant::now();
    match connection.until(deadline, connection.run("COMMIT")).await {
        Ok(()) => {
            connection.is_open(false);
            Ended::Committed(done, started.elapsed())
        }
        Err(error) if is_about_others(&error) => Ended::Again(error),
        Err(_) => Ended::Unknown(done),
    }
}

/// What becomes of a try that failed before it was to be committed.
async fn undone<T>(connection: &Connection, mark: Mark<'_>, error: Error) -> Ended<T> {
    if is_lost(&error) || connection.until(mark.deadline, connection.run("ROLLBACK")).await.is_err()
    {
        return Ended::Lost(error);
    }
    connection.is_open(false);
    if violates_mark(&error) {
        let read = |row: &tokio_postgres::Row| Ok(row.try_get("attempt")?);
        let parameters: [Parameter<'_>; 2] = [&mark.tenant.0, &mark.key];
        let marked = connection.first(MARKED, &parameters, read);
        return match connection.until(mark.deadline, marked).await {
            Ok(Some(attempt)) => Ended::Earlier(attempt),
            Ok(None) => Ended::Again(error),
            Err(error) => Ended::Lost(error),
        };
    }
    if is_about_others(&error) { Ended::Again(error) } else { Ended::Refused(error) }
}

/// Milliseconds since 1970 UTC, by this machine's clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn pause(tries: u32, random: u64) -> Duration {
    let most = PAUSE.saturating_mul(1 << tries.min(8)).min(PAUSE_LIMIT);
    let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % most.max(1))
}

fn unreachable(error: Error) -> Error {
    match error {
        Error::Engine(source) => Error::Unreachable(source),
        other => other,
    }
}

/// Whether another transaction stood in the way, so that another try may do better.
pub(super) fn is_about_others(error: &Error) -> bool {
    if let Error::Engine(source) = error
        && source.is::<Overtaken>()
    {
        return true;
    }
    let code = code(error);
    [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::LOCK_NOT_AVAILABLE,
        // Of several statements that were sent together, one after the one that failed.
        &SqlState::IN_FAILED_SQL_TRANSACTION,
    ]
    .into_iter()
    .any(|known| code == Some(known))
}

fn violates_mark(error: &Error) -> bool {
    let database = database_error(error).and_then(|error| error.as_db_error());
    database.is_some_and(|error| {
        *error.code() == SqlState::UNIQUE_VIOLATION && error.constraint() == Some(MARK_KEY)
    })
}

/// Whether the connection, or the server behind it, is of no use any more: it closes, shuts down,
/// starts, or takes no writes.
fn is_lost(error: &Error) -> bool {
    if matches!(error, Error::Unreachable(_)) {
        return true;
    }
    let Some(error) = database_error(error) else { return false };
    let Some(code) = error.code() else { return true };
    let known = [
        &SqlState::ADMIN_SHUTDOWN,
        &SqlState::CRASH_SHUTDOWN,
        &SqlState::CANNOT_CONNECT_NOW,
        &SqlState::READ_ONLY_SQL_TRANSACTION,
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        &SqlState::TOO_MANY_CONNECTIONS,
    ];
    known.contains(&code) || code.code().starts_with("08") || code.code().starts_with("53")
}
