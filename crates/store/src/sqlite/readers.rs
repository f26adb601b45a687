//! Connections that read, apart from the one that writes. On disk, reading never waits for writing.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError};
use tokio::task;

use super::damage::Damage;
use super::lock;
use crate::Error;
use crate::limits::READS_WAITING;
use crate::watch::Watched;

/// A fixed set of connections, lent one at a time.
pub(super) struct Readers {
    /// As many permits as readers may read or wait.
    room: Semaphore,
    /// `None` once they are closed.
    idle: Arc<Mutex<Option<Vec<Connection>>>>,
    /// As many permits as connections.
    available: Arc<Semaphore>,
    damage: Damage,
    watched: Watched,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>, damage: Damage, watched: Watched) -> Self {
        Self {
            room: Semaphore::new(connections.len().saturating_add(READS_WAITING)),
            available: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Mutex::new(Some(connections))),
            damage,
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
        reading.await.map_err(|_| Error::Closed)?
    }

    /// The same where the thread is that asks, for what looks at a few pages: to hand that to another
    /// thread takes longer than to do it.
    pub(super) async fn look_up<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _room = self.enter()?;
        self.borrow().await?.query(query)
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
        Ok(Lent {
            connection: Some(connection),
            idle: Arc::clone(&self.idle),
            damage: self.damage.clone(),
            _permit: permit,
        })
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
    damage: Damage,
    /// Ends after the loan.
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    fn query<T>(self, query: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let done = self.connection.as_ref().map_or(Err(Error::Closed), query);
        done.inspect_err(|error| self.damage.note(error))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(idle) = lock(&self.idle).as_mut() {
            idle.extend(self.connection.take());
        }
    }
}
