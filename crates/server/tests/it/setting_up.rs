//! A brand set up from nothing, on the command line and from a file, that registers a customer.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::admin::get;
use crate::app::Client;
use crate::data::{self, Data};
use crate::durability::Program;

/// A place for the data, and the commands that change it.
pub struct Place {
    data: Data,
    /// Of files that are none of the data's.
    directory: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { data: Data::lasting(), directory: tempfile::tempdir().unwrap() }
    }

    pub fn data(&self) -> &str {
        self.data.name()
    }

    /// Runs a command that is told something on its standard input.
    pub fn told(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
        command.args(arguments).args(data::flags(self.data()));
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs a command that succeeds; what it prints.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.told(arguments, "a long password\n");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that fails; what it says.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.told(arguments, "");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap().trim().to_owned()
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Serves what is set up, and registers a customer at a till.
    fn registers(&self, till: &str, password: &str) -> Value {
        let mut program = Program::serve(self.data());
        let digest = patron_server::auth::password::md5_hex(password);
        let till = Client::new(program.address, Some((till, &digest)));
        let customer = till.add_one(&json!({"mobile": "0151 23456789", "firstname": "Anna"}));
        assert_eq!(program.signal("-TERM"), Some(0));
        customer
    }
}

#[test]
fn a_brand_is_set_up_on_the_command_line() {
    let place = Place::new();
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
    let customer = place.registers("hamburg.1", password.trim());
    assert_eq!(customer["item_status"]["code"], "1000", "{customer}");
    assert_eq!(customer["current_slab"], "Blue");

    place.run(&["till", "password", "brand", "hamburg.1"]);
    assert_eq!(place.registers("hamburg.1", "a long password")["item_status"]["code"], "1000");
    assert_eq!(place.run(&["org", "list"]), "brand\n");
    assert_eq!(
        place.run(&["org", "show", "brand", "stores"]),
        "{\"id\":1,\"name\":\"Hamburg\",\"is_active\":true,\"version\":1}\n"
    );
    place.run(&["org", "retire", "brand", "tills", "hamburg.1"]);
    place.run(&["org", "retire", "brand", "stores", "Hamburg"]);
    assert!(
        place.run(&["org", "show", "brand", "stores", "Hamburg"]).contains("\"is_active\":false")
    );
}

const BRAND: &str = r#"
[organisation]
name = "brand"
time_zone = "Europe/Berlin"

[settings]
COUNTRY = "DE"

[[zones]]
name = "North"

[[stores]]
name = "Hamburg"
zone = "North"

[[tills]]
name = "hamburg.1"
store = "Hamburg"

[[programmes]]
name = "Club"
is_default = true
tiers = [{ serial = 1, name = "Blue" }]
"#;

#[test]
fn a_brand_is_set_up_from_a_file() {
    let place = Place::new();
    let file = place
        .file("brand.toml", &format!("{BRAND}\n[passwords]\n\"hamburg.1\" = \"first password\"\n"));
    let told = place.run(&["org", "apply", &file, "--yes"]);
    assert!(told.contains("+ stores Hamburg\n"), "{told}");
    let customer = place.registers("hamburg.1", "first password");
    assert_eq!(customer["item_status"]["code"], "1000", "{customer}");
    assert_eq!(customer["current_slab"], "Blue");
}

#[test]
fn what_is_exported_is_applied_without_a_difference() {
    let place = Place::new();
    place.run(&["org", "apply", &place.file("brand.toml", BRAND), "--yes"]);
    let exported = place.run(&["org", "export", "brand"]);
    let again = place.file("again.toml", &exported);
    assert_eq!(place.run(&["org", "apply", &again]), "organisation brand: nothing differs\n");
    // A new store becomes the same by it.
    let other = Place::new();
    other.run(&["org", "apply", &again, "--yes"]);
    assert_eq!(other.run(&["org", "export", "brand"]), exported);
}

