//! The admin API as commands use it: in this process while no other one owns the data, else over
//! the private socket of the process that does.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HOST, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use axum::{Router, http};
use http_body_util::BodyExt as _;
use patron_store::{Location, PostgresStore, SqliteStore, Store};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::Place;
use crate::app::App;
use crate::config::{Config, Engine};
use crate::http::local_router;

/// How long to try while another process has the data locked and does not answer: it may be
/// starting, stopping, or a command like this one.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// What is encoded in a segment of a path (RFC 3986, 2.3): the router takes `_` as it is alone.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a command does where no registry exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IfMissing {
    /// It fails.
    Fail,
    /// It creates an empty one once its change proved valid, and says so on standard error.
    Create,
    /// It creates an empty one, and says so in the log.
    CreateAndLog,
}

/// A client of the admin API. It connects with its first request.
pub(super) struct Admin {
    config: Config,
    if_missing: IfMissing,
    connection: Option<Connection>,
}

enum Connection {
    /// This process owns the data.
    Own { router: Router, store: Arc<dyn Store> },
    /// No registry exists. Changes are tried on an empty one in memory, so that a refused one creates
    /// none.
    Rehearsal { router: Router, store: Arc<dyn Store> },
    /// Another process owns the data, and answers at its socket.
    #[cfg(unix)]
    Socket(PathBuf),
}

/// A reply to a request that succeeded.
pub(super) struct Reply(Bytes);

impl Reply {
    pub(super) fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.0).context("cannot read the reply")
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// An error that the admin API replied, as a problem document (RFC 9457).
#[derive(Debug, Deserialize)]
struct Problem {
    status: u16,
    detail: String,
    #[serde(default)]
    errors: Vec<Fault>,
}

/// A member of a document that is wrong.
#[derive(Debug, Deserialize)]
struct Fault {
    pointer: String,
    detail: String,
    resource: Option<String>,
    name: Option<String>,
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errors.is_empty() {
            return f.write_str(&self.detail);
        }
        for (index, Fault { pointer, detail, resource, name }) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            if let (Some(resource), Some(name)) = (resource, name) {
                write!(f, "{resource} `{name}`: ")?;
            }
            if !pointer.is_empty() {
                write!(f, "{pointer}: ")?;
            }
            f.write_str(detail)?;
        }
        Ok(())
    }
}

/// Whether a request failed because what it names does not exist.
pub(super) fn is_not_found(error: &anyhow::Error) -> bool {
    has_status(error, StatusCode::NOT_FOUND)
}

fn has_status(error: &anyhow::Error, status: StatusCode) -> bool {
    error.downcast_ref().is_some_and(|problem: &Problem| problem.status == status)
}

/// Runs a command on the admin API of the data at a place.
pub(super) fn with<T>(
    place: &Place,
    if_missing: IfMissing,
    work: impl AsyncFnOnce(&mut Admin) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = place.load()?;
    super::opened::runtime()?.block_on(async {
        let mut admin = Admin { config, if_missing, connection: None };
        let done = work(&mut admin).await;
        admin.release().await;
        done
    })
}

/// The path of something by its segments, below the admin API's own path.
pub(super) fn path(segments: &[&str]) -> String {
    below("/admin/api/v1", segments)
}

/// The path of something that only commands on the same machine reach.
pub(super) fn local_path(segments: &[&str]) -> String {
    below("/local", segments)
}

fn below(base: &str, segments: &[&str]) -> String {
    let encoded = segments.iter().map(|part| utf8_percent_encode(part, &RESERVED));
    encoded.fold(base.to_owned(), |path, segment| format!("{path}/{segment}"))
}

impl Admin {
    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Reply> {
        self.ask(request(Method::GET, path, Bytes::new())?).await
    }

    pub(super) async fn delete(&mut self, path: &str) -> anyhow::Result<Reply> {
        self.change(request(Method::DELETE, path, Bytes::new())?).await
    }

    pub(super) async fn post<T: Serialize>(
        &mut self,
        path: &str,
        body: &T,
    ) -> anyhow::Result<Reply> {
        self.change(request(Method::POST, path, serde_json::to_vec(body)?.into())?).await
    }

