//! `?explain=true` and `?dry_run=true`.

use serde_json::json;

use crate::app::{App, code};

#[test]
fn nothing_is_explained_unless_asked_for() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = json!({"mobile": "919876543210"});
    assert_eq!(till.add_one(&customer).get("explain"), None);
    assert_eq!(till.add_with("explain=false", &customer).get("explain"), None);
}

#[test]
fn an_explanation_says_who_matched_and_which_setting_decided() {
    let app = App::start();
    let till = app.till("till.001");
    let holder = till.add_one(&json!({"email": "asha@example.com"}))["user_id"].clone();
    let known = till.add_one(&json!({"mobile": "919876543210"}))["user_id"].clone();
    let customer = till
        .add_with("explain=true", &json!({"mobile": "98765 43210", "email": "ASHA@example.com"}));
    assert_eq!(code(&customer), "1000 91007");
    let mut explanation = customer["explain"].clone();
    for (index, expected) in [(0, known), (1, holder)] {
        let id = &mut explanation["matches"][index]["user_id"];
        assert_eq!(*id, expected);
        *id = json!("checked");
    }
    insta::assert_json_snapshot!(explanation, @r#"
    {
      "identifiers": {
        "mobile": "919876543210",
        "email": "asha@example.com",
        "external_id": null
      },
      "matches": [
        {
          "identifier": "mobile",
          "user_id": "checked",
          "through_merge": false
        },
        {
          "identifier": "email",
          "user_id": "checked",
          "through_merge": false
        }
      ],
      "steps": [
        {
          "rule": "the identifier that says who a customer is",
          "setting": "CONF_REGISTRATION_PRIMARY_KEY",
          "value": "MOBILE"
        },
        {
          "rule": "mobile numbers are completed by the base country",
          "setting": "COUNTRY",
          "value": "IN"
        },
        {
          "rule": "a secondary identifier of another customer is left to them",
          "setting": "MERGE_ON_CONFLICT",
          "value": "0"
        }
      ],
      "problems": [
        {
          "code": "91007",
          "message": "email is already occupied by another user. Ignoring it."
        }
      ]
    }
    "#);
}

#[test]
fn a_refusal_is_explained_at_its_place() {
    let app = App::with_settings(&[("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", "1")]);
    let till = app.till("till.001");
    for (customer, code, pointer) in [
        (json!({"mobile": "12"}), "1001", json!("/root/customer/0/mobile")),
        (json!({"mobile": []}), "10001", json!("/root/customer/0/mobile")),
        (
            json!({"external_id": "1", "registered_till": "x"}),
            "91020",
            json!("/root/customer/0/registered_till"),
        ),
        (json!({"firstname": "x"}), "1007", json!(null)),
    ] {
        let explained = till.add_with("explain=true", &customer)["explain"].clone();
        assert_eq!(explained["problems"][0]["code"], code);
        assert_eq!(explained["problems"][0]["pointer"], pointer, "{customer}");
    }
    let strict_app = App::with_settings(&[("STRICT_EXTRAS", "1")]);
    let unknown = json!({"external_id": "A", "nobody/knows": 1});
    let explained = strict_app.till("till.001").add_with("explain=true", &unknown);
    let message = "Failed to add customer: unknown member at /root/customer/0/nobody~1knows";
    assert_eq!(explained["item_status"]["message"], message);

    till.add_one(&json!({"email": "asha@example.com"}));
    let strict = till
        .add_with("explain=true", &json!({"mobile": "919876543210", "email": "asha@example.com"}));
    assert_eq!(code(&strict), "1047");
    let step = strict["explain"]["steps"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(step["setting"], "CONF_PRIMARY_IDENTIFIER_STRICT_CHECK");
    assert_eq!(step["value"], "1");
}

#[test]
fn a_dry_run_writes_nothing() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = json!({"mobile": "919876543210", "firstname": "Asha"});
    let rehearsed = till.add_with("dry_run=true&explain=true", &customer);
    assert_eq!(code(&rehearsed), "1000");
    assert_eq!(rehearsed["side_effects"]["effect"].as_array().unwrap().len(), 1);
    assert_eq!(till.get("/v1.1/customer/get?mobile=919876543210").codes(), ["1012"]);
    let registered = till.add_one(&customer);
    assert_eq!(registered["side_effects"]["effect"].as_array().unwrap().len(), 1);
}
