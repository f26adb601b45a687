//! Power cuts at any moment, and what they can leave: see `disk`.
//!
//! Clients register, and note with each request and each reply how much had been done to the files by
//! then. So for any moment it is known what had been promised before it and what had been sent. All of
//! that is judged of what a power cut at that moment leaves, in a server that is started with it as
//! it is.

use std::fs;
use std::path::Path;
use std::time::Instant;

use fastrand::Rng;
use serde_json::json;

use super::disk::{Disk, Left, Notes, Tracer};
use super::judge::Tally;
use super::people::{self, Identifiers};
use super::summary::Summary;
use super::traffic::{Record, Traffic};
use super::{DATABASE, LOG, Tuned, asked, filled, serve, start};
use crate::data::Data;
use crate::durability::Program;

/// How many customers are acknowledged for each cut.
const FOR_EACH: usize = 200;
/// One of so many cuts comes while the log is copied into the database, if ever it is.
const COPYING: usize = 3;
/// How many people are looked up after each cut besides those of whom something was heard since the
/// one before; `patron check` looks at everybody.
const SAMPLED: usize = 300;

/// Cuts while clients register, and while the server starts and stops.
#[test]
fn power_cuts_lose_nobody() {
    let (cuts, seed) = (asked("PROOF_CUTS", 4), asked("PROOF_SEED", 1));
    let began = Instant::now();
    let mut rng = Rng::with_seed(seed);
    let data = filled(Data::in_a_directory());
    let directory = fs::canonicalize(data.name()).unwrap();
    let (tracer, mut disk) = (Tracer::new(&directory), Disk::of(&directory));
    let notes = tracer.notes();
    let traffic = Traffic::by_clock(move || notes.length());
    for tuned in [Tuned::Default, Tuned::Tight] {
        let mut program = start_traced(&tracer, &directory, tuned);
        traffic.run(&mut program, &mut rng, cuts * FOR_EACH / 2, |_| {});
        assert_eq!(program.signal("-TERM"), Some(0));
    }

    let moments = moments(cuts, &disk, &tracer.notes(), &mut rng);
    let mut history = traffic.history().into_iter().peekable();
    let (mut record, mut tally) = (Record::default(), Tally::default());
    let (mut unsynced_log, mut unsynced_database, mut merging) = (0, 0, 0);
    for (cut, moment) in (1..).zip(moments) {
        disk.advance(&tracer.notes(), moment);
        while let Some((_, event)) = history.next_if(|(noted, _)| *noted <= moment) {
            record.apply(&event);
        }
        unsynced_log += usize::from(disk.is_unsynced(LOG));
        unsynced_database += usize::from(disk.is_unsynced(DATABASE));
        let people = concerned(&mut record, &mut rng);
        for left in Left::ALL {
            let copy = tempfile::tempdir().unwrap();
            disk.cut(left, &mut rng, copy.path());
            tally.context = format!("cut {cut}, {left:?} is left: ");
            merging += usize::from(tally.check(copy.path().to_str().unwrap()));
            let tuned = Tuned::some(&mut rng);
            tally.judge(&start(copy.path().to_str().unwrap(), tuned).till(), &record, &people);
        }
        eprintln!("cut {cut} of {cuts}: {} acknowledged, {tally}", record.acknowledged);
    }
    disk.advance(&tracer.notes(), u64::MAX);
    disk.assert_is(&directory);
    let mut summary = Summary::new("Power cuts", seed);
    summary.row("moments at which the power was cut", cuts);
    summary.row("… amid writing the log", unsynced_log);
    summary.row("… amid copying the log into the database", unsynced_database);
    summary.row("servers started, one for each thing that may be left", cuts * Left::ALL.len());
    summary.row("… with identifiers half merged", merging);
    summary.end(&traffic.record(), &tally, began);
}

/// The same from the first start on. Until a customer is acknowledged there is only one promise: it
/// can be started again.
#[test]
fn a_first_start_can_be_cut_off_anywhere() {
    let (cuts, seed) = (asked("PROOF_CUTS", 4), asked("PROOF_SEED", 1));
    let mut rng = Rng::with_seed(seed);
    let data = tempfile::tempdir().unwrap();
    let directory = fs::canonicalize(data.path()).unwrap();
    let (tracer, mut disk) = (Tracer::new(&directory), Disk::of(&directory));
    let mut program = start_traced(&tracer, &directory, Tuned::some(&mut rng));
    let customer = people::submission(0, Identifiers::ALL);
    let registered = program.till().add_one(&customer);
    let acknowledged = tracer.notes().length();
    assert_eq!(program.signal("-TERM"), Some(0));
    for moment in moments(cuts, &disk, &tracer.notes(), &mut rng) {
        disk.advance(&tracer.notes(), moment);
        for left in Left::ALL {
            let copy = tempfile::tempdir().unwrap();
            disk.cut(left, &mut rng, copy.path());
            let tuned = Tuned::some(&mut rng);
            let again = start(copy.path().to_str().unwrap(), tuned).till().add_one(&customer);
            assert_eq!(again["item_status"]["code"], "1000", "at {moment}, {left:?} is left");
            if moment >= acknowledged {
                assert_eq!(again["user_id"], registered["user_id"]);
                assert_eq!(again["side_effects"]["effect"], json!([]), "at {moment}, {left:?}");
            }
            let mut tally = Tally::default();
            tally.check(copy.path().to_str().unwrap());
            assert_eq!(tally.broken, [], "at {moment}, {left:?} is left");
        }
    }
    eprintln!(
        "seed {seed}: a first start was cut off at {cuts} moments, and {} servers went on",
        cuts * Left::ALL.len()
    );
}

fn start_traced(tracer: &Tracer, directory: &Path, tuned: Tuned) -> Program {
    let mut command = serve(directory.to_str().unwrap(), tuned);
    tracer.trace(&mut command);
    Program::spawn(&mut command)
}

/// Any moments, in order.
fn moments(cuts: usize, disk: &Disk, notes: &Notes, rng: &mut Rng) -> Vec<u64> {
    // Those at which the log is copied into the database are few, and most can go wrong then.
    let copying = disk.clone().unsynced_moments(notes, DATABASE);
    let any_moment = |cut| match rng.choice(&copying) {
        Some(moment) if cut % COPYING == 0 => *moment,
        _ => rng.u64(0..=notes.length()),
    };
    let mut moments: Vec<u64> = (0..cuts).map(any_moment).collect();
    moments.sort_unstable();
    moments
}

/// Who is looked up after a cut.
fn concerned(record: &mut Record, rng: &mut Rng) -> Vec<u64> {
    let mut concerned = std::mem::take(&mut record.touched);
    let everybody: Vec<u64> = record.people.keys().copied().collect();
    concerned.extend((0..SAMPLED).filter_map(|_| rng.choice(&everybody)));
    concerned.into_iter().collect()
}
