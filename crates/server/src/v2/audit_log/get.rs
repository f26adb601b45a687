//! `GET /v2/auditLog/get`: the older address of [`audits`], and the same.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use patron_store::Tenant;

use crate::api_gateway::v2::audits::{self, AuditPage, Audited};
use crate::app::App;
use crate::auth::Caller;
use crate::v1_1::parameters::Attributed;

/// Read the audit of a customer at its older address
#[utoipa::path(
    get, path = "/v2/auditLog/get", tag = "audits", operation_id = "get_audit_log",
    params(Audited, Attributed),
    responses((status = 200, body = AuditPage, description = "A page of the changes"))
)]
pub(crate) async fn get(
    app: State<Arc<App>>,
    caller: Extension<Caller>,
    tenant: Extension<Tenant>,
    request: Request,
) -> Response {
    audits::get(app, caller, tenant, request).await
}
