//! Who may do what.

use patron_rules::organisation::Kind;
use serde_json::{Value, json};

use crate::app::{App, Client, Reply};

const LOOK_UP: &str = "/v1.1/customer/get?mobile=919876543210";

fn register(client: &Client) -> Reply {
    client.add(&json!([{"mobile": "919876543210", "firstname": "Confidential"}]))
}

/// Puts a till into a store whose access group permits this of the data API.
fn permit(app: &App, till: &str, data_api: &Value) {
    app.set_up(Kind::AccessGroups, &json!({"name": "special", "data_api": data_api}));
    app.set_up(Kind::Stores, &json!({"name": "special", "access_group": "special"}));
    app.set_up(Kind::Tills, &json!({"name": till, "store": "special"}));
}

#[test]
fn a_till_may_do_what_its_stores_group_permits() {
    for (permitted, add, get) in [
        (json!({"customer": "read_write"}), 200, 200),
        (json!({"customer": "write"}), 200, 403),
        (json!({"customer": "read"}), 403, 200),
        (json!({"customer": "none"}), 403, 403),
        (json!({"points": "read_write"}), 403, 403),
        (json!({}), 403, 403),
    ] {
        let app = App::start();
        let till = app.till("till.001");
        permit(&app, "till.001", &permitted);
        assert_eq!(register(&till).status, add, "{permitted}");
        assert_eq!(till.get(LOOK_UP).status, get, "{permitted}");
        assert_eq!(register(&app.till("till_name")).status, 200, "the others are not touched");
    }
}

