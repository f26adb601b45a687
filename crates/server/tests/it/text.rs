//! Text in one form: every text of a request, and everything by which something is looked up.

use std::collections::{BTreeMap, BTreeSet};

use patron_rules::organisation::{Kind, Organisation, TillId};
use patron_rules::submission::Submission;
use patron_rules::validate::{Registration, validate};
use patron_server::auth::password::md5_hex;
use patron_server::v1_1::customer::{request, request_xml};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::admin;
use crate::app::{App, NOW, Reply, code};

/// The text with what nobody sees before, in and behind it.
fn variant(plain: &str) -> String {
    let mut characters = plain.chars();
    let first: String = characters.by_ref().take(1).collect();
    format!("\u{feff}{first}\u{200b}\u{202e}{}\u{2060}\u{fffe}", characters.as_str())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A customer with every member that the OpenAPI document has, each with the document's own example.
fn example(schema: &Value, schemas: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return example(&schemas[name.rsplit('/').next().unwrap()], schemas);
    }
    if let Some(one) = schema["oneOf"].as_array() {
        return example(one.iter().find(|one| one["type"] != "null").unwrap(), schemas);
    }
    if let Some(members) = schema["properties"].as_object() {
        let members = members.iter().map(|(name, schema)| (name.clone(), example(schema, schemas)));
        return Value::Object(members.collect());
    }
    if !schema["items"].is_null() {
        return json!([example(&schema["items"], schemas)]);
    }
    let first = schema["examples"].get(0).or_else(|| schema["enum"].get(0));
    first.cloned().unwrap_or_else(|| json!("AB-12"))
}

/// The pointers to the texts of a value.
fn texts(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| texts(value, &format!("{pointer}/{name}"), found));
        }
        Value::Array(entries) => {
            let entries = entries.iter().enumerate();
            entries.for_each(|(index, value)| texts(value, &format!("{pointer}/{index}"), found));
        }
        Value::String(_) => found.push(pointer.to_owned()),
        _ => panic!("{pointer} is no text: {value}"),
    }
}

/// The value as elements.
fn elements(name: &str, value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let inside: String =
                members.iter().map(|(name, value)| elements(name, value)).collect();
            format!("<{name}>{inside}</{name}>")
        }
        Value::Array(entries) => entries.iter().map(|entry| elements(name, entry)).collect(),
        Value::String(text) => {
            let reference = |character| format!("&#{};", u32::from(character));
            // No XML document can refer to this one.
            let characters = text.chars().filter(|character| *character != '\u{fffe}');
            let references: Vec<String> = characters.map(reference).collect();
            format!("<{name}>{}</{name}>", references.concat())
        }
        _ => String::new(),
    }
}

fn organisation() -> Organisation {
    let mut organisation = Organisation::default();
    for (kind, document) in [
        (Kind::Settings, json!({"COUNTRY": "IN"})),
        (Kind::Tills, json!({"name": "till.001"})),
        (Kind::CustomFields, json!({"name": "City_name"})),
        (Kind::ExtendedFields, json!({"name": "City_name"})),
    ] {
        organisation.documents_mut(kind).put(&document.to_string()).unwrap();
    }
    organisation
}

fn registration(submission: &Submission) -> Registration {
    let now = NOW.parse().unwrap();
    validate(submission, &organisation(), Ok(TillId(1)), now).outcome.unwrap()
}

/// A customer as each format has it.
fn submissions(customer: &Value) -> [Submission; 2] {
    let json = json!({"root": {"customer": [customer]}}).to_string();
    let mut xml = request_xml::decode(&elements("root", &json!({"customer": customer})))
        .unwrap()
        .customers(true);
    let mut json = request::decode(&json).unwrap().customers(true);
    [json.remove(0).0, xml.remove(0).0]
}

#[test]
fn every_text_of_a_request_has_one_form() {
    let document = App::start().anonymous().get("/openapi.json").json();
    let customer = example(&json!({"$ref": "/CustomerToAdd"}), &document["components"]["schemas"]);
    let plain = submissions(&customer);
    let [in_json, in_xml] = plain.each_ref().map(registration);
    assert_eq!(in_json, in_xml);
    let mut pointers = Vec::new();
    texts(&customer, "", &mut pointers);
    assert!(pointers.len() > 30, "{pointers:?}");
    for pointer in pointers {
        let with = |value: Value| {
            let mut customer = customer.clone();
            *customer.pointer_mut(&pointer).unwrap() = value;
            submissions(&customer)
        };
        let text = customer.pointer(&pointer).unwrap().as_str().unwrap();
        for sent in with(json!(variant(text))) {
            assert_eq!(sent.malformed, [], "{pointer}");
            assert_eq!(registration(&sent), in_json, "{pointer}");
        }
        // Otherwise the member is not read, and the walk shows nothing.
        assert_ne!(with(Value::Null), plain, "{pointer}");
        for (blank, absent) in with(json!("\u{200b} \u{feff}")).iter().zip(&with(Value::Null)) {
            assert_eq!(blank, absent, "{pointer}");
        }
    }
}

