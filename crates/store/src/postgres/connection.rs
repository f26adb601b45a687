//! Connections to the database: where it is, how they are had, and what a process does while there
//! are none.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use deadpool_postgres::{
    ConfigConnectImpl, Connect, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError,
    RecyclingMethod, Runtime, TimeoutType, Timeouts,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::task::JoinHandle;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Row, RowStream, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::AbortOnDropHandle;

use super::failure::not_connected;
use crate::Error;
use crate::limits::READS_WAITING;

/// How long connecting to one host of the database may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For how long a database that could not be reached is not asked for again.
const BREAK: Duration = Duration::from_millis(500);
/// How long a database that is in doubt may take to say that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long a session whose process has vanished may keep what it has locked.
const ABANDONED_SECONDS: u32 = 30;

/// The warning of a connection that is not encrypted is logged once.
static WARNED: Once = Once::new();

/// Where a PostgreSQL database is, and how it is used.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The database, as `postgres://user@host1,host2/name`. Of several hosts the one that takes
    /// writes is used.
    pub url: String,
    /// Those who vouch for the database's certificate, a PEM file; with it the database is spoken to
    /// by TLS alone.
    pub ca_file: Option<PathBuf>,
    /// The most connections that read at once. Eight more write.
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

    /// Whether customers cross a network without encryption, and the URL does not say that they may.
    fn is_exposed(&self) -> bool {
        let Ok(config) = Config::from_str(&self.url) else { return false };
        let is_remote = match config.get_hostaddrs() {
            [] => config.get_hosts().iter().any(|host| !is_local(host)),
            addresses => addresses.iter().any(|address| !address.is_loopback()),
        };
        is_remote && self.ca_file.is_none() && config.get_ssl_mode() != SslMode::Disable
    }

    /// What makes connections whose sessions are set up so.
    fn manager(&self, set_up: String) -> Result<Manager, Error> {
        let config = self.config()?;
        if self.is_exposed() {
            WARNED.call_once(|| {
                tracing::warn!(
                    database = self.place(),
                    "the connection to the database is not encrypted: set `database_ca`, or add \
                     `sslmode=disable` to `database` if the network is trusted"
                );
            });
        }
        let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let one: Box<dyn Connect> = match &self.ca_file {
            None => Box::new(ConfigConnectImpl { tls: NoTls }),
            Some(file) => {
                Box::new(ConfigConnectImpl { tls: MakeRustlsConnect::new(trusting(file)?) })
            }
        };
        let any = AnyHost { one, hosts: each_host(&config), set_up };
        Ok(Manager::from_connect(config, any, how))
    }
}

/// Whether a host is this machine, by its name or address.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
            name.eq_ignore_ascii_case("localhost")
                || address.is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// The same for each host alone.
