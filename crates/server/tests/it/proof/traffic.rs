//! Clients that keep registering, and what they note.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use fastrand::Rng;
use serde_json::{Value, json};

use super::people::{self, Identifiers, MOBILE, REHEARSED};
use super::promises::Person;
use crate::app::{Client, Reply, code};
use crate::durability::{Program, program_till};

/// How many clients register at once.
const CLIENTS: usize = 16;
/// The most customers of a batch.
const BATCH: usize = 30;
/// Among how many of the newest people clients race for one.
const RACED: u64 = 4;
/// The most people who are registered beside one that is raced for.
const NEIGHBOURS: usize = 3;

/// The code of a customer who is registered, or was already.
const DONE: &str = "1000";
/// The code of a refusal, where an email address and an external id are two customers' and no mobile
/// number says whose registration it is.
const TWO_HOLDERS: &str = "1033";

/// One customer of a request: a person, and the identifiers by which they are registered.
pub type Item = (u64, Identifiers);

/// What clients note.
#[derive(Debug)]
pub enum Event {
    /// This is about to be sent.
    Sent(Vec<Item>),
    /// It was answered so.
    Answered(Vec<Item>, Reply),
    /// No whole reply came.
    Unanswered(Vec<Item>),
    /// Somebody is about to be registered in a dry run.
    Rehearsed(u64),
}

/// What follows from what was noted.
#[derive(Debug, Default)]
pub struct Record {
    pub people: BTreeMap<u64, Person>,
    /// Who was sent, or told of, since this was last cleared.
    pub touched: BTreeSet<u64>,
    /// How many customers were acknowledged.
    pub acknowledged: usize,
    /// How many were refused as they are to be.
    pub refused: usize,
    /// The new customers that replies told of, by id, each with the ids of the requests of which one
    /// made them.
    pub created: Vec<(i64, Vec<String>)>,
    /// Replies that cannot be.
    pub absurd: Vec<String>,
    /// What was not answered, until it is sent again.
    pub unanswered: Vec<Item>,
    /// How much of that was sent again, and answered.
    pub sent_again: usize,
}

/// What was noted, each with the moment by some clock.
pub type History = Vec<(u64, Arc<Event>)>;

/// The traffic of all clients over the lives of the server.
#[derive(Default)]
pub struct Traffic {
    record: Mutex<Record>,
    /// Told of whenever something was answered.
    answered: Condvar,
    /// The number of the next new person.
    next: AtomicU64,
    next_rehearsed: AtomicU64,
    /// Whether a server may be without its database: a refusal that says to come back is then no
    /// answer, and clients come back once it is ready.
    outages: bool,
    /// Kept where there is a clock.
    history: Mutex<History>,
    clock: Option<Box<dyn Fn() -> u64 + Send + Sync>>,
}

impl Traffic {
    /// Traffic that keeps all that is noted, with the moment by this clock.
    pub fn by_clock(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { clock: Some(Box::new(clock)), ..Self::default() }
    }

    /// Traffic that goes on while the server is without its database.
    pub fn through_outages() -> Self {
        Self { outages: true, ..Self::default() }
    }

    pub fn record(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }

    pub fn history(&self) -> History {
        lock(&self.history).clone()
    }

    fn note(&self, event: Event) {
        let mut record = self.record();
        record.apply(&event);
        if let Some(clock) = &self.clock {
            lock(&self.history).push((clock(), Arc::new(event)));
        }
    }

