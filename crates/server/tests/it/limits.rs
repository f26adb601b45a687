//! How often a till may call.

use std::sync::Barrier;
use std::thread;

use patron_rules::organisation::Kind;
use serde_json::json;

use crate::app::App;

fn limited(limit: u32) -> App {
    App::with(|config| config.rate_limit_per_minute = limit)
}

/// The clock of the tests stands still, so that all of them fall into one minute.
#[test]
fn of_many_calls_at_once_exactly_as_many_as_the_limit_go_through() {
    let app = limited(100);
    let barrier = Barrier::new(8);
    let call = |thread: u64| {
        let till = app.till("till.001");
        barrier.wait();
        let status = |n| till.add(&json!([{"mobile": 919_800_000_000 + thread * 100 + n}])).status;
        (0..25).map(status).collect::<Vec<_>>()
    };
    let statuses: Vec<u16> = thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|n| scope.spawn(move || call(n))).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    let with = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((with(200), with(429)), (100, 100));
}

#[test]
fn a_refusal_says_how_long_to_wait() {
    let app = limited(1);
    let till = app.till("till.001");
    let get = || till.get("/v1.1/customer/get?mobile=919876543210");
    let admitted = get();
    assert_eq!(admitted.status, 200);
    assert_eq!(admitted.header("RateLimit-Policy"), "\"minute\";q=1;w=60");
    assert_eq!(admitted.header("RateLimit"), "\"minute\";r=0;t=60");
    assert_eq!(admitted.header("Retry-After"), "");
    let refused = get();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("RateLimit-Policy"), "\"minute\";q=1;w=60");
    assert_eq!(refused.header("RateLimit"), "\"minute\";r=0;t=60");
    assert_eq!(refused.header("Retry-After"), "60");
    insta::assert_snapshot!(refused.text, @r#"{"response":{"status":{"success":"false","code":429,"message":"Rate limit exceeded","total":"0","success_count":"0"},"customers":null}}"#);
}

/// "A till" is one key, by whichever digest of its password and at whichever endpoint; another till
/// has a minute of its own.
#[test]
fn each_till_has_its_own_minute() {
    let app = limited(2);
    let customer = json!([{"mobile": "919876543210"}]);
    assert_eq!(app.till("till.001").add(&customer).status, 200);
    let sha256 = patron_server::auth::password::sha256_hex("demo");
    let till = app.basic("till.001", &sha256);
    assert_eq!(till.get("/v1.1/customer/get?mobile=919876543210").status, 200);
    assert_eq!(till.add(&customer).status, 429);
    assert_eq!(app.till("till_name").add(&customer).status, 200);
    assert_eq!(app.till("other.till").add(&customer).status, 200);
}

/// A call counts once, whatever it carries, and whether or not it is understood; one that is not let
/// in counts for nobody.
#[test]
fn a_call_counts_once() {
    let app = limited(2);
    let till = app.till("till.001");
    let customer = |n: u64| json!({"mobile": 919_800_000_000 + n});
    for _ in 0..3 {
        assert_eq!(app.basic("till.001", "wrong").add(&json!([customer(0)])).status, 401);
        assert_eq!(till.get("/v1.1/customer/nothing").status, 404);
    }
    assert_eq!(till.add(&(0..100).map(customer).collect()).status, 200);
    assert_eq!(till.add_text("{").status, 400);
    assert_eq!(till.add(&json!([customer(0)])).status, 429);
}

#[test]
fn a_limit_of_0_is_none() {
    let app = limited(0);
    let till = app.till("till.001");
    let reply = till.get("/v1.1/customer/get?mobile=919876543210");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("RateLimit"), "");
}

/// A till's own limit outranks the organisation's, which outranks the one that the server was
/// started with.
#[test]
fn an_organisation_has_limits_of_its_own() {
    let app = limited(3);
    let admitted = |till: &str| {
        let till = app.till(till);
        let get = || till.get("/v1.1/customer/get?mobile=919876543210").status == 200;
        (0..10).take_while(|_| get()).count()
    };
    app.set_up(
        Kind::Limits,
        &json!({"calls_per_minute": 2, "tills": {"till_name": 5, "till.001": 0}}),
    );
    assert_eq!(admitted("rutuja_capillary"), 2);
    assert_eq!(admitted("till_name"), 5);
    assert_eq!(admitted("till.001"), 10, "0 admits any number");
    assert_eq!(admitted("other.till"), 3, "another organisation has its own");
    app.set_up(Kind::Limits, &json!({}));
    assert_eq!(admitted("rutuja_capillary"), 1, "the limit is raised within the minute");
}
