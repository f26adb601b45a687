//! Operators, their roles and who is signed in.

use super::{Row, corrupt};
use crate::operators::{OperatorCredential, OperatorId, Role, Scope, Session};
use crate::{Error, TenantId};

/// The organisation's number that stands for all.
pub(crate) const EVERYWHERE: i64 = 0;
/// What changes of roles are recorded as.
pub(crate) const RESOURCE: &str = "operators";

pub(crate) const fn number(scope: Scope) -> i64 {
    match scope {
        Scope::Everywhere => EVERYWHERE,
        Scope::Organisation(tenant) => tenant.0,
    }
}

pub(crate) const fn scope(number: i64) -> Scope {
    match number {
        EVERYWHERE => Scope::Everywhere,
        other => Scope::Organisation(TenantId(other)),
    }
}

/// What a change of a role records.
pub(crate) fn document(role: Role) -> String {
    format!(r#"{{"role":"{role}"}}"#)
}

pub(crate) fn role(name: &str) -> Result<Role, Error> {
    name.parse().map_err(|_| corrupt("a role is not known"))
}

/// The operator whom a row names by `organisation_id` and `name`.
fn id(row: &impl Row) -> Result<OperatorId, Error> {
    Ok(OperatorId { scope: scope(row.number("organisation_id")?), name: row.text("name")? })
}

/// What the operator of a row signs in with.
pub(crate) fn credential(row: &impl Row) -> Result<OperatorCredential, Error> {
    Ok(OperatorCredential { operator: id(row)?, password: row.text("password")? })
}

/// The session of a row.
pub(crate) fn session(row: &impl Row) -> Result<Session, Error> {
    Ok(Session {
        operator: id(row)?,
        organisation: row.maybe_text("organisation")?,
        role: role(&row.text("role")?)?,
        expires_at: row.time("expires_at")?,
    })
}
