//! Requests that are answered once.

use jiff::Timestamp;
use patron_rules::audit::Origin;
use patron_rules::validate::Registration;
use rusqlite::{Connection, OptionalExtension};

use super::registration;
use super::rows::list;
use super::writer::Writing;
use crate::once::{Once, REMOVED_AT_ONCE, Registered, kept_bytes, packed, unpacked};
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
    if !once.may_keep {
        return Err(Error::AnswersFull);
    }
    writing.check_version(tenant.id, tenant.generation)?;
    writing.attempt(|writing| {
        let decisions = registration::register(writing, tenant, registrations, origin, now)?;
        let answer = (once.answer)(&decisions);
        let mut kept = 0;
        if decisions.iter().any(|decision| decision.outcome.is_ok()) {
            kept = keep(writing.connection, tenant.id, once, &answer, now)?;
        }
        Ok(Registered::Now { decisions, answer, kept_bytes: kept })
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
            Ok((row.get::<_, [u8; 32]>("content")?, row.get::<_, Vec<u8>>("answer")?))
        });
    match found.optional()? {
        None => Ok(None),
        Some((content, kept)) if content == once.content => unpacked(&kept).map(Some),
        Some(_) => Err(Error::KeyReused),
    }
}

/// Keeps an answer, in place of one that is no longer kept; how much room it takes, in bytes.
fn keep(
    connection: &Connection,
    tenant: TenantId,
    once: &Once,
    answer: &[u8],
    now: Timestamp,
) -> Result<usize, Error> {
    let answer = packed(answer);
    let until = now.saturating_add(once.keep_for).unwrap_or(Timestamp::MAX);
    connection
        .prepare_cached("INSERT OR REPLACE INTO answered_request VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((tenant.0, once.key, once.content, until.as_millisecond(), &answer))?;
    Ok(kept_bytes(&answer))
}

/// The organisations that have expired answers.
pub(super) fn with_expired(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<TenantId>, Error> {
    let sql = "SELECT organisation_id FROM organisation AS o WHERE EXISTS (
         SELECT 1 FROM answered_request
         WHERE organisation_id = o.organisation_id AND kept_until <= ?1)";
    list(connection, sql, [now.as_millisecond()], |row| Ok(TenantId(row.get(0)?)))
}

/// Removes a few expired answers, those that expired first; how many.
pub(super) fn remove_expired(
    connection: &Connection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<usize, Error> {
    let removed = connection
        .prepare_cached(
            "DELETE FROM answered_request WHERE rowid IN (
                 SELECT rowid FROM answered_request
                 WHERE organisation_id = ?1 AND kept_until <= ?2
                 ORDER BY kept_until LIMIT ?3)",
        )?
        .execute((tenant.0, now.as_millisecond(), REMOVED_AT_ONCE))?;
    Ok(removed)
}
