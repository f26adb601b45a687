//! Requests with idempotency keys: whatever the server was doing when it was killed, whoever sends
//! one again gets its one answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use fastrand::Rng;
use serde_json::{Value, json};

use super::judge::Tally;
use super::people::{self, Identifiers, MOBILE};
use super::promises::AWARD;
use super::{ACKNOWLEDGED, PAUSE, Tuned, any_time, asked, filled, start};
use crate::app::{Client, Reply, code};
use crate::data::Data;
use crate::durability::{Program, program_till};

/// How many clients register at once.
const CLIENTS: usize = 16;

/// What was answered to the requests of one life of the server, by the person whom each registers;
/// nothing to those that it left unanswered.
type Answers = BTreeMap<u64, Option<String>>;

/// Sends the request that registers a person; its key is their number.
fn ask(address: SocketAddr, person: u64) -> Option<Reply> {
    let till = program_till(address).with_header("Idempotency-Key", person.to_string());
    let reply = till.try_add(&json!([people::submission(person, Identifiers::ALL)]))?;
    assert_eq!(reply.status, 200, "{}", reply.text);
    Some(reply)
}

fn is_replay(reply: &Reply) -> bool {
    reply.header("Idempotent-Replayed") == "true"
}

/// Registers new people until so many are answered, and kills the server in the middle of the next.
fn live_and_die(program: &mut Program, next: &AtomicU64, more: usize, rng: &mut Rng) -> Answers {
    let (answers, address) = (Mutex::new(Answers::new()), program.address);
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        for _ in 0..CLIENTS {
            let (answers, tell) = (&answers, tell.clone());
            scope.spawn(move || {
                loop {
                    let person = next.fetch_add(1, Ordering::Relaxed);
                    let reply = ask(address, person).map(|reply| reply.text);
                    let is_answered = reply.is_some();
                    answers.lock().unwrap().insert(person, reply);
                    if !is_answered {
                        break;
                    }
                    // Nobody listens any more once enough were told of.
                    let _ = tell.send(());
                }
            });
        }
        drop(tell);
        assert_eq!(told.iter().take(more).count(), more, "it left a request unanswered");
        thread::sleep(any_time(rng, PAUSE));
        program.child.kill().unwrap();
        program.child.wait().unwrap();
    });
    answers.into_inner().unwrap()
}

/// Sends every request again; how many were carried out, though that was not answered.
fn send_again(program: &Program, answers: &Answers) -> usize {
    let mut unheard = 0;
    for (person, answer) in answers {
        let again = ask(program.address, *person).unwrap();
        match answer {
            Some(answer) => assert!(is_replay(&again) && again.text == *answer, "{person}"),
            None => unheard += usize::from(is_replay(&again)),
        }
        // Whichever time it was carried out, that made the customer: the next time would be an update.
        let customer = again.customer(0);
        assert_eq!(code(&customer), "1000", "{customer}");
        assert_eq!(customer["side_effects"]["effect"].as_array().unwrap().len(), 1, "{customer}");
        let third = ask(program.address, *person).unwrap();
        assert!(is_replay(&third) && third.text == again.text, "{person}");
        assert_eq!(found(&program.till(), *person), (customer["user_id"].to_string(), AWARD));
    }
    unheard
}

/// The id and the points of a person.
fn found(till: &Client, person: u64) -> (String, i64) {
    let mobile = people::identifier(person, MOBILE);
    let reply = till.get(&format!("/v1.1/customer/get?user_id=true&mobile={mobile}"));
    let customer: Value = reply.customer(0);
    let id = customer["user_id"].as_str().unwrap_or_else(|| panic!("{customer}"));
    (id.to_owned(), customer["loyalty_points"].as_i64().unwrap())
}

#[test]
fn a_request_with_a_key_is_carried_out_once_whatever_is_killed() {
    let (kills, mut rng) = (asked("PROOF_KILLS", 4), Rng::with_seed(asked("PROOF_SEED", 1)));
    let (data, next) = (filled(Data::lasting()), AtomicU64::new(0));
    let (mut unanswered, mut unheard) = (0, 0);
    for kill in 1..=kills {
        let tuned = Tuned::some(&mut rng);
        let more = rng.usize(1..=ACKNOWLEDGED);
        let mut program = start(data.name(), tuned);
        let answers = live_and_die(&mut program, &next, more, &mut rng);
        let program = start(data.name(), tuned);
        unanswered += answers.values().filter(|answer| answer.is_none()).count();
        unheard += send_again(&program, &answers);
        eprintln!(
            "kill {kill} of {kills}: {unanswered} requests were not answered, {unheard} of them carried out"
        );
    }
    assert!(unanswered > 0, "each kill leaves some");
    let mut tally = Tally::default();
    let mut program = start(data.name(), Tuned::Default);
    assert_eq!(program.signal("-TERM"), Some(0));
    if data.directory().is_some() {
        tally.check(data.name());
    }
    tally.check_ledger(data.name());
    assert!(tally.broken.is_empty(), "{:?}", tally.broken);
}
