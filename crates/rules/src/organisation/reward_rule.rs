//! Reward rules: what registration earns, and for whom.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::{check_reference, needed, not_in_use, unneeded};
use super::{Amount, Collection, Invalid, Kind, Organisation, Programme, Resource};
use crate::profile::{Budget, CustomerType, moment};

/// The most effects of a rule.
const EFFECTS_LIMIT: usize = 20;
/// The most values that a condition names.
const VALUES_LIMIT: usize = 1_000;

/// What a customer earns by being registered or becoming a loyalty customer. Rules count in their
/// order; each is awarded to a customer once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RewardRule {
    /// By what the ledger knows it: who was awarded a rule of this name is never awarded it again.
    pub name: String,
    /// Its place in the order; rules of the same place count by their names.
    #[serde(default)]
    pub position: u32,
    /// The name of the programme in which it is earned; the default one where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<String>,
    /// For whom it is: all of it must hold.
    #[serde(default)]
    #[schema(inline)]
    pub when: Conditions,
    /// What is given, in order: all of it or nothing.
    #[schema(inline)]
    pub effects: Vec<Effect>,
}

/// For whom a rule is. What is not named is not asked for; of what names several, one must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// Whether the customer is new, or was known and becomes a loyalty customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub occasion: Option<Occasion>,
    /// What the customer is when they come: LOYALTY for one who is registered as such, the type they
    /// had for one who is converted.
    #[schema(inline)]
    pub types: Vec<CustomerType>,
    /// The sources, by their one name.
    pub sources: Vec<String>,
    /// The accounts within a source.
    pub accounts: Vec<String>,
    /// The tills that register, by name.
    pub tills: Vec<String>,
    /// The stores in which they stand, by name.
    pub stores: Vec<String>,
    /// The first day, in the till's time zone.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "moment::day")]
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// The last day, in the till's time zone.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "moment::day")]
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<Date>,
    /// Values of custom fields, by the field's name.
    pub custom_fields: BTreeMap<String, Vec<String>>,
    /// Values of extended fields, by the field's name, in their one form.
    pub extended_fields: BTreeMap<String, Vec<String>>,
    /// Whether somebody referred the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referred: Option<bool>,
    /// The referral campaigns by whose codes the customer was referred, by name.
    pub campaigns: Vec<String>,
}

/// What brings a customer into a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// They are new.
    Registration,
    /// They were known, and become a loyalty customer.
    Conversion,
}

/// What a rule gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "SentEffect")]
pub enum Effect {
    /// Points, to the customer.
    Points {
        /// How many.
        points: Amount,
        /// How many days after the day of the award they end, at 23:59:59 in the organisation's
        /// time zone; never where it is not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_days: Option<u16>,
    },
    /// Points, to whoever referred the customer; nothing where nobody of the programme did.
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

/// An effect as it is sent. A member is read before it is known what it is for, so that what is wrong
/// with it is told of itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentEffect {
    #[serde(rename = "type")]
    effect_type: EffectType,
    points: Option<Amount>,
    valid_days: Option<u16>,
    currency: Option<String>,
    value: Option<Amount>,
    series: Option<String>,
    serial: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EffectType {
    Points,
    ReferrerPoints,
    Currency,
    Coupon,
    Tier,
}

impl TryFrom<SentEffect> for Effect {
    type Error = Invalid;

