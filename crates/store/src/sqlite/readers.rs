//! Connections that read, apart from the one that writes. On disk, reading never waits for writing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

use crate::Error;

/// A fixed set of connections, lent one at a time.
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    /// As many permits as connections.
    available: Arc<Semaphore>,
    count: u32,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self {
            count: u32::try_from(connections.len()).unwrap_or(u32::MAX),
            available: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Mutex::new(connections)),
        }
    }

    /// Reads with one of the connections, off the asynchronous threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit =
            Arc::clone(&self.available).acquire_owned().await.map_err(|_| Error::Closed)?;
        let idle = Arc::clone(&self.idle);
        let reading = task::spawn_blocking(move || {
            // The permit ends with the query, not with the caller's patience, and after the loan.
            let _permit = permit;
            let lent = Lent::take(&idle)?;
            lent.connection.as_ref().map_or(Err(Error::Closed), query)
        });
        reading.await.map_err(|_| Error::Closed)?
    }

    /// Lends no more, waits for what is lent, and closes all.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.available.acquire_many(self.count).await {
            self.available.close();
            drop(all);
        }
        lock(&self.idle).clear();
    }
}

/// A connection that goes back to the others when it is no longer used, come what may.
struct Lent<'a> {
    connection: Option<Connection>,
    idle: &'a Mutex<Vec<Connection>>,
}

impl<'a> Lent<'a> {
    fn take(idle: &'a Mutex<Vec<Connection>>) -> Result<Self, Error> {
        let connection = lock(idle).pop().ok_or(Error::Closed)?;
        Ok(Self { connection: Some(connection), idle })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        lock(self.idle).extend(self.connection.take());
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
