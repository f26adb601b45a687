//! Places at which passwords are verified or hashed, each with its own memory.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::task;

use super::password::{self, Scratch};

/// A bounded number of places, each of which takes a processor and 7 MiB while it works, and a
/// bounded number of requests that wait for one.
pub struct Verifiers {
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Scratch>>>,
}

/// More requests wait for a place than may.
#[derive(Debug, Clone, Copy)]
pub struct Overloaded;

impl Verifiers {
    /// So many places, and so many requests at most that work or wait.
    #[must_use]
    pub fn new(places: usize, waiting: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            waiting: Arc::new(Semaphore::new(waiting)),
            idle: Arc::default(),
        }
    }

    /// Whether a hash is of this text. Takes as long without a hash.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub async fn verify(&self, text: String, hash: Option<String>) -> Result<bool, Overloaded> {
        self.run(move |scratch| password::verify(&text, hash.as_deref(), scratch)).await
    }

    /// Runs work that computes hashes, off the asynchronous threads.
    ///
    /// The permits belong to the work: a client that hangs up does not make room for another while
    /// its hash is still computed.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Scratch) -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Overloaded)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Overloaded)?;
        let idle = Arc::clone(&self.idle);
        let running = task::spawn_blocking(move || {
            let _permits = (waiting, place);
            let idle = || idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scratch = idle().pop().unwrap_or_default();
            let done = work(&mut scratch);
            idle().push(scratch);
            done
        });
        running.await.map_err(|_| Overloaded)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn rejects_more_than_may_wait() {
        let verifiers = Arc::new(Verifiers::new(1, 2));
        let (release, released) = mpsc::channel::<()>();
        let (start, started) = mpsc::channel::<()>();
        let spawn = |work: Box<dyn FnOnce() + Send>| {
            let verifiers = Arc::clone(&verifiers);
            tokio::spawn(async move { verifiers.run(move |_| work()).await.is_ok() })
        };
        let first = spawn(Box::new(move || {
            start.send(()).unwrap();
            released.recv().unwrap();
        }));
        task::spawn_blocking(move || started.recv().unwrap()).await.unwrap();
        let second = spawn(Box::new(|| {}));
        while verifiers.waiting.available_permits() > 0 {
            task::yield_now().await;
        }
        assert!(verifiers.run(|_| ()).await.is_err());
        release.send(()).unwrap();
        assert!(first.await.unwrap() && second.await.unwrap());
        assert!(verifiers.run(|_| ()).await.is_ok());
    }
}
