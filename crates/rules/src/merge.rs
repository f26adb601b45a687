//! Merging: one customer of two, where the organisation has switched that on.
//!
//! The survivor keeps their id and everything they have, and gains what they lack. Balances add up,
//! told by an entry in the ledger of each. The victim's identifiers lead to the survivor from then
//! on. Both are kept as they were before, so that it can be undone.

use rust_decimal::Decimal;

use crate::award::{LedgerEntry, Reason};
use crate::customer::{Customer, Enrolment};
use crate::identifier::IdentifierKind;
use crate::profile::{Channel, CustomerType, channel, field};
use crate::submission::Kept;

/// Merges the victim into the survivor and returns what the ledger gains. The victim is left with
/// empty balances. `None` where a balance would leave the range of exact decimals; then neither has
/// changed.
#[must_use]
pub fn merge(survivor: &mut Customer, victim: &mut Customer) -> Option<Vec<LedgerEntry>> {
    let mut merged = survivor.clone();
    let mut ledger = Vec::new();
    for enrolment in &victim.enrolments {
        add_balances(&mut merged.enrolments, enrolment)?;
        for (customer, points) in
            [(victim.id, -enrolment.loyalty_points), (survivor.id, enrolment.loyalty_points)]
        {
            let programme = enrolment.programme;
            ledger.push(LedgerEntry {
                customer,
                programme,
                points,
                reason: Reason::Merge,
                reward: None,
            });
        }
    }
    for kind in IdentifierKind::ALL {
        if merged.identifiers.key(kind).is_none() {
            merged.identifiers.take_over(kind, &victim.identifiers);
        }
    }
    fill_profile(&mut merged, victim);
    *survivor = merged;
    for enrolment in &mut victim.enrolments {
        (enrolment.lifetime_points, enrolment.loyalty_points) = (Decimal::ZERO, Decimal::ZERO);
    }
    Some(ledger)
}

/// The higher of both tiers stays, with its expiry.
fn add_balances(held: &mut Vec<Enrolment>, further: &Enrolment) -> Option<()> {
    match held.iter_mut().find(|enrolment| enrolment.programme == further.programme) {
        None => held.push(further.clone()),
        Some(enrolment) => {
            enrolment.lifetime_points =
                enrolment.lifetime_points.checked_add(further.lifetime_points)?;
            enrolment.loyalty_points =
                enrolment.loyalty_points.checked_add(further.loyalty_points)?;
            if further.tier > enrolment.tier {
                (enrolment.tier, enrolment.tier_expires_at) =
                    (further.tier, further.tier_expires_at);
            }
        }
    }
    Some(())
}

fn fill_profile(survivor: &mut Customer, victim: &Customer) {
    fill(&mut survivor.first_name, victim.first_name.as_ref());
    fill(&mut survivor.last_name, victim.last_name.as_ref());
    fill(&mut survivor.account_id, victim.account_id.as_ref());
    fill(&mut survivor.associated_till, victim.associated_till.as_ref());
    fill(&mut survivor.fraud_status, victim.fraud_status.as_ref());
    let (kept, other): (&mut Kept, &Kept) = (&mut survivor.kept, &victim.kept);
    fill(&mut kept.gender, other.gender.as_ref());
    fill(&mut kept.ndnc_status, other.ndnc_status.as_ref());
    fill(&mut kept.test_control_status, other.test_control_status.as_ref());
    survivor.registered_at = survivor.registered_at.min(victim.registered_at);
    // A loyalty customer stays one.
    if victim.customer_type == CustomerType::Loyalty {
        survivor.customer_type = CustomerType::Loyalty;
    }
    for further in &victim.channels {
        let mut further = further.clone();
        further.primary &=
            !survivor.channels.iter().any(|held| held.primary && held.kind == further.kind);
        let same = |held: &Channel| held.kind == further.kind && held.value == further.value;
        if survivor.channels.len() < channel::COUNT_LIMIT && !survivor.channels.iter().any(same) {
            survivor.channels.push(further);
        }
    }
    for (held, further) in [
        (&mut survivor.custom_fields, &victim.custom_fields),
        (&mut survivor.extended_fields, &victim.extended_fields),
    ] {
        for value in further {
            if !held.iter().any(|known| known.name == value.name) {
                field::put(held, &value.name, &value.value);
            }
        }
    }
    for subscription in &victim.subscriptions {
        let same = |held: &crate::profile::Subscription| {
            (held.channel, held.priority) == (subscription.channel, subscription.priority)
        };
        if !survivor.subscriptions.iter().any(same) {
            survivor.subscriptions.push(*subscription);
        }
    }
}

fn fill<T: Clone>(held: &mut Option<T>, from: Option<&T>) {
    if held.is_none() {
        *held = from.cloned();
    }
}
