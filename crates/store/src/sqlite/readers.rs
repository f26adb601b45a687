//! Connections that read, apart from the one that writes. On disk, reading never waits for writing; what
//! was read is told once it is on disk.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError};
use tokio::task;

use super::lock;
use super::log_sync::Progress;
use crate::Error;
use crate::watch::Watched;

/// The most readers who wait for a connection; one more is refused as overload.
const WAITING_LIMIT: usize = 4_096;

/// A fixed set of connections, lent one at a time.
pub(super) struct Readers {
    /// As many permits as readers may read or wait.
    room: Semaphore,
    /// `None` once they are closed.
    idle: Arc<Mutex<Option<Vec<Connection>>>>,
    /// As many permits as connections.
    available: Arc<Semaphore>,
    progress: Progress,
    watched: Watched,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>, progress: Progress, watched: Watched) -> Self {
        Self {
            room: Semaphore::new(connections.len().saturating_add(WAITING_LIMIT)),
            available: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Mutex::new(Some(connections))),
            progress,
            watched,
        }
    }

    /// Reads with one of the connections, off the asynchronous threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _room = self.enter()?;
        // It ends with the query, not with the caller's patience.
        let lent = self.borrow().await?;
        let reading = task::spawn_blocking(move || lent.query(query));
        let read = reading.await.map_err(|_| Error::Closed)?;
        self.progress.catch_up().await?;
        read
    }

    /// The same where the thread is that asks, for what looks at a few pages: to hand that to another
    /// thread takes longer than to do it.
    pub(super) async fn look_up<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _room = self.enter()?;
        let read = self.borrow().await?.query(query);
        self.progress.catch_up().await?;
        read
    }

    fn enter(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.room.try_acquire().map_err(|refused| match refused {
            TryAcquireError::NoPermits => {
                self.watched.refused();
                Error::Overloaded
            }
            TryAcquireError::Closed => Error::Closed,
        })
    }

    async fn borrow(&self) -> Result<Lent, Error> {
        let available = Arc::clone(&self.available).acquire_owned();
        let permit = available.await.map_err(|_| Error::Closed)?;
        let connection = lock(&self.idle).as_mut().and_then(Vec::pop).ok_or(Error::Closed)?;
        Ok(Lent { connection: Some(connection), idle: Arc::clone(&self.idle), _permit: permit })
    }

    /// Lends no more, and closes all; one that is lent is closed when it comes back.
    pub(super) fn close(&self) {
        self.room.close();
        self.available.close();
        drop(lock(&self.idle).take());
    }
}

/// A connection that goes back to the others when it is no longer used, come what may.
struct Lent {
    connection: Option<Connection>,
    idle: Arc<Mutex<Option<Vec<Connection>>>>,
    /// Ends after the loan.
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    fn query<T>(self, query: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        self.connection.as_ref().map_or(Err(Error::Closed), query)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(idle) = lock(&self.idle).as_mut() {
            idle.extend(self.connection.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// With the clock stopped, time is out as soon as there is nothing to do but wait.
    const A_WHILE: Duration = Duration::from_secs(1);

    /// What was read may be from a commit that is not on disk yet.
    #[tokio::test(start_paused = true)]
    async fn nothing_that_was_read_is_told_before_it_is_on_disk() {
        let (progress, on_disk) = Progress::new();
        let connections = vec![Connection::open_in_memory().unwrap()];
        let readers = Readers::new(connections, progress.clone(), Watched::default());
        let read = || timeout(A_WHILE, readers.read(|_| Ok(())));
        let look_up = || timeout(A_WHILE, readers.look_up(|_| Ok(())));
        let told = async || (read().await.is_ok(), look_up().await.is_ok());
        assert_eq!(told().await, (true, true));
        let begun = progress.begin();
        assert_eq!(told().await, (false, false));
        on_disk.send_replace(begun);
        assert_eq!(told().await, (true, true));
    }
}
