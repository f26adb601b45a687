//! How many changes an operator may request.

use serde_json::{Value, json};

use super::{DEMO, delete, get, patch, post, problem, put};
use crate::app::{App, Reply};

const PASSWORD: &str = "a long password";

fn limited(limit: u32) -> App {
    App::with(|config| config.change_limit_per_minute = limit)
}

fn remaining(reply: &Reply) -> &str {
    reply.header("RateLimit")
}

/// The clock of the tests stands still, so that all changes are requested within one minute.
#[test]
fn rejects_changes_past_the_limit() {
    let app = limited(3);
    // The sign-in is the first one.
    let operator = app.operator();
    let zones = format!("{DEMO}/zones");
    let made = post(&operator, &zones, &json!({"name": "North"}));
    assert_eq!((made.status, remaining(&made)), (201, "\"minute\";r=1;t=60"), "{}", made.text);
    assert_eq!(made.header("RateLimit-Policy"), "\"minute\";q=3;w=60");
    let invalid = post(&operator, &zones, &json!({"nam": "South"}));
    assert_eq!((invalid.status, remaining(&invalid)), (422, "\"minute\";r=0;t=60"));
    let zone = format!("{zones}/North");
    for refused in [
        post(&operator, &zones, &json!({"name": "South"})),
        put(&operator, &zone, &json!({"name": "North"})),
        patch(&operator, &zone, &json!({"is_active": false})),
        delete(&operator, &zone),
        post(&operator, &format!("{DEMO}/tills/till.001/password"), &Value::Null),
        put(&operator, "/admin/api/v1/operators/asha", &json!({"role": "owner"})),
        app.sign_in("demo", "demo").err().map(|reply| *reply).unwrap(),
    ] {
        let detail = problem(&refused, 429)["detail"].clone();
        assert!(detail.as_str().unwrap().contains("3 changes a minute"), "{detail}");
        assert_eq!(refused.header("Retry-After"), "60");
        assert_eq!(remaining(&refused), "\"minute\";r=0;t=60");
        assert_eq!(refused.header("RateLimit-Policy"), "\"minute\";q=3;w=60");
    }
    let shown = get(&operator, &zone);
    assert_eq!((shown.status, remaining(&shown)), (200, ""));
    assert_eq!(shown.json()["is_active"], true);
}

#[test]
fn each_operator_has_a_limit() {
    let app = limited(4);
    let operator = app.operator();
    let asha = format!("{DEMO}/operators/asha");
    let made = put(&operator, &asha, &json!({"role": "editor", "password": PASSWORD}));
    assert_eq!(made.status, 204, "{}", made.text);
    let asha = app.sign_in_to("demo", "asha", PASSWORD).unwrap();
    let zones = format!("{DEMO}/zones");
    // Changes that the role does not permit count too.
    let everywhere = json!({"role": "owner"});
    for _ in 0..3 {
        problem(&put(&asha, "/admin/api/v1/operators/asha", &everywhere), 403);
    }
    problem(&post(&asha, &zones, &json!({"name": "North"})), 429);
    assert_eq!(post(&operator, &zones, &json!({"name": "North"})).status, 201);
    // The data API has a limit of its own.
    let customer = json!([{"mobile": "919876543210"}]);
    assert_eq!(app.till("till.001").add(&customer).status, 200);
}

#[test]
fn zero_sets_no_limit() {
    let app = limited(0);
    let made = post(&app.operator(), &format!("{DEMO}/zones"), &json!({"name": "North"}));
    assert_eq!((made.status, remaining(&made)), (201, ""));
}