#[test]
fn a_till_is_told_that_it_is_denied() {
    let app = App::start();
    permit(&app, "till.001", &json!({"customer": "read"}));
    let reply = register(&app.till("till.001"));
    assert_eq!(reply.status, 403);
    insta::assert_snapshot!(reply.text, @r#"{"response":{"status":{"success":"false","code":4000,"message":"Not authorized. Access is denied!","total":"0","success_count":"0"},"customers":null}}"#);
    let reply = app.till("till.001").post_for(
        "/v1.1/customer/add",
        "application/json",
        "application/xml",
        b"{}",
    );
    assert_eq!(reply.status, 403);
    assert!(reply.text.contains("<code>4000</code>"), "{}", reply.text);
}

#[test]
fn a_client_is_told_that_it_is_denied() {
    let app = App::start();
    app.set_up(
        Kind::ApiClients,
        &json!({"name": "app", "default_till": "till.001", "access_group": "read_only"}),
    );
    let client = app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", app.issue("app", 60));
    assert_eq!(client.get(LOOK_UP).status, 200);
    let reply = register(&client);
    assert_eq!(reply.status, 403);
    insta::assert_snapshot!(reply.text, @r#"{"response":{"status":{"code":403,"message":"Client doesn't have access to the requested resource","success":false,"warnings":{"warning":[]}}}}"#);
    assert_eq!(register(&app.till("till.001")).status, 200, "its till has a group of its own");
}

/// A change of a group holds for the next call.
#[test]
fn a_group_that_changes_holds_at_once() {
    let app = App::start();
    let till = app.till("till.001");
    for (permission, status) in [("read_write", 200), ("none", 403), ("write", 200)] {
        permit(&app, "till.001", &json!({"customer": permission}));
        assert_eq!(register(&till).status, status, "{permission}");
    }
}

const ADD: &str = "/v1.1/customer/add";
const KNOWN: &str = "919876543210";
/// What the registry knows of the known customer, besides the mobile number.
const SECRETS: [&str; 9] = [
    "Confidential",
    "Surname",
    "confidential@example.com",
    "CONF-1",
    "Hidden address",
    "Female",
    "OUTLIER",
    "website",
    "\"100\"",
];

/// Registers a customer with a value for each member of the reply.
fn register_whole(client: &Client) -> Reply {
    client.add(&json!([{
        "mobile": KNOWN,
        "firstname": SECRETS[0],
        "lastname": SECRETS[1],
        "email": SECRETS[2],
        "external_id": SECRETS[3],
        "registered_on": "2020-02-29 10:00:00",
        "source": "website",
        "fraud_status": [{"status": "OUTLIER"}],
        "custom_fields": {"field": [{"name": "address", "value": SECRETS[4]}]},
        "extended_fields": {"field": [{"name": "gender", "value": SECRETS[5]}]},
        "subscriptions": {"subscription": [{
            "channel": "sms", "priority": "TRANS", "scope": "all", "is_subscribed": "1",
        }]},
    }]))
}

/// Registers one customer with this query.
fn register_with(client: &Client, query: &str, customer: &Value) -> Reply {
    let body = json!({"root": {"customer": [customer]}}).to_string();
    client.post(&format!("{ADD}?{query}"), "application/json", body.as_bytes())
}

/// "Writing does not imply reading": a dry run and an explanation tell of customers without writing,
/// and the reply about a known customer tells a caller who may not read them only what was sent.
#[test]
fn writing_does_not_imply_reading() {
    for permission in ["none", "read", "write", "read_write"] {
        let app = App::start();
        let owner = app.till("till_name");
        let whole = register_whole(&owner);
        assert!(SECRETS.iter().all(|secret| whole.text.contains(secret)), "{}", whole.text);
        permit(&app, "till.001", &json!({"customer": permission}));
        let till = app.till("till.001");
        let (writes, may_read) = (permission.contains("write"), permission.contains("read"));
        for (number, (query, is_dry, explains)) in [
            ("", false, false),
            ("dry_run=false&explain=0", false, false),
            ("dry_run=true", true, false),
            ("explain=true", false, true),
            ("dry_run=1&explain=1", true, true),
        ]
        .into_iter()
        .enumerate()
        {
            let new = format!("91981288800{number}");
            let admitted = writes && (may_read || !(is_dry || explains));
            for mobile in [KNOWN, &new] {
                let reply = register_with(&till, query, &json!({"mobile": mobile}));
                let what = format!("{permission} {query} {mobile}: {}", reply.text);
                assert_eq!(reply.status, if admitted { 200 } else { 403 }, "{what}");
                // A new customer has the points that the registration awards.
                let shows = SECRETS.iter().any(|secret| reply.text.contains(secret));
                assert_eq!(shows, admitted && (may_read || mobile != KNOWN), "{what}");
            }
            let found = owner.get(&format!("/v1.1/customer/get?mobile={new}"));
            let wanted = if admitted && !is_dry { "1000" } else { "1012" };
            assert_eq!(found.codes(), [wanted], "{permission} {query}");
        }
    }
}

#[test]
fn refuses_a_dry_run_without_read_permission_as_other_calls() {
    let app = App::start();
    permit(&app, "till.001", &json!({"customer": "write"}));
    let till = app.till("till.001");
    let dry = register_with(&till, "dry_run=true", &json!({"mobile": KNOWN}));
    assert_eq!(dry.header("Dry-Run"), "true");
    let look_up = till.get(LOOK_UP);
    assert_eq!((dry.status, dry.text), (look_up.status, look_up.text));
    let xml = till.post_for(
        &format!("{ADD}?explain=true"),
        "application/xml",
        "application/xml",
        b"<root><customer><mobile>919876543210</mobile></customer></root>",
    );
    assert_eq!(xml.status, 403);
    assert!(xml.text.contains("<code>4000</code>"), "{}", xml.text);

    app.set_up(Kind::AccessGroups, &json!({"name": "kiosks", "data_api": {"customer": "write"}}));
    let document = json!({"name": "app", "default_till": "till.001", "access_group": "kiosks"});
    app.set_up(Kind::ApiClients, &document);
    let client = app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", app.issue("app", 60));
    let refused = register_with(&client, "explain=true", &json!({"mobile": KNOWN}));
    let look_up = client.get(LOOK_UP);
    assert_eq!((refused.status, refused.text), (look_up.status, look_up.text));
}

/// Without read permission, the reply about a known customer has every member, with the values that
/// were sent and hold, and what the registration earned.
#[test]
fn tells_a_writer_of_a_known_customer_what_was_sent() {
    let app = App::start();
    let known = register_whole(&app.till("till_name"));
    permit(&app, "till.001", &json!({"customer": "write"}));
    let till = app.till("till.001");
    let mut told = till.add_one(&json!({"mobile": "98765 43210"}));
    assert_eq!(told["user_id"], known.customer(0)["user_id"]);
    told["user_id"] = json!("checked");
    insta::assert_json_snapshot!(told, @r#"
    {
      "user_id": "checked",
      "firstname": "",
      "lastname": "",
      "mobile": "919876543210",
      "email": null,
      "external_id": null,
      "lifetime_points": 0,
      "loyalty_points": 0,
      "current_slab": "",
      "tier_expiry_date": "",
      "points_summaries": {
        "points_summary": []
      },
      "lifetime_purchases": 0,
      "registered_on": "",
      "updated_on": "",
      "type": "",
      "source": "",
      "custom_fields": {
        "field": []
      },
      "extended_fields": {
        "field": []
      },
      "subscriptions": {
        "subscription": []
      },
      "side_effects": {
        "effect": []
      },
      "item_status": {
        "success": "true",
        "code": "1000",
        "message": "Customer registration successful",
        "warnings": {
          "warning": []
        }
      }
    }
    "#);

    // The email address is the customer's, the external id is not.
    let told = till.add_one(&json!({
        "mobile": KNOWN,
        "email": "CONFIDENTIAL@example.com",
        "external_id": "CONF-2",
        "firstname": "Asha",
        "type": "loyalty",
        "source": "instore",
        "registered_on": "2020-02-29 10:00:00",
        "custom_fields": {"field": [{"name": "pincode", "value": "411001"}]},
        "subscriptions": {"subscription": [{
            "channel": "email", "priority": "BULK", "scope": "all", "is_subscribed": "0",
        }]},
    }));
    let members = ["mobile", "email", "external_id", "firstname", "lastname", "type", "source"];
    let values = members.map(|member| told[member].clone());
    assert_eq!(
        json!(values),
        json!([KNOWN, "confidential@example.com", null, "Asha", "", "LOYALTY", ""])
    );
    assert_eq!(told["registered_on"], "2020-02-29 10:00:00");
    assert_eq!(told["custom_fields"]["field"], json!([{"name": "pincode", "value": "411001"}]));
    let subscriptions = told["subscriptions"]["subscription"].as_array().unwrap();
    assert_eq!(subscriptions.len(), 1, "{told}");
    // And the customer is whole.
    let whole = app.till("till_name").get(LOOK_UP).text;
    assert!(["Asha", "Surname", "CONF-1", "411001"].iter().all(|text| whole.contains(text)));
}
