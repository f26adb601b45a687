//! Requests that are answered once.

use jiff::Timestamp;
use patron_rules::audit::Origin;
use patron_rules::validate::Registration;
use rusqlite::{Connection, OptionalExtension};

use super::registration;
use super::writer::Writing;
use crate::once::{Once, REMOVED_AT_ONCE, Registered};
use crate::{Error, Tenant, TenantId};

/// Finds the request's answer, or registers its customers and keeps it, wholly or not at all.
pub(super) fn register(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    registrations: &[Registration],
    origin: &Origin,
    now: Timestamp,
    once: &Once,
) -> Result<Registered, Error> {
    // What was answered stays so, however the organisation was changed since.
    if let Some(answer) = answered(writing.connection, tenant.id, once, now)? {
        return Ok(Registered::Before(answer));
    }
    writing.check_version(tenant.id, tenant.generation)?;
    writing.attempt(|writing| {
        let decisions = registration::register(writing, tenant, registrations, origin, now)?;
        let answer = (once.answer)(&decisions);
        if decisions.iter().any(|decision| decision.outcome.is_ok()) {
            keep(writing.connection, tenant.id, once, &answer, now)?;
        }
        Ok(Registered::Now { decisions, answer })
    })
}

fn answered(
    connection: &Connection,
    tenant: TenantId,
    once: &Once,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT content, answer FROM answered_request
             WHERE organisation_id = ?1 AND request_key = ?2 AND kept_until > ?3",
        )?
        .query_row((tenant.0, once.key, now.as_millisecond()), |row| {
            Ok((row.get::<_, [u8; 32]>("content")?, row.get("answer")?))
        });
    match found.optional()? {
        None => Ok(None),
        Some((content, answer)) if content == once.content => Ok(Some(answer)),
        Some(_) => Err(Error::KeyReused),
    }
}

/// Keeps an answer, in place of one that is no longer kept, and removes a few others of that sort.
fn keep(
    connection: &Connection,
    tenant: TenantId,
    once: &Once,
    answer: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    let until = now.saturating_add(once.keep_for).unwrap_or(Timestamp::MAX);
    connection
        .prepare_cached("INSERT OR REPLACE INTO answered_request VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((tenant.0, once.key, once.content, until.as_millisecond(), answer))?;
    connection
        .prepare_cached(
            "DELETE FROM answered_request WHERE rowid IN (
                 SELECT rowid FROM answered_request
                 WHERE organisation_id = ?1 AND kept_until <= ?2
                 ORDER BY kept_until LIMIT ?3)",
        )?
        .execute((tenant.0, now.as_millisecond(), REMOVED_AT_ONCE))?;
    Ok(())
}
