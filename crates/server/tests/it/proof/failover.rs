//! The loss of the primary of a PostgreSQL that is replicated, while two processes serve one registry
//! in it.
//!
//! Clients register people over both processes, each request with a key of its own. Whatever is not
//! answered, or with 503, is sent again with its key, to the other process, until it is. So in the
//! end nothing is open: everybody has one customer, by one registration, and each request the answer
//! that it had.
//!
//! `scripts/failover.sh` makes the cluster, and does to it what is told here.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use super::judge::Tally;
use super::people::{self, Identifiers, MOBILE};
use super::promises::{Broken, Person};
use super::summary::Summary;
use super::traffic::{Event, Item, Record};
use super::{Tuned, any_time, asked, filled, serve};
use crate::app::{Client, Reply};
use crate::data::Data;
use crate::durability::Program;

/// How many clients register at once, and how many look up.
const CLIENTS: usize = 32;
const READERS: usize = 4;
/// How many are acknowledged, at least, before the primary is lost, and by each process after that.
const ACKNOWLEDGED: usize = 300;
const AFTERWARDS: usize = 100;
/// The longest time after that until the primary is lost, so that it is in the middle of anything.
const PAUSE: Duration = Duration::from_millis(200);
/// For how long replies may still be on their way.
const MOMENT: Duration = Duration::from_millis(500);
/// How many of the answers are asked for once more after each loss, beside those that were put off;
/// and of how many customers the audit is read.
const SAMPLE: usize = 500;
/// How soon a request is sent again.
const AGAIN: Duration = Duration::from_millis(100);
/// After how long without an answer it is given up, and the test with it.
const PATIENCE: Duration = Duration::from_mins(3);
/// The most people of a batch.
const BATCH: u64 = 8;
/// Among how many of the newest people clients race for one.
const RACED: u64 = 4;
/// Who replayed an answer says so.
const REPLAYED: &str = "Idempotent-Replayed";

/// The cluster that the script made.
struct Cluster {
    told: File,
    answers: BufReader<File>,
}

impl Cluster {
    fn open() -> Self {
        let fifo = |name| OpenOptions::new().read(true).write(true).open(variable(name)).unwrap();
        let answers = File::open(variable("FAILOVER_DONE")).unwrap();
        Self { told: fifo("FAILOVER_TOLD"), answers: BufReader::new(answers) }
    }

    /// Has something done to it; the node that is concerned.
    fn tell(&mut self, what: &str) -> String {
        writeln!(self.told, "{what}").unwrap();
        let mut node = String::new();
        self.answers.read_line(&mut node).unwrap();
        assert!(!node.is_empty(), "the script has ended");
        node.trim_end().to_owned()
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/failover.sh"))
}

/// A request that was answered.
struct Answered {
    key: u64,
    items: Vec<Item>,
    answer: String,
    is_again: bool,
}

/// What is noted of all requests.
#[derive(Default)]
struct Noted {
    record: Record,
    /// Since the last round.
    answered: Vec<Answered>,
    /// When each process acknowledged somebody.
    acknowledged: [Vec<Instant>; 2],
    /// Those who may be looked up, with their ids.
    known: Vec<(u64, i64)>,
    /// What tries came to that were not answered with 200.
    put_off: BTreeMap<String, usize>,
    /// Requests that were sent again.
    sent_again: usize,
    /// Those of them that had been carried out.
    carried_out: usize,
    /// The longest time until a try was answered, however.
    slowest: Duration,
    slowest_look_up: Duration,
    look_ups: usize,
    look_ups_put_off: usize,
}

struct Load<'a> {
    programs: &'a [Program; 2],
    noted: Mutex<Noted>,
    next_person: AtomicU64,
    next_key: AtomicU64,
    over: AtomicBool,
}

