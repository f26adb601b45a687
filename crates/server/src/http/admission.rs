//! What stands before every endpoint: no caller, no tenant; no tenant, no way to reach the store.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use patron_rules::organisation::{CallerId, Need};
use patron_store::Tenant;

use super::endpoints::{self, Access};
use super::{body, path};
use crate::app::App;
use crate::auth::security_log::{Actor, Event, Kind, Reason};
use crate::auth::{Caller, Refusal};
use crate::limits::headers;
use crate::limits::rate::Quota;
use crate::v1_1::envelope;

/// For the log: who called.
#[derive(Debug, Clone)]
pub(super) struct CalledBy {
    pub(super) organisation: Arc<str>,
    pub(super) caller: CallerId,
    pub(super) name: Arc<str>,
}

impl CalledBy {
    pub(super) fn till(&self) -> Option<&str> {
        matches!(self.caller, CallerId::Till(_)).then_some(&self.name)
    }

    pub(super) fn client(&self) -> Option<&str> {
        matches!(self.caller, CallerId::ApiClient(_)).then_some(&self.name)
    }
}

/// Lets a request through to its endpoint, if the endpoint's row says so.
pub(super) async fn admit(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let access = route.and_then(|route| endpoints::access(request.method(), route.as_str()));
    let needs = match access {
        Some(Access::Open) => return next.run(request).await,
        Some(Access::Caller(needs)) => needs,
        None => {
            tracing::error!(route = route.map(MatchedPath::as_str), "nobody may call this");
            let looked_for = path::shown(request.method(), request.uri().path());
            body::drain(request.into_body(), app.config.body_timeout()).await;
            return envelope::unknown_resource(&looked_for);
        }
    };
    let from = address(&app, &request);
    let endpoint = (request.method(), route);
    let admitted = match admitted(&app, request.headers(), from, needs, endpoint).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            // The client may ask again on the same connection, once its body is through.
            body::drain(request.into_body(), app.config.body_timeout()).await;
            return envelope::refused(&refusal);
        }
    };
    let Admitted { caller, tenant, name, quota } = admitted;
    let organisation = Arc::from(tenant.organisation().details.name.as_str());
    let called_by = CalledBy { organisation, caller: caller.id, name };
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(tenant);
    let mut reply = next.run(request).await;
    reply.extensions_mut().insert(called_by);
    if let Some(quota) = quota {
        headers::tell(quota, reply.headers_mut());
    }
    reply
}

/// Who calls, whether they are let in, and whether they may do what they ask for.
async fn admitted(
    app: &App,
    headers: &HeaderMap,
    from: IpAddr,
    needs: &[Need],
    endpoint: (&Method, Option<&MatchedPath>),
) -> Result<Admitted, Refusal> {
    let caller = app.authenticator.authenticate(headers, from).await?;
    let admitted = let_in(app, caller, from).await?;
    let organisation = admitted.tenant.organisation();
    let caller = admitted.caller.id;
    if needs.iter().any(|need| organisation.permits(caller, *need)) {
        return Ok(admitted);
    }
    let kind = match caller {
        CallerId::Till(_) => Kind::Till,
        CallerId::ApiClient(_) => Kind::ApiClient,
    };
    let actor = Actor {
        organisation: Some(&organisation.details.name),
        ..Actor::new(kind, &admitted.name, from)
    };
    app.security_log.denied(actor, Reason::Denied, endpoint);
    Err(Refusal::Denied(caller))
}

/// Who was let in.
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) tenant: Tenant,
    /// The till's or client's name.
    pub(crate) name: Arc<str>,
    /// `None` where nothing limits the caller.
    pub(crate) quota: Option<Quota>,
}

/// Admits an authenticated caller who is in use, has a token that is still good, and has not called
/// too often. The call counts.
pub(crate) async fn let_in(app: &App, caller: Caller, from: IpAddr) -> Result<Admitted, Refusal> {
    let tenant = app.store.tenant(caller.tenant).await.map_err(|error| {
        tracing::error!(error = error.chain(), "an organisation cannot be loaded");
        Refusal::Unavailable
    })?;
    let organisation = tenant.organisation();
    let Some(name) = organisation.name_of(caller.id) else {
        let (kind, name) = match caller.id {
            CallerId::Till(id) => {
                (Kind::Till, organisation.tills.with_id(id.0).map(|till| &till.name))
            }
            CallerId::ApiClient(id) => {
                (Kind::ApiClient, organisation.api_clients.with_id(id.0).map(|client| &client.name))
            }
        };
        let actor = Actor {
            organisation: Some(&organisation.details.name),
            ..Actor::new(kind, name.map_or("", |name| name), from)
        };
        app.security_log.refused(Event::SignIn, actor, Reason::OutOfUse);
        return Err(match caller.expires_at {
            Some(_) => Refusal::UnknownToken,
            None => Refusal::Unauthorised,
        });
    };
    let now = (app.clock)();
    if let Some(expired) = caller.expires_at.filter(|expires_at| *expires_at <= now) {
        let zone = organisation.details.time_zone.clone();
        return Err(Refusal::TokenExpired(Box::new(expired.to_zoned(zone))));
    }
    let limit = organisation.calls_per_minute(caller.id);
    let quota = app.count(caller.key(), limit, now).map_err(Refusal::TooManyCalls)?;
    let name = Arc::from(name);
    Ok(Admitted { caller, tenant, name, quota })
}

/// The address that a request came from, through whatever trusted proxies.
pub(crate) fn address(app: &App, request: &Request) -> IpAddr {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    if app.proxies.ignore(peer, request.headers()) {
        app.security_log.untrusted_proxy(peer);
    }
    app.proxies.caller(peer, request.headers())
}
