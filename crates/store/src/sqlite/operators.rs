//! Operators, their roles and their sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::configuration;
use super::rows::{list, taken};
use crate::operators::{Grant, Role, SESSIONS_LIMIT, Scope, Session, TokenHash};
use crate::rows::configuration::Record;
use crate::rows::operators::{RESOURCE, document, number, role, scope};
use crate::rows::{Row as _, timestamp};
use crate::{Author, Error, Operators, TenantId};

fn add(
    connection: &Connection,
    (name, password): (&str, &str),
    scope: Scope,
    role: Role,
    author: &Author,
) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO operator VALUES (?1, ?2)")?
        .execute((name, password))
        .map_err(|error| taken(error, "operator name", name))?;
    grant(connection, name, scope, Some(role), author)
}

fn grant(
    connection: &Connection,
    name: &str,
    scope: Scope,
    role: Option<Role>,
    author: &Author,
) -> Result<(), Error> {
    password(connection, name)?.ok_or_else(|| Error::NoOperator(name.to_owned()))?;
    let key = (number(scope), name);
    let before = granted(connection, scope, name)?;
    connection
        .prepare_cached("DELETE FROM operator_role WHERE organisation_id = ?1 AND operator = ?2")?
        .execute(key)?;
    if let Some(role) = role {
        connection.prepare_cached("INSERT INTO operator_role VALUES (?1, ?2, ?3)")?.execute((
            key.0,
            key.1,
            role.name(),
        ))?;
    }
    if before == Some(Role::Owner) && owners(connection, scope)? == 0 {
        return Err(Error::LastOwner);
    }
    let (before, after) = (before.map(document), role.map(document));
    let record = Record { resource: RESOURCE, name, before, after };
    configuration::record(connection, TenantId(key.0), record, author)
}

/// How many owners the scope has.
fn owners(connection: &Connection, scope: Scope) -> Result<i64, Error> {
    let count = connection
        .prepare_cached(
            "SELECT count(*) FROM operator_role WHERE organisation_id = ?1 AND role = ?2",
        )?
        .query_row((number(scope), Role::Owner.name()), |row| row.get(0))?;
    Ok(count)
}

fn granted(connection: &Connection, scope: Scope, name: &str) -> Result<Option<Role>, Error> {
    let found: Option<String> = connection
        .prepare_cached(
            "SELECT role FROM operator_role WHERE organisation_id = ?1 AND operator = ?2",
        )?
        .query_row((number(scope), name), |row| row.get(0))
        .optional()?;
    found.as_deref().map(role).transpose()
}

fn grants(
    connection: &Connection,
    scope: Scope,
    after: &str,
    limit: u32,
) -> Result<Vec<Grant>, Error> {
    list(
        connection,
        "SELECT operator, role FROM operator_role
         WHERE organisation_id = ?1 AND operator > ?2 ORDER BY operator LIMIT ?3",
        (number(scope), after, limit),
        |row| Ok(Grant { operator: row.text("operator")?, role: role(&row.text("role")?)? }),
    )
}

fn password(connection: &Connection, name: &str) -> Result<Option<String>, Error> {
    let found = connection
        .prepare_cached("SELECT password FROM operator WHERE name = ?1")?
        .query_row([name], |row| row.get(0));
    Ok(found.optional()?)
}

fn set_password(connection: &Connection, name: &str, password: &str) -> Result<(), Error> {
    let changed = connection
        .prepare_cached("UPDATE operator SET password = ?2 WHERE name = ?1")?
        .execute((name, password))?;
    if changed == 0 {
        return Err(Error::NoOperator(name.to_owned()));
    }
    connection
        .prepare_cached("DELETE FROM operator_session WHERE operator = ?1")?
        .execute([name])?;
    Ok(())
}

fn open_session(
    connection: &Connection,
    token: &TokenHash,
    operator: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Error> {
    password(connection, operator)?.ok_or_else(|| Error::NoOperator(operator.to_owned()))?;
    connection
        .prepare_cached(
            "DELETE FROM operator_session WHERE operator = ?1 AND (expires_at <= ?2 OR token_hash IN
                (SELECT token_hash FROM operator_session WHERE operator = ?1
                 ORDER BY opened_at DESC LIMIT -1 OFFSET ?3))",
        )?
        .execute((operator, now.as_millisecond(), SESSIONS_LIMIT.saturating_sub(1)))?;
    connection
        .prepare_cached("INSERT INTO operator_session VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![token, operator, now.as_millisecond(), expires_at.as_millisecond()])?;
    Ok(())
}

fn session(
    connection: &Connection,
    token: &TokenHash,
    now: Timestamp,
) -> Result<Option<Session>, Error> {
    let found: Option<(String, i64)> = connection
        .prepare_cached(
            "SELECT operator, expires_at FROM operator_session
             WHERE token_hash = ?1 AND expires_at > ?2",
        )?
        .query_row((token, now.as_millisecond()), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((operator, expires_at)) = found else { return Ok(None) };
    let grants = list(
        connection,
        "SELECT organisation_id, role FROM operator_role WHERE operator = ?1",
        [&operator],
        |row| Ok((scope(row.number("organisation_id")?), role(&row.text("role")?)?)),
    )?;
    Ok(Some(Session { operator, grants, expires_at: timestamp(expires_at)? }))
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
        name: &str,
        password: String,
        scope: Scope,
        role: Role,
        author: Author,
    ) -> Result<(), Error> {
        let name = name.to_owned();
        self.writer
            .write(move |writing| add(writing.connection, (&name, &password), scope, role, &author))
            .await
    }

    async fn grant(
        &self,
        name: &str,
        scope: Scope,
        role: Option<Role>,
        author: Author,
    ) -> Result<(), Error> {
        let name = name.to_owned();
        self.writer
            .write(move |writing| grant(writing.connection, &name, scope, role, &author))
            .await
    }

    async fn grants(&self, scope: Scope, after: &str, limit: u32) -> Result<Vec<Grant>, Error> {
        let after = after.to_owned();
        self.readers.read(move |connection| grants(connection, scope, &after, limit)).await
    }

    async fn granted(&self, scope: Scope, name: &str) -> Result<Option<Role>, Error> {
        let name = name.to_owned();
        self.readers.read(move |connection| granted(connection, scope, &name)).await
    }

    async fn has_operators(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM operator)";
        self.readers.read(|connection| Ok(connection.query_row(sql, [], |row| row.get(0))?)).await
    }

    async fn operator_password(&self, name: &str) -> Result<Option<String>, Error> {
        let name = name.to_owned();
        self.readers.read(move |connection| password(connection, &name)).await
    }

    async fn set_operator_password(&self, name: &str, password: String) -> Result<(), Error> {
        let name = name.to_owned();
        self.writer.write(move |writing| set_password(writing.connection, &name, &password)).await
    }

    async fn open_session(
        &self,
        token: TokenHash,
        operator: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let operator = operator.to_owned();
        self.writer
            .write(move |writing| {
                open_session(writing.connection, &token, &operator, now, expires_at)
            })
            .await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Result<Option<Session>, Error> {
        self.readers.read(move |connection| session(connection, &token, now)).await
    }

    async fn close_session(&self, token: TokenHash) -> Result<(), Error> {
        self.writer.write(move |writing| close_session(writing.connection, &token)).await
    }
}
