//! Commands beside a server that has the data, and commands where no registry exists.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use patron_server::auth::password::md5_hex;
use serde_json::{Value, json};

use crate::admin::get;
use crate::app::{App, Client};
use crate::data::Data;
use crate::durability::{Program, command};
use crate::setting_up::Place;

const PASSWORD: &str = "a long password";

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_patron"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

fn sign_in(program: &Program, name: &str, password: &str) -> u16 {
    let credentials = json!({"name": name, "password": password});
    let client = Client::new(program.address, None);
    client.request("POST", "/admin/api/v1/sessions", &[], &credentials).status
}

#[test]
fn a_brand_is_set_up_while_patron_serves() {
    let place = Place::new();
    let mut program = Program::serve(place.data());
    let put = |kind: &str, document: Value| {
        place.run(&["org", "put", "brand", kind, &document.to_string()]);
    };
    put("organisation", json!({"name": "brand", "time_zone": "Europe/Berlin"}));
    put("settings", json!({"COUNTRY": "DE"}));
    put("stores", json!({"name": "Hamburg"}));
    put("tills", json!({"name": "hamburg.1", "store": "Hamburg"}));
    put(
        "programmes",
        json!({"name": "Club", "is_default": true, "tiers": [{"serial": 1, "name": "Blue"}]}),
    );
    let password = place.run(&["till", "password", "brand", "hamburg.1", "--random"]);
    let till = Client::new(program.address, Some(("hamburg.1", &md5_hex(password.trim()))));
    let asha = json!({"mobile": "0151 23456789", "firstname": "Asha"});
    assert_eq!(till.add_one(&asha)["item_status"]["code"], "1000");

    // The server applies a change to the next request.
    place.run(&["org", "set", "brand", "KNOWN_CUSTOMER=REFUSE"]);
    assert_eq!(till.add_one(&asha)["item_status"]["code"], "1014");

    put("api_clients", json!({"name": "shop", "default_till": "hamburg.1"}));
    assert!(place.run(&["client", "secret", "brand", "shop"]).contains("secret = "));
    assert_eq!(place.run(&["org", "list"]), "brand\n");
    let exported = place.run(&["org", "export", "brand"]);
    let file = place.file("brand.toml", &exported.replace("Blue", "Silver"));
    let applied = place.run(&["org", "apply", &file, "--yes"]);
    assert!(applied.ends_with("organisation brand: done\n"), "{applied}");
    assert!(place.run(&["org", "show", "brand", "programmes", "Club"]).contains("Silver"));
    place.run(&["org", "retire", "brand", "programmes", "Club"]);
    assert_eq!(place.run(&["ledger", "check"]), "brand: checked 1 customers\n");

    place.run(&["operator", "add", "asha", "--role", "owner"]);
    assert_eq!(sign_in(&program, "asha", PASSWORD), 201);
    let changed = place.told(&["operator", "password", "asha"], "another long password\n");
    assert_eq!(changed.status.code(), Some(0), "{}", said(&changed));
    assert_eq!(sign_in(&program, "asha", PASSWORD), 401);
    assert_eq!(sign_in(&program, "asha", "another long password"), 201);
    assert_eq!(program.signal("-TERM"), Some(0));
    assert_eq!(place.run(&["org", "list"]), "brand\n");
}

#[test]
fn the_network_does_not_reach_the_endpoints_of_commands() {
    let app = App::start();
    for client in [app.anonymous(), app.operator(), app.till("till.001")] {
        for path in ["/local/operators/demo/password", "/local/organisations/demo/file"] {
            assert_eq!(get(&client, path).status, 404, "{path}");
        }
    }
}