impl Load<'_> {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap()
    }

    /// Registers until it is over, at any of the processes.
    fn keep_registering(&self, tills: &[Client; 2], mut rng: Rng) {
        while !self.over.load(Ordering::Relaxed) {
            let items: Vec<Item> = match rng.u8(0..100) {
                0..70 => vec![(self.newcomer(), Identifiers::ALL)],
                70..85 => {
                    let next = self.next_person.load(Ordering::Relaxed);
                    let raced = next.saturating_sub(rng.u64(0..RACED));
                    vec![(raced, Identifiers::ALL)]
                }
                _ => (0..rng.u64(2..=BATCH)).map(|_| (self.newcomer(), Identifiers::ALL)).collect(),
            };
            self.carry_through(tills, rng.usize(0..2), items);
        }
    }

    fn newcomer(&self) -> u64 {
        self.next_person.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request until it is answered.
    fn carry_through(&self, tills: &[Client; 2], mut process: usize, items: Vec<Item>) {
        let key = self.next_key.fetch_add(1, Ordering::Relaxed);
        self.noted().record.apply(&Event::Sent(items.clone()));
        let began = Instant::now();
        let mut requests = Vec::new();
        loop {
            let sent = Instant::now();
            let reply = send(&tills[process], key, &items);
            let took = sent.elapsed();
            if let Some(reply) = &reply {
                requests.push(reply.header("x-cap-requestid").to_owned());
            }
            let mut noted = self.noted();
            noted.slowest = noted.slowest.max(took);
            match reply {
                Some(reply) if reply.status == 503 && !reply.header("retry-after").is_empty() => {
                    noted.put_off("answered 503");
                }
                None => noted.put_off("not answered"),
                Some(reply) => {
                    noted.hear(key, process, items, reply, &requests);
                    return;
                }
            }
            drop(noted);
            assert!(began.elapsed() < PATIENCE, "the request {key} is not answered");
            thread::sleep(AGAIN);
            process = 1 - process;
        }
    }

    /// Looks up who was acknowledged, until it is over; each must be there at once, at any process.
    fn keep_looking_up(&self, tills: &[Client; 2], mut rng: Rng) {
        while !self.over.load(Ordering::Relaxed) {
            let known = {
                let noted = self.noted();
                let count = noted.known.len();
                // The newest of all, as often as any other.
                let place =
                    if rng.bool() { count.checked_sub(1) } else { Some(rng.usize(0..=count)) };
                place.and_then(|place| noted.known.get(place).copied())
            };
            let Some((person, id)) = known else {
                thread::sleep(AGAIN);
                continue;
            };
            let mobile = people::identifier(person, MOBILE);
            let sent = Instant::now();
            let path = format!("/v1.1/customer/get?format=json&user_id=true&mobile={mobile}");
            let reply = tills[rng.usize(0..2)].get(&path);
            let mut noted = self.noted();
            noted.slowest_look_up = noted.slowest_look_up.max(sent.elapsed());
            noted.look_ups += 1;
            match reply.status {
                503 => {
                    noted.look_ups_put_off += 1;
                    drop(noted);
                    thread::sleep(AGAIN);
                }
                200 if reply.customer(0)["user_id"] == json!(id.to_string()) => {}
                _ => noted.record.absurd.push(format!("the look-up of {id}: {}", reply.text)),
            }
        }
    }

    /// Waits until each process has acknowledged so many since.
    fn wait_for(&self, since: Instant, count: usize) {
        let is_done = || {
            let noted = self.noted();
            noted.acknowledged.iter().all(|times| {
                times.iter().rev().take_while(|time| **time > since).take(count).count() == count
            })
        };
        while !is_done() {
            assert!(since.elapsed() < PATIENCE, "not both processes register");
            thread::sleep(AGAIN);
        }
    }

    /// Asks for every answer once more, of the processes in turn: each is what it was.
    fn ask_again(&self, answered: &[Answered]) {
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (tills, next) = (self.tills(), &next);
                scope.spawn(move || {
                    while let Some(Answered { key, items, answer, .. }) =
                        answered.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let reply = send(&tills[client % 2], *key, items);
                        let is_same = reply.as_ref().is_some_and(|reply| {
                            reply.status == 200
                                && reply.header(REPLAYED) == "true"
                                && reply.text == *answer
                        });
                        assert!(is_same, "{key}: {answer} became {reply:?}");
                    }
                });
            }
        });
    }

    fn tills(&self) -> [Client; 2] {
        [0, 1].map(|process: usize| self.programs[process].till())
    }
}

impl Noted {
    fn put_off(&mut self, how: &str) {
        *self.put_off.entry(how.to_owned()).or_default() += 1;
    }

