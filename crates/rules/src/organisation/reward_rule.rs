//! A reward rule: what registration earns, and for whom.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ProgrammeId;
use super::amount::Amount;
use crate::profile::CustomerType;

/// What a customer earns by being registered or becoming a loyalty customer. Rules count in their
/// order; each is awarded to a customer once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardRule {
    /// By what the ledger knows it: who was awarded a rule of this name is never awarded it again.
    pub name: String,
    /// Its place in the order; rules of the same place count by their names.
    #[serde(default)]
    pub position: u32,
    /// The programme that gives it: who is enrolled there. The default one where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<ProgrammeId>,
    /// For whom: all of it must hold.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub when: Conditions,
    /// What is given, in order: all of it or nothing.
    pub effects: Vec<Effect>,
}

/// For whom a rule is. What is not named is not asked for; of what names several, one must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// Whether the customer is new, or was known and becomes a loyalty customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occasion: Option<Occasion>,
    /// What the customer is when they come: LOYALTY for one who is registered as such, the type they
    /// had for one who is converted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<CustomerType>,
    /// The sources, by their one name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The accounts within a source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// The tills that register, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tills: Vec<String>,
    /// The first day, in the organisation's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day, in the organisation's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Values of custom fields, by the field's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_fields: BTreeMap<String, Vec<String>>,
    /// Values of extended fields, by the field's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extended_fields: BTreeMap<String, Vec<String>>,
    /// Whether somebody referred the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referred: Option<bool>,
}

impl Conditions {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What brings a customer into a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// They are new.
    Registration,
    /// They were known, and become a loyalty customer.
    Conversion,
}

/// What a rule gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Points, to the customer.
    Points {
        /// How many.
        points: Amount,
        /// How many days after that day they end, at 23:59:59 in the organisation's zone; never
        /// where it is not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_days: Option<u16>,
    },
    /// Points, to whoever referred the customer; nothing where nobody did.
    ReferrerPoints {
        /// How many.
        points: Amount,
        /// As of points.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_days: Option<u16>,
    },
    /// An alternate currency, to the customer.
    Currency {
        /// Its name.
        currency: String,
        /// How much of it.
        value: Amount,
        /// As of points.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_days: Option<u16>,
    },
    /// A coupon, to the customer.
    Coupon {
        /// The name of the series that it comes from.
        series: String,
    },
    /// A tier, for a customer who is below it.
    Tier {
        /// Its serial number.
        serial: u32,
    },
}
