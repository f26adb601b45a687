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
use patron_rules::settings::Settings;
use patron_store::operators::Role;
use patron_store::{Change, Edit, Error, Expected, Stored};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use super::body;
use super::describe::{self, ORGANISATION};
use super::document::{Precondition, Sent, reply, reply_with, shown};
use super::list::Page;
use super::name::Name;
use super::problem::Problem;
use super::signed_in::Member;
use crate::app::App;
use crate::http::query::{InvalidQuery, Query};

/// The endpoints of a kind with several documents.
pub(super) fn several<T: ToSchema>(kind: Kind) -> OpenApiRouter<Arc<App>> {
    let all = format!("{ORGANISATION}/{}", kind.name());
    let each = format!("{all}/{{name}}");
    let mut router = OpenApiRouter::new()
        .route(&all, get(list).post(make))
        .route(&each, get(show).put(put).patch(patch).delete(retire))
        .layer(Extension(kind));
    describe::several::<T>(router.get_openapi_mut(), kind, (all, each));
    router
}

/// The endpoints of a kind with one document, at this path.
pub(super) fn single<T: ToSchema>(kind: Kind, path: &str) -> OpenApiRouter<Arc<App>> {
    let mut router = OpenApiRouter::new()
        .route(path, get(show_single).put(put_single).patch(patch_single))
        .layer(Extension(kind));
    describe::single::<T>(router.get_openapi_mut(), kind, path);
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
    let unknown = || Error::NoSuch { kind, name: name.to_owned() };
    Ok(reply(StatusCode::OK, &found.ok_or_else(unknown)?))
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
    let edit = Edit::Replace(sent.json());
    let change = change(kind, &name, Expected::Nothing, edit, sent.is_active);
    let Applied { document: made, .. } =
        apply(&app, &member, change).await.map_err(|error| match error {
            Error::Changed { .. } => {
                Problem::new(StatusCode::CONFLICT, format!("{} exists already", kind.label(&name)))
            }
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
    let is_unsaid = matches!(precondition, Precondition::Unsaid);
    let reset = reset(app, member, kind, &sent).await?;
    let edit = Edit::Replace(sent.json());
    let change = change(kind, name, precondition.or(Expected::Nothing), edit, sent.is_active);
    let Applied { document, is_new } = apply(app, member, change).await.map_err(|error| match error {
        Error::Changed { .. } if is_unsaid => Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "PUT replaces the whole document; send the ETag of the version that you read as If-Match, or its `version` in the document, or change single members by PATCH",
        ),
        error => Problem::of_document(error, Some((kind, name))),
    })?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(reply_with(status, &document, &reset))
}

/// The settings that a document resets to their default without naming them.
async fn reset(
    app: &App,
    member: &Member,
    kind: Kind,
    sent: &Sent,
) -> Result<Vec<&'static str>, Problem> {
    if kind != Kind::Settings {
        return Ok(Vec::new());
    }
    let stored = app.store.resource(member.tenant, kind, kind.name()).await?;
    let settings = stored.and_then(|stored| serde_json::from_str(&stored.document.json).ok());
    Ok(settings.map_or_else(Vec::new, |before: Settings| before.reset_by(sent.member_names())))
}

async fn patch(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Found {
    patch_named(&app, &member, kind, &name, request).await
}

async fn patch_single(
    State(app): State<Arc<App>>,
    Extension(kind): Extension<Kind>,
    Extension(member): Extension<Member>,
    request: Request,
) -> Found {
    patch_named(&app, &member, kind, kind.name(), request).await
}

/// Applies a merge patch (RFC 7396) to the document as it is, or only at the version that the
/// request names.
async fn patch_named(
    app: &App,
    member: &Member,
    kind: Kind,
    name: &str,
    request: Request,
) -> Found {
    let headers = request.headers().clone();
    let text = body::text(app, request).await?;
    member.must_be(Role::Editor)?;
    let sent = Sent::read(&text)?;
    let expected = Precondition::read(&headers, Some(&sent))?.or(Expected::Existing);
    if expected == Expected::Nothing {
        let detail = "PATCH changes a document that exists; If-None-Match is for PUT";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let change = change(kind, name, expected, Edit::Merge(sent.json()), sent.is_active);
    let patched = apply(app, member, change).await;
    let Applied { document, .. } = patched.map_err(|error| of_existing(error, kind, name))?;
    Ok(reply(StatusCode::OK, &document))
}

/// Why a document that must exist was not changed.
fn of_existing(error: Error, kind: Kind, name: &str) -> Problem {
    match error {
        Error::Changed { found: None, .. } => Error::NoSuch { kind, name: name.to_owned() }.into(),
        error => Problem::of_document(error, Some((kind, name))),
    }
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
    let expected = precondition?.or(Expected::Existing);
    if expected == Expected::Nothing {
        let detail = "DELETE retires a document that exists; If-None-Match is for PUT";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let retired = change(kind, &name, expected, Edit::Keep, Some(false));
    let retired = apply(&app, &member, retired).await;
    let Applied { document, .. } = retired.map_err(|error| of_existing(error, kind, &name))?;
    Ok(reply(StatusCode::OK, &document))
}

fn change(
    kind: Kind,
    name: &str,
    expected: Expected,
    edit: Edit,
    is_active: Option<bool>,
) -> Change {
    Change { kind, name: name.to_owned(), expected, edit, is_active }
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
