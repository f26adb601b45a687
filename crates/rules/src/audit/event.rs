//! One thing that changed of a customer.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::customer::CustomerId;
use crate::identifier::IdentifierKind;
use crate::profile::{Channel, subscription};

/// What something was before and what it is afterwards; `None` where there is nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<T> {
    /// Before.
    pub before: Option<T>,
    /// Afterwards.
    pub after: Option<T>,
}

/// As `[after]` or `[after, before]`: most of what is told of was not there before.
impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { before, after } = self;
        match before {
            None => (after,).serialize(serializer),
            Some(before) => (after, before).serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Sides<T>(Option<T>, #[serde(default = "Option::default")] Option<T>);
        let Sides(after, before) = Sides::deserialize(deserializer)?;
        Ok(Self { before, after })
    }
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

/// One thing that changed. The audit is most of what is stored, so what nearly every entry tells has
/// a short name there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An identifier.
    #[serde(rename = "id")]
    Identifier(IdentifierKind, Change<String>),
    /// A card of this number was issued.
    Card(String),
    /// Something that every customer may have.
    #[serde(rename = "f")]
    Field(Field, Change<String>),
    /// The custom field of this name.
    #[serde(rename = "cf")]
    CustomField(String, Change<String>),
    /// The extended field of this name.
    #[serde(rename = "ef")]
    ExtendedField(String, Change<String>),
    /// A communication channel, whole.
    #[serde(rename = "ch")]
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
