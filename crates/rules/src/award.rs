//! What an event earns: entries of the ledger, and the effects that tell of them.

use rust_decimal::Decimal;

use crate::customer::Enrolment;
use crate::organisation::{Programme, ProgrammeId};

/// One line of the ledger, which is only ever added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The programme whose points these are.
    pub programme: ProgrammeId,
    /// How many points; never a float.
    pub points: Decimal,
    /// Why.
    pub reason: Reason,
    /// The reward that gave them.
    pub reward: i64,
}

/// Why points were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The customer was registered, or became a loyalty customer.
    Registration,
}

impl Reason {
    /// The reason's name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
        }
    }
}

/// Something that a registration brought about besides itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SideEffect {
    /// The customer was given points.
    Points {
        /// How many.
        awarded: Decimal,
        /// How many they have now.
        total: Decimal,
    },
}

/// Gives what registration earns in this programme: adds to the enrolment's balances and returns
/// the entries and effects that say so. A reward whose sum leaves the range of exact decimals gives
/// nothing.
#[must_use]
pub fn registration(
    programme: &Programme,
    enrolment: &mut Enrolment,
) -> (Vec<LedgerEntry>, Vec<SideEffect>) {
    let mut entries = Vec::new();
    let mut effects = Vec::new();
    for reward in &programme.registration_rewards {
        let lifetime = enrolment.lifetime_points.checked_add(reward.points);
        let loyalty = enrolment.loyalty_points.checked_add(reward.points);
        let (Some(lifetime), Some(loyalty)) = (lifetime, loyalty) else {
            continue;
        };
        (enrolment.lifetime_points, enrolment.loyalty_points) = (lifetime, loyalty);
        entries.push(LedgerEntry {
            programme: programme.id,
            points: reward.points,
            reason: Reason::Registration,
            reward: reward.id,
        });
        effects.push(SideEffect::Points { awarded: reward.points, total: loyalty });
    }
    (entries, effects)
}