/// An operation's parameter in the query or the path that is a text.
struct Lookup {
    method: String,
    template: String,
    name: String,
    in_path: bool,
}

/// Every such parameter of the OpenAPI document.
fn lookups(app: &App) -> Vec<Lookup> {
    let document = app.anonymous().get("/openapi.json").json();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let texts = parameters.iter().filter(|parameter| {
                let schema = &parameter["schema"];
                parameter["in"] != "header"
                    && schema["type"] == "string"
                    && schema["enum"].is_null()
            });
            found.extend(texts.map(|parameter| Lookup {
                method: method.to_uppercase(),
                template: path.clone(),
                name: parameter["name"].as_str().unwrap().to_owned(),
                in_path: parameter["in"] == "path",
            }));
        }
    }
    found
}

/// The path of an operation with these values; of the parameters of the query this one alone, and
/// what cannot be left out.
fn path(path: &str, values: &BTreeMap<String, String>, queried: Option<&str>) -> String {
    let mut filled = path.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("{{{name}}}"), &encoded(value));
    }
    let query =
        queried.map(|name| format!("&{name}={}", encoded(&values[name]))).unwrap_or_default();
    let needed = if path.contains("audit") { "entityType=CUSTOMER&entityId=100000001" } else { "" };
    match format!("{needed}{query}").trim_start_matches('&') {
        "" => filled,
        query => format!("{filled}?{query}"),
    }
}

