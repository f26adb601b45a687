//! Requests that are answered once: by `Idempotency-Key`, or by being the same within some seconds.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use jiff::{SignedDuration, Timestamp};
use patron_rules::organisation::Kind;
use rstest::rstest;
use serde_json::{Value, json};

use crate::app::{App, Client, NOW, Reply};
use crate::durability::Program;

const KEY: &str = "Idempotency-Key";
const ADD: &str = "/v1.1/customer/add";
const WINDOW: &str = "REPEAT_WINDOW_SECONDS";

fn body(customers: &Value) -> Value {
    json!({"root": {"customer": customers}})
}

/// Registers customers by the request of this key.
fn add(client: &Client, key: &str, customers: &Value) -> Reply {
    client.request("POST", ADD, &[(KEY, key)], &body(customers))
}

/// Registers a customer of this name, who is always the same one.
fn add_named(client: &Client, key: &str, name: &str) -> Reply {
    add(client, key, &json!([{"mobile": "919876543210", "firstname": name}]))
}

fn is_replay(reply: &Reply) -> bool {
    match reply.header("Idempotent-Replayed") {
        "" => false,
        said => {
            assert_eq!((said, reply.status), ("true", 200));
            true
        }
    }
}

/// Whether this was answered before, and so.
fn repeats(first: &Reply, again: &Reply) -> bool {
    let [content_type, request] =
        ["Content-Type", "X-Cap-Requestid"].map(|name| (first.header(name), again.header(name)));
    assert_ne!(request.0, request.1, "each request has its own id");
    is_replay(again) && first.text == again.text && content_type.0 == content_type.1
}

/// What that customer is called, and the points they have.
fn known(client: &Client) -> Value {
    let reply = client.get("/v1.1/customer/get?mobile=919876543210");
    let customer = reply.customer(0);
    json!([customer["firstname"], customer["loyalty_points"]])
}

#[test]
fn a_repeat_gets_the_first_answer_and_changes_nothing() {
    let app = App::start();
    let till = app.till("till.001");
    let first = add_named(&till, "a", "Asha");
    assert_eq!((first.status, is_replay(&first)), (200, false));
    let awarded = &first.customer(0)["side_effects"]["effect"];
    assert_eq!(awarded.as_array().unwrap().len(), 1, "{}", first.text);
    // Under another key, or none, the customer is known.
    for again in [add_named(&till, "b", "Ravi"), till.add(&json!([{"mobile": "919876543210"}]))] {
        assert!(!is_replay(&again));
        assert_eq!(again.customer(0)["side_effects"]["effect"], json!([]));
    }
    for _ in 0..3 {
        assert!(repeats(&first, &add_named(&till, "a", "Asha")));
    }
    assert_eq!(known(&till), json!(["Ravi", 100]));
}

#[test]
fn a_batch_is_repeated_whole() {
    let app = App::start();
    let till = app.till("till.001");
    let batch = json!([{"mobile": "919876543210"}, {"mobile": "1"}, {"external_id": "A"}]);
    let first = add(&till, "a", &batch);
    assert_eq!(first.codes(), ["1000", "1001", "1000"]);
    assert_eq!(first.response_status()["code"], 201);
    assert!(repeats(&first, &add(&till, "a", &batch)));
}

/// The answer is kept once: it comes in whichever format it is asked for, the same each time.
#[test]
fn a_repeat_is_answered_in_either_format() {
    let app = App::start();
    let till = app.till("till.001").with_header(KEY, "a");
    let customer = b"<root><customer><mobile>919876543210</mobile></customer></root>";
    let post = |accept: &str| till.post_for(ADD, "application/xml", accept, customer);
    let xml = post("application/xml");
    assert!(xml.text.starts_with("<?xml"), "{}", xml.text);
    assert!(repeats(&xml, &post("application/xml")));
    let json = post("application/json");
    assert!(is_replay(&json));
    assert_eq!(json.codes(), ["1000"]);
    assert!(repeats(&json, &post("application/json")));
}

