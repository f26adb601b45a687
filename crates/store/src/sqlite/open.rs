//! Opening the data: the directory's lock, the connections and their settings, the schema.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::files::{self, Lock, OpenFiles};
use super::recent::Recent;
use super::{Location, Tuning, copying};
use crate::Error;
use crate::maintenance::Schema;

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
const KIB: i64 = 1024;
const MIB: i64 = 1024 * KIB;
/// How much of the database each reader keeps in memory at most.
const READER_CACHE_MIB: u32 = 8;
/// How much of the database is kept in memory at most where it is checked, copied or migrated.
const MAINTENANCE_CACHE_MIB: u32 = 16;

mod migrations {
    refinery::embed_migrations!("src/sqlite/migrations");
}

/// An open database.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    pub(super) recent: Arc<Recent>,
    /// `None` for what is in memory, as is the lock.
    pub(super) files: Option<OpenFiles>,
    pub(super) lock: Option<Lock>,
}

/// Opens the data to be used.
pub(super) fn open(location: &Location, tuning: &Tuning) -> Result<Opened, Error> {
    open_if(location, tuning, copying::refuse_half_copied)
}

/// Opens the data, if they are what is wanted; only then they are brought up to date.
pub(super) fn open_if(
    location: &Location,
    tuning: &Tuning,
    refuse: fn(&Connection) -> Result<(), Error>,
) -> Result<Opened, Error> {
    let (file, mut lock) = match location {
        Location::Directory(directory) => {
            files::make_private(directory)?;
            let lock = Lock::take(directory)?;
            let file = directory.join(files::DATABASE);
            files::finish_restoring(&file)?;
            files::refuse_log_of_another(&file)?;
            files::write_log_again(&file)?;
            files::private(&file)?;
            (file, Some(lock))
        }
        Location::Memory => (memory_file(), None),
    };
    let on_disk = lock.is_some();
    let mut writer = connect(&file, on_disk, tuning.writer_cache_mib)?;
    // A reply waits for its commit, so the commit must be on disk: FULL syncs the log each time.
    let (journal, synchronous) = if on_disk { ("wal", "FULL") } else { ("memory", "OFF") };
    let set: String =
        writer.pragma_update_and_check(None, "journal_mode", journal, |row| row.get(0))?;
    if set != journal {
        return Err(Error::Engine(format!("the journal is `{set}`, not `{journal}`").into()));
    }
    writer.pragma_update(None, "synchronous", synchronous)?;
    writer.pragma_update(None, "wal_autocheckpoint", pages(&writer, tuning.checkpoint_mib)?)?;
    claim(&writer)?;
    refuse(&writer)?;
    migrate(&mut writer)?;
    let recent = Arc::new(Recent::load(&writer, tuning.recent_identifiers)?);
    let readers = (0..READERS)
        .map(|_| {
            let reader = connect(&file, on_disk, READER_CACHE_MIB)?;
            reader.pragma_update(None, "query_only", true)?;
            Ok(reader)
        })
        .collect::<Result<_, Error>>()?;
    let files = on_disk.then(|| OpenFiles::of(&file)).transpose()?;
    if let (Some(lock), Some(files)) = (&mut lock, &files) {
        lock.note(files)?;
    }
    Ok(Opened { writer, readers, recent, files, lock })
}

/// The name of a database in memory that the connections of this process share.
fn memory_file() -> PathBuf {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    format!("file:/patron-{}?vfs=memdb", OPENED.fetch_add(1, Ordering::Relaxed)).into()
}

fn connect(file: &Path, on_disk: bool, cache_mib: u32) -> Result<Connection, Error> {
    // Only the name of a database in memory is a URI.
    let extra = if on_disk { OpenFlags::empty() } else { OpenFlags::SQLITE_OPEN_URI };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | extra;
    configured(Connection::open_with_flags(file, flags)?, cache_mib)
}

/// How many pages of this database that is.
fn pages(connection: &Connection, mib: u32) -> Result<i64, Error> {
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(i64::from(mib) * MIB / page.max(1))
}

fn configured(connection: Connection, cache_mib: u32) -> Result<Connection, Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A negative number is one of KiB and not of pages.
    connection.pragma_update(None, "cache_size", -(i64::from(cache_mib) * MIB / KIB))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Where a sync alone leaves data in the disk's own cache, as on macOS, sync that, too.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    // A statement's plan is the same whatever is bound, so it is never prepared again for it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Opens a database of ours, which another process may be serving, and writes nothing.
pub(super) fn read_only(file: &Path) -> Result<Connection, Error> {
    let (connection, Schema { found, known }) = readable(file)?;
    if found < known {
        return Err(Error::TooOld { found, known });
    }
    Ok(connection)
}

/// Opens a database of ours to read it, whatever the version of its schema.
pub(super) fn readable(file: &Path) -> Result<(Connection, Schema), Error> {
    if !files::holds_something(file)? {
        return Err(Error::NoData(file.to_owned()));
    }
    files::refuse_log_of_another(file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection =
        configured(Connection::open_with_flags(file, flags)?, MAINTENANCE_CACHE_MIB)?;
    if !is_ours(&connection)? {
        return Err(foreign());
    }
    copying::refuse_half_copied(&connection)?;
    let schema = versions(&mut connection)?;
    Ok((connection, schema))
}

/// Brings a database of ours that nobody serves up to date.
pub(super) fn bring_up_to_date(file: &Path) -> Result<(), Error> {
    let mut connection = connect(file, true, MAINTENANCE_CACHE_MIB)?;
    if !is_ours(&connection)? {
        return Err(foreign());
    }
    migrate(&mut connection)?;
    connection.close().map_err(|(_, error)| error.into())
}

fn is_ours(connection: &Connection) -> Result<bool, Error> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(id == APPLICATION_ID)
}

fn foreign() -> Error {
    Error::Corrupt("it is a database of another program".to_owned())
}

/// Marks an empty database as ours; refuses one that is somebody else's.
fn claim(connection: &Connection) -> Result<(), Error> {
    if is_ours(connection)? {
        return Ok(());
    }
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    match (id, tables) {
        (0, 0) => Ok(connection.pragma_update(None, "application_id", APPLICATION_ID)?),
        _ => Err(foreign()),
    }
}

/// Brings the schema up to date; refuses one that this program does not know.
fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let Schema { found, known } = versions(connection)?;
    if (1..known).contains(&found) {
        tracing::info!(found, known, "the schema is brought up to date");
    }
    let runner = migrations::migrations::runner();
    // Grouped, a migration and the note that it was applied are one commit.
    let runner = runner.set_grouped(true).set_abort_divergent(true).set_abort_missing(true);
    runner.run(connection).map(drop).map_err(engine)
}

/// The version of the data's schema, 0 for none; refuses one that this program does not know.
fn versions(connection: &mut Connection) -> Result<Schema, Error> {
    let runner = migrations::migrations::runner();
    let known = newest(runner.get_migrations());
    let found = if connection.table_exists(None, HISTORY)? {
        newest(&runner.get_applied_migrations(connection).map_err(engine)?)
    } else {
        0
    };
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    Ok(Schema { found, known })
}

fn newest(migrations: &[refinery::Migration]) -> u32 {
    let newest = migrations.iter().map(refinery::Migration::version).max().unwrap_or_default();
    u32::try_from(newest).unwrap_or(u32::MAX)
}

fn engine(error: refinery::Error) -> Error {
    Error::Engine(Box::new(error))
}
