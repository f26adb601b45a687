//! PostgreSQL's rows.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::FromSql;

use crate::{Error, rows};

impl rows::Row for Row {
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

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, Error> {
    Ok(row.try_get(column)?)
}

/// The code by which PostgreSQL says what failed.
pub(super) fn code(error: &Error) -> Option<&SqlState> {
    database_error(error)?.code()
}

pub(super) fn database_error(error: &Error) -> Option<&tokio_postgres::Error> {
    let Error::Engine(source) = error else { return None };
    source.downcast_ref()
}

/// Tells a name that is taken from every other failure.
pub(super) fn taken(error: Error, what: &str, name: &str) -> Error {
    if code(&error) == Some(&SqlState::UNIQUE_VIOLATION) {
        return Error::Taken(format!("{what} {name}"));
    }
    error
}
