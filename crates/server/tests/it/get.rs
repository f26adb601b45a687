//! `GET /v1.1/customer/get`.

use patron_rules::organisation::Kind;
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
                "marked_by": "rutuja_capillary",
                "modified_on": "2026-01-15 10:30:00",
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
                    "totalPoints": "",
                    "currentSlabDescription": "Tier 1",
                    "delayed_points": "0",
                    "delayed_returned_points": "0",
                    "total_available_points": "100",
                    "total_returned_points": "0",
                    "program_title": "Demo programme",
                    "program_description": "",
                    "program_points_to_currency_ratio": "1"
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
        ("mobile=919876543211,919876543219,x", 201, vec!["1000", "1012", "400"]),
        ("mobile=919876543219", 500, vec!["1012"]),
        ("email=nobody@example.com", 500, vec!["1012"]),
        ("id=1", 500, vec!["1012"]),
        ("id=x", 500, vec!["400"]),
        ("id=99999999999999999999", 500, vec!["400"]),
        ("email=x", 500, vec!["400"]),
        ("email=x@", 500, vec!["1012"]),
        ("mobile=12345678", 500, vec!["1012"]),
        ("cardnumber=4711", 500, vec!["1012"]),
        ("card_external_id=4711", 500, vec!["1012"]),
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

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/get/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every place at which a reply has other members than a sample, in another order, or of another JSON
/// type. Where a list of the sample has entries and the reply has none, there is nothing to compare.
fn differences(path: &str, sample: &Value, reply: &Value, found: &mut Vec<String>) {
    match (sample, reply) {
        (Value::Object(wanted), Value::Object(got)) => {
            let names =
                |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            if names(wanted) != names(got) {
                found.push(format!("{path}: {:?} for {:?}", names(got), names(wanted)));
            }
            for (name, value) in wanted {
                let other = got.get(name).unwrap_or(&Value::Null);
                differences(&format!("{path}/{name}"), value, other, found);
            }
        }
        (Value::Array(wanted), Value::Array(got)) => {
            for (index, (value, other)) in wanted.iter().zip(got).enumerate() {
                differences(&format!("{path}/{index}"), value, other, found);
            }
        }
        _ if std::mem::discriminant(sample) == std::mem::discriminant(reply) => {}
        _ => found.push(format!("{path}: {reply} for {sample}")),
    }
}

fn assert_like(sample: &Value, reply: &Value) {
    let mut found = Vec::new();
    differences("", sample, reply, &mut found);
    assert_eq!(found, [""; 0]);
}

/// A demo where registration earns a coupon and a card is of a series.
fn club() -> App {
    let app = App::start();
    app.set_up(Kind::CardSeries, &json!({"name": "CLUB"}));
    app.set_up(
        Kind::CouponSeries,
        &json!({"name": "WELCOME", "description": "Welcome", "valid_days": 30}),
    );
    app.set_up(
        Kind::RewardRules,
        &json!({"name": "welcome coupon", "position": 9,
                "effects": [{"type": "coupon", "series": "WELCOME"}]}),
    );
    app
}

#[test]
fn reply_with_flags_has_the_members_and_types_of_the_sample() {
    let app = club();
    let till = app.till("till.001");
    till.add_one(&json!({
        "mobile": "919812300411", "email": "anita.rao@example.com", "external_id": "PTR000411",
        "firstname": "Anita", "lastname": "Rao",
        "card_details": {"series_code": "CLUB"},
        "custom_fields": {"field": [{"name": "City_name", "value": "Mysuru"}]},
        "extended_fields": {"field": [
            {"name": "gender", "value": "Female"}, {"name": "dob", "value": "1991-04-17"},
        ]},
    }));
    let flags = "user_id=true&slab_history=true&mlp=true&card_details=true";
    let reply = till.get(&format!("/v1.1/customer/get?format=json&mobile=919812300411&{flags}"));
    assert_like(&fixture("response-flags.json"), &reply.json());

    let customer = reply.customer(0);
    let store = json!({"code": "BLR-01", "name": "MG Road"});
    assert_eq!(customer["registered_store"], store);
    assert_eq!(customer["registered_till"], json!({"code": "till.001", "name": "till.001"}));
    assert_eq!(customer["extended_fields"]["field"][1]["value"], "1991-04-17 00:00:00");
    assert_eq!(customer["card_details"][0]["series_name"], "CLUB");
    assert_eq!(customer["coupons"]["coupon"].as_array().unwrap().len(), 1);
    let coupon = &customer["coupons"]["coupon"][0];
    assert_eq!(coupon["series_id"], "WELCOME");
    assert_eq!(coupon["description"], "Welcome");
    assert_eq!(coupon["created_date"], "2026-01-15 10:30:00");
    assert_eq!(coupon["valid_till"], "2026-02-14 23:59:59");
}

