//! `/metrics`: what is counted, who may read it, and that it tells of nobody.

#![expect(clippy::float_cmp, reason = "counts are whole numbers")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Write, read_to_string};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::app::{App, Client};
use crate::data::Engine;
use crate::documents::read;

/// The value of each series, by its name and labels as they are written.
fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
    });
    series.collect()
}

fn scrape(app: &App) -> BTreeMap<String, f64> {
    series(&app.anonymous().get("/metrics").text)
}

/// Sends a request with any word for a method.
fn send(app: &App, method: &str, path: &str) {
    let mut connection = TcpStream::connect(app.address).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let reply = read_to_string(connection).unwrap();
    assert!(reply.starts_with("HTTP/1.1 405 "), "{reply}");
}

#[test]
fn they_are_open_metrics() {
    let app = App::start();
    let reply = app.anonymous().get("/metrics");
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((reply.status, reply.header("Content-Type")), (200, media_type));
    assert!(reply.text.ends_with("# EOF\n"), "{}", reply.text);
}

#[test]
fn requests_are_counted_by_method_route_and_status() {
    let app = App::start();
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "919876543210"}));
    till.get("/v1.1/customer/get?mobile=919876543210");
    till.get("/v1.1/customer/get?mobile=919876543211");
    app.till("nobody").get("/v1.1/customer/get?mobile=919876543210");
    till.get("/v1.1/customer/nothing");
    send(&app, "PROPFIND", "/v1.1/customer/add");
    let counted = scrape(&app);
    for (method, route, status, count) in [
        ("POST", "/v1.1/customer/add", 200, 1.0),
        ("GET", "/v1.1/customer/get", 200, 2.0),
        ("GET", "/v1.1/customer/get", 401, 1.0),
        ("GET", "none", 404, 1.0),
        ("other", "/v1.1/customer/add", 405, 1.0),
    ] {
        let labels = format!("method=\"{method}\",route=\"{route}\"");
        let requests = format!("patron_http_requests_total{{{labels},status=\"{status}\"}}");
        assert_eq!(counted.get(&requests), Some(&count), "{requests} {counted:?}");
        let name = format!("patron_http_request_duration_seconds_count{{{labels}}}");
        assert!(counted[&name] >= count, "{name}");
    }
}

#[test]
fn customers_are_counted_by_code_and_groups_by_size() {
    let app = App::start();
    let before = scrape(&app);
    let till = app.till("till.001");
    let customers = json!([
        {"mobile": "919876543210", "custom_fields": {"field": [{"name": "unknown", "value": "1"}]}},
        {"mobile": "919876543211"},
        {"firstname": "Nobody"},
    ]);
    let codes = till.add(&customers).codes();
    till.add_with("dry_run=true", &json!({"mobile": "919876543212"}));
    let after = scrape(&app);
    let rise = |name: &str| after[name] - before.get(name).unwrap_or(&0.0);
    let mut expected: BTreeMap<&str, f64> = BTreeMap::new();
    for customer in &codes {
        let (item, warnings) = customer.split_once(' ').unwrap_or((customer, ""));
        let codes = [("patron_items_total", item)].into_iter();
        let warnings = warnings.split(' ').filter(|code| !code.is_empty());
        for (family, code) in codes.chain(warnings.map(|code| ("patron_item_warnings_total", code)))
        {
            let name = format!("{family}{{code=\"{code}\"}}");
            *expected.entry(name.leak()).or_default() += 1.0;
        }
    }
    assert_eq!(expected.get("patron_items_total{code=\"1000\"}"), Some(&2.0), "{codes:?}");
    assert!(expected.len() >= 3, "{codes:?}");
    for (name, count) in expected {
        assert_eq!(rise(name), count, "{name}");
    }
    // The embedded engine decides a dry run within a group, PostgreSQL by itself.
    let dry_runs = match Engine::of_this_run() {
        Engine::Embedded => 1.0,
        Engine::Postgres => 0.0,
    };
    assert_eq!(rise("patron_store_group_customers_sum"), 2.0 + dry_runs);
    assert_eq!(rise("patron_store_group_requests_count"), 1.0 + dry_runs);
    assert_eq!(rise("patron_store_commit_duration_seconds_count"), 1.0 + dry_runs);
    assert_eq!(rise("patron_store_commit_failures_total"), 0.0);
    assert_eq!(after["patron_store_queue_customers"], 0.0);
    assert!(after["patron_store_database_bytes"] > 0.0);
}

#[test]
fn limits_are_counted_where_somebody_runs_into_them() {
    let app = App::with(|config| {
        config.rate_limit_per_minute = 2;
        config.wrong_passwords_per_minute = 1;
        config.body_limit_bytes = 100_000;
    });
    let hits = |limit: &str| scrape(&app)[&format!("patron_limit_hits_total{{limit=\"{limit}\"}}")];
    for limit in ["calls", "wrong_passwords", "body_size", "batch", "store", "connections"] {
        assert_eq!(hits(limit), 0.0, "{limit}");
    }
    let till = app.till("till.001");
    assert_eq!(till.add_text(&" ".repeat(100_001)).status, 413);
    assert_eq!(till.add(&vec![json!({}); 101].into()).status, 400);
    assert_eq!(till.add(&json!([{}])).status, 429);
    let stranger = app.basic("till_name", "0123456789abcdef0123456789abcdef");
    assert_eq!((stranger.add(&json!([{}])).status, stranger.add(&json!([{}])).status), (401, 429));
    for limit in ["calls", "wrong_passwords", "body_size", "batch"] {
        assert_eq!(hits(limit), 1.0, "{limit}");
    }
    let counted = scrape(&app);
    assert_eq!(counted["patron_credential_cache_lookups_total"], 4.0);
    assert_eq!(counted["patron_credential_cache_misses_total"], 2.0);
}

