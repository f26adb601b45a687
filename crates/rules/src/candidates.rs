//! What the store sets aside for one registration: numbers and codes that nobody has, made by
//! counting or by chance. Whatever of it the plan does not use is free again.

use std::collections::BTreeMap;

use crate::identifier::IdentifierKind;
use crate::identifier::generated::When;
use crate::organisation::{Effect, Organisation};
use crate::settings::Settings;
use crate::trace::{Step, Trace};
use crate::validate::Registration;

/// What has been set aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// An external id, where one may have to be made; `None` where no free one was found.
    pub external_id: Option<String>,
    /// The number of the card that is called for: the one passed, or one that is made; `None` where
    /// its series has no further one.
    pub card: Option<String>,
    /// Coupons that nobody has; a series that is used up has none here.
    pub coupons: Vec<CouponCandidate>,
}

/// A coupon that can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponCandidate {
    /// The series that it comes from.
    pub series: String,
    /// Its number.
    pub id: i64,
    /// What the customer would show.
    pub code: String,
}

/// The coupon series that the rules of the default programme give from, each with how many coupons
/// one customer may be given at most.
#[must_use]
pub fn wanted_coupons(organisation: &Organisation) -> BTreeMap<&str, usize> {
    let mut wanted = BTreeMap::new();
    if organisation.coupon_series.is_empty() {
        return wanted;
    }
    let Some(programme) = organisation.default_programme() else { return wanted };
    for effect in organisation.reward_rules_of(programme).into_iter().flat_map(|rule| &rule.effects)
    {
        if let Effect::Coupon { series } = effect {
            *wanted.entry(series.as_str()).or_default() += 1;
        }
    }
    wanted
}

/// Whether the customer of a registration is to have an external id made, unless they are known and
/// have one: `CONF_CARD_NUMBER_GENERATION_ENABLED` and what belongs to it. One that was passed is
/// replaced only where another identifier was passed, too: else the same registration, sent twice,
/// would be two customers.
#[must_use]
pub fn wants_external_id(
    registration: &Registration,
    settings: &Settings,
    trace: &mut Trace,
) -> bool {
    let Registration { identifiers, source, account_id, .. } = registration;
    let rules = &settings.generated_id;
    if !rules.enabled {
        return false;
    }
    let covers = rules.cover(source.as_ref(), account_id.as_deref());
    trace.add(match covers {
        false => Step::NotMadeForSource,
        true if rules.every_source => Step::MadeForEverySource,
        true => Step::MadeForSource,
    });
    if !covers || identifiers.external_id.is_none() {
        return covers;
    }
    let mut kinds = identifiers.keys().map(|(kind, _)| kind);
    let known_by_another =
        kinds.any(|kind| kind != IdentifierKind::ExternalId && settings.identifies(kind));
    let step = match rules.when {
        When::Missing => Step::PassedStays,
        When::Always if known_by_another => Step::PassedReplaced,
        When::Always => Step::PassedAloneStays,
    };
    trace.add(step);
    step == Step::PassedReplaced
}
