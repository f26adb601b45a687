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
use super::{ACKNOWLEDGED, DATABASE, LOG, PAUSE, Tuned, any_time, asked, filled, serve, start};
use crate::data::Data;

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
    let data = filled(Data::lasting());
    let (traffic, mut tally, mut files) = (Traffic::default(), Tally::default(), Files::default());
    let mut starting = 0;
    for kill in 1..=kills {
        let tuned = Tuned::some(&mut rng);
        files.look(&data, tuned);
        if kill % STARTING == STARTING / 2 {
            starting += 1;
            let mut child = serve(data.name(), tuned).stdout(Stdio::null()).spawn().unwrap();
            thread::sleep(any_time(&mut rng, START));
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            let mut program = start(data.name(), tuned);
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
        files.compare(&data, &mut tally);
        eprintln!(
            "kill {kill} of {kills}: {} acknowledged, {tally}",
            traffic.record().acknowledged
        );
    }
    let mut program = start(data.name(), Tuned::Default);
    traffic.send_again(&program.till());
    let record = traffic.record();
    tally.judge_all(&program.till(), &record);
    tally.judge_audit(&program.till(), &record);
    assert_eq!(program.signal("-TERM"), Some(0));
    if data.directory().is_some() {
        tally.check(data.name());
    }
    tally.check_ledger(data.name());
    let mut summary = Summary::new("Kills", seed);
    summary.row("kills with -9", kills);
    summary.row("… of them while the server started", starting);
    if data.directory().is_some() {
        files.tell(&mut summary);
    }
    summary.end(&record, &tally, began);
}

/// What the files of the embedded engine tell of the moments at which it was killed.
#[derive(Default)]
struct Files {
    /// When the database was last written before the server was started.
    before: Option<SystemTime>,
    tight: u32,
    merging: u32,
    copied: u32,
    copying: u32,
}

impl Files {
    /// Before a server is started.
    fn look(&mut self, data: &Data, tuned: Tuned) {
        self.tight += u32::from(tuned == Tuned::Tight);
        self.before = data.directory().and_then(|directory| written(directory, DATABASE));
    }

    /// Once it has ended.
    fn compare(&mut self, data: &Data, tally: &mut Tally) {
        let Some(directory) = data.directory() else { return };
        let database = written(directory, DATABASE);
        let is_copied = database > self.before;
        self.copied += u32::from(is_copied);
        self.copying += u32::from(is_copied && database > written(directory, LOG));
        self.merging += u32::from(tally.check(data.name()));
    }

    fn tell(&self, summary: &mut Summary) {
        summary.row("… of servers with little memory and log", self.tight);
        summary.row(
            "… that found identifiers half merged, by that server or one before",
            self.merging,
        );
        summary.row("… once the log had been copied into the database", self.copied);
        summary.row("… … and nothing was logged after that was begun", self.copying);
    }
}

/// When a file was last written.
fn written(data: &Path, name: &str) -> Option<SystemTime> {
    fs::metadata(data.join(name)).and_then(|file| file.modified()).ok()
}
