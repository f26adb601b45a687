//! The reference: reads the same request as Patron, typed, and writes a reply of the same size from
//! the same HTTP server. It checks nothing, decides nothing and stores nothing, so it is what the
//! machine, the HTTP server and the load generator leave at most.

use std::borrow::Cow;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::post;
use serde::Deserialize;

/// A reply of Patron to the request of `lua/customer.lua`.
const REPLY: &str = include_str!("reply.json");

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    root: Root<'a>,
}

#[derive(Deserialize)]
struct Root<'a> {
    #[serde(borrow)]
    customer: Vec<Customer<'a>>,
}

#[derive(Deserialize)]
struct Customer<'a> {
    #[serde(borrow)]
    mobile: Cow<'a, str>,
    #[serde(borrow)]
    email: Cow<'a, str>,
    #[serde(borrow)]
    external_id: Cow<'a, str>,
    #[serde(borrow)]
    firstname: Cow<'a, str>,
    #[serde(borrow)]
    lastname: Cow<'a, str>,
    #[serde(borrow)]
    custom_fields: Fields<'a>,
    #[serde(borrow)]
    extended_fields: Fields<'a>,
    #[serde(borrow, rename = "commChannels")]
    channels: Vec<Channel<'a>>,
}

#[derive(Deserialize)]
struct Channel<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    field: Vec<Field<'a>>,
}

#[derive(Deserialize)]
struct Field<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

impl Customer<'_> {
    /// Touches every value, so that none is left unread.
    fn length(&self) -> usize {
        let fields = self.custom_fields.field.iter().chain(&self.extended_fields.field);
        let fields: usize = fields.map(|field| field.name.len() + field.value.len()).sum();
        let channels = self.channels.iter().map(|channel| channel.r#type.len() + channel.value.len());
        let identifiers = self.mobile.len() + self.email.len() + self.external_id.len();
        fields + channels.sum::<usize>() + identifiers + self.firstname.len() + self.lastname.len()
    }
}

async fn echo(body: Bytes) -> (StatusCode, [(HeaderName, &'static str); 1], &'static str) {
    let length = serde_json::from_slice::<Body>(&body)
        .map_or(0, |body| body.root.customer.iter().map(Customer::length).sum());
    let status = if length > 0 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    (status, [(CONTENT_TYPE, "application/json;charset=UTF-8")], REPLY)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).and_then(|text| text.parse::<SocketAddr>().ok());
    let address = address.ok_or_else(|| std::io::Error::other("usage: echo ADDRESS:PORT"))?;
    let router = Router::new().route("/v1.1/customer/add", post(echo));
    axum_server::bind(address)?.serve(router.into_make_service()).await
}
