//! Referral codes: whom they bring, and what that earns.

use patron_rules::organisation::Kind;
use serde_json::{Value, json};

use crate::app::{App, Client, code};

const CODES: &str = "/v1.1/customer/get?user_id=true&referral_codes=true&mobile=";

/// Registers somebody; their id and their code.
fn referrer(till: &Client, mobile: &str) -> (i64, String) {
    let customer = till.add_one(&json!({"mobile": mobile, "firstname": "Asha"}));
    let held = till.get(&format!("{CODES}{mobile}")).customer(0);
    let codes = &held["referral_codes"]["referral_code"];
    assert_eq!(codes.as_array().unwrap().len(), 1, "{codes}");
    (customer["user_id"].as_i64().unwrap(), codes[0]["code"].as_str().unwrap().to_owned())
}

fn brought(till: &Client, mobile: &str, code: &str) -> Value {
    till.add_one(&json!({"mobile": mobile, "referral_code": code}))
}

fn points(till: &Client, mobile: &str) -> Value {
    till.get(&format!("/v1.1/customer/get?mobile={mobile}")).customer(0)["loyalty_points"].clone()
}

#[test]
fn a_code_is_told_where_it_is_asked_for_and_stays() {
    let app = App::start();
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "919876543210"}));
    let asked = || till.get(&format!("{CODES}919876543210")).customer(0)["referral_codes"].clone();
    let codes = asked();
    let held = codes["referral_code"][0]["code"].as_str().unwrap();
    assert_eq!(held.strip_prefix("FRIEND-").map(str::len), Some(13), "{held}");
    assert_eq!(
        codes,
        json!({"referral_code": [
            {"code": held, "campaign": "friends", "valid_till": "", "referrals": 0},
        ]})
    );
    assert_eq!(asked(), codes);
    let unasked = till.get("/v1.1/customer/get?mobile=919876543210").customer(0);
    assert_eq!(unasked.get("referral_codes"), None);
    // Who is in no programme has none.
    till.add_one(&json!({"mobile": "919876543211", "type": "NON_LOYALTY"}));
    let outside = till.get(&format!("{CODES}919876543211")).customer(0);
    assert_eq!(outside["referral_codes"], json!({"referral_code": []}));
}

#[test]
fn both_are_rewarded_and_the_reply_tells_of_it() {
    let app = App::start();
    let till = app.till("till.001");
    let (id, passed) = referrer(&till, "919876543210");
    // As a customer types it.
    let customer = brought(&till, "919876543211", &format!(" {} ", passed.to_lowercase()));
    assert_eq!(code(&customer), "1000");
    let own = customer["user_id"].as_i64().unwrap().to_string();
    let effect = |awarded: u32, total: u32| json!({"awarded_points": awarded, "total_points": total, "customer_id": own, "type": "points"});
    assert_eq!(
        customer["side_effects"]["effect"],
        json!([
            effect(100, 100),
            effect(50, 150),
            {"awarded_points": 50, "customer_id": id.to_string(), "is_referrer": "true", "type": "points"},
        ])
    );
    assert_eq!(customer["loyalty_points"], 150);
    assert_eq!(points(&till, "919876543210"), 150);
    assert_eq!(customer.get("referral_code"), None, "no add reply echoes it");

    // Sent again, it is the same customer, and nobody is rewarded again.
    let again = brought(&till, "919876543211", &passed);
    assert_eq!(code(&again), "1000");
    assert_eq!(again["side_effects"]["effect"], json!([]));
    assert_eq!(points(&till, "919876543210"), 150);
    let held = till.get(&format!("{CODES}919876543210")).customer(0);
    assert_eq!(held["referral_codes"]["referral_code"][0]["referrals"], 1);
}

