//! What a customer is described by: one file a body parameter.

pub mod channel;
pub mod customer_type;
pub mod date;
pub mod field;
pub mod fraud;
pub mod name;
pub mod source;
pub mod subscription;
pub mod till;

pub use channel::Channel;
pub use customer_type::CustomerType;
pub use field::FieldValue;
pub use fraud::FraudStatus;
pub use name::Name;
pub use source::Source;
pub use subscription::Subscription;

/// A spelling brought to one form: upper case, blanks and hyphens as `_`.
fn constant_case(text: &str) -> String {
    text.trim().to_uppercase().replace([' ', '-'], "_")
}
