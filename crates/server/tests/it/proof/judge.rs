//! Asking the program what it holds, and judging that.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;

use serde_json::Value;

use super::people::{self, KINDS};
use super::promises::{self, Broken, Found, Seen};
use super::traffic::Record;
use crate::app::Client;
use crate::data;

/// How many customers are looked up in one call.
const PAGE: usize = 100;

/// How the line of the check begins that counts identifiers that are half merged.
const MERGING: &str = "identifiers being merged";

/// What came of judging.
#[derive(Default)]
pub struct Tally {
    /// Under what circumstances it is judged, where that is to be told.
    pub context: String,
    pub broken: Vec<(Broken, String)>,
    /// How many people were looked up.
    pub judged: usize,
    /// How many times the files were checked.
    pub checked: usize,
    /// How many customers' audit was read.
    pub audited: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lost, doubled, half] =
            [Broken::Lost, Broken::Doubled, Broken::Half].map(|kind| self.count(kind));
        write!(f, "{} looked up: {lost} lost, {doubled} doubled, {half} half", self.judged)
    }
}

impl Tally {
    fn note(&mut self, kind: Broken, what: &str) {
        self.broken.push((kind, format!("{}{what}", self.context)));
    }

    pub fn count(&self, kind: Broken) -> usize {
        self.broken.iter().filter(|(broken, _)| *broken == kind).count()
    }

    /// Looks people up and judges what is found.
    pub fn judge(&mut self, till: &Client, record: &Record, people: &[u64]) {
        for page in people.chunks(PAGE) {
            for (number, found) in page.iter().zip(look_up(till, record, page)) {
                self.judged += 1;
                let broken = promises::judge(&record.people[number], &found);
                for (kind, what) in broken {
                    self.note(kind, &format!("person {number}: {what}"));
                }
            }
        }
    }

    /// Judges what is known of everybody, of whom no two may be one.
    pub fn judge_all(&mut self, till: &Client, record: &Record) {
        let everybody: Vec<_> = record.people.keys().copied().collect();
        self.judge(till, record, &everybody);
        let mut owners = BTreeMap::new();
        for (number, person) in &record.people {
            for id in person.ids() {
                if let Some(other) = owners.insert(id, number) {
                    let what = format!("{id} was told of the people {other} and {number}");
                    self.note(Broken::Doubled, &what);
                }
            }
        }
    }

    /// Judges the audit: it tells of each new customer by the request that made them.
    pub fn judge_audit(&mut self, till: &Client, record: &Record) {
        for (id, requests) in &record.created {
            let query = format!("entityType=CUSTOMER&entityId={id}&sortOrder=ASC&limit=1");
            let audit = till.get(&format!("/api_gateway/v2/audits?{query}")).json();
            self.audited += 1;
            let found = &audit["data"][0]["requestId"];
            if !requests.iter().any(|request| found == request) {
                let what = format!("the audit of {id} lacks {requests:?}: {audit}");
                self.note(Broken::Half, &what);
            }
        }
    }

    /// Has the program check the files; whether it finds recent identifiers half merged into their
    /// table.
    pub fn check(&mut self, data: &str) -> bool {
        self.checked += 1;
        let said = self.run(&["check"], data);
        let merged = said.lines().find_map(|line| line.strip_prefix(MERGING));
        merged.is_some_and(|rest| !rest.trim_start().starts_with("0 "))
    }

    /// Has the program add up every ledger, while no other one has the data open.
    pub fn check_ledger(&mut self, data: &str) {
        self.run(&["ledger", "check"], data);
    }

    /// What the program prints.
    fn run(&mut self, arguments: &[&str], data: &str) -> String {
        let mut patron = Command::new(env!("CARGO_BIN_EXE_patron"));
        let output = patron.args(arguments).args(data::flags(data)).output().unwrap();
        if !output.status.success() {
            self.note(Broken::Half, &format!("{arguments:?}: {output:?}"));
        }
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Who is found of each of these people.
fn look_up(till: &Client, record: &Record, people: &[u64]) -> Vec<Found> {
    let mut found = vec![Found::default(); people.len()];
    for (place, kind) in KINDS.into_iter().enumerate() {
        let values: Vec<_> =
            people.iter().map(|person| people::identifier(*person, place)).collect();
        let customers = get(till, kind, &values);
        for ((person, customer), found) in people.iter().zip(&customers).zip(&mut found) {
            found.by_identifier[place] = seen(*person, customer);
        }
    }
    let ids_of = |person| record.people[person].ids();
    let told: Vec<(usize, i64)> = (0..people.len())
        .flat_map(|place| ids_of(&people[place]).map(move |id| (place, id)))
        .collect();
    for page in told.chunks(PAGE) {
        let values: Vec<_> = page.iter().map(|(_, id)| id.to_string()).collect();
        for ((place, id), customer) in page.iter().zip(get(till, "id", &values)) {
            found[*place].by_id.insert(*id, seen(people[*place], &customer));
        }
    }
    found
}

fn get(till: &Client, by: &str, values: &[String]) -> Vec<Value> {
    if values.is_empty() {
        return Vec::new();
    }
    let list = values.join(",");
    let reply = till.get(&format!("/v1.1/customer/get?format=json&user_id=true&{by}={list}"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    let customers = reply.json()["response"]["customers"]["customer"].take();
    let customers = customers.as_array().unwrap().clone();
    assert_eq!(customers.len(), values.len());
    customers
}

fn seen(person: u64, customer: &Value) -> Option<Seen> {
    let id = customer["user_id"].as_str()?.parse().unwrap();
    let identifiers = people::shown(person, customer);
    let missing = people::whole(person, customer).err().or(identifiers.clone().err());
    let points = customer["loyalty_points"].as_i64().unwrap_or_default();
    Some(Seen { id, identifiers: identifiers.unwrap_or_default(), points, missing })
}
