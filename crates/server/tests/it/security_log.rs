//! The security log: sign-ins, refused requests, and changed credentials.

use std::fmt::Write as _;
use std::io::read_to_string;

use patron_server::auth::password::md5_hex;
use serde_json::{Value, json};

use crate::admin::{DEMO, delete, get, post, put};
use crate::app::{Client, Reply};
use crate::data::Data;
use crate::durability::command;
use crate::log::logged;
use crate::setting_up::Place;

const PASSWORD: &str = "a long password";
const NEW_PASSWORD: &str = "a longer password";
const SESSIONS: &str = "/admin/api/v1/sessions";

fn sign_in(anonymous: &Client, name: &str, password: &str) -> Reply {
    post(anonymous, SESSIONS, &json!({"name": name, "password": password}))
}

/// Signs in as an operator of the organisation `demo`.
fn sign_in_to_demo(anonymous: &Client, name: &str, password: &str) -> Reply {
    let account = json!({"organisation": "demo", "name": name, "password": password});
    post(anonymous, SESSIONS, &account)
}

/// The lines of the security log, without what every log line has.
fn security_lines(log: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["target"] == "security").collect()
}

/// Each line as its fields in a fixed order.
fn shown(lines: &[Value]) -> String {
    let mut shown = String::new();
    for line in lines {
        write!(shown, "{} |", line["message"].as_str().unwrap()).unwrap();
        for field in [
            "till",
            "client",
            "operator",
            "operator_of",
            "organisation",
            "account",
            "role",
            "reason",
            "request",
        ] {
            if let Some(value) = line[field].as_str() {
                write!(shown, " {field}: {value};").unwrap();
            }
        }
        writeln!(shown, " {}", line["address"].as_str().unwrap_or("-")).unwrap();
    }
    shown
}