#[test]
fn keeps_no_more_replies_of_a_caller_than_the_limit() {
    let app = App::with(|config| config.kept_replies_limit_bytes = 1);
    let till = app.till("till.001");
    let first = add_named(&till, "a", "Asha");
    let refused = add_named(&till, "b", "Ravi");
    assert_eq!(refused.status, 429);
    assert!(refused.header("Retry-After").parse::<u64>().unwrap() > 0);
    insta::assert_snapshot!(
        refused.text,
        @r#"{"response":{"status":{"success":"false","code":429,"message":"Rate limit exceeded: no further replies are kept for this caller (`kept_replies_limit_bytes`); wait, or send the request without `Idempotency-Key`","total":"1","success_count":"0"},"customers":null}}"#
    );
    assert_eq!(known(&till), json!(["Asha", 100]));
    // What was answered before is answered again; without a key, and from others, all is as before.
    assert!(repeats(&first, &add_named(&till, "a", "Asha")));
    assert_eq!(till.add(&json!([{"mobile": "919876543210"}])).codes(), ["1000"]);
    assert_eq!(add_named(&app.till("till_name"), "b", "Asha").codes(), ["1000"]);
    let counted = app.anonymous().get("/metrics").text;
    assert!(counted.contains("\npatron_limit_hits_total{limit=\"kept_replies\"} 1\n"), "{counted}");
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let app = App::start();
    let till = app.till("till.001");
    let first = add_named(&till, "a", "Asha");
    let refused = add_named(&till, "a", "Ravi");
    assert_eq!(refused.status, 422);
    insta::assert_snapshot!(
        refused.text,
        @r#"{"response":{"status":{"success":"false","code":422,"message":"The idempotency key is that of another request","total":"1","success_count":"0"},"customers":null}}"#
    );
    assert!(!is_replay(&refused));
    assert_eq!(known(&till), json!(["Asha", 100]));
    assert!(repeats(&first, &add_named(&till, "a", "Asha")));
}

/// What else decides what becomes of a request, and what does not.
#[test]
fn the_same_key_with_another_head_is_refused_where_that_matters() {
    let app = App::start();
    let till = app.till("till.001").with_header(KEY, "a");
    let asha = body(&json!([{"mobile": "919876543210"}]));
    let ask =
        |query: &str, headers: &[_]| till.request("POST", &format!("{ADD}{query}"), headers, &asha);
    let first = ask("", &[]);
    for (query, headers, status) in [
        ("", vec![], 200),
        ("?format=json", vec![("Accept", "application/json")], 200),
        ("", vec![("USER-CONTEXT-ENTITY-ID", "7")], 200),
        ("", vec![("X-Whatever", "7")], 200),
        ("?explain=true", vec![], 422),
        ("", vec![("X-CAP-API-ATTRIBUTION-ENTITY-CODE", "till_name")], 422),
        ("", vec![("X-CAP-API-ATTRIBUTION-ENTITY-TYPE", "STORE_CODE")], 422),
        ("", vec![("X-CAP-API-ATTRIBUTION-TILL-CODE", "till_name")], 422),
        ("", vec![("X-CAP-CLIENT-COUNTRYCODE", "65")], 422),
    ] {
        let again = ask(query, &headers);
        assert_eq!(again.status, status, "{query} {headers:?}");
        assert_eq!(repeats(&first, &again), status == 200, "{query} {headers:?}");
    }
    // One document in the other format and encoding may say something else.
    let as_xml = till.post(ADD, "application/xml", b"<root><customer/></root>");
    assert_eq!(as_xml.status, 422);
}

#[rstest]
#[case::empty(b"".as_slice())]
#[case::too_long([b'x'; 256].as_slice())]
#[case::blank(b"a b".as_slice())]
#[case::beyond_ascii("é".as_bytes())]
fn what_is_no_key_is_refused(#[case] key: &[u8]) {
    let app = App::start();
    let till = app.till("till.001").with_header(KEY, key);
    for query in ["", "?dry_run=true"] {
        let asked = body(&json!([{"mobile": "919876543210"}])).to_string();
        let refused = till.post(&format!("{ADD}{query}"), "application/json", asked.as_bytes());
        let message = "Input is invalid, Please check request parameters or input xml/json: \
            header IDEMPOTENCY-KEY: takes 1 to 255 visible ASCII characters";
        assert_eq!((refused.status, &refused.response_status()["code"]), (400, &json!(400)));
        assert_eq!(refused.response_status()["message"], message);
    }
    assert_eq!(
        app.till("till.001").get("/v1.1/customer/get?mobile=919876543210").codes(),
        ["1012"]
    );
}

