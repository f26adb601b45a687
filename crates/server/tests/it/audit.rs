//! `GET /api_gateway/v2/audits` and `/v2/auditLog/get`: what changed of a customer, who asked for
//! it, and by which request.

use patron_rules::organisation::Kind;
use serde_json::{Value, json};

use crate::app::{App, Client, Reply};

/// The audit of a customer, asked for with this query behind.
fn audits(client: &Client, customer: &Value, query: &str) -> Reply {
    let id = customer["user_id"].as_i64().unwrap();
    let path = "/api_gateway/v2/audits?entityType=CUSTOMER";
    client.get(&format!("{path}&entityId={id}{query}"))
}

/// The entries of a page.
fn entries(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["data"].as_array().unwrap().clone()
}

/// What changed, as `type/field: before > after`.
fn told(entry: &Value) -> Vec<String> {
    let events = entry["events"].as_array().unwrap();
    let told = |event: &Value| {
        let (kind, field) = (&event["eventType"], &event["updatedField"]);
        let fields = &event["additionalFields"];
        let (before, after) = (&fields["previousValue"], &fields["currentValue"]);
        let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
        format!("{}/{}: {} > {}", text(kind), text(field), text(before), text(after))
    };
    events.iter().map(told).collect()
}

#[test]
fn a_registration_is_told_whole() {
    let app = App::start();
    let till = app.till("till.001");
    let reply = till.add(&json!([{
        "mobile": "919876543210", "email": "Asha@example.com", "external_id": "a-1",
        "firstname": "Asha", "registered_on": "2024-07-29 11:11:11",
        "registered_till": "till_name", "fraud_status": "INTERNAL",
        "commChannels": [{"type": "mobile", "value": "919876543210", "primary": "true"}],
        "subscriptions": {"subscription": [
            {"channel": "sms", "priority": "BULK", "scope": "all", "is_subscribed": "0"},
        ]},
    }]));
    assert_eq!(reply.codes(), ["1000"]);
    let audit = audits(&till, &reply.customer(0), "");
    assert_eq!(audit.header("Content-Type"), "application/json;charset=UTF-8");
    assert_eq!(entries(&audit)[0]["requestId"], reply.header("X-Cap-Requestid"));
    insta::assert_json_snapshot!(audit.json(), { ".data[].requestId" => "[id]" }, @r#"
    {
      "data": [
        {
          "updatedByUser": "till.001",
          "updatedBy": 1,
          "orgId": 1,
          "entityType": "CUSTOMER",
          "entityId": 100000001,
          "createdOn": 1768453200000,
          "requestId": "[id]",
          "till": {
            "code": "till.001",
            "name": "till.001"
          },
          "store": {
            "code": "BLR-01",
            "name": "MG Road"
          },
          "userContextDetails": null,
          "victimUserDetails": null,
          "survivorUserDetails": null,
          "source": "INSTORE",
          "updatedByMode": "API",
          "autoUpdateTime": 1768453200000,
          "events": [
            {
              "eventType": "Identifiers",
              "updatedField": "mobile",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "919876543210"
              },
              "associateEntities": null
            },
            {
              "eventType": "Identifiers",
              "updatedField": "email",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "Asha@example.com"
              },
              "associateEntities": null
            },
            {
              "eventType": "Identifiers",
              "updatedField": "externalId",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "a-1"
              },
              "associateEntities": null
            },
            {
              "eventType": "Standard Fields",
              "updatedField": "FirstName",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "Asha"
              },
              "associateEntities": null
            },
            {
              "eventType": "Standard Fields",
              "updatedField": "Type",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "LOYALTY"
              },
              "associateEntities": null
            },
            {
              "eventType": "Standard Fields",
              "updatedField": "Source",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "INSTORE"
              },
              "associateEntities": null
            },
            {
              "eventType": "Standard Fields",
              "updatedField": "RegisteredOn",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "2024-07-29T05:41:11Z"
              },
              "associateEntities": null
            },
            {
              "eventType": "Standard Fields",
              "updatedField": "RegisteredTill",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "till_name"
              },
              "associateEntities": null
            },
            {
              "eventType": "Customer Status",
              "updatedField": "fraudStatus",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "INTERNAL"
              },
              "associateEntities": null
            },
            {
              "eventType": "Communication Channels",
              "updatedField": "mobile",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "919876543210",
                "previousChannel": null,
                "currentChannel": {
                  "primary": true,
                  "verified": false,
                  "residence": null,
                  "office": null,
                  "lastViewedDate": null
                }
              },
              "associateEntities": null
            },
            {
              "eventType": "Subscription Status",
              "updatedField": "SMS",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "OPTOUT",
                "org_source_id": null,
                "communication_channel_type": "SMS",
                "ou_id": null,
                "communication_channel_id": null,
                "priority": "BULK",
                "org_source": "INSTORE"
              },
              "associateEntities": null
            }
          ]
        }
      ],
      "pagination": {
        "totalElements": 1,
        "totalPages": 1,
        "numberOfElements": 1,
        "number": 0
      }
    }
    "#);
}

