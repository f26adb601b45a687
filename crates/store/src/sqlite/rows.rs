//! Reading and writing rows, as every table needs it.

use jiff::Timestamp;
use patron_rules::identifier::IdentifierKind;
use rusqlite::{Connection, ErrorCode, Params, Row};
use rust_decimal::Decimal;
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

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

pub(super) fn text(row: &Row<'_>, column: &str) -> Result<String, Error> {
    Ok(row.get(column)?)
}

pub(super) fn amount(text: &str) -> Result<Decimal, Error> {
    text.parse().map_err(|_| corrupt("an amount is no decimal"))
}

pub(super) fn timestamp(milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| corrupt("a time out of range"))
}

pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Engine(Box::new(error)))
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| corrupt("a document is not of its form"))
}

pub(super) fn corrupt(what: &str) -> Error {
    Error::Corrupt(what.to_owned())
}

/// The kind's number in the table of identifiers.
pub(super) const fn kind_number(kind: IdentifierKind) -> i64 {
    match kind {
        IdentifierKind::Mobile => 1,
        IdentifierKind::Email => 2,
        IdentifierKind::ExternalId => 3,
    }
}

/// The identifier as it is compared, of a row in the table of customers.
pub(super) const fn identifier_value(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Mobile => "mobile",
        IdentifierKind::Email => "lower(email)",
        IdentifierKind::ExternalId => "external_id",
    }
}
