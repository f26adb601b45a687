//! Connections that read, apart from the one that writes. On disk, reading never waits for writing; what
//! was read is told once it is on disk.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::{Semaphore, TryAcquireError};
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
        let _room = self.room.try_acquire().map_err(|refused| match refused {
            TryAcquireError::NoPermits => {
                self.watched.refused();
                Error::Overloaded
            }
            TryAcquireError::Closed => Error::Closed,
        })?;
        let permit =
            Arc::clone(&self.available).acquire_owned().await.map_err(|_| Error::Closed)?;
        let idle = Arc::clone(&self.idle);
        let reading = task::spawn_blocking(move || {
            // The permit ends with the query, not with the caller's patience, and after the loan.
            let _permit = permit;
            let lent = Lent::take(&idle)?;
            lent.connection.as_ref().map_or(Err(Error::Closed), query)
        });
        let read = reading.await.map_err(|_| Error::Closed)?;
        self.progress.catch_up().await?;
        read
    }

    /// Lends no more, and closes all; one that is lent is closed when it comes back.
    pub(super) fn close(&self) {
        self.room.close();
        self.available.close();
        drop(lock(&self.idle).take());
    }
}

/// A connection that goes back to the others when it is no longer used, come what may.
struct Lent<'a> {
    connection: Option<Connection>,
    idle: &'a Mutex<Option<Vec<Connection>>>,
}

impl<'a> Lent<'a> {
    fn take(idle: &'a Mutex<Option<Vec<Connection>>>) -> Result<Self, Error> {
        let connection = lock(idle).as_mut().and_then(Vec::pop).ok_or(Error::Closed)?;
        Ok(Self { connection: Some(connection), idle })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(idle) = lock(self.idle).as_mut() {
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
        assert!(matches!(read().await, Ok(Ok(()))));
        let begun = progress.begin();
        assert!(read().await.is_err(), "it waits for the commit");
        on_disk.send_replace(begun);
        assert!(matches!(read().await, Ok(Ok(()))));
    }
}
