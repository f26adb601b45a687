//! Who is let in.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patron_server::auth::password::{md5_hex, sha256_hex};
use serde_json::{Value, json};

use crate::admin::{DEMO, post, put};
use crate::app::App;
use crate::durability::AUTHORIZATION;

#[test]
fn without_credentials_nothing_is_told() {
    let app = App::start();
    let reply = app.anonymous().add(&json!([{"mobile": "919876543210"}]));
    assert_eq!(reply.status, 401);
    assert!(reply.header("WWW-Authenticate").starts_with("Basic "));
    assert_eq!(reply.header("X-Cap-Requestid").len(), 32);
    insta::assert_json_snapshot!(reply.json(), @r#"
    {
      "response": {
        "status": {
          "success": "false",
          "code": 401,
          "message": "Please check your username/password or authentication token",
          "total": "0",
          "success_count": "0"
        },
        "customers": null
      }
    }
    "#);
}

#[test]
fn either_digest_of_the_password_is_taken() {
    let app = App::start();
    let customer = json!([{"mobile": "919876543210"}]);
    let (md5, sha256) = (md5_hex("demo"), sha256_hex("demo"));
    for password in
        [md5.clone(), format!(" {md5}"), sha256.clone(), md5.to_uppercase(), sha256.to_uppercase()]
    {
        assert_eq!(app.basic("till.001", &password).add(&customer).status, 200, "{password}");
    }
    for (username, password) in [
        ("till.001", "demo".to_owned()),
        ("till.001", md5_hex("Demo")),
        ("till.001", String::new()),
        ("TILL.001", md5_hex("demo")),
        ("nobody", md5_hex("demo")),
        ("", md5_hex("demo")),
    ] {
        let reply = app.basic(username, &password).add(&customer);
        assert_eq!(reply.status, 401, "{username} {password}");
    }
}

/// The reply says what belongs in the password, and never whether the till exists.
#[test]
fn says_that_a_plain_password_is_not_a_digest() {
    const DOCUMENTED: &str = "Please check your username/password or authentication token";
    const NO_DIGEST: &str = "Please check your username/password or authentication token: the password must be the lower-case MD5 or SHA-256 of the till's password";
    let app = App::start();
    for (password, message) in [
        ("demo".to_owned(), NO_DIGEST),
        (String::new(), NO_DIGEST),
        (md5_hex("demo")[1..].to_owned(), NO_DIGEST),
        (md5_hex("wrong"), DOCUMENTED),
        (sha256_hex("wrong").to_uppercase(), DOCUMENTED),
    ] {
        let refuse = |username: &str| {
            let reply = app.basic(username, &password).add(&json!([{"mobile": "919876543210"}]));
            assert_eq!(reply.status, 401, "{username}: {password}");
            assert!(reply.header("WWW-Authenticate").starts_with("Basic "));
            reply.text
        };
        let texts = ["till.001", "nobody", "a b\u{7f}", ""].map(refuse);
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        let status =
            serde_json::from_str::<Value>(&texts[0]).unwrap()["response"]["status"].clone();
        assert_eq!(status["message"], message, "{password}");
    }
}

/// RFC 7617 leaves the encoding of names open.
#[test]
fn a_name_may_be_in_utf_8_or_latin_1() {
    let app = App::start();
    let till = format!("{DEMO}/tills/Z%C3%BCrich%201");
    let made = post(&app.operator(), &format!("{DEMO}/tills"), &json!({"name": "Zürich 1"}));
    assert_eq!(made.status, 201, "{}", made.text);
    let password = json!({"password": "a long password"});
    assert_eq!(put(&app.operator(), &format!("{till}/password"), &password).status, 204);
    for name in ["Zürich 1".as_bytes(), b"Z\xfcrich 1"] {
        let plain = [name, b":", md5_hex("a long password").as_bytes()].concat();
        let header = format!("Basic {}", STANDARD.encode(plain));
        let till = app.anonymous().with_header("Authorization", header);
        assert_eq!(till.add(&json!([{"mobile": "919876543210"}])).status, 200, "{name:?}");
    }
}

#[test]
fn says_what_a_basic_header_holds() {
    let app = App::start();
    let long = format!("Basic {}", "eHh4".repeat(1_000));
    for header in [&b"Basic"[..], b"basic !", b"Basic dGlsbA==", long.as_bytes()] {
        let anonymous = app.anonymous().with_header("Authorization", header);
        let reply = anonymous.add(&json!([{"mobile": "919876543210"}]));
        assert_eq!(reply.status, 401);
        let message = "Please check your username/password or authentication token: `Authorization: Basic` takes the Base64 of `TILL:DIGEST`";
        assert_eq!(reply.response_status()["message"], message);
    }
}

#[test]
fn wrong_passwords_are_limited_by_till() {
    let app = App::with(|config| config.wrong_passwords_per_minute = 3);
    let customer = json!([{"mobile": "919876543210"}]);
    let guess = |n: usize| app.basic("till.001", &md5_hex(&n.to_string())).add(&customer);
    let statuses: Vec<u16> = (0..5).map(|n| guess(n).status).collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    let refused = guess(9);
    let wait: u64 = refused.header("Retry-After").parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(refused.response_status()["code"], 429);
    assert_eq!(app.till("till_name").add(&customer).status, 200);
}

#[test]
fn an_address_is_limited_whatever_tills_it_names() {
    let app = App::with(|config| config.wrong_passwords_per_minute = 1);
    let customer = json!([{"mobile": "919876543210"}]);
    let guess = |n: usize| app.basic(&format!("nobody{n}"), &md5_hex("demo")).add(&customer).status;
    let statuses: Vec<u16> = (0..12).map(guess).collect();
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10..], [429; 2]);
}

