//! Operators, their roles and their sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::connection::{Connection, Parameter};
use super::failure::taken;
use super::transaction::{Aim, NO_TENANT};
use super::{PostgresStore, configuration};
use crate::operators::{
    NewSession, Operator, OperatorCredential, OperatorId, Role, SESSIONS_LIMIT, Scope, Session,
    TokenHash,
};
use crate::rows::Row as _;
use crate::rows::configuration::Record;
use crate::rows::operators::{self, RESOURCE, document, number, role};
use crate::{Author, Error, Operators, TenantId};

const CREDENTIAL: &str = "SELECT organisation_id, name, password FROM operator_account
     WHERE name = $2 AND organisation_id =
        CASE WHEN $1::TEXT IS NULL THEN 0
        ELSE (SELECT organisation_id FROM organisation WHERE name = $1) END";
const SESSION: &str = "SELECT s.organisation_id, s.operator AS name, s.expires_at, a.role,
        o.name AS organisation
     FROM operator_session s
     JOIN operator_account a ON a.organisation_id = s.organisation_id AND a.name = s.operator
     LEFT JOIN organisation o ON o.organisation_id = s.organisation_id
     WHERE s.token_hash = $1 AND s.expires_at > $2";

async fn add(
    connection: &Connection,
    operator: &OperatorId,
    password: &str,
    role: Role,
    author: &Author,
) -> Result<(), Error> {
    let OperatorId { scope, name } = operator;
    let sql = "INSERT INTO operator_account (organisation_id, name, password, role)
         VALUES ($1, $2, $3, $4)";
    let parameters: [Parameter<'_>; 4] = [&number(*scope), name, &password, &role.name()];
    let added = connection.execute(sql, &parameters).await;
    added.map_err(|error| taken(error, "operator name", name))?;
    record(connection, operator, (None, Some(role)), author).await
}

async fn change_role(
    connection: &Connection,
    operator: &OperatorId,
    role: Role,
    author: &Author,
) -> Result<(), Error> {
    let before = lock(connection, operator, Some(role)).await?;
    let OperatorId { scope, name } = operator;
    let sql = "UPDATE operator_account SET role = $3 WHERE organisation_id = $1 AND name = $2";
    connection.execute(sql, &[&number(*scope), name, &role.name()]).await?;
    record(connection, operator, (Some(before), Some(role)), author).await
}

async fn remove(
    connection: &Connection,
    operator: &OperatorId,
    author: &Author,
) -> Result<(), Error> {
    let before = lock(connection, operator, None).await?;
    let OperatorId { scope, name } = operator;
    let sql = "DELETE FROM operator_account WHERE organisation_id = $1 AND name = $2";
    connection.execute(sql, &[&number(*scope), name]).await?;
    close_sessions(connection, operator).await?;
    record(connection, operator, (Some(before), None), author).await
}

/// Locks the operators of the scope: two changes at once could each take the role from the other's
/// last owner. Returns the role of the operator who is to have another one, or none.
async fn lock(
    connection: &Connection,
    OperatorId { scope, name }: &OperatorId,
    after: Option<Role>,
) -> Result<Role, Error> {
    let sql = "SELECT name, role FROM operator_account
         WHERE organisation_id = $1 ORDER BY name FOR UPDATE";
    let all = connection.list(sql, &[&number(*scope)], read).await?;
    let before = all.iter().find(|operator| operator.name == *name).map(|operator| operator.role);
    let before = before.ok_or_else(|| Error::NoOperator(name.clone()))?;
    let is_owner = |other: &Operator| other.name != *name && other.role == Role::Owner;
    let loses_owner = before == Role::Owner && after != Some(Role::Owner);
    if loses_owner && !all.iter().any(is_owner) { Err(Error::LastOwner) } else { Ok(before) }
}

fn read(row: &Row) -> Result<Operator, Error> {
    Ok(Operator { name: row.text("name")?, role: role(&row.text("role")?)? })
}

async fn record(
    connection: &Connection,
    OperatorId { scope, name }: &OperatorId,
    (before, after): (Option<Role>, Option<Role>),
    author: &Author,
) -> Result<(), Error> {
    let (before, after) = (before.map(document), after.map(document));
    let record = Record { resource: RESOURCE, name, before, after };
    configuration::record(connection, TenantId(number(*scope)), record, author).await
}

async fn find_role(
    connection: &Connection,
    OperatorId { scope, name }: &OperatorId,
) -> Result<Option<Role>, Error> {
    let sql = "SELECT role FROM operator_account WHERE organisation_id = $1 AND name = $2";
    let read = |row: &Row| role(&row.text("role")?);
    connection.first(sql, &[&number(*scope), name], read).await
}

async fn page(
    connection: &Connection,
    scope: Scope,
    after: &str,
    limit: u32,
) -> Result<Vec<Operator>, Error> {
    let sql = "SELECT name, role FROM operator_account
         WHERE organisation_id = $1 AND name > $2 ORDER BY name LIMIT $3";
    connection.list(sql, &[&number(scope), &after, &i64::from(limit)], read).await
}

async fn set_password(
    connection: &Connection,
    operator: &OperatorId,
    password: &str,
) -> Result<(), Error> {
    let OperatorId { scope, name } = operator;
    let sql = "UPDATE operator_account SET password = $3 WHERE organisation_id = $1 AND name = $2";
    if connection.execute(sql, &[&number(*scope), name, &password]).await? == 0 {
        return Err(Error::NoOperator(name.clone()));
    }
    close_sessions(connection, operator).await
}

async fn close_sessions(
    connection: &Connection,
    OperatorId { scope, name }: &OperatorId,
) -> Result<(), Error> {
    let sql = "DELETE FROM operator_session WHERE organisation_id = $1 AND operator = $2";
    connection.execute(sql, &[&number(*scope), name]).await.map(drop)
}

async fn open_session(connection: &Connection, new: &NewSession) -> Result<(), Error> {
    let NewSession { token, operator, opened_at, expires_at } = new;
    find_role(connection, operator)
        .await?
        .ok_or_else(|| Error::NoOperator(operator.name.clone()))?;
    let (tenant, name) = (number(operator.scope), &operator.name);
    let (opened_at, expires_at) = (opened_at.as_millisecond(), expires_at.as_millisecond());
    let sql = "DELETE FROM operator_session WHERE organisation_id = $1 AND operator = $2
         AND (expires_at <= $3 OR token_hash IN
            (SELECT token_hash FROM operator_session WHERE organisation_id = $1 AND operator = $2
             ORDER BY opened_at DESC OFFSET $4))";
    let kept = i64::from(SESSIONS_LIMIT.saturating_sub(1));
    connection.execute(sql, &[&tenant, name, &opened_at, &kept]).await?;
    let sql = "INSERT INTO operator_session (
            token_hash, organisation_id, operator, opened_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)";
    let parameters: [Parameter<'_>; 5] =
        [&token.as_slice(), &tenant, name, &opened_at, &expires_at];
    connection.execute(sql, &parameters).await.map(drop)
}

#[async_trait]
impl Operators for PostgresStore {
    async fn add_operator(
        &self,
        operator: OperatorId,
        password: String,
        role: Role,
        author: Author,
    ) -> Result<(), Error> {
        let (operator, password, author) = (&operator, password.as_str(), &author);
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                add(&connection, operator, password, role, author).await
            })
            .await
    }

    async fn change_role(
        &self,
        operator: OperatorId,
        role: Role,
        author: Author,
    ) -> Result<(), Error> {
        let (operator, author) = (&operator, &author);
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                change_role(&connection, operator, role, author).await
            })
            .await
    }

    async fn remove_operator(&self, operator: OperatorId, author: Author) -> Result<(), Error> {
        let (operator, author) = (&operator, &author);
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                remove(&connection, operator, author).await
            })
            .await
    }

    async fn operators(
        &self,
        scope: Scope,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Operator>, Error> {
        self.read(|connection| async move { page(&connection, scope, after, limit).await }).await
    }

    async fn operator_role(&self, operator: OperatorId) -> Result<Option<Role>, Error> {
        let operator = &operator;
        self.read(|connection| async move { find_role(&connection, operator).await }).await
    }

    async fn has_operators(&self) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM operator_account LIMIT 1";
        self.read(|connection| async move { Ok(!connection.query(sql, &[]).await?.is_empty()) })
            .await
    }

    async fn operator_credential(
        &self,
        organisation: Option<&str>,
        name: &str,
    ) -> Result<Option<OperatorCredential>, Error> {
        self.read(|connection| async move {
            connection.first(CREDENTIAL, &[&organisation, &name], operators::credential).await
        })
        .await
    }

    async fn set_operator_password(
        &self,
        operator: OperatorId,
        password: String,
    ) -> Result<(), Error> {
        let (operator, password) = (&operator, password.as_str());
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                set_password(&connection, operator, password).await
            })
            .await
    }

    async fn open_session(&self, session: NewSession) -> Result<(), Error> {
        let session = &session;
        self.inner
            .transact(Aim::one(NO_TENANT), |connection| async move {
                open_session(&connection, session).await
            })
            .await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Result<Option<Session>, Error> {
        let token = &token;
        self.read(|connection| async move {
            let parameters: [Parameter<'_>; 2] = [&token.as_slice(), &now.as_millisecond()];
            connection.first(SESSION, &parameters, operators::session).await
        })
        .await
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
