//! A request's body as far as its customers, in whichever format it came.

use patron_rules::submission::Submission;

use super::place::Place;
use super::{request, request_xml};
use crate::v1_1::format::Format;

/// How deep what a body holds may nest: arrays and objects, or elements.
pub(crate) const DEPTH_LIMIT: usize = 32;
/// The longest reason that is given, in characters: a reason may quote what was sent.
const REASON_LIMIT: usize = 200;
/// How much is kept of the name of an unknown member, in characters.
pub(super) const NAME_LIMIT: usize = 100;

/// Why a whole body cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {line} column {column}")]
pub struct Error {
    pub(super) reason: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Error {
    pub(super) fn at(reason: &str, body: &[u8], offset: usize) -> Self {
        let before = String::from_utf8_lossy(body.get(..offset).unwrap_or(body));
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            reason: reason.chars().take(REASON_LIMIT).collect(),
            line: before.matches('\n').count() + 1,
            column: before.len() - line_start + 1,
        }
    }
}

/// The customers of a body, each still to be read.
pub enum Decoded<'a> {
    /// Of a body in JSON.
    Json(request::Batch<'a>),
    /// Of a body in XML.
    Xml(request_xml::Batch),
}

/// Reads a body of this format as far as its customers.
pub(super) fn decode(text: &str, format: Format) -> Result<Decoded<'_>, Error> {
    match format {
        Format::Json => request::decode(text).map(Decoded::Json),
        Format::Xml => request_xml::decode(text).map(Decoded::Xml),
    }
}

impl Decoded<'_> {
    /// How many customers there are.
    pub(super) const fn count(&self) -> usize {
        match self {
            Self::Json(batch) => batch.count,
            Self::Xml(batch) => batch.count,
        }
    }

    /// The first member beside the customers that is not known, as a JSON pointer.
    pub(super) fn unknown(&self) -> Option<&str> {
        match self {
            Self::Json(batch) => batch.unknown.as_deref(),
            Self::Xml(batch) => batch.unknown.as_deref(),
        }
    }

    /// Reads each customer, and says where they stand. Collects their unknown members on demand; a
    /// member beside the customers counts as the first customer's.
    pub(super) fn customers(&self, collect_unknown: bool) -> Vec<(Submission, Place)> {
        let mut customers = match self {
            Self::Json(batch) => batch.customers(collect_unknown),
            Self::Xml(batch) => batch.customers(collect_unknown),
        };
        let beside = self.unknown().filter(|_| collect_unknown);
        if let Some((beside, (first, _))) = beside.zip(customers.first_mut()) {
            first.unknown.add(|| beside.chars().take(NAME_LIMIT).collect());
        }
        customers
    }
}
