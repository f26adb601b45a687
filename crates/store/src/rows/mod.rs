//! What rows mean, the same for every engine: how the columns of a row become what the rules know,
//! and how what they know becomes columns.

pub(crate) mod audit;
pub(crate) mod configuration;
pub(crate) mod coupon;
pub(crate) mod customer;
pub(crate) mod enrolment;
pub(crate) mod ledger;
pub(crate) mod operators;
pub(crate) mod references;
pub(crate) mod referral;

use jiff::Timestamp;
use patron_rules::identifier::IdentifierKind;
use rust_decimal::Decimal;
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// A row of an engine's, by the names of its columns.
pub(crate) trait Row {
    /// A text that is there.
    fn text(&self, column: &str) -> Result<String, Error>;
    /// A text; `None` for NULL.
    fn maybe_text(&self, column: &str) -> Result<Option<String>, Error>;
    /// A number that is there.
    fn number(&self, column: &str) -> Result<i64, Error>;
    /// A number; `None` for NULL.
    fn maybe_number(&self, column: &str) -> Result<Option<i64>, Error>;
    /// Yes or no.
    fn flag(&self, column: &str) -> Result<bool, Error>;
    /// Bytes that are there.
    fn bytes(&self, column: &str) -> Result<Vec<u8>, Error>;

    /// A time that is there.
    fn time(&self, column: &str) -> Result<Timestamp, Error> {
        timestamp(self.number(column)?)
    }

    /// A time; `None` for NULL.
    fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>, Error> {
        self.maybe_number(column)?.map(timestamp).transpose()
    }
}

pub(crate) fn amount(text: &str) -> Result<Decimal, Error> {
    text.parse().map_err(|_| corrupt("an amount is no decimal"))
}

pub(crate) fn timestamp(milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| corrupt("a time out of range"))
}

/// The time as it is kept.
pub(crate) fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// A number that counts something.
pub(crate) fn count<N: TryFrom<i64>>(number: i64) -> Result<N, Error> {
    N::try_from(number).map_err(|_| corrupt("a count out of range"))
}

pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Engine(Box::new(error)))
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| corrupt("a document is not of its form"))
}

/// The list as JSON; `None` where it is empty.
pub(crate) fn list_to_json<T: Serialize>(list: &[T]) -> Result<Option<String>, Error> {
    (!list.is_empty()).then(|| to_json(list)).transpose()
}

pub(crate) fn list_from_json<T: DeserializeOwned>(json: Option<String>) -> Result<Vec<T>, Error> {
    json.map_or_else(|| Ok(Vec::new()), |text| from_json(&text))
}

pub(crate) fn corrupt(what: &str) -> Error {
    Error::Corrupt(what.to_owned())
}

/// The kind's number in the table of identifiers.
pub(crate) const fn kind_number(kind: IdentifierKind) -> i64 {
    match kind {
        IdentifierKind::Mobile => 1,
        IdentifierKind::Email => 2,
        IdentifierKind::ExternalId => 3,
    }
}

/// The identifier as it is compared, of a row in the table of customers.
pub(crate) const fn identifier_value(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Mobile => "mobile",
        IdentifierKind::Email => "lower(email)",
        IdentifierKind::ExternalId => "external_id",
    }
}