/// Whether a customer was taken or refused, and a request understood or not.
#[test]
fn they_tell_of_nobody() {
    let app = App::start();
    let till = app.till("till.001").with_header("USER-CONTEXT-ENTITY-SOURCE-ID", b"Secret Person");
    let refused = json!({
        "mobile": "919812345678", "email": "asha.secret@example.com", "external_id": "secret-4711",
        "firstname": "Ashasecret", "lastname": "Raosecret", "source": "secretsource",
        "custom_fields": {"field": [{"name": "address", "value": "Secretstreet"}]},
    });
    let mut taken = refused.clone();
    taken["source"] = json!("INSTORE");
    assert_eq!(till.add(&json!([taken, refused])).codes(), ["1000", "10001"]);
    till.add_text("{\"root\": \"asha.secret@example.com\"}");
    till.get("/v1.1/customer/get?mobile=919812345678");
    till.get("/v1.1/customer/secret-4711?mobile=919812345678");
    till.get("/docs/secret-4711");
    send(&app, "SECRET", "/v1.1/customer/add");
    let digest = "0123456789abcdef0123456789abcdef";
    Client::new(app.address, Some(("secret-till", digest))).add(&refused);
    let text = app.anonymous().get("/metrics").text;
    assert!(text.contains("code=\"10001\""), "{text}");
    for personal in ["9812345678", "secret", "Secret", "SECRET", "fe01ce2a", digest, "till", "demo"]
    {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
}

#[test]
fn without_a_token_they_are_for_the_same_machine() {
    let app = App::start();
    let passed_on = app.anonymous().with_header("X-Forwarded-For", "192.0.2.7");
    assert_eq!(passed_on.get("/metrics").status, 403);
    assert_eq!(app.anonymous().get("/metrics").status, 200);
}

#[test]
fn with_a_token_they_are_for_whoever_sends_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "a token of the operator's\n").unwrap();
    let app = App::with(|config| config.metrics_token_file = file.path().to_owned());
    let with = |token: &str| Client::bearer(app.address, token).get("/metrics");
    assert_eq!(with("a token of the operator's").status, 200);
    for reply in [with("another token"), app.anonymous().get("/metrics")] {
        assert_eq!(reply.status, 401);
        assert_eq!(reply.header("WWW-Authenticate"), "Bearer realm=\"Patron metrics\"");
    }
}

/// Each metric's row as the page on operations is to have it: its name as Prometheus keeps it, its
/// type, and what it means.
fn described(app: &App) -> BTreeSet<String> {
    let text = app.anonymous().get("/metrics").text;
    let words = |mark: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix(mark));
        let pairs = lines.map(|line| line.split_once(' ').unwrap());
        pairs.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect::<BTreeMap<_, _>>()
    };
    let (types, meanings) = (words("# TYPE "), words("# HELP "));
    let row = |(name, meaning): (&String, &String)| {
        let kind = types[name].as_str();
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        format!("| `{name}{suffix}` | {kind} | {} |", meaning.trim_end_matches('.'))
    };
    meanings.iter().map(row).collect()
}

/// A server that has something to tell of each metric.
fn busy() -> App {
    let app = App::start();
    let unknown = json!({"field": [{"name": "unknown", "value": "1"}]});
    app.till("till.001").add_one(&json!({"mobile": "919876543210", "custom_fields": unknown}));
    app
}

#[test]
fn each_of_them_stands_in_the_page_on_operations() {
    let app = busy();
    let page = read("docs/operations.md");
    let rows = page.lines().filter(|line| line.starts_with("| `patron_"));
    let rows: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(rows, described(&app));
}

/// Every text under this name in a document.
fn texts<'a>(document: &'a Value, name: &str) -> Vec<&'a str> {
    match document {
        Value::Array(list) => list.iter().flat_map(|value| texts(value, name)).collect(),
        Value::Object(members) => {
            let own = members.get(name).and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(|value| texts(value, name))).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let app = busy();
    let there: BTreeSet<String> = scrape(&app)
        .into_keys()
        .map(|series| series.split('{').next().unwrap().to_owned())
        .collect();
    let dashboard: Value = serde_json::from_str(&read("docs/grafana.json")).unwrap();
    let queries = texts(&dashboard, "expr");
    assert!(queries.len() >= 10);
    let in_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    for query in queries {
        let names = query.split(|char| !in_name(char)).filter(|word| word.starts_with("patron_"));
        let names: Vec<&str> = names.collect();
        assert!(!names.is_empty(), "{query}");
        for name in names {
            assert!(there.contains(name), "{query} asks for {name}, of {there:?}");
        }
    }
}