    fn try_from(sent: SentEffect) -> Result<Self, Invalid> {
        let SentEffect {
            effect_type,
            mut points,
            mut valid_days,
            mut currency,
            mut value,
            mut series,
            mut serial,
        } = sent;
        let (name, effect) = match effect_type {
            EffectType::Points => {
                let points = needed(points.take(), "/points")?;
                ("points", Self::Points { points, valid_days: valid_days.take() })
            }
            EffectType::ReferrerPoints => {
                let points = needed(points.take(), "/points")?;
                ("referrer_points", Self::ReferrerPoints { points, valid_days: valid_days.take() })
            }
            EffectType::Currency => {
                let currency = needed(currency.take(), "/currency")?;
                let value = needed(value.take(), "/value")?;
                ("currency", Self::Currency { currency, value, valid_days: valid_days.take() })
            }
            EffectType::Coupon => {
                ("coupon", Self::Coupon { series: needed(series.take(), "/series")? })
            }
            EffectType::Tier => ("tier", Self::Tier { serial: needed(serial.take(), "/serial")? }),
        };
        let left = [
            ("/points", points.is_some()),
            ("/valid_days", valid_days.is_some()),
            ("/currency", currency.is_some()),
            ("/value", value.is_some()),
            ("/series", series.is_some()),
            ("/serial", serial.is_some()),
        ];
        unneeded(&left, name)?;
        Ok(effect)
    }
}

impl Resource for RewardRule {
    const KIND: Kind = Kind::RewardRules;
    const COUNT_LIMIT: usize = 1_000;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        let (programme, reason) = match &self.programme {
            Some(name) => (organisation.programmes.named(name), not_in_use(Kind::Programmes, name)),
            None => (
                organisation.default_programme(),
                "no programme in use is the default one; name a programme".to_owned(),
            ),
        };
        let programme = programme.ok_or_else(|| Invalid::at("/programme", reason))?;
        self.when.check(organisation)?;
        let few = (1..=EFFECTS_LIMIT).contains(&self.effects.len());
        Invalid::unless(few, "/effects", "1 to 20 effects")?;
        let mut effects = self.effects.iter().enumerate();
        effects.try_for_each(|(index, effect)| {
            let at = |member: &str| format!("/effects/{index}/{member}");
            effect.check(organisation, programme, &at)
        })
    }
}

impl Conditions {
    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        let is_source =
            |name: &str| organisation.source(name).is_some_and(|source| source.name() == name);
        each("/when/sources", &self.sources, |name| not_in_use(Kind::Sources, name), is_source)?;
        let unknown = |account: &str| format!("no source in use has the account `{account}`");
        each("/when/accounts", &self.accounts, unknown, |account| {
            let has = |name: &String| {
                let source = organisation.sources.named(name);
                source.is_none_or(|source| source.has_account(account))
            };
            let of_sources = self.sources.is_empty() || self.sources.iter().any(has);
            !account.trim().is_empty() && of_sources
        })?;
        references("/when/tills", &self.tills, &organisation.tills)?;
        references("/when/stores", &self.stores, &organisation.stores)?;
        references("/when/campaigns", &self.campaigns, &organisation.referral_campaigns)?;
        let ordered = self.from.zip(self.to).is_none_or(|(first, last)| first <= last);
        Invalid::unless(ordered, "/when/to", "the last day is not before the first")?;
        let missing = |pointer: &str, kind, name| Invalid::at(pointer, not_in_use(kind, name));
        let wrong = |value: &str| format!("the field does not store `{value}` in this form");
        let mut budget = Budget::default();
        for (name, values) in &self.custom_fields {
            let pointer = member("/when/custom_fields", name);
            let field = organisation.custom_fields.named(name);
            let field = field.ok_or_else(|| missing(&pointer, Kind::CustomFields, name))?;
            some(&pointer, values)?;
            each(&pointer, values, wrong, |value| {
                field.canonical(value, &mut budget).as_deref() == Some(value)
            })?;
        }
        for (name, values) in &self.extended_fields {
            let pointer = member("/when/extended_fields", name);
            let field = organisation.extended_fields.named(name);
            let field = field.ok_or_else(|| missing(&pointer, Kind::ExtendedFields, name))?;
            some(&pointer, values)?;
            each(&pointer, values, wrong, |value| {
                field.canonical(value, organisation, &mut budget).as_deref() == Some(value)
            })?;
        }
        Ok(())
    }
}

impl Effect {
    fn check(
        &self,
        organisation: &Organisation,
        programme: &Programme,
        at: &dyn Fn(&str) -> String,
    ) -> Result<(), Invalid> {
        match self {
            Self::Points { .. } | Self::ReferrerPoints { .. } => Ok(()),
            Self::Coupon { series } => {
                check_reference(&at("series"), Some(series), &organisation.coupon_series)
            }
            Self::Currency { currency, .. } => {
                check_reference(&at("currency"), Some(currency), &organisation.currencies)
            }
            Self::Tier { serial } => {
                let is_there = programme.tier(*serial).is_some();
                Invalid::unless(is_there, &at("serial"), "the programme has no such tier")
            }
        }
    }
}