#[test]
fn an_update_is_told_with_before_and_after() {
    let app = App::start();
    let till = app.till("till.001");
    let other = app.till("rutuja_capillary");
    till.add_one(&json!({"mobile": "919876543210", "lastname": "Rao", "type": "NON_LOYALTY"}));
    let update = json!({
        "mobile": "919876543210", "external_id": "a-1", "lastname": "Iyer", "type": "LOYALTY",
        "commChannels": [{"type": "mobile", "value": "919876543210", "verified": "true"}],
    });
    let customer = other.add_one(&update);
    let audit = audits(&till, &customer, "&limit=1");
    insta::assert_json_snapshot!(audit.json(), { ".data[].requestId" => "[id]", ".data[].updatedBy" => "[till]" }, @r#"
    {
      "data": [
        {
          "updatedByUser": "rutuja_capillary",
          "updatedBy": "[till]",
          "orgId": 1,
          "entityType": "CUSTOMER",
          "entityId": 100000001,
          "createdOn": 1768453200000,
          "requestId": "[id]",
          "till": {
            "code": "rutuja_capillary",
            "name": "rutuja_capillary"
          },
          "store": null,
          "userContextDetails": null,
          "victimUserDetails": null,
          "survivorUserDetails": null,
          "source": "INSTORE",
          "updatedByMode": "API",
          "autoUpdateTime": 1768453200000,
          "events": [
            {
              "eventType": "Identifiers",
              "updatedField": "externalId",
              "additionalFields": {
                "previousValue": "NA",
                "currentValue": "a-1"
              },
              "associateEntities": null
            },
            {
              "eventType": "Standard Fields",
              "updatedField": "LastName",
              "additionalFields": {
                "previousValue": "Rao",
                "currentValue": "Iyer"
              },
              "associateEntities": null
            },
            {
              "eventType": "Standard Fields",
              "updatedField": "Type",
              "additionalFields": {
                "previousValue": "NON_LOYALTY",
                "currentValue": "LOYALTY"
              },
              "associateEntities": null
            },
            {
              "eventType": "Communication Channels",
              "updatedField": "mobile",
              "additionalFields": {
                "previousValue": "919876543210",
                "currentValue": "919876543210",
                "previousChannel": {
                  "primary": true,
                  "verified": false,
                  "residence": null,
                  "office": null,
                  "lastViewedDate": null
                },
                "currentChannel": {
                  "primary": true,
                  "verified": true,
                  "residence": null,
                  "office": null,
                  "lastViewedDate": null
                }
              },
              "associateEntities": null
            }
          ]
        }
      ],
      "pagination": {
        "totalElements": 2,
        "totalPages": 2,
        "numberOfElements": 1,
        "number": 0
      }
    }
    "#);

    // The same again changes nothing, and is not told.
    other.add_one(&update);
    assert_eq!(audits(&till, &customer, "").json()["pagination"]["totalElements"], 2);
}

#[test]
fn a_merge_is_told_under_both_customers() {
    let app = App::with_settings(&[("MERGE_ON_CONFLICT", "1")]);
    let till = app.till("till.001");
    let survivor = till.add_one(&json!({"mobile": "919876543210", "firstname": "Asha"}));
    let victim = till.add_one(&json!({"email": "asha@example.com", "lastname": "Rao"}));
    till.add_one(&json!({"mobile": "919876543210", "email": "asha@example.com"}));
    let under_survivor = audits(&till, &survivor, "&limit=1");
    insta::assert_json_snapshot!(under_survivor.json(), { ".data[].requestId" => "[id]" }, @r#"
    {
      "data": [
        {
          "updatedByUser": "till.001",
          "updatedBy": 1,
          "orgId": 1,
          "entityType": "CUSTOMER",
          "entityId": 100000001,
          "createdOn": 1768453200000,
          "requestId": "[id]",
          "till": {
            "code": "till.001",
            "name": "till.001"
          },
          "store": {
            "code": "BLR-01",
            "name": "MG Road"
          },
          "userContextDetails": null,
          "victimUserDetails": {
            "firstName": null,
            "lastName": "Rao",
            "email": "asha@example.com",
            "mobile": null,
            "externalId": null
          },
          "survivorUserDetails": {
            "firstName": "Asha",
            "lastName": null,
            "email": null,
            "mobile": "919876543210",
            "externalId": null
          },
          "source": "INSTORE",
          "updatedByMode": "API",
          "autoUpdateTime": 1768453200000,
          "events": [
            {
              "eventType": "Customer Merge",
              "updatedField": "customerId",
              "additionalFields": {
                "previousValue": "100000002",
                "currentValue": "100000001"
              },
              "associateEntities": null
            },
            {
              "eventType": "Identifiers",
              "updatedField": "email",
              "additionalFields": {
                "previousValue": null,
                "currentValue": "asha@example.com"
              },
              "associateEntities": null
            },
            {
              "eventType": "Standard Fields",
              "updatedField": "LastName",
              "additionalFields": {
                "previousValue": null,
                "currentValue": "Rao"
              },
              "associateEntities": null
            },
            {
              "eventType": "Communication Channels",
              "updatedField": "email",
              "additionalFields": {
                "previousValue": null,
                "currentValue": "asha@example.com",
                "previousChannel": null,
                "currentChannel": {
                  "primary": true,
                  "verified": false,
                  "residence": null,
                  "office": null,
                  "lastViewedDate": null
                }
              },
              "associateEntities": null
            }
          ]
        }
      ],
      "pagination": {
        "totalElements": 2,
        "totalPages": 2,
        "numberOfElements": 1,
        "number": 0
      }
    }
    "#);
    let under_victim = audits(&till, &victim, "&limit=1");
    let (victims, survivors) = (&entries(&under_victim)[0], &entries(&under_survivor)[0]);
    for member in ["victimUserDetails", "survivorUserDetails", "requestId"] {
        assert_eq!(victims[member], survivors[member]);
    }
    let merge = "Customer Merge/customerId: 100000002 > 100000001";
    assert_eq!(told(victims), [merge]);
    assert_eq!(told(survivors)[0], merge);
    assert_eq!(victims["entityId"], victim["user_id"]);
}

/// Who signed in, as which till it was posted, and where that stands.
#[test]
fn a_client_is_told_apart_from_the_till_as_which_it_posts() {
    let app = App::start();
    app.set_up(Kind::ApiClients, &json!({"name": "shop app", "default_till": "till.001"}));
    let client = || app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", app.issue("shop app", 60));
    let tills = "X-CAP-API-ATTRIBUTION-TILL-CODE";
    let customer = json!({"mobile": "919876543210"});
    client().add_one(&customer);
    client().with_header(tills, "till.sin").add_one(&json!({
        "mobile": "919876543210", "firstname": "Asha",
    }));
    let nowhere = json!({
        "mobile": "919876543210", "firstname": "Ravi", "registered_till": "till.001",
    });
    let known = client().with_header(tills, "nowhere").add_one(&nowhere);
    app.till("till_name").with_header(tills, "till.sin").add_one(&json!({
        "mobile": "919876543210", "firstname": "Devi",
    }));

    let audit = audits(&app.till("till.001"), &known, "&sortOrder=ASC");
    let told = |entry: &Value| {
        let name = |of: &Value| of["name"].as_str().unwrap_or("nothing").to_owned();
        let user = entry["updatedByUser"].as_str().unwrap();
        format!("{user} as {} in {}", name(&entry["till"]), name(&entry["store"]))
    };
    let told: Vec<_> = entries(&audit).iter().map(told).collect();
    assert_eq!(
        told,
        [
            "shop app as till.001 in MG Road",
            "shop app as till.sin in Orchard",
            "shop app as nothing in nothing",
            "till_name as till.sin in Orchard",
        ]
    );
    assert_eq!(entries(&audit)[2]["updatedBy"], -1);
    assert_eq!(entries(&audit)[1]["store"], json!({"code": "SIN-01", "name": "Orchard"}));
}

#[test]
fn the_user_context_comes_back_as_it_was_sent() {
    let app = App::start();
    let sent = app
        .till("till.001")
        .with_header("USER-CONTEXT-ENTITY-TYPE", b"Intouch Admin User")
        .with_header("user-context-entity-id", b"3124587")
        .with_header("USER-CONTEXT-ENTITY-SOURCE", b"Member_Care?")
        .with_header("USER-CONTEXT-ENTITY-SOURCE-ID", "Žofie \"O'Neil\" <李>".as_bytes());
    let customer = sent.add_one(&json!({"mobile": "919876543210"}));
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "919876543210", "firstname": "Asha"}));
    till.with_header("USER-CONTEXT-ENTITY-ID", b"7")
        .add_one(&json!({"mobile": "919876543210", "firstname": "Ravi"}));

    let till = app.till("till.001");
    let with = entries(&audits(&till, &customer, "&includeUserContext=true&sortOrder=asc"));
    let details = |members: [Value; 4]| {
        let [entity_type, entity_id, source, source_id] = members;
        json!({
            "entityType": entity_type, "entityId": entity_id, "entitySource": source,
            "entitySourceId": source_id,
        })
    };
    let first = ["Intouch Admin User", "3124587", "Member_Care?", "Žofie \"O'Neil\" <李>"];
    assert_eq!(with[0]["userContextDetails"], details(first.map(Value::from)));
    assert_eq!(with[1]["userContextDetails"], details([const { Value::Null }; 4]));
    assert_eq!(
        with[2]["userContextDetails"],
        details([Value::Null, json!("7"), Value::Null, Value::Null])
    );
    let modes: Vec<_> = with.iter().map(|entry| entry["updatedByMode"].clone()).collect();
    assert_eq!(modes, ["Member_Care?", "API", "API"]);

    for query in ["", "&includeUserContext=false"] {
        let without = entries(&audits(&till, &customer, query));
        assert!(without.iter().all(|entry| entry["userContextDetails"] == Value::Null));
    }
}

