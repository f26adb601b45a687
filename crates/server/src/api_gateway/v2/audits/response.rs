//! The reply's members: their names, order and types.

use patron_rules::audit::{ChangeSet, Entry, Merge, Person, UserContext};
use patron_store::{Tenant, audit};
use serde::Serialize;
use utoipa::ToSchema;

use super::event::EventRow;
use super::query::Query;

/// How a change was made, where the caller does not say.
const MODE: &str = "API";
/// By whom a change is made that no till posts.
const SYSTEM: i64 = -1;

/// A page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditPage)]
pub(crate) struct Page {
    data: Vec<Row>,
    pagination: Pagination,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
#[serde(rename_all = "camelCase")]
struct Row {
    /// The name of the till or API client that signed in.
    updated_by_user: Option<String>,
    /// The number of the till that posted; -1 where none did.
    updated_by: i64,
    /// The organisation's number.
    org_id: i64,
    /// `CUSTOMER`.
    entity_type: &'static str,
    /// The customer's number.
    entity_id: i64,
    /// When it changed, in milliseconds since 1970.
    created_on: i64,
    /// The `X-Cap-Requestid` of the reply.
    request_id: String,
    /// As which till it was posted.
    till: Option<CodeAndName>,
    /// In which store.
    store: Option<CodeAndName>,
    /// The `USER-CONTEXT` headers; only with `includeUserContext=true`.
    user_context_details: Option<UserContextDetails>,
    /// Of a merge: who was merged.
    victim_user_details: Option<UserDetails>,
    /// Of a merge: into whom.
    survivor_user_details: Option<UserDetails>,
    /// The customer's source.
    source: String,
    /// `API`, or what the header `USER-CONTEXT-ENTITY-SOURCE` said.
    updated_by_mode: String,
    /// The same as `createdOn`.
    auto_update_time: i64,
    /// What changed.
    events: Vec<EventRow>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedPlace)]
struct CodeAndName {
    code: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserContextDetails {
    entity_type: Option<String>,
    entity_id: Option<String>,
    entity_source: Option<String>,
    entity_source_id: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserDetails {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    mobile: Option<String>,
    external_id: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditPagination)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    /// How many entries there are.
    total_elements: i64,
    /// How many pages.
    total_pages: i64,
    /// How many entries this page has.
    number_of_elements: usize,
    /// Which page this is, from 0.
    number: u32,
    /// Patron's own: how many of the newest entries were searched, where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched_elements: Option<i64>,
}

/// The reply's page.
pub(super) fn page(page: audit::Page, query: &Query, tenant: &Tenant) -> Page {
    let audit::Page { entries, total, searched } = page;
    let limit = i64::from(query.limit);
    let pagination = Pagination {
        total_elements: total,
        total_pages: total / limit + i64::from(total % limit > 0),
        number_of_elements: entries.len(),
        number: query.page,
        searched_elements: searched,
    };
    let data = entries.into_iter().map(|entry| row(entry, query, tenant)).collect();
    Page { data, pagination }
}

fn row(entry: Entry, query: &Query, tenant: &Tenant) -> Row {
    let Entry { at, origin, changes } = entry;
    let ChangeSet { customer, source, merge, events } = changes;
    let organisation = tenant.organisation();
    let store = origin.store.and_then(|id| organisation.stores.with_id(id));
    let till = origin.till.and_then(|id| organisation.till(id));
    let mode = origin.user.as_ref().and_then(|user| user.source.clone());
    let details = || user_context(origin.user.clone().unwrap_or_default());
    let in_merge = merge.is_some();
    let event = |event| EventRow::new(event, &source, in_merge);
    let (victim, survivor) = merge.map(|Merge { victim, survivor }| (victim, survivor)).unzip();
    Row {
        updated_by_user: organisation.caller_name(origin.caller).map(str::to_owned),
        updated_by: origin.till.map_or(SYSTEM, |till| till.0),
        org_id: tenant.id().number(),
        entity_type: "CUSTOMER",
        entity_id: customer.0,
        created_on: at.as_millisecond(),
        request_id: origin.request_id.to_string(),
        till: till.map(|till| CodeAndName::of(till.shown_code(), &till.name)),
        store: store.map(|store| CodeAndName::of(store.shown_code(), &store.name)),
        user_context_details: query.with_user_context.then(details),
        victim_user_details: victim.map(user),
        survivor_user_details: survivor.map(user),
        source: source.name().to_owned(),
        updated_by_mode: mode.unwrap_or_else(|| MODE.to_owned()),
        auto_update_time: at.as_millisecond(),
        events: events.into_iter().map(event).collect(),
    }
}

impl CodeAndName {
    fn of(code: &str, name: &str) -> Self {
        Self { code: code.to_owned(), name: name.to_owned() }
    }
}

fn user_context(user: UserContext) -> UserContextDetails {
    let UserContext { entity_type, entity_id, source, source_id } = user;
    UserContextDetails {
        entity_type,
        entity_id,
        entity_source: source,
        entity_source_id: source_id,
    }
}

fn user(person: Person) -> UserDetails {
    let Person { first_name, last_name, mobile, email, external_id } = person;
    UserDetails { first_name, last_name, email, mobile, external_id }
}
