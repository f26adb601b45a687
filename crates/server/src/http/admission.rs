//! What stands before every endpoint that belongs to an organisation: no caller, no tenant; no
//! tenant, no way to reach the store.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use patron_store::Tenant;

use super::body;
use crate::app::App;
use crate::auth::{Caller, Refusal};
use crate::limits::headers;
use crate::limits::rate::Quota;

/// How an API words a refusal.
pub(crate) type Word = fn(&Refusal) -> Response;

/// For the log: who called.
#[derive(Debug, Clone)]
pub(super) struct CalledBy {
    pub(super) organisation: Arc<str>,
    pub(super) till: Arc<str>,
}

/// Admits to these routes whom they are for, and words a refusal as their API does.
pub(super) fn guard(app: &Arc<App>, routes: Router<Arc<App>>, refused: Word) -> Router<Arc<App>> {
    routes.route_layer(from_fn_with_state((Arc::clone(app), refused), admit))
}

/// Who was admitted.
struct Admitted {
    caller: Caller,
    tenant: Tenant,
    /// `None` where nothing limits the caller.
    quota: Option<Quota>,
}

async fn admit(
    State((app, refused)): State<(Arc<App>, Word)>,
    mut request: Request,
    next: Next,
) -> Response {
    let from = address(&request);
    let Admitted { caller, tenant, quota } = match admitted(&app, request.headers(), from).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            let reply = refused(&refusal);
            // The client may ask again on the same connection, once its body is through.
            body::drain(request.into_body(), app.config.body_timeout()).await;
            return reply;
        }
    };
    let called_by = CalledBy {
        organisation: Arc::from(tenant.organisation().details.name.as_str()),
        till: Arc::clone(&caller.till_name),
    };
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(tenant);
    let mut reply = next.run(request).await;
    reply.extensions_mut().insert(called_by);
    if let Some(quota) = quota {
        headers::tell(quota, reply.headers_mut());
    }
    reply
}

/// Who calls, and whether they may: first by their credentials, then by how often they called.
async fn admitted(app: &App, headers: &HeaderMap, from: IpAddr) -> Result<Admitted, Refusal> {
    let caller = app.authenticator.authenticate(headers, from).await?;
    let tenant = app.store.tenant(caller.tenant).await.map_err(|error| {
        tracing::error!(error = error.chain(), "an organisation cannot be loaded");
        Refusal::Unavailable
    })?;
    let quota = app.count(caller.key()).map_err(Refusal::TooManyCalls)?;
    Ok(Admitted { caller, tenant, quota })
}

/// Where a request came from.
pub(crate) fn address(request: &Request) -> IpAddr {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip().to_canonical())
}
