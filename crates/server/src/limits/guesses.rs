//! Limits on guessing passwords: by name and address, by address alone, and by name alone.
//!
//! A try is reserved before it is verified, so that many at once count as well as many in turn.
//!
//! An account that was right from an address within the last day is known there. Neither wrong
//! passwords for other names from that address nor guesses at its name from other addresses lock it
//! out.

use std::hash::{BuildHasher, Hash, RandomState};
use std::iter;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::network;

/// How long wrong passwords from an address count.
const WINDOW: Duration = Duration::from_mins(1);
/// How many times as many wrong passwords are admitted for all names from one address, for one name
/// from all addresses, and for a known account.
pub(crate) const WIDER: u32 = 10;
/// The longest delay between two guesses at one name.
const LONGEST_DELAY: Duration = Duration::from_mins(5);
/// How many wrong passwords past the limit of a name make the delay the longest.
const LONGEST_DELAY_AT: u32 = 9;
/// After each such time, one wrong password for a name is forgotten.
const FORGET_EACH: Duration = Duration::from_mins(10);
/// How long an account is known at an address.
const KNOWN_FOR: Duration = Duration::from_hours(24);
/// When an account that is right once more is known for a whole day again.
const RENEW_AFTER: Duration = Duration::from_hours(1);
/// The most counters of one sort, and the most known pairs, that are kept; past it the least used
/// are forgotten.
const LIMIT: u64 = 100_000;

/// A name, by its hash, and a network.
type Pair = (u64, IpAddr);

/// Counts wrong passwords.
pub(crate) struct Guesses {
    /// How many a minute for one name from one address.
    limit: u32,
    pairs: Cache<Pair, Arc<Counter>>,
    networks: Cache<IpAddr, Arc<Counter>>,
    names: Cache<u64, Arc<Counter>>,
    /// When each account was right at each network.
    known: Cache<Pair, Instant>,
    hasher: RandomState,
}

/// The account that a caller names, and the caller's network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    pair: Pair,
    /// When the account was right there, if that was within the last day.
    right_at: Option<Instant>,
}

/// Why a try is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many passwords were wrong. Another one may be tried after this time.
    LockedOut(Duration),
    /// Too many tries are being verified whose outcome is open.
    Busy,
}

/// A try; reserved until it is dropped or [wrong](Guess::was_wrong).
#[must_use]
pub(crate) struct Guess(Vec<Limit>);

impl Guesses {
    /// Admits so many wrong passwords a minute for one name from one address.
    pub(crate) fn new(limit: u32) -> Self {
        let minute = || Cache::builder().max_capacity(LIMIT).time_to_live(WINDOW);
        Self {
            limit,
            pairs: minute().build(),
            networks: Cache::builder().max_capacity(LIMIT).time_to_live(WINDOW).build(),
            names: Cache::builder().max_capacity(LIMIT).time_to_idle(KNOWN_FOR).build(),
            known: Cache::builder().max_capacity(LIMIT).time_to_live(KNOWN_FOR).build(),
            hasher: RandomState::new(),
        }
    }

    /// The account of this name at the network of this address.
    pub(crate) fn source(&self, account: impl Hash, from: IpAddr, now: Instant) -> Source {
        let pair = (self.hasher.hash_one(account), network::of(from));
        let right_at = self.known.get(&pair);
        let is_current = |at: &Instant| now.saturating_duration_since(*at) < KNOWN_FOR;
        Source { pair, right_at: right_at.filter(is_current) }
    }

    /// Fails while no further try is admitted. For those that need no verification.
    pub(crate) fn check(&self, source: &Source, now: Instant) -> Result<(), Duration> {
        let waits = self.limits(source, now).filter_map(|limit| limit.wait(now));
        waits.max().map_or(Ok(()), Err)
    }

    /// Reserves one more try.
    pub(crate) fn admit(&self, source: &Source, now: Instant) -> Result<Guess, Refused> {
        let mut guess = Guess(Vec::new());
        for limit in self.limits(source, now) {
            limit.reserve(now)?;
            guess.0.push(limit);
        }
        Ok(guess)
    }

