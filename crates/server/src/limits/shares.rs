//! A share for each organisation in what takes a processor for long: one such piece of work at a time,
//! off the asynchronous threads, which serve all organisations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use patron_rules::organisation::Organisation;
use patron_rules::profile::pattern;
use patron_store::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;

/// The longest body that is read and validated on the asynchronous threads, in bytes.
pub(crate) const LIGHT_BODY_BYTES: usize = 8 << 10;
/// The most pieces of work of an organisation that work or wait; one more is refused as overload.
pub(crate) const WAITING_LIMIT: usize = 64;

/// The shares of all organisations.
#[derive(Default)]
pub struct Shares {
    lines: Mutex<HashMap<TenantId, Line>>,
}

/// The work of one organisation.
#[derive(Clone)]
struct Line {
    waiting: Arc<Semaphore>,
    place: Arc<Semaphore>,
}

/// What one piece of work takes of an organisation's share, until this is dropped: nothing for light
/// work.
#[derive(Debug)]
pub(crate) struct Share(Option<[OwnedSemaphorePermit; 2]>);

/// More work of the organisation waits than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// Whether a body may take a processor for long: it is long itself, or matching its values could cost
/// more than the patterns of one customer may.
pub(crate) fn is_heavy(body_bytes: usize, organisation: &Organisation) -> bool {
    body_bytes > LIGHT_BODY_BYTES
        || body_bytes.saturating_mul(organisation.largest_field()) > pattern::BUDGET
}

impl Shares {
    /// Waits for the organisation's turn. Light work has none to wait for.
    ///
    /// # Errors
    /// [`Overloaded`].
    pub(crate) async fn take(&self, tenant: TenantId, is_heavy: bool) -> Result<Share, Overloaded> {
        if !is_heavy {
            return Ok(Share(None));
        }
        let Line { waiting, place } = self.line(tenant);
        let waiting = waiting.try_acquire_owned().map_err(|_| Overloaded)?;
        let place = place.acquire_owned().await.map_err(|_| Overloaded)?;
        Ok(Share(Some([waiting, place])))
    }

    /// There are as many lines as organisations that ever sent heavy work, each of some bytes.
    fn line(&self, tenant: TenantId) -> Line {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.entry(tenant).or_insert_with(Line::new).clone()
    }
}

impl Line {
    fn new() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(WAITING_LIMIT)),
            place: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Share {
    /// Runs the work: heavy work off the asynchronous threads.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.0.is_some() { task::block_in_place(work) } else { work() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use patron_rules::organisation::Kind;
    use patron_store::{Location, SqliteStore, Store as _};
    use rstest::rstest;

    use super::*;
    use crate::demo;

    /// The organisations of the demo.
    async fn tenants() -> [TenantId; 2] {
        let store = SqliteStore::open(&Location::Memory).unwrap();
        demo::fill(&store).await.unwrap();
        let [one, other] = ["demo", "demo2"].map(|name| store.organisation_named(name));
        [one.await.unwrap().unwrap(), other.await.unwrap().unwrap()]
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn an_organisation_waits_for_itself_alone() {
        let [one, other] = tenants().await;
        let shares = Arc::new(Shares::default());
        let (release, released) = mpsc::channel::<()>();
        let (start, started) = mpsc::channel();
        let spawn = |work: Box<dyn FnOnce() + Send>| {
            let (shares, start) = (Arc::clone(&shares), start.clone());
            tokio::spawn(async move {
                let share = shares.take(one, true).await.unwrap();
                start.send(()).unwrap();
                share.run(work);
            })
        };
        let first = spawn(Box::new(move || released.recv().unwrap()));
        // The one asynchronous thread is free again once the first works.
        while started.try_recv().is_err() {
            task::yield_now().await;
        }
        let second = spawn(Box::new(|| {}));
        while shares.line(one).waiting.available_permits() > WAITING_LIMIT - 2 {
            task::yield_now().await;
        }
        assert_eq!(shares.take(other, true).await.unwrap().run(|| 1), 1);
        assert_eq!(shares.take(one, false).await.unwrap().run(|| 2), 2);
        assert!(started.try_recv().is_err(), "the second waits for the first");
        release.send(()).unwrap();
        first.await.unwrap();
        second.await.unwrap();
        assert!(started.try_recv().is_ok());
    }

    #[tokio::test]
    async fn rejects_more_than_may_wait() {
        let [one, other] = tenants().await;
        let shares = Shares::default();
        let _works = shares.take(one, true).await.unwrap();
        let line = shares.line(one);
        let waiting: Vec<_> = (1..WAITING_LIMIT)
            .map(|_| Arc::clone(&line.waiting).try_acquire_owned().unwrap())
            .collect();
        assert_eq!(shares.take(one, true).await.unwrap_err(), Overloaded);
        assert!(shares.take(one, false).await.is_ok());
        assert!(shares.take(other, true).await.is_ok());
        drop(waiting);
        assert_eq!(line.waiting.available_permits(), WAITING_LIMIT - 1);
    }

    #[rstest]
    #[case::short(None, 8 << 10, false)]
    #[case::long(None, (8 << 10) + 1, true)]
    #[case::small_pattern(Some("[0-9]{6}"), 8 << 10, false)]
    #[case::large_pattern(Some(r"\w+"), 512, false)]
    #[case::large_pattern_and_long(Some(r"\w+"), 513, true)]
    fn heavy_bodies(#[case] regex: Option<&str>, #[case] bytes: usize, #[case] expected: bool) {
        let mut organisation = Organisation::default();
        if let Some(regex) = regex {
            let field = serde_json::json!({"name": "field", "regex": regex}).to_string();
            organisation.documents_mut(Kind::CustomFields).put(&field).unwrap();
        }
        assert_eq!(is_heavy(bytes, &organisation), expected);
    }
}
