//! Opening the data: the directory's lock, the connections and their settings, the schema.

use std::fs::{DirBuilder, File, TryLockError};
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
/// By what a database is known as ours: "PATR".
const APPLICATION_ID: i32 = 0x5041_5452;
/// How many connections read.
const READERS: usize = 4;
/// How long a connection waits for another one's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 64;
/// How much of the database the writer keeps in memory at most, in KiB.
const WRITER_CACHE_KIB: i32 = 64 * 1024;
/// How much of the database each reader keeps in memory at most, in KiB.
const READER_CACHE_KIB: i32 = 8 * 1024;

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
        let file = private_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(directory.to_owned())),
            Err(TryLockError::Error(error)) => Err(io(error, "cannot lock", &path)),
        }
    }
}

/// Makes a directory that only the process's own user may enter.
fn make_private(directory: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| io(error, "cannot make", directory))
}

/// Opens a file, made where it is missing, that only the process's own user may read. What SQLite
/// puts beside its database has the database's permissions.
fn private_file(path: &Path) -> Result<File, Error> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| io(error, "cannot open", path))
}

fn io(source: std::io::Error, what: &str, path: &Path) -> Error {
    Error::Io { what: format!("{what} {}", path.display()), source }
}

pub(super) fn open(location: &Location) -> Result<Opened, Error> {
    let (file, lock) = match location {
        Location::Directory(directory) => {
            make_private(directory)?;
            let lock = DirectoryLock::take(directory)?;
            let file = directory.join(DATABASE);
            private_file(&file)?;
            (file, Some(lock))
        }
        Location::Memory => (memory_file(), None),
    };
    let on_disk = lock.is_some();
    let mut writer = connect(&file, on_disk, WRITER_CACHE_KIB)?;
    // A reply waits for its commit, so the commit must be on disk: FULL syncs the log each time.
    let (journal, synchronous) = if on_disk { ("wal", "FULL") } else { ("memory", "OFF") };
    let set: String =
        writer.pragma_update_and_check(None, "journal_mode", journal, |row| row.get(0))?;
    if set != journal {
        return Err(Error::Engine(format!("the journal is `{set}`, not `{journal}`").into()));
    }
    writer.pragma_update(None, "synchronous", synchronous)?;
    claim(&writer)?;
    migrate(&mut writer)?;
    let readers = (0..READERS)
        .map(|_| {
            let reader = connect(&file, on_disk, READER_CACHE_KIB)?;
            reader.pragma_update(None, "query_only", true)?;
            Ok(reader)
        })
        .collect::<Result<_, Error>>()?;
    Ok(Opened { writer, readers, lock })
}

/// The name of a database in memory that the connections of this process share.
fn memory_file() -> PathBuf {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    format!("file:/patron-{}?vfs=memdb", OPENED.fetch_add(1, Ordering::Relaxed)).into()
}

fn connect(file: &Path, on_disk: bool, cache_kib: i32) -> Result<Connection, Error> {
    // Only the name of a database in memory is a URI.
    let extra = if on_disk { OpenFlags::empty() } else { OpenFlags::SQLITE_OPEN_URI };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | extra;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Marks an empty database as ours; refuses one that is somebody else's.
fn claim(connection: &Connection) -> Result<(), Error> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    match (id, tables) {
        (APPLICATION_ID, _) => Ok(()),
        (0, 0) => Ok(connection.pragma_update(None, "application_id", APPLICATION_ID)?),
        _ => Err(Error::Corrupt("it is a database of another program".to_owned())),
    }
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
    let newest = migrations.iter().map(refinery::Migration::version).max().unwrap_or_default();
    u32::try_from(newest).unwrap_or(u32::MAX)
}

fn engine(error: refinery::Error) -> Error {
    Error::Engine(Box::new(error))
}
