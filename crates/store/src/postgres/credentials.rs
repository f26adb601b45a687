//! What tills and API clients sign in with, and the tokens that clients call with.

use jiff::Timestamp;
use patron_rules::organisation::{ApiClientId, Kind, TillId};
use tokio_postgres::Row;

use super::configuration;
use super::connection::{Connection, Parameter};
use super::failure::taken;
use crate::credentials::TOLD_FOR;
use crate::limits::TOKENS;
use crate::rows::Row as _;
use crate::{
    AccessToken, Author, ClientCredential, Error, NewSecret, NewToken, PasswordHashes, TenantId,
    TillCredential, TokenHash,
};

pub(super) async fn of_till(
    connection: &Connection,
    username: &str,
) -> Result<Option<TillCredential>, Error> {
    let sql = "SELECT organisation_id, till_id, md5_hash, sha256_hash FROM till_credential
         WHERE username = $1 AND md5_hash IS NOT NULL AND sha256_hash IS NOT NULL";
    let read = |row: &Row| {
        let hashes =
            PasswordHashes { md5: row.text("md5_hash")?, sha256: row.text("sha256_hash")? };
        Ok(TillCredential { tenant: tenant(row)?, till: TillId(row.number("till_id")?), hashes })
    };
    connection.first(sql, &[&username], read).await
}

pub(super) async fn set_password(
    connection: &Connection,
    tenant: TenantId,
    till: &str,
    hashes: &PasswordHashes,
) -> Result<(), Error> {
    let sql = "UPDATE till_credential SET md5_hash = $3, sha256_hash = $4
         WHERE username = $1 AND organisation_id = $2";
    let parameters: [Parameter<'_>; 4] = [&till, &tenant.0, &hashes.md5, &hashes.sha256];
    let changed = connection.execute(sql, &parameters).await?;
    if changed == 0 { Err(no_such(Kind::Tills, till)) } else { Ok(()) }
}

/// As [`set_password`], and records who did it.
pub(super) async fn change_password(
    connection: &Connection,
    tenant: TenantId,
    till: &str,
    hashes: &PasswordHashes,
    author: &Author,
) -> Result<(), Error> {
    set_password(connection, tenant, till, hashes).await?;
    configuration::record_secret(connection, tenant, "till_passwords", till, author).await
}

pub(super) async fn of_client(
    connection: &Connection,
    key: &str,
) -> Result<Option<ClientCredential>, Error> {
    let sql = "SELECT organisation_id, api_client_id, secret_hash FROM api_client_credential
         WHERE client_key = $1";
    let read = |row: &Row| {
        Ok(ClientCredential {
            tenant: tenant(row)?,
            client: ApiClientId(row.number("api_client_id")?),
            secret_hash: row.text("secret_hash")?,
        })
    };
    connection.first(sql, &[&key], read).await
}

pub(super) async fn client_key(
    connection: &Connection,
    tenant: TenantId,
    client: &str,
) -> Result<Option<String>, Error> {
    let id = client_id(connection, tenant, client).await?;
    let sql = "SELECT client_key FROM api_client_credential
         WHERE organisation_id = $1 AND api_client_id = $2";
    connection.first(sql, &[&tenant.0, &id.0], |row| row.text("client_key")).await
}

/// Gives a client a secret, and a key where it has none; its key. Tokens that were generated with
/// another secret are gone.
pub(super) async fn change_secret(
    connection: &Connection,
    tenant: TenantId,
    client: &str,
    new: &NewSecret,
    author: &Author,
) -> Result<String, Error> {
    let id = client_id(connection, tenant, client).await?;
    let sql = "INSERT INTO api_client_credential (
            client_key, organisation_id, api_client_id, secret_hash)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (organisation_id, api_client_id) DO UPDATE SET secret_hash = $4
         RETURNING client_key";
    let parameters: [Parameter<'_>; 4] = [&new.key, &tenant.0, &id.0, &new.hash];
    let key = connection.first(sql, &parameters, |row| row.text("client_key")).await;
    let key = key.map_err(|error| taken(error, "client key", &new.key))?;
    forget_tokens(connection, tenant, id).await?;
    configuration::record_secret(connection, tenant, "api_client_secrets", client, author).await?;
    key.ok_or_else(|| no_such(Kind::ApiClients, client))
}

/// Keeps a token, and no more of its client's than are to be kept.
pub(super) async fn keep_token(
    connection: &Connection,
    tenant: TenantId,
    new: &NewToken,
) -> Result<(), Error> {
    let NewToken { client, hash, issued_at, expires_at } = new;
    // Of two at once, the later one is to see the earlier one's token.
    let sql = "SELECT 1 FROM api_client_credential
         WHERE organisation_id = $1 AND api_client_id = $2 FOR NO KEY UPDATE";
    connection.query(sql, &[&tenant.0, &client.0]).await?;
    let forgotten = issued_at.saturating_sub(TOLD_FOR).unwrap_or(Timestamp::MIN);
    let sql = "DELETE FROM access_token
         WHERE organisation_id = $1 AND api_client_id = $2 AND expires_at < $3";
    connection.execute(sql, &[&tenant.0, &client.0, &forgotten.as_millisecond()]).await?;
    let sql = "INSERT INTO access_token (
            token_hash, organisation_id, api_client_id, issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)";
    let (issued_at, expires_at) = (issued_at.as_millisecond(), expires_at.as_millisecond());
    let parameters: [Parameter<'_>; 5] =
        [&hash.0.as_slice(), &tenant.0, &client.0, &issued_at, &expires_at];
    connection.execute(sql, &parameters).await?;
    let sql = "DELETE FROM access_token WHERE token_hash IN (
             SELECT token_hash FROM access_token
             WHERE organisation_id = $1 AND api_client_id = $2
             ORDER BY issued_at DESC OFFSET $3)";
    let kept = i64::from(TOKENS);
    connection.execute(sql, &[&tenant.0, &client.0, &kept]).await.map(drop)
}