/// Behind a proxy that is trusted, an address is the one that the proxy tells; to anybody else, what
/// they tell is nothing.
#[test]
fn a_trusted_proxy_tells_whose_guesses_they_are() {
    for (trusted, expected) in [("127.0.0.0/8", [401, 429, 401]), ("", [401, 429, 429])] {
        let app = App::with(|config| {
            config.wrong_passwords_per_minute = 1;
            trusted.clone_into(&mut config.trusted_proxies);
        });
        let guess = |from: &str| {
            let client = app.basic("till.001", &md5_hex("wrong"));
            let client = client.with_header("X-Forwarded-For", format!("203.0.113.9, {from}"));
            client.add(&json!([{"mobile": "919876543210"}])).status
        };
        let statuses = ["192.0.2.7", "192.0.2.7", "192.0.2.8"].map(guess);
        assert_eq!(statuses, expected, "{trusted}");
    }
}

/// Behind one address, wrong passwords of one caller do not lock out the others.
#[test]
fn callers_that_were_right_are_not_locked_out_by_their_neighbours() {
    let app = App::with(|config| {
        config.credential_cache_seconds = 0;
        config.wrong_passwords_per_minute = 1;
    });
    let customer = json!([{"mobile": "919876543210"}]);
    assert_eq!(app.till("till_name").add(&customer).status, 200);
    app.operator();
    let guess = |n: usize| app.basic(&format!("nobody{n}"), &md5_hex("demo")).add(&customer).status;
    assert_eq!((0..11).map(guess).last(), Some(429));
    let sign_in = |n: usize| app.sign_in(&format!("nobody{n}"), "demo").err().unwrap().status;
    assert_eq!((0..11).map(sign_in).last(), Some(429));

    assert_eq!(app.till("till_name").add(&customer).status, 200);
    app.operator();
    assert_eq!(app.till("till.001").add(&customer).status, 429, "a stranger is");
}

/// A till's own wrong passwords, or those of another device that has its name and address, count up
/// to a higher limit once it was right from there.
#[test]
fn a_till_that_was_right_has_a_higher_limit_at_its_address() {
    let app = App::with(|config| {
        config.credential_cache_seconds = 0;
        config.wrong_passwords_per_minute = 1;
    });
    let customer = json!([{"mobile": "919876543210"}]);
    assert_eq!(app.till("till.001").add(&customer).status, 200);
    let guess = |n: usize| app.basic("till.001", &md5_hex(&n.to_string())).add(&customer).status;
    assert_eq!((0..9).map(guess).collect::<Vec<_>>(), [401; 9]);
    assert_eq!(app.till("till.001").add(&customer).status, 200);
    assert_eq!([9, 10].map(guess), [401, 429]);
    assert_eq!(app.till("till.001").add(&customer).status, 429);
}

