//! The OpenAPI document: that it is whole and true, that nobody gets through an endpoint of it who is
//! not meant, and that it can be read.

use std::collections::BTreeSet;
use std::path::Path;

use patron_rules::organisation::Kind;
use patron_server::auth::password::md5_hex;
use patron_server::auth::token::{self, Purpose};
use patron_server::http::endpoints::{Access, ENDPOINTS};
use serde_json::{Value, json};

use crate::app::{App, Client, Reply};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
const ADMIN: &str = "/admin/";
/// The paths of an organisation's own begin so.
const IN_ORGANISATION: &str = "/admin/api/v1/organisations/{organisation}";

/// The paths of the operators with a role in every organisation begin so.
const EVERYWHERE: &str = "/admin/api/v1/operators";

/// What the document says of a method of a path.
struct Operation {
    method: String,
    path: String,
    /// By what a caller may sign in; nothing where anybody may call.
    signed_in_by: Vec<String>,
    has_body: bool,
    /// Its parameters of the query.
    parameters: Vec<Value>,
    statuses: BTreeSet<String>,
}

impl Operation {
    /// Calls it, for a customer and for things of the organisation `demo`.
    fn call(&self, client: &Client) -> Reply {
        let path = self.path.replace("{organisation}", "demo").replace("{name}", "till.001");
        let path = path.replace("{file}", "index.css");
        let about = "?mobile=919876543210&id=100000001&entityType=CUSTOMER&entityId=100000001";
        let query = if path.starts_with(ADMIN) { "" } else { about };
        self.send(client, &format!("{path}{query}"))
    }

    /// Calls it as a caller who is permitted, with this query.
    fn call_with(&self, app: &App, query: &str) -> Reply {
        let path = self.path.replace("{organisation}", "demo").replace("{name}", "till.001");
        let client = if self.is_admins() { app.operator() } else { app.till("till.001") };
        self.send(&client, &format!("{path}?{query}"))
    }

    fn send(&self, client: &Client, path: &str) -> Reply {
        let body = if self.has_body { json!({}) } else { Value::Null };
        client.request(&self.method, path, &[], &body)
    }

    fn is_admins(&self) -> bool {
        self.path.starts_with(ADMIN)
    }
}

fn document(app: &App) -> Value {
    let reply = app.anonymous().get("/openapi.json");
    assert_eq!((reply.status, reply.header("Content-Type")), (200, "application/json"));
    reply.json()
}

fn operations(app: &App) -> Vec<Operation> {
    let document = document(app);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let names = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                signed_in_by: operation["security"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .flat_map(names)
                    .collect(),
                has_body: !operation["requestBody"].is_null(),
                parameters: operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|parameter| parameter["in"] == "query")
                    .cloned()
                    .collect(),
                statuses: names(&operation["responses"]).into_iter().collect(),
            });
        }
    }
    assert!(operations.len() > 50);
    operations
}

/// What has no row in the table is let through to nobody, so there is no other endpoint.
#[test]
fn every_endpoint_is_described_and_says_who_may_call() {
    let app = App::start();
    let row = |method: &str, path: &str, signed_in_by: &[&str]| {
        format!("{method} {path} {}", signed_in_by.join(" "))
    };
    let rows = ENDPOINTS.iter().map(|(method, path, access)| match access {
        Access::Open => row(method.as_str(), path, &[]),
        Access::Caller(_) => row(method.as_str(), path, &["till", "client"]),
    });
    let described = operations(&app).into_iter().filter(|operation| !operation.is_admins());
    let described = described.map(|Operation { method, path, signed_in_by, .. }| {
        let signed_in_by: Vec<&str> = signed_in_by.iter().map(String::as_str).collect();
        row(&method, &path, &signed_in_by)
    });
    assert_eq!(described.collect::<BTreeSet<_>>(), rows.collect::<BTreeSet<_>>());
}

