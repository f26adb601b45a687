//! What tills and API clients sign in with, and the tokens that clients call with.

use jiff::Timestamp;
use patron_rules::organisation::{ApiClientId, Kind, TillId};
use rusqlite::{Connection, OptionalExtension, Row};

use super::configuration;
use super::rows::taken;
use crate::credentials::TOLD_FOR;
use crate::limits::TOKENS;
use crate::rows::timestamp;
use crate::{
    AccessToken, Author, ClientCredential, Error, NewSecret, NewToken, PasswordHashes, TenantId,
    TillCredential, TokenHash,
};

pub(super) fn of_till(
    connection: &Connection,
    username: &str,
) -> Result<Option<TillCredential>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT organisation_id, till_id, md5_hash, sha256_hash FROM till_credential
             WHERE username = ?1 AND md5_hash IS NOT NULL AND sha256_hash IS NOT NULL",
        )?
        .query_row([username], |row| {
            Ok(TillCredential {
                tenant: tenant(row)?,
                till: TillId(row.get("till_id")?),
                hashes: PasswordHashes {
                    md5: row.get("md5_hash")?,
                    sha256: row.get("sha256_hash")?,
                },
            })
        });
    Ok(found.optional()?)
}

pub(super) fn set_password(
    connection: &Connection,
    tenant: TenantId,
    till: &str,
    hashes: &PasswordHashes,
) -> Result<(), Error> {
    let changed = connection
        .prepare_cached(
            "UPDATE till_credential SET md5_hash = ?3, sha256_hash = ?4
             WHERE username = ?1 AND organisation_id = ?2",
        )?
        .execute((till, tenant.0, &hashes.md5, &hashes.sha256))?;
    if changed == 0 { Err(no_such(Kind::Tills, till)) } else { Ok(()) }
}

/// As [`set_password`], and records who did it.
pub(super) fn change_password(
    connection: &Connection,
    tenant: TenantId,
    till: &str,
    hashes: &PasswordHashes,
    author: &Author,
) -> Result<(), Error> {
    set_password(connection, tenant, till, hashes)?;
    configuration::record_secret(connection, tenant, "till_passwords", till, author)
}

pub(super) fn of_client(
    connection: &Connection,
    key: &str,
) -> Result<Option<ClientCredential>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT organisation_id, api_client_id, secret_hash FROM api_client_credential
             WHERE client_key = ?1",
        )?
        .query_row([key], |row| {
            Ok(ClientCredential {
                tenant: tenant(row)?,
                client: ApiClientId(row.get("api_client_id")?),
                secret_hash: row.get("secret_hash")?,
            })
        });
    Ok(found.optional()?)
}

pub(super) fn client_key(
    connection: &Connection,
    tenant: TenantId,
    client: &str,
) -> Result<Option<String>, Error> {
    let id = client_id(connection, tenant, client)?;
    let found = connection
        .prepare_cached(
            "SELECT client_key FROM api_client_credential
             WHERE organisation_id = ?1 AND api_client_id = ?2",
        )?
        .query_row((tenant.0, id.0), |row| row.get(0));
    Ok(found.optional()?)
}

/// Gives a client a secret, and a key where it has none; its key. Tokens that were generated with
/// another secret are gone.
pub(super) fn change_secret(
    connection: &Connection,
    tenant: TenantId,
    client: &str,
    new: &NewSecret,
    author: &Author,
) -> Result<String, Error> {
    let id = client_id(connection, tenant, client)?;
    let key = connection
        .prepare_cached(
            "INSERT INTO api_client_credential VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (organisation_id, api_client_id) DO UPDATE SET secret_hash = ?4
             RETURNING client_key",
        )?
        .query_row((&new.key, tenant.0, id.0, &new.hash), |row| row.get(0))
        .map_err(|error| taken(error, "client key", &new.key))?;
    forget_tokens(connection, tenant, id)?;
    configuration::record_secret(connection, tenant, "api_client_secrets", client, author)?;
    Ok(key)
}

/// Keeps a token, and no more of its client's than are to be kept.
pub(super) fn keep_token(
    connection: &Connection,
    tenant: TenantId,
    new: &NewToken,
) -> Result<(), Error> {
    let NewToken { client, hash, issued_at, expires_at } = new;
    let forgotten = issued_at.saturating_sub(TOLD_FOR).unwrap_or(Timestamp::MIN);
    connection
        .prepare_cached(
            "DELETE FROM access_token
             WHERE organisation_id = ?1 AND api_client_id = ?2 AND expires_at < ?3",
        )?
        .execute((tenant.0, client.0, forgotten.as_millisecond()))?;
    connection.prepare_cached("INSERT INTO access_token VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(
        (hash.0, tenant.0, client.0, issued_at.as_millisecond(), expires_at.as_millisecond()),
    )?;
    connection
        .prepare_cached(
            "DELETE FROM access_token WHERE token_hash IN (
                 SELECT token_hash FROM access_token
                 WHERE organisation_id = ?1 AND api_client_id = ?2
                 ORDER BY issued_at DESC LIMIT -1 OFFSET ?3)",
        )?
        .execute((tenant.0, client.0, TOKENS))?;
    Ok(())
}

pub(super) fn token(
    connection: &Connection,
    hash: &TokenHash,
) -> Result<Option<AccessToken>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT organisation_id, api_client_id, expires_at FROM access_token
             WHERE token_hash = ?1",
        )?
        .query_row([hash.0], |row| {
            let expires_at: i64 = row.get("expires_at")?;
            Ok((tenant(row)?, ApiClientId(row.get("api_client_id")?), expires_at))
        });
    let Some((tenant, client, expires_at)) = found.optional()? else { return Ok(None) };
    Ok(Some(AccessToken { tenant, client, expires_at: timestamp(expires_at)? }))
}

/// Whether there was such a token.
pub(super) fn forget_token(connection: &Connection, hash: &TokenHash) -> Result<bool, Error> {
    let gone = connection
        .prepare_cached("DELETE FROM access_token WHERE token_hash = ?1")?
        .execute([hash.0])?;
    Ok(gone > 0)
}

/// Forgets a client's tokens and records who did it; how many it had.
pub(super) fn revoke_tokens(
    connection: &Connection,
    tenant: TenantId,
    client: &str,
    author: &Author,
) -> Result<usize, Error> {
    let gone = forget_tokens(connection, tenant, client_id(connection, tenant, client)?)?;
    configuration::record_secret(connection, tenant, "api_client_tokens", client, author)?;
    Ok(gone)
}

pub(super) fn forget_tokens(
    connection: &Connection,
    tenant: TenantId,
    client: ApiClientId,
) -> Result<usize, Error> {
    let gone = connection
        .prepare_cached(
            "DELETE FROM access_token WHERE organisation_id = ?1 AND api_client_id = ?2",
        )?
        .execute((tenant.0, client.0))?;
    Ok(gone)
}

/// The number of the client of this name, in use or not.
fn client_id(connection: &Connection, tenant: TenantId, name: &str) -> Result<ApiClientId, Error> {
    let organisation = configuration::load(connection, tenant)?;
    let client = organisation.api_clients.get_any(name);
    client.map(|client| client.id).ok_or_else(|| no_such(Kind::ApiClients, name))
}

fn no_such(kind: Kind, name: &str) -> Error {
    Error::NoSuch { kind, name: name.to_owned() }
}

fn tenant(row: &Row<'_>) -> rusqlite::Result<TenantId> {
    row.get("organisation_id").map(TenantId)
}
