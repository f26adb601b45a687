//! Accepts connections within the limits, and closes those that wait too long.

use std::future::{self, Future, Ready};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::accept::Accept;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::observed::Observed;
use crate::app::App;
use crate::limits::activity::Timeouts;
use crate::limits::connections::{Admitted, Connections, Limits, TooMany};
use crate::limits::proxies::Proxies;
use crate::limits::rate::RateLimiter;
use crate::observe::metrics::{Limit, Metrics};

/// Accepts connections.
#[derive(Clone)]
pub(super) struct Acceptor {
    connections: Arc<Connections>,
    /// Their connections do not count by address.
    proxies: Proxies,
    timeouts: Timeouts,
    unsent_limit: usize,
    /// A limit is logged once a minute, so that a flood of connections is no flood of log lines.
    logged: Arc<RateLimiter<()>>,
    metrics: Arc<Metrics>,
}

impl Acceptor {
    pub(super) fn new(app: &App) -> Self {
        let config = &app.config;
        Self {
            connections: Connections::new(Limits {
                all: config.connection_limit,
                per_address: config.connections_per_address(),
                reserve: config.connection_reserve,
            }),
            proxies: app.proxies.clone(),
            timeouts: Timeouts {
                header: Duration::from_secs(config.header_timeout_seconds),
                idle: Duration::from_secs(config.idle_timeout_seconds),
                reply: Duration::from_secs(config.reply_timeout_seconds),
            },
            unsent_limit: config.unsent_limit_bytes,
            logged: Arc::default(),
            metrics: Arc::clone(&app.metrics),
        }
    }

    fn admit(&self, stream: &TcpStream) -> io::Result<Admitted> {
        let from = stream.peer_addr().map(|address: SocketAddr| address.ip())?;
        let counts_for = Some(from).filter(|from| !self.proxies.trust(*from));
        let admitted = self.connections.admit(counts_for);
        let reached = match &admitted {
            Ok(admitted) => admitted.at_limit,
            Err(reached) => Some(*reached),
        };
        if let Some(reached) = reached {
            self.metrics.hit(match reached {
                TooMany::InAll => Limit::Connections,
                TooMany::OfAddress => Limit::ConnectionsOfAddress,
            });
            if self.logged.admit((), 1, Timestamp::now()).is_ok() {
                let refused = admitted.is_err();
                tracing::warn!(%from, refused, "the limit of connections is reached: {reached}");
            }
        }
        admitted.map_err(io::Error::other)
    }
}

impl<S> Accept<TcpStream, S> for Acceptor {
    type Stream = Connection<TcpStream>;
    type Service = Observed<S>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = self.admit(&stream).and_then(|admitted| {
            // A reply is one write; nothing is gained by waiting for more.
            stream.set_nodelay(true)?;
            let activity = Arc::clone(&admitted.activity);
            let service = Observed::new(service, activity, self.unsent_limit, admitted.is_reserved);
            Ok((Connection::new(stream, admitted, self.timeouts), service))
        });
        future::ready(accepted)
    }
}

/// A connection that ends when it waits too long, when it is evicted, when it sends too much without
/// effect, or after a refusal by the reserve.
pub(super) struct Connection<T> {
    stream: T,
    admitted: Admitted,
    timeouts: Timeouts,
    alarm: Pin<Box<Sleep>>,
}

impl<T> Connection<T> {
    fn new(stream: T, admitted: Admitted, timeouts: Timeouts) -> Self {
        let alarm = Box::pin(sleep_until(Instant::now() + timeouts.header));
        Self { stream, admitted, timeouts, alarm }
    }

    /// Fails once the connection is to end. Called whenever it waits.
    fn watch(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.check_evicted(context)?;
        let mut due = self.next_check()?;
        if due < self.alarm.deadline() {
            self.alarm.as_mut().reset(due);
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            due = self.next_check()?;
            self.alarm.as_mut().reset(due);
        }
        Ok(())
    }