#[test]
fn every_kind_of_document_is_described() {
    let app = App::start();
    let described = operations(&app);
    let has = |method: &str, path: &str| {
        described.iter().any(|operation| operation.method == method && operation.path == path)
    };
    for kind in Kind::ALL {
        let all = match kind {
            Kind::Organisation => IN_ORGANISATION.to_owned(),
            kind => format!("{IN_ORGANISATION}/{}", kind.name()),
        };
        let each = format!("{all}/{{name}}");
        let wanted: &[(&str, &str)] = if kind.is_single() {
            &[("GET", &all), ("PUT", &all), ("PATCH", &all)]
        } else {
            &[
                ("GET", &all),
                ("POST", &all),
                ("GET", &each),
                ("PUT", &each),
                ("PATCH", &each),
                ("DELETE", &each),
            ]
        };
        for (method, path) in wanted {
            assert!(has(method, path), "{method} {path}");
        }
    }
}

/// A path has the methods that are described, and no other.
#[test]
fn no_path_has_a_method_that_is_not_described() {
    let app = App::start();
    let operator = app.operator();
    let described = operations(&app);
    for Operation { path, .. } in &described {
        for method in METHODS {
            let known = described.iter().any(|other| other.path == *path && other.method == method);
            if known {
                continue;
            }
            let operation = Operation {
                method: method.to_owned(),
                path: path.clone(),
                signed_in_by: Vec::new(),
                has_body: false,
                parameters: Vec::new(),
                statuses: BTreeSet::new(),
            };
            assert_eq!(operation.call(&operator).status, 405, "{method} {path}");
        }
    }
}

/// A till or client gets nothing without credentials, with wrong ones, with too few rights; and with
/// those of another organisation nothing of this one.
#[test]
fn every_operation_keeps_out_callers_whom_it_is_not_for() {
    let app = App::start();
    let customer = json!([{"mobile": "919876543210", "firstname": "Confidential"}]);
    assert_eq!(app.till("till.001").add(&customer).status, 200);
    app.set_up(Kind::AccessGroups, &json!({"name": "nothing", "data_api": {}}));
    app.set_up(Kind::Stores, &json!({"name": "nothing", "access_group": "nothing"}));
    app.set_up(Kind::Tills, &json!({"name": "till_name", "store": "nothing"}));
    app.set_up(
        Kind::ApiClients,
        &json!({"name": "app", "default_till": "till.001", "access_group": "nothing"}),
    );
    let with_token = |token: &str| app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", token);
    let kept_out = [
        (app.anonymous(), 401),
        (app.basic("till.001", &md5_hex("wrong")), 401),
        (app.basic("nobody", &md5_hex("demo")), 401),
        (with_token(&token::generate(Purpose::Token).unwrap()), 401),
        (with_token(&app.issue("app", -60)), 401),
        (app.operator(), 401),
        (app.till("till_name"), 403),
        (with_token(&app.issue("app", 60)), 403),
    ];
    let mut tried = 0;
    for operation in operations(&app).iter().filter(|one| !one.is_admins()) {
        let Operation { method, path, signed_in_by, statuses, .. } = operation;
        if signed_in_by.is_empty() {
            assert!(!operation.call(&app.anonymous()).text.contains("Confidential"), "{path}");
            continue;
        }
        for (client, status) in &kept_out {
            let reply = operation.call(client);
            assert_eq!(reply.status, *status, "{method} {path}");
            assert!(statuses.contains(&status.to_string()), "{method} {path}");
            assert!(!reply.text.contains("Confidential"), "{method} {path}: {}", reply.text);
        }
        let foreign = operation.call(&app.till("other.till"));
        assert!(foreign.status < 500, "{method} {path}");
        assert!(!foreign.text.contains("Confidential"), "{method} {path}: {}", foreign.text);
        tried += 1;
    }
    assert_eq!(tried, 5);
}

