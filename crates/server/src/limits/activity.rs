//! What one connection is doing: its requests, its unsent replies, and when it is to be closed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How many bytes a connection may send that neither complete a request nor belong to a body that is
/// being read: HTTP/2 frames without effect. Twice the largest window for bodies.
pub(crate) const OVERHEAD_LIMIT_BYTES: usize = 2 * 1024 * 1024;

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// For its first request, and for the headers of a later one over HTTP/1.1.
    pub(crate) header: Duration,
    /// Between two requests.
    pub(crate) idle: Duration,
    /// For taking the next part of a reply.
    pub(crate) reply: Duration,
}

/// What one connection is doing. Shared by its stream, its requests and the table of connections.
#[derive(Debug)]
pub(crate) struct Activity {
    state: Mutex<State>,
    /// Notified whenever a reply was sent.
    sent: Notify,
}

#[derive(Debug)]
struct State {
    /// When the newest request arrived; before the first one, when the connection did.
    last_request: Instant,
    /// Requests whose replies were not sent yet.
    open: usize,
    /// Those of them that have arrived whole and have no reply yet.
    handled: usize,
    /// Those of them that have a reply.
    answered: usize,
    /// Bytes of replies that were not sent yet.
    unsent: usize,
    /// When a part of a reply was last sent, or was ready to be.
    progress: Instant,
    /// When the last request ended.
    idle_since: Instant,
    /// When the headers of the next request began to arrive; `None` before that, and over HTTP/2.
    head_since: Option<Instant>,
    is_multiplexed: bool,
    /// Bytes received without effect.
    overhead: usize,
    /// Whether the connection ends once the replies to its open requests were sent.
    is_ending: bool,
    /// Wakes an ending connection when its last request ends.
    waker: Option<Waker>,
}

impl Activity {
    /// A new connection. Its first request is due within the time for headers.
    pub(crate) fn new() -> Arc<Self> {
        let now = Instant::now();
        let state = State {
            last_request: now,
            open: 0,
            handled: 0,
            answered: 0,
            unsent: 0,
            progress: now,
            idle_since: now,
            head_since: Some(now),
            is_multiplexed: false,
            overhead: 0,
            is_ending: false,
            waker: None,
        };
        Arc::new(Self { state: Mutex::new(state), sent: Notify::new() })
    }

    /// When the connection is to be closed unless something happens on it; `None` while requests
    /// arrive or are handled, which have limits of their own.
    pub(crate) fn deadline(&self, timeouts: &Timeouts) -> Option<Instant> {
        let state = self.state();
        if state.open > 0 {
            return (state.answered > 0).then(|| state.progress + timeouts.reply);
        }
        let idle = state.idle_since + timeouts.idle;
        Some(state.head_since.map_or(idle, |since| idle.min(since + timeouts.header)))
    }

    /// When the newest request arrived, if the connection may be closed in favour of another one: it
    /// may not while a request is handled.
    pub(crate) fn evictable_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.handled == 0).then_some(state.last_request)
    }

    /// Ends the connection once the replies to its open requests were sent.
    pub(crate) fn end(&self) {
        self.state().is_ending = true;
    }

    /// Whether nothing more is to be read. If so, the caller is woken when the last request ends.
    pub(crate) fn is_ending(&self, context: &Context<'_>) -> bool {
        let mut state = self.state();
        if state.is_ending {
            state.waker = Some(context.waker().clone());
        }
        state.is_ending
    }

    /// Whether the connection was to end, and no request is open.
    pub(crate) fn has_ended(&self) -> bool {
        let state = self.state();
        state.is_ending && state.open == 0
    }

    /// Counts received bytes; whether the connection has received too many without effect.
    pub(crate) fn receive(&self, bytes: usize) -> bool {
        let mut state = self.state();
        if state.open == 0 && !state.is_multiplexed && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
        state.overhead = state.overhead.saturating_add(bytes);
        state.overhead > OVERHEAD_LIMIT_BYTES
    }

    /// A request begins.
    pub(crate) fn begin(self: &Arc<Self>, is_multiplexed: bool) -> OpenRequest {
        let mut state = self.state();
        state.last_request = Instant::now();
        state.open = state.open.saturating_add(1);
        state.head_since = None;
        state.is_multiplexed = is_multiplexed;
        state.overhead = 0;
        OpenRequest { activity: Arc::clone(self), phase: Mutex::new(Phase::Arriving) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request, until its reply was sent.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    activity: Arc<Activity>,
    phase: Mutex<Phase>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Its body arrives.
    Arriving,
    /// It has arrived whole.
    Handled,
    /// It has a reply of so many bytes.
    Answered(usize),
}

impl OpenRequest {
    /// Waits until fewer than this many bytes of earlier replies are unsent.
    pub(crate) async fn wait_for_earlier(&self, unsent_limit: usize) {
        loop {
            let sent = self.activity.sent.notified();
            if self.activity.state().unsent < unsent_limit {
                return;
            }
            sent.await;
        }
    }

    /// A part of the request's body arrived.
    pub(crate) fn receive(&self) {
        self.activity.state().overhead = 0;
    }

    /// The request has arrived whole, or nothing more of it is wanted.
    pub(crate) fn handle(&self) {
        let mut phase = self.phase();
        if *phase == Phase::Arriving {
            *phase = Phase::Handled;
            let mut state = self.activity.state();
            state.handled = state.handled.saturating_add(1);
        }
    }

    /// The request has a reply of this length.
    pub(crate) fn answer(&self, bytes: usize) {
        let mut phase = self.phase();
        let mut state = self.activity.state();
        if *phase == Phase::Handled {
            state.handled = state.handled.saturating_sub(1);
        }
        if state.answered == 0 {
            state.progress = Instant::now();
        }
        state.answered = state.answered.saturating_add(1);
        state.unsent = state.unsent.saturating_add(bytes);
        *phase = Phase::Answered(bytes);
    }

    /// A part of the reply was sent.
    pub(crate) fn send(&self) {
        let mut state = self.activity.state();
        state.progress = Instant::now();
        state.overhead = 0;
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let phase = *self.phase();
        let mut state = self.activity.state();
        let now = Instant::now();
        match phase {
            Phase::Arriving => {}
            Phase::Handled => state.handled = state.handled.saturating_sub(1),
            Phase::Answered(bytes) => {
                state.answered = state.answered.saturating_sub(1);
                state.unsent = state.unsent.saturating_sub(bytes);
                state.progress = now;
            }
        }
        state.open = state.open.saturating_sub(1);
        if state.open == 0 {
            state.idle_since = now;
        }
        let waker = if state.open == 0 { state.waker.take() } else { None };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        self.activity.sent.notify_waiters();
    }
}