#[test]
fn errors_are_the_same_with_and_without_a_server() {
    let place = Place::new();
    let brand = json!({"name": "brand", "time_zone": "UTC"}).to_string();
    place.run(&["org", "put", "brand", "organisation", &brand]);
    let refusals = || {
        [
            ["org", "show", "none", "tills"].as_slice(),
            &["org", "show", "brand", "tills", "t.1"],
            &["org", "put", "none", "stores", r#"{"name":"x"}"#],
            &["org", "put", "brand", "stores", r#"{"name":"x","zone":"y"}"#],
            &["org", "put", "brand", "stores", r#"{"nam":"x"}"#],
            &["org", "put", "brand", "organisation", r#"{"name":"other"}"#],
            &["org", "retire", "brand", "tills", "t.1"],
            &["till", "password", "brand", "t.1", "--random"],
            &["client", "secret", "brand", "c"],
            &["operator", "password", "nil"],
            &["operator", "remove", "nil"],
            &["operator", "add", "x", "--role", "owner", "--organisation", "none"],
        ]
        .map(|arguments| place.refused(arguments))
    };
    let alone = refusals();
    let _program = Program::serve(place.data());
    assert_eq!(refusals(), alone);
    insta::assert_snapshot!(alone.join("\n"), @r"
    patron: there is no organisation `none`
    patron: till `t.1` does not exist
    patron: there is no organisation `none`; create it with `patron org put none organisation DOCUMENT`
    patron: /zone: zone `y` does not exist or is out of use
    patron: the document has no `name`
    patron: the document is that of `other`, not of `brand`
    patron: till `t.1` does not exist
    patron: till `t.1` does not exist
    patron: API client `c` does not exist
    patron: there is no operator `nil`
    patron: there is no operator `nil`
    patron: there is no organisation `none`
    ");
}

#[test]
fn a_socket_that_a_killed_server_left_is_replaced() {
    let place = Place::new();
    let mut program = Program::serve(place.data());
    assert_eq!(place.run(&["org", "list"]), "");
    program.signal("-9");
    assert_eq!(place.run(&["org", "list"]), "");
    let _program = Program::serve(place.data());
    assert_eq!(place.run(&["org", "list"]), "");
}

#[test]
fn commands_at_once_wait_for_each_other() {
    let place = Place::new();
    let brand = json!({"name": "brand", "time_zone": "UTC"}).to_string();
    place.run(&["org", "put", "brand", "organisation", &brand]);
    thread::scope(|scope| {
        for number in 0..4 {
            let place = &place;
            scope.spawn(move || {
                let store = json!({"name": format!("store {number}")}).to_string();
                place.run(&["org", "put", "brand", "stores", &store]);
            });
        }
    });
    assert_eq!(place.run(&["org", "show", "brand", "stores"]).lines().count(), 4);
}

#[test]
fn a_command_that_creates_nothing_leaves_an_empty_directory_empty() {
    let directory = tempfile::tempdir().unwrap();
    let backup = directory.path().join("backup");
    let store = r#"{"name":"Hamburg"}"#;
    for arguments in [
        &["org", "list"][..],
        &["org", "export", "brand"],
        &["org", "show", "brand", "tills"],
        &["org", "put", "brand", "stores", store],
        &["org", "retire", "brand", "stores", "Hamburg"],
        &["till", "password", "brand", "hamburg.1", "--random"],
        &["client", "secret", "brand", "shop"],
        &["operator", "list"],
        &["operator", "add", "asha", "--role", "owner", "--organisation", "brand"],
        &["operator", "remove", "asha"],
        &["operator", "password", "asha"],
        &["ledger", "check"],
        &["check"],
        &["backup", backup.to_str().unwrap()],
        &["migrate", "status"],
        &["migrate", "check"],
        &["migrate", "up"],
        &["serve", "--must-exist"],
    ] {
        let output = program().args(arguments).current_dir(directory.path()).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("patron-data"), "{arguments:?}: {said}");
        assert_eq!(directory.path().read_dir().unwrap().count(), 0, "{arguments:?}");
    }
    let output = program().args(["org", "list"]).current_dir(directory.path()).output().unwrap();
    let path = directory.path().join("patron-data");
    let path = path.display();
    assert_eq!(
        said(&output),
        format!(
            "patron: found no registry in {path}. Name its directory with `--data`, or create a new one there \
             with `patron serve --data {path}` or `patron org apply FILE --data {path}`"
        )
    );
}

#[test]
fn setting_up_creates_a_registry_and_says_so() {
    let brand = json!({"name": "brand", "time_zone": "UTC"}).to_string();
    for (arguments, input) in [
        (&["org", "put", "brand", "organisation", &brand][..], ""),
        (&["operator", "add", "asha", "--role", "owner"], "a long password\n"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let data = data.path().join("new");
        let data = data.to_str().unwrap();
        let mut command = program();
        command.args(arguments).args(["--data", data]);
        let output = with_input(&mut command, input);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let said_now = said(&output);
        let lines: Vec<_> =
            said_now.lines().filter(|line| !line.contains("role change accepted")).collect();
        assert_eq!(lines, [format!("patron: created an empty registry in {data}")]);
        let again = with_input(program().args(["org", "list", "--data", data]), "");
        assert_eq!(said(&again), "");
    }
}

#[test]
fn a_refused_command_creates_no_registry() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let brand = "[organisation]\nname = 'brand'\ntime_zone = 'UTC'\n";
    let sound = file("sound.toml", brand);
    let store = file("store.toml", &format!("{brand}[[tills]]\nname = 't'\nstore = 's'\n"));
    let password = file("password.toml", &format!("{brand}[passwords]\nt = 'a long password'\n"));
    let zone = r#"{"name":"brand","time_zone":"nowhere"}"#;
    let member = r#"{"name":"brand","time_zone":"UTC","x":1}"#;
    for (arguments, input, expected) in [
        (&["org", "put", "brand", "organisation", zone][..], "", "/time_zone"),
        (&["org", "put", "brand", "organisation", member], "", "`x`"),
        (&["org", "apply", &sound], "", "say `--yes`"),
        (&["org", "apply", &store, "--yes"], "", "tills `t`: /store"),
        (&["org", "apply", &password, "--yes"], "", "passwords: till `t` does not exist"),
        (&["operator", "add", "asha", "--role", "owner"], "short\n", "characters"),
    ] {
        let data = directory.path().join("data");
        let mut command = program();
        let refused = with_input(command.args(arguments).arg("--data").arg(&data), input);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert!(said(&refused).contains(expected), "{arguments:?}: {}", said(&refused));
        assert!(!data.exists(), "{arguments:?}: {}", said(&refused));
    }
}

fn with_input(command: &mut Command, input: &str) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn serve_refuses_to_create_a_registry_where_one_must_exist() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let file = path.join("patron.toml");
    std::fs::write(&file, "must_exist = true").unwrap();
    let data = path.join("data");
    let serve = || {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        command
    };
    for command in [
        serve().arg("--must-exist"),
        serve().env("PATRON_MUST_EXIST", "true"),
        serve().arg("--config").arg(&file),
    ] {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).starts_with("patron: found no registry in "), "{}", said(&output));
        assert!(!data.exists());
    }
    let mut created = Program::serve(data.to_str().unwrap());
    assert_eq!(created.signal("-TERM"), Some(0));
    let mut command = serve();
    command.arg("--must-exist").env("PATRON_LOG_FORMAT", "json");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("listening")));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn serve_prints_the_command_that_adds_the_first_owner() {
    let data = Data::in_a_directory();
    let data = Path::new(data.name()).join("it's here");
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    command.env("PATRON_LOG_FORMAT", "json").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let printed = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let printed = printed.map(|line| line.trim().to_owned());
    let add = printed.into_iter().find(|line| line.starts_with("patron operator add")).unwrap();
    let logged = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = logged.into_iter().find_map(|line| {
        let line: Value = serde_json::from_str(&line).ok()?;
        line["address"].as_str()?.parse().ok()
    });
    let running = Program { child, address: address.unwrap() };

    let directory = Path::new(env!("CARGO_BIN_EXE_patron")).parent().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(add.replace("NAME", "asha")).env("PATH", directory);
    let added = with_input(&mut shell, &format!("{PASSWORD}\n"));
    assert_eq!(added.status.code(), Some(0), "{add}: {}", said(&added));
    assert_eq!(sign_in(&running, "asha", PASSWORD), 201);
    let listed = program().args(["operator", "list", "--data"]).arg(&data).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "asha\towner\n");
    drop(running);

    // With an operator, it prints nothing.
    let mut again = Program::serve(data.to_str().unwrap());
    assert_eq!(get(&Client::new(again.address, None), "/livez").status, 200);
    assert_eq!(again.signal("-TERM"), Some(0));
}