/// "This field does not have predefined validations": no value fails a registration.
#[test]
fn the_audit_keeps_what_it_can_of_any_user_context() {
    let app = App::start();
    let cut = "é".repeat(255);
    for (name, member, values, kept) in [
        (
            "USER-CONTEXT-ENTITY-TYPE",
            "entityType",
            vec!["é".repeat(256).into_bytes()],
            cut.as_str(),
        ),
        ("USER-CONTEXT-ENTITY-ID", "entityId", vec![b"3124\t587".to_vec()], "3124587"),
        ("USER-CONTEXT-ENTITY-SOURCE", "entitySource", vec![b"a".to_vec(), b"b".to_vec()], "a"),
        ("USER-CONTEXT-ENTITY-SOURCE-ID", "entitySourceId", vec![b"caf\xe9".to_vec()], "café"),
    ] {
        let till = app.till("till.001");
        let till = values.iter().fold(till, |till, value| till.with_header(name, value));
        let mobile = format!("9198765432{:02}", name.len());
        let customer = till.add_one(&json!({"mobile": mobile}));
        assert_eq!(customer["item_status"]["code"], "1000", "{name}");
        let audit = audits(&app.till("till.001"), &customer, "&includeUserContext=true");
        assert_eq!(entries(&audit)[0]["userContextDetails"][member], kept, "{name}");
    }
}

