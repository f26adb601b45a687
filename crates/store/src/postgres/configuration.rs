//! What is set up for an organisation: its documents, and who changed them.

use patron_rules::organisation::{Document, Kind, Organisation};

use super::connection::{Connection, Parameter};
use super::failure::taken;
use super::{credentials, settings};
use crate::configuration::{self, Changed};
use crate::rows::configuration::{Record, recorded_change, stored};
use crate::rows::{Row as _, count};
use crate::{Author, Change, Error, RecordedChange, Stored, TenantId};

const ALL: &str = "SELECT v.version AS organisation_version,
            c.resource, c.name, c.version, c.is_active, c.document
     FROM configuration_version v JOIN configuration c ON c.organisation_id = v.organisation_id
     WHERE v.organisation_id = $1";
const PAGE: &str = "SELECT resource, name, version, is_active, document FROM configuration
     WHERE organisation_id = $1 AND resource = $2 AND name > $3 ORDER BY name LIMIT $4";
const FIND: &str = "SELECT resource, name, version, is_active, document FROM configuration
     WHERE organisation_id = $1 AND resource = $2 AND name = $3";
const WRITE: &str = "INSERT INTO configuration (
        organisation_id, resource, name, version, is_active, document)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (organisation_id, resource, name) DO UPDATE SET
        version = EXCLUDED.version, is_active = EXCLUDED.is_active, document = EXCLUDED.document";
const RECORD: &str = "INSERT INTO configuration_change (
        organisation_id, change, changed_at, changed_by, changed_by_kind, resource, name, before,
        after)
     SELECT $1, COALESCE(max(change), 0) + 1, $2, $3, $4, $5, $6, $7, $8
     FROM configuration_change WHERE organisation_id = $1";
const CHANGES: &str =
    "SELECT change, changed_at, changed_by, changed_by_kind, resource, name, before,
        after
     FROM configuration_change
     WHERE organisation_id = $1 AND change < $2 ORDER BY change DESC LIMIT $3";

/// What is set up, and its version; both as they were at one moment.
pub(super) async fn load(
    connection: &Connection,
    tenant: TenantId,
) -> Result<(u64, Organisation), Error> {
    let rows = connection.query(ALL, &[&tenant.0]).await?;
    let first = rows.first().ok_or(Error::NoOrganisation)?;
    let version = count(first.number("organisation_version")?)?;
    let all = rows.iter().map(stored).collect::<Result<_, _>>()?;
    Ok((version, configuration::organisation(all)?))
}

/// Those of a kind whose names follow this one, by name.
pub(super) async fn page(
    connection: &Connection,
    tenant: TenantId,
    kind: Kind,
    after: &str,
    limit: u32,
) -> Result<Vec<Stored>, Error> {
    let parameters: [Parameter<'_>; 4] = [&tenant.0, &kind.name(), &after, &i64::from(limit)];
    connection.list(PAGE, &parameters, stored).await
}

pub(super) async fn find(
    connection: &Connection,
    tenant: TenantId,
    kind: Kind,
    name: &str,
) -> Result<Option<Stored>, Error> {
    connection.first(FIND, &[&tenant.0, &kind.name(), &name], stored).await
}

/// Carries out changes: all of them, or none.
pub(super) async fn apply(
    connection: &Connection,
    tenant: TenantId,
    changes: &[Change],
    author: &Author,
) -> Result<Vec<Stored>, Error> {
    let all = connection.list(ALL, &[&tenant.0], stored).await?;
    let Changed { before, after, documents } = configuration::change(all, changes)?;
    settings::follow(connection, tenant, &before.settings, &after.settings).await?;
    let mut written = Vec::with_capacity(documents.len());
    for (replaced, stored) in documents {
        if stored.kind == Kind::Tills && replaced.is_none() {
            claim_username(connection, tenant, &after, &stored.document.name).await?;
        }
        if stored.kind == Kind::ApiClients && !stored.document.is_active {
            forget_tokens(connection, tenant, &after, &stored.document.name).await?;
        }
        write(connection, tenant, &stored).await?;
        let entry = Record {
            resource: stored.kind.name(),
            name: &stored.document.name,
            before: replaced.as_ref().map(Document::shown),
            after: Some(stored.document.shown()),
        };
        record(connection, tenant, entry, author).await?;
        written.push(stored);
    }
    Ok(written)
}

async fn write(connection: &Connection, tenant: TenantId, stored: &Stored) -> Result<(), Error> {
    let Stored { kind, version, document } = stored;
    let (kind, version) = (kind.name(), i64::from(*version));
    let parameters: [Parameter<'_>; 6] =
        [&tenant.0, &kind, &document.name, &version, &document.is_active, &document.json];
    connection.execute(WRITE, &parameters).await.map(drop)
}

pub(super) async fn record(
    connection: &Connection,
    tenant: TenantId,
    entry: Record<'_>,
    author: &Author,
) -> Result<(), Error> {
    let Record { resource, name, before, after } = entry;
    let at = author.at.as_millisecond();
    let kind = author.kind.name();
    let parameters: [Parameter<'_>; 8] =
        [&tenant.0, &at, &author.name, &kind, &resource, &name, &before, &after];
    connection.execute(RECORD, &parameters).await.map(drop)
}

/// Records that a secret was changed: of what, and by whom. The secret itself is recorded nowhere.
pub(super) async fn record_secret(
    connection: &Connection,
    tenant: TenantId,
    secrets: &str,
    name: &str,
    author: &Author,
) -> Result<(), Error> {
    let changed = Record { resource: secrets, name, before: None, after: None };
    record(connection, tenant, changed, author).await
}

/// The changes before this one, the latest first.
pub(super) async fn changes(
    connection: &Connection,
    tenant: TenantId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<RecordedChange>, Error> {
    let parameters: [Parameter<'_>; 3] =
        [&tenant.0, &before.unwrap_or(i64::MAX), &i64::from(limit)];
    connection.list(CHANGES, &parameters, recorded_change).await
}

/// Forgets the tokens of a client that is retired, so that they stay worthless once it is back.
async fn forget_tokens(
    connection: &Connection,
    tenant: TenantId,
    organisation: &Organisation,
    name: &str,
) -> Result<(), Error> {
    let Some(client) = organisation.api_clients.get_any(name) else { return Ok(()) };
    credentials::forget_tokens(connection, tenant, client.id).await.map(drop)
}

/// Keeps a till's name for it alone: no other till of any organisation can sign in by it.
async fn claim_username(
    connection: &Connection,
    tenant: TenantId,
    organisation: &Organisation,
    name: &str,
) -> Result<(), Error> {
    let Some(till) = organisation.tills.get_any(name) else { return Ok(()) };
    let sql = "INSERT INTO till_credential (username, organisation_id, till_id)
         VALUES ($1, $2, $3)";
    let claimed = connection.execute(sql, &[&name, &tenant.0, &till.id.0]).await;
    claimed.map(drop).map_err(|error| taken(error, "till name", name))
}
