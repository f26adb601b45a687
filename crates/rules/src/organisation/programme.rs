//! Loyalty programmes and their tiers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::check_display_name;
use super::{Amount, Invalid, Kind, Organisation, Resource, TierExpiry};

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

/// The most tiers of a programme.
const TIERS_LIMIT: usize = 100;

/// A loyalty programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Its number; the next one that is free where it is left out.
    #[serde(default)]
    pub id: ProgrammeId,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// Whether registration enrols loyalty customers in it; at most one programme does.
    #[serde(default)]
    pub is_default: bool,
    /// How much of the organisation's currency a point is worth.
    #[serde(default = "Amount::one")]
    pub points_to_currency_ratio: Amount,
    /// When a tier ends, where the tier itself does not say. A change counts for those who enter a
    /// tier from then on.
    #[serde(default)]
    #[schema(inline)]
    pub tier_expiry: TierExpiry,
    /// Its tiers, the lowest first. Without any, customers are shown the tier `NONE`.
    #[serde(default)]
    pub tiers: Vec<Tier>,
}

/// A tier of a programme ("slab" on the wire).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its rank: 1 for the lowest, 2 for the next, and so on.
    pub serial: u32,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default)]
    pub description: String,
    /// When it ends, where that is not as in the rest of the programme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub expiry: Option<TierExpiry>,
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
        check_expiry("/tier_expiry", self.tier_expiry)?;
        Invalid::unless(self.tiers.len() <= TIERS_LIMIT, "/tiers", "at most 100 tiers")?;
        for ((index, tier), serial) in self.tiers.iter().enumerate().zip(1..) {
            let at = |member: &str| format!("/tiers/{index}/{member}");
            Invalid::unless(
                tier.serial == serial,
                &at("serial"),
                "1 for the lowest, then 2, 3, …",
            )?;
            check_display_name(&at("name"), &tier.name, Self::NAME_LIMIT)?;
            let mut below = self.tiers.iter().take(index);
            let is_new = below.all(|lower| lower.name != tier.name);
            Invalid::unless(is_new, &at("name"), "another tier has this name")?;
            tier.expiry.map_or(Ok(()), |expiry| check_expiry(&at("expiry"), expiry))?;
        }
        Ok(())
    }
}

fn check_expiry(pointer: &str, expiry: TierExpiry) -> Result<(), Invalid> {
    expiry.fault().map_or(Ok(()), |fault| Err(Invalid::at(pointer, fault)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::Documents as _;

    /// The pointer at what is wrong with a programme.
    fn wrong(json: &str) -> String {
        let mut organisation = Organisation::default();
        let refused = match organisation.programmes.put(json) {
            Err(invalid) => Some(invalid),
            Ok(_) => organisation.programmes.check(&organisation).pop().map(|one| one.invalid),
        };
        refused.map(|invalid| invalid.pointer).unwrap_or_default()
    }

    #[rstest]
    #[case(r#"{"name":"a"}"#, "")]
    #[case(r#"{"name":"a","tiers":[{"serial":1,"name":"x"},{"serial":2,"name":"y"}]}"#, "")]
    #[case(r#"{"name":"a","points_to_currency_ratio":"0.25"}"#, "")]
    #[case(r#"{"name":"a","points_to_currency_ratio":0.25}"#, "/points_to_currency_ratio")]
    #[case(r#"{"name":"a","points_to_currency_ratio":"0"}"#, "/points_to_currency_ratio")]
    #[case(r#"{"name":"a","tiers":[{"serial":0,"name":"x"}]}"#, "/tiers/0/serial")]
    #[case(r#"{"name":"a","tiers":[{"serial":2,"name":"x"}]}"#, "/tiers/0/serial")]
    #[case(
        r#"{"name":"a","tiers":[{"serial":1,"name":"x"},{"serial":3,"name":"y"}]}"#,
        "/tiers/1/serial"
    )]
    #[case(r#"{"name":"a","tiers":[{"serial":1,"name":""}]}"#, "/tiers/0/name")]
    #[case(
        r#"{"name":"a","tiers":[{"serial":1,"name":"x"},{"serial":2,"name":"x"}]}"#,
        "/tiers/1/name"
    )]
    #[case(r#"{"name":"a","tier_expiry":{"strategy":"fixed_months","months":12}}"#, "")]
    #[case(r#"{"name":"a","tier_expiry":{"strategy":"fixed_months","months":0}}"#, "/tier_expiry")]
    #[case(r#"{"name":"a","tier_expiry":{"strategy":"sometime"}}"#, "/tier_expiry/strategy")]
    #[case(
        r#"{"name":"a","tier_expiry":{"strategy":"fixed_months","months":"x"}}"#,
        "/tier_expiry/months"
    )]
    #[case(r#"{"name":"a","tier_expiry":{"strategy":"fixed_months"}}"#, "/tier_expiry/months")]
    #[case(r#"{"name":"a","tier_expiry":{"strategy":"never","day":1}}"#, "/tier_expiry/day")]
    #[case(
        r#"{"name":"a","tiers":[{"serial":1,"name":"x","expiry":{"strategy":"fixed_date","month":2,"day":30}}]}"#,
        "/tiers/0/expiry"
    )]
    fn what_is_wrong_is_named(#[case] json: &str, #[case] pointer: &str) {
        assert_eq!(wrong(json), pointer);
    }

    #[test]
    fn one_programme_is_the_default_one() {
        let mut organisation = Organisation::default();
        for name in ["a", "b"] {
            let json = format!(r#"{{"name":"{name}","is_default":true}}"#);
            organisation.programmes.put(&json).unwrap();
        }
        let refused = organisation.programmes.check(&organisation);
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].invalid.pointer, "/is_default");
        organisation.programmes.set_active("a", false).unwrap();
        assert_eq!(organisation.programmes.check(&organisation), []);
        assert_eq!(organisation.default_programme().unwrap().name, "b");
    }
}