#[test]
fn pages_are_told_with_their_place() {
    let app = App::start();
    let till = app.till("till.001");
    let names = ["Asha", "Bela", "Chandra", "Devi", "Esha"];
    let mut customer = Value::Null;
    for name in names {
        customer = till.add_one(&json!({"mobile": "919876543210", "firstname": name}));
    }
    let page = |query: &str| {
        let reply = audits(&till, &customer, query);
        let afters: Vec<_> = entries(&reply)
            .iter()
            .map(|entry| {
                let name = told(entry).into_iter().find(|text| text.contains("FirstName")).unwrap();
                name.rsplit_once(' ').unwrap().1.to_owned()
            })
            .collect();
        let pagination = &reply.json()["pagination"];
        let number = |member: &str| pagination[member].as_i64().unwrap();
        let numbers = ["totalElements", "totalPages", "numberOfElements", "number"].map(number);
        (afters.join(" "), numbers)
    };
    for (query, expected) in [
        ("", ("Esha Devi Chandra Bela Asha", [5, 1, 5, 0])),
        ("&sortBy=autoUpdateTime&sortOrder=DESC&limit=2", ("Esha Devi", [5, 3, 2, 0])),
        ("&limit=2&pageNo=1", ("Chandra Bela", [5, 3, 2, 1])),
        ("&limit=2&pageNo=2", ("Asha", [5, 3, 1, 2])),
        ("&limit=2&pageNo=3", ("", [5, 3, 0, 3])),
        ("&limit=2&pageNo=4294967295", ("", [5, 3, 0, 4_294_967_295])),
        ("&limit=2&sortOrder=asc", ("Asha Bela", [5, 3, 2, 0])),
        ("&limit=2&sortOrder=ASC&pageNo=2", ("Esha", [5, 3, 1, 2])),
        // What is left out is not counted.
        ("&limit=2&referenceValue=firstname&pageNo=2", ("Asha", [5, 3, 1, 2])),
        ("&startDate=2026-01-16", ("", [0, 0, 0, 0])),
    ] {
        assert_eq!(page(query), (expected.0.to_owned(), expected.1), "{query}");
    }
}

