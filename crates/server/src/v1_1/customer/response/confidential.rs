//! The reply about a known customer to a caller who may write customers and not read them.

use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::profile::FieldValue;
use patron_rules::validate::Registration;
use rust_decimal::Decimal;

use super::{Effect, Number, PointsSummaries, Registered, SideEffects, fields, subscriptions};

impl Registered {
    /// Removes what the registry knew of the customer before: keeps the values that this registration
    /// sent and that hold now, and what it earned. A removed member stays, with the value of a
    /// customer who has none.
    pub(super) fn confidential(self, plan: &Plan, sent: &Registration) -> Self {
        // Each member is named here, so that a new one is decided on.
        let Self {
            user_id,
            firstname,
            lastname,
            mobile,
            email,
            external_id,
            lifetime_points: _,
            loyalty_points: _,
            current_slab: _,
            tier_expiry_date: _,
            points_summaries: _,
            lifetime_purchases: _,
            registered_on,
            updated_on,
            customer_type,
            source,
            fraud_status,
            reason,
            custom_fields: _,
            extended_fields: _,
            subscriptions: _,
            side_effects,
            item_status,
            explain: _,
        } = self;
        let Plan { customer, before, .. } = plan;
        let was_updated =
            before.as_ref().is_some_and(|before| before.updated_at != customer.updated_at);
        let identifier = |kind: IdentifierKind, shown: Option<String>| {
            let passed = sent.identifiers.key(kind);
            shown.filter(|_| passed.is_some() && passed == customer.identifiers.key(kind))
        };
        let only = |is_sent: bool, text: String| if is_sent { text } else { String::new() };
        let held = |held: &[FieldValue], passed: &[FieldValue]| {
            let both: Vec<_> = held.iter().filter(|one| passed.contains(one)).cloned().collect();
            fields(&both)
        };
        let chosen = customer.subscriptions.iter().copied();
        let chosen: Vec<_> = chosen.filter(|one| sent.subscriptions.contains(one)).collect();
        let effects = side_effects.effect.into_iter().map(Effect::without_total);
        Self {
            user_id,
            firstname: only(
                sent.first_name.is_some() && sent.first_name == customer.first_name,
                firstname,
            ),
            lastname: only(
                sent.last_name.is_some() && sent.last_name == customer.last_name,
                lastname,
            ),
            mobile: identifier(IdentifierKind::Mobile, mobile),
            email: identifier(IdentifierKind::Email, email),
            external_id: identifier(IdentifierKind::ExternalId, external_id),
            lifetime_points: Number(Decimal::ZERO),
            loyalty_points: Number(Decimal::ZERO),
            current_slab: String::new(),
            tier_expiry_date: String::new(),
            points_summaries: PointsSummaries { points_summary: Vec::new() },
            lifetime_purchases: Number(Decimal::ZERO),
            registered_on: only(sent.registered_at == Some(customer.registered_at), registered_on),
            updated_on: only(
                was_updated || sent.updated_at == Some(customer.updated_at),
                updated_on,
            ),
            customer_type: if sent.customer_type.is_some() { customer_type } else { "" },
            source: only(sent.source.as_ref() == Some(&customer.source), source),
            fraud_status: fraud_status.filter(|_| sent.fraud_status == customer.fraud_status),
            reason: reason.filter(|_| sent.fraud_status == customer.fraud_status),
            custom_fields: held(&customer.custom_fields, &sent.custom_fields),
            extended_fields: held(&customer.extended_fields, &sent.extended_fields),
            subscriptions: subscriptions(&chosen),
            side_effects: SideEffects { effect: effects.collect() },
            item_status,
            explain: None,
        }
    }
}

impl Effect {
    /// The effect without the customer's balance.
    fn without_total(self) -> Self {
        match self {
            Self::Points { awarded_points, total_points: _, customer_id, is_referrer, kind } => {
                Self::Points { awarded_points, total_points: None, customer_id, is_referrer, kind }
            }
            other @ (Self::Currency { .. } | Self::Coupon { .. }) => other,
        }
    }
}
