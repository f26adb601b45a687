//! Where the data of a test are, on the engine that the tests run on: the embedded one, or
//! PostgreSQL where the variable `TEST_ENGINE` says `postgres`. Tests of what one engine
//! alone does name that one, and run on it whatever the variable says.

use std::path::Path;
use std::sync::Arc;

use patron_rules::organisation::Kind;
use patron_store::{
    Change, Edit, Expected, Location, PostgresOptions, PostgresStore, SqliteStore, Store,
};
use tempfile::TempDir;

use crate::app::author;
use crate::postgresql::Database;

const VARIABLE: &str = "TEST_ENGINE";
/// How many connections to PostgreSQL read.
const READERS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Embedded,
    Postgres,
}

impl Engine {
    /// The one that the tests run on.
    pub fn of_this_run() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Err(_) | Ok("sqlite") => Self::Embedded,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("{VARIABLE} is `sqlite` or `postgres`, not `{other}`"),
        }
    }
}

/// A place of a test's own for its data; gone with the test.
pub struct Data {
    /// As it is named on the command line: a directory, or the URL of a database.
    name: String,
    directory: Option<TempDir>,
    _database: Option<Database>,
}

impl Data {
    /// Data that outlast the program.
    pub fn lasting() -> Self {
        match Engine::of_this_run() {
            Engine::Embedded => Self::in_a_directory(),
            Engine::Postgres => Self::in_database(Database::new()),
        }
    }

    /// Data that nobody asks for once the program has ended.
    pub fn passing() -> Self {
        match Engine::of_this_run() {
            Engine::Embedded => {
                Self { name: ":memory:".to_owned(), directory: None, _database: None }
            }
            Engine::Postgres => Self::in_database(Database::new()),
        }
    }

    pub fn in_a_directory() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().to_str().unwrap().to_owned();
        Self { name, directory: Some(directory), _database: None }
    }

    pub fn in_database(database: Database) -> Self {
        Self { name: database.url(), directory: None, _database: Some(database) }
    }

    /// Data in a database that is there already, and stays.
    pub fn in_a_database_at(url: &str) -> Self {
        Self { name: url.to_owned(), directory: None, _database: None }
    }

    /// Opens them within this process.
    pub async fn open(&self) -> Arc<dyn Store> {
        if is_database(&self.name) {
            let options = PostgresOptions { readers: READERS, ..PostgresOptions::new(&self.name) };
            return Arc::new(PostgresStore::open(&options).await.unwrap());
        }
        let directory = self.directory().map(|directory| Location::Directory(directory.to_owned()));
        Arc::new(SqliteStore::open(&directory.unwrap_or(Location::Memory)).unwrap())
    }

    /// Sets settings of the demo, as a process does that serves nobody.
    pub fn set(&self, settings: &[(&str, &str)]) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = self.open().await;
            let till = store.till_credential("till.001").await.unwrap().unwrap();
            let tenant = store.tenant(till.tenant).await.unwrap();
            let settings = tenant.organisation().settings.with(settings.iter().copied()).unwrap();
            let change = Change {
                kind: Kind::Settings,
                name: Kind::Settings.name().to_owned(),
                expected: Expected::Anything,
                edit: Edit::Replace(serde_json::to_string(&settings).unwrap()),
                is_active: None,
            };
            store.apply(till.tenant, vec![change], author()).await.unwrap();
            store.close().await;
        });
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the embedded engine keeps its files; `None` where it keeps none.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_ref().map(TempDir::path)
    }
}

/// The flags by which the program is told where its data are.
pub fn flags(name: &str) -> [&str; 2] {
    [if is_database(name) { "--database" } else { "--data" }, name]
}

fn is_database(name: &str) -> bool {
    name.starts_with("postgres://")
}
