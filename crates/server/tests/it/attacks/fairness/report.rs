//! What the till measured, as a table.

use std::fs;
use std::time::{Duration, Instant};

use super::caller::Protocol;
use crate::attacks::MIB;
use crate::data::Engine;

/// How long registrations took.
#[derive(Debug, Default)]
pub struct Times {
    all: Vec<Duration>,
    pub refused: usize,
    pub first_refusal: Option<String>,
}

impl Times {
    pub fn add(&mut self, time: Duration, reply: Result<(), String>) {
        let at = self.all.partition_point(|other| *other < time);
        self.all.insert(at, time);
        if let Err(reason) = reply {
            self.refused += 1;
            self.first_refusal.get_or_insert(reason);
        }
    }

    /// The time within which this share of them was answered, in milliseconds.
    fn within(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a count"
        )]
        let index = (self.all.len() as f64 * share).ceil() as usize;
        self.all[index.clamp(1, self.all.len()) - 1].as_secs_f64() * 1e3
    }
}

/// Processor time that was used up to a moment.
pub struct Cpu {
    at: Instant,
    program: f64,
    clients: f64,
}

/// Processor time by time, in cores.
pub struct Cores {
    program: f64,
    clients: f64,
}

impl Cpu {
    pub fn now(program: u32) -> Self {
        Self { at: Instant::now(), program: used(&program.to_string()), clients: used("self") }
    }

    pub fn since(&self, before: &Self) -> Cores {
        let seconds = (self.at - before.at).as_secs_f64();
        Cores {
            program: (self.program - before.program) / seconds,
            clients: (self.clients - before.clients) / seconds,
        }
    }
}

/// The processor time of a process, in seconds.
fn used(process: &str) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let behind_name = stat.rsplit_once(") ").unwrap().1;
    let ticks = behind_name.split(' ').skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_SECOND
}

/// What one attack did to the till.
pub struct Row {
    pub attack: &'static str,
    pub alone: Times,
    pub attacked: Times,
    /// How often the attacker did what the attack does.
    pub actions: u64,
    pub cpu: Cores,
    pub peak_memory: u64,
}

pub fn print(protocol: Protocol, rows: &[Row]) {
    let engine = Engine::of_this_run();
    eprintln!("\n{engine:?}, {protocol:?}\n");
    eprintln!(
        "| Attack | Refused | Alone p50, p99 (ms) | Attacked p50, p99 (ms) | p99 ratio | Cores: Patron, clients | Peak (MiB) | Actions |"
    );
    eprintln!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for row in rows {
        let (alone, attacked) = (row.alone.within(0.99), row.attacked.within(0.99));
        eprintln!(
            "| {} | {} of {} | {:.1}, {alone:.1} | {:.1}, {attacked:.1} | {:.1} | {:.2}, {:.2} | {} | {} |",
            row.attack,
            row.attacked.refused,
            row.attacked.all.len(),
            row.alone.within(0.5),
            row.attacked.within(0.5),
            attacked / alone,
            row.cpu.program,
            row.cpu.clients,
            row.peak_memory / MIB,
            row.actions,
        );
    }
    for row in rows {
        if let Some(reason) = &row.attacked.first_refusal {
            eprintln!("First refusal beside `{}`: {reason}", row.attack);
        }
    }
}
