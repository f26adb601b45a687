//! As which till a request is posted.

use patron_rules::organisation::Kind;
use rstest::rstest;
use serde_json::{Value, json};

use crate::app::{App, Client};

const ENTITY_TYPE: &str = "X-CAP-API-ATTRIBUTION-ENTITY-TYPE";
const ENTITY_CODE: &str = "X-CAP-API-ATTRIBUTION-ENTITY-CODE";
const TILL_CODE: &str = "X-CAP-API-ATTRIBUTION-TILL-CODE";

/// The demo with two stores and, in the zone of Tokyo, the till `tokyo`; clients `strict` and `mild`
/// that post as `till.001`.
fn app() -> App {
    let app = App::start();
    app.set_up(Kind::Stores, &json!({"name": "ginza", "code": "G", "time_zone": "Asia/Tokyo"}));
    app.set_up(Kind::Stores, &json!({"name": "empty", "code": "E"}));
    app.set_up(Kind::Tills, &json!({"name": "tokyo", "code": "T", "store": "ginza"}));
    app.set_up(Kind::ApiClients, &json!({"name": "strict", "default_till": "till.001"}));
    app.set_up(
        Kind::ApiClients,
        &json!({"name": "mild", "default_till": "till.001", "default_till_for_invalid": true}),
    );
    app
}

fn client(app: &App, name: &str) -> Client {
    app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", app.issue(name, 60))
}

/// The local time of registration tells as which till it was posted: 10:30 as `till.001` in India,
/// 14:00 as `tokyo`.
fn posted_at(client: &Client, customer: &Value) -> String {
    let reply = client.add_one(customer);
    assert_eq!(reply["item_status"]["code"], "1000", "{reply}");
    reply["registered_on"].as_str().unwrap().to_owned()
}

const INDIA: &str = "2026-01-15 10:30:00";
const TOKYO: &str = "2026-01-15 14:00:00";

#[rstest]
#[case::nothing(&[], INDIA)]
#[case::entity(&[(ENTITY_CODE, "tokyo")], TOKYO)]
#[case::code(&[(ENTITY_TYPE, "TILL"), (ENTITY_CODE, "T")], TOKYO)]
#[case::store(&[(ENTITY_TYPE, "STORE_CODE"), (ENTITY_CODE, "G")], TOKYO)]
#[case::older(&[(TILL_CODE, "tokyo")], TOKYO)]
#[case::newer_first(&[(TILL_CODE, "till_name"), (ENTITY_CODE, "tokyo")], TOKYO)]
#[case::type_alone(&[(ENTITY_TYPE, "STORE_CODE")], INDIA)]
fn headers_outrank_who_calls(#[case] headers: &[(&str, &str)], #[case] posted: &str) {
    let app = app();
    for caller in [app.till("till.001"), client(&app, "strict"), client(&app, "mild")] {
        let with = |client: Client, (name, value): &(&str, &str)| client.with_header(name, value);
        let caller = headers.iter().fold(caller, with);
        assert_eq!(posted_at(&caller, &json!({"mobile": "919876543210"})), posted);
    }
}

#[test]
fn the_body_outranks_the_headers() {
    let app = app();
    let tokyo = client(&app, "strict").with_header(ENTITY_CODE, "tokyo");
    let registered_by = |caller: &Client, mobile: &str, till: &str| {
        caller.add_one(&json!({"mobile": mobile, "registered_till": till}));
        let path = format!("/v1.1/customer/get?mobile={mobile}");
        app.till("till.001").get(&path).customer(0)["registered_by"].clone()
    };
    assert_eq!(registered_by(&tokyo, "919876543210", "till.001"), "till.001");
    let nowhere = client(&app, "strict").with_header(ENTITY_CODE, "nowhere");
    assert_eq!(registered_by(&nowhere, "919876543211", "tokyo"), "tokyo");
}

#[test]
fn what_is_invalid_fails_the_customer_unless_the_client_falls_back() {
    let app = app();
    for (entity_type, code) in [("TILL", "nowhere"), ("STORE_CODE", "E"), ("STORE_NAME", "G")] {
        let customer = json!({"mobile": "919876543210"});
        let with = |client: Client| {
            client.with_header(ENTITY_TYPE, entity_type).with_header(ENTITY_CODE, code)
        };
        for caller in [app.till("till.001"), client(&app, "strict")] {
            let status = with(caller).add_one(&customer)["item_status"].clone();
            assert_eq!(status["code"], "91021", "{entity_type} {code}");
            assert_eq!(status["message"], "Invalid attribution TILL passed.");
        }
        assert_eq!(posted_at(&with(client(&app, "mild")), &customer), INDIA);
    }
}
