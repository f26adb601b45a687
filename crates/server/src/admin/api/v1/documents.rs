//! The documents of an organisation: made, shown, listed, changed and taken out of use, every kind in
//! the same way.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use patron_rules::organisation::Kind;
use patron_store::operators::Role;
use patron_store::{Change, Error, Expected, Stored};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::body;
use super::describe::{self, ORGANISATION};
use super::document::{Precondition, Sent, reply, shown};
use super::list::Page;
use super::name::Name;
use super::problem::Problem;
use super::signed_in::Member;
use crate::app::App;
use crate::http::query::{InvalidQuery, Query};

/// The endpoints of a kind of which an organisation has several; `one` is what people call one.
pub(super) fn several<T: ToSchema>(kind: Kind, one: &'static str) -> OpenApiRouter<Arc<App>> {
    let all = format!("{ORGANISATION}/{}", kind.name());
    let each = format!("{all}/{{name}}");
    let mut router = OpenApiRouter::new()
        .route(&all, get(list).post(make))
        .route(&each, get(show).put(put).delete(retire))
        .layer(Extension(kind));
    describe::several::<T>(router.get_openapi_mut(), kind, one, (all, each));
    router
}

/// The endpoints of a kind of which an organisation has one, at this path.
pub(super) fn single<T: ToSchema>(
    kind: Kind,
    one: &'static str,
    path: &str,
) -> OpenApiRouter<Arc<App>> {
    let mut router =
        OpenApiRouter::new().route(path, get(show_single).put(put_single)).layer(Extension(kind));
    describe::single::<T>(router.get_openapi_mut(), kind, one, path.to_owned());
    router
}

type Found = Result<Response, Problem>;

async fn list(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
    query: Result<Query<Page>, InvalidQuery>,
) -> Found {
    let page = Page::of(query)?;
    let found = app.store.resources(member.tenant, kind, &page.after, page.one_more()).await?;
    let listed = page.of_found(found, |stored: &Stored| &stored.document.name);
    Ok(body::reply(&listed.of(shown)))
}

async fn show(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
) -> Found {
    find(&app, &member, kind, &name).await
}

async fn show_single(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
) -> Found {
    find(&app, &member, kind, kind.name()).await
}

async fn find(app: &App, member: &Member, kind: Kind, name: &str) -> Found {
    let found = app.store.resource(member.tenant, kind, name).await?;
    Ok(reply(StatusCode::OK, &found.ok_or_else(Problem::not_found)?))
}

async fn make(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
    Path(Name(organisation)): Path<Name>,
    request: Request,
) -> Found {
    let text = body::text(&app, request).await?;
    member.must_be(Role::Editor)?;
    let sent = Sent::read(&text)?;
    let name = sent.name().unwrap_or_default();
    let change = change(kind, &name, Expected::Nothing, Some(&sent));
    let Applied { document: made, .. } =
        apply(&app, &member, change).await.map_err(|error| match error {
            Error::Changed { .. } => Problem::new(
                StatusCode::CONFLICT,
                format!("{} `{name}` is there already", kind.name()),
            ),
            error => Problem::of_document(error, Some((kind, &name))),
        })?;
    let mut reply = reply(StatusCode::CREATED, &made);
    let encode = |part| utf8_percent_encode(part, NON_ALPHANUMERIC);
    let base = ORGANISATION.replace("{organisation}", &encode(&organisation).to_string());
    let location = format!("{base}/{}/{}", kind.name(), encode(&name));
    if let Ok(location) = HeaderValue::from_str(&location) {
        reply.headers_mut().insert(LOCATION, location);
    }
    Ok(reply)
}

async fn put(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Found {
    put_named(&app, &member, kind, &name, request).await
}

async fn put_single(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
    request: Request,
) -> Found {
    put_named(&app, &member, kind, kind.name(), request).await
}

async fn put_named(app: &App, member: &Member, kind: Kind, name: &str, request: Request) -> Found {
    let headers = request.headers().clone();
    let text = body::text(app, request).await?;
    member.must_be(Role::Editor)?;
    let mut sent = Sent::read(&text)?;
    if !kind.is_single() {
        sent.name_if_unnamed(name);
    }
    let precondition = Precondition::read(&headers, Some(&sent))?;
    let change = change(kind, name, precondition.expected(), Some(&sent));
    let Applied { document, is_new } = apply(app, member, change).await.map_err(|error| match error {
        Error::Changed { .. } if matches!(precondition, Precondition::Unsaid) => Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "say which version you change: send the ETag of what you read as If-Match, or its `version` in the document",
        ),
        error => Problem::of_document(error, Some((kind, name))),
    })?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(reply(status, &document))
}

async fn retire(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Found {
    let precondition = Precondition::read(request.headers(), None);
    body::drain(&app, request).await;
    member.must_be(Role::Editor)?;
    let expected = match precondition? {
        Precondition::Said(expected) => expected,
        Precondition::Unsaid => Expected::Anything,
    };
    if app.store.resource(member.tenant, kind, &name).await?.is_none() {
        return Err(Problem::not_found());
    }
    let retired = Change { is_active: Some(false), ..change(kind, &name, expected, None) };
    let retired = apply(&app, &member, retired).await;
    let Applied { document, .. } =
        retired.map_err(|error| Problem::of_document(error, Some((kind, &name))))?;
    Ok(reply(StatusCode::OK, &document))
}

fn change(kind: Kind, name: &str, expected: Expected, sent: Option<&Sent>) -> Change {
    Change {
        kind,
        name: name.to_owned(),
        expected,
        json: sent.map(Sent::json),
        is_active: sent.and_then(|sent| sent.is_active),
    }
}

/// What became of a change.
struct Applied {
    /// The document as it is afterwards, different or not.
    document: Stored,
    /// Whether it was made.
    is_new: bool,
}

/// Makes a change.
async fn apply(app: &App, member: &Member, change: Change) -> Result<Applied, Error> {
    let (kind, name) = (change.kind, change.name.clone());
    let changed = app.store.apply(member.tenant, vec![change], member.author(app)).await?;
    if let Some(changed) = changed.into_iter().next() {
        return Ok(Applied { is_new: changed.version == 1, document: changed });
    }
    let same = app.store.resource(member.tenant, kind, &name).await?;
    Ok(Applied { document: same.ok_or(Error::NoSuch { kind, name })?, is_new: false })
}