fn each_host(config: &Config) -> Vec<Config> {
    let (hosts, addresses, ports) =
        (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let alone = |place: usize| {
        let mut one = Config::new();
        match hosts.get(place) {
            Some(Host::Tcp(name)) => drop(one.host(name)),
            #[cfg(unix)]
            Some(Host::Unix(path)) => drop(one.host_path(path)),
            None => {}
        }
        if let Some(address) = addresses.get(place) {
            one.hostaddr(*address);
        }
        if let Some(port) = ports.get(place).or_else(|| ports.first()) {
            one.port(*port);
        }
        config.get_user().map(|user| one.user(user));
        config.get_password().map(|password| one.password(password));
        config.get_dbname().map(|name| one.dbname(name));
        config.get_options().map(|options| one.options(options));
        config.get_application_name().map(|name| one.application_name(name));
        config.get_connect_timeout().map(|timeout| one.connect_timeout(*timeout));
        config.get_tcp_user_timeout().map(|timeout| one.tcp_user_timeout(*timeout));
        config.get_keepalives_interval().map(|interval| one.keepalives_interval(interval));
        config.get_keepalives_retries().map(|retries| one.keepalives_retries(retries));
        one.keepalives(config.get_keepalives())
            .keepalives_idle(config.get_keepalives_idle())
            .ssl_mode(config.get_ssl_mode())
            .ssl_negotiation(config.get_ssl_negotiation())
            .channel_binding(config.get_channel_binding())
            .target_session_attrs(config.get_target_session_attrs())
            .load_balance_hosts(config.get_load_balance_hosts());
        one
    };
    (0..hosts.len().max(addresses.len())).map(alone).collect()
}

/// Connects to all hosts at once, and takes the first that takes writes. One after the other, a host
/// that takes connections and answers nothing would keep everybody from those behind it.
struct AnyHost {
    one: Box<dyn Connect>,
    hosts: Vec<Config>,
    /// What each session is told first.
    set_up: String,
}

type Connecting<'a> = Pin<Box<dyn Future<Output = Connected> + Send + 'a>>;
type Connected = Result<(Client, JoinHandle<()>), tokio_postgres::Error>;

impl Connect for AnyHost {
    fn connect(&self, config: &Config) -> Connecting<'_> {
        let without_hosts = self.one.connect(config);
        Box::pin(async move {
            let mut trying: FuturesUnordered<_> =
                self.hosts.iter().map(|host| self.connect_to(host)).collect();
            let patience = tokio::time::Instant::now() + CONNECT_TIMEOUT;
            let mut refused = None;
            loop {
                let tried = match refused {
                    // While nobody says anything, the pool ends it.
                    None => trying.next().await,
                    Some(error) => match tokio::time::timeout_at(patience, trying.next()).await {
                        Ok(Some(tried)) => Some(tried),
                        Ok(None) | Err(_) => return Err(error),
                    },
                };
                match tried {
                    Some(Ok(connected)) => return Ok(connected),
                    Some(Err(error)) => refused = Some(error),
                    // It says what is wrong.
                    None => return without_hosts.await,
                }
            }
        })
    }
}

impl AnyHost {
    async fn connect_to(&self, host: &Config) -> Connected {
        let (client, served) = self.one.connect(host).await?;
        let served = AbortOnDropHandle::new(served);
        client.batch_execute(&self.set_up).await?;
        Ok((client, served.detach()))
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
    /// Until when the database is taken for unreachable. After that, one finds out for all.
    broken_until: Option<Instant>,
    /// Something that was asked of it was not answered in time.
    is_in_doubt: bool,
    /// How often it was reached.
    reached: u64,
    /// When something was last not answered in time. Nobody uses a connection that is older: what is
    /// behind them all may be gone without a word.
    silent_at: Option<Instant>,
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
        let known = Arc::clone(&breaker);
        let pool = Pool::builder(options.manager(set_up(statements_end))?)
            .max_size(count)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait, create: wait, recycle: wait })
            .pre_recycle(Hook::sync_fn(move |_, metrics| {
                let silent_at = super::lock(&known).silent_at;
                if silent_at.is_some_and(|at| metrics.created <= at) {
                    return Err(HookError::message("it may be of no use any more"));
                }
                Ok(())
            }))
            .build()
            .map_err(|error| Error::Engine(Box::new(error)))?;
        Ok(Self { pool, breaker })
    }

    /// A connection that is to be used by itself.
    pub(super) async fn client(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(not_connected)
    }

    /// A connection. While the database cannot be reached, that is said at once, and tried again
    /// from time to time.
    pub(super) async fn get(&self) -> Result<Connection, Error> {
        if self.pool.status().waiting >= READS_WAITING {
            return Err(Error::Overloaded);
        }
        let (reached, is_in_doubt) = self.ask()?;
        let got = match self.pool.get().await {
            Ok(object) if is_in_doubt => sign_of_life(object).await,
            got => got,
        };
        self.learn(reached, got.as_ref().err());
        match got {
            Ok(object) => {
                let had = Had { object: Some(object), is_open: AtomicBool::new(false) };
                Ok(Connection(Arc::new(had)))
            }
            Err(PoolError::Closed) => Err(Error::Closed),
            Err(error) => Err(not_connected(error)),
        }
    }

    /// How often the database was reached by now, and whether it is to show that it is there.
    fn ask(&self) -> Result<(u64, bool), Error> {
        let now = Instant::now();
        let mut breaker = super::lock(&self.breaker);
        if let Some(until) = breaker.broken_until {
            if now < until {
                return Err(Error::Unreachable("it could not be reached a moment ago".into()));
            }
            // Whoever comes while this one finds out is told at once.
            breaker.broken_until = now.checked_add(BREAK);
            breaker.is_in_doubt = true;
        }
        Ok((breaker.reached, breaker.is_in_doubt))
    }

    fn learn(&self, reached: u64, failed: Option<&PoolError>) {
        let mut breaker = super::lock(&self.breaker);
        match failed {
            None => {
                breaker.broken_until = None;
                breaker.is_in_doubt = false;
                breaker.reached = breaker.reached.wrapping_add(1);
            }
            Some(
                PoolError::Backend(_)
                | PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle),
                // What took longer to fail than another to succeed says nothing any more.
            ) if breaker.reached == reached => {
                breaker.broken_until = Instant::now().checked_add(BREAK);
            }
            Some(_) => {}
        }
    }

    /// Something was not answered in time: before anybody else waits as long, the database is to
    /// show that it is there, over a connection that is made from now on.
    pub(super) fn doubt(&self) {
        let mut breaker = super::lock(&self.breaker);
        breaker.is_in_doubt = true;
        breaker.silent_at = Some(Instant::now());
    }

    pub(super) fn is_broken(&self) -> bool {
        super::lock(&self.breaker).broken_until.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }
}

