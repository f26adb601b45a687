//! Who asked for a change, and by which request.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::organisation::{CallerId, Organisation, TillId};

/// A request's id, as its reply and its line in the log tell it: 32 hexadecimal characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u128);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Who asks for changes, and by which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The request.
    pub request_id: RequestId,
    /// Who signed in.
    pub caller: CallerId,
    /// The till as which the request is posted; `None` where it names none that there is.
    pub till: Option<TillId>,
    /// The number of the store in which that till stands.
    pub store: Option<i64>,
    /// Who acts through the caller, where the request says so.
    pub user: Option<UserContext>,
}

impl Origin {
    /// The same, posted as this till.
    #[must_use]
    pub fn posted_as(&self, till: Option<TillId>, organisation: &Organisation) -> Self {
        let store = till.and_then(|till| organisation.store_of(till)).map(|store| store.id);
        Self { till, store, ..self.clone() }
    }
}

/// Who acts through a caller, in the caller's own words: "This field does not have predefined
/// validations, and you can define any values according to your specific requirements."
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserContext {
    /// "The classification of the user", such as `Intouch Admin User`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// "A unique identifier associated with the user entity type", such as `3124587`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// "The source through which changes are made", such as `MEMBER_CARE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// "ID if associated with the user source."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}
