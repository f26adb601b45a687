//! The parameters of the audit: declared once, for the OpenAPI document and for reading them.

use std::str::FromStr;

use patron_store::audit::Order;
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use super::event::EventType;
use super::query::Entity;
use crate::http::query::optional;

/// The most entries of a page.
pub(crate) const LIMIT_MOST: u16 = 100;

/// Which entries of the audit are returned.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "camelCase")]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct Audited {
    #[serde(deserialize_with = "entity_type")]
    #[param(inline, required = true, value_type = EntityName)]
    pub(super) entity_type: Option<Entity>,
    /// The customer's number.
    #[serde(deserialize_with = "entity_id")]
    #[param(required = true, value_type = i64)]
    pub(super) entity_id: Option<i64>,
    /// Which page, from 0.
    #[serde(deserialize_with = "page_no")]
    pub(super) page_no: Option<u32>,
    /// How many entries a page has.
    #[serde(deserialize_with = "limit")]
    #[param(minimum = 1, maximum = 100, default = 10)]
    pub(super) limit: Option<u16>,
    /// `autoUpdateTime`.
    #[serde(deserialize_with = "sort_by")]
    #[param(value_type = Option<String>)]
    pub(super) sort_by: Option<()>,
    /// The newest come first unless said otherwise.
    #[serde(deserialize_with = "sort_order")]
    #[param(inline, value_type = Option<OrderName>)]
    pub(super) sort_order: Option<Order>,
    /// Return the `USER-CONTEXT` headers of each change.
    pub(super) include_user_context: bool,
    /// Only changes of customers of this source.
    pub(super) source: Option<String>,
    /// Only changes from then on: `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`, in the caller's time zone.
    pub(super) start_date: Option<String>,
    /// Only changes until then, that second or day included.
    pub(super) end_date: Option<String>,
    /// Only events of this type: `Identifier`, `StandardField`, `ExtendedField`, `CustomField`,
    /// `CustomerStatus`, `CardStatus`, `SubscriptionStatus`, `CustomerMerge`, `CardCustomField`,
    /// `CommChannel` or `CardExtendedField`.
    #[serde(deserialize_with = "reference_type")]
    #[param(value_type = Option<String>)]
    pub(super) reference_type: Option<EventType>,
    /// Only events of this field.
    pub(super) reference_value: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "for the document alone")]
enum EntityName {
    Customer,
    Card,
}

#[derive(ToSchema)]
#[schema(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "for the document alone")]
enum OrderName {
    Asc,
    Desc,
}

pub(super) const ENTITY_TYPE: &str = "CUSTOMER or CARD";
pub(super) const ENTITY_ID: &str = "the whole number of an entity";
const REFERENCE_TYPE: &str = "Identifier, StandardField, ExtendedField, CustomField, \
    CustomerStatus, CardStatus, SubscriptionStatus, CustomerMerge, CardCustomField, \
    CommChannel or CardExtendedField";

fn entity_type<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Entity>, D::Error> {
    optional(value, ENTITY_TYPE, |text| match text.to_ascii_uppercase().as_str() {
        "CUSTOMER" => Some(Entity::Customer),
        "CARD" => Some(Entity::Card),
        _ => None,
    })
}

fn entity_id<'de, D: Deserializer<'de>>(value: D) -> Result<Option<i64>, D::Error> {
    optional(value, ENTITY_ID, number)
}

fn page_no<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u32>, D::Error> {
    optional(value, "a whole number from 0", number)
}

fn limit<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u16>, D::Error> {
    optional(value, "a whole number from 1 to 100", |text| {
        number(text).filter(|limit| (1..=LIMIT_MOST).contains(limit))
    })
}

fn sort_by<'de, D: Deserializer<'de>>(value: D) -> Result<Option<()>, D::Error> {
    optional(value, "autoUpdateTime", |text| {
        text.eq_ignore_ascii_case("autoUpdateTime").then_some(())
    })
}

fn sort_order<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Order>, D::Error> {
    optional(value, "ASC or DESC", |text| match text.to_ascii_uppercase().as_str() {
        "ASC" => Some(Order::OldestFirst),
        "DESC" => Some(Order::NewestFirst),
        _ => None,
    })
}

fn reference_type<'de, D: Deserializer<'de>>(value: D) -> Result<Option<EventType>, D::Error> {
    optional(value, REFERENCE_TYPE, EventType::parse)
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
