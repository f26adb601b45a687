//! What a customer is found by: a mobile number, an email address or an external id.

pub mod country;
pub mod email;
pub mod external_id;
pub mod generated;
pub mod mobile;
mod numbering;
pub mod passed;

use std::fmt;

pub use country::Country;
pub use email::Email;
pub use external_id::ExternalId;
pub use mobile::Mobile;
use serde::{Deserialize, Serialize};

/// The kinds of identifier, in the order in which the specification lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// A mobile number.
    Mobile,
    /// An email address.
    Email,
    /// An id that the organisation made itself.
    ExternalId,
}

impl IdentifierKind {
    /// Every kind, in the specification's order.
    pub const ALL: [Self; 3] = [Self::Mobile, Self::Email, Self::ExternalId];
}

impl fmt::Display for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mobile => "mobile number",
            Self::Email => "email address",
            Self::ExternalId => "external id",
        })
    }
}

/// The identifiers of one customer, or of one registration: at most one of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identifiers {
    /// The mobile number.
    pub mobile: Option<Mobile>,
    /// The email address.
    pub email: Option<Email>,
    /// The external id.
    pub external_id: Option<ExternalId>,
}

impl Identifiers {
    /// The canonical form of the identifier of this kind: equal keys are one identifier.
    #[must_use]
    pub fn key(&self, kind: IdentifierKind) -> Option<&str> {
        match kind {
            IdentifierKind::Mobile => self.mobile.as_ref().map(Mobile::digits),
            IdentifierKind::Email => self.email.as_ref().map(Email::key),
            IdentifierKind::ExternalId => self.external_id.as_ref().map(ExternalId::as_str),
        }
    }

    /// The kinds that are present with their canonical forms.
    pub fn keys(&self) -> impl Iterator<Item = (IdentifierKind, &str)> {
        IdentifierKind::ALL.into_iter().filter_map(|kind| Some((kind, self.key(kind)?)))
    }

    /// Takes the identifier of this kind from another set; nothing happens where that has none.
    pub fn take_over(&mut self, kind: IdentifierKind, from: &Self) {
        match kind {
            IdentifierKind::Mobile => take_over(&mut self.mobile, from.mobile.as_ref()),
            IdentifierKind::Email => take_over(&mut self.email, from.email.as_ref()),
            IdentifierKind::ExternalId => {
                take_over(&mut self.external_id, from.external_id.as_ref());
            }
        }
    }
}

fn take_over<T: Clone>(held: &mut Option<T>, from: Option<&T>) {
    if let Some(value) = from {
        *held = Some(value.clone());
    }
}
