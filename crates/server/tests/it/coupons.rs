//! Coupons that registration earns.

use patron_rules::organisation::Kind;
use serde_json::json;

use crate::app::{App, code};

fn app(limit: u64) -> App {
    let app = App::start();
    app.set_up(
        Kind::CouponSeries,
        &json!({"name": "WELCOME", "description": "A tenth off", "valid_days": 30, "limit": limit}),
    );
    app.set_up(
        Kind::RewardRules,
        &json!({"name": "welcome coupon", "position": 9,
                "effects": [{"type": "coupon", "series": "WELCOME"}]}),
    );
    app
}

#[test]
fn the_reply_tells_of_the_coupon() {
    let till_app = app(2);
    let reply = till_app.till("till.001").add(&json!([{"mobile": "919876543210"}]));
    let effects = reply.customer(0)["side_effects"]["effect"].clone();
    insta::assert_json_snapshot!(effects[1], {".coupon_code" => "[code]"}, @r#"
    {
      "id": 1,
      "coupon_type": "PE",
      "coupon_code": "[code]",
      "valid_till": "2026-02-14 23:59:59",
      "description": "A tenth off",
      "discount_code": "NO_VALUE",
      "type": "coupon"
    }
    "#);
    assert_eq!(effects[1]["coupon_code"].as_str().unwrap().len(), 13);
    // In the order of the documents.
    let members = ["\"id\"", "\"coupon_type\"", "\"coupon_code\"", "\"valid_till\""];
    let places: Vec<_> = members.iter().map(|member| reply.text.find(member).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_series_that_is_used_up_is_told_of() {
    let app = app(1);
    let till = app.till("till.001");
    assert_eq!(code(&till.add_one(&json!({"mobile": "919876543210"}))), "1000");
    let second = till.add_one(&json!({"mobile": "919876543211"}));
    assert_eq!(code(&second), "1000 1086");
    assert_eq!(second["side_effects"]["effect"].as_array().unwrap().len(), 1, "the points remain");
}
