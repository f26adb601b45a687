//! An organisation (the tenant) as its rules see it: what an operator has set up.

mod amount;
mod currency;
mod reward_rule;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use self::amount::Amount;
pub use self::currency::AlternateCurrency;
pub use self::reward_rule::{Conditions, Effect, Occasion, RewardRule};
pub use crate::profile::{CustomField, ExtendedField};
use crate::settings::Settings;

/// A till's id within its organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TillId(pub i64);

/// A programme's id within its organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProgrammeId(pub i64);

/// What an operator has set up for one organisation.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// The organisation's name.
    pub name: String,
    /// The zone of local date-times.
    pub zone: TimeZone,
    /// The registration configuration.
    pub settings: Settings,
    /// The tills, by name.
    pub tills: Vec<Till>,
    /// The custom fields that customers may have.
    pub custom_fields: Vec<CustomField>,
    /// The extended fields that customers may have.
    pub extended_fields: Vec<ExtendedField>,
    /// The loyalty programmes.
    pub programmes: Vec<Programme>,
}

impl Organisation {
    /// The till of this name, compared exactly.
    #[must_use]
    pub fn till_named(&self, name: &str) -> Option<&Till> {
        self.tills.iter().find(|till| till.name == name)
    }

    /// The programme in which registration enrols a loyalty customer.
    #[must_use]
    pub fn default_programme(&self) -> Option<&Programme> {
        self.programmes.iter().find(|programme| programme.is_default)
    }

    /// The programme of this id.
    #[must_use]
    pub fn programme(&self, id: ProgrammeId) -> Option<&Programme> {
        self.programmes.iter().find(|programme| programme.id == id)
    }
}

/// A point of sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Till {
    /// Its id.
    pub id: TillId,
    /// Its name, which is also its user name.
    pub name: String,
}

/// A loyalty programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// Its id.
    pub id: ProgrammeId,
    /// Whether registration enrols loyalty customers in it.
    pub is_default: bool,
    /// How long a tier lasts, in whole years from the registration date.
    pub tier_years: u16,
    /// Its tiers, the lowest first.
    pub tiers: Vec<Tier>,
    /// What registration earns, in order.
    pub registration_rewards: Vec<Reward>,
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

/// A tier of a programme ("slab" on the wire).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// Its rank; the lowest tier has 1.
    pub serial: u32,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
}

/// What an event earns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reward {
    /// The reward's id within its programme.
    pub id: i64,
    /// How many points it gives.
    pub points: Decimal,
}
