//! Zones: "geographical grouping" of stores.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::{check_parent, check_texts, present};
use super::{Invalid, Kind, Organisation, Resource};

/// A geographical grouping of stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Its number; the next one that is free where it is left out.
    #[serde(default)]
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its code, which no other zone has; at most 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What people should know of it; at most 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of the zone that this one is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

impl Resource for Zone {
    const KIND: Kind = Kind::Zones;
    const COUNT_LIMIT: usize = 1_000;

    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> Option<i64> {
        Some(self.id)
    }

    fn set_id(&mut self, id: i64) {
        self.id = id;
    }

    fn unique(&self) -> Vec<(&'static str, String)> {
        present(&[("/code", &self.code)])
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        check_texts(&[("/code", &self.code, 50), ("/description", &self.description, 250)])?;
        check_parent(&organisation.zones, self, |zone| zone.parent.as_deref())
    }
}
