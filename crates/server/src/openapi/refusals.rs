//! How requests are refused before and in their endpoints, for the document: by whom an endpoint may
//! be called stands in [`mod@crate::http::endpoints`].

use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::{OneOfBuilder, Schema, Type};
use utoipa::openapi::{
    Components, Content, Header, ObjectBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
};

use super::{CLIENT, TILL, add_schemas, operations, secure};
use crate::http::endpoints::{self, Access};
use crate::v1_1::envelope::{Denial, Refused, RefusedReply};

/// How a request is refused: the status, the refusal's name in the document, and why.
const REFUSALS: [(&str, &str, &str); 11] = [
    ("400", "CannotBeRead", "The request cannot be read, or asks for too much"),
    ("401", "NotSignedIn", "No credentials, wrong ones, or a token that is not good any more"),
    ("403", "NotPermitted", "The access group of the till's store, or of the client, forbids it"),
    ("404", "NoSuchPath", "No endpoint has the path"),
    ("405", "NoSuchMethod", "The endpoint has another method"),
    ("408", "TooSlow", "The body did not arrive in time"),
    ("413", "TooLarge", "The body is too large"),
    ("415", "NeitherJsonNorXml", "The body is neither JSON nor XML"),
    ("429", "TooMany", "Too many calls, or too many wrong passwords"),
    ("500", "Fault", "A fault of Patron's own"),
    ("503", "Unavailable", "The store does not answer, or too many requests wait"),
];
/// Those that only a body is refused with.
const OF_BODIES: [&str; 3] = ["408", "413", "415"];

/// Says of every operation who may call it, and how it refuses.
pub(super) fn describe(openapi: &mut OpenApi) {
    for (method, path, operation) in operations(openapi) {
        match endpoints::access(&method, path) {
            Some(Access::Caller(_)) => {
                secure(operation, &[TILL, CLIENT]);
                refer(operation);
            }
            _ => secure(operation, &[]),
        }
    }
    let components = openapi.components.get_or_insert_with(Components::new);
    add_schemas::<Refused>(components);
    add_schemas::<RefusedReply>(components);
    add_schemas::<Denial>(components);
    for (status, name, why) in REFUSALS {
        components.responses.insert(name.to_owned(), refusal(status, why).into());
    }
}

fn refer(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    for (status, name, _) in REFUSALS {
        if has_body || !OF_BODIES.contains(&status) {
            let responses = &mut operation.responses.responses;
            let refusal = || RefOr::Ref(Ref::from_response_name(name));
            responses.entry(status.to_owned()).or_insert_with(refusal);
        }
    }
}

fn refusal(status: &str, why: &str) -> Response {
    let json: RefOr<Schema> = match status {
        "403" => {
            OneOfBuilder::new().item(reference::<Refused>()).item(reference::<Denial>()).into()
        }
        _ => reference::<Refused>(),
    };
    let response = ResponseBuilder::new()
        .description(why)
        .content("application/json", Content::new(Some(json)))
        .content("application/xml", Content::new(Some(reference::<RefusedReply>())));
    let response = match status {
        "401" => response.header("WWW-Authenticate", header(Type::String, "Basic or Bearer")),
        "429" | "503" => response.header("Retry-After", header(Type::Integer, "Seconds to wait")),
        _ => response,
    };
    response.build()
}

fn header(schema_type: Type, what: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(schema_type);
    HeaderBuilder::new().schema(Some(schema)).description(Some(what)).build()
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}