#[test]
fn what_is_not_asked_for_is_left_out() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = till.add_one(&json!({
        "mobile": "919876543210", "email": "asha@example.com", "lastname": "Rao",
        "fraud_status": "INTERNAL", "card_details": {"card_number": "4711"},
        "subscriptions": {"subscription": [
            {"channel": "email", "priority": "TRANS", "is_subscribed": "1"},
        ]},
    }));
    till.add_one(&json!({"mobile": "919876543210", "lastname": "Iyer"}));
    let last_name = ["Standard Fields/LastName: Rao > Iyer", "Standard Fields/LastName: NA > Rao"];
    let mobile = "Identifiers/mobile: NA > 919876543210";
    let channels = [
        "Communication Channels/mobile: NA > 919876543210",
        "Communication Channels/email: NA > asha@example.com",
    ];
    for (query, expected) in [
        ("referenceType=StandardField&referenceValue=LastName", last_name.as_slice()),
        ("referenceValue=lastname", &last_name),
        ("referenceType=Identifier&referenceValue=mobile", &[mobile]),
        ("referenceValue=cardnumber", &["Identifiers/cardnumber: NA > 4711"]),
        ("referenceValue=mobile", &[mobile, channels[0]]),
        ("referenceType=commchannel", &channels),
        ("referenceType=SubscriptionStatus", &["Subscription Status/EMAIL: NA > OPTIN"]),
        ("referenceType=CustomerStatus", &["Customer Status/fraudStatus: NA > INTERNAL"]),
        ("referenceType=CustomerMerge", &[]),
        ("referenceType=CardStatus", &[]),
        ("referenceType=Identifier&referenceValue=LastName", &[]),
        ("referenceValue=LastName&source=instore", &last_name),
        ("referenceValue=LastName&source=WECHAT", &[]),
        // The requests came at 10:30:00 in the organisation's zone.
        ("referenceValue=LastName&startDate=2026-01-15%2010:30:00", &last_name),
        ("referenceValue=LastName&startDate=2026-01-15+10:30:01", &[]),
        ("referenceValue=LastName&endDate=2026-01-15%2010:30:00", &last_name),
        ("referenceValue=LastName&endDate=2026-01-15%2010:29:59", &[]),
        ("referenceValue=LastName&startDate=2026-01-15&endDate=2026-01-15", &last_name),
        ("referenceValue=LastName&startDate=2026-01-16&endDate=2026-01-16", &[]),
        ("referenceValue=LastName&endDate=2026-01-14", &[]),
        ("referenceValue=LastName&startDate=2026-01-15T05:00:00Z", &last_name),
    ] {
        let reply = audits(&till, &customer, &format!("&{query}"));
        let told: Vec<_> = entries(&reply).iter().flat_map(told).collect();
        assert_eq!(told, expected, "{query}");
    }
}

