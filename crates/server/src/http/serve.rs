//! Listening, and stopping without cutting anything in half.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::ServiceExt;
use axum::extract::Request;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsAcceptor;
use socket2::{Domain, Socket, Type};

use super::accept::Acceptor;
#[cfg(unix)]
use super::command_socket::CommandSocket;
#[cfg(unix)]
use super::local_router;
use super::path::Folded;
use super::router;
use super::tls::Certificate;
use crate::app::App;
use crate::upkeep;

/// The most bytes of a request's line and headers together.
pub(crate) const HEADERS_LIMIT_BYTES: usize = 64 * 1024;

/// The most requests that are handled at once for one HTTP/2 connection.
pub(crate) const STREAMS_LIMIT: u32 = 128;

/// The most connections that wait to be accepted; the system may have a lower limit.
pub(crate) const QUEUE: i32 = 4_096;

/// A bound port that does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    stop: Handle<SocketAddr>,
    certificate: Option<Certificate>,
    /// Where commands on the same machine are answered.
    #[cfg(unix)]
    commands: Option<CommandSocket>,
}

/// Binds the port.
///
/// # Errors
/// A port that is taken or not allowed.
pub fn bind(address: SocketAddr) -> anyhow::Result<Server> {
    let listener = listen(address).with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    Ok(Server {
        listener,
        address,
        stop: Handle::new(),
        certificate: None,
        #[cfg(unix)]
        commands: None,
    })
}

/// Listens with a queue that outlasts a burst: a client whose connection does not fit into it waits a
/// second before it tries again.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(QUEUE)?;
    Ok(socket.into())
}

impl Server {
    /// Speaks TLS with this certificate; without one, as it was bound.
    #[must_use]
    pub fn with(self, certificate: Option<Certificate>) -> Self {
        Self { certificate, ..self }
    }

    /// Answers commands on the same machine at this socket as well.
    #[cfg(unix)]
    #[must_use]
    pub fn with_commands(self, commands: Option<CommandSocket>) -> Self {
        Self { commands, ..self }
    }

    /// The address that was bound; its port is a real one where 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the server once it runs: no further connections, and what was accepted is finished
    /// within this time.
    pub fn stopper(&self, within: Duration) -> impl Fn() + Send + Sync + use<> {
        let stop = self.stop.clone();
        move || stop.graceful_shutdown(Some(within))
    }

    /// Answers requests until it is stopped; then closes the store.
    ///
    /// # Errors
    /// A listener that fails.
    pub async fn run(self, mut app: App) -> anyhow::Result<()> {
        app.config.listen = self.address;
        let header_timeout = Duration::from_secs(app.config.header_timeout_seconds);
        let acceptor = Acceptor::new(&app);
        let mut server = axum_server::from_tcp(self.listener)?.handle(self.stop);
        let http = server.http_builder();
        http.http1().max_buf_size(HEADERS_LIMIT_BYTES);
        http.http2()
            .max_header_list_size(u32::try_from(HEADERS_LIMIT_BYTES).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS_LIMIT);
        let app = Arc::new(app);
        let folded =
            Folded { router: router(&app), prefix: Arc::from(app.config.path_prefix.as_str()) };
        let service =
            ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(folded);
        let kept = Arc::clone(&app);
        let upkeep = tokio::spawn(async move { upkeep::keep(&kept).await });
        #[cfg(unix)]
        let commands = self.commands.map(|socket| tokio::spawn(socket.serve(local_router(&app))));
        let ended = match self.certificate {
            None => server.acceptor(acceptor).serve(service).await,
            Some(certificate) => {
                let tls = RustlsAcceptor::new(certificate.shown())
                    .handshake_timeout(header_timeout)
                    .acceptor(acceptor);
                server.acceptor(tls).serve(service).await
            }
        };
        #[cfg(unix)]
        if let Some(commands) = commands {
            commands.abort();
            // Ends once the socket is removed.
            drop(commands.await);
        }
        upkeep.abort();
        app.store.close().await;
        ended.context("cannot accept connections")
    }
}
