//! SQLite's rows.

use std::cell::Cell;

use rusqlite::types::FromSql;
use rusqlite::{Connection, ErrorCode, Params, Row};

use crate::{Error, rows};

/// Gets a value by its column's name.
trait Columns {
    fn column<T: FromSql>(&self, name: &str) -> Result<T, Error>;
}

impl Columns for Row<'_> {
    fn column<T: FromSql>(&self, name: &str) -> Result<T, Error> {
        Ok(self.get(name)?)
    }
}

/// A row of many columns, which are asked for in their order, or nearly. To find each among all by its
/// name takes longer than to read it.
pub(super) struct InOrder<'a> {
    row: &'a Row<'a>,
    /// The column after the one that was read last.
    next: Cell<usize>,
}

impl<'a> InOrder<'a> {
    pub(super) const fn of(row: &'a Row<'a>) -> Self {
        Self { row, next: Cell::new(0) }
    }
}

impl Columns for InOrder<'_> {
    fn column<T: FromSql>(&self, name: &str) -> Result<T, Error> {
        let (statement, next) = (self.row.as_ref(), self.next.get());
        let is_next = statement.column_name(next).is_ok_and(|found| found == name);
        let at = if is_next { next } else { statement.column_index(name)? };
        self.next.set(at.saturating_add(1));
        Ok(self.row.get(at)?)
    }
}

impl<C: Columns> rows::Row for C {
    fn text(&self, column: &str) -> Result<String, Error> {
        self.column(column)
    }

    fn maybe_text(&self, column: &str) -> Result<Option<String>, Error> {
        self.column(column)
    }

    fn number(&self, column: &str) -> Result<i64, Error> {
        self.column(column)
    }

    fn maybe_number(&self, column: &str) -> Result<Option<i64>, Error> {
        self.column(column)
    }

    fn flag(&self, column: &str) -> Result<bool, Error> {
        self.column(column)
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>, Error> {
        self.column(column)
    }
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
        Some(ErrorCode::ConstraintViolation) => Error::Taken(format!("{what} `{name}`")),
        _ => error.into(),
    }
}
