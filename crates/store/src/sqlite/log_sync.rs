//! Getting commits to the disk: one thread that syncs the log.
//!
//! The writer commits without a sync, and goes on with the next group; this thread syncs the log and
//! then answers everybody whose commit was in it by then, while the next group is written. The log is
//! written in order, so a commit that is on disk has all that came before it there, too.
//!
//! Readers see a commit before it is on disk. They tell nobody of it until it is:
//! [`Progress::catch_up`].

use std::fs::File;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::watch;

use super::writer::Job;
use crate::Error;
use crate::watch::{Group, Watched};

/// How many commits were begun, and how many of them are on disk.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    begun: Arc<AtomicU64>,
    on_disk: watch::Receiver<u64>,
}

/// Tells [`Progress`] up to which commit all are on disk. Those that failed count: nobody has to wait
/// for them.
pub(super) type OnDisk = watch::Sender<u64>;

impl Progress {
    /// Of no commit; the other half is for whoever syncs.
    pub(super) fn new() -> (Self, OnDisk) {
        let (sender, on_disk) = watch::channel(0);
        (Self { begun: Arc::default(), on_disk }, sender)
    }

    /// Counts a commit; from now on readers may see it.
    pub(super) fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    /// Waits until everything that can have been read by now is on disk.
    ///
    /// # Errors
    /// [`Error::Closed`] where nobody syncs any more.
    pub(super) async fn catch_up(&self) -> Result<(), Error> {
        let begun = self.begun.load(Ordering::SeqCst);
        let mut on_disk = self.on_disk.clone();
        let reached = on_disk.wait_for(|on_disk| *on_disk >= begun).await;
        reached.map(drop).map_err(|_| Error::Closed)
    }
}

/// A group that was written.
pub(super) struct Written {
    pub(super) jobs: Vec<Job>,
    pub(super) committed: Result<(), Arc<Error>>,
    /// By which number [`Progress`] counts its commit; `None` where it did not come to that.
    pub(super) commit: Option<u64>,
    /// When its first job was begun, and its commit.
    pub(super) began: Instant,
    pub(super) commit_began: Option<Instant>,
}

/// Starts the thread; it ends once nobody writes any more, and drops `end` then. `log` is `None` for a
/// database in memory.
pub(super) fn start(
    log: Option<File>,
    on_disk: OnDisk,
    watched: Watched,
    end: watch::Sender<()>,
) -> Result<(mpsc::SyncSender<Written>, JoinHandle<()>), Error> {
    // One group is written while another is synced, and waits then: what comes meanwhile is the next.
    let (written, to_sync) = mpsc::sync_channel(0);
    let thread = thread::Builder::new().name("patron-sync".to_owned()).spawn(move || {
        let sync = || {
            let Some(log) = &log else { return Ok(()) };
            let began = Instant::now();
            log.sync_data()?;
            watched.synced(began.elapsed());
            Ok(())
        };
        sync_until_closed(sync, &to_sync, &on_disk, &watched);
        drop(end);
    });
    let failed =
        |source| Error::Io { what: "cannot start the thread that syncs".to_owned(), source };
    Ok((written, thread.map_err(failed)?))
}

fn sync_until_closed(
    sync: impl Fn() -> io::Result<()>,
    to_sync: &mpsc::Receiver<Written>,
    on_disk: &OnDisk,
    watched: &Watched,
) {
    while let Ok(first) = to_sync.recv() {
        let groups: Vec<Written> = [first].into_iter().chain(to_sync.try_iter()).collect();
        // One that failed late may be seen by readers all the same.
        if groups.iter().any(|group| group.commit.is_some())
            && let Err(error) = sync()
        {
            // By now nobody knows what the disk has, and another sync may claim what is not so.
            // Whoever starts again reads it, and takes what is whole.
            tracing::error!(%error, "the log cannot be synced; the process ends");
            process::abort();
        }
        for group in groups {
            answer(group, on_disk, watched);
        }
    }
}

fn answer(group: Written, on_disk: &OnDisk, watched: &Watched) {
    let Written { jobs, committed, commit, began, commit_began } = group;
    if let Some(commit) = commit {
        on_disk.send_replace(commit);
    }
    watched.wrote(Group {
        requests: jobs.len(),
        customers: jobs.iter().map(Job::customers).sum(),
        took: began.elapsed(),
        commit: commit_began.filter(|_| committed.is_ok()).map(|began| began.elapsed()),
    });
    for job in jobs {
        job.answer(committed.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Whoever read while a commit was on its way waits for it, and for none that came later.
    #[test]
    fn what_can_have_been_read_is_waited_for() {
        let (progress, on_disk) = Progress::new();
        assert!(matches!(poll(pin!(progress.catch_up())), Poll::Ready(Ok(()))));
        let (first, second) = (progress.begin(), progress.begin());
        let mut both = pin!(progress.catch_up());
        assert!(poll(both.as_mut()).is_pending());
        let third = progress.begin();
        on_disk.send_replace(first);
        assert!(poll(both.as_mut()).is_pending());
        on_disk.send_replace(second);
        assert!(matches!(poll(both.as_mut()), Poll::Ready(Ok(()))));
        let mut all = pin!(progress.catch_up());
        assert!(poll(all.as_mut()).is_pending());
        on_disk.send_replace(third);
        assert!(matches!(poll(all.as_mut()), Poll::Ready(Ok(()))));
        progress.begin();
        let mut never = pin!(progress.catch_up());
        assert!(poll(never.as_mut()).is_pending());
        drop(on_disk);
        assert!(matches!(poll(never.as_mut()), Poll::Ready(Err(Error::Closed))));
    }

    /// Nobody is told of a commit before the sync that follows it, whatever came of it; where it did not
    /// come to a commit, there is nothing to sync.
    #[test]
    fn a_sync_comes_before_the_answer() {
        let ((progress, on_disk), syncs) = (Progress::new(), Cell::new(0));
        let told = || *on_disk.borrow();
        for (is_begun, is_ok) in [(true, true), (true, false), (false, false), (true, true)] {
            let (written, to_sync) = mpsc::sync_channel(1);
            let before = (told(), syncs.get());
            let commit = is_begun.then(|| progress.begin());
            let committed = if is_ok { Ok(()) } else { Err(Arc::new(Error::Closed)) };
            let (jobs, began) = (Vec::new(), Instant::now());
            written.send(Written { jobs, committed, commit, began, commit_began: None }).unwrap();
            drop(written);
            let sync = || {
                assert_eq!(told(), before.0);
                syncs.set(syncs.get() + 1);
                Ok(())
            };
            sync_until_closed(sync, &to_sync, &on_disk, &Watched::default());
            let after = commit.map_or(before, |commit| (commit, before.1 + 1));
            assert_eq!((told(), syncs.get()), after);
        }
    }
}
