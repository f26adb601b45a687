//! `kill -9` at any moment, also while the server starts.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;

use super::judge::Tally;
use super::summary::Summary;
use super::traffic::Traffic;
use super::{ACKNOWLEDGED, DATABASE, LOG, PAUSE, Tuned, any_time, asked, data, serve, start};

/// The longest time after which a server is killed that was just started.
const START: Duration = Duration::from_millis(60);
/// One of so many kills is of a server that was just started, and so is taking up what the one before
/// left.
const STARTING: u32 = 8;

#[test]
fn kills_lose_nobody() {
    let (kills, seed) = (asked("PROOF_KILLS", 8), asked("PROOF_SEED", 1));
    let began = Instant::now();
    let mut rng = Rng::with_seed(seed);
    let (data, traffic, mut tally) = (data(), Traffic::default(), Tally::default());
    let (mut starting, mut tight, mut merging) = (0, 0, 0);
    let (mut copied, mut copying) = (0, 0);
    for kill in 1..=kills {
        let tuned = Tuned::some(&mut rng);
        let before = written(data.path(), DATABASE);
        tight += u32::from(tuned == Tuned::Tight);
        if kill % STARTING == STARTING / 2 {
            starting += 1;
            let mut child = serve(data.path(), tuned).stdout(Stdio::null()).spawn().unwrap();
            thread::sleep(any_time(&mut rng, START));
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            let mut program = start(data.path(), tuned);
            let touched: Vec<_> =
                std::mem::take(&mut traffic.record().touched).into_iter().collect();
            tally.judge(&program.till(), &traffic.record(), &touched);
            traffic.send_again(&program.till());
            let (more, pause) = (rng.usize(1..=ACKNOWLEDGED), any_time(&mut rng, PAUSE));
            traffic.run(&mut program, &mut rng, more, |program| {
                thread::sleep(pause);
                program.child.kill().unwrap();
                program.child.wait().unwrap();
            });
        }
        let database = written(data.path(), DATABASE);
        copied += u32::from(database > before);
        copying += u32::from(database > before && database > written(data.path(), LOG));
        merging += u32::from(tally.check(data.path()));
        eprintln!(
            "kill {kill} of {kills}: {} acknowledged, {tally}",
            traffic.record().acknowledged
        );
    }
    let mut program = start(data.path(), Tuned::Default);
    traffic.send_again(&program.till());
    let record = traffic.record();
    tally.judge_all(&program.till(), &record);
    tally.judge_audit(&program.till(), &record);
    assert_eq!(program.signal("-TERM"), Some(0));
    tally.check(data.path());
    tally.check_ledger(data.path());
    let mut summary = Summary::new("Kills", seed);
    summary.row("kills with -9", kills);
    summary.row("… of them while the server started", starting);
    summary.row("… of servers with little memory and log", tight);
    summary.row("… that found identifiers half merged, by that server or one before", merging);
    summary.row("… once the log had been copied into the database", copied);
    summary.row("… … and nothing was logged after that was begun", copying);
    summary.end(&record, &tally, began);
}

/// When a file was last written.
fn written(data: &Path, name: &str) -> Option<SystemTime> {
    fs::metadata(data.join(name)).and_then(|file| file.modified()).ok()
}
