//! Places at which passwords are verified or hashed, each with its own memory.

pub(crate) mod queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task;

use self::queue::Queue;
pub use self::queue::{Overloaded, Turn};
use super::password::{self, Scratch};

/// A bounded number of places and a fair queue for them. A place takes a processor and 7 MiB while it
/// works.
pub struct Verifiers(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue<Place>>,
    idle: Mutex<Vec<Scratch>>,
}

/// The right to work at a place until it is dropped.
struct Place(Arc<Shared>);

impl Verifiers {
    /// So many places, and so many requests at most that wait: of callers who were right lately, and
    /// of all others.
    #[must_use]
    pub fn new(places: usize, waiting: usize) -> Self {
        let queue = Mutex::new(Queue::new(places, waiting));
        Self(Arc::new(Shared { queue, idle: Mutex::default() }))
    }

    /// Whether a hash is of this text. Takes as long without a hash.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub async fn verify(
        &self,
        turn: Turn,
        text: String,
        hash: Option<String>,
    ) -> Result<bool, Overloaded> {
        self.run(turn, move |scratch| password::verify(&text, hash.as_deref(), scratch)).await
    }

    /// Runs work that computes hashes, off the asynchronous threads.
    ///
    /// The place belongs to the work: a client that hangs up does not make room for another while
    /// its hash is still computed.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce(&mut Scratch) -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let place = self.enter(turn)?.await.map_err(|_| Overloaded)?;
        let running = task::spawn_blocking(move || {
            let idle = || place.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scratch = idle().pop().unwrap_or_default();
            let done = work(&mut scratch);
            idle().push(scratch);
            done
        });
        running.await.map_err(|_| Overloaded)
    }

    /// Waits for a place. The sender is dropped if others are to have the room in the queue.
    fn enter(&self, turn: Turn) -> Result<oneshot::Receiver<Place>, Overloaded> {
        let (waiting, place) = oneshot::channel();
        self.0.queue().push(turn, waiting)?;
        self.0.fill();
        Ok(place)
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue<Place>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the free places to those whose turn it is.
    fn fill(self: &Arc<Self>) {
        loop {
            // Not locked while it is sent: a place that its request no longer wants is freed again.
            let Some(waiting) = self.queue().take_next() else { return };
            drop(waiting.send(Place(Arc::clone(self))));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.queue().free();
        self.0.fill();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::mpsc;

    use super::*;

    fn stranger(n: u32) -> Turn {
        Turn { network: IpAddr::V4(n.into()), is_known: false }
    }

    /// Which of these has a place.
    fn served(waiting: &mut [oneshot::Receiver<Place>]) -> Vec<usize> {
        let places = waiting.iter_mut().enumerate();
        places.filter_map(|(n, place)| place.try_recv().ok().map(|_| n)).collect()
    }

    #[test]
    fn a_place_that_is_free_again_is_given_to_the_next() {
        let verifiers = Verifiers::new(2, 8);
        let mut waiting: Vec<_> = (0..5).map(|n| verifiers.enter(stranger(n)).unwrap()).collect();
        let held = [0, 1].map(|n: usize| waiting[n].try_recv().unwrap());
        assert_eq!(served(&mut waiting), [0; 0]);
        drop(waiting.remove(2));
        drop(held);
        assert_eq!(served(&mut waiting), [2, 3], "who hung up is passed over");
        assert!(verifiers.enter(stranger(9)).unwrap().try_recv().is_ok());
    }

    /// A place that was given to a request that hung up at the same time is not lost.
    #[test]
    fn a_place_that_is_not_taken_is_given_to_the_next() {
        let verifiers = Verifiers::new(1, 8);
        let given = verifiers.enter(stranger(1)).unwrap();
        let mut next = verifiers.enter(stranger(2)).unwrap();
        assert!(next.try_recv().is_err());
        drop(given);
        assert!(next.try_recv().is_ok());
    }

    #[tokio::test]
    async fn work_keeps_its_place_when_its_request_is_gone() {
        let verifiers = Arc::new(Verifiers::new(1, 1));
        let (release, released) = mpsc::channel::<()>();
        let (start, started) = mpsc::channel::<()>();
        let request = tokio::spawn({
            let verifiers = Arc::clone(&verifiers);
            let work = move || {
                start.send(()).unwrap();
                released.recv().unwrap();
            };
            async move { verifiers.run(stranger(1), move |_| work()).await.is_ok() }
        });
        task::spawn_blocking(move || started.recv().unwrap()).await.unwrap();
        request.abort();
        assert!(request.await.is_err());
        let mut waiting = verifiers.enter(stranger(2)).unwrap();
        assert!(waiting.try_recv().is_err());
        assert!(verifiers.run(stranger(3), |_| ()).await.is_err(), "one may wait");
        release.send(()).unwrap();
        drop(waiting.await.unwrap());
        assert!(verifiers.run(stranger(3), |_| ()).await.is_ok());
    }
}