#[test]
fn a_code_that_does_not_count_is_told_of_and_the_customer_registered() {
    let app = App::start();
    let till = app.till("till.001");
    let (_, own) = referrer(&till, "919876543210");
    for (mobile, sent) in [
        ("919876543211", "SDX123"),
        ("919876543212", "no code at all"),
        ("919876543210", own.as_str()),
    ] {
        let customer = brought(&till, mobile, sent);
        assert_eq!(code(&customer), "1000 1205", "{sent}");
        assert_eq!(
            customer["item_status"]["message"],
            "Customer registration successful, Unable to find the referrer in the specified campaign"
        );
        assert_eq!(customer["loyalty_points"], 100);
    }
    let explained = till
        .add_with("explain=true", &json!({"mobile": "919876543213", "referral_code": "SDX123"}));
    insta::assert_json_snapshot!(explained["explain"]["problems"], @r#"
    [
      {
        "code": "1205",
        "message": "Unable to find the referrer in the specified campaign.",
        "pointer": "/root/customer/0/referral_code"
      }
    ]
    "#);
}

#[test]
fn a_campaign_can_end_and_a_code_can_be_used_up() {
    let app = App::start();
    let till = app.till("till.001");
    let (_, passed) = referrer(&till, "919876543210");
    // It is 10:30 on 15 January 2026.
    for (number, rest, expected, shown) in [
        (1, json!({"to": "2026-01-15"}), "1000", json!("2026-01-15 23:59:59")),
        (2, json!({"to": "2026-01-14"}), "1000 1205", Value::Null),
        (3, json!({"from": "2026-01-16"}), "1000 1205", Value::Null),
        (4, json!({"referrals_per_code": 1}), "1000 1205", json!("")),
        (5, json!({"referrals_per_code": 2}), "1000", json!("")),
    ] {
        let mut campaign = rest.clone();
        campaign["name"] = json!("friends");
        app.set_up(Kind::ReferralCampaigns, &campaign);
        let held = till.get(&format!("{CODES}919876543210")).customer(0);
        assert_eq!(held["referral_codes"]["referral_code"][0]["valid_till"], shown, "{rest}");
        let customer = brought(&till, &format!("91987654322{number}"), &passed);
        assert_eq!(code(&customer), expected, "{rest}");
    }
}

#[test]
fn a_code_is_validated_before_it_is_used() {
    let app = App::start();
    let till = app.till("till.001");
    let (id, passed) = referrer(&till, "919876543210");
    let validate =
        |client: &Client, code: &str| client.get(&format!("/v2/referral/validate?code={code}"));
    let reply = validate(&till, &passed.to_lowercase());
    assert_eq!(reply.status, 200);
    let expected = json!({
        "valid": true,
        "referrer": {"id": id, "firstName": "Asha", "lastName": null},
        "warnings": [],
    });
    assert_eq!(reply.json(), expected);
    for unknown in ["SDX123", "%20", "no+code", &"A".repeat(51)] {
        let reply = validate(&till, unknown);
        assert_eq!(reply.status, if unknown == "%20" { 400 } else { 200 }, "{unknown}");
    }
    insta::assert_json_snapshot!(validate(&till, "SDX123").json(), @r#"
    {
      "valid": false,
      "referrer": null,
      "warnings": [
        {
          "status": false,
          "code": 1205,
          "message": "Unable to find the referrer in the specified campaign."
        }
      ]
    }
    "#);
    let reply = till.get("/v2/referral/validate");
    assert_eq!(reply.status, 400);
    insta::assert_snapshot!(reply.text, @r#"{"response":{"status":{"success":"false","code":400,"message":"Input is invalid, Please check request parameters or input xml/json: parameter `code` takes a referral code","total":"0","success_count":"0"},"customers":null}}"#);
    // Another organisation has no such code.
    assert_eq!(validate(&app.till("other.till"), &passed).json()["valid"], false);
    // One that is used up brings nobody.
    app.set_up(Kind::ReferralCampaigns, &json!({"name": "friends", "referrals_per_code": 1}));
    brought(&till, "919876543211", &passed);
    assert_eq!(validate(&till, &passed).json()["valid"], false);
}

#[test]
fn the_audit_tells_of_a_referral_under_both() {
    let app = App::start();
    let till = app.till("till.001");
    let (id, passed) = referrer(&till, "919876543210");
    let referee = brought(&till, "919876543211", &passed)["user_id"].as_i64().unwrap();
    for (of, field, other) in [(id, "Referee", referee), (referee, "Referrer", id)] {
        let query = format!("entityType=CUSTOMER&entityId={of}&referenceValue={field}");
        let page = till.get(&format!("/v2/auditLog/get?{query}")).json();
        assert_eq!(
            page["data"][0]["events"],
            json!([{
                "eventType": "Standard Fields",
                "updatedField": field,
                "additionalFields": {"previousValue": "NA", "currentValue": other.to_string()},
                "associateEntities": null,
            }])
        );
    }
}
