//! A customer as the registry keeps them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identifier::Identifiers;
use crate::ledger::Balances;
use crate::organisation::{ProgrammeId, TillId};
use crate::profile::{Channel, CustomerType, FieldValue, FraudStatus, Name, Source, Subscription};
use crate::submission::Kept;

/// A customer's id within their organisation, `user_id` on the wire; never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CustomerId(pub i64);

/// Everything that is known of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id.
    pub id: CustomerId,
    /// What they are found by.
    pub identifiers: Identifiers,
    /// The first name.
    pub first_name: Option<Name>,
    /// The last name.
    pub last_name: Option<Name>,
    /// Whether they belong to the loyalty programme.
    pub customer_type: CustomerType,
    /// Where they came from.
    pub source: Source,
    /// The account within a source that has several.
    pub account_id: Option<String>,
    /// When they were registered.
    pub registered_at: Timestamp,
    /// When they were last changed, as the last caller said.
    pub updated_at: Timestamp,
    /// The till that registered them.
    pub registered_till: TillId,
    /// The till they are associated with.
    pub associated_till: Option<TillId>,
    /// The fraud status, once one was set.
    pub fraud_status: Option<FraudStatus>,
    /// How they can be reached.
    pub channels: Vec<Channel>,
    /// Whether they want messages.
    pub subscriptions: Vec<Subscription>,
    /// What was sent and is kept as it was.
    pub kept: Kept,
    /// Custom fields.
    pub custom_fields: Vec<FieldValue>,
    /// Extended fields.
    pub extended_fields: Vec<FieldValue>,
    /// The programmes they are enrolled in.
    pub enrolments: Vec<Enrolment>,
}

/// A customer's place in a programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The programme.
    pub programme: ProgrammeId,
    /// The tier's serial number.
    pub tier: u32,
    /// When the tier ends.
    pub tier_expires_at: Option<Timestamp>,
    /// What the ledger adds up to.
    pub balances: Balances,
}