#[test]
fn what_differs_is_shown_asked_for_and_applied_wholly_or_not_at_all() {
    let place = Place::new();
    place.run(&["org", "apply", &place.file("brand.toml", BRAND), "--yes"]);
    let before = place.run(&["org", "export", "brand"]);
    let changed = BRAND
        .replace("COUNTRY = \"DE\"", "COUNTRY = \"DE\"\nBATCH_LIMIT = \"7\"")
        .replace("zone = \"North\"\n", "")
        .replace("[[zones]]\nname = \"North\"", "[[zones]]\nname = \"South\"");
    let file = place.file("changed.toml", &changed);
    // There is no terminal to agree on.
    let refused = place.refused(&["org", "apply", &file]);
    assert!(refused.contains("--yes"), "{refused}");
    assert_eq!(place.run(&["org", "export", "brand"]), before);

    let told = place.run(&["org", "apply", &file, "--yes"]);
    insta::assert_snapshot!(told, @r#"
    organisation brand
    ~ settings settings
        BATCH_LIMIT: "100" → "7"
    - zones North
    + zones South
    ~ stores Hamburg
        zone: "North" → nothing
    organisation brand: done
    "#);

    for (wrong, what) in [
        (changed.replace("name = \"South\"", "name = \"South\"\nparent = \"North\""), "North"),
        (changed.replace("Europe/Berlin", "Europe/Atlantis"), "time_zone"),
        (changed.replace("[[stores]]", "[[shops]]"), "shops"),
        (format!("{changed}\n[[tills]]\nname = \"hamburg.1\"\n"), "twice"),
    ] {
        let refused = place.refused(&["org", "apply", &place.file("wrong.toml", &wrong), "--yes"]);
        assert!(refused.contains(what), "{refused}");
    }
    let again = place.run(&["org", "apply", &file]);
    assert_eq!(again, "organisation brand: nothing differs\n");
}

#[test]
fn the_first_owner_is_added_on_the_command_line() {
    let place = Place::new();
    place.run(&["org", "apply", &place.file("brand.toml", BRAND), "--yes"]);
    place.run(&["operator", "add", "asha", "--organisation", "brand", "--role", "owner"]);
    place.run(&["operator", "add", "ravi", "--organisation", "brand", "--role", "owner"]);
    // An operator who exists already gets another role without a password.
    place.run(&["operator", "add", "asha", "--organisation", "brand", "--role", "editor"]);
    // An operator for everywhere of the same name has an account of its own.
    place.run(&["operator", "add", "asha", "--role", "reader"]);
    assert_eq!(place.run(&["operator", "list"]), "asha\treader\n");
    let listed = place.run(&["operator", "list", "--organisation", "brand"]);
    assert_eq!(listed, "asha\teditor\nravi\towner\n");
    let other = ["operator", "password", "asha", "--organisation", "brand"];
    assert_eq!(place.told(&other, "another long password\n").status.code(), Some(0));
    let refused =
        place.refused(&["operator", "add", "x", "--organisation", "none", "--role", "owner"]);
    assert_eq!(refused, "patron: there is no organisation `none`");
    let refused = place.refused(&["operator", "add", "x", "--role", "owner"]);
    assert!(refused.contains("12 to 256 characters"), "{refused}");

    let mut program = Program::serve(place.data());
    let anonymous = Client::new(program.address, None);
    for (organisation, password, role) in [
        (Value::Null, "a long password", "reader"),
        (json!("brand"), "another long password", "editor"),
    ] {
        let account = json!({"organisation": organisation, "name": "asha", "password": password});
        let session = anonymous.request("POST", "/admin/api/v1/sessions", &[], &account);
        let asha = Client::bearer(program.address, session.json()["token"].as_str().unwrap());
        let current = get(&asha, "/admin/api/v1/sessions/current").json();
        assert_eq!((&current["role"], &current["organisation"]), (&json!(role), &organisation));
    }
    assert_eq!(program.signal("-TERM"), Some(0));
}

/// However a password arrives, the same rules hold: for tills from 8 characters, for operators from 12.
#[test]
fn rejects_weak_passwords_on_the_command_line_and_in_a_file() {
    let place = Place::new();
    place.run(&["org", "apply", &place.file("brand.toml", BRAND), "--yes"]);
    let till: &[&str] = &["till", "password", "brand", "hamburg.1"];
    let operator: &[&str] = &["operator", "add", "asha", "--role", "owner"];
    for (command, input, what) in [
        (till, "", "8 to 256 characters"),
        (till, "\n", "8 to 256 characters"),
        (till, "short\n", "8 to 256 characters"),
        (till, "password1\n", "common"),
        (till, "hamburg.1\n", "name"),
        (operator, "", "12 to 256 characters"),
        (operator, "only eleven\n", "12 to 256 characters"),
        (operator, "password1234\n", "common"),
    ] {
        let output = place.told(command, input);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?} {input:?}: {said}");
        assert!(said.contains(what), "{command:?} {input:?}: {said}");
    }
    for password in ["", "g", "password1", "other.till"] {
        let other = BRAND.replace("brand", "other").replace("hamburg.1", "other.till");
        let text = format!("{other}\n[passwords]\n\"other.till\" = \"{password}\"\n");
        let refused = place.refused(&["org", "apply", &place.file("other.toml", &text), "--yes"]);
        assert!(refused.contains("till `other.till`"), "{password}: {refused}");
    }
    assert_eq!(place.run(&["org", "list"]), "brand\n");
}