    /// Knows the account at this network from now on.
    pub(crate) fn was_right(&self, source: &Source, now: Instant) {
        let is_recent = |at: Instant| now.saturating_duration_since(at) < RENEW_AFTER;
        if !source.right_at.is_some_and(is_recent) {
            self.known.insert(source.pair, now);
        }
    }

    fn limits(&self, source: &Source, now: Instant) -> impl Iterator<Item = Limit> {
        let pair @ (name, network) = source.pair;
        let (limit, wider) = (self.limit, self.limit.saturating_mul(WIDER));
        let start = || Counter::start(now);
        let own = if source.is_known() { wider } else { limit };
        let own = Limit { counter: self.pairs.get_with(pair, start), rule: Rule::Minute(own) };
        let shared = (!source.is_known()).then(|| {
            let network = self.networks.get_with(network, start);
            let name = self.names.get_with(name, start);
            [
                Limit { counter: network, rule: Rule::Minute(wider) },
                Limit { counter: name, rule: Rule::Delay(wider) },
            ]
        });
        iter::once(own).chain(shared.into_iter().flatten())
    }
}

impl Source {
    /// Whether the account was right at this network within the last day.
    pub(crate) const fn is_known(&self) -> bool {
        self.right_at.is_some()
    }

    /// The caller's network.
    pub(crate) const fn network(&self) -> IpAddr {
        self.pair.1
    }
}

impl Guess {
    /// The password was wrong: the try counts.
    pub(crate) fn was_wrong(mut self, now: Instant) {
        for limit in self.0.drain(..) {
            limit.charge(now);
        }
    }
}

impl Drop for Guess {
    fn drop(&mut self) {
        self.0.iter().for_each(Limit::release);
    }
}

/// How many wrong passwords are admitted.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// So many a minute.
    Minute(u32),
    /// So many, then one after each delay. The delay doubles each time, from a second to 5 minutes.
    Delay(u32),
}

/// A counter, and how far it may count.
struct Limit {
    counter: Arc<Counter>,
    rule: Rule,
}

impl Limit {
    fn wait(&self, now: Instant) -> Option<Duration> {
        self.counter.tries().wait(self.rule, now)
    }

    fn reserve(&self, now: Instant) -> Result<(), Refused> {
        let mut tries = self.counter.tries();
        if let Some(wait) = tries.wait(self.rule, now) {
            return Err(Refused::LockedOut(wait));
        }
        // Past its limit, a name has one try at a time.
        let most = self.rule.most().max(tries.wrong.saturating_add(1));
        if tries.wrong.saturating_add(tries.open) >= most {
            return Err(Refused::Busy);
        }
        tries.open = tries.open.saturating_add(1);
        Ok(())
    }

    fn release(&self) {
        let mut tries = self.counter.tries();
        tries.open = tries.open.saturating_sub(1);
    }

    fn charge(&self, now: Instant) {
        let mut tries = self.counter.tries();
        tries.open = tries.open.saturating_sub(1);
        tries.wrong = tries.wrong.saturating_add(1);
        if let Rule::Delay(most) = self.rule {
            tries.wrong = tries.wrong.min(most.saturating_add(LONGEST_DELAY_AT));
        }
        tries.last = now;
    }
}

impl Rule {
    const fn most(self) -> u32 {
        match self {
            Self::Minute(most) | Self::Delay(most) => most,
        }
    }
}

struct Counter(Mutex<Tries>);

struct Tries {
    wrong: u32,
    /// Those that are being verified.
    open: u32,
    /// From when on wrong passwords count, or one is forgotten after another.
    since: Instant,
    /// When the last password was wrong.
    last: Instant,
}