pub(super) async fn token(
    connection: &Connection,
    hash: &TokenHash,
) -> Result<Option<AccessToken>, Error> {
    let sql = "SELECT organisation_id, api_client_id, expires_at FROM access_token
         WHERE token_hash = $1";
    let read = |row: &Row| {
        Ok(AccessToken {
            tenant: tenant(row)?,
            client: ApiClientId(row.number("api_client_id")?),
            expires_at: row.time("expires_at")?,
        })
    };
    connection.first(sql, &[&hash.0.as_slice()], read).await
}

/// Whether there was such a token.
pub(super) async fn forget_token(connection: &Connection, hash: &TokenHash) -> Result<bool, Error> {
    let sql = "DELETE FROM access_token WHERE token_hash = $1";
    Ok(connection.execute(sql, &[&hash.0.as_slice()]).await? > 0)
}

/// Forgets a client's tokens and records who did it; how many it had.
pub(super) async fn revoke_tokens(
    connection: &Connection,
    tenant: TenantId,
    client: &str,
    author: &Author,
) -> Result<usize, Error> {
    let id = client_id(connection, tenant, client).await?;
    let gone = forget_tokens(connection, tenant, id).await?;
    configuration::record_secret(connection, tenant, "api_client_tokens", client, author).await?;
    Ok(usize::try_from(gone).unwrap_or(usize::MAX))
}

pub(super) async fn forget_tokens(
    connection: &Connection,
    tenant: TenantId,
    client: ApiClientId,
) -> Result<u64, Error> {
    let sql = "DELETE FROM access_token WHERE organisation_id = $1 AND api_client_id = $2";
    connection.execute(sql, &[&tenant.0, &client.0]).await
}

/// The number of the client of this name, in use or not.
async fn client_id(
    connection: &Connection,
    tenant: TenantId,
    name: &str,
) -> Result<ApiClientId, Error> {
    let (_, organisation) = configuration::load(connection, tenant).await?;
    let client = organisation.api_clients.get_any(name);
    client.map(|client| client.id).ok_or_else(|| no_such(Kind::ApiClients, name))
}

fn no_such(kind: Kind, name: &str) -> Error {
    Error::NoSuch { kind, name: name.to_owned() }
}

fn tenant(row: &Row) -> Result<TenantId, Error> {
    row.number("organisation_id").map(TenantId)
}
