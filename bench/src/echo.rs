//! The reference: reads the same request as Patron, typed, and writes a reply of the same members
//! from the same HTTP server. It checks nothing, decides nothing and stores nothing: what the
//! machine, HTTP, JSON and the load generator leave at most.

use std::borrow::Cow;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};

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
    registered_on: Cow<'a, str>,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    custom_fields: Fields<'a>,
    #[serde(borrow)]
    extended_fields: Fields<'a>,
    #[serde(borrow, rename = "commChannels")]
    channels: Vec<Channel<'a>>,
}

#[derive(Deserialize, Serialize)]
struct Fields<'a> {
    #[serde(borrow)]
    field: Vec<Field<'a>>,
}

#[derive(Deserialize, Serialize)]
struct Field<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Channel<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Serialize)]
struct Registered<'a> {
    user_id: u64,
    firstname: &'a str,
    lastname: &'a str,
    mobile: &'a str,
    email: &'a str,
    external_id: &'a str,
    lifetime_points: u64,
    loyalty_points: u64,
    current_slab: &'a str,
    tier_expiry_date: &'a str,
    points_summaries: Summaries<'a>,
    lifetime_purchases: u64,
    registered_on: &'a str,
    updated_on: &'a str,
    r#type: &'a str,
    source: &'a str,
    custom_fields: &'a Fields<'a>,
    extended_fields: &'a Fields<'a>,
    subscriptions: Subscriptions,
    side_effects: Effects<'a>,
    item_status: ItemStatus<'a>,
}

#[derive(Serialize)]
struct Summaries<'a> {
    points_summary: [Summary<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    program_id: &'a str,
    redeemed: &'a str,
    expired: &'a str,
    returned: &'a str,
    adjusted: &'a str,
    lifetime_points: &'a str,
    loyalty_points: &'a str,
    cumulative_purchases: &'a str,
    current_slab: &'a str,
    next_slab: &'a str,
    next_slab_serial_number: &'a str,
    next_slab_description: &'a str,
    #[serde(rename = "slabSNo")]
    slab_serial_number: &'a str,
    slab_expiry_date: &'a str,
    total_points: &'a str,
}

#[derive(Serialize)]
struct Subscriptions {
    subscription: [(); 0],
}

#[derive(Serialize)]
struct Effects<'a> {
    effect: [Effect<'a>; 1],
}

#[derive(Serialize)]
struct Effect<'a> {
    awarded_points: u64,
    total_points: u64,
    r#type: &'a str,
}

#[derive(Serialize)]
struct ItemStatus<'a> {
    success: &'a str,
    code: &'a str,
    message: &'a str,
    warnings: Warnings,
}

#[derive(Serialize)]
struct Warnings {
    warning: [(); 0],
}

const EXPIRY: &str = "2124-07-29 23:59:59";

impl<'a> Registered<'a> {
    fn new(customer: &'a Customer<'a>) -> Self {
        // Touches what is not written, so that it has to be read.
        let length: usize =
            customer.channels.iter().map(|channel| channel.r#type.len() + channel.value.len()).sum();
        Self {
            user_id: 100_000_000 + length as u64,
            firstname: &customer.firstname,
            lastname: &customer.lastname,
            mobile: &customer.mobile,
            email: &customer.email,
            external_id: &customer.external_id,
            lifetime_points: 100,
            loyalty_points: 100,
            current_slab: "Base",
            tier_expiry_date: EXPIRY,
            points_summaries: Summaries {
                points_summary: [Summary {
                    program_id: "469",
                    redeemed: "0",
                    expired: "0",
                    returned: "0",
                    adjusted: "0",
                    lifetime_points: "100",
                    loyalty_points: "100",
                    cumulative_purchases: "0",
                    current_slab: "Base",
                    next_slab: "Bronze",
                    next_slab_serial_number: "2",
                    next_slab_description: "Tier 2",
                    slab_serial_number: "1",
                    slab_expiry_date: EXPIRY,
                    total_points: "",
                }],
            },
            lifetime_purchases: 0,
            registered_on: &customer.registered_on,
            updated_on: &customer.registered_on,
            r#type: &customer.r#type,
            source: &customer.source,
            custom_fields: &customer.custom_fields,
            extended_fields: &customer.extended_fields,
            subscriptions: Subscriptions { subscription: [] },
            side_effects: Effects {
                effect: [Effect { awarded_points: 100, total_points: 100, r#type: "points" }],
            },
            item_status: ItemStatus {
                success: "true",
                code: "1000",
                message: "Customer registration successful",
                warnings: Warnings { warning: [] },
            },
        }
    }
}

const HEAD: &[u8] = br#"{"response":{"status":{"success":"true","code":200,"message":"Success","total":"1","success_count":"1"},"customers":{"customer":"#;

async fn echo(body: Bytes) -> Response {
    let Ok(body) = serde_json::from_slice::<Body>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut reply = Vec::with_capacity(2_048);
    reply.extend_from_slice(HEAD);
    let customers: Vec<_> = body.root.customer.iter().map(Registered::new).collect();
    if serde_json::to_writer(&mut reply, &customers).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    reply.extend_from_slice(b"}}}");
    ([(CONTENT_TYPE, "application/json;charset=UTF-8")], reply).into_response()
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).and_then(|text| text.parse::<SocketAddr>().ok());
    let address = address.ok_or_else(|| std::io::Error::other("usage: echo ADDRESS:PORT"))?;
    let router = Router::new().route("/v1.1/customer/add", post(echo));
    axum_server::bind(address).serve(router.into_make_service()).await
}