/// Item 8109 needs deletion of personal data. A look-up by `id` that finds nobody echoes it the same.
#[test]
fn failed_reply_has_the_members_and_types_of_the_sample() {
    let app = App::start();
    let reply = app.till("till.001").get("/v1.1/customer/get?format=json&id=48200013,x");
    let mut sample = fixture("response-failed.json");
    let first = &mut sample["response"]["customers"]["customer"][0];
    *first = json!({
        "id": first["id"], "mobile": null, "email": null, "external_id": null,
        "item_status": first["item_status"],
    });
    assert_like(&sample, &reply.json());
    assert_eq!(reply.codes(), ["1012", "400"]);
    assert_eq!(reply.customer(0)["id"], "48200013");
    assert_eq!(
        reply.customer(1)["item_status"]["message"],
        "Input is invalid, Please check request parameters or input xml/json"
    );
    let xml = app.till("till.001").get("/v1.1/customer/get?format=xml&id=x");
    let item = "<customer><item_status><success>false</success><code>400</code>";
    assert!(xml.text.contains(item), "{}", xml.text);
}

/// Each flag with what it adds. A new flag belongs into this table.
#[test]
fn each_flag_adds_its_members() {
    let app = club();
    let till = app.till("till.001");
    let channel = |name: &str, preferences: [&str; 2]| {
        let priority = |(name, preference): (&str, &str)| {
            let [subscribed, unsubscribed] =
                if preference == "UNSUBSCRIBED" { ["", "ALL"] } else { ["ALL", ""] };
            json!({"name": name, "subscribed": subscribed, "unsubscribed": unsubscribed,
                   "user_preference": preference})
        };
        let [trans, bulk] = preferences;
        json!({"name": name, "priority": [priority(("TRANS", trans)), priority(("BULK", bulk))]})
    };
    till.add_one(&json!({
        "mobile": "919812300411", "ndnc_status": "NDNC",
        "subscriptions": {"subscription": [
            {"channel": "sms", "priority": "TRANS", "scope": "all", "is_subscribed": "1"},
            {"channel": "email", "priority": "BULK", "scope": "all", "is_subscribed": "0"},
        ]},
    }));
    let get = |query: &str| {
        till.get(&format!("/v1.1/customer/get?mobile=919812300411&{query}")).customer(0)
    };
    let plain = get("");
    for (flag, members) in [
        ("user_id", json!({"user_id": "100000001"})),
        (
            "next_slab",
            json!({"next_slab": "Bronze", "next_slab_serial_number": "2",
                   "next_slab_description": "Tier 2"}),
        ),
        ("slab_history", json!({"slab_history": {"history": []}})),
        ("ndnc_status", json!({"ndnc_status": "NDNC"})),
        ("optin_status", json!({"optin_status": "NONE"})),
        ("expiry_schedule", json!({"expiry_schedule": []})),
        ("expired_points", json!({"expired_points": []})),
        (
            "points_summary",
            json!({"points_summary":
                {"expired": "0", "redeemed": "0", "adjusted": "0", "returned": "0"}}),
        ),
        (
            "promotion_points",
            json!({"promotion_points": {"customer": [], "transactions": [], "lineitems": []}}),
        ),
        ("segments", json!({"segments": {"segment": []}})),
        ("card_details", json!({"card_details": []})),
        (
            "program_summary",
            json!({"programs_list": {"program": [{
                "programId": "469", "programName": "Demo programme", "programDescription": "",
                "isDefault": "true", "pointsToCurrencyRatio": "1",
                "PartnerPrograms": {"PartnerProgram": []},
            }]}}),
        ),
        (
            "subscriptions",
            json!({"subscriptions": {"channel": [
                channel("SMS", ["SUBSCRIBED", "NOT_SET"]),
                channel("POSTMAIL", ["NOT_SET", "NOT_SET"]),
                channel("EMAIL", ["NOT_SET", "UNSUBSCRIBED"]),
            ], "orgUnitSubscriptions": []}}),
        ),
        ("mlp", json!({})),
        // Their shapes are not documented.
        ("user_group", json!({})),
        ("customer_image", json!({})),
        ("tracker_info", json!({})),
    ] {
        let mut expected = plain.as_object().unwrap().clone();
        expected.extend(members.as_object().unwrap().clone());
        assert_eq!(get(&format!("{flag}=true")).as_object().unwrap(), &expected, "{flag}");
        assert_eq!(get(&format!("{flag}=false")), plain, "{flag}");
    }
    let xml = till.get("/v1.1/customer/get?format=xml&mobile=919812300411&subscriptions=true");
    let channels = "<subscriptions><channel><name>SMS</name><priority><name>TRANS</name>";
    assert!(xml.text.contains(channels), "{}", xml.text);
}