#[test]
fn one_key_is_sent_and_no_more() {
    let app = App::start();
    let till = app.till("till.001").with_header(KEY, "a").with_header(KEY, "a");
    let refused = till.add(&json!([{"mobile": "919876543210"}]));
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("IDEMPOTENCY-KEY: sent more than once"), "{}", refused.text);
}

/// A key is its caller's own: nobody learns of, or gets, what another one was answered.
#[test]
fn another_caller_may_have_the_same_key() {
    let app = App::start();
    let document = json!({"name": "app", "default_till": "till.001"});
    app.set_up(Kind::ApiClients, &document);
    let client = app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", app.issue("app", 60));
    let callers = [app.till("till.001"), app.till("till_name"), app.till("other.till"), client];
    let names = ["Asha", "Ravi", "Mira", "Zoe"];
    let firsts: Vec<Reply> =
        callers.iter().zip(names).map(|(caller, name)| add_named(caller, "a", name)).collect();
    for ((caller, name), first) in callers.iter().zip(names).zip(&firsts) {
        assert!(!is_replay(first));
        assert_eq!(first.customer(0)["firstname"], *name);
        assert!(repeats(first, &add_named(caller, "a", name)));
    }
    // A token is not the caller: with the next one the client is who it was.
    let renewed = app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", app.issue("app", 60));
    assert!(repeats(&firsts[3], &add_named(&renewed, "a", "Zoe")));
}

#[test]
fn a_dry_run_neither_uses_a_key_nor_finds_what_was_answered() {
    let app = App::start();
    let till = app.till("till.001").with_header(KEY, "a");
    let dry = || till.add_with("dry_run=true", &json!({"mobile": "919876543210"}));
    let awarded =
        |customer: &Value| !customer["side_effects"]["effect"].as_array().unwrap().is_empty();
    assert!(awarded(&dry()));
    assert!(awarded(&dry()));
    let asked = json!([{"mobile": "919876543210", "firstname": "Asha"}]);
    let first = till.add(&asked);
    assert!(!is_replay(&first) && awarded(&first.customer(0)));
    assert!(!awarded(&dry()), "it is decided on the data as they are");
    assert!(repeats(&first, &till.add(&asked)));
}

/// Nothing came of it, so it may be sent again under its key, mended or not.
#[test]
fn a_request_of_which_nothing_came_leaves_its_key_free() {
    let app = App::start();
    let till = app.till("till.001");
    let refused = add(&till, "a", &json!([{"mobile": "1"}]));
    assert_eq!(
        (refused.codes(), refused.response_status()["code"].as_i64()),
        (vec!["1001".to_owned()], Some(500))
    );
    assert_eq!(add(&till, "a", &vec![json!({}); 101].into()).status, 400);
    let mended = add_named(&till, "a", "Asha");
    assert_eq!((mended.codes(), is_replay(&mended)), (vec!["1000".to_owned()], false));
    assert!(repeats(&mended, &add_named(&till, "a", "Asha")));
}

/// Whoever was not answered learns what came of the request, though it would be refused by now.
#[test]
fn a_repeat_gets_its_answer_whatever_was_set_up_since() {
    let app = App::start();
    let till = app.till("till.001");
    let batch = json!([{"mobile": "919876543210"}, {"email": "a@example.com", "unknown": 1}]);
    let first = add(&till, "a", &batch);
    assert_eq!(first.codes(), ["1000", "1000 91003"]);
    for setting in [
        ("KNOWN_CUSTOMER", "REFUSE"),
        ("CONF_USERS_IS_EXTERNAL_ID_REQUIRED", "1"),
        ("STRICT_EXTRAS", "1"),
        ("BATCH_LIMIT", "1"),
    ] {
        app.change_settings(&[setting]);
        assert!(repeats(&first, &add(&till, "a", &batch)), "{setting:?}");
    }
    assert_eq!(add(&till, "b", &batch).status, 400);
}

