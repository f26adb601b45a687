//! Which requests of operators the security log has, and as what.

use std::net::IpAddr;

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use patron_store::operators::Session;

use crate::auth::security_log::{self, Actor, Event, Kind, Reason, SecurityLog, Subject};

/// The requests that change what anybody signs in with or may do: the method, the end of the route,
/// the event, and the kind of the account that the path's `name` names.
const CHANGES: &[(Method, &str, Event, Kind)] = &[
    (Method::DELETE, "/sessions/current", Event::SignOut, Kind::Operator),
    (Method::PUT, "/v1/password", Event::PasswordChange, Kind::Operator),
    (Method::PUT, "/operators/{name}/password", Event::PasswordChange, Kind::Operator),
    (Method::PUT, "/operators/{name}", Event::RoleChange, Kind::Operator),
    (Method::DELETE, "/operators/{name}", Event::OperatorRemoval, Kind::Operator),
    (Method::PUT, "/tills/{name}/password", Event::PasswordChange, Kind::Till),
    (Method::POST, "/tills/{name}/password", Event::PasswordChange, Kind::Till),
    (Method::POST, "/api_clients/{name}/secret", Event::SecretChange, Kind::ApiClient),
    (Method::DELETE, "/api_clients/{name}/tokens", Event::TokenRevocation, Kind::ApiClient),
];

/// The role that a request gave an operator. An endpoint leaves it with its reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct GivenRole(pub(super) &'static str);

/// A request of an operator, as far as the security log needs it.
pub(super) struct OperatorRequest {
    pub(super) method: Method,
    pub(super) route: Option<MatchedPath>,
    /// `None` for a command on the same machine.
    pub(super) address: Option<IpAddr>,
    pub(super) organisation: Option<String>,
    /// The name of the account in the path.
    pub(super) name: Option<String>,
}

impl OperatorRequest {
    fn actor<'a>(&'a self, session: &'a Session) -> Actor<'a> {
        Actor {
            kind: Kind::Operator,
            name: &session.operator.name,
            address: self.address,
            organisation: self.organisation.as_deref(),
            account_of: session.organisation.as_deref(),
        }
    }

    /// Logs a change, or a request that the operator's role does not permit.
    pub(super) fn record(&self, log: &SecurityLog, session: &Session, reply: &Response) {
        if reply.status() == StatusCode::FORBIDDEN {
            self.deny(log, session, Reason::Denied);
        } else if reply.status().is_success()
            && let Some((event, kind)) = self.change()
        {
            let account = self.name.as_deref().map(|name| (kind, name));
            let role = reply.extensions().get::<GivenRole>().map(|given| given.0);
            security_log::accepted(event, self.actor(session), Subject { account, role });
        }
    }

    /// Logs that the operator may not send this request.
    pub(super) fn deny(&self, log: &SecurityLog, session: &Session, reason: Reason) {
        log.denied(self.actor(session), reason, (&self.method, self.route.as_ref()));
    }

    fn change(&self) -> Option<(Event, Kind)> {
        let route = self.route.as_ref()?.as_str();
        let row =
            CHANGES.iter().find(|(method, end, ..)| *method == self.method && route.ends_with(end));
        row.map(|(_, _, event, kind)| (*event, *kind))
    }
}
