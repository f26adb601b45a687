//! What a caller sent for one customer, read from its format but not yet looked at by any rule.
//!
//! A member that was absent, null or blank is `None`: it was not passed.

use std::fmt;

/// One customer as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    /// The mobile number.
    pub mobile: Option<String>,
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
    /// The members that are not known, as JSON pointers; looked for only where they are refused.
    pub unknown: Vec<String>,
    /// The first member whose form cannot be read; it fails the customer.
    pub malformed: Option<Malformed>,
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
    /// The mode of communication.
    pub kind: Option<String>,
    /// The number, address or token.
    pub value: Option<String>,
    /// Whether it is the primary contact.
    pub primary: Option<String>,
    /// Whether it is verified.
    pub verified: Option<String>,
    /// Whether it is a residence.
    pub residence: Option<String>,
}

/// A subscription as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmittedSubscription {
    /// The channel: `sms` or `email`.
    pub channel: Option<String>,
    /// The priority: `TRANS` or `BULK`.
    pub priority: Option<String>,
    /// The scope: `all`.
    pub scope: Option<String>,
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
    /// Where in the body, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What belongs there, and what stands there.
    pub reason: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.reason, self.pointer)
    }
}
