//! The specification's own requests and replies.

use serde_json::{Value, json};

use crate::app::{App, Reply};

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/specification/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Every place at which a reply differs from a sample: other members or another order of them,
/// another JSON type, another number of entries, another value.
fn differences(sample: &Value, reply: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", sample, reply, &mut found);
    found
}

fn compare(path: &str, sample: &Value, reply: &Value, found: &mut Vec<String>) {
    match (sample, reply) {
        (Value::Object(wanted), Value::Object(got)) => {
            let names =
                |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            if names(wanted) != names(got) {
                found.push(format!(
                    "{path} has {} for {}",
                    names(got).join(" "),
                    names(wanted).join(" ")
                ));
            }
            for (name, value) in wanted {
                if let Some(other) = got.get(name) {
                    compare(&format!("{path}/{name}"), value, other, found);
                }
            }
        }
        (Value::Array(wanted), Value::Array(got)) => {
            if wanted.len() != got.len() {
                found.push(format!("{path} has {} entries for {}", got.len(), wanted.len()));
            }
            for (index, (value, other)) in wanted.iter().zip(got).enumerate() {
                compare(&format!("{path}/{index}"), value, other, found);
            }
        }
        _ if sample == reply => {}
        _ => found.push(format!("{path} is {reply} for {sample}")),
    }
}

fn customer_differences(sample: &str, request: &str, till: &str) -> String {
    let app = App::start();
    differences_of(sample, &app.till(till).add_text(request))
}

fn differences_of(sample: &str, reply: &Reply) -> String {
    assert_eq!(reply.status, 200);
    let sample: Value = serde_json::from_str(&fixture(sample)).unwrap();
    let (sample, reply) = (&sample["response"], &reply.json()["response"]);
    assert_eq!(differences(&sample["status"], &reply["status"]), [""; 0]);
    let first = |response: &Value| response["customers"]["customer"][0].clone();
    differences(&first(sample), &first(reply)).join("\n")
}

