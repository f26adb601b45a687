//! The engines that the suite runs on: the only place that lists them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use patron_store::{Error, Location, PostgresOptions, PostgresStore, SqliteStore, Store, copy};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio_postgres::{Client, NoTls};

use crate::postgresql::Database;

/// How many connections of a store read.
const READERS: usize = 2;
/// How long the lock of a directory that nobody uses may be held by a process that is being started.
const PATIENCE: Duration = Duration::from_secs(2);
/// However slow the machine is, nothing fails for that.
const DEADLINE: Duration = Duration::from_mins(1);

/// An engine, and where it keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    SqliteInADirectory,
    SqliteInMemory,
    Postgres,
}

/// A place of a test's own for the data of an engine; gone with the test.
pub struct Place {
    engine: Engine,
    /// Empty where the engine keeps no files.
    pub directory: TempDir,
    /// Where the engine is one of databases.
    database: Option<Database>,
}

impl Place {
    pub fn new(engine: Engine) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = (engine == Engine::Postgres).then(Database::new);
        Self { engine, directory, database }
    }

    /// A database that has not even a schema.
    pub fn of_nothing() -> Self {
        let database = Some(Database::empty());
        Self { database, directory: tempfile::tempdir().unwrap(), engine: Engine::Postgres }
    }

    /// Whether the data are there again once the store was closed.
    #[must_use]
    pub fn lasts(&self) -> bool {
        self.engine != Engine::SqliteInMemory
    }

    /// Where the data are, for whoever copies them.
    pub fn to_copy(&self) -> copy::Place {
        match &self.database {
            Some(database) => copy::Place::Postgres(PostgresOptions::new(&database.url())),
            None => copy::Place::Directory(self.directory.path().to_owned()),
        }
    }

    /// Changes the data behind the store's back.
    pub async fn execute(&self, sql: &str) {
        match &self.database {
            Some(database) => connect(database).await.batch_execute(sql).await.unwrap(),
            None => self.sqlite().execute_batch(sql).unwrap(),
        }
    }

    /// The texts that a query gives, one a row.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        if let Some(database) = &self.database {
            let rows = connect(database).await.query(sql, &[]).await.unwrap();
            return rows.iter().map(|row| row.get(0)).collect();
        }
        let connection = self.sqlite();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.directory.path().join("patron.sqlite")).unwrap()
    }

    /// Opens the data; what is in memory starts empty each time.
    ///
    /// A process that another test starts has this one's files open until it is the program that it is
    /// to be, and the lock of a directory with them.
    pub fn open(&self) -> Arc<dyn Store> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.try_open() {
                Err(Error::InUse(_)) if Instant::now() < until => std::thread::yield_now(),
                opened => return opened.unwrap(),
            }
        }
    }

    pub fn try_open(&self) -> Result<Arc<dyn Store>, Error> {
        let sqlite = |location| Ok(Arc::new(SqliteStore::open(&location)?) as Arc<dyn Store>);
        match (self.engine, &self.database) {
            (Engine::SqliteInMemory, _) => sqlite(Location::Memory),
            (Engine::SqliteInADirectory, _) => {
                sqlite(Location::Directory(self.directory.path().to_owned()))
            }
            (Engine::Postgres, database) => {
                let url = database.as_ref().unwrap().url();
                let options = PostgresOptions {
                    readers: READERS,
                    deadline: DEADLINE,
                    ..PostgresOptions::new(&url)
                };
                let opened =
                    block_in_place(|| Handle::current().block_on(PostgresStore::open(&options)));
                Ok(Arc::new(opened?))
            }
        }
    }
}

async fn connect(database: &Database) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Makes each behaviour, an `async fn(Arc<dyn Store>)`, a test on every engine.
///
/// One that is not listed is unused code, which the compiler tells of.
macro_rules! on_every_engine {
    ($($behaviour:ident),+ $(,)?) => {
        mod sqlite_in_a_directory {
            with_an_open_store!(SqliteInADirectory: $($behaviour),+);
        }
        mod sqlite_in_memory {
            with_an_open_store!(SqliteInMemory: $($behaviour),+);
        }
        mod postgres {
            with_an_open_store!(Postgres: $($behaviour),+);
        }
    };
}

/// The same for an `async fn(Place)`, on the engines whose data outlasts the store.
macro_rules! on_every_lasting_engine {
    ($($behaviour:ident),+ $(,)?) => {
        mod lasting_sqlite_in_a_directory {
            with_a_place!(SqliteInADirectory: $($behaviour),+);
        }
        mod lasting_postgres {
            with_a_place!(Postgres: $($behaviour),+);
        }
    };
}

macro_rules! with_an_open_store {
    ($engine:ident: $($behaviour:ident),+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                let place = crate::engines::Place::new(crate::engines::Engine::$engine);
                let store = place.open();
                super::$behaviour(std::sync::Arc::clone(&store)).await;
                store.close().await;
            }
        )+
    };
}

macro_rules! with_a_place {
    ($engine:ident: $($behaviour:ident),+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                let place = crate::engines::Place::new(crate::engines::Engine::$engine);
                super::$behaviour(place).await;
            }
        )+
    };
}