    /// A request was answered, at last.
    fn hear(
        &mut self,
        key: u64,
        process: usize,
        items: Vec<Item>,
        reply: Reply,
        requests: &[String],
    ) {
        let is_again = requests.len() > 1;
        let is_replay = reply.header(REPLAYED) == "true";
        self.sent_again += usize::from(is_again);
        self.carried_out += usize::from(is_replay);
        if is_replay && !is_again {
            self.record.absurd.push(format!("{key} was sent once: {}", reply.text));
        }
        let answer = reply.text.clone();
        let customers = (reply.status == 200).then(|| reply.json()["response"]["customers"].take());
        let created = self.record.created.len();
        self.record.apply(&Event::Answered(items.clone(), reply));
        for (_, request) in &mut self.record.created[created..] {
            // Whichever of the tries made them.
            requests.clone_into(request);
        }
        for (place, (person, _)) in items.iter().enumerate() {
            let customer =
                customers.as_ref().map(|customers| &customers["customer"][place]["user_id"]);
            if let Some(id) = customer.and_then(Value::as_i64) {
                self.known.push((*person, id));
            }
        }
        self.acknowledged[process].push(Instant::now());
        self.record.sent_again += if is_again { items.len() } else { 0 };
        self.answered.push(Answered { key, items, answer, is_again });
    }

    /// The longest time without a registration, of all processes.
    fn longest_gap(&self, since: Instant) -> Duration {
        let mut times: Vec<Instant> = self.acknowledged.concat();
        times.retain(|time| *time > since);
        times.sort_unstable();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
    }

    /// How long after the primary was lost each process registered again.
    fn back_after(&self, lost: Instant) -> Duration {
        // What had been committed may still have been told of for a moment.
        let told = lost + MOMENT;
        let back = |times: &Vec<Instant>| {
            let around = times.windows(2).filter(|pair| pair[1] > lost && pair[0] <= told);
            let longest = around.max_by_key(|pair| pair[1] - pair[0]).unwrap();
            longest[1] - lost
        };
        self.acknowledged.iter().map(back).max().unwrap()
    }
}

/// Sends the request with this key; `None` where no whole reply comes.
fn send(till: &Client, key: u64, items: &[Item]) -> Option<Reply> {
    let customers: Vec<_> =
        items.iter().map(|(person, sent)| people::submission(*person, *sent)).collect();
    till.try_add_once(&format!("failover-{key}"), &json!(customers))
}

/// How the primary is lost in a round: killed, or with its processes stopped, so that it takes
/// connections and answers nothing.
fn how(round: usize) -> &'static str {
    if round % 3 == 2 { "freeze" } else { "kill" }
}

fn seconds(durations: &[Duration]) -> String {
    let each = durations.iter().map(|duration| format!("{:.1}", duration.as_secs_f64()));
    each.collect::<Vec<_>>().join(", ")
}

