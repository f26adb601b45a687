//! Every member of a customer with every wrong form, in JSON and in XML. The members come from the
//! OpenAPI document, so that a new one is covered.

use serde_json::{Value, json};

use crate::app::{App, Client};

/// The members that refuse the customer, with the code.
const REFUSING: [(&str, &str); 8] = [
    ("/mobile", "10001 1001"),
    ("/email", "10001 1002"),
    ("/external_id", "10001 1003"),
    ("/type", "10001"),
    ("/source", "10001"),
    ("/registered_on", "1034"),
    ("/registered_till", "91020"),
    ("/associated_with", "91021"),
];

/// A customer with an entry in each list.
fn customer(number: usize) -> Value {
    json!({
        "mobile": format!("9198765{number:05}"),
        "external_id": format!("A-{number}"),
        "fraud_status": {"status": "NORMAL"},
        "commChannels": [
            {"type": "email", "value": "a@example.com", "primary": true, "meta": {"office": true}},
            {"type": "postmail", "value": "BTM"},
        ],
        "custom_fields": {"field": [{"name": "City_name", "value": "Pune"}]},
        "extended_fields": {"field": [{"name": "age", "value": "25"}]},
        "subscriptions": {
            "subscription": [{"channel": "sms", "priority": "BULK", "is_subscribed": "1"}],
        },
        "card_details": {"card_number": format!("C-{number}")},
    })
}

/// Pointers to every member of a schema, with the first entry of each list.
fn members(api: &Value, schema: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        return members(api, &api.pointer(&reference[1..]).unwrap().clone(), place, found);
    }
    for alternative in schema["oneOf"].as_array().into_iter().flatten() {
        members(api, alternative, place, found);
    }
    if let Some(items) = schema.get("items") {
        found.push(format!("{place}/0"));
        members(api, items, &format!("{place}/0"), found);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        found.push(place.clone());
        members(api, member, &place, found);
    }
}

fn every_member(app: &App) -> Vec<String> {
    let api: Value = serde_json::from_str(&app.anonymous().get("/openapi.json").text).unwrap();
    let mut found = Vec::new();
    members(&api, &json!({"$ref": "#/components/schemas/CustomerToAdd"}), "", &mut found);
    for known in ["/updated_on", "/commChannels/0/meta/office", "/fraud_status/status"] {
        assert!(found.iter().any(|member| member == known), "{known}: {found:?}");
    }
    found
}

/// Puts a value at a pointer, and makes the objects on the way.
fn put(customer: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match customer.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.insert(name.to_owned(), value)),
        Some(Value::Array(entries)) => entries[name.parse::<usize>().unwrap()] = value,
        other => panic!("{pointer}: {other:?}"),
    }
}

/// Refuses with one of the codes, or registers the customer; `is_wrong` asks for a warning.
fn check(reply: &Value, member: &str, is_wrong: bool, sent: &str) {
    let code = reply["item_status"]["code"].as_str().unwrap();
    let refusing = REFUSING.iter().find(|(name, _)| *name == member);
    let is_refused = refusing.is_some_and(|(_, codes)| codes.split(' ').any(|one| one == code));
    assert!(code == "1000" || is_refused, "{member} {sent}: {reply}");
    let warnings = reply["item_status"]["warnings"]["warning"].as_array().unwrap();
    assert!(is_refused || !is_wrong || !warnings.is_empty(), "{member} {sent}: {reply}");
}

#[test]
fn no_wrong_json_type_of_an_optional_member_fails_the_customer() {
    let app = App::start();
    let till = app.till("till.001");
    // With whether the value is wrong in every place.
    let values = [
        (json!(null), false),
        (json!(""), false),
        (json!(" "), false),
        (json!({}), false),
        (json!([]), false),
        (json!(true), false),
        (json!(12), false),
        (json!(1.5), false),
        (json!("x"), false),
        (json!([[]]), false),
        (json!({"field": {}}), true),
        (json!({"x": {"y": []}}), true),
        (json!([null]), true),
        (json!([true]), true),
        (json!([["x"]]), true),
        (json!([[{"type": "email", "value": "b@example.com"}]]), true),
    ];
    for (round, member) in every_member(&app).iter().enumerate() {
        // Several values of a custom field are accepted as the text of a JSON array, and the index
        // of a list's entry is no member.
        let takes_arrays = member == "/custom_fields/field/0/value";
        let customers = values.iter().enumerate().map(|(index, (value, _))| {
            let mut customer = customer(round * values.len() + index);
            put(&mut customer, member, value.clone());
            customer
        });
        let reply = till.add(&Value::Array(customers.collect()));
        for (index, (value, is_wrong)) in values.iter().enumerate() {
            let is_wrong = *is_wrong && !(takes_arrays && value.is_array());
            // `{"field": {}}` is empty where fields are expected.
            let fields = ["/custom_fields", "/extended_fields"].contains(&member.as_str());
            let is_wrong = is_wrong && !(fields && *value == json!({"field": {}}));
            check(&reply.customer(index), member, is_wrong, &value.to_string());
        }
    }
}

