//! Opening the data: the directory's lock, the connections and their settings, the schema.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::Location;
use crate::Error;

/// The database's file in the data directory.
const DATABASE: &str = "patron.sqlite";
/// The file whose lock says that a process has the data directory open.
const LOCK: &str = "patron.lock";
/// The table in which the migrations that were applied are noted.
const HISTORY: &str = "refinery_schema_history";
/// How many connections read.
const READERS: usize = 4;
/// How long a connection waits for another one's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 64;
/// How much of the database a connection keeps in memory at most, in KiB.
const CACHE_KIB: i32 = 64 * 1024;

mod migrations {
    refinery::embed_migrations!("src/sqlite/migrations");
}

/// An open database.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    pub(super) lock: Option<DirectoryLock>,
}

/// Held while a process has the data directory open; the system lets go of it when that ends.
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    fn take(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(LOCK);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| io(error, "cannot open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(directory.to_owned())),
            Err(TryLockError::Error(error)) => Err(io(error, "cannot lock", &path)),
        }
    }
}

fn io(error: std::io::Error, what: &str, path: &Path) -> Error {
    let text = format!("{what} {}: {error}", path.display());
    Error::Io(error, text)
}

pub(super) fn open(location: &Location) -> Result<Opened, Error> {
    let (file, lock) = match location {
        Location::Directory(directory) => {
            fs::create_dir_all(directory).map_err(|error| io(error, "cannot make", directory))?;
            (
                directory.join(DATABASE),
                Some(DirectoryLock::take(directory)?),
            )
        }
        Location::Memory => (memory_file(), None),
    };
    let mut writer = connect(&file)?;
    // A reply waits for its commit, so the commit must be on disk: FULL syncs the log each time.
    writer.pragma_update(
        None,
        "journal_mode",
        if lock.is_some() { "WAL" } else { "MEMORY" },
    )?;
    writer.pragma_update(
        None,
        "synchronous",
        if lock.is_some() { "FULL" } else { "OFF" },
    )?;
    migrate(&mut writer)?;
    let readers = (0..READERS)
        .map(|_| {
            let reader = connect(&file)?;
            reader.pragma_update(None, "query_only", true)?;
            Ok(reader)
        })
        .collect::<Result<_, Error>>()?;
    Ok(Opened {
        writer,
        readers,
        lock,
    })
}

/// The name of a database in memory that the connections of this process share.
fn memory_file() -> PathBuf {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    format!(
        "file:/patron-{}?vfs=memdb",
        OPENED.fetch_add(1, Ordering::Relaxed)
    )
    .into()
}

fn connect(file: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Brings the schema up to date; refuses one that this program does not know.
fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let mut runner = migrations::migrations::runner();
    let known = newest(runner.get_migrations());
    let found = if connection.table_exists(None, HISTORY)? {
        newest(&runner.get_applied_migrations(connection).map_err(engine)?)
    } else {
        0
    };
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    runner = runner.set_abort_divergent(true).set_abort_missing(true);
    runner.run(connection).map(drop).map_err(engine)
}

fn newest(migrations: &[refinery::Migration]) -> u32 {
    let newest = migrations
        .iter()
        .map(refinery::Migration::version)
        .max()
        .unwrap_or_default();
    u32::try_from(newest).unwrap_or(u32::MAX)
}

fn engine(error: refinery::Error) -> Error {
    Error::Engine(Box::new(error))
}
