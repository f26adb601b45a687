//! Stores, where tills stand.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access_group::check_group;
use super::resource::{check_reference, check_texts, present};
use super::{Invalid, Kind, Organisation, Resource, time_zone};

/// A store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Its number; the next one that is free where it is left out.
    #[serde(default)]
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its code, which no other store has; at most 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What people should know of it; at most 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What another system calls it; no other store has it; at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What a second system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id_1: Option<String>,
    /// What a third system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id_2: Option<String>,
    /// The name of the zone in which it lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The name of the concept to which it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<String>,
    /// The zone of its local date-times, by its IANA name; the organisation's where it is left out.
    #[serde(default, with = "time_zone::optional", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("Asia/Kolkata"))]
    pub time_zone: Option<TimeZone>,
    /// The name of its tills' access group; the organisation's where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_group: Option<String>,
}

impl Store {
    /// The code; the name of a store without one.
    #[must_use]
    pub fn shown_code(&self) -> &str {
        self.code.as_deref().unwrap_or(&self.name)
    }
}

impl Resource for Store {
    const KIND: Kind = Kind::Stores;
    const COUNT_LIMIT: usize = 20_000;

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
        let Self { code, external_id, external_id_1, external_id_2, .. } = self;
        present(&[
            ("/code", code),
            ("/external_id", external_id),
            ("/external_id_1", external_id_1),
            ("/external_id_2", external_id_2),
        ])
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        check_texts(&[
            ("/code", &self.code, 50),
            ("/description", &self.description, 250),
            ("/external_id", &self.external_id, 100),
            ("/external_id_1", &self.external_id_1, 100),
            ("/external_id_2", &self.external_id_2, 100),
        ])?;
        check_reference("/zone", self.zone.as_deref(), &organisation.zones)?;
        check_reference("/concept", self.concept.as_deref(), &organisation.concepts)?;
        check_group("/access_group", self.access_group.as_deref(), organisation)
    }
}