#[test]
fn of_many_at_once_one_is_carried_out() {
    const MANY: usize = 16;
    let app = App::start();
    for round in 0..5 {
        let mobile = format!("91987654321{round}");
        let barrier = Barrier::new(MANY);
        let replies: Vec<Reply> = thread::scope(|scope| {
            let ask = || {
                let till = app.till("till.001");
                barrier.wait();
                add(&till, &mobile, &json!([{"mobile": mobile}]))
            };
            let asked: Vec<_> = (0..MANY).map(|_| scope.spawn(ask)).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let answers: BTreeSet<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(replies.iter().filter(|reply| !is_replay(reply)).count(), 1);
        let customer = replies[0].customer(0);
        assert_eq!(customer["side_effects"]["effect"].as_array().unwrap().len(), 1);
        let found = app.till("till.001").get(&format!("/v1.1/customer/get?mobile={mobile}"));
        assert_eq!(found.customer(0)["loyalty_points"], 100);
    }
}

#[test]
fn an_answer_outlives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let mut program = Program::start(data);
    let first = add_named(&program.till(), "a", "Asha");
    program.signal("-9");
    let program = Program::start(data);
    assert!(repeats(&first, &add_named(&program.till(), "a", "Asha")));
    assert_eq!(known(&program.till()), json!(["Asha", 100]));
    assert_eq!(add_named(&program.till(), "a", "Ravi").status, 422);
}

/// The seconds since the first request; one test sets them.
static AFTER: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(AFTER.load(Ordering::Relaxed))
}

const ORGANISATION: &str = r#"
[organisation]
name = "repeats"
time_zone = "Asia/Kolkata"

[settings]
COUNTRY = "IN"
REPEAT_WINDOW_SECONDS = "60"

[[tills]]
name = "till"

[passwords]
till = "demo"
"#;

#[test]
fn an_answer_is_kept_for_a_day_by_its_key_and_for_the_window_by_its_content() {
    let app = App::of_at(ORGANISATION, clock);
    let till = app.till("till");
    let at = |seconds: i64| AFTER.store(seconds, Ordering::Relaxed);
    let by_content = || till.add(&json!([{"mobile": "919876543210", "firstname": "Asha"}]));
    let by_key = || add_named(&till, "a", "Asha");
    let (first_by_content, first_by_key) = (by_content(), by_key());
    // What has a key is another request than what has none.
    assert!(!is_replay(&first_by_key));
    at(59);
    assert!(repeats(&first_by_content, &by_content()));
    at(60);
    let second_by_content = by_content();
    assert!(!is_replay(&second_by_content), "the window is over, however often it was repeated");
    at(119);
    assert!(repeats(&second_by_content, &by_content()));
    at(24 * 60 * 60 - 1);
    assert!(repeats(&first_by_key, &by_key()));
    at(24 * 60 * 60);
    assert!(!is_replay(&by_key()));
}

/// Unless it is said, a registration that comes again updates the customer.
#[test]
fn without_a_window_what_has_no_key_is_carried_out_each_time() {
    let app = App::with_settings(&[("KNOWN_CUSTOMER", "REFUSE")]);
    let till = app.till("till.001");
    let ask = || till.add(&json!([{"mobile": "919876543210"}]));
    assert_eq!(ask().codes(), ["1000"]);
    let again = ask();
    assert_eq!((again.codes(), is_replay(&again)), (vec!["1014".to_owned()], false));
}

#[test]
fn in_the_window_the_same_content_of_the_same_caller_is_a_repeat() {
    let app = App::with_settings(&[("KNOWN_CUSTOMER", "REFUSE"), (WINDOW, "60")]);
    let till = app.till("till.001");
    let ask = |client: &Client, customer: Value| client.add(&json!([customer]));
    let asha = || json!({"mobile": "919876543210", "firstname": "Asha"});
    let first = ask(&till, asha());
    assert!(repeats(&first, &ask(&till, asha())));
    for other in [
        ask(&app.till("till_name"), asha()),
        ask(&till, json!({"mobile": "919876543210"})),
        till.request("POST", &format!("{ADD}?explain=true"), &[], &body(&json!([asha()]))),
    ] {
        assert_eq!((other.codes(), is_replay(&other)), (vec!["1014".to_owned()], false));
    }
    app.change_settings(&[(WINDOW, "0")]);
    assert_eq!(ask(&till, asha()).codes(), ["1014"]);
}

/// Repeats are counted as such, and not as customers.
#[test]
fn repeats_are_counted() {
    let app = App::start();
    let counted = |line: &str| app.anonymous().get("/metrics").text.contains(line);
    assert!(counted("\npatron_replays_total 0\n"));
    for _ in 0..3 {
        add_named(&app.till("till.001"), "a", "Asha");
    }
    assert!(counted("\npatron_replays_total 2\n"));
    assert!(counted("\npatron_items_total{code=\"1000\"} 1\n"));
}