/// A value of each parameter by which something is found.
fn known(app: &App) -> BTreeMap<String, String> {
    let till = app.till("till.001");
    let card = json!({"card_number": "CARD-1"});
    let customer = json!({"mobile": "919876543210", "email": "a@b.in", "external_id": "C-77", "card_details": card});
    let added = till.add_one(&customer);
    let id = added["user_id"].to_string();
    let known = till.get(&format!("/v1.1/customer/get?id={id}&referral_codes=true")).customer(0);
    let code = &known["referral_codes"]["referral_code"][0]["code"];
    [
        ("organisation", "demo"),
        ("name", "till.001"),
        ("file", "index.css"),
        ("after", "a"),
        ("mobile", "919876543210"),
        ("email", "a@b.in"),
        ("external_id", "C-77"),
        ("card_number", "CARD-1"),
        ("id", &id),
        ("code", code.as_str().unwrap_or("NONE")),
        ("source", "INSTORE"),
        ("sortBy", "autoUpdateTime"),
        ("startDate", "2020-01-01"),
        ("endDate", "2030-01-01"),
        ("referenceType", "Identifier"),
        ("referenceValue", "mobile"),
        ("card_external_id", "CARD-1"),
        ("coupon_status", "active"),
        ("coupon_offer", "WELCOME"),
        ("coupon_order_by", "valid_till"),
        ("coupon_sort_order", "asc"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

#[test]
fn every_lookup_takes_each_form_of_a_text() {
    let app = App::start();
    let (till, operator, known) = (app.till("till.001"), app.operator(), known(&app));
    let client = |path: &str| if path.starts_with("/admin/") { &operator } else { &till };
    for Lookup { method, template, name, in_path } in lookups(&app) {
        // The pages of `/docs` are files, whose names nobody writes.
        if method != "GET" || template == "/docs/{file}" {
            continue;
        }
        let ask = |value: String| {
            let mut values = known.clone();
            values.insert(name.clone(), value);
            let queried = (!in_path).then_some(name.as_str());
            let reply = client(&template).get(&path(&template, &values, queried));
            (reply.status, reply.text)
        };
        let (plain, other) = (ask(known[&name].clone()), ask(variant(&known[&name])));
        if template == "/v1.1/customer/get" {
            assert_eq!(other.0, plain.0, "{name}");
        } else {
            assert_eq!(other, plain, "{name} of {template}");
        }
    }
    for name in ["mobile", "email", "external_id", "id", "card_number"] {
        let found =
            till.get(&format!("/v1.1/customer/get?{name}={}", encoded(&variant(&known[name]))));
        assert_eq!(found.customer(0)["external_id"], "C-77", "{name}: {}", found.text);
    }
}

/// PostgreSQL takes no NUL, and SQLite finds nothing by it.
#[test]
fn nothing_is_found_by_a_text_with_nul() {
    let app = App::start();
    let (till, operator, known) = (app.till("till.001"), app.operator(), known(&app));
    for Lookup { method, template, name, in_path } in lookups(&app) {
        let is_admin = template.starts_with("/admin/");
        let expected: &[u16] = match (is_admin, in_path) {
            (_, true) => &[404],
            (true, false) => &[400],
            (false, false) => &[200, 400],
        };
        for text in ["\0", "a\0b", "demo\0"] {
            let mut values = known.clone();
            values.insert(name.clone(), text.to_owned());
            let path = path(&template, &values, (!in_path).then_some(name.as_str()));
            let client = if is_admin { &operator } else { &till };
            let body =
                if method == "GET" { Value::Null } else { json!({"password": "corner-lamp-7"}) };
            let reply = client.request(&method, &path, &[], &body);
            let Reply { status, text, .. } = reply;
            assert!(expected.contains(&status), "{method} {path}: {status} {text}");
        }
    }
    // A text without a digit is no mobile number and no id, and one without `@` is no email address.
    for (name, code) in [
        ("mobile", "400"),
        ("email", "400"),
        ("external_id", "1012"),
        ("id", "400"),
        ("card_number", "1012"),
    ] {
        let found = till.get(&format!("/v1.1/customer/get?{name}=%00"));
        assert_eq!(found.customer(0)["item_status"]["code"], code, "{name}: {}", found.text);
    }
}

#[test]
fn nobody_signs_in_with_nul() {
    let app = App::start();
    let names = ["\0", "till\0.001", "till.001\0"];
    for name in names {
        assert_eq!(
            app.basic(name, &md5_hex("demo")).get("/v1.1/customer/get?id=1").status,
            401,
            "{name:?}"
        );
        let credentials = json!({"name": name, "password": "owner everywhere"});
        let organisation = json!({"organisation": name, "name": "demo", "password": "demo"});
        for credentials in [credentials, organisation] {
            let refused = admin::post(&app.anonymous(), "/admin/api/v1/sessions", &credentials);
            admin::problem(&refused, 401);
        }
        let credentials = json!({"key": name, "secret": "x"});
        let token = admin::post(&app.anonymous(), "/v3/oauth/token/generate", &credentials);
        assert_eq!(token.status, 401, "{name:?}: {}", token.text);
    }
}

#[test]
fn a_till_signs_in_with_each_form_of_its_name() {
    let app = App::start();
    let operator = app.operator();
    let tills = format!("{}/tills", admin::DEMO);
    let made = admin::post(&operator, &tills, &json!({"name": "\u{feff}cafe\u{301}\u{200b} 1"}));
    assert_eq!((made.status, &made.json()["name"]), (201, &json!("café 1")), "{}", made.text);
    assert_eq!(made.header("Location"), format!("{tills}/caf%C3%A9%201"));
    let password = format!("{tills}/{}/password", encoded("cafe\u{301} 1"));
    let set = admin::put(&operator, &password, &json!({"password": "corner-lamp-7"}));
    assert_eq!(set.status, 204, "{}", set.text);
    for form in ["café 1", "cafe\u{301} 1", "\u{202e}café 1", "café\u{200d} 1\u{fffe}"] {
        let till = app.basic(form, &md5_hex("corner-lamp-7"));
        assert_eq!(till.get("/v1.1/customer/get?id=1").status, 200, "{form:?}");
        let shown = admin::get(&operator, &format!("{tills}/{}", encoded(form)));
        assert_eq!(shown.json()["name"], "café 1", "{form:?}");
    }
    let customer = json!({"external_id": "X", "registered_till": "cafe\u{301} 1"});
    assert_eq!(app.till("till.001").add_one(&customer)["item_status"]["code"], "1000");
    let refused = admin::post(&operator, &tills, &json!({"name": "caf\u{200d}e"}));
    let problem = admin::problem(&refused, 422).to_string();
    let named = problem.contains("/name") && problem.contains("character 4 is U+200D");
    assert!(named, "{problem}");
}

#[test]
fn two_forms_of_an_identifier_are_one_customer() {
    let app = App::start();
    let till = app.till("till.001");
    for (plain, others) in [
        ("C-77", &["\u{feff}C-77", "C-77\u{200b}", "C\u{ad}-77", "\u{202e}C-77\u{fffe}"][..]),
        ("CAF\u{c9}-7", &["CAFE\u{301}-7", "CAFE\u{200b}\u{301}-7"]),
    ] {
        let first = till.add_one(&json!({"external_id": plain}));
        assert_eq!(first["side_effects"]["effect"][0]["awarded_points"], 100, "{first}");
        for other in others {
            let again = till.add_one(&json!({"external_id": other}));
            assert_eq!(again["user_id"], first["user_id"], "{other:?}");
            assert_eq!(again["external_id"], plain, "{other:?}");
            assert_eq!(again["side_effects"]["effect"], json!([]), "{other:?}");
        }
    }
    let card = |number: &str| json!({"card_number": number});
    till.add_one(&json!({"external_id": "holder", "card_details": card("CARD-1")}));
    let other = json!({"external_id": "other", "card_details": card("\u{feff}CARD\u{200b}-1")});
    let refused = till.add_one(&other);
    assert_eq!(code(&refused), "1000 91007");
}

#[test]
fn a_whole_number_is_one_text() {
    let app = App::start();
    let till = app.till("till.001");
    app.set_up(Kind::CustomFields, &json!({"name": "pin"}));
    let add = |external_id: &str, pin: &str| {
        let field = format!(r#"{{"field":[{{"name":"pin","value":{pin}}}]}}"#);
        let body = format!(
            r#"{{"root":{{"customer":[{{"external_id":{external_id},"custom_fields":{field}}}]}}}}"#
        );
        till.add_text(&body).customer(0)
    };
    let ids: BTreeSet<String> = ["12345", "12345.0", "1.2345e4", "123450E-1", "\"12345\""]
        .into_iter()
        .map(|id| add(id, "411001.0"))
        .inspect(|added| {
            assert_eq!(added["custom_fields"]["field"][0]["value"], "411001", "{added}");
        })
        .map(|added| added["user_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    for (number, reason) in
        [("1234.5", "a text or a whole number"), ("1e400", "at most 250 digits")]
    {
        let refused = add(number, "1");
        let message = refused["item_status"]["message"].to_string();
        assert_eq!(refused["item_status"]["code"], "10001", "{refused}");
        assert!(message.contains(reason), "{number}: {message}");
    }
    let dropped = add("1", "1e400");
    assert_eq!(code(&dropped), "1000 1017");
    assert_eq!(add("1", "4.50")["custom_fields"]["field"][0]["value"], "4.50");
}

#[test]
fn a_name_without_a_visible_character_replaces_nothing() {
    let till = App::start();
    let till = till.till("till.001");
    let add = |name: &str| {
        till.add_one(&json!({"external_id": "R", "firstname": name}))["firstname"].clone()
    };
    assert_eq!(add("Rajesh"), "Rajesh");
    for blank in ["\u{200b}", "\u{3164}", "\u{202e}\u{202c} ", "\0"] {
        assert_eq!(add(blank), "Rajesh", "{blank:?}");
    }
    assert_eq!(add("Mary\tJane"), "Mary Jane");
    let xml = "<root><customer><external_id>R&#xFEFF;</external_id><firstname>van\n der Berg</firstname></customer></root>";
    let reply = till.post("/v1.1/customer/add?format=xml", "application/xml", xml.as_bytes());
    assert!(reply.text.contains("<firstname>van der Berg</firstname>"), "{}", reply.text);
}

/// A letter with hundreds of marks is one that a reader sees, and is no name.
#[test]
fn a_letter_with_too_many_marks_is_left_out() {
    let app = App::start();
    let till = app.till("till.001");
    till.add_one(&json!({"external_id": "A", "firstname": "Asha", "lastname": "Rao"}));
    let marked = format!("e{}", "\u{301}\u{302}".repeat(200));
    let known = till.add_one(&json!({"external_id": "A", "firstname": marked, "lastname": marked}));
    assert_eq!(code(&known), "1000 91003");
    assert_eq!((&known["firstname"], &known["lastname"]), (&json!("Asha"), &json!("Rao")));
    let message = known["item_status"]["message"].as_str().unwrap();
    for member in ["firstname", "lastname"] {
        let expected = format!("{member} (expected at most 30 characters that make up one,");
        assert!(message.contains(&expected), "{message}");
    }
    let strict = App::with_settings(&[("STRICT_EXTRAS", "1")]);
    let refused =
        strict.till("till.001").add_one(&json!({"external_id": "A", "firstname": marked}));
    assert_eq!(code(&refused), "10001");
}
