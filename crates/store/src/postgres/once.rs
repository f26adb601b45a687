//! Requests that are answered once.

use jiff::Timestamp;

use super::connection::{Connection, Parameter};
use crate::once::{Once, REMOVED_AT_ONCE};
use crate::rows::Row as _;
use crate::{Error, TenantId};

const ANSWERED: &str = "SELECT content, answer FROM answered_request
     WHERE organisation_id = $1 AND request_key = $2 AND kept_until > $3";
const REPLACED: &str = "DELETE FROM answered_request
     WHERE organisation_id = $1 AND request_key = $2 AND kept_until <= $3";
const KEPT: &str = "INSERT INTO answered_request (
        organisation_id, request_key, content, kept_until, answer)
     VALUES ($1, $2, $3, $4, $5)";
const REMOVED: &str = "DELETE FROM answered_request
     WHERE organisation_id = $1 AND request_key IN (
        SELECT request_key FROM answered_request
        WHERE organisation_id = $1 AND kept_until <= $2
        ORDER BY kept_until LIMIT $3 FOR UPDATE SKIP LOCKED)";

/// The answer that the request got before.
pub(super) async fn answered(
    connection: &Connection,
    tenant: TenantId,
    once: &Once,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Error> {
    let parameters: [Parameter<'_>; 3] = [&tenant.0, &once.key.as_slice(), &now.as_millisecond()];
    let read = |row: &tokio_postgres::Row| Ok((row.bytes("content")?, row.bytes("answer")?));
    match connection.first(ANSWERED, &parameters, read).await? {
        None => Ok(None),
        Some((content, answer)) if content == once.content => Ok(Some(answer)),
        Some(_) => Err(Error::KeyReused),
    }
}

/// Keeps an answer, in place of one that is no longer kept, and removes a few others of that sort.
pub(super) async fn keep(
    connection: &Connection,
    tenant: TenantId,
    once: &Once,
    answer: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    let until = now.saturating_add(once.keep_for).unwrap_or(Timestamp::MAX).as_millisecond();
    let (key, content, now) = (once.key.as_slice(), once.content.as_slice(), now.as_millisecond());
    connection.execute(REPLACED, &[&tenant.0, &key, &now]).await?;
    connection.execute(KEPT, &[&tenant.0, &key, &content, &until, &answer]).await?;
    let removed = i64::from(REMOVED_AT_ONCE);
    connection.execute(REMOVED, &[&tenant.0, &now, &removed]).await.map(drop)
}
