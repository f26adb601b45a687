//! One till registers customers while one attacker does one thing from a list as fast as the attacker
//! can. The report compares the till's replies with those of a run without the attacker.
//!
//! The till belongs to the organisation `demo2`. The attacker is anonymous, or belongs to the
//! organisation `demo`, and is held to the default limits. Both use the same machine: what the
//! attacker's own processor time costs the till is in the report, too.
//!
//! `ATTACK_REGISTRATIONS` sets how many customers the till registers, and `ATTACK` a part of the names
//! of the attacks to run; `scripts/attacks.sh` sets both.

mod attack;
mod caller;
mod report;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;
use tokio::runtime::Runtime;

use self::attack::{ATTACKS, Attack, Target};
use self::caller::{Caller, Protocol};
use self::report::{Cpu, Row, Times};
use crate::app::{Client, open_session};
use crate::attacks::{MIB, peak_memory};
use crate::data::Data;
use crate::durability::{Program, limited};

const REGISTRATIONS: usize = 20;
/// How many customers the till registers on one connection before it opens another.
const PER_CONNECTION: usize = 10;
const PEAK_MEMORY: u64 = 256 * MIB;
const TILL: (&str, &str) = ("other.till", "demo");

#[rstest]
#[case::http_1(Protocol::Http1)]
#[case::http_2(Protocol::Http2)]
fn no_attack_has_a_registration_refused(#[case] protocol: Protocol) {
    let part = crate::proof::asked("ATTACK", String::new());
    let attacks = ATTACKS.iter().filter(|attack| attack.name.contains(&part));
    let rows: Vec<Row> = attacks.map(|attack| run(attack, protocol)).collect();
    report::print(protocol, &rows);
    for row in rows {
        assert_eq!(row.attacked.refused, 0, "{}: {:?}", row.attack, row.attacked.first_refusal);
        assert!(row.actions > 0, "{}: the attacker did nothing", row.attack);
        assert!(row.peak_memory < PEAK_MEMORY, "{}: {} MiB", row.attack, row.peak_memory / MIB);
    }
}

/// Runs the till alone and then beside the attacker, on a program of their own.
fn run(attack: &'static Attack, protocol: Protocol) -> Row {
    let data = Data::lasting();
    let program = Program::spawn(limited(data.name()).env(
        "PATRON_CREDENTIAL_CACHE_SECONDS",
        // A short time, so that passwords are verified anew while the attack lasts.
        "1",
    ));
    let token =
        open_session(program.address, &json!({"name": "demo", "password": "demo"})).unwrap();
    prepare(&Client::bearer(program.address, &token));
    let target = Arc::new(Target::new(program.address, protocol, &token));
    let runtime = Runtime::new().unwrap();
    let (alone, attacked, cpu) = runtime.block_on(async {
        let alone = registrations(&target, 0).await;
        attack.begin(&target);
        target.first_action().await;
        let cpu = Cpu::now(program.child.id());
        let attacked = registrations(&target, 1).await;
        (alone, attacked, Cpu::now(program.child.id()).since(&cpu))
    });
    let peak_memory = peak_memory(&program);
    target.stop();
    drop(program);
    runtime.shutdown_background();
    Row { attack: attack.name, alone, attacked, actions: target.actions(), cpu, peak_memory }
}

/// Lifts the limit of calls a minute from the till's organisation, and no other limit.
fn prepare(operator: &Client) {
    let limits = "/admin/api/v1/organisations/demo2/limits";
    let reply = operator.request("PATCH", limits, &[], &json!({"calls_per_minute": 0}));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// Registers customers one after the other; `run` sets them apart from those of other runs.
async fn registrations(target: &Target, run: usize) -> Times {
    let count = crate::proof::asked("ATTACK_REGISTRATIONS", REGISTRATIONS);
    let mut times = Times::default();
    let mut till = None;
    for n in 0..count {
        if n % PER_CONNECTION == 0 {
            till = None;
        }
        let mobile = 919_800_000_000 + run * count + n;
        let body = json!({"root": {"customer": [{"mobile": mobile.to_string()}]}}).to_string();
        let started = Instant::now();
        let reply = registration(target, &mut till, body).await;
        times.add(started.elapsed(), reply);
    }
    times
}

/// Registers a customer; the reason where that fails. Opens a connection if there is none.
async fn registration(
    target: &Target,
    till: &mut Option<Caller>,
    body: String,
) -> Result<(), String> {
    const DEADLINE: Duration = Duration::from_mins(1);
    let sent = async {
        if till.is_none() {
            *till = Some(Caller::connect(target.address, None, target.protocol).await?);
        }
        let Some(till) = till else { return Err("no connection".to_owned()) };
        till.add(TILL, "", body).await
    };
    let (status, text) =
        tokio::time::timeout(DEADLINE, sent).await.map_err(|e| e.to_string())??;
    let is_registered = status == 200 && text.contains(r#""success":"true""#);
    if is_registered { Ok(()) } else { Err(format!("{status} {text}")) }
}
