//! What the endpoints take and give, for the OpenAPI document.

use patron_rules::organisation::Kind;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, Type};
use utoipa::openapi::{
    Components, Content, HttpMethod, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, Required,
    ResponseBuilder, Schema,
};
use utoipa::{IntoParams, ToSchema};

use super::body::{JSON, MERGE_PATCH};
use super::document::RESET;
use super::list::Page;
use super::problem::Problem;
use crate::openapi::{add_schemas, operations, secure_for_operators};

/// Where an organisation is.
pub(super) const ORGANISATION: &str = "/admin/api/v1/organisations/{organisation}";

/// The path of the operators with a role everywhere.
const OPERATORS: &str = "/admin/api/v1/operators";
/// Why a change of another version is refused.
const OTHER_VERSION: &str = "It is at another version";

/// Describes the endpoints of a kind with several documents.
pub(super) fn several<T: ToSchema>(
    openapi: &mut OpenApi,
    kind: Kind,
    (all, each): (String, String),
) {
    let document = document::<T>(openapi, kind);
    let one = kind.with_article();
    let start = |verb: &str, summary: String| start(kind, verb, summary);
    let name = || parameter("name", ParameterIn::Path, "Its name");

    let list = start("list", format!("List every {} by name", kind.noun()))
        .parameters(Some(Page::into_params(|| Some(ParameterIn::Query))))
        .response("200", answer("A page of the list", page(&document)));
    let make = start("make", format!("Make {one}"))
        .request_body(Some(body(&[JSON], document.clone())))
        .response("201", answer("Made", document.clone()))
        .response("409", problem("It exists already, or its name is not available"));
    let show = start("show", format!("Show {one}"))
        .parameter(name())
        .response("200", answer("The document; its version is the ETag", document.clone()));
    let put = changing(start("put", format!("Make or replace {one}")).parameter(name()), &document)
        .response("201", answer("Made", document.clone()));
    let patch =
        patching(start("patch", format!("Change members of {one}")).parameter(name()), &document);
    let retire = start("retire", format!("Take {one} out of use"))
        .description(Some("A document that another one uses stays in use. Bring it back by a PATCH with `is_active`."))
        .parameter(name())
        .parameter(if_match())
        .response("200", answer("Out of use", document))
        .response("409", problem("Customers prevent the change"))
        .response("412", problem(OTHER_VERSION))
        .response("422", problem("Another document uses it"));

    add(openapi, all.clone(), PathItem::new(HttpMethod::Get, list));
    add(openapi, all, PathItem::new(HttpMethod::Post, make));
    for (method, operation) in [
        (HttpMethod::Get, show),
        (HttpMethod::Put, put),
        (HttpMethod::Patch, patch),
        (HttpMethod::Delete, retire),
    ] {
        add(openapi, each.clone(), PathItem::new(method, operation));
    }
}

/// Describes the endpoints of a kind with one document.
pub(super) fn single<T: ToSchema>(openapi: &mut OpenApi, kind: Kind, path: &str) {
    let document = document::<T>(openapi, kind);
    let one = kind.with_article();
    let show = start(kind, "show", format!("Show {one}"))
        .response("200", answer("The document; its version is the ETag", document.clone()));
    let put = changing(start(kind, "put", format!("Replace {one}")), &document)
        .response("201", answer("Set for the first time", document.clone()));
    let merge = patching(start(kind, "patch", format!("Change members of {one}")), &document);
    for (method, operation) in
        [(HttpMethod::Get, show), (HttpMethod::Put, put), (HttpMethod::Patch, merge)]
    {
        add(openapi, path.to_owned(), PathItem::new(method, operation));
    }
}

/// Says of every operation that it is for operators who are signed in.
pub(super) fn guarded(openapi: &mut OpenApi) {
    for (_, _, operation) in operations(openapi) {
        secure_for_operators(operation);
    }
}

/// What can go wrong anywhere: the status, the problem's name in the document, and what it is.
const PROBLEMS: [(&str, &str, &str); 11] = [
    ("400", "BadRequest", "The request cannot be read"),
    ("401", "Unauthorised", "No valid session token, or a wrong password"),
    ("403", "Forbidden", "The operator's role does not allow it"),
    ("404", "NotFound", "It does not exist, or the operator has no role in its organisation"),
    ("408", "Timeout", "The body did not arrive in time"),
    ("413", "BodyTooLarge", "The body is larger than 256 KiB"),
    ("415", "NotJson", "The body is not JSON"),
    ("422", "Invalid", "A member is wrong"),
    ("429", "TooMany", "Too many changes, or too many wrong passwords"),
    ("500", "OwnFault", "An unexpected error"),
    ("503", "NoAnswer", "The store does not answer"),
];

