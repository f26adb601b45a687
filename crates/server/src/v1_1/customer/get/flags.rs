//! What a reply has besides the members that it always has. Documented flags that are not here change
//! nothing.

use serde::Deserialize;
use utoipa::IntoParams;

/// The flags of a look-up.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
#[expect(clippy::struct_excessive_bools, reason = "one a flag")]
pub(crate) struct Flags {
    /// Return the customer's number.
    pub(super) user_id: bool,
    /// Return the customer's cards.
    pub(super) card_details: bool,
    /// Return the codes by which the customer refers others.
    pub(super) referral_codes: bool,
    /// Return the customer's preferences for each channel and priority.
    pub(super) subscriptions: bool,
    /// Fill `points_summaries`, also where `POINTS_SUMMARIES_NEED_MLP` is 1.
    pub(super) mlp: bool,
    /// Return the points of this programme alone. Also taken as `programId`.
    pub(super) program_id: Option<i64>,
    /// Return the programmes in which the customer is enrolled.
    pub(super) program_summary: bool,
    /// Return the tier above the customer's.
    pub(super) next_slab: bool,
    /// Return the earlier tiers: an empty list, since they are not stored.
    pub(super) slab_history: bool,
    /// Return the gap to the next tier after so many days, with `mlp=true`: an empty list.
    pub(super) gap_to_upgrade_for: Option<u32>,
    /// Return the gap to the tier's renewal after so many days, with `mlp=true`: an empty list.
    pub(super) gap_to_renew_for: Option<u32>,
    /// Return the points that expired, were redeemed, adjusted or returned.
    pub(super) points_summary: bool,
    /// Return when points expire: an empty list.
    pub(super) expiry_schedule: bool,
    /// Return which points expired: an empty list.
    pub(super) expired_points: bool,
    /// Return the points of promotions: empty lists.
    pub(super) promotion_points: bool,
    /// Return the segments: an empty list.
    pub(super) segments: bool,
    /// Return the do-not-call status as it was sent, else `NONE`.
    pub(super) ndnc_status: bool,
    /// Return the opt-in status: `NONE`.
    pub(super) optin_status: bool,
}
