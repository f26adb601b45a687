//! The parameters, for the OpenAPI document; [`super::query`] reads them.

use utoipa::{IntoParams, ToSchema};

/// Of what the audit is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "for the document alone")]
pub(crate) struct Audited {
    #[param(inline)]
    entity_type: Entity,
    /// The customer's number.
    entity_id: i64,
    /// Which page, from 0.
    page_no: Option<u32>,
    /// How many entries a page has.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u16>,
    /// `autoUpdateTime`.
    sort_by: Option<String>,
    /// The newest come first unless said otherwise.
    #[param(inline)]
    sort_order: Option<Order>,
    /// Tell the `USER-CONTEXT` headers of each change.
    include_user_context: Option<bool>,
    /// Only changes of customers of this source.
    source: Option<String>,
    /// Only changes from then on: `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`, in the organisation's zone.
    start_date: Option<String>,
    /// Only changes until then, that second or day included.
    end_date: Option<String>,
    /// Only events of this type: `Identifier`, `StandardField`, `ExtendedField`, `CustomField`,
    /// `CustomerStatus`, `CardStatus`, `SubscriptionStatus`, `CustomerMerge`, `CardCustomField`,
    /// `CommChannel` or `CardExtendedField`.
    reference_type: Option<String>,
    /// Only events of this field.
    reference_value: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "for the document alone")]
enum Entity {
    Customer,
    Card,
}

#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "for the document alone")]
enum Order {
    Asc,
    Desc,
}
