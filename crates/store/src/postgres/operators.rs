//! Operators, their roles and their sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::connection::{Connection, Parameter};
use super::failure::taken;
use super::transaction::{Aim, NO_TENANT};
use super::{PostgresStore, configuration};
use crate::operators::{Grant, Role, SESSIONS_LIMIT, Scope, Session, TokenHash};
use crate::rows::Row as _;
use crate::rows::configuration::Record;
use crate::rows::operators::{RESOURCE, document, number, role, scope};
use crate::{Author, Error, Operators, TenantId};

async fn add(
    connection: &Connection,
    (name, password): (&str, &str),
    scope: Scope,
    role: Role,
    author: &Author,
) -> Result<(), Error> {
    let sql = "INSERT INTO operator (name, password) VALUES ($1, $2)";
    let added = connection.execute(sql, &[&name, &password]).await;
    added.map_err(|error| taken(error, "operator name", name))?;
    grant(connection, name, scope, Some(role), author).await
}

async fn grants(
    connection: &Connection,
    scope: Scope,
    after: &str,
    limit: u32,
) -> Result<Vec<Grant>, Error> {
    let sql = "SELECT operator, role FROM operator_role
         WHERE organisation_id = $1 AND operator > $2 ORDER BY operator LIMIT $3";
    let read =
        |row: &Row| Ok(Grant { operator: row.text("operator")?, role: role(&row.text("role")?)? });
    connection.list(sql, &[&number(scope), &after, &i64::from(limit)], read).await
}

async fn granted(connection: &Connection, scope: Scope, name: &str) -> Result<Option<Role>, Error> {
    let sql = "SELECT role FROM operator_role WHERE organisation_id = $1 AND operator = $2";
    let read = |row: &Row| role(&row.text("role")?);
    connection.first(sql, &[&number(scope), &name], read).await
}

async fn grant(
    connection: &Connection,
    name: &str,
    scope: Scope,
    role: Option<Role>,
    author: &Author,
) -> Result<(), Error> {
    password(connection, name).await?.ok_or_else(|| Error::NoOperator(name.to_owned()))?;
    let tenant = number(scope);
    // Two who take the role from two owners at once would leave none.
    let sql = "SELECT operator, role FROM operator_role
         WHERE organisation_id = $1 ORDER BY operator FOR UPDATE";
    let read = |row: &Row| Ok((row.text("operator")?, row.text("role")?));
    let held = connection.list(sql, &[&tenant], read).await?;
    let before = held.iter().find(|(operator, _)| operator == name);
    let before = before.map(|(_, name)| self::role(name)).transpose()?;
    let is_owner = |held: &(String, String)| held.0 != name && held.1 == Role::Owner.name();
    let loses_last =
        before == Some(Role::Owner) && role != Some(Role::Owner) && !held.iter().any(is_owner);
    if loses_last {
        return Err(Error::LastOwner);
    }
    let sql = "DELETE FROM operator_role WHERE organisation_id = $1 AND operator = $2";
    connection.execute(sql, &[&tenant, &name]).await?;
    if let Some(role) = role {
        let sql = "INSERT INTO operator_role (organisation_id, operator, role)
             VALUES ($1, $2, $3)";
        connection.execute(sql, &[&tenant, &name, &role.name()]).await?;
    }
    let (before, after) = (before.map(document), role.map(document));
    let record = Record { resource: RESOURCE, name, before, after };
    configuration::record(connection, TenantId(tenant), record, author).await
}

async fn password(connection: &Connection, name: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT password FROM operator WHERE name = $1";
    connection.first(sql, &[&name], |row| row.text("password")).await
}

async fn set_password(connection: &Connection, name: &str, password: &str) -> Result<(), Error> {
    let sql = "UPDATE operator SET password = $2 WHERE name = $1";
    if connection.execute(sql, &[&name, &password]).await? == 0 {
        return Err(Error::NoOperator(name.to_owned()));
    }
    let sql = "DELETE FROM operator_session WHERE operator = $1";
    connection.execute(sql, &[&name]).await.map(drop)
}