/// Adds to every operation the problems that any of its sort can have.
pub(super) fn problems(openapi: &mut OpenApi) {
    for (method, path, operation) in operations(openapi) {
        let needs_role = path.starts_with(ORGANISATION) || path.starts_with(OPERATORS);
        let names_one = path.starts_with(ORGANISATION) || path.ends_with("/{name}");
        let has_body = operation.request_body.is_some();
        for (status, name, _) in PROBLEMS {
            let can_happen = match status {
                "403" => needs_role,
                "404" => names_one,
                "408" | "413" | "415" | "422" => has_body,
                "429" => !method.is_safe(),
                _ => true,
            };
            if can_happen {
                let responses = &mut operation.responses.responses;
                let problem = || RefOr::Ref(Ref::from_response_name(name));
                responses.entry(status.to_owned()).or_insert_with(problem);
            }
        }
    }
    let components = openapi.components.get_or_insert_with(Components::new);
    add_schemas::<Problem>(components);
    for (_, name, what) in PROBLEMS {
        components.responses.insert(name.to_owned(), problem(what).into());
    }
}

/// An answer of this status that is a problem.
fn problem(what: &str) -> utoipa::openapi::Response {
    let schema = RefOr::Ref(Ref::from_schema_name(Problem::name()));
    let content = Content::new(Some(schema));
    ResponseBuilder::new().description(what).content("application/problem+json", content).build()
}

fn start(kind: Kind, verb: &str, summary: String) -> OperationBuilder {
    OperationBuilder::new()
        .tag(kind.name())
        .operation_id(Some(format!("{verb}_{}", kind.name())))
        .summary(Some(summary))
        .parameter(parameter("organisation", ParameterIn::Path, "The organisation's name"))
}

/// An operation that replaces a document at the version that its sender has read.
fn changing(operation: OperationBuilder, document: &RefOr<Schema>) -> OperationBuilder {
    let none = parameter("If-None-Match", ParameterIn::Header, "`*`: only make a new one");
    operation
        .description(Some("The whole document: members that are left out take their default. To replace a document, send the version that you read: its ETag as `If-Match`, or its `version` in the document."))
        .parameter(if_match())
        .parameter(none)
        .request_body(Some(body(&[JSON], document.clone())))
        .response("200", answer("Replaced, or unchanged", document.clone()))
        .response("409", problem("Its name is not available, or customers prevent the change"))
        .response("412", problem(OTHER_VERSION))
        .response("428", problem("It exists already, and the request names no version"))
}

/// An operation that changes some members of a document.
fn patching(operation: OperationBuilder, document: &RefOr<Schema>) -> OperationBuilder {
    let patch =
        ObjectBuilder::new().description(Some("Members of the document; `null` for the default"));
    operation
        .description(Some("A JSON merge patch (RFC 7396): members that it does not name stay as they are, a member that is `null` takes its default, a list is replaced whole. It changes the latest version, or only the one in `If-Match` or in its `version`."))
        .parameter(if_match())
        .request_body(Some(body(&[MERGE_PATCH, JSON], patch)))
        .response("200", answer("Changed, or unchanged", document.clone()))
        .response("409", problem("Customers prevent the change"))
        .response("412", problem(OTHER_VERSION))
}

fn if_match() -> Parameter {
    parameter("If-Match", ParameterIn::Header, "The version to change, as `\"3\"`; or `*` for any")
}

fn parameter(name: &str, place: ParameterIn, what: &str) -> Parameter {
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(what))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn body(
    media_types: &[&str],
    schema: impl Into<RefOr<Schema>>,
) -> utoipa::openapi::request_body::RequestBody {
    let content = Content::new(Some(schema));
    let body = RequestBodyBuilder::new().required(Some(Required::True));
    let body = media_types.iter().fold(body, |body, one| body.content(*one, content.clone()));
    body.build()
}

fn answer(what: &str, schema: impl Into<RefOr<Schema>>) -> utoipa::openapi::Response {
    let content = Content::new(Some(schema));
    ResponseBuilder::new().description(what).content(JSON, content).build()
}

fn page(document: &RefOr<Schema>) -> RefOr<Schema> {
    let next = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The `after` of the next page; absent on the last"));
    ObjectBuilder::new()
        .property("items", ArrayBuilder::new().items(document.clone()))
        .property("next", next)
        .required("items")
        .into()
}

/// The schema of a document with what is beside it, among the components.
fn document<T: ToSchema>(openapi: &mut OpenApi, kind: Kind) -> RefOr<Schema> {
    let components = openapi.components.get_or_insert_with(Components::new);
    add_schemas::<T>(components);
    let reference = RefOr::Ref(Ref::from_schema_name(T::name()));
    if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&*T::name()) {
        let is_active = ObjectBuilder::new().schema_type(Type::Boolean).description(Some(
            "Whether it is in use; if left out, as before, or true for a new one",
        ));
        let version = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .description(Some("Its version, from 1; in a request, the version to change"));
        object.properties.insert("is_active".to_owned(), is_active.into());
        object.properties.insert("version".to_owned(), version.into());
        if kind == Kind::Settings {
            let reset = ArrayBuilder::new()
                .items(ObjectBuilder::new().schema_type(Type::String))
                .description(Some(
                    "In the reply to a PUT: the settings that it did not name and that had another value than their default, which they have now. Ignored in a request.",
                ));
            object.properties.insert(RESET.to_owned(), reset.into());
        }
    }
    reference
}

fn add(openapi: &mut OpenApi, path: String, item: PathItem) {
    match openapi.paths.paths.get_mut(&path) {
        Some(known) => known.merge_operations(item),
        None => drop(openapi.paths.paths.insert(path, item)),
    }
}
