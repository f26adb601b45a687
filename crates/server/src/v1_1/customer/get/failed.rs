//! Customers who are not found.

use patron_rules::codes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::v1_1::customer::response::ItemStatus;

/// A customer who was not found: what the look-up was by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerNotFound)]
#[serde(deny_unknown_fields)]
pub(super) struct Failed {
    /// The customer's number, as it was passed; only in a look-up by `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[schema(required)]
    mobile: Option<String>,
    #[schema(required)]
    email: Option<String>,
    #[schema(required)]
    external_id: Option<String>,
    item_status: ItemStatus,
}

/// A value that cannot be an identifier, such as an `id` that is not a number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerUnreadable)]
#[serde(deny_unknown_fields)]
pub(super) struct Unreadable {
    item_status: ItemStatus,
}

impl Failed {
    pub(super) fn not_found(name: &str, value: &str, reason: Option<&str>) -> Self {
        let passed = |wanted: &str| (name == wanted).then(|| value.to_owned());
        let code = codes::CUSTOMER_NOT_FOUND;
        let message = match reason {
            Some(reason) => format!("{}: {reason}", code.message.trim_end_matches('.')),
            None => code.message.to_owned(),
        };
        Self {
            id: passed("id"),
            mobile: passed("mobile"),
            email: passed("email"),
            external_id: passed("external_id"),
            item_status: ItemStatus::refused(code.number, message),
        }
    }
}

impl Unreadable {
    pub(super) fn item() -> Self {
        let code = codes::UNREADABLE;
        Self { item_status: ItemStatus::refused(code.number, code.message.to_owned()) }
    }
}