/// "Custom and extended fields are logged only with audit trail enabled." Documents disagree on custom
/// fields, so a setting leaves them out.
#[test]
fn fields_are_told_only_with_an_audit_trail() {
    let (custom, extended) = ("Custom Fields/address: NA > BTM", "Extended Fields/age: NA > 25");
    for (trails, setting, expected) in [
        ([true, true], "1", vec![custom, extended]),
        ([false, true], "1", vec![extended]),
        ([true, false], "1", vec![custom]),
        ([false, false], "1", vec![]),
        ([true, true], "0", vec![extended]),
    ] {
        let app = App::with_settings(&[("AUDIT_CUSTOM_FIELDS", setting)]);
        let [custom, extended] = trails;
        app.set_up(Kind::CustomFields, &json!({"name": "address", "audit_trail": custom}));
        let age = json!({"name": "age", "data_type": "INTEGER", "audit_trail": extended});
        app.set_up(Kind::ExtendedFields, &age);
        let till = app.till("till.001");
        let customer = till.add_one(&json!({
            "mobile": "919876543210",
            "custom_fields": {"field": [{"name": "address", "value": "BTM"}]},
            "extended_fields": {"field": [{"name": "age", "value": "25"}]},
        }));
        assert_eq!(customer["custom_fields"]["field"][0]["value"], "BTM");
        let entries = entries(&audits(&till, &customer, ""));
        let of_fields = entries
            .iter()
            .flat_map(told)
            .filter(|one| !one.starts_with("Standard") && one.contains(" Fields/"));
        assert_eq!(of_fields.collect::<Vec<_>>(), expected, "{trails:?} {setting}");
    }
}

/// "Max 5 each by default", of custom and of extended fields.
#[test]
fn only_so_many_fields_have_an_audit_trail() {
    for (kind, limit) in [
        (Kind::CustomFields, "PRODUCT_CONF_ORG_AUDITABLE_CUSTOM_FIELDS_LIMIT"),
        (Kind::ExtendedFields, "PRODUCT_CONF_ORG_AUDITABLE_EXTENDED_FIELDS_LIMIT"),
    ] {
        let app = App::of(
            "[organisation]\nname = 'demo'\ntime_zone = 'UTC'\n[[tills]]\nname = 'till.001'\n[passwords]\n'till.001' = 'demo'",
        );
        let field = |n: u32| json!({"name": format!("field{n}"), "audit_trail": true});
        for n in 1..=5 {
            app.set_up(kind, &field(n));
        }
        let refused = app.try_set_up(kind, &field(6)).unwrap_err();
        assert!(refused.contains("/audit_trail: 6 fields"), "{refused}");
        app.set_up(kind, &json!({"name": "field6"}));
        app.change_settings(&[(limit, "6")]);
        app.set_up(kind, &field(6));
    }
}

