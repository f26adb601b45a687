//! The embedded engine as one end of a copy.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params_from_iter};

use super::files::{self, Lock};
use super::recent::RecentInGroup;
use super::{Location, Tuning, check, lock, open};
use crate::Error;
use crate::copy::end::{Asked, End, MARK, Writes};
use crate::copy::row::{Chunk, Gathered, Key, Row, Value};
use crate::copy::tables::{Engine, Kind, Part, TABLES, Table, select};
use crate::maintenance::{self, Watch};
use crate::rows::{corrupt, count};

/// How much of the database is kept in memory, in MiB.
const CACHE_MIB: u32 = 64;
/// How much is logged before it is copied into the database, in MiB.
const CHECKPOINT_MIB: u32 = 64;

/// A directory of data, locked.
pub(crate) struct SqliteEnd(Arc<Held>);

/// What work that nobody waits for any more goes on to hold, the lock last.
struct Held {
    connection: Mutex<Connection>,
    _lock: Option<Lock>,
}

/// Opens data that are whole, brings them up to date, and merges their recent identifiers into the
/// table.
pub(crate) fn open(directory: &Path) -> Result<SqliteEnd, Error> {
    let file = directory.join(files::DATABASE);
    if !files::holds_something(&file)? {
        return Err(Error::NoData(file));
    }
    opened(directory, refuse_half_copied)
}

/// Opens a directory that is empty or holds a copy of this that was not finished, and marks it so.
pub(crate) fn open_to_fill(directory: &Path, from: &str) -> Result<SqliteEnd, Error> {
    let end = opened(directory, refuse_registry)?;
    let mut connection = lock(&end.0.connection);
    // The directory's lock keeps everybody else out; and what a power cut takes is copied again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    if mark(&connection)?.is_none() {
        let marking = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        marking.execute_batch(&format!("CREATE TABLE {MARK} (source TEXT NOT NULL) STRICT"))?;
        marking.execute(&format!("INSERT INTO {MARK} (source) VALUES (?1)"), [from])?;
        marking.commit()?;
    }
    drop(connection);
    Ok(end)
}

fn opened(
    directory: &Path,
    refuse: fn(&Connection) -> Result<(), Error>,
) -> Result<SqliteEnd, Error> {
    let tuning =
        Tuning { writer_cache_mib: CACHE_MIB, checkpoint_mib: CHECKPOINT_MIB, ..Tuning::default() };
    let opened = open::open_if(&Location::Directory(directory.to_owned()), &tuning, refuse)?;
    RecentInGroup::new(opened.recent).merge_all(&opened.writer)?;
    Ok(SqliteEnd(Arc::new(Held { connection: Mutex::new(opened.writer), _lock: opened.lock })))
}

/// Refuses what is only the beginning of a copy.
pub(super) fn refuse_half_copied(connection: &Connection) -> Result<(), Error> {
    mark(connection)?.map_or(Ok(()), |from| Err(Error::HalfCopied { from }))
}

/// Refuses whatever else is there.
fn refuse_registry(connection: &Connection) -> Result<(), Error> {
    if mark(connection)?.is_some() {
        return Ok(());
    }
    for part in TABLES.iter().flat_map(|table| table.parts(Engine::Sqlite)) {
        if connection.table_exists(None, part.table)? {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", part.table);
            if connection.query_row(&sql, [], |row| row.get(0))? {
                return Err(Error::NotEmpty(connection.path().unwrap_or_default().to_owned()));
            }
        }
    }
    Ok(())
}

/// Of what the data are a copy that is not finished; `None` where they are none.
fn mark(connection: &Connection) -> Result<Option<String>, Error> {
    if !connection.table_exists(None, MARK)? {
        return Ok(None);
    }
    let sql = format!("SELECT source FROM {MARK}");
    Ok(connection.query_row(&sql, [], |row| row.get(0)).optional()?)
}

