//! `…/changes`: who changed what is set up, when, and what was there before.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use patron_store::{Author, RecordedChange};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::body;
use super::super::list::{check_limit, checked, limit};
use super::super::problem::Problem;
use super::super::signed_in::Member;
use crate::app::App;
use crate::http::query::{InvalidQuery, Query};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which page of the changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChangesPage {
    /// The number before which the page begins: the `next` of the page before.
    before: Option<i64>,
    /// The most on the page.
    #[serde(default = "limit")]
    #[param(minimum = 1, maximum = 200, default = 100)]
    limit: u32,
}

/// A page of the changes, the latest first.
#[derive(Serialize, ToSchema)]
struct Changes {
    items: Vec<ChangeListed>,
    /// The `before` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// A change.
#[derive(Serialize, ToSchema)]
struct ChangeListed {
    /// Its number.
    number: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    at: jiff::Timestamp,
    /// Who made it: the name of an operator, or of a command.
    by: String,
    /// What has that name: `operator` of the organisation, `operator_everywhere` or `command`. An
    /// operator of each kind may have the same name.
    #[schema(value_type = String, examples("operator"))]
    by_kind: &'static str,
    /// The kind of what was changed.
    resource: String,
    /// Its name.
    name: String,
    /// What was there before; null where nothing was, and for secrets.
    #[schema(value_type = Option<Object>)]
    before: Option<Box<RawValue>>,
    /// What is there afterwards; null where nothing is, and for secrets.
    #[schema(value_type = Option<Object>)]
    after: Option<Box<RawValue>>,
}

impl From<RecordedChange> for ChangeListed {
    fn from(change: RecordedChange) -> Self {
        let RecordedChange { number, author, resource, name, before, after } = change;
        let raw = |json: Option<String>| json.and_then(|json| RawValue::from_string(json).ok());
        let (before, after) = (raw(before), raw(after));
        let Author { name: by, kind, at } = author;
        Self { number, at, by, by_kind: kind.name(), resource, name, before, after }
    }
}

/// List the changes of what is set up, the latest first
#[utoipa::path(
    get, path = "/admin/api/v1/organisations/{organisation}/changes", tag = "changes",
    operation_id = "list_changes",
    params(("organisation" = String, Path, description = "The organisation's name"), ChangesPage),
    responses((status = 200, body = Changes, description = "A page of the changes"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    query: Result<Query<ChangesPage>, InvalidQuery>,
) -> Result<Response, Problem> {
    let Query(page) = checked(query)?;
    check_limit(page.limit)?;
    let one_more = page.limit.saturating_add(1);
    let mut found = app.store.changes(member.tenant, page.before, one_more).await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let goes_on = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| goes_on).map(|change| change.number);
    Ok(body::reply(&Changes { items: found.into_iter().map(Into::into).collect(), next }))
}
