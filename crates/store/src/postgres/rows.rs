//! PostgreSQL's rows.

use tokio_postgres::Row;
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

pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, Error> {
    row.try_get(column).map_err(|error| Error::Corrupt(format!("column {column}: {error}")))
}