impl SqliteEnd {
    /// Works on a thread on which nobody else waits.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let held = Arc::clone(&self.0);
        let working = tokio::task::spawn_blocking(move || work(&mut lock(&held.connection)));
        working.await.map_err(|error| Error::Engine(Box::new(error)))?
    }
}

#[async_trait]
impl End for SqliteEnd {
    async fn rows(
        &self,
        table: &'static Table,
        asked: Asked,
        chunk: Chunk,
    ) -> Result<Vec<Row>, Error> {
        self.with(move |connection| read(connection, table, &asked, chunk)).await
    }

    async fn count(&self, table: &'static Table) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        self.with(move |connection| count(connection.query_row(&sql, [], |row| row.get(0))?)).await
    }

    /// Nobody does, since the directory is locked.
    async fn writes(&self) -> Result<Writes, Error> {
        Ok((0, None))
    }

    async fn write(&self, table: &'static Table, rows: Arc<Vec<Row>>) -> Result<(), Error> {
        self.with(move |connection| {
            let writing = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for part in table.parts(Engine::Sqlite) {
                insert(&writing, table, &part, &rows)?;
            }
            Ok(writing.commit()?)
        })
        .await
    }

    async fn filled(&self) -> Result<(), Error> {
        Ok(())
    }

    /// As `patron check` does. Meanwhile nothing else is waited for here.
    async fn check(&self, watch: &mut (dyn Watch + Send)) -> Result<Vec<maintenance::Part>, Error> {
        Ok(check::check(&lock(&self.0.connection), watch)?.parts)
    }

    async fn finish(&self) -> Result<(), Error> {
        self.with(|connection| {
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(&format!("DROP TABLE {MARK}"))?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        })
        .await
    }
}

fn read(
    connection: &Connection,
    table: &Table,
    asked: &Asked,
    chunk: Chunk,
) -> Result<Vec<Row>, Error> {
    let mut statement = connection.prepare_cached(&select(Engine::Sqlite, table, asked.which()))?;
    let key = asked.key().into_iter().flat_map(|Key(values)| values).map(to_sql);
    let mut rows = statement.query(params_from_iter(key))?;
    let mut gathered = Gathered::none(chunk);
    while gathered.has_room()
        && let Some(row) = rows.next()?
    {
        let values = table.columns.iter().enumerate();
        let values = values.map(|(place, column)| value(row.get_ref(place)?, column.kind));
        gathered.add(Row(values.collect::<Result<_, Error>>()?));
    }
    Ok(gathered.rows)
}

fn insert(connection: &Connection, table: &Table, part: &Part, rows: &[Row]) -> Result<(), Error> {
    let own = part.own.iter().map(|(_, value)| value.to_string());
    let parameters = (1..=part.columns.len()).map(|place| format!("?{place}"));
    let values: Vec<String> = parameters.chain(own).collect();
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        part.table,
        part.names(table).join(", "),
        values.join(", ")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        let values = part.columns.iter().filter_map(|place| row.0.get(*place));
        statement.execute(params_from_iter(values.map(to_sql)))?;
    }
    Ok(())
}

fn value(found: ValueRef<'_>, kind: Kind) -> Result<Value, Error> {
    let other = || corrupt("a column of another type");
    Ok(match (found, kind) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(number), Kind::Number) => Value::Number(number),
        (ValueRef::Integer(number), Kind::Small) => {
            Value::Small(number.try_into().map_err(|_| other())?)
        }
        (ValueRef::Integer(flag @ (0 | 1)), Kind::Flag) => Value::Flag(flag == 1),
        (ValueRef::Text(text), Kind::Text) => {
            Value::Text(String::from_utf8(text.to_owned()).map_err(|_| other())?)
        }
        (ValueRef::Blob(bytes), Kind::Bytes) => Value::Bytes(bytes.to_owned()),
        _ => return Err(other()),
    })
}

fn to_sql(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Number(number) => ValueRef::Integer(*number),
        Value::Small(number) => ValueRef::Integer(i64::from(*number)),
        Value::Flag(flag) => ValueRef::Integer(i64::from(*flag)),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
    })
}