/// The connection, where somebody answers at its other end.
async fn sign_of_life(object: Object) -> Result<Object, PoolError> {
    match tokio::time::timeout(SIGN_OF_LIFE, object.batch_execute("")).await {
        Ok(Ok(())) => Ok(object),
        Ok(Err(error)) => Err(PoolError::Backend(error)),
        Err(_) => {
            // It is of no use, and nobody else is to have it.
            drop(Object::take(object));
            Err(PoolError::Timeout(TimeoutType::Recycle))
        }
    }
}

/// What each session is told first.
///
/// Every statement is about rows that a key leads to, and is planned once: what the planner would
/// choose for tables that are still small would be kept when they are not. A commit that does not wait for the disk is none; and where it
/// waits for a standby, no timeout of the database's may end that, since it would then be
/// acknowledged all the same.
fn set_up(statements_end: Option<Duration>) -> String {
    let milliseconds = statements_end.map_or(0, |end| end.as_millis());
    format!(
        "SET statement_timeout = {milliseconds};
         SET idle_in_transaction_session_timeout = '{ABANDONED_SECONDS}s';
         SET default_transaction_isolation = 'read committed';
         SET plan_cache_mode = 'force_generic_plan';
         SET enable_seqscan = off;
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

    /// Something that was asked for here may still be answered: nobody else is to wait behind it.
    pub(super) fn give_up(&self) {
        self.is_open(true);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_exposed_if_a_host_is_not_this_machine() {
        let exposed = |url: &str| PostgresOptions::new(url).is_exposed();
        for url in [
            "postgres://p@db.example/p",
            "postgres://p@10.0.0.1,localhost/p",
            "postgres://p@localhost/p?hostaddr=10.0.0.1",
            "postgres://p@db.example/p?sslmode=prefer",
        ] {
            assert!(exposed(url), "{url}");
        }
        for url in [
            "postgres://p@localhost/p",
            "postgres://p@127.0.0.2,[::1]/p",
            "postgres://p@%2Frun%2Fpostgresql/p",
            "postgres://p@db.example/p?hostaddr=127.0.0.1",
            "postgres://p@db.example/p?sslmode=disable",
        ] {
            assert!(!exposed(url), "{url}");
        }
        let ca_file = Some(PathBuf::from("ca.pem"));
        let options =
            PostgresOptions { ca_file, ..PostgresOptions::new("postgres://p@db.example/p") };
        assert!(!options.is_exposed());
    }
}
