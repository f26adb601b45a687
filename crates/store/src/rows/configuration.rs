//! What is set up, and who changed it.

use patron_rules::organisation::{Document, Kind};

use super::{Row, corrupt, count};
use crate::{Author, AuthorKind, Error, RecordedChange, Stored};

/// The document of a row.
pub(crate) fn stored(row: &impl Row) -> Result<Stored, Error> {
    let kind = Kind::named(&row.text("resource")?)
        .ok_or_else(|| corrupt("a kind of document is not known"))?;
    let document = Document {
        name: row.text("name")?,
        is_active: row.flag("is_active")?,
        json: row.text("document")?,
    };
    Ok(Stored { kind, version: count(row.number("version")?)?, document })
}

/// What is recorded of a change.
#[derive(Debug, Default)]
pub(crate) struct Record<'a> {
    pub(crate) resource: &'a str,
    pub(crate) name: &'a str,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// The change of a row.
pub(crate) fn recorded_change(row: &impl Row) -> Result<RecordedChange, Error> {
    let kind = AuthorKind::named(&row.text("changed_by_kind")?)
        .ok_or_else(|| corrupt("a kind of author is not known"))?;
    Ok(RecordedChange {
        number: row.number("change")?,
        author: Author { name: row.text("changed_by")?, kind, at: row.time("changed_at")? },
        resource: row.text("resource")?,
        name: row.text("name")?,
        before: row.maybe_text("before")?,
        after: row.maybe_text("after")?,
    })
}