#[test]
fn records_what_operators_change() {
    let data = Data::passing();
    let (mut program, log, address) = logged(command(data.name()).env("PATRON_LOG", "info"));
    let anonymous = Client::new(address, None);
    let signed_in = |begun: &Reply| {
        assert_eq!(begun.status, 201, "{}", begun.text);
        Client::bearer(address, begun.json()["token"].as_str().unwrap())
    };
    let demo = signed_in(&sign_in(&anonymous, "demo", "demo"));
    let asha = format!("{DEMO}/operators/asha");
    let statuses = [
        put(&demo, &asha, &json!({"role": "editor", "password": PASSWORD})).status,
        put(&demo, &asha, &json!({"role": "reader"})).status,
    ];
    assert_eq!(statuses, [204, 204]);
    assert_eq!(sign_in(&anonymous, "asha", PASSWORD).status, 401);
    let reader = signed_in(&sign_in_to_demo(&anonymous, "asha", PASSWORD));
    let till = format!("{DEMO}/tills/till.001/password");
    assert_eq!(post(&reader, &till, &Value::Null).status, 403);
    assert_eq!(get(&reader, "/admin/api/v1/organisations/demo2/tills").status, 404);
    let own = "/admin/api/v1/password";
    for (current, status) in [("not the password", 422), (PASSWORD, 204)] {
        let document = json!({"current": current, "new": NEW_PASSWORD});
        assert_eq!(put(&reader, own, &document).status, status);
    }
    let till_password = post(&demo, &till, &Value::Null);
    assert_eq!(put(&demo, &till, &json!({"password": PASSWORD})).status, 204);
    put(
        &demo,
        &format!("{DEMO}/api_clients/shop"),
        &json!({"name": "shop", "default_till": "till.001"}),
    );
    let secret = post(&demo, &format!("{DEMO}/api_clients/shop/secret"), &Value::Null);
    assert_eq!(secret.status, 201, "{}", secret.text);
    assert_eq!(delete(&demo, &format!("{DEMO}/api_clients/shop/tokens")).status, 204);
    assert_eq!(delete(&demo, &asha).status, 204);
    let everywhere = json!({"role": "owner", "password": PASSWORD});
    assert_eq!(put(&demo, "/admin/api/v1/operators/ravi", &everywhere).status, 204);
    assert_eq!(delete(&demo, &format!("{SESSIONS}/current")).status, 204);
    assert_eq!(program.signal("-TERM"), Some(0));

    let log = read_to_string(log).unwrap();
    let secrets = [till_password.json()["password"].clone(), secret.json()["secret"].clone()];
    for secret in secrets.iter().map(|secret| secret.as_str().unwrap()).chain([
        PASSWORD,
        NEW_PASSWORD,
        "patron_session_",
    ]) {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    insta::assert_snapshot!(shown(&security_lines(&log)), @r"
    sign-in accepted | operator: demo; 127.0.0.1
    role change accepted | operator: demo; organisation: demo; account: operator asha; role: editor; 127.0.0.1
    role change accepted | operator: demo; organisation: demo; account: operator asha; role: reader; 127.0.0.1
    sign-in refused | operator: asha; reason: no such operator; 127.0.0.1
    sign-in accepted | operator: asha; operator_of: demo; 127.0.0.1
    request refused | operator: asha; operator_of: demo; organisation: demo; reason: role does not permit it; request: POST /admin/api/v1/organisations/{organisation}/tills/{name}/password; 127.0.0.1
    request refused | operator: asha; operator_of: demo; organisation: demo2; reason: no role in the organisation; request: GET /admin/api/v1/organisations/{organisation}/tills; 127.0.0.1
    password change refused | operator: asha; operator_of: demo; reason: wrong password; 127.0.0.1
    password change accepted | operator: asha; operator_of: demo; 127.0.0.1
    password change accepted | operator: demo; organisation: demo; account: till till.001; 127.0.0.1
    password change accepted | operator: demo; organisation: demo; account: till till.001; 127.0.0.1
    secret change accepted | operator: demo; organisation: demo; account: API client shop; 127.0.0.1
    token revocation accepted | operator: demo; organisation: demo; account: API client shop; 127.0.0.1
    operator removal accepted | operator: demo; organisation: demo; account: operator asha; 127.0.0.1
    role change accepted | operator: demo; account: operator ravi; role: owner; 127.0.0.1
    sign-out accepted | operator: demo; 127.0.0.1
    ");
}

#[test]
fn records_tills_without_permission() {
    let data = Data::passing();
    let (mut program, log, address) = logged(command(data.name()).env("PATRON_LOG", "info"));
    let begun = sign_in(&Client::new(address, None), "demo", "demo");
    let demo = Client::bearer(address, begun.json()["token"].as_str().unwrap());
    for (kind, document) in [
        ("access_groups", json!({"name": "special", "data_api": {"customer": "write"}})),
        ("stores", json!({"name": "special", "access_group": "special"})),
        ("tills", json!({"name": "narrow", "store": "special"})),
    ] {
        let made = post(&demo, &format!("{DEMO}/{kind}"), &document);
        assert_eq!(made.status, 201, "{}", made.text);
    }
    put(&demo, &format!("{DEMO}/tills/narrow/password"), &json!({"password": PASSWORD}));
    let till = Client::new(address, Some(("narrow", &md5_hex(PASSWORD))));
    assert_eq!(till.get("/v1.1/customer/get?mobile=919876543210").status, 403);
    assert_eq!(program.signal("-TERM"), Some(0));
    let log = read_to_string(log).unwrap();
    let refusals: Vec<_> =
        security_lines(&log).into_iter().filter(|line| line["outcome"] == "refused").collect();
    insta::assert_snapshot!(shown(&refusals), @"request refused | till: narrow; organisation: demo; reason: access group does not permit it; request: GET /v1.1/customer/get; 127.0.0.1");
}

/// A locked-out name is logged once a minute, however often it is tried, and one address causes a
/// bounded number of lines.
#[test]
fn bounds_refusals() {
    let data = Data::passing();
    let mut command = command(data.name());
    command.env("PATRON_LOG", "security=info").env("PATRON_WRONG_PASSWORDS_PER_MINUTE", "1");
    let (mut program, log, address) = logged(&mut command);
    let customer = json!([{"mobile": "919876543210"}]);
    for _ in 0..20 {
        Client::new(address, Some(("till.001", &md5_hex("wrong")))).add(&customer);
    }
    for n in 0..200 {
        Client::new(address, Some((&format!("till{n}"), "no digest"))).add(&customer);
    }
    assert_eq!(program.signal("-TERM"), Some(0));
    let lines = security_lines(&read_to_string(log).unwrap());
    let lockouts = lines.iter().filter(|line| line["reason"] == "locked out").count();
    // The minute of the log may end meanwhile.
    assert!((1..=2).contains(&lockouts), "{lockouts}");
    let refusals = lines.iter().filter(|line| line["outcome"] == "refused").count();
    assert!((100..=200).contains(&refusals), "{refusals}");
}

/// An `X-Forwarded-For` without effect is named once for each network.
#[test]
fn names_proxies_that_are_not_trusted() {
    let data = Data::passing();
    let mut command = command(data.name());
    command.env("PATRON_LOG", "security=info").env("PATRON_TRUSTED_PROXIES", "127.0.0.2");
    let (mut program, log, address) = logged(&mut command);
    let till = || Client::new(address, Some(("till.001", &md5_hex("demo"))));
    let customer = json!([{"mobile": "919876543210"}]);
    assert_eq!(till().add(&customer).status, 200);
    for forwarded in ["192.0.2.7", "192.0.2.8"] {
        let proxied = till().with_header("X-Forwarded-For", forwarded);
        assert_eq!(proxied.add(&customer).status, 200);
    }
    assert_eq!(program.signal("-TERM"), Some(0));
    let log = read_to_string(log).unwrap();
    assert!(!log.contains("192.0.2."), "{log}");
    insta::assert_snapshot!(shown(&security_lines(&log)), @"X-Forwarded-For is ignored: trusted_proxies does not contain its sender | 127.0.0.1");
}

/// A command has no address. Where no process serves, its own standard error has the line.
#[test]
fn records_commands() {
    let place = Place::new();
    place.run(&["org", "put", "brand", "organisation", r#"{"name": "brand", "time_zone": "UTC"}"#]);
    place.run(&["operator", "add", "asha", "--role", "owner"]);
    let output = place.told(&["operator", "password", "asha"], "another long password\n");
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().find(|line| line.contains("password change accepted")).unwrap();
    for part in ["operator=\"command line\"", "account=\"operator asha\""] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains("address") && !text.contains("another long"), "{text}");
}
