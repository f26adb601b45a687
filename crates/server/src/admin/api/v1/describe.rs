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

use super::list::Page;
use super::problem::Problem;
use crate::openapi::{add_schemas, operations, secure_for_operators};

/// Where an organisation is.
pub(super) const ORGANISATION: &str = "/admin/api/v1/organisations/{organisation}";

const JSON: &str = "application/json";

/// Describes the endpoints of a kind of which an organisation has several.
pub(super) fn several<T: ToSchema>(
    openapi: &mut OpenApi,
    kind: Kind,
    one: &str,
    (all, each): (String, String),
) {
    let document = document::<T>(openapi);
    let start = |verb: &str, summary: String| start(kind, verb, summary);
    let name = || parameter("name", ParameterIn::Path, "Its name");

    let list = start("list", format!("List every {one} by name"))
        .parameters(Some(Page::into_params(|| Some(ParameterIn::Query))))
        .response("200", answer("A page of the list", page(&document)));
    let make = start("make", format!("Make a {one}"))
        .request_body(Some(body(&document)))
        .response("201", answer("Made", document.clone()))
        .response("409", problem("It is there already, or its name is another organisation's"));
    let show = start("show", format!("Show a {one}"))
        .parameter(name())
        .response("200", answer("The document; its version is the ETag", document.clone()));
    let put =
        changing(start("put", format!("Make or change a {one}")).parameter(name()), &document)
            .response("201", answer("Made", document.clone()));
    let retire = start("retire", format!("Take a {one} out of use"))
        .description(Some("What is in use by something else stays in use. Bring it back by putting it with `is_active`."))
        .parameter(name())
        .parameter(if_match())
        .response("200", answer("Out of use", document))
        .response("409", problem("The customers who are there forbid it"))
        .response("412", problem("It was changed by somebody else"))
        .response("422", problem("Something else needs it"));

    let all_of_them = PathItem::new(HttpMethod::Get, list);
    add(openapi, all.clone(), all_of_them);
    add(openapi, all, PathItem::new(HttpMethod::Post, make));
    for (method, operation) in
        [(HttpMethod::Get, show), (HttpMethod::Put, put), (HttpMethod::Delete, retire)]
    {
        add(openapi, each.clone(), PathItem::new(method, operation));
    }
}

/// Describes the endpoints of a kind of which an organisation has one.
pub(super) fn single<T: ToSchema>(openapi: &mut OpenApi, kind: Kind, one: &str, path: String) {
    let document = document::<T>(openapi);
    let show = start(kind, "show", format!("Show {one}"))
        .response("200", answer("The document; its version is the ETag", document.clone()));
    let put = changing(start(kind, "put", format!("Change {one}")), &document)
        .response("201", answer("Set for the first time", document));
    add(openapi, path.clone(), PathItem::new(HttpMethod::Get, show));
    add(openapi, path, PathItem::new(HttpMethod::Put, put));
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
    ("401", "Unauthorised", "Nobody is signed in, or the password is wrong"),
    ("403", "Forbidden", "The operator's role does not allow it"),
    ("404", "NotFound", "There is no such thing, or the operator has no role there"),
    ("408", "Timeout", "The body did not arrive in time"),
    ("413", "BodyTooLarge", "The body is larger than 256 KiB"),
    ("415", "NotJson", "The body is not JSON"),
    ("422", "Invalid", "A member is wrong"),
    ("429", "TooManyGuesses", "Too many wrong passwords"),
    ("500", "OwnFault", "A fault of Patron's own"),
    ("503", "NoAnswer", "The store does not answer"),
];

/// Adds to every operation the problems that any of its sort can have.
pub(super) fn problems(openapi: &mut OpenApi) {
    for (_, path, operation) in operations(openapi) {
        let in_organisation = path.starts_with(ORGANISATION);
        let takes_password = path.ends_with("/sessions") || path.ends_with("/v1/password");
        let has_body = operation.request_body.is_some();
        for (status, name, _) in PROBLEMS {
            let can_happen = match status {
                "403" | "404" => in_organisation,
                "408" | "413" | "415" | "422" => has_body,
                "429" => takes_password,
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

/// An operation that changes a document at the version that its sender has seen.
fn changing(operation: OperationBuilder, document: &RefOr<Schema>) -> OperationBuilder {
    let none = parameter("If-None-Match", ParameterIn::Header, "`*`: only make it anew");
    operation
        .description(Some("The whole document. What is there already is changed at the version that the sender has seen: its ETag as `If-Match`, or its `version` in the document."))
        .parameter(if_match())
        .parameter(none)
        .request_body(Some(body(document)))
        .response("200", answer("Changed, or as it was", document.clone()))
        .response("409", problem("Its name is another organisation's, or the customers who are there forbid it"))
        .response("412", problem("It was changed by somebody else"))
        .response("428", problem("It is there already, and no version was given"))
}

fn if_match() -> Parameter {
    parameter("If-Match", ParameterIn::Header, "The version that is changed, as `\"3\"`; or `*`")
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

fn body(document: &RefOr<Schema>) -> utoipa::openapi::request_body::RequestBody {
    let content = Content::new(Some(document.clone()));
    RequestBodyBuilder::new().required(Some(Required::True)).content(JSON, content).build()
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
fn document<T: ToSchema>(openapi: &mut OpenApi) -> RefOr<Schema> {
    let components = openapi.components.get_or_insert_with(Components::new);
    add_schemas::<T>(components);
    let reference = RefOr::Ref(Ref::from_schema_name(T::name()));
    if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&*T::name()) {
        let is_active = ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .description(Some("Whether it is in use; as before, or true, where it is left out"));
        let version = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .description(Some("How often it was changed; where it is sent, the version to change"));
        object.properties.insert("is_active".to_owned(), is_active.into());
        object.properties.insert("version".to_owned(), version.into());
    }
    reference
}

fn add(openapi: &mut OpenApi, path: String, item: PathItem) {
    match openapi.paths.paths.get_mut(&path) {
        Some(known) => known.merge_operations(item),
        None => drop(openapi.paths.paths.insert(path, item)),
    }
}