/// The same for operators. Whoever has no role in an organisation is told that it is not there.
#[test]
fn every_operation_keeps_out_operators_whom_it_is_not_for() {
    let app = App::start();
    let owner = app.operator();
    let role = |organisation: &str, name: &str, role: &str| {
        let path = format!("/admin/api/v1/organisations/{organisation}/operators/{name}");
        let document = json!({"role": role, "password": "long enough, is it not"});
        assert_eq!(owner.request("PUT", &path, &[], &document).status, 204);
        app.sign_in_to(organisation, name, "long enough, is it not").unwrap()
    };
    let (reader, foreigner) =
        (role("demo", "reader", "reader"), role("demo2", "foreigner", "owner"));
    let nobody = [
        app.anonymous(),
        app.till("till.001"),
        app.basic("demo", "demo"),
        Client::bearer(app.address, "patron_session_AAAA"),
    ];
    for operation in operations(&app).iter().filter(|one| one.is_admins()) {
        let Operation { method, path, signed_in_by, statuses, .. } = operation;
        if signed_in_by.is_empty() {
            assert_eq!(path, "/admin/api/v1/sessions", "who signs in is not signed in yet");
            continue;
        }
        assert_eq!(*signed_in_by, ["operator"], "{method} {path}");
        let refused = |client: &Client, status: u16| {
            let reply = operation.call(client);
            assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
            assert!(statuses.contains(&status.to_string()), "{method} {path}");
            assert_eq!(reply.header("Content-Type"), "application/problem+json");
        };
        for client in &nobody {
            refused(client, 401);
        }
        if path.starts_with(IN_ORGANISATION) {
            refused(&foreigner, 404);
            if method == "GET" {
                let seen = operation.call(&reader).status;
                assert!([200, 404].contains(&seen), "{method} {path}: {seen}");
            } else {
                refused(&reader, 403);
            }
        }
        if path.starts_with(EVERYWHERE) {
            refused(&foreigner, 403);
            refused(&reader, 403);
        }
    }
    let seen = foreigner.get("/admin/api/v1/organisations").json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "{seen}");
    let made = foreigner.request(
        "POST",
        "/admin/api/v1/organisations",
        &[],
        &json!({"name": "another", "time_zone": "UTC", "currency": "EUR"}),
    );
    assert_eq!(made.status, 403, "{}", made.text);
}

/// "A switch that is not understood must not do the opposite": a boolean parameter is understood or named
/// in the error, whatever the endpoint.
#[test]
fn every_boolean_parameter_takes_true_or_false_and_nothing_else() {
    let app = App::start();
    let mut found = BTreeSet::new();
    for operation in operations(&app) {
        for parameter in &operation.parameters {
            if parameter["schema"]["type"] != "boolean" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            assert_eq!(parameter["required"], false, "{name}");
            for value in ["true", "false", "TRUE", "False", "1", "0", "%20true+", "false%09"] {
                let reply = operation.call_with(&app, &format!("{name}={value}"));
                let named = format!("parameter `{name}`");
                assert!(!reply.text.contains(&named), "{name}={value}: {}", reply.text);
            }
            let expected = format!("parameter `{name}` takes true or false");
            for value in
                ["", "=", "=+", "=yes", "=2", "=on", "=truefalse", "=null", "=true%E2%80%8B"]
            {
                let reply = operation.call_with(&app, &format!("{name}{value}"));
                assert_eq!(reply.status, 400, "{name}{value}");
                assert!(reply.text.contains(&expected), "{name}{value}: {}", reply.text);
            }
            found.insert(name.to_owned());
        }
    }
    for name in
        ["card_details", "dry_run", "explain", "includeUserContext", "referral_codes", "user_id"]
    {
        assert!(found.contains(name), "{name}");
    }
}