/// Guesses at one name are limited whatever addresses they have, and lock its own callers out of
/// nothing.
#[test]
fn guesses_at_a_name_are_limited_whatever_their_addresses() {
    let app = App::with(|config| {
        config.credential_cache_seconds = 0;
        config.wrong_passwords_per_minute = 1;
        "127.0.0.0/8".clone_into(&mut config.trusted_proxies);
    });
    let call = |address: &str, password: &str| {
        let client = app.basic("till.001", &md5_hex(password));
        let client = client.with_header("X-Forwarded-For", address);
        client.add(&json!([{"mobile": "919876543210"}]))
    };
    assert_eq!(call("198.51.100.1", "demo").status, 200);
    let replies: Vec<_> = (0..40).map(|n| call(&format!("192.0.2.{n}"), "wrong")).collect();
    let guesses = replies.iter().filter(|reply| reply.status == 401).count();
    assert!((10..20).contains(&guesses), "{guesses}");
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert_eq!(guesses + refused.len(), 40);
    for reply in refused {
        let wait: u64 = reply.header("Retry-After").parse().unwrap();
        assert!((1..=300).contains(&wait), "{wait}");
    }
    assert_eq!(call("198.51.100.1", "demo").status, 200);
}

/// A password that is remembered is not found by guessing where no more guesses are allowed.
#[test]
fn what_is_remembered_does_not_answer_guesses() {
    let app = App::with(|config| {
        config.wrong_passwords_per_minute = 1;
        "127.0.0.0/8".clone_into(&mut config.trusted_proxies);
    });
    let call = |address: &str, password: &str| {
        let client = app.basic("till.001", &md5_hex(password));
        let client = client.with_header("X-Forwarded-For", address);
        client.add(&json!([{"mobile": "919876543210"}])).status
    };
    assert_eq!(call("198.51.100.1", "demo"), 200);
    let guesses = ["wrong", "demo", "demo"].map(|password| call("192.0.2.7", password));
    assert_eq!(guesses, [401, 429, 429]);
    assert_eq!([call("198.51.100.1", "demo"), call("192.0.2.8", "demo")], [200, 200]);
}

/// What was verified is remembered for a limited time; verifying it again is no guess.
#[test]
fn without_memory_each_request_is_verified() {
    let app = App::with(|config| {
        config.credential_cache_seconds = 0;
        config.wrong_passwords_per_minute = 1;
    });
    let till = app.till("till.001");
    for _ in 0..15 {
        assert_eq!(till.add(&json!([{"mobile": "919876543210"}])).status, 200);
    }
}

/// A password is verified once, however many requests bring it at once: more verifications than
/// the limit on guessing allows would be refused.
#[test]
fn one_verification_serves_all() {
    let app = App::with(|config| config.wrong_passwords_per_minute = 1);
    let barrier = Barrier::new(32);
    let register = |n: u64| {
        let till = app.till("till.001");
        barrier.wait();
        till.add(&json!([{"mobile": 919_800_000_000 + n}])).status
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..32).map(|n| scope.spawn(move || register(n))).collect();
        for one in all {
            assert_eq!(one.join().unwrap(), 200);
        }
    });
}

/// The body of a refused request is consumed: the client repeats it on the same connection.
#[test]
fn the_connection_survives_a_refusal() {
    let app = App::start();
    let mut connection = TcpStream::connect(app.address).unwrap();
    let body = json!({"root": {"customer": [{"mobile": "919876543210", "firstname": "x".repeat(100_000)}]}})
        .to_string();
    let mut send = |authorization: &str| {
        let head = format!(
            "POST /v1.1/customer/add HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{authorization}\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(body.as_bytes()).unwrap();
        read_reply(&mut connection)
    };
    assert!(send("").starts_with("HTTP/1.1 401 "));
    let reply = send(&format!("{AUTHORIZATION}\r\n"));
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
}

/// Reads one reply off a connection that stays open.
fn read_reply(connection: &mut TcpStream) -> String {
    let mut reply = Vec::new();
    loop {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        reply.push(byte[0]);
        if reply.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(reply).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    connection.read_exact(&mut body).unwrap();
    let _: Value = serde_json::from_slice(&body).unwrap();
    head
}
