//! Series: how far each has come, and numbers and codes that nobody has.
//!
//! What is set aside for a registration and what the registration issues are one transaction, so
//! that no number is issued twice and none beyond a limit.

use patron_rules::number::Form;
use rand::Rng;
use rusqlite::{Connection, OptionalExtension};

use super::rows::corrupt;
use super::writer::Writing;
use crate::{Error, TenantId};

/// How many numbers or codes are tried before none is free.
const TRIES: u64 = 100;

/// A series within its organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Series {
    /// External ids.
    ExternalIds,
}

impl Series {
    const fn kind(self) -> &'static str {
        match self {
            Self::ExternalIds => "external_ids",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ExternalIds => "",
        }
    }
}

/// How far a series has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    /// How many were issued.
    issued: u64,
    /// The number at which counting goes on.
    next: u64,
}

/// A number that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) text: String,
    /// How far its series has come once it is issued.
    progress: Progress,
}

/// Sets aside a number of a series; `None` where it is used up, or none of so many is free.
pub(super) fn set_aside(
    writing: &mut Writing<'_>,
    tenant: TenantId,
    series: Series,
    form: &Form,
    is_taken: impl Fn(&str) -> Result<bool, Error>,
) -> Result<Option<Number>, Error> {
    let connection = writing.connection;
    let mut random = || writing.random.next_u64();
    let Progress { issued, next } = progress(connection, tenant, series)?;
    let counts = form.algorithm.counts();
    let first = next.max(form.offset);
    for count in first..first.saturating_add(TRIES) {
        let number = if counts { form.counted(count) } else { Some(form.random(&mut random)) };
        let Some(text) = number else { return Ok(None) };
        if !is_taken(&text)? {
            let next = if counts { count + 1 } else { next };
            return Ok(Some(Number { text, progress: Progress { issued: issued + 1, next } }));
        }
    }
    if counts {
        // What was counted in vain is not counted again.
        let next = first.saturating_add(TRIES);
        save(connection, tenant, series, Progress { issued, next })?;
    }
    Ok(None)
}

/// Notes that a number was issued.
pub(super) fn issue(
    connection: &Connection,
    tenant: TenantId,
    series: Series,
    number: &Number,
) -> Result<(), Error> {
    save(connection, tenant, series, number.progress)
}

fn progress(connection: &Connection, tenant: TenantId, series: Series) -> Result<Progress, Error> {
    let found: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT issued, next FROM series
             WHERE organisation_id = ?1 AND kind = ?2 AND name = ?3",
        )?
        .query_row((tenant.0, series.kind(), series.name()), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (issued, next) = found.unwrap_or_default();
    let count = |stored| u64::try_from(stored).map_err(|_| corrupt("a count below nothing"));
    Ok(Progress { issued: count(issued)?, next: count(next)? })
}

fn save(
    connection: &Connection,
    tenant: TenantId,
    series: Series,
    Progress { issued, next }: Progress,
) -> Result<(), Error> {
    let count = |count| i64::try_from(count).map_err(|_| corrupt("a count beyond all numbers"));
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO series (organisation_id, kind, name, issued, next)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((tenant.0, series.kind(), series.name(), count(issued)?, count(next)?))?;
    Ok(())
}
