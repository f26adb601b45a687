//! Operators, their roles and their sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::configuration;
use super::rows::{list, taken};
use crate::operators::{
    NewSession, Operator, OperatorCredential, OperatorId, Role, SESSIONS_LIMIT, Scope, Session,
    TokenHash,
};
use crate::rows::Row as _;
use crate::rows::configuration::Record;
use crate::rows::operators::{self, RESOURCE, document, number, role};
use crate::{Author, Error, Operators, TenantId};

const ROLE: &str = "SELECT role FROM operator_account WHERE organisation_id = ?1 AND name = ?2";
const CREDENTIAL: &str = "SELECT organisation_id, name, password FROM operator_account
     WHERE name = ?2 AND organisation_id =
        CASE WHEN ?1 IS NULL THEN 0
        ELSE (SELECT organisation_id FROM organisation WHERE name = ?1) END";
const SESSION: &str = "SELECT s.organisation_id, s.operator AS name, s.expires_at, a.role,
        o.name AS organisation
     FROM operator_session s
     JOIN operator_account a ON a.organisation_id = s.organisation_id AND a.name = s.operator
     LEFT JOIN organisation o ON o.organisation_id = s.organisation_id
     WHERE s.token_hash = ?1 AND s.expires_at > ?2";

fn add(
    connection: &Connection,
    operator: &OperatorId,
    password: &str,
    role: Role,
    author: &Author,
) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO operator_account VALUES (?1, ?2, ?3, ?4)")?
        .execute((number(operator.scope), &operator.name, password, role.name()))
        .map_err(|error| taken(error, "operator name", &operator.name))?;
    record(connection, operator, (None, Some(role)), author)
}

fn change_role(
    connection: &Connection,
    operator: &OperatorId,
    role: Role,
    author: &Author,
) -> Result<(), Error> {
    let before = existing(connection, operator)?;
    connection
        .prepare_cached(
            "UPDATE operator_account SET role = ?3 WHERE organisation_id = ?1 AND name = ?2",
        )?
        .execute((number(operator.scope), &operator.name, role.name()))?;
    keep_an_owner(connection, operator.scope, before)?;
    record(connection, operator, (Some(before), Some(role)), author)
}

fn remove(connection: &Connection, operator: &OperatorId, author: &Author) -> Result<(), Error> {
    let before = existing(connection, operator)?;
    connection
        .prepare_cached("DELETE FROM operator_account WHERE organisation_id = ?1 AND name = ?2")?
        .execute((number(operator.scope), &operator.name))?;
    keep_an_owner(connection, operator.scope, before)?;
    close_sessions(connection, operator)?;
    record(connection, operator, (Some(before), None), author)
}

/// Fails if the change of one of these roles took the scope's last owner.
fn keep_an_owner(connection: &Connection, scope: Scope, before: Role) -> Result<(), Error> {
    let owners: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM operator_account WHERE organisation_id = ?1 AND role = ?2",
        )?
        .query_row((number(scope), Role::Owner.name()), |row| row.get(0))?;
    if before == Role::Owner && owners == 0 { Err(Error::LastOwner) } else { Ok(()) }
}

fn record(
    connection: &Connection,
    OperatorId { scope, name }: &OperatorId,
    (before, after): (Option<Role>, Option<Role>),
    author: &Author,
) -> Result<(), Error> {
    let (before, after) = (before.map(document), after.map(document));
    let record = Record { resource: RESOURCE, name, before, after };
    configuration::record(connection, TenantId(number(*scope)), record, author)
}

/// The role of an operator who must exist.
fn existing(connection: &Connection, operator: &OperatorId) -> Result<Role, Error> {
    find_role(connection, operator)?.ok_or_else(|| Error::NoOperator(operator.name.clone()))
}

fn find_role(connection: &Connection, operator: &OperatorId) -> Result<Option<Role>, Error> {
    let found: Option<String> = connection
        .prepare_cached(ROLE)?
        .query_row((number(operator.scope), &operator.name), |row| row.get(0))
        .optional()?;
    found.as_deref().map(role).transpose()
}

fn page(
    connection: &Connection,
    scope: Scope,
    after: &str,
    limit: u32,
) -> Result<Vec<Operator>, Error> {
    list(
        connection,
        "SELECT name, role FROM operator_account
         WHERE organisation_id = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
        (number(scope), after, limit),
        |row| Ok(Operator { name: row.text("name")?, role: role(&row.text("role")?)? }),
    )
}

fn credential(
    connection: &Connection,
    organisation: Option<&str>,
    name: &str,
) -> Result<Option<OperatorCredential>, Error> {
    let mut found =
        list(connection, CREDENTIAL, (organisation, name), |row| operators::credential(row))?;
    Ok(found.pop())
}