#[test]
fn a_setting_is_set_alone_and_reset_alone() {
    let place = Place::new();
    let brand = json!({"name": "brand", "time_zone": "UTC"}).to_string();
    place.run(&["org", "put", "brand", "organisation", &brand]);
    let setting = |name: &str| {
        let settings: Value =
            serde_json::from_str(&place.run(&["org", "show", "brand", "settings"])).unwrap();
        settings[name].as_str().unwrap().to_owned()
    };
    place.run(&["org", "set", "brand", "COUNTRY=DE", "BATCH_LIMIT=7"]);
    place.run(&["org", "set", "brand", "CONF_ALLOW_EMAIL_UPDATE=true"]);
    assert_eq!(
        ["COUNTRY", "BATCH_LIMIT", "CONF_ALLOW_EMAIL_UPDATE"].map(setting),
        ["DE", "7", "1"]
    );
    // The kind may be named, as other commands do.
    place.run(&["org", "set", "brand", "settings", "BATCH_LIMIT=8"]);
    assert_eq!(setting("BATCH_LIMIT"), "8");
    place.run(&["org", "set", "brand", "--reset", "BATCH_LIMIT", "KNOWN_CUSTOMER=REFUSE"]);
    assert_eq!(["COUNTRY", "BATCH_LIMIT", "KNOWN_CUSTOMER"].map(setting), ["DE", "100", "REFUSE"]);
    for (arguments, expected) in [
        (["COUNTRY=UK"].as_slice(), "COUNTRY"),
        (&["COUNTRI=DE"], "COUNTRI"),
        (&["COUNTRY=DE", "COUNTRY=IN"], "COUNTRY is named twice"),
        (&["COUNTRY=DE", "--reset", "COUNTRY"], "COUNTRY is named twice"),
        (&["COUNTRY=DE", "COUN\u{200b}TRY=IN"], "`COUNTRY` occurs twice"),
        (
            &[
                "CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH=1",
                "--reset",
                "CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH",
            ],
            "two names of one setting",
        ),
        (&["settings"], "name a setting"),
        (&["COUNTRY=IN", "settings"], "before the settings"),
    ] {
        let refused = place.refused(&[&["org", "set", "brand"], arguments].concat());
        assert!(refused.contains(expected), "{refused}");
    }
    assert_eq!(setting("COUNTRY"), "DE");

    // A document that is put replaces all of them, and the command says what that resets.
    let put = place.told(&["org", "put", "brand", "settings", r#"{"COUNTRY":"DE"}"#], "");
    assert_eq!(put.status.code(), Some(0));
    let expected = "these settings are at their default again: ";
    assert!(
        said(&put).contains(expected) && said(&put).contains("KNOWN_CUSTOMER"),
        "{}",
        said(&put)
    );
}

#[test]
fn a_document_that_is_put_replaces_the_version_that_it_names() {
    let place = Place::new();
    let brand = json!({"name": "brand", "time_zone": "UTC"}).to_string();
    place.run(&["org", "put", "brand", "organisation", &brand]);
    place.run(&["org", "put", "brand", "stores", r#"{"name":"Hamburg"}"#]);
    let shown = place.run(&["org", "show", "brand", "stores", "Hamburg"]);
    let renamed = shown.trim().replacen('{', r#"{"code":"HH","#, 1);
    place.run(&["org", "put", "brand", "stores", &renamed]);
    let refused = place.refused(&["org", "put", "brand", "stores", &renamed]);
    assert!(refused.contains("version 2"), "{refused}");
    let twice = r#"{"name":"Hamburg","code":"A","code":"B"}"#;
    assert!(place.refused(&["org", "put", "brand", "stores", twice]).contains("twice"));
    place.run(&["org", "retire", "brand", "organisation", "brand"]);
    let organisation = place.run(&["org", "show", "brand", "organisation"]);
    assert!(organisation.contains(r#""is_active":false"#), "{organisation}");
}

#[test]
fn commands_have_no_limit_of_changes() {
    let place = Place::new();
    let mut command = command(place.data());
    let mut program = Program::spawn(command.args(["--change-limit", "1"]));
    let brand = json!({"name": "brand", "time_zone": "UTC"}).to_string();
    place.run(&["org", "put", "brand", "organisation", &brand]);
    for name in ["North", "South", "East"] {
        place.run(&["org", "put", "brand", "zones", &json!({"name": name}).to_string()]);
    }
    assert_eq!(program.signal("-TERM"), Some(0));
}
