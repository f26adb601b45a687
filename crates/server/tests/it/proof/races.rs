//! Many clients ask for the same person at the same moment: one customer comes of it.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use fastrand::Rng;

use super::judge::Tally;
use super::people::Identifiers;
use super::summary::Summary;
use super::traffic::Traffic;
use super::{Tuned, asked, filled, start};
use crate::data::Data;
use crate::postgresql::Database;

const CLIENTS: usize = 64;
/// How often it is told how far it has come, in rounds.
const TOLD: u64 = 20;

#[test]
fn races_make_one_customer_each() {
    race("Races", &filled(Data::lasting()), 1);
}

/// What decides then is the database alone.
#[test]
fn races_between_processes_make_one_customer_each() {
    race("Races between three processes", &filled(Data::in_database(Database::new())), 3);
}

/// In each round all send the same new person by the same identifiers, alone or in a batch with
/// people of their own.
fn race(title: &str, data: &Data, processes: usize) {
    let (rounds, seed) = (asked("PROOF_RACES", 10), asked("PROOF_SEED", 1));
    let began = Instant::now();
    let mut rng = Rng::with_seed(seed);
    let (traffic, mut tally) = (Traffic::default(), Tally::default());
    let mut programs: Vec<_> = (0..processes).map(|_| start(data.name(), Tuned::Tight)).collect();
    let raced: Vec<_> =
        (0..rounds).map(|_| (traffic.newcomer(), Identifiers::some(rng.u8(..)))).collect();
    let together = Barrier::new(CLIENTS);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (mut rng, raced, together, traffic) = (rng.fork(), &raced, &together, &traffic);
            let till = programs[client % processes].till();
            scope.spawn(move || {
                for (round, raced) in (1..).zip(raced) {
                    let mut items = traffic.newcomers(&mut rng);
                    items.insert(rng.usize(0..=items.len()), *raced);
                    together.wait();
                    traffic.register(&till, &items);
                    if client == 0 && round % TOLD == 0 {
                        eprintln!("race {round} of {rounds}");
                    }
                }
            });
        }
    });
    let record = traffic.record();
    for program in &mut programs {
        tally.judge_all(&program.till(), &record);
        tally.judge_audit(&program.till(), &record);
        assert_eq!(program.signal("-TERM"), Some(0));
    }
    if data.directory().is_some() {
        tally.check(data.name());
    }
    tally.check_ledger(data.name());
    let one = |(number, _): &&(u64, Identifiers)| record.people[number].is_one_customer();
    let ones = raced.iter().filter(one).count();
    let mut summary = Summary::new(title, seed);
    summary.row("rounds", rounds);
    summary.row("clients in each", CLIENTS);
    summary.row("processes", processes);
    summary.row("rounds of which came one customer, made once, in every reply", ones);
    summary.end(&record, &tally, began);
    assert_eq!(ones, raced.len());
    assert_eq!(record.open(), 0);
}
