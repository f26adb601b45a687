//! Tills by name.
//!
//! `registered_till`, `associated_with`: "The till name … Maximum length is 50 characters." A till
//! must exist; its name is compared in its canonical form.

use crate::codes::{self, Code};
use crate::organisation::{Organisation, TillId};
use crate::text;

/// The longest till name, in characters.
pub const LENGTH_LIMIT: usize = 50;

/// The till at which a customer is registered.
///
/// # Errors
/// 91020 when the organisation has no such till.
pub fn registered(name: &str, organisation: &Organisation) -> Result<TillId, &'static Code> {
    find(name, organisation).ok_or(codes::INVALID_REGISTERED_TILL)
}

/// The till with which a customer is associated.
///
/// # Errors
/// 91021 when the organisation has no such till.
pub fn associated(name: &str, organisation: &Organisation) -> Result<TillId, &'static Code> {
    find(name, organisation).ok_or(codes::INVALID_ASSOCIATED_TILL)
}

fn find(name: &str, organisation: &Organisation) -> Option<TillId> {
    let name = text::canonical(name);
    let name = name.trim();
    if name.chars().count() > LENGTH_LIMIT {
        return None;
    }
    organisation.till_named(name).map(|till| till.id)
}
