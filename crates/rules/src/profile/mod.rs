//! What a customer is described by: one file a body parameter.

pub mod channel;
pub mod custom_field;
pub mod customer_type;
pub mod date;
pub mod extended_field;
pub mod field;
pub mod fraud;
pub mod name;
pub mod pattern;
pub mod source;
pub mod subscription;
pub mod test_control;
pub mod till;

pub use channel::Channel;
pub use custom_field::CustomField;
pub use customer_type::CustomerType;
pub use extended_field::ExtendedField;
pub use field::FieldValue;
pub use fraud::FraudStatus;
pub use name::Name;
pub use pattern::Pattern;
pub use source::Source;
pub use subscription::Subscription;

use crate::text::canonical;

/// A spelling brought to one form: upper case, blanks and hyphens as `_`.
fn constant_case(text: &str) -> String {
    canonical(text).trim().to_uppercase().replace([' ', '-'], "_")
}

/// The text without blanks around it; `None` where it is longer than so many characters or holds a
/// control character.
pub(crate) fn short(text: &str, most: usize) -> Option<&str> {
    let text = text.trim();
    (text.chars().count() <= most && !text.contains(char::is_control)).then_some(text)
}
