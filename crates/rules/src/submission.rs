//! What a caller sent for one customer, read from its format but not yet looked at by any rule.
//!
//! A member that was absent, null or blank is `None`: it was not passed.

use std::borrow::Cow;
use std::fmt;

use crate::identifier::IdentifierKind;

/// One customer as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    /// The mobile number.
    pub mobile: Option<String>,
    /// The calling code that the client names for mobile numbers without one.
    pub client_calling_code: Option<u16>,
    /// The email address.
    pub email: Option<String>,
    /// The external id.
    pub external_id: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The customer type.
    pub customer_type: Option<String>,
    /// The source.
    pub source: Option<String>,
    /// The account within the source.
    pub account_id: Option<String>,
    /// The date of registration.
    pub registered_on: Option<String>,
    /// The date of the last change.
    pub updated_on: Option<String>,
    /// The till that registers.
    pub registered_till: Option<String>,
    /// The till to associate with.
    pub associated_till: Option<String>,
    /// The fraud status.
    pub fraud_status: Option<String>,
    /// The communication channels.
    pub channels: Vec<SubmittedChannel>,
    /// The custom fields.
    pub custom_fields: Vec<SubmittedField>,
    /// The extended fields.
    pub extended_fields: Vec<SubmittedField>,
    /// The subscriptions to messages.
    pub subscriptions: Vec<SubmittedSubscription>,
    /// The code of whoever referred the customer.
    pub referral_code: Option<String>,
    /// The number of the customer's card.
    pub card_number: Option<String>,
    /// The series of the customer's card.
    pub card_series: Option<String>,
    /// What is accepted and kept as it is.
    pub kept: Kept,
    /// The unknown members; collected only if the organisation's settings refuse or name them.
    pub unknown: UnknownMembers,
    /// The members of a wrong form; each counts as not passed.
    pub malformed: Vec<Malformed>,
}

/// How many unknown members are named.
const NAMED_LIMIT: usize = 10;

/// The unknown members of a submission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownMembers {
    names: Vec<String>,
    further: usize,
}

impl UnknownMembers {
    /// Adds a member, by its name in the format that was read.
    pub fn add(&mut self, name: impl FnOnce() -> String) {
        if self.names.len() < NAMED_LIMIT {
            self.names.push(name());
        } else {
            self.further = self.further.saturating_add(1);
        }
    }

    /// Returns the first unknown member.
    #[must_use]
    pub fn first(&self) -> Option<Member> {
        self.names.first().map(|name| Member::Read(name.clone().into()))
    }
}

impl fmt::Display for UnknownMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.names.len() > 1 { "unknown members " } else { "unknown member " })?;
        f.write_str(&self.names.join(", "))?;
        if self.further > 0 { write!(f, " and {} more", self.further) } else { Ok(()) }
    }
}

/// A member of a submission, as far as it can be wrong by itself. Whoever reads a format knows what
/// the member is called there and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// The customer itself.
    Customer,
    /// The identifier of this kind.
    Identifier(IdentifierKind),
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The customer type.
    CustomerType,
    /// The source.
    Source,
    /// The account within the source.
    AccountId,
    /// The date of registration.
    RegisteredOn,
    /// The date of the last change.
    UpdatedOn,
    /// The till that registers.
    RegisteredTill,
    /// The till to associate with.
    AssociatedTill,
    /// The fraud status.
    FraudStatus,
    /// One of the communication channels, counted from 0, or a part of it.
    Channel(usize, Option<ChannelMember>),
    /// One of the custom fields, counted from 0.
    CustomField(usize),
    /// One of the extended fields, counted from 0.
    ExtendedField(usize),
    /// One of the subscriptions, counted from 0, or a part of it.
    Subscription(usize, Option<SubscriptionMember>),
    /// The code of whoever referred the customer.
    ReferralCode,
    /// The number of the customer's card.
    CardNumber,
    /// The series from which a card's number is to be generated.
    CardSeries,
    /// The gender.
    Gender,
    /// Whether the customer is on the do-not-call register.
    NdncStatus,
    /// Whether the customer belongs to a campaign's test or control group.
    TestControlStatus,
    /// What only the reader of the format knows, in its own words.
    Read(Cow<'static, str>),
}

/// A part of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelMember {
    /// The mode of communication.
    Kind,
    /// The number, address or token.
    Value,
    /// Whether it is the primary contact.
    Primary,
    /// Whether it is verified.
    Verified,
    /// What else is known of it.
    Meta,
    /// Whether it reaches the customer at home.
    Residence,
    /// Whether it reaches the customer at work.
    Office,
    /// When the customer last looked at it.
    LastViewed,
}

/// A part of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionMember {
    /// The channel.
    Channel,
    /// The priority.
    Priority,
    /// The scope.
    Scope,
    /// Whether the customer wants the messages.
    IsSubscribed,
}

/// A custom or extended field as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmittedField {
    /// The field's name; empty where none can be read.
    pub name: String,
    /// The field's value.
    pub value: SubmittedValue,
}

/// The value of a custom or extended field as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SubmittedValue {
    /// Absent, null or blank.
    #[default]
    NotPassed,
    /// A text, or what else can be one.
    Text(String),
    /// Something that cannot be a field's value.
    Malformed,
}

/// A communication channel as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmittedChannel {
    /// Its place in the list that was sent, counted from 0.
    pub index: usize,
    /// The mode of communication.
    pub kind: Option<String>,
    /// The number, address or token.
    pub value: Option<String>,
    /// Whether it is the primary contact.
    pub primary: Option<String>,
    /// Whether it is verified.
    pub verified: Option<String>,
    /// Whether it reaches the customer at home.
    pub residence: Option<String>,
    /// Whether it reaches the customer at work.
    pub office: Option<String>,
    /// When the customer last looked at it.
    pub last_viewed: Option<String>,
}

/// A subscription as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmittedSubscription {
    /// The channel: `sms` or `email`.
    pub channel: Option<String>,
    /// The priority: `TRANS` or `BULK`.
    pub priority: Option<String>,
    /// The scopes; the one that there is is `all`.
    pub scopes: Vec<String>,
    /// Whether the customer wants the messages: `1` or `0`.
    pub is_subscribed: Option<String>,
}

/// What is accepted and kept as it is, until something makes use of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The gender.
    pub gender: Option<String>,
    /// Whether the customer is on the do-not-call register.
    pub ndnc_status: Option<String>,
    /// Whether the customer belongs to a campaign's test or control group.
    pub test_control_status: Option<String>,
}

/// A member whose form cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The member.
    pub member: Member,
    /// What belongs there, and what stands there.
    pub reason: String,
}
