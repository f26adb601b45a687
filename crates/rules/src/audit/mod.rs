//! The audit: what changed of a customer, who asked for it, and by which request.
//!
//! It is only ever added to, in the commit of the change itself. [`changes()`] is the one place that
//! knows what counts as a change.

mod changes;
mod event;
mod origin;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use changes::changes;
pub use event::{Change, Event, Field};
pub use origin::{Origin, RequestId, UserContext};

use crate::customer::{Customer, CustomerId};
use crate::identifier::{Email, ExternalId, Identifiers, Mobile};
use crate::profile::{Name, Source};

/// What one request changed of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// The customer.
    pub customer: CustomerId,
    /// Where the customer came from.
    pub source: Source,
    /// Who was merged into whom, where this tells of a merge.
    pub merge: Option<Merge>,
    /// Each thing that changed; never empty.
    pub events: Vec<Event>,
}

/// Both customers of a merge, as they were before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// Who was merged into the other.
    pub victim: Person,
    /// Who stays.
    pub survivor: Person,
}

/// By what a customer is known to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The mobile number, as digits with country code.
    pub mobile: Option<String>,
    /// The email address, as sent.
    pub email: Option<String>,
    /// The external id.
    pub external_id: Option<String>,
}

impl From<&Customer> for Person {
    fn from(customer: &Customer) -> Self {
        let Identifiers { mobile, email, external_id } = &customer.identifiers;
        let name = |name: &Option<Name>| name.as_ref().map(Name::as_str).map(str::to_owned);
        Self {
            first_name: name(&customer.first_name),
            last_name: name(&customer.last_name),
            mobile: mobile.as_ref().map(Mobile::digits).map(str::to_owned),
            email: email.as_ref().map(Email::as_str).map(str::to_owned),
            external_id: external_id.as_ref().map(ExternalId::as_str).map(str::to_owned),
        }
    }
}

/// A change set as it stands in the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the request was handled, in whole milliseconds.
    pub at: Timestamp,
    /// Who asked for it.
    pub origin: Origin,
    /// What changed.
    pub changes: ChangeSet,
}