    /// Has clients register until so many more customers are acknowledged and `then` is done.
    pub fn run(
        &self,
        program: &mut Program,
        rng: &mut Rng,
        more: usize,
        then: impl FnOnce(&mut Program),
    ) {
        let goal = self.record().acknowledged + more;
        let over = AtomicBool::new(false);
        let address = program.address;
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let (over, rng) = (&over, rng.fork());
                scope.spawn(move || self.keep_registering(address, rng, over));
            }
            let is_served = self.wait_for(goal);
            if is_served {
                then(program);
            }
            over.store(true, Ordering::Relaxed);
            assert!(is_served, "it left a request unanswered");
        });
    }

    /// Waits until so many are acknowledged; whether all that were sent before were answered.
    fn wait_for(&self, goal: usize) -> bool {
        let mut record = self.record();
        while record.acknowledged < goal && record.unanswered.is_empty() {
            let waited = self.answered.wait(record);
            record = waited.unwrap_or_else(PoisonError::into_inner);
        }
        record.unanswered.is_empty()
    }

    /// Registers until it is over, or the server is gone.
    fn keep_registering(&self, address: SocketAddr, mut rng: Rng, over: &AtomicBool) {
        let till = program_till(address);
        let anonymous = Client::new(address, None);
        let mut is_answered = true;
        while is_answered && !over.load(Ordering::Relaxed) {
            is_answered = match rng.u8(0..100) {
                0..40 => self.register(&till, &[(self.newcomer(), some(&mut rng))]),
                40..60 => self.register(&till, &[(self.acquaintance(&mut rng), some(&mut rng))]),
                60..75 => self.register(&till, &[(self.rival(&mut rng), Identifiers::ALL)]),
                75..90 => self.register(&till, &self.batch(&mut rng)),
                90..95 => self.rehearse(&till, self.acquaintance(&mut rng)),
                _ => {
                    let number = self.next_rehearsed.fetch_add(1, Ordering::Relaxed);
                    self.rehearse(&till, REHEARSED + number)
                }
            };
            while !is_answered && self.outages && !over.load(Ordering::Relaxed) {
                is_answered = anonymous.get("/readyz").status == 200;
            }
        }
    }

    /// Sends again whatever was not answered.
    pub fn send_again(&self, till: &Client) {
        let unanswered = std::mem::take(&mut self.record().unanswered);
        for items in unanswered.chunks(BATCH) {
            self.register(till, items);
        }
        let mut record = self.record();
        assert_eq!(record.unanswered, [], "the server does not answer");
        record.sent_again += unanswered.len();
    }

    pub fn newcomer(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Some new people, or none.
    pub fn newcomers(&self, rng: &mut Rng) -> Vec<Item> {
        (0..rng.usize(0..=NEIGHBOURS)).map(|_| (self.newcomer(), some(rng))).collect()
    }

    /// Somebody who was sent before, at any time.
    fn acquaintance(&self, rng: &mut Rng) -> u64 {
        rng.u64(0..=self.next.load(Ordering::Relaxed))
    }

    /// Somebody whom others register at the same moment.
    fn rival(&self, rng: &mut Rng) -> u64 {
        let next = self.next.load(Ordering::Relaxed);
        if rng.bool() { self.newcomer() } else { next.saturating_sub(rng.u64(0..RACED)) }
    }

    /// New people and known ones, some of them twice.
    fn batch(&self, rng: &mut Rng) -> Vec<Item> {
        let mut batch: Vec<Item> = Vec::new();
        for _ in 0..rng.usize(2..=BATCH) {
            let person = match (rng.u8(0..10), batch.last()) {
                (0, Some((person, _))) => *person,
                (1..4, _) => self.acquaintance(rng),
                _ => self.newcomer(),
            };
            batch.push((person, some(rng)));
        }
        batch
    }

    /// Registers people; whether that was answered.
    pub fn register(&self, till: &Client, items: &[Item]) -> bool {
        self.note(Event::Sent(items.to_vec()));
        let customers: Vec<_> =
            items.iter().map(|(person, sent)| people::submission(*person, *sent)).collect();
        self.hear(items, till.try_add(&json!(customers)))
    }

    fn hear(&self, items: &[Item], reply: Option<Reply>) -> bool {
        let is_put_off =
            |reply: &Reply| reply.status == 503 && !reply.header("retry-after").is_empty();
        let reply = reply.filter(|reply| !self.outages || !is_put_off(reply));
        let is_answered = reply.is_some();
        self.note(match reply {
            Some(reply) => Event::Answered(items.to_vec(), reply),
            None => Event::Unanswered(items.to_vec()),
        });
        self.answered.notify_all();
        is_answered
    }

    /// Registers somebody in a dry run, of which nothing may be left.
    fn rehearse(&self, till: &Client, person: u64) -> bool {
        self.note(Event::Rehearsed(person));
        let customer = people::submission(person, Identifiers::ALL);
        self.hear(&[], till.try_add_with("dry_run=true", &json!([customer])))
    }
}

impl Record {
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Sent(items) => {
                for (number, identifiers) in items {
                    self.person(*number).send(*identifiers);
                }
            }
            Event::Answered(_, reply) if reply.status != 200 => {
                self.absurd.push(format!("{}: {}", reply.status, reply.text));
            }
            Event::Answered(items, reply) => {
                let request = reply.header("x-cap-requestid");
                let customers = reply.json()["response"]["customers"]["customer"].take();
                for (place, item) in items.iter().enumerate() {
                    self.hear(*item, &customers[place], request);
                }
            }
            Event::Unanswered(items) => self.unanswered.extend(items),
            Event::Rehearsed(number) => {
                self.person(*number);
            }
        }
    }

    fn person(&mut self, number: u64) -> &mut Person {
        self.touched.insert(number);
        self.people.entry(number).or_default()
    }

    fn hear(&mut self, (number, sent): Item, customer: &Value, request: &str) {
        if code(customer) == TWO_HOLDERS && !sent.has(MOBILE) {
            self.person(number).refuse(sent);
            self.refused += 1;
            return;
        }
        let told = (customer["user_id"].as_i64(), people::shown(number, customer));
        let (true, (Some(id), Ok(shown))) = (code(customer).starts_with(DONE), told) else {
            self.absurd.push(format!("person {number}: {customer}"));
            return;
        };
        let effects = customer["side_effects"]["effect"].as_array();
        let awarded = effects.is_some_and(|effects| !effects.is_empty());
        self.person(number).answer(sent, id, shown, awarded);
        self.acknowledged += 1;
        if awarded {
            self.created.push((id, vec![request.to_owned()]));
        }
        if let Err(missing) = people::whole(number, customer) {
            self.absurd.push(format!("person {number}: {missing}"));
        }
    }

    /// How much was sent and neither answered nor refused.
    pub fn open(&self) -> usize {
        self.people.values().map(Person::unanswered).sum()
    }
}

fn some(rng: &mut Rng) -> Identifiers {
    Identifiers::some(rng.u8(..))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
