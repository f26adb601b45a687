//! Loyalty programmes, their tiers, and what registration earns in them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, Kind, Organisation, Resource};

/// A programme's id within its organisation.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(transparent)]
pub struct ProgrammeId(pub i64);

/// A loyalty programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Its number; the next one that is free where it is left out.
    #[serde(default)]
    pub id: ProgrammeId,
    /// Its name.
    pub name: String,
    /// Whether registration enrols loyalty customers in it; at most one programme does.
    #[serde(default)]
    pub is_default: bool,
    /// How long a tier lasts, in whole years from the registration date.
    #[serde(default = "default_tier_years")]
    pub tier_years: u16,
    /// Its tiers, the lowest first.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// What registration earns, in order.
    #[serde(default)]
    pub registration_rewards: Vec<Reward>,
}

/// A tier of a programme ("slab" on the wire).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its rank; the lowest tier has 1.
    pub serial: u32,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default)]
    pub description: String,
}

/// What an event earns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reward {
    /// The reward's id within its programme.
    pub id: i64,
    /// How many points it gives: a decimal number as a text.
    #[serde(with = "rust_decimal::serde::str")]
    pub points: Decimal,
}

const fn default_tier_years() -> u16 {
    100
}

impl Programme {
    /// The tier of this serial number.
    #[must_use]
    pub fn tier(&self, serial: u32) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.serial == serial)
    }

    /// The tier above this serial number.
    #[must_use]
    pub fn tier_above(&self, serial: u32) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.serial > serial)
    }
}

impl Resource for Programme {
    const KIND: Kind = Kind::Programmes;
    const COUNT_LIMIT: usize = 100;

    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> Option<i64> {
        Some(self.id.0)
    }

    fn set_id(&mut self, id: i64) {
        self.id = ProgrammeId(id);
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        let first = organisation.default_programme();
        Invalid::unless(
            !self.is_default || first.is_none_or(|first| first.id == self.id),
            "/is_default",
            "another programme is the default one",
        )?;
        let rising = self.tiers.is_sorted_by(|lower, higher| lower.serial < higher.serial);
        let from_1 = self.tiers.iter().all(|tier| tier.serial >= 1);
        Invalid::unless(
            rising && from_1,
            "/tiers",
            "serial numbers from 1, the lowest tier first",
        )?;
        let mut ids: Vec<i64> = self.registration_rewards.iter().map(|reward| reward.id).collect();
        ids.sort_unstable();
        let distinct = ids.is_sorted_by(|one, next| one < next);
        Invalid::unless(distinct, "/registration_rewards", "each reward has an id of its own")
    }
}
