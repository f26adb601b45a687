//! Tills: points of sale.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, Kind, Organisation, Resource};

/// A till's id within its organisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct TillId(pub i64);

/// A point of sale.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Till {
    /// Its number; the next one that is free where it is left out.
    #[serde(default)]
    pub id: TillId,
    /// Its name, which is also its user name; no other till of any organisation has it.
    pub name: String,
}

impl Resource for Till {
    const KIND: Kind = Kind::Tills;
    const COUNT_LIMIT: usize = 20_000;

    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> Option<i64> {
        Some(self.id.0)
    }

    fn set_id(&mut self, id: i64) {
        self.id = TillId(id);
    }

    fn check(&self, _organisation: &Organisation) -> Result<(), Invalid> {
        // The user name in a Basic header ends at its first colon.
        Invalid::unless(!self.name.contains(':'), "/name", "a till's name has no colon")
    }
}
