//! Operators' roles.

use super::corrupt;
use crate::operators::{Role, Scope};
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
