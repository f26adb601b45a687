//! Requests that are answered once.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use tokio_postgres::Row;

use super::connection::{Connection, Parameter};
use super::group::Work;
use super::working::Working;
use crate::once::{Once, REMOVED_AT_ONCE, kept_bytes, packed, unpacked};
use crate::rows::{Row as _, corrupt};
use crate::{Error, TenantId};

const ANSWERS: &str = "SELECT r.request_key, r.content, r.kept_until, r.answer
     FROM unnest($2::BYTEA[]) AS k (request_key)
     CROSS JOIN LATERAL (
        SELECT request_key, content, kept_until, answer FROM answered_request
        WHERE organisation_id = $1 AND request_key = k.request_key OFFSET 0) r";
const REPLACED: &str = "DELETE FROM answered_request
     WHERE organisation_id = $1 AND request_key = ANY($2)";
const KEPT: &str = "INSERT INTO answered_request (
        organisation_id, request_key, content, kept_until, answer)
     SELECT $1::BIGINT, * FROM unnest($2::BYTEA[], $3::BYTEA[], $4::BIGINT[], $5::BYTEA[])";
const EXPIRED: &str = "SELECT 1 FROM answered_request
     WHERE organisation_id = $1 AND kept_until <= $2 LIMIT 1";
const REMOVED: &str = "DELETE FROM answered_request
     WHERE organisation_id = $1 AND request_key IN (
        SELECT request_key FROM answered_request
        WHERE organisation_id = $1 AND kept_until <= $2
        ORDER BY kept_until LIMIT $3 FOR UPDATE SKIP LOCKED)";

type Key = [u8; 32];

/// The answers that bear on a group: those that are kept, and those that are to be.
#[derive(Clone, Default)]
pub(super) struct Answers {
    known: HashMap<Key, Answer>,
    /// What is not written yet, and whether it takes the place of another.
    new: BTreeMap<Key, bool>,
}

#[derive(Clone)]
struct Answer {
    content: Vec<u8>,
    kept_until: i64,
    /// Packed.
    answer: Vec<u8>,
}

impl Answers {
    /// The answers that these requests got before.
    pub(super) async fn load(
        connection: &Connection,
        tenant: TenantId,
        group: &[Work],
    ) -> Result<Self, Error> {
        let keys = group.iter().filter_map(|work| work.once.as_ref());
        let keys: Vec<&[u8]> = keys.map(|once| once.key.as_slice()).collect();
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let known = connection.list(ANSWERS, &[&tenant.0, &keys], read).await?;
        Ok(Self { known: known.into_iter().collect(), new: BTreeMap::new() })
    }

    /// The answer that a request got before.
    pub(super) fn before(&self, once: &Once, now: Timestamp) -> Result<Option<Vec<u8>>, Error> {
        match self.known.get(&once.key) {
            Some(kept) if kept.kept_until <= now.as_millisecond() => Ok(None),
            Some(kept) if kept.content == once.content => unpacked(&kept.answer).map(Some),
            Some(_) => Err(Error::KeyReused),
            None => Ok(None),
        }
    }

    /// Keeps an answer, in place of one that is no longer kept; how much room it takes, in bytes.
    pub(super) fn keep(&mut self, once: &Once, answer: &[u8], now: Timestamp) -> usize {
        let kept_until = now.saturating_add(once.keep_for).unwrap_or(Timestamp::MAX);
        let answer = Answer {
            content: once.content.to_vec(),
            kept_until: kept_until.as_millisecond(),
            answer: packed(answer),
        };
        let bytes = kept_bytes(&answer.answer);
        let replaces = self.known.insert(once.key, answer).is_some();
        self.new.entry(once.key).or_insert(replaces);
        bytes
    }

    /// They are written.
    pub(super) fn are_written(&mut self) {
        self.new.clear();
    }
}

impl Working {
    /// Writes the answers that are new.
    pub(super) async fn write_answers(&self) -> Result<(), Error> {
        let Answers { known, new } = &self.answers;
        if new.is_empty() {
            return Ok(());
        }
        let replaced = new.iter().filter(|(_, replaces)| **replaces);
        let replaced: Vec<&[u8]> = replaced.map(|(key, _)| key.as_slice()).collect();
        if !replaced.is_empty() {
            self.connection.execute(REPLACED, &[&self.tenant.0, &replaced]).await?;
        }
        let rows: Vec<(&Key, &Answer)> =
            new.keys().filter_map(|key| Some((key, known.get(key)?))).collect();
        let column = |of: fn(&Answer) -> &[u8]| -> Vec<&[u8]> {
            rows.iter().map(|(_, answer)| of(answer)).collect()
        };
        let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
        let until: Vec<i64> = rows.iter().map(|(_, answer)| answer.kept_until).collect();
        let kept: [Parameter<'_>; 5] = [
            &self.tenant.0,
            &keys,
            &column(|answer| &answer.content),
            &until,
            &column(|answer| &answer.answer),
        ];
        self.connection.execute(KEPT, &kept).await.map(drop)
    }
}

/// Whether the organisation has expired answers.
pub(super) async fn has_expired(
    connection: &Connection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(!connection.query(EXPIRED, &[&tenant.0, &now.as_millisecond()]).await?.is_empty())
}

/// Removes a few expired answers, those that expired first; how many.
pub(super) async fn remove_expired(
    connection: &Connection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<usize, Error> {
    let (now, limit) = (now.as_millisecond(), i64::from(REMOVED_AT_ONCE));
    let removed = connection.execute(REMOVED, &[&tenant.0, &now, &limit]).await?;
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}

fn read(row: &Row) -> Result<(Key, Answer), Error> {
    let key = row.bytes("request_key")?.try_into();
    let key = key.map_err(|_| corrupt("the key of a request is not 32 bytes long"))?;
    let (content, answer) = (row.bytes("content")?, row.bytes("answer")?);
    Ok((key, Answer { content, kept_until: row.number("kept_until")?, answer }))
}
