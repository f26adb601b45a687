//! SQLite's rows.

use rusqlite::types::FromSql;
use rusqlite::{Connection, ErrorCode, Params, Row};

use crate::{Error, rows};

impl rows::Row for Row<'_> {
    fn text(&self, column: &str) -> Result<String, Error> {
        get(self, column)
    }

    fn maybe_text(&self, column: &str) -> Result<Option<String>, Error> {
        get(self, column)
    }

    fn number(&self, column: &str) -> Result<i64, Error> {
        get(self, column)
    }

    fn maybe_number(&self, column: &str) -> Result<Option<i64>, Error> {
        get(self, column)
    }

    fn flag(&self, column: &str) -> Result<bool, Error> {
        get(self, column)
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>, Error> {
        get(self, column)
    }
}

fn get<T: FromSql>(row: &Row<'_>, column: &str) -> Result<T, Error> {
    Ok(row.get(column)?)
}

/// The rows of a query, in its order.
pub(super) fn list<T>(
    connection: &Connection,
    sql: &str,
    key: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(key)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Tells a name that is taken from every other failure.
pub(super) fn taken(error: rusqlite::Error, what: &str, name: &str) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Error::Taken(format!("{what} {name}: {error}")),
        _ => error.into(),
    }
}
