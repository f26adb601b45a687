//! One thing that changed of a customer.

use serde::{Deserialize, Serialize};

use crate::customer::CustomerId;
use crate::identifier::IdentifierKind;
use crate::profile::{Channel, subscription};

/// What something was before and what it is afterwards; `None` where there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// Before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<T>,
    /// Afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<T>,
}

impl<T> Change<T> {
    /// `None` where nothing changed.
    pub(super) fn between<B>(before: Option<&B>, after: Option<&B>) -> Option<Self>
    where
        B: PartialEq + ToOwned<Owned = T> + ?Sized,
    {
        let change = || Self { before: before.map(B::to_owned), after: after.map(B::to_owned) };
        (before != after).then(change)
    }
}

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An identifier.
    Identifier(IdentifierKind, Change<String>),
    /// A card of this number was issued.
    Card(String),
    /// Something that every customer may have.
    Field(Field, Change<String>),
    /// The custom field of this name.
    CustomField(String, Change<String>),
    /// The extended field of this name.
    ExtendedField(String, Change<String>),
    /// A communication channel, whole.
    Channel(Change<Channel>),
    /// Whether the customer wants messages on a channel, by priority.
    Subscription(subscription::Channel, subscription::Priority, Change<bool>),
    /// The customer entered the programme, and this one had referred them.
    ReferredBy(CustomerId),
    /// This one entered the programme, whom the customer had referred.
    Referred(CustomerId),
    /// Two customers became one.
    Merge {
        /// Who was merged into the other.
        victim: CustomerId,
        /// Who stays.
        survivor: CustomerId,
    },
}

/// Something that every customer may have, besides identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// Whether they belong to the loyalty programme.
    CustomerType,
    /// Where they came from.
    Source,
    /// The account within the source.
    AccountId,
    /// When they were registered, in UTC.
    RegisteredAt,
    /// The name of the till that registered them.
    RegisteredTill,
    /// The name of the till they are associated with.
    AssociatedTill,
    /// The gender.
    Gender,
    /// Whether their number is on the national do-not-call list.
    NdncStatus,
    /// Whether they belong to a test or a control group.
    TestControlStatus,
    /// The fraud status.
    FraudStatus,
}

impl Field {
    /// Every field, in the order in which an entry tells of them.
    pub const ALL: [Self; 12] = [
        Self::FirstName,
        Self::LastName,
        Self::CustomerType,
        Self::Source,
        Self::AccountId,
        Self::RegisteredAt,
        Self::RegisteredTill,
        Self::AssociatedTill,
        Self::Gender,
        Self::NdncStatus,
        Self::TestControlStatus,
        Self::FraudStatus,
    ];
}