impl Counter {
    fn start(now: Instant) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Tries { wrong: 0, open: 0, since: now, last: now })))
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tries {
    /// How long no try is admitted, if any time.
    fn wait(&mut self, rule: Rule, now: Instant) -> Option<Duration> {
        self.forget(rule, now);
        let over = self.wrong.checked_sub(rule.most())?;
        let until = match rule {
            Rule::Minute(_) => self.since.checked_add(WINDOW),
            Rule::Delay(_) => self.last.checked_add(delay(over)),
        };
        let wait = until?.saturating_duration_since(now);
        (!wait.is_zero()).then_some(wait)
    }

    fn forget(&mut self, rule: Rule, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        match rule {
            Rule::Minute(_) if passed >= WINDOW => {
                self.wrong = 0;
                self.since = now;
            }
            Rule::Minute(_) => {}
            Rule::Delay(_) => {
                let times = passed.as_secs() / FORGET_EACH.as_secs();
                let times = u32::try_from(times).unwrap_or(u32::MAX);
                self.wrong = self.wrong.saturating_sub(times);
                let since = self.since.checked_add(FORGET_EACH.saturating_mul(times));
                self.since = since.unwrap_or(now);
            }
        }
    }
}

/// How long the next guess waits once so many more were wrong than are admitted at once.
fn delay(over: u32) -> Duration {
    let seconds = 1_u64.checked_shl(over).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// One who guesses, with a clock.
    struct Guesser {
        guesses: Guesses,
        now: Instant,
    }

    impl Guesser {
        fn new(limit: u32) -> Self {
            Self { guesses: Guesses::new(limit), now: Instant::now() }
        }

        fn source(&self, name: &str, from: &str) -> Source {
            self.guesses.source(name, from.parse().unwrap(), self.now)
        }

        fn admit(&self, name: &str, from: &str) -> Result<Guess, Refused> {
            self.guesses.admit(&self.source(name, from), self.now)
        }

        /// Tries a wrong password; how long to wait where it is not admitted.
        fn guess(&self, name: &str, from: &str) -> Result<(), Duration> {
            let check = self.guesses.check(&self.source(name, from), self.now);
            match self.admit(name, from) {
                Ok(guess) => guess.was_wrong(self.now),
                Err(Refused::LockedOut(wait)) => assert!(check.is_err_and(|most| most >= wait)),
                Err(Refused::Busy) => panic!("no try is open"),
            }
            check
        }

        fn sign_in(&self, name: &str, from: &str) {
            drop(self.admit(name, from).unwrap());
            self.guesses.was_right(&self.source(name, from), self.now);
        }

        fn pass(&mut self, time: Duration) {
            self.now += time;
        }
    }

    #[test]
    fn limits_a_name_at_an_address_for_a_minute() {
        let mut guesser = Guesser::new(2);
        assert!(guesser.guess("a", "10.0.0.1").is_ok() && guesser.guess("a", "10.0.0.1").is_ok());
        guesser.pass(20 * SECOND);
        assert_eq!(guesser.guess("a", "10.0.0.1"), Err(40 * SECOND));
        assert!(guesser.guess("a", "10.0.0.2").is_ok() && guesser.guess("b", "10.0.0.1").is_ok());
        guesser.pass(40 * SECOND);
        assert!(guesser.guess("a", "10.0.0.1").is_ok() && guesser.guess("a", "10.0.0.1").is_ok());
        assert_eq!(guesser.guess("a", "10.0.0.1"), Err(60 * SECOND));
    }

    #[test]
    fn limits_an_address_whatever_names_it_tries() {
        let guesser = Guesser::new(2);
        let admitted = |from: &dyn Fn(u32) -> String| {
            (0..100).filter(|n| guesser.guess(&n.to_string(), &from(*n)).is_ok()).count()
        };
        assert_eq!(admitted(&|_| "10.0.0.1".to_owned()), 20);
        assert_eq!(admitted(&|n| format!("2001:db8::{n}")), 20);
    }

    #[test]
    fn guesses_at_a_name_from_many_addresses_wait_longer_and_longer() {
        let mut guesser = Guesser::new(1);
        let mut address = (0..).map(|n: u32| format!("2001:db8:{:x}:{:x}::", n >> 16, n & 0xffff));
        let mut guess = |guesser: &Guesser| guesser.guess("a", &address.next().unwrap());
        assert!((0..10).all(|_| guess(&guesser).is_ok()));
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(guess(&guesser), Err(seconds * SECOND));
            guesser.pass(seconds * SECOND);
            assert_eq!(guess(&guesser), Ok(()));
        }
        let a_day = (0..8_640).filter(|_| {
            guesser.pass(10 * SECOND);
            guess(&guesser).is_ok()
        });
        assert!((280..300).contains(&a_day.count()));
    }

    #[test]
    fn guesses_at_a_name_are_forgotten_one_after_another() {
        let mut guesser = Guesser::new(1);
        let guess = |guesser: &Guesser, n: u32| guesser.guess("a", &format!("10.0.0.{n}"));
        assert!((0..10).all(|n| guess(&guesser, n).is_ok()));
        guesser.pass(2 * FORGET_EACH);
        assert_eq!([10, 11, 12].map(|n| guess(&guesser, n)), [Ok(()), Ok(()), Err(SECOND)]);
        guesser.pass(100 * FORGET_EACH);
        assert_eq!((20..40).filter(|n| guess(&guesser, *n).is_ok()).count(), 10);
    }

    #[test]
    fn a_known_account_is_not_locked_out_by_others() {
        let mut guesser = Guesser::new(1);
        guesser.sign_in("a", "10.0.0.1");
        while guesser.guess("a", "10.0.0.1").is_ok() {}
        guesser.pass(WINDOW);
        for n in 0..40 {
            let _ = guesser.guess(&n.to_string(), "10.0.0.1");
            let _ = guesser.guess("a", &format!("10.0.1.{n}"));
        }
        guesser.sign_in("a", "10.0.0.1");
        assert!(guesser.guess("b", "10.0.0.1").is_err() && guesser.guess("a", "10.0.2.1").is_err());
    }

    #[test]
    fn an_account_is_known_for_a_day_after_it_was_right() {
        let mut guesser = Guesser::new(1);
        let hour = 60 * WINDOW;
        guesser.sign_in("a", "10.0.0.1");
        guesser.pass(23 * hour);
        guesser.sign_in("a", "10.0.0.1");
        guesser.pass(23 * hour);
        assert!(guesser.source("a", "10.0.0.1").is_known());
        guesser.pass(hour);
        assert!(!guesser.source("a", "10.0.0.1").is_known());
        assert!(!guesser.source("a", "10.0.0.2").is_known());
    }

    #[test]
    fn wrong_passwords_of_a_known_account_are_limited() {
        let guesser = Guesser::new(2);
        guesser.sign_in("a", "10.0.0.1");
        let admitted = (0..100).filter(|_| guesser.guess("a", "10.0.0.1").is_ok());
        assert_eq!(admitted.count(), 20);
    }

    #[test]
    fn open_tries_lock_nobody_out() {
        let guesser = Guesser::new(2);
        let open: Vec<_> = (0..2).map(|_| guesser.admit("a", "10.0.0.1").unwrap()).collect();
        assert!(matches!(guesser.admit("a", "10.0.0.1"), Err(Refused::Busy)));
        drop(open);
        assert!(guesser.guess("a", "10.0.0.1").is_ok());
    }

    #[test]
    fn a_name_past_its_limit_has_one_open_try() {
        let mut guesser = Guesser::new(1);
        for n in 0..10 {
            guesser.guess("a", &format!("10.0.0.{n}")).unwrap();
        }
        guesser.pass(SECOND);
        let open = guesser.admit("a", "10.0.1.1").unwrap();
        assert!(matches!(guesser.admit("a", "10.0.1.2"), Err(Refused::Busy)));
        drop(open);
        assert!(guesser.admit("a", "10.0.1.2").is_ok());
    }

    #[test]
    fn a_right_one_costs_nothing() {
        let guesser = Guesser::new(1);
        for _ in 0..10 {
            guesser.sign_in("a", "10.0.0.1");
            drop(guesser.admit("b", "10.0.0.1").unwrap());
        }
    }
}
