//! `kill -9` of a whole PostgreSQL at any moment, while Patron goes on; and one that says nothing.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use fastrand::Rng;
use patron_server::auth::password::md5_hex;
use serde_json::json;

use super::judge::Tally;
use super::summary::Summary;
use super::traffic::Traffic;
use super::{ACKNOWLEDGED, PAUSE, Tuned, any_time, asked, filled, start};
use crate::app::Client;
use crate::data::Data;
use crate::durability::{Program, command};
use crate::postgresql::{Care, Cluster, Database};

/// Whoever registers meanwhile is told to come back, and the same Patron serves them as soon as the
/// database is back.
#[test]
fn a_database_that_is_killed_loses_nobody() {
    let (outages, seed) = (asked("PROOF_CUTS", 4), asked("PROOF_SEED", 1));
    let began = Instant::now();
    let mut rng = Rng::with_seed(seed);
    let cluster = Arc::new(Cluster::start(Care::Durable));
    let data = filled(Data::in_database(Database::of(&cluster)));
    let (traffic, mut tally) = (Traffic::through_outages(), Tally::default());
    let mut program = start(data.name(), Tuned::Default);
    let mut put_off = 0;
    for outage in 1..=outages {
        let (more, pause) = (rng.usize(1..=ACKNOWLEDGED), any_time(&mut rng, PAUSE));
        traffic.run(&mut program, &mut rng, more, |program| {
            thread::sleep(pause);
            cluster.kill();
            assert_is_without_its_database(program);
            cluster.start_again();
            while Client::new(program.address, None).get("/readyz").status != 200 {}
        });
        let touched: Vec<_> = std::mem::take(&mut traffic.record().touched).into_iter().collect();
        tally.judge(&program.till(), &traffic.record(), &touched);
        put_off += traffic.record().unanswered.len();
        traffic.send_again(&program.till());
        eprintln!(
            "outage {outage} of {outages}: {} acknowledged, {tally}",
            traffic.record().acknowledged
        );
    }
    let record = traffic.record();
    tally.judge_all(&program.till(), &record);
    tally.judge_audit(&program.till(), &record);
    assert_eq!(program.signal("-TERM"), Some(0));
    tally.check_ledger(data.name());
    let mut summary = Summary::new("Outages of PostgreSQL", seed);
    summary.row("kills of all its processes with -9", outages);
    summary.row("customers whose registration was put off with 503", put_off);
    summary.end(&record, &tally, began);
}

/// More than there are connections.
const MANY: usize = 30;

/// Where no answer comes from the database, one comes from Patron all the same; and it is nobody's
/// wrong password.
#[test]
fn a_database_that_says_nothing_keeps_nobody_waiting() {
    let cluster = Arc::new(Cluster::start(Care::Fast));
    let data = filled(Data::in_database(Database::of(&cluster)));
    let mut command = command(data.name());
    let program = Program::spawn(command.env("PATRON_DATABASE_DEADLINE_SECONDS", "1"));
    let asha = json!([{"mobile": "919876543210"}]);
    let look_up = "/v1.1/customer/get?format=json&mobile=919876543210";
    let other = || Client::new(program.address, Some(("till_name", &md5_hex("demo"))));
    assert_eq!(program.till().add(&asha).codes(), ["1000"]);
    cluster.freeze();
    thread::scope(|scope| {
        for _ in 0..MANY {
            scope.spawn(|| {
                assert_eq!(program.till().add(&asha).status, 503);
                assert_eq!(program.till().get(look_up).status, 503);
                assert_eq!(other().get(look_up).status, 503);
            });
        }
    });
    let rehearsed = program.till().try_add_with("dry_run=true", &asha).unwrap();
    assert_eq!(rehearsed.status, 503);
    cluster.thaw();
    while Client::new(program.address, None).get("/readyz").status != 200 {}
    assert_eq!(program.till().add(&asha).codes(), ["1000"]);
    assert_eq!(other().get(look_up).status, 200);
}

/// A host that takes connections and says nothing stands before the one that is to be used.
#[test]
fn a_host_that_says_nothing_keeps_nobody_from_the_next() {
    let data = filled(Data::in_database(Database::new()));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hosts = format!("@{},", silent.local_addr().unwrap());
    let program = Program::start(&data.name().replacen('@', &hosts, 1));
    assert_eq!(program.till().add(&json!([{"mobile": "919876543210"}])).codes(), ["1000"]);
}

/// It says so, and lives on.
fn assert_is_without_its_database(program: &Program) {
    let customer = json!([{"external_id": "during an outage"}]);
    let refused = program.till().add(&customer);
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_ne!(refused.header("retry-after"), "");
    assert_eq!(refused.response_status()["code"], 503);
    let anonymous = Client::new(program.address, None);
    // An answer is given for a second.
    while anonymous.get("/readyz").status != 503 {}
    assert_eq!(anonymous.get("/livez").status, 200);
}
