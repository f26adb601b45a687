//! `/admin/api/v1`: what operators set up, over HTTP.

mod brand;
mod change_limit;
mod documents;
mod operators;
mod patch;
mod sessions;

use serde_json::Value;

use crate::app::{Client, Reply};

pub const ORGANISATIONS: &str = "/admin/api/v1/organisations";
/// The demo's first organisation.
pub const DEMO: &str = "/admin/api/v1/organisations/demo";

pub fn get(client: &Client, path: &str) -> Reply {
    client.request("GET", path, &[], &Value::Null)
}

pub fn post(client: &Client, path: &str, document: &Value) -> Reply {
    client.request("POST", path, &[], document)
}

pub fn put(client: &Client, path: &str, document: &Value) -> Reply {
    client.request("PUT", path, &[], document)
}

pub fn patch(client: &Client, path: &str, document: &Value) -> Reply {
    client.request("PATCH", path, &[], document)
}

pub fn delete(client: &Client, path: &str) -> Reply {
    client.request("DELETE", path, &[], &Value::Null)
}

/// Asserts that a reply is a problem of this status, and says what it is about.
pub fn problem(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("Content-Type"), "application/problem+json");
    let problem = reply.json();
    assert_eq!(problem["status"], status);
    problem
}
