//! Who is signed in, and what they may do.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{RawPathParams, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use patron_rules::text;
use patron_store::operators::{OperatorId, Role, Scope, Session};
use patron_store::{Author, AuthorKind, TenantId};

use super::body;
use super::problem::Problem;
use super::security::OperatorRequest;
use crate::app::App;
use crate::auth::operator::Token;
use crate::auth::security_log::Reason;
use crate::http;
use crate::limits::headers;
use crate::limits::rate::Quota;

/// The author of changes that a command on the same machine makes.
const COMMAND_LINE: &str = "command line";
/// The organisation's name in a path.
const ORGANISATION: &str = "organisation";
/// The name of an account or a document in a path.
const NAME: &str = "name";

/// Who sends a request: an operator who is signed in, or a command on the same machine.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub(super) session: Session,
    kind: AuthorKind,
}

impl SignedIn {
    const fn operator(session: Session) -> Self {
        let kind = match session.operator.scope {
            Scope::Everywhere => AuthorKind::OperatorEverywhere,
            Scope::Organisation(_) => AuthorKind::Operator,
        };
        Self { session, kind }
    }

    /// A command may do what an owner everywhere may.
    fn command() -> Self {
        let session = Session {
            operator: OperatorId { scope: Scope::Everywhere, name: COMMAND_LINE.to_owned() },
            organisation: None,
            role: Role::Owner,
            expires_at: Timestamp::MAX,
        };
        Self { session, kind: AuthorKind::Command }
    }

    /// Fails unless the operator is an owner everywhere.
    pub(super) fn must_own_everything(&self) -> Result<(), Problem> {
        if self.session.role_everywhere() == Some(Role::Owner) {
            return Ok(());
        }
        Err(Problem::forbidden("owner everywhere"))
    }

    /// The author of a change that is made now.
    pub(super) fn author(&self, app: &App) -> Author {
        let name = self.session.operator.name.clone();
        Author { name, kind: self.kind, at: (app.clock)() }
    }
}

/// An operator in an organisation.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) tenant: TenantId,
    role: Role,
    signed_in: Arc<SignedIn>,
}

impl Member {
    /// Fails unless the operator has this role or one that may do more.
    pub(super) fn must_be(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role { Ok(()) } else { Err(Problem::forbidden(role.name())) }
    }

    pub(super) fn author(&self, app: &App) -> Author {
        self.signed_in.author(app)
    }
}

/// The token with which a request was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct SignedInBy(pub(super) Token);

/// Lets operators in who are signed in; in an organisation, those who have a role there. To the
/// others, the organisation is not there. Nothing has a name with a control character. Counts changes.
pub(super) async fn check(
    State(app): State<Arc<App>>,
    path: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let names: Vec<_> =
        path.iter().map(|(name, value)| (name == ORGANISATION, text::key(value))).collect();
    let from = http::address(&app, &request);
    let seen = seen(&path, &request, Some(from));
    let sent = request.headers();
    let checked = async {
        let (token, session) = session(&app, sent).await?;
        let quota = count(&app, &session.operator, &seen.method)?;
        let signed_in = Arc::new(SignedIn::operator(session));
        if names.iter().any(|(_, key)| key.is_none()) {
            return Err(Problem::not_found());
        }
        let organisation = names
            .iter()
            .find_map(|(is_organisation, key)| key.as_deref().filter(|_| *is_organisation));
        let member = match organisation {
            Some(name) => Some(member(&app, &signed_in, name, &seen).await?),
            None => None,
        };
        Ok::<_, Problem>((token, signed_in, member, quota))
    };
    match checked.await {
        Ok((token, signed_in, member, quota)) => {
            request.extensions_mut().insert(SignedInBy(token));
            request.extensions_mut().insert(Arc::clone(&signed_in));
            if let Some(member) = member {
                request.extensions_mut().insert(member);
            }
            let mut reply = next.run(request).await;
            seen.record(&app.security_log, &signed_in.session, &reply);
            if let Some(quota) = quota {
                headers::tell(quota, reply.headers_mut());
            }
            reply
        }
        Err(problem) => {
            body::drain(&app, request).await;
            problem.into_response()
        }
    }
}

/// Lets a command on the same machine act as an owner everywhere. The caller has checked where the
/// request comes from.
pub(super) async fn act_for_command_line(
    State(app): State<Arc<App>>,
    path: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let seen = seen(&path, &request, None);
    let signed_in = Arc::new(SignedIn::command());
    if let Some((_, name)) = path.iter().find(|(name, _)| *name == ORGANISATION) {
        let name = text::canonical(name);
        let found = app.store.organisation_named(&name).await?;
        let tenant = found.ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, format!("there is no organisation `{name}`"))
        })?;
        let signed_in = Arc::clone(&signed_in);
        request.extensions_mut().insert(Member { tenant, role: Role::Owner, signed_in });
    }
    request.extensions_mut().insert(Arc::clone(&signed_in));
    let reply = next.run(request).await;
    seen.record(&app.security_log, &signed_in.session, &reply);
    Ok(reply)
}

fn seen(path: &RawPathParams, request: &Request, address: Option<IpAddr>) -> OperatorRequest {
    let parameter = |wanted| {
        let found = path.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| text::canonical(value).into_owned())
    };
    OperatorRequest {
        method: request.method().clone(),
        route: request.extensions().get().cloned(),
        address,
        organisation: parameter(ORGANISATION),
        name: parameter(NAME),
    }
}

/// Counts a request that may change something against the operator's limit.
fn count(app: &App, operator: &OperatorId, method: &Method) -> Result<Option<Quota>, Problem> {
    if method.is_safe() {
        return Ok(None);
    }
    app.count_change(operator, (app.clock)()).map_err(Problem::too_many_changes)
}

async fn session(app: &App, headers: &HeaderMap) -> Result<(Token, Session), Problem> {
    let token =
        headers.get(AUTHORIZATION).and_then(Token::read).ok_or_else(Problem::unauthorised)?;
    let found = app.store.session(token.hash(), (app.clock)()).await?;
    Ok((token, found.ok_or_else(Problem::unauthorised)?))
}

async fn member(
    app: &App,
    signed_in: &Arc<SignedIn>,
    name: &str,
    seen: &OperatorRequest,
) -> Result<Member, Problem> {
    let tenant = app.store.organisation_named(name).await?.ok_or_else(Problem::not_found)?;
    let role = signed_in.session.role_in(tenant).ok_or_else(|| {
        seen.deny(&app.security_log, &signed_in.session, Reason::NoRole);
        Problem::not_found()
    })?;
    Ok(Member { tenant, role, signed_in: Arc::clone(signed_in) })
}
