//! The OpenAPI document: every endpoint, described beside the code that answers it.
//!
//! `/openapi.json` serves it, `/docs` shows it, `patron openapi` prints it.

mod page;
mod refusals;

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, Paths};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Info, InfoBuilder, License, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::admin::api::v1 as admin;
use crate::app::App;
use crate::http;

/// By what a till signs in.
const TILL: &str = "till";
/// By what an API client signs in.
const CLIENT: &str = "client";
/// By what an operator signs in.
const OPERATOR: &str = "operator";

const INTRODUCTION: &str = "\
A customer registry for loyalty programmes.

Tills and API clients register customers and look them up under `/v1.1`; what they are told of a request that went wrong has a code of \
`docs/errors.md`, in JSON or in XML as they ask. Operators set organisations up under `/admin/api/v1`, in JSON; what they are told of a \
request that went wrong is a problem document (RFC 9457). Every reply has the request's id in `X-Cap-Requestid`.";

/// The document as it is sent.
static WRITTEN: LazyLock<Bytes> = LazyLock::new(|| document().to_json().unwrap_or_default().into());

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut callers = http::endpoints().into_openapi();
    refusals::describe(&mut callers);
    let mut document =
        OpenApi::new(info(), Paths::new()).merge_from(callers).merge_from(admin::document());
    let components = document.components.get_or_insert_with(Components::new);
    for (name, scheme) in schemes() {
        components.add_security_scheme(name, scheme);
    }
    document
}

fn info() -> Info {
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    InfoBuilder::new()
        .title("Patron")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .license(Some(license))
        .build()
}

fn schemes() -> [(&'static str, SecurityScheme); 3] {
    let http = |scheme, what: &str| {
        SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(what)).build())
    };
    let token = ApiKeyValue::with_description(
        "X-CAP-API-OAUTH-TOKEN",
        "An API client: a token of `POST /v3/oauth/token/generate`.",
    );
    [
        (
            TILL,
            http(
                HttpAuthScheme::Basic,
                "A till: its name, and the MD5 or SHA-256 of its password as lower-case hexadecimal digits.",
            ),
        ),
        (CLIENT, SecurityScheme::ApiKey(ApiKey::Header(token))),
        (
            OPERATOR,
            http(
                HttpAuthScheme::Bearer,
                "An operator: the token of `POST /admin/api/v1/sessions`.",
            ),
        ),
    ]
}

/// Adds a schema, and those that it is made of.
pub(crate) fn add_schemas<T: ToSchema>(components: &mut Components) {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    components.schemas.extend(schemas);
}

/// Says that an operation is for those who sign in by one of these; for anybody where there is none.
pub(crate) fn secure(operation: &mut Operation, by: &[&str]) {
    let alone = |name: &&str| SecurityRequirement::new(*name, Vec::<String>::new());
    operation.security = Some(match by {
        [] => vec![SecurityRequirement::default()],
        by => by.iter().map(alone).collect(),
    });
}

/// Says that an operation is for operators.
pub(crate) fn secure_for_operators(operation: &mut Operation) {
    secure(operation, &[OPERATOR]);
}

/// Every operation, with its method and path.
pub(crate) fn operations(
    openapi: &mut OpenApi,
) -> impl Iterator<Item = (Method, &str, &mut Operation)> {
    openapi.paths.paths.iter_mut().flat_map(|(path, item)| {
        let of_path = [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::PUT, &mut item.put),
            (Method::PATCH, &mut item.patch),
            (Method::DELETE, &mut item.delete),
        ];
        let with_path = |(method, operation): (Method, _)| Some((method, path.as_str(), operation));
        of_path
            .into_iter()
            .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
            .filter_map(with_path)
    })
}

/// `/openapi.json` and `/docs`.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(openapi)).merge(page::routes())
}

/// Read this document
#[utoipa::path(
    get, path = "/openapi.json", tag = "operations",
    responses(
        (status = 200, content_type = "application/json", body = Object, description = "OpenAPI 3.1"),
        (status = 404, description = "The configuration has `docs = false`"),
    )
)]
async fn openapi(State(app): State<Arc<App>>) -> Response {
    if !app.config.docs {
        return page::unknown("/openapi.json");
    }
    ([(CONTENT_TYPE, "application/json")], WRITTEN.clone()).into_response()
}