#[test]
fn rejects_every_parameter_that_is_misspelt() {
    /// Parameters that clients send by another name as well.
    const ALIASES: [(&str, &str); 2] = [("card_number", "cardnumber"), ("program_id", "programId")];
    let app = App::start();
    let mut tried = 0;
    for operation in operations(&app) {
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap();
            let separated = name.replace('_', "-");
            let joined = name.replace('_', "");
            let capitals = name.to_uppercase();
            for sent in [format!("{name}_"), format!("-{name}"), separated, joined, capitals] {
                let alias = ALIASES.iter().find(|(known, _)| *known == name).map(|row| row.1);
                if sent == name || Some(sent.as_str()) == alias {
                    continue;
                }
                let reply = operation.call_with(&app, &format!("{sent}=1"));
                assert_eq!(reply.status, 400, "{} {sent}", operation.path);
                let message = format!("`{sent}` is not known; did you mean `{name}`?");
                assert!(reply.text.contains(&message), "{sent}: {}", reply.text);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

/// Every name that the document refers to is there.
#[test]
fn nothing_refers_to_what_is_not_there() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document(&App::start());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// A reply matches one schema alone: the least value of an alternative is not one of another that
/// denies unknown members.
#[test]
fn alternatives_that_deny_unknown_members_do_not_overlap() {
    fn lists<'a>(value: &'a Value, found: &mut Vec<&'a Vec<Value>>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("oneOf").and_then(Value::as_array));
                members.values().for_each(|value| lists(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| lists(value, found)),
            _ => {}
        }
    }
    let document = document(&App::start());
    let referred = |schema: &Value| {
        let pointer = schema["$ref"].as_str()?.strip_prefix('#')?;
        document.pointer(pointer).cloned()
    };
    let required = |schema: &Value| -> BTreeSet<String> {
        let names = schema["required"].as_array().into_iter().flatten();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let mut found = Vec::new();
    lists(&document, &mut found);
    let mut compared = 0;
    for alternatives in found {
        let schemas: Vec<Value> = alternatives.iter().filter_map(referred).collect();
        for (at, other) in schemas.iter().enumerate() {
            if other["additionalProperties"] != false {
                continue;
            }
            for schema in schemas.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, s)| s) {
                let least = required(schema);
                let is_known = |name: &String| other["properties"].get(name).is_some();
                let overlaps = required(other).is_subset(&least) && least.iter().all(is_known);
                assert!(!overlaps, "{alternatives:?}: {least:?}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 6, "{compared}");
}

/// Where the attributes of a page, or the rules of a style sheet, point to.
fn pointers(text: &str) -> Vec<&str> {
    let quotes = ['"', '\''];
    let starts = ["src=", "href=", "url(", "@import "];
    let rests = starts.into_iter().flat_map(|start| text.split(start).skip(1));
    let until_end = |rest: &'_ str| rest.find(['"', '\'', ')', '>', ' ']).unwrap_or(rest.len());
    let trimmed = rests.map(|rest| rest.trim_start_matches(quotes));
    trimmed.map(|rest| &rest[..until_end(rest)]).collect()
}

/// Whether a file is of this sort.
fn is(file: &str, extension: &str) -> bool {
    Path::new(file).extension().is_some_and(|known| known == extension)
}

#[test]
fn the_page_is_served_whole_and_points_nowhere_else() {
    let app = App::start();
    let client = app.anonymous();
    assert_eq!(client.get("/docs").status, 200, "it leads to the page");
    let page = client.get("/docs/");
    assert_eq!((page.status, page.header("Content-Type")), (200, "text/html"));
    let parts = pointers(&page.text);
    assert!(parts.iter().any(|part| is(part, "js")), "{parts:?}");
    assert!(parts.iter().any(|part| is(part, "css")), "{parts:?}");
    for part in parts {
        assert!(!part.contains("//"), "{part}");
        let reply = client.get(&format!("/docs/{}", part.trim_start_matches("./")));
        assert_eq!(reply.status, 200, "{part}");
        if is(part, "css") {
            for target in pointers(&reply.text) {
                assert!(target.starts_with("data:") || target.starts_with('#'), "{target}");
            }
        }
    }
    let start = client.get("/docs/swagger-initializer.js").text;
    assert!(start.contains("\"/openapi.json\""), "{start}");
    assert!(start.contains("\"validatorUrl\": \"none\""), "{start}");
    assert!(!start.contains("://"), "{start}");
    assert_eq!(client.get("/docs/nothing.js").status, 404);
}

/// Even if a script of the page wanted to, the browser calls and loads nothing of anybody else.
#[test]
fn the_page_may_load_only_its_own() {
    let app = App::start();
    for path in ["/docs/", "/docs/swagger-ui-bundle.js"] {
        let policy = app.anonymous().get(path).header("Content-Security-Policy").to_owned();
        let directives: BTreeSet<&str> = policy.split("; ").collect();
        for directive in ["default-src 'none'", "script-src 'self'", "connect-src 'self'"] {
            assert!(directives.contains(directive), "{policy}");
        }
        assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
    }
    assert!(!app.anonymous().get("/openapi.json").text.contains("://"));
}
