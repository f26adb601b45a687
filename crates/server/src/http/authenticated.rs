//! What stands before every endpoint that belongs to an organisation: no caller, no tenant; no
//! tenant, no way to reach the store.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::body;
use crate::app::App;
use crate::auth::Refusal;
use crate::v1_1::envelope;

/// For the log: who called.
#[derive(Debug, Clone)]
pub(super) struct CalledBy {
    pub(super) organisation: Arc<str>,
    pub(super) till: Arc<str>,
}

pub(super) async fn authenticate(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let from = address(&request);
    let refused = match app.authenticator.authenticate(request.headers(), from).await {
        Ok(caller) => match app.store.tenant(caller.tenant).await {
            Ok(tenant) => {
                let called_by = CalledBy {
                    organisation: Arc::from(tenant.organisation().name.as_str()),
                    till: Arc::clone(&caller.till_name),
                };
                request.extensions_mut().insert(caller);
                request.extensions_mut().insert(tenant);
                let mut response = next.run(request).await;
                response.extensions_mut().insert(called_by);
                return response;
            }
            Err(error) => {
                tracing::error!(error = error.chain(), "an organisation cannot be loaded");
                envelope::unavailable()
            }
        },
        Err(Refusal::Unauthorised) => envelope::unauthorised(),
        Err(Refusal::TooManyGuesses(wait)) => envelope::too_many_requests(wait),
        Err(Refusal::Unavailable) => envelope::unavailable(),
    };
    // The client may ask again with credentials on the same connection, once its body is through.
    body::drain(request.into_body(), app.config.body_timeout()).await;
    refused
}

fn address(request: &Request) -> IpAddr {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip().to_canonical())
}