#[test]
fn points_can_be_selected_by_programme_and_need_mlp_by_setting() {
    let app = App::start();
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "919812300411"}));
    let summaries = |query: &str| {
        let path = format!("/v1.1/customer/get?mobile=919812300411&{query}");
        till.get(&path).customer(0)["points_summaries"]["points_summary"].clone()
    };
    let count = |query: &str| summaries(query).as_array().unwrap().len();
    for (query, expected) in [
        ("", 1),
        ("program_id=469", 1),
        ("programId=469", 1),
        ("programId=469&program_id=469", 1),
        ("program_id=470", 0),
    ] {
        assert_eq!(count(query), expected, "{query}");
    }
    let gaps = summaries("mlp=true&gap_to_upgrade_for=0&gap_to_renew_for=0");
    assert_eq!(gaps[0]["gap_to_upgrade"], json!({"upgrade_strategy": []}));
    assert_eq!(gaps[0].get("gap_to_renew"), None, "absent in the base tier");
    assert_eq!(summaries("gap_to_upgrade_for=0")[0].get("gap_to_upgrade"), None, "needs mlp");

    app.change_settings(&[("POINTS_SUMMARIES_NEED_MLP", "1")]);
    assert_eq!((count(""), count("mlp=true")), (0, 1));
    for query in ["program_id=x", "gap_to_upgrade_for=-1", "gap_to_renew_for=soon"] {
        let reply = till.get(&format!("/v1.1/customer/get?mobile=919812300411&{query}"));
        let name = query.split('=').next().unwrap();
        assert_eq!(reply.status, 400, "{query}");
        let message = reply.response_status()["message"].clone();
        assert!(message.as_str().unwrap().contains(name), "{message}");
    }
}

#[test]
fn coupons_are_selected_and_ordered() {
    let app = App::start();
    let series =
        [json!({"name": "A"}), json!({"name": "B", "valid_days": 1}), json!({"name": "C"})];
    for (position, series) in series.into_iter().enumerate() {
        app.set_up(Kind::CouponSeries, &series);
        app.set_up(
            Kind::RewardRules,
            &json!({"name": series["name"], "position": position + 10,
                    "effects": [{"type": "coupon", "series": series["name"]}]}),
        );
    }
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "919812300411"}));
    let get = |query: &str| {
        let path = format!("/v1.1/customer/get?mobile=919812300411&{query}");
        let coupons = till.get(&path).customer(0)["coupons"]["coupon"].clone();
        let series = |coupon: &Value| coupon["series_id"].as_str().unwrap().to_owned();
        coupons.as_array().unwrap().iter().map(series).collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("", vec!["C", "B", "A"]),
        ("coupon_sort_order=asc", vec!["A", "B", "C"]),
        ("coupon_order_by=valid_till&coupon_sort_order=ASC&coupon_limit=1", vec!["B"]),
        ("coupon_limit=1", vec!["C"]),
        ("coupon_limit=1&coupon_offset=1", vec!["B"]),
        ("coupon_offset=3", vec![]),
        ("coupon_offer=B", vec!["B"]),
        ("coupon_status=unredeemed&coupon_limit=1", vec!["C"]),
        ("coupon_status=redeemed", vec![]),
        ("coupon_status=expired", vec![]),
        ("coupon_status=active&coupon_active=true&coupon_limit=50", vec!["C", "B", "A"]),
    ] {
        assert_eq!(get(query), expected, "{query}");
    }
    for query in
        ["coupon_status=used", "coupon_limit=-1", "coupon_order_by=id", "coupon_sort_order=up"]
    {
        let reply = till.get(&format!("/v1.1/customer/get?mobile=919812300411&{query}"));
        assert_eq!(reply.status, 400, "{query}");
    }
}

