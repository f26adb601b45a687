//! Series: how far each has come.

use rand::Rng;
use rusqlite::{Connection, OptionalExtension};

use super::writer::Writing;
use crate::series::{Asked, Free, Progress, Search, Series};
use crate::{Error, TenantId};

/// Sets aside as many numbers or codes as are asked for; fewer where the series has no more, or too
/// many were tried in vain. They are to be issued in their order.
pub(super) fn set_aside(
    writing: &mut Writing<'_>,
    tenant: TenantId,
    asked: &Asked<'_>,
    is_taken: impl Fn(&Writing<'_>, &str) -> Result<bool, Error>,
) -> Result<Vec<Free>, Error> {
    let connection = writing.connection;
    let mut search = Search::new(*asked, load(connection, tenant, asked.series)?);
    while let Some(text) = search.next(&mut || writing.random.next_u64()) {
        if !is_taken(writing, &text)? {
            search.is_free(text);
        }
    }
    let (free, in_vain) = search.end();
    if let Some(progress) = in_vain {
        save(connection, tenant, asked.series, progress)?;
    }
    Ok(free)
}

/// How far a series that is nothing but a count has come.
pub(super) fn counted(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
) -> Result<i64, Error> {
    Ok(load(connection, tenant, series)?.columns()?.0)
}

/// Notes that everything up to this number was issued.
pub(super) fn count_up_to(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
    last: i64,
) -> Result<(), Error> {
    save(connection, tenant, series, Progress::up_to(last)?)
}

/// Sets aside a number that somebody else made; `None` where the series has no more.
pub(super) fn set_aside_given(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
    limit: Option<u64>,
    number: &str,
) -> Result<Option<Free>, Error> {
    Ok(load(connection, tenant, series)?.given(number, limit))
}

/// Notes that a number or code was issued.
pub(super) fn issue(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
    free: &Free,
) -> Result<(), Error> {
    save(connection, tenant, series, free.progress)
}

fn load(connection: &Connection, tenant: TenantId, series: Series<'_>) -> Result<Progress, Error> {
    let found: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT issued, next FROM series
             WHERE organisation_id = ?1 AND kind = ?2 AND name = ?3",
        )?
        .query_row((tenant.0, series.kind(), series.name()), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Progress::stored(found.unwrap_or_default())
}

fn save(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
    progress: Progress,
) -> Result<(), Error> {
    let (issued, next) = progress.columns()?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO series (organisation_id, kind, name, issued, next)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((tenant.0, series.kind(), series.name(), issued, next))?;
    Ok(())
}