    /// Posts a request that changes nothing.
    pub(super) async fn post_question<T: Serialize>(
        &mut self,
        path: &str,
        body: &T,
    ) -> anyhow::Result<Reply> {
        self.ask(request(Method::POST, path, serde_json::to_vec(body)?.into())?).await
    }

    pub(super) async fn put<T: Serialize>(
        &mut self,
        path: &str,
        body: &T,
    ) -> anyhow::Result<Reply> {
        self.change(request(Method::PUT, path, serde_json::to_vec(body)?.into())?).await
    }

    pub(super) async fn patch<T: Serialize>(
        &mut self,
        path: &str,
        body: &T,
    ) -> anyhow::Result<Reply> {
        self.change(request(Method::PATCH, path, serde_json::to_vec(body)?.into())?).await
    }

    pub(super) async fn post_text(&mut self, path: &str, json: String) -> anyhow::Result<Reply> {
        self.change(request(Method::POST, path, json.into())?).await
    }

    /// Puts a document: in place of the version that it names, else of any version or none.
    pub(super) async fn put_document(
        &mut self,
        path: &str,
        json: String,
        names_version: bool,
    ) -> anyhow::Result<Reply> {
        if names_version {
            return self.change(request(Method::PUT, path, json.into())?).await;
        }
        let replaced = self.put_if(IF_MATCH, path, json.clone()).await;
        match replaced {
            Err(error) if has_status(&error, StatusCode::PRECONDITION_FAILED) => {
                self.put_if(IF_NONE_MATCH, path, json).await
            }
            replaced => replaced,
        }
    }

    /// Puts a document where one exists, or where none does.
    async fn put_if(
        &mut self,
        condition: HeaderName,
        path: &str,
        json: String,
    ) -> anyhow::Result<Reply> {
        let mut request = request(Method::PUT, path, json.into())?;
        request.headers_mut().insert(condition, HeaderValue::from_static("*"));
        self.change(request).await
    }

    /// Every item of a list, page by page.
    pub(super) async fn list<T: DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<Vec<T>> {
        #[derive(Deserialize)]
        struct Page<T> {
            items: Vec<T>,
            next: Option<String>,
        }
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let after_encoded = utf8_percent_encode(&after, &RESERVED);
            let page = self.get(&format!("{path}?limit=200&after={after_encoded}")).await?;
            let Page { items, next } = page.json()?;
            all.extend(items);
            match next {
                Some(next) => after = next,
                None => return Ok(all),
            }
        }
    }

    /// Lets go of the data, for as long as a person is asked something.
    pub(super) async fn release(&mut self) {
        if let Some(Connection::Own { store, .. } | Connection::Rehearsal { store, .. }) =
            self.connection.take()
        {
            store.close().await;
        }
    }

    /// Creates the registry if none exists. Every change does so once it proved valid.
    pub(super) async fn create(&mut self) -> anyhow::Result<()> {
        if !matches!(self.connection, Some(Connection::Own { .. })) {
            self.release().await;
            self.connection = Some(connect(&self.config, self.if_missing).await?);
        }
        Ok(())
    }

    async fn change(&mut self, request: Request<Bytes>) -> anyhow::Result<Reply> {
        let reply = self.ask(request.clone()).await?;
        if !matches!(self.connection, Some(Connection::Rehearsal { .. })) {
            return Ok(reply);
        }
        self.create().await?;
        self.ask(request).await
    }

    async fn ask(&mut self, request: Request<Bytes>) -> anyhow::Result<Reply> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None if self.lacks_registry()? => rehearse(&self.config)?,
            None => connect(&self.config, self.if_missing).await?,
        };
        let replied = connection.send(request.map(Body::from)).await;
        self.connection = Some(connection);
        let (parts, body) = replied?.into_parts();
        let body = body.collect().await.context("the reply broke off")?.to_bytes();
        if parts.status.is_success() {
            return Ok(Reply(body));
        }
        let problem: Problem = serde_json::from_slice(&body)
            .with_context(|| format!("the server replied {}", parts.status))?;
        Err(problem.into())
    }

    /// Whether the command would create the registry.
    fn lacks_registry(&self) -> anyhow::Result<bool> {
        Ok(match self.config.engine() {
            Engine::Embedded(location @ Location::Directory(_)) => {
                self.if_missing == IfMissing::Create && !SqliteStore::exists(&location)?
            }
            Engine::Embedded(Location::Memory) | Engine::Postgres(_) => false,
        })
    }
}

