//! Connections to the database: where it is, how they are had, and what a process does while there
//! are none.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
    TimeoutType, Timeouts,
};
use futures_util::TryFutureExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, NoTls, Row, RowStream, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Error;

/// How long connecting to one host of the database may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For how long a database that could not be reached is not asked for again.
const BREAK: Duration = Duration::from_millis(500);
/// How long a session whose process has vanished may keep what it has locked.
const ABANDONED_SECONDS: u32 = 30;

/// Where a PostgreSQL database is, and how it is used.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The database, as `postgres://user@host1,host2/name`. Of several hosts the one that takes
    /// writes is used.
    pub url: String,
    /// Those who vouch for the database's certificate, a PEM file; with it the database is spoken to
    /// by TLS alone.
    pub ca_file: Option<PathBuf>,
    /// The most connections that read at once. Those that write are two more.
    pub readers: usize,
    /// How long a request may wait for the database.
    pub deadline: Duration,
}

impl PostgresOptions {
    /// The database at this URL, with the defaults.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), ca_file: None, readers: 8, deadline: Duration::from_secs(5) }
    }

    /// Where the database is, without its password.
    #[must_use]
    pub fn place(&self) -> String {
        let Ok(config) = Config::from_str(&self.url) else { return "a database".to_owned() };
        let host = |host: &Host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        };
        let hosts: Vec<String> = config.get_hosts().iter().map(host).collect();
        format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
    }

    fn config(&self) -> Result<Config, Error> {
        let mut config = Config::from_str(&self.url).map_err(|error| Error::Database {
            what: "the database's URL cannot be read".to_owned(),
            source: Box::new(error),
        })?;
        config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(self.deadline)
            .application_name("patron");
        match (&self.ca_file, config.get_ssl_mode()) {
            (Some(_), _) => drop(config.ssl_mode(SslMode::Require)),
            (None, SslMode::Require) => {
                return Err(Error::Database {
                    what: "sslmode=require needs the file of those who vouch for the database's \
                           certificate: `--database-ca FILE`"
                        .to_owned(),
                    source: "there is no such file configured".into(),
                });
            }
            _ => drop(config.ssl_mode(SslMode::Disable)),
        }
        Ok(config)
    }

    fn manager(&self) -> Result<Manager, Error> {
        let config = self.config()?;
        let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        Ok(match &self.ca_file {
            None => Manager::from_config(config, NoTls, how),
            Some(file) => {
                Manager::from_config(config, MakeRustlsConnect::new(trusting(file)?), how)
            }
        })
    }
}

/// TLS with those who are vouched for in the file.
fn trusting(file: &Path) -> Result<rustls::ClientConfig, Error> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Database {
        what: format!("the certificates in {} cannot be used", file.display()),
        source,
    };
    let mut roots = rustls::RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| failed(Box::new(error)))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| failed(Box::new(error)))?;
        roots.add(certificate).map_err(|error| failed(Box::new(error)))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(Box::new(error)))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Connections that are kept, for one purpose.
pub(super) struct Connections {
    pool: Pool,
    breaker: Arc<Mutex<Breaker>>,
}

/// What asking for connections came to, whatever for.
#[derive(Default)]
pub(super) struct Breaker {
    /// Until when the database is taken for unreachable.
    broken_until: Option<Instant>,
    /// How often it was reached.
    reached: u64,
}

impl Connections {
    /// At most so many, each ended by the database where one statement takes longer than this.
    pub(super) fn new(
        options: &PostgresOptions,
        count: usize,
        statements_end: Option<Duration>,
        breaker: Arc<Mutex<Breaker>>,
    ) -> Result<Self, Error> {
        let wait = Some(options.deadline);
        let set_up = set_up(statements_end);
        let pool = Pool::builder(options.manager()?)
            .max_size(count)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait, create: wait, recycle: wait })
            .post_create(Hook::async_fn(move |client, _| {
                let set_up = set_up.clone();
                Box::pin(
                    async move { client.batch_execute(&set_up).map_err(HookError::Backend).await },
                )
            }))
            .build()
            .map_err(|error| Error::Engine(Box::new(error)))?;
        Ok(Self { pool, breaker })
    }

    /// A connection that is to be used by itself.
    pub(super) async fn client(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(|error| Error::Unreachable(Box::new(error)))
    }

    /// A connection. While the database cannot be reached, that is said at once, and tried again
    /// from time to time.
    pub(super) async fn get(&self) -> Result<Connection, Error> {
        if self.is_broken() {
            return Err(Error::Unreachable("it could not be reached a moment ago".into()));
        }
        let reached = super::lock(&self.breaker).reached;
        let got = self.pool.get().await;
        let mut breaker = super::lock(&self.breaker);
        match &got {
            Ok(_) => {
                *breaker = Breaker { broken_until: None, reached: breaker.reached.wrapping_add(1) };
            }
            Err(
                PoolError::Backend(_)
                | PoolError::PostCreateHook(_)
                | PoolError::Timeout(TimeoutType::Create),
                // What took longer to fail than another to succeed says nothing any more.
            ) if breaker.reached == reached => {
                breaker.broken_until = Instant::now().checked_add(BREAK);
            }
            Err(_) => {}
        }
        drop(breaker);
        match got {
            Ok(object) => {
                let had = Had { object: Some(object), is_open: AtomicBool::new(false) };
                Ok(Connection(Arc::new(had)))
            }
            Err(PoolError::Closed) => Err(Error::Closed),
            Err(error) => Err(Error::Unreachable(Box::new(error))),
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        super::lock(&self.breaker).broken_until.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }
}

