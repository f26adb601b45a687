//! What an event earns: entries of the ledger, and the effects that tell of them.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::customer::{CustomerId, Enrolment};
use crate::organisation::{Programme, ProgrammeId};

/// One line of the ledger, which is only ever added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The customer.
    pub customer: CustomerId,
    /// The programme whose points these are.
    pub programme: ProgrammeId,
    /// How many points; never a float.
    pub points: Decimal,
    /// Why.
    pub reason: Reason,
    /// The reward that gave them, where one did.
    pub reward: Option<i64>,
}

/// Why points were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The customer was registered, or became a loyalty customer.
    Registration,
    /// The customer was merged with another: what the one loses, the other gains.
    Merge,
}

impl Reason {
    /// The reason's name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Merge => "merge",
        }
    }
}

/// Something that a registration brought about besides itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SideEffect {
    /// The customer was given points.
    Points {
        /// The customer; told where effects of another stand beside it.
        customer: Option<CustomerId>,
        /// How many.
        awarded: Decimal,
        /// How many they have now.
        total: Decimal,
    },
    /// Whoever referred the customer was given points.
    ReferrerPoints {
        /// The referrer.
        customer: CustomerId,
        /// How many.
        awarded: Decimal,
    },
    /// The customer was given an alternate currency.
    Currency {
        /// The currency's identifier.
        identifier: String,
        /// The currency's name.
        name: String,
        /// How much of it.
        awarded: Decimal,
    },
    /// The customer was given a coupon.
    Coupon {
        /// The coupon's number.
        id: i64,
        /// What the customer shows to use it.
        code: String,
        /// What it is for.
        description: String,
        /// The discount that it stands for at the till, where it has one.
        discount_code: Option<String>,
        /// The last moment at which it can be used; `None` is any time.
        valid_till: Option<Timestamp>,
    },
}

/// Gives what registration earns in this programme: adds to the enrolment's balances and returns
/// the entries and effects that say so. A reward whose sum leaves the range of exact decimals gives
/// nothing.
#[must_use]
pub fn registration(
    customer: CustomerId,
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
            customer,
            programme: programme.id,
            points: reward.points,
            reason: Reason::Registration,
            reward: Some(reward.id),
        });
        effects.push(SideEffect::Points { customer: None, awarded: reward.points, total: loyalty });
    }
    (entries, effects)
}
