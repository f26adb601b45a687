//! PostgreSQL as one end of a copy.

use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use tokio_postgres::types::Type;

use super::connection::{Connection, Connections, Parameter, PostgresOptions};
use super::{check, migration};
use crate::Error;
use crate::copy::end::{Asked, End, MARK, Writes};
use crate::copy::row::{Chunk, Gathered, Key, Row, Value};
use crate::copy::tables::{Column, Engine, Kind, Part, TABLES, Table, Which, select};
use crate::maintenance::{self, Watch};
use crate::rows::{Row as _, count};

/// A database.
pub(crate) struct PostgresEnd {
    connections: Connections,
}

/// Opens a database that is whole.
pub(crate) async fn open(options: &PostgresOptions) -> Result<PostgresEnd, Error> {
    let connections = Connections::new(options, 1, None, Arc::default())?;
    migration::check(&connections.get().await?).await?;
    Ok(PostgresEnd { connections })
}

/// Opens a database that is empty or holds a copy of this that was not finished, brings its schema
/// up to date, and marks it so.
pub(crate) async fn open_to_fill(
    options: &PostgresOptions,
    from: &str,
) -> Result<PostgresEnd, Error> {
    let connections = Connections::new(options, 1, None, Arc::default())?;
    let connection = connections.get().await?;
    let is_marked = mark(&connection).await?.is_some();
    if !is_marked && holds_rows(&connection).await? {
        return Err(Error::NotEmpty(options.place()));
    }
    migration::up(options, &mut |_| {}).await?;
    if !is_marked {
        connection.is_open(true);
        connection.run("BEGIN").await?;
        connection.run(&format!("CREATE TABLE {MARK} (source TEXT NOT NULL)")).await?;
        connection.execute(&format!("INSERT INTO {MARK} (source) VALUES ($1)"), &[&from]).await?;
        connection.run("COMMIT").await?;
        connection.is_open(false);
    }
    // What a process that was killed had sent is carried out first.
    connection.run(&format!("SELECT 1 FROM {MARK} FOR UPDATE")).await?;
    drop(connection);
    Ok(PostgresEnd { connections })
}

/// Refuses what is only the beginning of a copy.
pub(super) async fn refuse_half_copied(connection: &Connection) -> Result<(), Error> {
    mark(connection).await?.map_or(Ok(()), |from| Err(Error::HalfCopied { from }))
}

/// Of what the database is a copy that is not finished; `None` where it is none.
async fn mark(connection: &Connection) -> Result<Option<String>, Error> {
    if !is_there(connection, MARK).await? {
        return Ok(None);
    }
    connection.first(&format!("SELECT source FROM {MARK}"), &[], |row| row.text("source")).await
}

async fn is_there(connection: &Connection, table: &str) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass($1)";
    Ok(!connection.query(sql, &[&table]).await?.is_empty())
}