#[test]
fn both_addresses_say_the_same() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = till.add_one(&json!({"mobile": "919876543210"}));
    let query = format!("?entityType=customer&entityId={}&limit=5", customer["user_id"]);
    let newer = till.get(&format!("/api_gateway/v2/audits{query}"));
    let older = till.get(&format!("/v2/auditLog/get{query}"));
    assert_eq!((newer.status, &newer.text), (200, &older.text));
    assert_eq!(entries(&newer).len(), 1);
}

#[test]
fn of_nobody_and_of_somebody_elses_customer_nothing_is_told() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = till.add_one(&json!({"mobile": "919876543210"}));
    let nothing = r#"{"data":[],"pagination":{"totalElements":0,"totalPages":0,"numberOfElements":0,"number":0}}"#;
    let other = app.till("other.till");
    assert_eq!(audits(&other, &customer, "").text, nothing);
    for entity in ["CUSTOMER&entityId=1", "CUSTOMER&entityId=-1", "CARD&entityId=100000001"] {
        let reply = till.get(&format!("/api_gateway/v2/audits?entityType={entity}"));
        assert_eq!((reply.status, reply.text.as_str()), (200, nothing), "{entity}");
    }
}

#[test]
fn a_parameter_that_cannot_be_taken_is_named() {
    let app = App::start();
    let till = app.till("till.001");
    let entity = "entityType=CUSTOMER&entityId=1";
    let date = "takes a date of the form YYYY-MM-DD HH:MM:SS or YYYY-MM-DD";
    for (query, said) in [
        (String::new(), "`entityType` takes CUSTOMER or CARD"),
        ("entityType=TILL&entityId=1".into(), "`entityType` takes CUSTOMER or CARD"),
        ("entityType=CUSTOMER".into(), "`entityId` takes the whole number of an entity"),
        ("entityType=CARD&entityId=x".into(), "`entityId` takes the whole number of an entity"),
        (format!("{entity}&limit=0"), "`limit` takes a whole number from 1 to 100"),
        (format!("{entity}&limit=101"), "`limit` takes a whole number from 1 to 100"),
        (format!("{entity}&pageNo=-1"), "`pageNo` takes a whole number from 0"),
        (format!("{entity}&pageNo=1e3"), "`pageNo` takes a whole number from 0"),
        (format!("{entity}&sortBy=source"), "`sortBy` takes autoUpdateTime"),
        (format!("{entity}&sortOrder=up"), "`sortOrder` takes ASC or DESC"),
        (format!("{entity}&startDate=15/01/2026"), &format!("`startDate` {date}")),
        (format!("{entity}&endDate=2026-02-30"), &format!("`endDate` {date}")),
        (format!("{entity}&includeUserContext=yes"), "`includeUserContext` takes true or false"),
        (format!("{entity}&referenceType=Mobile"), "`referenceType` takes Identifier, "),
    ] {
        let reply = till.get(&format!("/api_gateway/v2/audits?{query}"));
        assert_eq!((reply.status, &reply.response_status()["code"]), (400, &json!(400)), "{query}");
        let message = reply.response_status()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("parameter {said}")), "{query}: {message}");
    }
}

#[test]
fn nobody_reads_it_without_credentials() {
    let app = App::start();
    for path in ["/api_gateway/v2/audits", "/v2/auditLog/get"] {
        let path = format!("{path}?entityType=CUSTOMER&entityId=100000001");
        assert_eq!(app.anonymous().get(&path).status, 401);
        assert_eq!(app.basic("till.001", "wrong").get(&path).status, 401);
    }
}