/// The request asks for NON_LOYALTY and the sample shows a LOYALTY customer: they are no pair. The
/// customer is what was asked for, so there is no tier, no summary and no award.
#[test]
fn request_with_mobile_and_email() {
    let found = customer_differences(
        "response-mobile-email.json",
        &fixture("request-mobile-email.json"),
        "rutuja_capillary",
    );
    insta::assert_snapshot!(found, @r#"
    /user_id is 100000001 for 557408687
    /firstname is "Raj" for "testuwser"
    /lastname is "loyal" for "promo54"
    /mobile is "917700811213" for "919876532218"
    /email is "testing1Nee113@gmail.com" for "demopromo412@gmail.com"
    /external_id is "12on123" for "000003880203"
    /current_slab is "" for "Base"
    /tier_expiry_date is "" for "2124-08-01 23:59:59"
    /points_summaries/points_summary has 0 entries for 1
    /registered_on is "2026-01-15 10:30:00" for "2024-08-01 07:28:32"
    /updated_on is "2025-05-29 09:10:00" for "2023-07-11 10:12:00"
    /type is "NON_LOYALTY" for "LOYALTY"
    /fraud_status is "FRAUD_SUSPECTED" for "NONE"
    /custom_fields/field/0/name is "City_name" for "address"
    /custom_fields/field/0/value is "Bangalore" for "Bangalore1234"
    /custom_fields/field/1/name is "address" for "pincode"
    /custom_fields/field/1/value is "BTM" for "54321"
    /extended_fields/field has 1 entries for 0
    /side_effects/effect has 0 entries for 2
    /item_status/message is "Customer registration successful" for "Customer registration successful, Provided Custom Field is invalid"
    /item_status/warnings/warning has 0 entries for 1
    "#);
}

/// The same request as a LOYALTY customer with one field that is not defined: all that the sample
/// has but the referral, which needs a referrer.
#[test]
fn request_with_mobile_and_email_as_in_its_reply() {
    let mut request: Value = serde_json::from_str(&fixture("request-mobile-email.json")).unwrap();
    let customer = &mut request["root"]["customer"][0];
    customer["type"] = json!("LOYALTY");
    let fields = customer["custom_fields"]["field"].as_array_mut().unwrap();
    fields.push(json!({"name": "shoe_size", "value": "44"}));
    let found = customer_differences(
        "response-mobile-email.json",
        &request.to_string(),
        "rutuja_capillary",
    );
    insta::assert_snapshot!(found, @r#"
    /user_id is 100000001 for 557408687
    /firstname is "Raj" for "testuwser"
    /lastname is "loyal" for "promo54"
    /mobile is "917700811213" for "919876532218"
    /email is "testing1Nee113@gmail.com" for "demopromo412@gmail.com"
    /external_id is "12on123" for "000003880203"
    /lifetime_points is 100 for 0
    /loyalty_points is 100 for 0
    /tier_expiry_date is "2126-01-15 23:59:59" for "2124-08-01 23:59:59"
    /points_summaries/points_summary/0/lifetimePoints is "100" for "0"
    /points_summaries/points_summary/0/loyaltyPoints is "100" for "0"
    /points_summaries/points_summary/0/slabExpiryDate is "2126-01-15 23:59:59" for "2124-08-01 23:59:59"
    /registered_on is "2026-01-15 10:30:00" for "2024-08-01 07:28:32"
    /updated_on is "2025-05-29 09:10:00" for "2023-07-11 10:12:00"
    /fraud_status is "FRAUD_SUSPECTED" for "NONE"
    /custom_fields/field/0/name is "City_name" for "address"
    /custom_fields/field/0/value is "Bangalore" for "Bangalore1234"
    /custom_fields/field/1/name is "address" for "pincode"
    /custom_fields/field/1/value is "BTM" for "54321"
    /extended_fields/field has 1 entries for 0
    /side_effects/effect has 1 entries for 2
    /side_effects/effect/0 has awarded_points total_points type for awarded_points total_points customer_id type
    "#);
}

#[test]
fn request_with_external_id() {
    let found = customer_differences(
        "response-external-id.json",
        &fixture("request-external-id.json"),
        "till_name",
    );
    insta::assert_snapshot!(found, @r#"
    /user_id is 100000001 for 84230513
    /tier_expiry_date is "2124-07-29 23:59:59" for "2124-08-01 23:59:59"
    /points_summaries/points_summary/0/programId is "469" for "1204"
    /points_summaries/points_summary/0/nextSlab is "Bronze" for "Milestone 1"
    /points_summaries/points_summary/0/nextSlabDescription is "Tier 2" for "Milestone 1"
    /points_summaries/points_summary/0/slabExpiryDate is "2124-07-29 23:59:59" for "2124-08-01 23:59:59"
    /registered_on is "2024-07-29 11:11:11" for "2024-08-01 02:31:17"
    /updated_on is "2026-01-15 10:30:00" for "2024-08-01 02:31:17"
    "#);
}

/// What an organisation's file says: the three samples come about by configuration alone.
fn organisation(name: &str) -> App {
    let path = format!("{}/tests/fixtures/organisations/{name}", env!("CARGO_MANIFEST_DIR"));
    App::of(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn the_sample_with_external_id_member_for_member() {
    let app = organisation("external-id.toml");
    let reply = app.till("till").add(&json!([{
        "external_id": "123445901",
        "registered_on": "2024-08-01 02:31:17",
        "updated_on": "2024-08-01 02:31:17",
    }]));
    let found = differences_of("response-external-id.json", &reply);
    insta::assert_snapshot!(found, @"/user_id is 100000001 for 84230513");
}

#[test]
fn the_sample_with_an_alternate_currency_member_for_member() {
    let app = organisation("alternate-currency.toml");
    let reply = app.till("till").add(&json!([{
        "mobile": "919876543218",
        "email": "demopromo4@gmail.com",
        "firstname": "testuser",
        "lastname": "promo4",
        "registered_on": "2023-09-12 16:05:01",
        "updated_on": "2023-07-11 10:12:00",
        "fraud_status": {"status": "NONE"},
        "custom_fields": {"field": [{"name": "undefined", "value": "x"}]},
    }]));
    let found = differences_of("response-alternate-currency.json", &reply);
    insta::assert_snapshot!(found, @"/user_id is 100000001 for 553639618");
}

/// The sample awards 100 points and tells of none: here the totals are those after awarding.
#[test]
fn the_sample_with_a_referrer_member_for_member() {
    let app = organisation("mobile-email.toml");
    let till = app.till("till");
    till.add(&json!([{"mobile": "919876532217"}]));
    let found = till.get("/v1.1/customer/get?mobile=919876532217&referral_codes=true");
    let reply = till.add(&json!([{
        "mobile": "919876532218",
        "email": "demopromo412@gmail.com",
        "external_id": "000003880203",
        "firstname": "testuwser",
        "lastname": "promo54",
        "registered_on": "2024-08-01 07:28:32",
        "updated_on": "2023-07-11 10:12:00",
        "fraud_status": {"status": "NONE"},
        "custom_fields": {"field": [
            {"name": "address", "value": "Bangalore1234"},
            {"name": "pincode", "value": "54321"},
            {"name": "undefined", "value": "x"},
        ]},
        "referral_code": found.customer(0)["referral_codes"]["referral_code"][0]["code"],
    }]));
    let found = differences_of("response-mobile-email.json", &reply);
    insta::assert_snapshot!(found, @r#"
    /user_id is 100000002 for 557408687
    /lifetime_points is 100 for 0
    /loyalty_points is 100 for 0
    /points_summaries/points_summary/0/lifetimePoints is "100" for "0"
    /points_summaries/points_summary/0/loyaltyPoints is "100" for "0"
    /side_effects/effect/0/customer_id is "100000002" for "424133043"
    /side_effects/effect/1/customer_id is "100000001" for "424133021"
    "#);
}

/// As printed, both requests are no JSON: a number with letters in it, and a missing comma.
#[test]
fn requests_as_printed() {
    let app = App::start();
    let till = app.till("till.001");
    for (name, place) in [
        ("request-mobile-email.verbatim.txt", "expected `,` or `}` at line 5 column 31"),
        ("request-external-id.verbatim.txt", "expected `,` or `}` at line 6 column 17"),
    ] {
        let reply = till.add_text(&fixture(name));
        assert_eq!(reply.status, 400);
        assert_eq!(
            reply.json(),
            json!({"response": {
                "status": {
                    "success": "false",
                    "code": 400,
                    "message": format!("Input is invalid, Please check request parameters or input xml/json: {place}"),
                    "total": "0",
                    "success_count": "0",
                },
                "customers": null,
            }})
        );
    }
}

/// The sample shows an empty customer; ours says what was sent and what was wrong with it.
#[test]
fn all_failed() {
    let app = App::start();
    let reply = app.till("till.001").add(&json!([{"firstname": "Raj", "external_id": ""}]));
    let sample: Value = serde_json::from_str(&fixture("response-all-failed.json")).unwrap();
    let json = reply.json();
    assert_eq!(reply.status, 200);
    assert_eq!(differences(&sample["response"]["status"], &json["response"]["status"]), [""; 0]);
    insta::assert_json_snapshot!(reply.customer(0), @r#"
    {
      "mobile": null,
      "email": null,
      "external_id": null,
      "firstname": "Raj",
      "lastname": null,
      "item_status": {
        "success": "false",
        "code": "1007",
        "message": "Error in customer registration: No Valid Mobile Number or External ID or Email provided required for registration",
        "warnings": {
          "warning": []
        }
      }
    }
    "#);
}