#[test]
fn the_last_owner_cannot_be_removed_on_the_command_line() {
    let place = Place::new();
    place.run(&["org", "apply", &place.file("brand.toml", BRAND), "--yes"]);
    let everywhere: &[&str] = &[];
    for place_of_role in [everywhere, &["--organisation", "brand"]] {
        let command = |name: &str, rest: &[&str]| {
            let mut command: Vec<String> = vec!["operator".to_owned(), name.to_owned()];
            command.extend(rest.iter().chain(place_of_role).map(|&one| one.to_owned()));
            command
        };
        let run = |command: Vec<String>, input: &str| {
            let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
            let output = place.told(&arguments, input);
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        let added = run(command("add", &["root", "--role", "owner"]), "a long password\n");
        assert_eq!(added.0, Some(0), "{}", added.1);
        let lines: Vec<_> = added.1.lines().collect();
        assert!(matches!(lines[..], [line] if line.contains("role change accepted")), "{lines:?}");
        for refused in [command("remove", &["root"]), command("add", &["root", "--role", "editor"])]
        {
            let (code, said) = run(refused, "");
            assert!(code == Some(1) && said.contains("last owner"), "{said}");
        }
    }
}

/// Settings as TOML has them, and as the command line sends them.
#[test]
fn settings_are_numbers_and_booleans_in_files_and_commands() {
    let place = Place::new();
    let settings = "COUNTRY = \"DE\"\nBATCH_LIMIT = 7\nCONF_ALLOW_EMAIL_UPDATE = true";
    let text = BRAND.replace("COUNTRY = \"DE\"", settings);
    let file = place.file("brand.toml", &text);
    place.run(&["org", "apply", &file, "--yes"]);
    let shown = place.run(&["org", "show", "brand", "settings"]);
    assert!(shown.contains(r#""BATCH_LIMIT":"7""#), "{shown}");
    assert!(shown.contains(r#""CONF_ALLOW_EMAIL_UPDATE":"1""#), "{shown}");
    assert_eq!(place.run(&["org", "apply", &file]), "organisation brand: nothing differs\n");
    let document = r#"{"COUNTRY":"DE","BATCH_LIMIT":8,"CONF_ALLOW_EMAIL_UPDATE":false}"#;
    place.run(&["org", "put", "brand", "settings", document]);
    let shown = place.run(&["org", "show", "brand", "settings"]);
    assert!(shown.contains(r#""BATCH_LIMIT":"8""#), "{shown}");
    assert!(shown.contains(r#""CONF_ALLOW_EMAIL_UPDATE":"0""#), "{shown}");
}