async fn open_session(
    connection: &Connection,
    token: &TokenHash,
    operator: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Error> {
    password(connection, operator).await?.ok_or_else(|| Error::NoOperator(operator.to_owned()))?;
    let (now, expires_at) = (now.as_millisecond(), expires_at.as_millisecond());
    let sql = "DELETE FROM operator_session WHERE operator = $1 AND (expires_at <= $2
         OR token_hash IN (SELECT token_hash FROM operator_session WHERE operator = $1
            ORDER BY opened_at DESC OFFSET $3))";
    let kept = i64::from(SESSIONS_LIMIT.saturating_sub(1));
    connection.execute(sql, &[&operator, &now, &kept]).await?;
    let sql = "INSERT INTO operator_session (token_hash, operator, opened_at, expires_at)
         VALUES ($1, $2, $3, $4)";
    let parameters: [Parameter<'_>; 4] = [&token.as_slice(), &operator, &now, &expires_at];
    connection.execute(sql, &parameters).await.map(drop)
}

async fn session(
    connection: &Connection,
    token: &TokenHash,
    now: Timestamp,
) -> Result<Option<Session>, Error> {
    let sql = "SELECT operator, expires_at FROM operator_session
         WHERE token_hash = $1 AND expires_at > $2";
    let read = |row: &Row| Ok((row.text("operator")?, row.time("expires_at")?));
    let parameters: [Parameter<'_>; 2] = [&token.as_slice(), &now.as_millisecond()];
    let found = connection.first(sql, &parameters, read).await?;
    let Some((operator, expires_at)) = found else { return Ok(None) };
    let sql = "SELECT organisation_id, role FROM operator_role WHERE operator = $1";
    let read = |row: &Row| Ok((scope(row.number("organisation_id")?), role(&row.text("role")?)?));
    let grants = connection.list(sql, &[&operator], read).await?;
    Ok(Some(Session { operator, grants, expires_at }))
}

#[async_trait]
impl Operators for PostgresStore {
    async fn add_operator(
        &self,
        name: &str,
        password: String,
        scope: Scope,
        role: Role,
        author: Author,
    ) -> Result<(), Error> {
        let (password, author) = (password.as_str(), &author);
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                add(&connection, (name, password), scope, role, author).await
            })
            .await
    }

    async fn grant(
        &self,
        name: &str,
        scope: Scope,
        role: Option<Role>,
        author: Author,
    ) -> Result<(), Error> {
        let author = &author;
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                grant(&connection, name, scope, role, author).await
            })
            .await
    }

    async fn grants(&self, scope: Scope, after: &str, limit: u32) -> Result<Vec<Grant>, Error> {
        self.read(|connection| async move { grants(&connection, scope, after, limit).await }).await
    }

    async fn granted(&self, scope: Scope, name: &str) -> Result<Option<Role>, Error> {
        self.read(|connection| async move { granted(&connection, scope, name).await }).await
    }

    async fn has_operators(&self) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM operator LIMIT 1";
        self.read(|connection| async move { Ok(!connection.query(sql, &[]).await?.is_empty()) })
            .await
    }

    async fn operator_password(&self, name: &str) -> Result<Option<String>, Error> {
        self.read(|connection| async move { password(&connection, name).await }).await
    }

    async fn set_operator_password(&self, name: &str, password: String) -> Result<(), Error> {
        let password = password.as_str();
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                set_password(&connection, name, password).await
            })
            .await
    }

    async fn open_session(
        &self,
        token: TokenHash,
        operator: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let token = &token;
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                open_session(&connection, token, operator, now, expires_at).await
            })
            .await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Result<Option<Session>, Error> {
        let token = &token;
        self.read(|connection| async move { session(&connection, token, now).await }).await
    }

    async fn close_session(&self, token: TokenHash) -> Result<(), Error> {
        let token = &token;
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                let sql = "DELETE FROM operator_session WHERE token_hash = $1";
                connection.execute(sql, &[&token.as_slice()]).await.map(drop)
            })
            .await
    }
}