    fn check_evicted(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match Pin::new(&mut self.admitted.evicted).poll(context) {
            Poll::Ready(_) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Returns when to look again: at the deadline, and before, since requests begin and end while the
    /// stream is not looked at.
    fn next_check(&self) -> io::Result<Instant> {
        let Timeouts { header, idle, reply } = self.timeouts;
        let now = Instant::now();
        let latest = now + header.min(idle).min(reply);
        match self.admitted.activity.deadline(&self.timeouts) {
            Some(deadline) if deadline <= now => Err(io::ErrorKind::TimedOut.into()),
            deadline => Ok(deadline.map_or(latest, |deadline| deadline.min(latest))),
        }
    }

    /// Passes on the result of reading or writing; an error if the connection is to end.
    fn watched<R>(
        &mut self,
        context: &mut Context<'_>,
        done: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if done.is_pending() {
            self.watch(context)?;
        }
        done
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // What arrives after an eviction or a refusal is not read: its sender repeats it elsewhere.
        self.check_evicted(context)?;
        if self.admitted.activity.is_ending(context) {
            return self.watched(context, Poll::Pending);
        }
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        let received = buffer.filled().len().saturating_sub(before);
        if received > 0 && self.admitted.activity.receive(received) {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        self.watched(context, done)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watched(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        let has_ended = self.admitted.activity.has_ended();
        Poll::Ready(if has_ended { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) })
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;
    use crate::limits::activity::Activity;

    const SECOND: Duration = Duration::from_secs(1);
    const TIMEOUTS: Timeouts = Timeouts {
        header: Duration::from_secs(30),
        idle: Duration::from_secs(75),
        reply: Duration::from_secs(20),
    };

    fn connection() -> (Connection<DuplexStream>, DuplexStream, Arc<Activity>) {
        let limits = Limits { all: 1, per_address: 1, reserve: 0 };
        let admitted = Connections::new(limits).admit(None).unwrap();
        let activity = Arc::clone(&admitted.activity);
        let (ours, theirs) = duplex(4);
        (Connection::new(ours, admitted, TIMEOUTS), theirs, activity)
    }

    /// Waits for the connection's end; returns after which time it came.
    async fn lasts(connection: &mut Connection<DuplexStream>) -> Duration {
        let start = Instant::now();
        while connection.read_u8().await.is_ok() {}
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn ends_without_a_first_request() {
        let (mut ours, _theirs, _) = connection();
        assert_eq!(lasts(&mut ours).await.as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_after_an_idle_time_of_its_own() {
        for is_multiplexed in [false, true] {
            let (mut ours, _theirs, activity) = connection();
            advance(SECOND).await;
            drop(activity.begin(is_multiplexed));
            assert_eq!(lasts(&mut ours).await.as_secs(), 75);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn headers_that_have_begun_are_not_waited_for_longer() {
        let (mut ours, mut theirs, activity) = connection();
        drop(activity.begin(false));
        advance(SECOND * 10).await;
        theirs.write_u8(b'G').await.unwrap();
        assert_eq!(lasts(&mut ours).await.as_secs(), 30);
    }

    /// As an HTTP/2 client that pings and requests nothing.
    #[tokio::test(start_paused = true)]
    async fn bytes_without_a_request_prolong_nothing() {
        let (mut ours, mut theirs, activity) = connection();
        drop(activity.begin(true));
        let pings = async {
            loop {
                tokio::time::sleep(SECOND).await;
                if theirs.write_u8(0).await.is_err() {
                    return;
                }
            }
        };
        let lasts = tokio::select! {
            () = pings => Duration::MAX,
            lasts = lasts(&mut ours) => lasts,
        };
        assert_eq!(lasts.as_secs(), 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_may_be_handled_for_long() {
        let (mut ours, mut theirs, activity) = connection();
        let request = activity.begin(false);
        request.handle();
        let handling = async {
            tokio::time::sleep(SECOND * 600).await;
            theirs.write_u8(1).await
        };
        let (read, written) = tokio::join!(ours.read_u8(), handling);
        assert!(read.is_ok() && written.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn ends_when_no_part_of_a_reply_is_taken() {
        let (mut ours, _theirs, activity) = connection();
        let request = activity.begin(true);
        request.answer(100);
        advance(SECOND * 10).await;
        request.send();
        assert_eq!(lasts(&mut ours).await.as_secs(), 20);
        let error = ours.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_when_too_much_arrives_without_a_request() {
        let (mut ours, mut theirs, activity) = connection();
        drop(activity.begin(true));
        let flood = async {
            let mut bytes: usize = 0;
            while theirs.write_all(&[0; 4]).await.is_ok() {
                bytes = bytes.saturating_add(4);
            }
            bytes
        };
        let reading = async {
            let ended = lasts(&mut ours).await;
            drop(ours);
            ended
        };
        let (bytes, lasts) = tokio::join!(flood, reading);
        assert_eq!(lasts, Duration::ZERO);
        assert!((2 * 1024 * 1024..3 * 1024 * 1024).contains(&bytes), "{bytes}");
    }
}
