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
