//! A customer's points and tiers, with the members that only this call has.

use patron_rules::customer::{Customer, Enrolment};
use patron_rules::ledger::EntryKind;
use patron_rules::organisation::{Organisation, Programme, Tier};
use serde::Serialize;
use utoipa::ToSchema;

use super::Context;
use crate::v1_1::customer::response::{
    NO_NEXT_TIER, PointsSummary, expiry, lost, plain, points_summary,
};

/// The serial number of a programme's lowest tier.
const BASE_TIER: u32 = 1;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PointsSummariesFound)]
pub(super) struct PointsSummaries {
    points_summary: Vec<Summary>,
}

/// A customer's points and tier in a programme; amounts as text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PointsSummaryFound)]
struct Summary {
    #[serde(flatten)]
    base: PointsSummary,
    #[serde(rename = "currentSlabDescription")]
    current_slab_description: String,
    /// Always 0.
    delayed_points: &'static str,
    /// Always 0.
    delayed_returned_points: &'static str,
    total_available_points: String,
    total_returned_points: String,
    /// The programme's name.
    program_title: String,
    program_description: String,
    /// How much of the organisation's currency a point is worth.
    program_points_to_currency_ratio: String,
    /// Only with `gap_to_upgrade_for` and `mlp=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_to_upgrade: Option<GapToUpgrade>,
    /// Only with `gap_to_renew_for` and `mlp=true`; absent in the lowest tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_to_renew: Option<GapToRenew>,
}

#[derive(Debug, Serialize, ToSchema)]
struct GapToUpgrade {
    /// Always empty: reward rules give tiers, no threshold does.
    #[schema(value_type = Vec<Object>)]
    upgrade_strategy: [(); 0],
}

#[derive(Debug, Serialize, ToSchema)]
struct GapToRenew {
    tier_expiry_date: String,
    /// Always `false`.
    renew_confirmed: &'static str,
    /// Always empty: tiers are not renewed.
    #[schema(value_type = Vec<Object>)]
    renew_strategy: [(); 0],
}

/// The tier above the customer's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextTier)]
pub(super) struct NextTier {
    pub(super) name: String,
    pub(super) serial_number: String,
    pub(super) description: String,
}

/// What became of a customer's points; amounts as text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PointsLost)]
pub(super) struct Totals {
    expired: String,
    redeemed: String,
    adjusted: String,
    returned: String,
}

/// The programmes of a customer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProgramsList {
    program: Vec<Program>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Program {
    program_id: String,
    program_name: String,
    program_description: String,
    is_default: &'static str,
    points_to_currency_ratio: String,
    #[serde(rename = "PartnerPrograms")]
    partner_programs: PartnerPrograms,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct PartnerPrograms {
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    partner_program: [(); 0],
}

/// One entry for each programme that the request selects.
pub(super) fn summaries(customer: &Customer, context: &Context<'_>) -> PointsSummaries {
    let Context { organisation, flags, .. } = context;
    let is_filled = flags.mlp || !organisation.settings.points_summaries_need_mlp;
    let is_selected =
        |held: &&Enrolment| is_filled && flags.program_id.is_none_or(|id| id == held.programme.0);
    let selected = customer.enrolments.iter().filter(is_selected);
    PointsSummaries { points_summary: selected.map(|held| summary(held, context)).collect() }
}

fn summary(held: &Enrolment, Context { organisation, zone, flags, .. }: &Context<'_>) -> Summary {
    let programme = organisation.programme(held.programme);
    let tier = programme.and_then(|programme| programme.tier(held.tier));
    let points = &held.balances.points;
    let text = |of: fn(&Programme) -> &String| programme.map(of).cloned().unwrap_or_default();
    let gap_to_renew = || GapToRenew {
        tier_expiry_date: expiry(held, zone),
        renew_confirmed: "false",
        renew_strategy: [],
    };
    let wants_renewal = flags.mlp && flags.gap_to_renew_for.is_some() && held.tier > BASE_TIER;
    Summary {
        base: points_summary(held, organisation, zone),
        current_slab_description: tier.map(|tier| tier.description.clone()).unwrap_or_default(),
        delayed_points: "0",
        delayed_returned_points: "0",
        total_available_points: plain(points.available()),
        total_returned_points: lost(points, EntryKind::Returned),
        program_title: text(|programme| &programme.name),
        program_description: text(|programme| &programme.description),
        program_points_to_currency_ratio: programme
            .map(|programme| plain(programme.points_to_currency_ratio.get()))
            .unwrap_or_default(),
        gap_to_upgrade: (flags.mlp && flags.gap_to_upgrade_for.is_some())
            .then_some(GapToUpgrade { upgrade_strategy: [] }),
        gap_to_renew: wants_renewal.then(gap_to_renew),
    }
}

/// The tier above the one that is shown for the customer; serial number -1 if there is none.
pub(super) fn next_tier(shown: Option<&Enrolment>, organisation: &Organisation) -> NextTier {
    let above = |held: &Enrolment| organisation.programme(held.programme)?.tier_above(held.tier);
    let next = shown.and_then(above);
    let text = |of: fn(&Tier) -> String| next.map(of);
    NextTier {
        name: text(|tier| tier.name.clone()).unwrap_or_default(),
        serial_number: text(|tier| tier.serial.to_string())
            .unwrap_or_else(|| NO_NEXT_TIER.to_owned()),
        description: text(|tier| tier.description.clone()).unwrap_or_default(),
    }
}

/// The sums of the enrolment that is shown for the customer.
pub(super) fn totals(shown: Option<&Enrolment>) -> Totals {
    let points = shown.map(|held| held.balances.points).unwrap_or_default();
    Totals {
        expired: lost(&points, EntryKind::Expired),
        redeemed: lost(&points, EntryKind::Redeemed),
        adjusted: plain(points.sum(EntryKind::Adjusted)),
        returned: lost(&points, EntryKind::Returned),
    }
}

/// The programmes in which the customer is enrolled.
pub(super) fn programmes(customer: &Customer, organisation: &Organisation) -> ProgramsList {
    let program = |programme: &Programme| Program {
        program_id: programme.id.0.to_string(),
        program_name: programme.name.clone(),
        program_description: programme.description.clone(),
        is_default: if programme.is_default { "true" } else { "false" },
        points_to_currency_ratio: plain(programme.points_to_currency_ratio.get()),
        partner_programs: PartnerPrograms { partner_program: [] },
    };
    let held = customer.enrolments.iter();
    let programmes = held.filter_map(|held| organisation.programme(held.programme));
    ProgramsList { program: programmes.map(program).collect() }
}
