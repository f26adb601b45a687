//! Tills: points of sale.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::{check_reference, check_texts, present};
use super::{Invalid, Kind, Organisation, Resource, time_zone};

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
    /// Its code, which no other till has; at most 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What people should know of it; at most 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What another system calls it; no other till has it; at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What a second system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id_1: Option<String>,
    /// What a third system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id_2: Option<String>,
    /// The name of the store in which it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The zone of its local date-times, by its IANA name; its store's where it is left out.
    #[serde(default, with = "time_zone::optional", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("Asia/Kolkata"))]
    pub time_zone: Option<TimeZone>,
}

impl Till {
    /// The code; the name of a till without one.
    #[must_use]
    pub fn shown_code(&self) -> &str {
        self.code.as_deref().unwrap_or(&self.name)
    }
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

    fn unique(&self) -> Vec<(&'static str, String)> {
        let Self { code, external_id, external_id_1, external_id_2, .. } = self;
        present(&[
            ("/code", code),
            ("/external_id", external_id),
            ("/external_id_1", external_id_1),
            ("/external_id_2", external_id_2),
        ])
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        // The user name in a Basic header ends at its first colon.
        Invalid::unless(!self.name.contains(':'), "/name", "a till's name has no colon")?;
        check_texts(&[
            ("/code", &self.code, 50),
            ("/description", &self.description, 250),
            ("/external_id", &self.external_id, 100),
            ("/external_id_1", &self.external_id_1, 100),
            ("/external_id_2", &self.external_id_2, 100),
        ])?;
        check_reference("/store", self.store.as_deref(), &organisation.stores)
    }
}
