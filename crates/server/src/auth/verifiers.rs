//! Places at which passwords are verified, each with its own memory.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::task;

use super::password::{self, Scratch};

/// How many passwords are verified at a time: each takes a processor and 7 MiB for its while.
const PLACES: usize = 2;
/// The most verifications that wait; one more is refused as overload.
const WAITING_LIMIT: usize = 256;

pub(super) struct Verifiers {
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Scratch>>>,
}

/// More verifications wait than may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overloaded;

impl Default for Verifiers {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            waiting: Arc::new(Semaphore::new(WAITING_LIMIT)),
            idle: Arc::default(),
        }
    }
}

impl Verifiers {
    /// Whether a hash is of this text. Takes as long where there is none.
    ///
    /// Off the asynchronous threads, a few at a time. The permits belong to the work: a client that
    /// hangs up does not make room for another while its hash is still computed.
    pub(super) async fn verify(
        &self,
        text: String,
        hash: Option<String>,
    ) -> Result<bool, Overloaded> {
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Overloaded)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Overloaded)?;
        let idle = Arc::clone(&self.idle);
        let verification = task::spawn_blocking(move || {
            let _permits = (waiting, place);
            let idle = || idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scratch = idle().pop().unwrap_or_default();
            let right = password::verify(&text, hash.as_deref(), &mut scratch);
            idle().push(scratch);
            right
        });
        verification.await.map_err(|_| Overloaded)
    }
}