#[test]
#[ignore = "scripts/failover.sh makes the cluster that this needs"]
fn a_primary_that_is_lost_loses_nobody() {
    let (rounds, seed) = (asked("PROOF_FAILOVERS", 3), asked("PROOF_SEED", 1));
    let began = Instant::now();
    let mut rng = Rng::with_seed(seed);
    let (mut cluster, url) = (Cluster::open(), variable("FAILOVER_DATABASE"));
    let log = File::create(variable("FAILOVER_LOG")).unwrap();
    let mut patron = Command::new(env!("CARGO_BIN_EXE_patron"));
    let migrated = patron.args(["migrate", "up", "--database", &url]).output().unwrap();
    assert!(migrated.status.success(), "{migrated:?}");
    let data = filled(Data::in_a_database_at(&url));
    let mut programs = [(); 2].map(|()| {
        let mut command = serve(data.name(), Tuned::Default);
        Program::spawn(command.stderr(log.try_clone().unwrap()))
    });
    let load = Load {
        programs: &programs,
        noted: Mutex::default(),
        next_person: AtomicU64::new(0),
        next_key: AtomicU64::new(0),
        over: AtomicBool::new(false),
    };
    let mut tally = Tally::default();
    let [mut gaps, mut until] = [const { Vec::new() }; 2];
    let mut asked_again = 0;
    for round in 1..=rounds {
        load.over.store(false, Ordering::Relaxed);
        let began = Instant::now();
        let lost = thread::scope(|scope| {
            for client in 0..CLIENTS + READERS {
                let (load, tills, rng) = (&load, load.tills(), rng.fork());
                scope.spawn(move || {
                    if client < CLIENTS {
                        load.keep_registering(&tills, rng);
                    } else {
                        load.keep_looking_up(&tills, rng);
                    }
                });
            }
            // Whatever fails here, the clients are to end as well.
            let over = Over(&load.over);
            load.wait_for(began, ACKNOWLEDGED / 2);
            thread::sleep(any_time(&mut rng, PAUSE));
            let node = cluster.tell(how(round));
            let lost = Instant::now();
            load.wait_for(lost, AFTERWARDS);
            let primary = cluster.tell("settle");
            eprintln!(
                "{node} was lost ({}); {primary} leads, and {node} is back, {:.1} s later",
                how(round),
                lost.elapsed().as_secs_f64()
            );
            load.wait_for(Instant::now(), AFTERWARDS);
            drop(over);
            lost
        });
        let mut noted = load.noted();
        gaps.push(noted.longest_gap(began));
        until.push(noted.back_after(lost));
        let mut answered = std::mem::take(&mut noted.answered);
        rng.shuffle(&mut answered);
        answered.sort_by_key(|answered| !answered.is_again);
        let put_off = answered.iter().filter(|answered| answered.is_again).count();
        answered.truncate(put_off + SAMPLE);
        let touched: Vec<_> = std::mem::take(&mut noted.record.touched).into_iter().collect();
        drop(noted);
        load.ask_again(&answered);
        asked_again += answered.len();
        let noted = load.noted();
        tally.judge(&programs[round % 2].till(), &noted.record, &touched);
        eprintln!(
            "loss {round} of {rounds}: {} acknowledged, {:?}, {} requests sent again, {} of them had been \
             carried out, {tally}",
            noted.record.acknowledged, noted.put_off, noted.sent_again, noted.carried_out
        );
    }
    let mut noted = load.noted.into_inner().unwrap();
    let till = programs[0].till();
    tally.judge_all(&till, &noted.record);
    let created = noted.record.created.clone();
    rng.shuffle(&mut noted.record.created);
    // First those whom one of several tries made.
    noted.record.created.sort_by_key(|(_, requests)| std::cmp::Reverse(requests.len()));
    noted.record.created.truncate(2 * SAMPLE);
    tally.judge_audit(&till, &noted.record);
    noted.record.created = created;
    for (number, person) in &noted.record.people {
        if !Person::is_one_customer(person) {
            tally.broken.push((Broken::Doubled, format!("person {number}: {person:?}")));
        }
    }
    for program in &mut programs {
        assert_eq!(program.signal("-TERM"), Some(0));
    }
    tally.check_ledger(data.name());
    let mut summary = Summary::new("Losses of the primary of PostgreSQL", seed);
    let frozen = (1..=rounds).filter(|round| how(*round) == "freeze").count();
    summary.row("primaries lost", rounds);
    summary.row("… of them killed with -9, with all that looks after them", rounds - frozen);
    summary.row("… of them stopped, so that they take connections and answer nothing", frozen);
    summary.row("longest time without a registration, each time, in seconds", seconds(&gaps));
    summary.row(
        "from the loss until both processes registered, each time, in seconds",
        seconds(&until),
    );
    summary.row(
        "longest time until a registration was answered or put off, in seconds",
        seconds(&[noted.slowest]),
    );
    for how in ["answered 503", "not answered"] {
        let count = noted.put_off.get(how).copied().unwrap_or_default();
        summary.row(&format!("registrations {how}"), count);
    }
    summary.row("requests sent again with their keys until they were answered", noted.sent_again);
    summary.row("… of them carried out before, as the answer says", noted.carried_out);
    summary.row("answers asked for once more, and the same", asked_again);
    summary.row("look-ups meanwhile of who was acknowledged", noted.look_ups);
    summary.row("… of them answered 503", noted.look_ups_put_off);
    summary.row(
        "longest time until a look-up was answered, in seconds",
        seconds(&[noted.slowest_look_up]),
    );
    summary.end(&noted.record, &tally, began);
}

/// Once this is gone, it is over.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
