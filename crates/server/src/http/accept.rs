//! Taking a connection: counted against the limits, and given up once nothing moves on it.

use std::future::{Ready, ready};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use crate::app::App;
use crate::limits::connections::{Connections, Counted, TooMany};
use crate::limits::proxies::Proxies;
use crate::limits::rate::RateLimiter;
use crate::observe::metrics::{Limit, Metrics};

/// Takes connections.
#[derive(Clone)]
pub(super) struct Acceptor {
    connections: Arc<Connections>,
    /// Their connections are those of many, and not counted by address.
    proxies: Proxies,
    idle_timeout: Duration,
    /// Refusals are told once a minute: whoever floods the server does not flood its log.
    told: Arc<RateLimiter<()>>,
    metrics: Arc<Metrics>,
}

impl Acceptor {
    pub(super) fn new(app: &App) -> Self {
        let config = &app.config;
        Self {
            connections: Connections::new(
                config.connection_limit,
                config.connection_limit_per_address,
            ),
            proxies: app.proxies.clone(),
            idle_timeout: Duration::from_secs(config.idle_timeout_seconds),
            told: Arc::default(),
            metrics: Arc::clone(&app.metrics),
        }
    }

    fn count(&self, stream: &TcpStream) -> io::Result<Counted> {
        let from = stream.peer_addr().map(|address: SocketAddr| address.ip())?;
        let counted_for = Some(from).filter(|from| !self.proxies.trust(*from));
        self.connections.admit(counted_for).map_err(|refusal| {
            self.metrics.hit(match refusal {
                TooMany::InAll => Limit::Connections,
                TooMany::OfAddress => Limit::ConnectionsOfAddress,
            });
            if self.told.admit((), 1, Timestamp::now()).is_ok() {
                tracing::warn!(%from, "a connection is refused: {refusal}");
            }
            io::Error::other(refusal)
        })
    }
}

impl<S> Accept<TcpStream, S> for Acceptor {
    type Stream = Connection<TcpStream>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = self.count(&stream).and_then(|counted| {
            // A reply is one write; nothing is gained by waiting for more.
            stream.set_nodelay(true)?;
            Ok((Connection::new(stream, counted, self.idle_timeout), service))
        });
        ready(accepted)
    }
}

/// A connection on which, at least every so often, a byte goes in or out.
pub(super) struct Connection<T> {
    stream: T,
    _counted: Counted,
    idle_timeout: Duration,
    /// When a byte last went in or out.
    moved: Instant,
    /// Ends when the timeout would have passed since it was last looked at.
    alarm: Pin<Box<Sleep>>,
}

impl<T> Connection<T> {
    fn new(stream: T, counted: Counted, idle_timeout: Duration) -> Self {
        let alarm = Box::pin(sleep(idle_timeout));
        Self { stream, _counted: counted, idle_timeout, moved: Instant::now(), alarm }
    }

    /// Passes on what became of reading or writing; an error where nothing has moved for too long.
    fn watched<R>(
        &mut self,
        context: &mut Context<'_>,
        done: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if done.is_ready() {
            self.moved = Instant::now();
            return done;
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let due = self.moved.checked_add(self.idle_timeout).unwrap_or(self.moved);
            if due <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.alarm.as_mut().reset(due);
        }
        Poll::Pending
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
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
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::advance;

    use super::*;

    const IDLE: Duration = Duration::from_mins(1);
    const NEARLY_IDLE: Duration = Duration::from_secs(59);

    fn connection() -> (Connection<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (ours, theirs) = duplex(4);
        let counted = Connections::new(1, 1).admit(Some([10, 0, 0, 1].into())).unwrap();
        (Connection::new(ours, counted, IDLE), theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_received_for_too_long_ends_it() {
        let (mut ours, _theirs) = connection();
        let error = ours.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_stops_reading_ends_it() {
        let (mut ours, _theirs) = connection();
        let error = ours.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn every_byte_prolongs_it() {
        let (mut ours, mut theirs) = connection();
        for _ in 0..5 {
            advance(NEARLY_IDLE).await;
            theirs.write_u8(1).await.unwrap();
            assert_eq!(ours.read_u8().await.unwrap(), 1);
            advance(NEARLY_IDLE).await;
            ours.write_u8(2).await.unwrap();
            assert_eq!(theirs.read_u8().await.unwrap(), 2);
        }
    }
}