async fn holds_rows(connection: &Connection) -> Result<bool, Error> {
    for part in TABLES.iter().flat_map(|table| table.parts(Engine::Postgres)) {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", part.table);
        if is_there(connection, part.table).await? && !connection.query(&sql, &[]).await?.is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[async_trait]
impl End for PostgresEnd {
    async fn rows(
        &self,
        table: &'static Table,
        asked: Asked,
        chunk: Chunk,
    ) -> Result<Vec<Row>, Error> {
        let mut sql = select(Engine::Postgres, table, asked.which());
        if matches!(asked.which(), Which::All | Which::After) {
            sql = format!("{sql} LIMIT {}", chunk.rows);
        }
        let key = asked.key().into_iter().flat_map(|Key(values)| values);
        let key = key.zip(table.key()).map(|(value, column)| parameter(value, column)).collect();
        let connection = self.connections.get().await?;
        let mut rows = pin!(connection.stream(&sql, key).await?);
        let mut gathered = Gathered::none(chunk);
        while gathered.has_room()
            && let Some(row) = rows.try_next().await?
        {
            gathered.add(read(&row, table)?);
        }
        Ok(gathered.rows)
    }

    async fn count(&self, table: &'static Table) -> Result<u64, Error> {
        rows_of(&self.connections.get().await?, table.name).await
    }

    /// Whoever serves a registry leaves a mark with whatever they write.
    async fn writes(&self) -> Result<Writes, Error> {
        let sql = "SELECT count(*) AS marks, max(committed_at) AS last FROM commit_mark";
        let read =
            |row: &tokio_postgres::Row| Ok((row.number("marks")?, row.maybe_number("last")?));
        Ok(self.connections.get().await?.first(sql, &[], read).await?.unwrap_or_default())
    }

    async fn write(&self, table: &'static Table, rows: Arc<Vec<Row>>) -> Result<(), Error> {
        let connection = self.connections.get().await?;
        connection.is_open(true);
        // Fails where another process has finished the copy meanwhile.
        connection.run(&format!("BEGIN; SELECT 1 FROM {MARK} FOR UPDATE")).await?;
        for part in table.parts(Engine::Postgres) {
            copy_in(&connection, table, &part, &rows).await?;
        }
        connection.run("COMMIT").await?;
        connection.is_open(false);
        Ok(())
    }

    async fn filled(&self) -> Result<(), Error> {
        let connection = self.connections.get().await?;
        for part in TABLES.iter().flat_map(|table| table.parts(Engine::Postgres)) {
            connection.run(&format!("ANALYZE {}", part.table)).await?;
        }
        Ok(())
    }

    async fn check(&self, watch: &mut (dyn Watch + Send)) -> Result<Vec<maintenance::Part>, Error> {
        let connection = self.connections.get().await?;
        Ok(vec![
            check::ids(&connection, watch).await?,
            check::ledgers(&connection, watch).await?,
            check::identifiers(&connection, &[], watch).await?,
        ])
    }

    async fn finish(&self) -> Result<(), Error> {
        self.connections.get().await?.run(&format!("DROP TABLE {MARK}")).await
    }
}

async fn copy_in(
    connection: &Connection,
    table: &Table,
    part: &Part,
    rows: &[Row],
) -> Result<(), Error> {
    let columns = || part.columns.iter().filter_map(|place| table.columns.get(*place));
    let mut types: Vec<Type> = columns().map(of_kind).collect();
    types.extend(part.own.iter().map(|_| Type::INT8));
    let names = part.names(table).join(", ");
    let sql = format!("COPY {} ({names}) FROM STDIN BINARY", part.table);
    let mut writer = pin!(connection.copy_in(&sql, &types).await?);
    for row in rows {
        let values = part.columns.iter().filter_map(|place| row.0.get(*place));
        let values = values.zip(columns()).map(|(value, column)| parameter(value, column));
        let own = part.own.iter().map(|(_, value)| value as Parameter<'_>);
        writer.as_mut().write(&values.chain(own).collect::<Vec<_>>()).await?;
    }
    writer.finish().await?;
    Ok(())
}

fn of_kind(column: &Column) -> Type {
    match column.kind {
        Kind::Number => Type::INT8,
        Kind::Small => Type::INT2,
        Kind::Flag => Type::BOOL,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
    }
}

fn parameter<'a>(value: &'a Value, column: &Column) -> Parameter<'a> {
    match (value, column.kind) {
        (Value::Number(number), _) => number,
        (Value::Small(number), _) => number,
        (Value::Flag(flag), _) => flag,
        (Value::Text(text), _) => text,
        (Value::Bytes(bytes), _) => bytes,
        (Value::Null, Kind::Number) => &None::<i64>,
        (Value::Null, Kind::Small) => &None::<i16>,
        (Value::Null, Kind::Flag) => &None::<bool>,
        (Value::Null, Kind::Text) => &None::<String>,
        (Value::Null, Kind::Bytes) => &None::<Vec<u8>>,
    }
}

fn read(row: &tokio_postgres::Row, table: &Table) -> Result<Row, Error> {
    let value = |(place, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Number => row.try_get::<_, Option<_>>(place)?.map(Value::Number),
            Kind::Small => row.try_get::<_, Option<_>>(place)?.map(Value::Small),
            Kind::Flag => row.try_get::<_, Option<_>>(place)?.map(Value::Flag),
            Kind::Text => row.try_get::<_, Option<_>>(place)?.map(Value::Text),
            Kind::Bytes => row.try_get::<_, Option<_>>(place)?.map(Value::Bytes),
        }
        .unwrap_or(Value::Null))
    };
    Ok(Row(table.columns.iter().enumerate().map(value).collect::<Result<_, Error>>()?))
}

pub(super) async fn rows_of(connection: &Connection, table: &str) -> Result<u64, Error> {
    let sql = format!("SELECT count(*) AS rows FROM {table}");
    let rows = connection.first(&sql, &[], |row| count(row.number("rows")?)).await?;
    Ok(rows.unwrap_or_default())
}