/// What each session is told first. A commit that does not wait for the disk is none; and where it
/// waits for a standby, no timeout of the database's may end that, since it would then be
/// acknowledged all the same.
fn set_up(statements_end: Option<Duration>) -> String {
    let milliseconds = statements_end.map_or(0, |end| end.as_millis());
    format!(
        "SET statement_timeout = {milliseconds};
         SET idle_in_transaction_session_timeout = '{ABANDONED_SECONDS}s';
         SET default_transaction_isolation = 'read committed';
         SET plan_cache_mode = 'force_generic_plan';
         SELECT set_config('synchronous_commit', 'on', false)
         WHERE current_setting('synchronous_commit') IN ('off', 'local')"
    )
}

/// A parameter of a statement.
pub(super) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// A connection that was had; cheap to clone.
#[derive(Clone)]
pub(super) struct Connection(Arc<Had>);

struct Had {
    /// There until this is dropped.
    object: Option<Object>,
    /// Whether a transaction was begun whose end is not known.
    is_open: AtomicBool,
}

impl Drop for Had {
    /// What is left inside a transaction is closed, so that nobody goes on inside it.
    fn drop(&mut self) {
        if self.is_open.load(Ordering::Relaxed)
            && let Some(object) = self.object.take()
        {
            drop(Object::take(object));
        }
    }
}

impl Connection {
    fn client(&self) -> Result<&Object, Error> {
        self.0.object.as_ref().ok_or(Error::Closed)
    }

    /// Says that a transaction begins, or has ended for certain.
    pub(super) fn is_open(&self, is_open: bool) {
        self.0.is_open.store(is_open, Ordering::Relaxed);
    }

    /// The statement, which the connection keeps.
    pub(super) async fn prepare(&self, sql: &str) -> Result<Statement, Error> {
        Ok(self.client()?.prepare_cached(sql).await?)
    }

    /// The rows of a statement.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.prepare(sql).await?;
        self.rows(&statement, parameters).await
    }

    /// The same of one that is prepared. Statements that are asked for together are carried out in the
    /// order in which they are first polled.
    pub(super) async fn rows(
        &self,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        Ok(self.client()?.query(statement, parameters).await?)
    }

    /// The rows of a statement, as they come. What nobody takes any more is read and forgotten.
    pub(super) async fn stream(
        &self,
        sql: &str,
        parameters: Vec<Parameter<'_>>,
    ) -> Result<RowStream, Error> {
        let statement = self.prepare(sql).await?;
        Ok(self.client()?.query_raw(&statement, parameters).await?)
    }

    /// What takes rows of these types for a statement that copies them into a table, and must be told
    /// of their end.
    pub(super) async fn copy_in(
        &self,
        sql: &str,
        types: &[Type],
    ) -> Result<BinaryCopyInWriter, Error> {
        let statement = self.prepare(sql).await?;
        Ok(BinaryCopyInWriter::new(self.client()?.copy_in(&statement).await?, types))
    }

    /// The rows of a statement, each read.
    pub(super) async fn list<T>(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: impl FnMut(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.query(sql, parameters).await?.iter().map(read).collect()
    }

    /// The first row of a statement, read.
    pub(super) async fn first<T>(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: impl FnOnce(&Row) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.query(sql, parameters).await?.first().map(read).transpose()
    }

    /// How many rows a statement changed.
    pub(super) async fn execute(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<u64, Error> {
        let statement = self.prepare(sql).await?;
        Ok(self.client()?.execute(&statement, parameters).await?)
    }

    /// Carries out statements that have neither parameters nor rows.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Error> {
        Ok(self.client()?.batch_execute(sql).await?)
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}