/// An element of this name, with what `customer` has inside, but these elements at the pointer.
fn element(name: &str, value: &Value, place: &str, pointer: &str, instead: &str) -> String {
    if place == pointer {
        return instead.replace("<m", &format!("<{name}")).replace("</m", &format!("</{name}"));
    }
    match value {
        Value::Object(members) => {
            let missing = pointer
                .strip_prefix(place)
                .and_then(|rest| rest.strip_prefix('/'))
                .filter(|rest| !rest.contains('/') && !members.contains_key(*rest));
            let missing = missing.map(|name| {
                element(name, &Value::Null, &format!("{place}/{name}"), pointer, instead)
            });
            let inside = members.iter().map(|(name, value)| {
                element(name, value, &format!("{place}/{name}"), pointer, instead)
            });
            format!("<{name}>{}</{name}>", inside.chain(missing).collect::<String>())
        }
        Value::Array(entries) => {
            let entry = |(index, value)| {
                element(name, value, &format!("{place}/{index}"), pointer, instead)
            };
            entries.iter().enumerate().map(entry).collect()
        }
        Value::String(text) => format!("<{name}>{text}</{name}>"),
        other => format!("<{name}>{other}</{name}>"),
    }
}

fn add_xml(till: &Client, customers: &str) -> crate::app::Reply {
    let body = format!("<root>{customers}</root>");
    till.post_for("/v1.1/customer/add", "application/xml", "application/json", body.as_bytes())
}

#[test]
fn no_wrong_xml_shape_of_an_optional_member_fails_the_customer() {
    let app = App::start();
    let till = app.till("till.001");
    let shapes = [
        ("<m/>", false),
        ("<m> </m>", false),
        ("<m>x</m>", false),
        ("<m>true</m>", false),
        ("<m><element/></m>", false),
        ("<m><x/></m>", false),
        ("<m><x>1</x></m>", true),
        ("<m><x><y>1</y></x></m>", true),
        ("<m>x</m><m><x>1</x></m>", true),
        ("<m><element><element>x</element></element></m>", true),
    ];
    for (round, member) in every_member(&app).iter().enumerate() {
        let takes_arrays = member == "/custom_fields/field/0/value";
        let customers = shapes.iter().enumerate().map(|(index, (shape, _))| {
            let customer = customer(round * shapes.len() + index);
            element("customer", &customer, "", member, shape)
        });
        let reply = add_xml(&till, &customers.collect::<String>());
        for (index, (shape, is_wrong)) in shapes.iter().enumerate() {
            let is_array = shape.contains("element") || shape.contains("m><m");
            let is_wrong = *is_wrong && !(takes_arrays && is_array);
            check(&reply.customer(index), member, is_wrong, shape);
        }
    }
}

/// What the warnings name.
#[test]
fn warnings_name_the_entry() {
    let app = App::start();
    let till = app.till("till.001");
    for (member, value, codes, named) in [
        ("commChannels", json!([null]), "91003", "commChannels/0 (expected an object, found null)"),
        (
            "commChannels",
            json!(["x"]),
            "91003",
            "commChannels/0 (expected an object, found a text)",
        ),
        (
            "commChannels",
            json!([{"type": ["mobile"], "value": "a@b.in"}]),
            "91003",
            "commChannels/0/type (expected a text, found an array)",
        ),
        ("commChannels", json!({}), "", ""),
        ("commChannels", json!([]), "", ""),
        ("custom_fields", json!({"field": {}}), "", ""),
        ("subscriptions", json!({"subscription": {}}), "", ""),
        (
            "custom_fields",
            json!({"field": [["City_name", "Pune"]]}),
            "1017",
            "Custom Field is invalid",
        ),
        ("extended_fields", json!({"field": [["age", "25"]]}), "91015", "too long: "),
        ("subscriptions", json!({"subscription": [["sms", "BULK", "all", "1"]]}), "1101 91022", ""),
        (
            "card_details",
            json!([["4711"]]),
            "91003",
            "card_details (expected an object, found an array)",
        ),
        (
            "fraud_status",
            json!(true),
            "91003",
            "fraud_status (expected an object or an array of objects)",
        ),
        ("updated_on", json!("then"), "91003", "updated_on (expected YYYY-MM-DD HH:MM:SS)"),
        ("updated_on", json!("9999-12-31 23:59:59"), "91003", "updated_on (expected YYYY"),
    ] {
        let mut customer = json!({"mobile": "919876543210"});
        customer[member] = value;
        let reply = till.add_one(&customer);
        let expected = format!("1000 {codes}");
        assert_eq!(crate::app::code(&reply), expected.trim_end(), "{customer}");
        let message = reply["item_status"]["message"].as_str().unwrap();
        assert!(message.contains(named), "{customer}: {message}");
        assert_eq!(reply["custom_fields"]["field"], json!([]), "{customer}");
        if !codes.is_empty() {
            let strict = App::with_settings(&[("STRICT_EXTRAS", "1")]);
            let refused = strict.till("till.001").add_one(&customer);
            assert_eq!(crate::app::code(&refused), "10001", "{customer}");
        }
    }
}