fn set_password(
    connection: &Connection,
    operator: &OperatorId,
    password: &str,
) -> Result<(), Error> {
    let changed = connection
        .prepare_cached(
            "UPDATE operator_account SET password = ?3 WHERE organisation_id = ?1 AND name = ?2",
        )?
        .execute((number(operator.scope), &operator.name, password))?;
    if changed == 0 {
        return Err(Error::NoOperator(operator.name.clone()));
    }
    close_sessions(connection, operator)
}

fn close_sessions(connection: &Connection, operator: &OperatorId) -> Result<(), Error> {
    connection
        .prepare_cached(
            "DELETE FROM operator_session WHERE organisation_id = ?1 AND operator = ?2",
        )?
        .execute((number(operator.scope), &operator.name))?;
    Ok(())
}

fn open_session(connection: &Connection, new: &NewSession) -> Result<(), Error> {
    let NewSession { token, operator, opened_at, expires_at } = new;
    existing(connection, operator)?;
    let (tenant, name) = (number(operator.scope), &operator.name);
    let (opened_at, expires_at) = (opened_at.as_millisecond(), expires_at.as_millisecond());
    connection
        .prepare_cached(
            "DELETE FROM operator_session WHERE organisation_id = ?1 AND operator = ?2
             AND (expires_at <= ?3 OR token_hash IN
                (SELECT token_hash FROM operator_session
                 WHERE organisation_id = ?1 AND operator = ?2
                 ORDER BY opened_at DESC LIMIT -1 OFFSET ?4))",
        )?
        .execute((tenant, name, opened_at, SESSIONS_LIMIT.saturating_sub(1)))?;
    connection
        .prepare_cached("INSERT INTO operator_session VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![token, tenant, name, opened_at, expires_at])?;
    Ok(())
}

fn session(
    connection: &Connection,
    token: &TokenHash,
    now: Timestamp,
) -> Result<Option<Session>, Error> {
    let key = (token, now.as_millisecond());
    Ok(list(connection, SESSION, key, |row| operators::session(row))?.pop())
}

fn close_session(connection: &Connection, token: &TokenHash) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM operator_session WHERE token_hash = ?1")?
        .execute([token])?;
    Ok(())
}

#[async_trait]
impl Operators for SqliteStore {
    async fn add_operator(
        &self,
        operator: OperatorId,
        password: String,
        role: Role,
        author: Author,
    ) -> Result<(), Error> {
        self.writer
            .write(move |writing| add(writing.connection, &operator, &password, role, &author))
            .await
    }

    async fn change_role(
        &self,
        operator: OperatorId,
        role: Role,
        author: Author,
    ) -> Result<(), Error> {
        self.writer
            .write(move |writing| change_role(writing.connection, &operator, role, &author))
            .await
    }

    async fn remove_operator(&self, operator: OperatorId, author: Author) -> Result<(), Error> {
        self.writer.write(move |writing| remove(writing.connection, &operator, &author)).await
    }

    async fn operators(
        &self,
        scope: Scope,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Operator>, Error> {
        let after = after.to_owned();
        self.readers.read(move |connection| page(connection, scope, &after, limit)).await
    }

    async fn operator_role(&self, operator: OperatorId) -> Result<Option<Role>, Error> {
        self.readers.read(move |connection| find_role(connection, &operator)).await
    }

    async fn has_operators(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM operator_account)";
        self.readers.read(|connection| Ok(connection.query_row(sql, [], |row| row.get(0))?)).await
    }

    async fn operator_credential(
        &self,
        organisation: Option<&str>,
        name: &str,
    ) -> Result<Option<OperatorCredential>, Error> {
        let (organisation, name) = (organisation.map(str::to_owned), name.to_owned());
        self.readers
            .read(move |connection| credential(connection, organisation.as_deref(), &name))
            .await
    }

    async fn set_operator_password(
        &self,
        operator: OperatorId,
        password: String,
    ) -> Result<(), Error> {
        self.writer
            .write(move |writing| set_password(writing.connection, &operator, &password))
            .await
    }

    async fn open_session(&self, session: NewSession) -> Result<(), Error> {
        self.writer.write(move |writing| open_session(writing.connection, &session)).await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Result<Option<Session>, Error> {
        self.readers.read(move |connection| session(connection, &token, now)).await
    }

    async fn close_session(&self, token: TokenHash) -> Result<(), Error> {
        self.writer.write(move |writing| close_session(writing.connection, &token)).await
    }
}