/// The pointer at a member of this name.
fn member(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn some(pointer: &str, values: &[String]) -> Result<(), Invalid> {
    Invalid::unless(!values.is_empty(), pointer, "at least one value")
}

/// Fails with the first name that no document in use has.
fn references<T: Resource>(
    pointer: &str,
    names: &[String],
    to: &Collection<T>,
) -> Result<(), Invalid> {
    each(pointer, names, |name| not_in_use(T::KIND, name), |name| to.named(name).is_some())
}

/// Fails with the first value that does not belong there, and says why.
fn each(
    pointer: &str,
    values: &[String],
    reason: impl Fn(&str) -> String,
    mut belongs: impl FnMut(&str) -> bool,
) -> Result<(), Invalid> {
    Invalid::unless(values.len() <= VALUES_LIMIT, pointer, "at most 1,000 values")?;
    match values.iter().enumerate().find(|(_, value)| !belongs(value)) {
        None => Ok(()),
        Some((index, value)) => Err(Invalid::at(format!("{pointer}/{index}"), reason(value))),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::Documents as _;

    fn organisation() -> Organisation {
        let mut organisation = Organisation::default();
        for (kind, json) in [
            (Kind::Stores, r#"{"name":"s1"}"#),
            (Kind::Tills, r#"{"name":"t1"}"#),
            (Kind::Tills, r#"{"name":"gone"}"#),
            (Kind::CustomFields, r#"{"name":"size","data_type":"Integer"}"#),
            (
                Kind::ExtendedFields,
                r#"{"name":"gender","data_type":"STANDARD_ENUM","values":["Male","Female"]}"#,
            ),
            (
                Kind::Programmes,
                r#"{"name":"P","is_default":true,"tiers":[{"serial":1,"name":"Base"},{"serial":2,"name":"Gold"}]}"#,
            ),
            (Kind::Programmes, r#"{"name":"Q"}"#),
            (Kind::Currencies, r#"{"name":"ac1","identifier":"rgpws7"}"#),
            (Kind::CouponSeries, r#"{"name":"WELCOME"}"#),
            (Kind::ReferralCampaigns, r#"{"name":"friends"}"#),
        ] {
            organisation.documents_mut(kind).put(json).unwrap();
        }
        organisation.tills.set_active("gone", false).unwrap();
        organisation
    }

    /// The pointer at what is wrong with a rule; empty for nothing.
    fn wrong(rest: &str) -> String {
        let mut organisation = organisation();
        let refused = match organisation.reward_rules.put(&format!(r#"{{"name":"r",{rest}}}"#)) {
            Err(invalid) => Some(invalid),
            Ok(_) => organisation.reward_rules.check(&organisation).pop().map(|one| one.invalid),
        };
        refused.map(|invalid| invalid.pointer).unwrap_or_default()
    }

    const POINTS: &str = r#""effects":[{"type":"points","points":"100"}]"#;

    #[rstest]
    #[case("{}", "")]
    #[case(r#"{"occasion":"conversion","types":["NON_LOYALTY"],"referred":false}"#, "")]
    #[case(r#"{"occasion":"birthday"}"#, "/when/occasion")]
    #[case(r#"{"types":["GOLD"]}"#, "/when/types/0")]
    #[case(r#"{"sources":["INSTORE","WECHAT"]}"#, "")]
    #[case(r#"{"sources":["INSTORE","pigeon"]}"#, "/when/sources/1")]
    #[case::an_alias(r#"{"sources":["Mobile App"]}"#, "/when/sources/0")]
    #[case(r#"{"accounts":["A"]}"#, "")]
    #[case(r#"{"accounts":[" "]}"#, "/when/accounts/0")]
    #[case(r#"{"tills":["t1"]}"#, "")]
    #[case(r#"{"tills":["t2"]}"#, "/when/tills/0")]
    #[case(r#"{"tills":["t1","gone"]}"#, "/when/tills/1")]
    #[case(r#"{"stores":["s1"]}"#, "")]
    #[case(r#"{"stores":["s1","t1"]}"#, "/when/stores/1")]
    #[case(r#"{"campaigns":["friends"]}"#, "")]
    #[case(r#"{"campaigns":["friends","foes"]}"#, "/when/campaigns/1")]
    #[case(r#"{"from":"2024-08-01","to":"2024-08-01"}"#, "")]
    #[case(r#"{"from":"2024-08-02","to":"2024-08-01"}"#, "/when/to")]
    #[case(r#"{"from":"2024-02-30"}"#, "/when/from")]
    #[case(r#"{"custom_fields":{"size":["44","45"]}}"#, "")]
    #[case(r#"{"custom_fields":{"size":["44","big"]}}"#, "/when/custom_fields/size/1")]
    #[case(r#"{"custom_fields":{"size":[]}}"#, "/when/custom_fields/size")]
    #[case(r#"{"custom_fields":{"a/b":["x"]}}"#, "/when/custom_fields/a~1b")]
    #[case(r#"{"extended_fields":{"gender":["Female"]}}"#, "")]
    #[case(r#"{"extended_fields":{"gender":["female"]}}"#, "/when/extended_fields/gender/0")]
    #[case(r#"{"extended_fields":{"gender":[]}}"#, "/when/extended_fields/gender")]
    #[case(r#"{"extended_fields":{"size":["44"]}}"#, "/when/extended_fields/size")]
    #[case(r#"{"weather":"fine"}"#, "/when/weather")]
    fn conditions(#[case] when: &str, #[case] pointer: &str) {
        assert_eq!(wrong(&format!(r#""when":{when},{POINTS}"#)), pointer);
    }

    #[rstest]
    #[case(r#"[{"type":"points","points":"0.5","valid_days":30}]"#, "")]
    #[case(r#"[{"type":"referrer_points","points":50}]"#, "")]
    #[case(r#"[{"type":"points","points":"0"}]"#, "/effects/0/points")]
    #[case(r#"[{"points":"x","type":"points"}]"#, "/effects/0/points")]
    #[case(r#"[{"type":"points"}]"#, "/effects/0/points")]
    #[case(r#"[{"type":"points","points":"1","valid_days":-1}]"#, "/effects/0/valid_days")]
    #[case(r#"[{"type":"points","points":"1","series":"SUMMER"}]"#, "/effects/0/series")]
    #[case(r#"[{"type":"points","points":"1","stars":"1"}]"#, "/effects/0/stars")]
    #[case(r#"[{"type":"stars","points":"1"}]"#, "/effects/0/type")]
    #[case(r#"[{"points":"1"}]"#, "/effects/0")]
    #[case(r#"[{"type":"currency","currency":"ac1","value":[]}]"#, "/effects/0/value")]
    #[case(r#"[{"type":"tier","serial":"1"}]"#, "/effects/0/serial")]
    #[case(r#"[{"type":"currency","currency":"ac1","value":"110"}]"#, "")]
    #[case(r#"[{"type":"currency","currency":"rgpws7","value":"110"}]"#, "/effects/0/currency")]
    #[case(r#"[{"type":"tier","serial":2}]"#, "")]
    #[case(r#"[{"type":"tier","serial":2},{"type":"tier","serial":3}]"#, "/effects/1/serial")]
    #[case(r#"[{"type":"coupon","series":"WELCOME"}]"#, "")]
    #[case(r#"[{"type":"coupon","series":"WINTER"}]"#, "/effects/0/series")]
    #[case("[]", "/effects")]
    fn effects(#[case] given: &str, #[case] pointer: &str) {
        let found = wrong(&format!(r#""effects":{given}"#));
        assert!(found.starts_with(pointer) && found.is_empty() == pointer.is_empty(), "{found}");
    }

    #[rstest]
    #[case(r#""programme":"P""#, "")]
    #[case(r#""programme":"Q""#, "")]
    #[case(r#""programme":"R""#, "/programme")]
    fn programmes(#[case] named: &str, #[case] pointer: &str) {
        assert_eq!(wrong(&format!("{named},{POINTS}")), pointer);
    }

    #[test]
    fn too_many_are_refused() {
        let effects = vec![r#"{"type":"points","points":1}"#; 21].join(",");
        assert_eq!(wrong(&format!(r#""effects":[{effects}]"#)), "/effects");
        let accounts = vec![r#""A""#; 1_001].join(",");
        assert_eq!(
            wrong(&format!(r#""when":{{"accounts":[{accounts}]}},{POINTS}"#)),
            "/when/accounts"
        );
    }
}
