//! `GET /v1.1/customer/get`.

use serde_json::{Value, json};

use crate::app::App;

#[test]
fn what_was_registered_is_read_back() {
    let app = App::start();
    let till = app.till("rutuja_capillary");
    till.add_one(&json!({
        "mobile": "919876543210", "email": "Asha@example.com", "external_id": "a,1", "firstname": "Asha",
        "lastname": "Rao", "gender": "F", "registered_on": "2024-07-29 11:11:11", "fraud_status": "INTERNAL",
        "custom_fields": {"field": [{"name": "City_name", "value": "Pune"}]},
    }));
    let reply = till.get("/v1.1/customer/get?format=json&mobile=919876543210&user_id=true");
    assert_eq!(reply.status, 200);
    insta::assert_json_snapshot!(reply.json(), @r#"
    {
      "response": {
        "status": {
          "success": "true",
          "code": 200,
          "message": "Success",
          "total": "1",
          "success_count": "1"
        },
        "customers": {
          "customer": [
            {
              "firstname": "Asha",
              "lastname": "Rao",
              "mobile": "919876543210",
              "email": "Asha@example.com",
              "external_id": "a,1",
              "lifetime_points": 100,
              "lifetime_purchases": 0,
              "loyalty_points": 100,
              "current_slab": "Base",
              "registered_on": "2024-07-29 11:11:11",
              "updated_on": "2026-01-15 10:30:00",
              "type": "LOYALTY",
              "source": "instore",
              "identifiers": [],
              "gender": "F",
              "registered_by": "rutuja_capillary",
              "registered_store": {
                "code": "",
                "name": ""
              },
              "registered_till": {
                "code": "rutuja_capillary",
                "name": "rutuja_capillary"
              },
              "user_groups2": [],
              "fraud_details": {
                "status": "INTERNAL",
                "marked_by": "",
                "modified_on": "",
                "reason": ""
              },
              "trackers": "",
              "user_id": "100000001",
              "current_nps_status": null,
              "custom_fields": {
                "field": [
                  {
                    "name": "City_name",
                    "value": "Pune"
                  }
                ]
              },
              "extended_fields": {
                "field": []
              },
              "transactions": {
                "transaction": []
              },
              "coupons": {
                "coupon": []
              },
              "notes": [],
              "points_summaries": {
                "points_summary": [
                  {
                    "programId": "469",
                    "redeemed": "0",
                    "expired": "0",
                    "returned": "0",
                    "adjusted": "0",
                    "lifetimePoints": "100",
                    "loyaltyPoints": "100",
                    "cumulativePurchases": "0",
                    "currentSlab": "Base",
                    "nextSlab": "Bronze",
                    "nextSlabSerialNumber": "2",
                    "nextSlabDescription": "Tier 2",
                    "slabSNo": "1",
                    "slabExpiryDate": "2124-07-29 23:59:59",
                    "totalPoints": ""
                  }
                ]
              },
              "item_status": {
                "success": "true",
                "code": "1000",
                "message": "Customer successfully retrieved",
                "warnings": {
                  "warning": []
                }
              }
            }
          ]
        }
      }
    }
    "#);
}

#[test]
fn by_each_identifier_and_several_at_once() {
    let app = App::start();
    let till = app.till("till.001");
    for n in 1..=2 {
        till.add_one(&json!({
            "mobile": 919_876_543_210_u64 + n, "email": format!("a{n}+x@example.com"), "external_id": format!("id {n}"),
            "firstname": format!("Name{n}"),
        }));
    }
    for (query, status, codes) in [
        ("mobile=919876543211", 200, vec!["1000"]),
        ("mobile=9876543211", 200, vec!["1000"]),
        ("email=A1%2BX@example.com", 200, vec!["1000"]),
        ("external_id=id%201", 200, vec!["1000"]),
        ("external_id=id+1", 200, vec!["1000"]),
        ("id=100000001", 200, vec!["1000"]),
        ("mobile=919876543211,919876543212", 200, vec!["1000", "1000"]),
        ("mobile=919876543211,919876543219,x", 201, vec!["1000", "1012", "1012"]),
        ("mobile=919876543219", 500, vec!["1012"]),
        ("email=nobody@example.com", 500, vec!["1012"]),
        ("id=1", 500, vec!["1012"]),
        ("id=x", 500, vec!["1012"]),
        ("email=a1+x@example.com", 200, vec!["1000"]),
    ] {
        let reply = till.get(&format!("/v1.1/customer/get?{query}"));
        assert_eq!(reply.status, 200, "{query}");
        assert_eq!(reply.response_status()["code"], status, "{query}");
        assert_eq!(reply.codes(), codes, "{query}");
        if status == 200 {
            assert_eq!(reply.customer(0)["firstname"], "Name1");
            assert_eq!(reply.customer(0).get("user_id"), None);
        }
    }
    till.add_one(&json!({"external_id": "with, comma", "firstname": "Comma"}));
    let comma = till.get("/v1.1/customer/get?external_id=with%2C%20comma,id+1");
    assert_eq!(comma.codes(), ["1000", "1000"]);
    assert_eq!(comma.customer(0)["firstname"], "Comma");
    let missing = till.get("/v1.1/customer/get?mobile=919876543219").customer(0);
    assert_eq!(missing["mobile"], "919876543219");
    assert_eq!(missing["email"], Value::Null);
    let other = app.till("other.till").get("/v1.1/customer/get?mobile=919876543211");
    assert_eq!(other.codes(), ["1012"], "another organisation's customers are not found");
}

#[test]
fn without_an_identifier_or_with_too_many_nothing_is_looked_up() {
    let app = App::start();
    let till = app.till("till.001");
    for (query, code) in [("", 1015), ("?mobile=", 1015), ("?name=x", 1015)] {
        let reply = till.get(&format!("/v1.1/customer/get{query}"));
        assert_eq!(
            (reply.status, &reply.response_status()["code"]),
            (400, &json!(code)),
            "{query}"
        );
    }
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let reply = till.get(&format!("/v1.1/customer/get?id={}", many.join(",")));
    assert_eq!((reply.status, &reply.response_status()["code"]), (400, &json!(1060)));
    assert_eq!(app.anonymous().get("/v1.1/customer/get?id=1").status, 401);
}
