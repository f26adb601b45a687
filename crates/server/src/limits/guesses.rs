//! A limit on guessing: wrong passwords by till and address, and by address alone.
//!
//! A try is charged before it is verified and given back where it was right, so that many at once
//! count as well as many in turn.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::network;

/// How long wrong passwords count.
const WINDOW: Duration = Duration::from_mins(1);
/// How many times as many wrong passwords an address has for all tills together.
pub(crate) const TILLS_AN_ADDRESS: u32 = 10;
/// The most counters of one sort that are kept; past it the least used are forgotten.
const COUNTERS_LIMIT: u64 = 100_000;

/// Counts wrong passwords.
pub(crate) struct Guesses {
    per_till: u32,
    tills: Cache<(u64, IpAddr), Arc<Counter>>,
    addresses: Cache<IpAddr, Arc<Counter>>,
    names: RandomState,
}

struct Counter {
    tries: AtomicU32,
    since: Instant,
}

/// One try; charged until it is given back.
pub(crate) struct Guess([Arc<Counter>; 2]);

impl Guesses {
    pub(crate) fn new(per_till: u32) -> Self {
        let cache = || Cache::builder().max_capacity(COUNTERS_LIMIT);
        Self {
            per_till,
            tills: cache().time_to_live(WINDOW).build(),
            addresses: Cache::builder().max_capacity(COUNTERS_LIMIT).time_to_live(WINDOW).build(),
            names: RandomState::new(),
        }
    }

    /// Admits one more try, or says how long to wait.
    pub(crate) fn admit(&self, username: &str, from: IpAddr) -> Result<Guess, Duration> {
        let from = network::of(from);
        let till = self.tills.get_with((self.names.hash_one(username), from), Counter::start);
        let address = self.addresses.get_with(from, Counter::start);
        till.charge(self.per_till)?;
        if let Err(wait) = address.charge(self.per_till.saturating_mul(TILLS_AN_ADDRESS)) {
            till.give_back();
            return Err(wait);
        }
        Ok(Guess([till, address]))
    }
}

impl Guess {
    /// It was right.
    pub(crate) fn give_back(&self) {
        self.0.iter().for_each(|counter| counter.give_back());
    }
}

impl Counter {
    fn start() -> Arc<Self> {
        Arc::new(Self { tries: AtomicU32::new(0), since: Instant::now() })
    }

    fn charge(&self, most: u32) -> Result<(), Duration> {
        let more = |tries: u32| (tries < most).then(|| tries.saturating_add(1));
        match self.tries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(()),
            Err(_) => Err(WINDOW.saturating_sub(self.since.elapsed()).max(Duration::from_secs(1))),
        }
    }

    fn give_back(&self) {
        let fewer = |tries: u32| Some(tries.saturating_sub(1));
        let _ = self.tries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn wrong_tries_are_limited_by_till_and_address() {
        let guesses = Guesses::new(2);
        let admitted = |till: &str, from: &str| guesses.admit(till, address(from)).is_ok();
        assert!(admitted("a", "10.0.0.1") && admitted("a", "10.0.0.1"));
        assert!(!admitted("a", "10.0.0.1"));
        assert!(admitted("a", "10.0.0.2"));
        assert!(admitted("b", "10.0.0.1"));
    }

    #[test]
    fn an_address_is_limited_whatever_tills_it_names() {
        let guesses = Guesses::new(2);
        let admitted =
            (0..100).filter(|n| guesses.admit(&n.to_string(), address("10.0.0.1")).is_ok());
        assert_eq!(admitted.count(), 20);
        let neighbours = (0..100)
            .filter(|n| guesses.admit(&n.to_string(), address(&format!("2001:db8::{n}"))).is_ok());
        assert_eq!(neighbours.count(), 20);
    }

    #[test]
    fn a_right_one_costs_nothing() {
        let guesses = Guesses::new(1);
        for _ in 0..10 {
            guesses.admit("a", address("10.0.0.1")).ok().unwrap().give_back();
        }
    }
}