#[test]
fn email_that_is_not_unique_finds_its_only_holder() {
    let app = App::with_settings(&[("CONF_USERS_IS_EMAIL_UNIQUE", "0")]);
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "919876543211", "email": "Own@example.com"}));
    for last in 2..=3 {
        let mobile = format!("91987654321{last}");
        till.add_one(&json!({"mobile": mobile, "email": "family@example.com"}));
    }
    let reply =
        till.get("/v1.1/customer/get?email=own@EXAMPLE.com,family@example.com,nobody@example.com");
    assert_eq!(reply.codes(), ["1000", "1012", "1012"]);
    assert_eq!(reply.customer(0)["mobile"], "919876543211");
    let message = |place| reply.customer(place)["item_status"]["message"].clone();
    assert_eq!(
        message(1),
        "Cannot find customer with the provided mobile number, external ID, or email ID: several \
         customers have this email address"
    );
    assert_eq!(
        message(2),
        "Cannot find customer with the provided mobile number, external ID, or email ID."
    );
}

#[test]
fn fraud_details_name_the_till_that_marked_the_customer() {
    let app = App::start();
    let (india, singapore) = (app.till("till.001"), app.till("till.sin"));
    let mobile = "919876543210";
    india.add_one(&json!({"mobile": mobile, "fraud_status": "NONE"}));
    let details = || {
        let path = format!("/v1.1/customer/get?mobile={mobile}");
        let details = india.get(&path).customer(0)["fraud_details"].clone();
        ["status", "marked_by", "modified_on"].map(|name| details[name].clone())
    };
    assert_eq!(details(), ["NONE", "", ""]);
    singapore.add_one(&json!({"mobile": mobile, "fraud_status": "CONFIRMED"}));
    // A later change of another member is not the mark.
    india.add_one(&json!({"mobile": mobile, "firstname": "Asha"}));
    assert_eq!(details(), ["CONFIRMED", "till.sin", "2026-01-15 10:30:00"]);
}

#[test]
fn country_code_header_completes_mobile_numbers() {
    // These digits are a number of India, of which the organisation is, and one of the United States.
    let app = App::with_settings(&[("SUPPORTED_COUNTRIES", "US")]);
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "17012345678"}));
    assert_eq!(till.get("/v1.1/customer/get?mobile=7012345678").codes(), ["1012"]);
    for code in ["1", "+1"] {
        let client = app.till("till.001").with_header("X-CAP-CLIENT-COUNTRYCODE", code);
        for mobile in ["7012345678", "17012345678", "%2B17012345678"] {
            let path = format!("/v1.1/customer/get?mobile={mobile}");
            assert_eq!(client.get(&path).codes(), ["1000"], "{code} {mobile}");
        }
    }
}

/// One client means one number, whether it registers or looks up.
#[test]
fn completes_numbers_by_the_country_code_of_the_client() {
    let app = App::with_settings(&[("COUNTRY", "SG"), ("SUPPORTED_COUNTRIES", "HK")]);
    let number = json!({
        "mobile": "91234567", "commChannels": [{"type": "mobile", "value": "91234567"}],
    });
    let of_client = |code: &str| app.till("till.001").with_header("X-CAP-CLIENT-COUNTRYCODE", code);
    let by_default = app.till("till.001").add_one(&number);
    assert_eq!(by_default["mobile"], "6591234567");
    let hong_kong = of_client("852").add_one(&number);
    assert_eq!(hong_kong["mobile"], "85291234567");
    for (code, expected) in [
        ("852", "85291234567"),
        ("+852", "85291234567"),
        ("00852", "85291234567"),
        ("65", "6591234567"),
        // A country that the organisation does not have, and no calling code at all.
        ("1", "6591234567"),
        ("pigeon", "6591234567"),
        ("", "6591234567"),
    ] {
        let reply = of_client(code).get("/v1.1/customer/get?format=json&mobile=91234567");
        assert_eq!(reply.customer(0)["mobile"], expected, "{code}");
        let whole = of_client(code).get("/v1.1/customer/get?format=json&mobile=6591234567");
        assert_eq!(whole.customer(0)["mobile"], "6591234567", "{code}");
    }
}

/// A reply can be sent again, and every spelling finds the customer.
#[test]
fn finds_a_customer_by_every_spelling_of_the_number() {
    let app = App::start();
    let till = app.till("till.001");
    for validation in ["COUNTRY", "COUNTRY_THEN_GENERIC", "GENERIC", "OFF"] {
        app.change_settings(&[("MOBILE_VALIDATION", validation)]);
        let id = till.add_one(&json!({"mobile": "+91 09876543210"}))["user_id"].clone();
        for spelling in ["9876543210", "09876543210", "919876543210", "0919876543210"] {
            assert_eq!(till.add_one(&json!({"mobile": spelling}))["user_id"], id, "{spelling}");
            let path = format!("/v1.1/customer/get?format=json&mobile={spelling}");
            assert_eq!(till.get(&path).customer(0)["mobile"], "919876543210", "{spelling}");
        }
    }
}