impl Connection {
    async fn send(&self, request: Request<Body>) -> anyhow::Result<Response> {
        match self {
            Self::Own { router, .. } => answer(router, request).await,
            // Nothing of it happened, so nothing of it is logged.
            Self::Rehearsal { router, .. } => {
                answer(router, request).with_subscriber(NoSubscriber::new()).await
            }
            // Waits for as long as the server lives: to hash the passwords of a file takes minutes.
            #[cfg(unix)]
            Self::Socket(data) => send_over_socket(data, request).await,
        }
    }
}

async fn answer(router: &Router, request: Request<Body>) -> anyhow::Result<Response> {
    match router.clone().oneshot(request).await {
        Ok(reply) => Ok(reply),
        Err(never) => match never {},
    }
}

#[cfg(unix)]
async fn send_over_socket(data: &Path, request: Request<Body>) -> anyhow::Result<Response> {
    let stream = crate::http::command_socket::connect(data).await?;
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let _driver = tokio::spawn(connection);
    let reply = sender.send_request(request).await.context("the server did not reply")?;
    Ok(reply.map(Body::new))
}

fn request(method: Method, path: &str, body: Bytes) -> anyhow::Result<Request<Bytes>> {
    Ok(http::Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/json")
        .body(body)?)
}

async fn connect(config: &Config, if_missing: IfMissing) -> anyhow::Result<Connection> {
    let store: Arc<dyn Store> = match config.engine() {
        Engine::Postgres(options) => {
            Arc::new(PostgresStore::open(&options).await.context("cannot open the data")?)
        }
        Engine::Embedded(location) => {
            let deadline = Instant::now() + PATIENCE;
            loop {
                match open(config, &location, if_missing) {
                    Ok(store) => break store,
                    Err(error) if !is_in_use(&error) => return Err(error),
                    Err(error) => {
                        if let Some(connection) = served(&location).await {
                            return Ok(connection);
                        }
                        if Instant::now() >= deadline {
                            return Err(
                                error.context("no answer from the process that owns the data")
                            );
                        }
                        sleep(PAUSE).await;
                    }
                }
            }
        }
    };
    Ok(Connection::Own { router: router(config, &store)?, store })
}

/// An empty registry in memory.
fn rehearse(config: &Config) -> anyhow::Result<Connection> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&Location::Memory)?);
    Ok(Connection::Rehearsal { router: router(config, &store)?, store })
}

fn router(config: &Config, store: &Arc<dyn Store>) -> anyhow::Result<Router> {
    // What only a server needs may not be readable here.
    let config = Config { metrics_token_file: PathBuf::new(), ..config.clone() };
    Ok(local_router(&Arc::new(App::new(config, Arc::clone(store))?)))
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(patron_store::Error::InUse(_)))
}

/// Opens the embedded engine's data in this process.
fn open(
    config: &Config,
    location: &Location,
    if_missing: IfMissing,
) -> anyhow::Result<Arc<dyn Store>> {
    super::opened::embedded(config, location, if_missing).map(|store| store as Arc<dyn Store>)
}

/// The process that owns the data in a directory, if it answers commands.
#[cfg(unix)]
async fn served(location: &Location) -> Option<Connection> {
    let Location::Directory(data) = location else { return None };
    crate::http::command_socket::connect(data).await.ok()?;
    Some(Connection::Socket(data.clone()))
}

#[cfg(not(unix))]
async fn served(_: &Location) -> Option<Connection> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use axum::routing::post;

    use super::*;
    use crate::http::command_socket::CommandSocket;

    #[tokio::test(start_paused = true)]
    async fn waits_for_a_server_that_hashes_many_passwords() {
        let data = tempfile::tempdir().unwrap();
        let socket = CommandSocket::bind(data.path()).unwrap();
        let slow = async || sleep(Duration::from_hours(1)).await;
        let _serving = tokio::spawn(socket.serve(Router::new().route("/", post(slow))));
        let connection = Connection::Socket(data.path().to_owned());
        let request = request(Method::POST, "/", Bytes::new()).unwrap();
        let reply = connection.send(request.map(Body::from)).await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
    }
}
