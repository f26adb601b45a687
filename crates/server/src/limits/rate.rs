//! Rate limits: "1,000 requests per minute per API key".
//!
//! A key's minute begins with its first call and lasts 60 seconds; in it exactly as many calls are
//! admitted as the limit says, however many arrive at once. A call counts once, whatever it carries.
//! Counts are the process's own: of several processes, each admits as many. Changes of an operator are
//! limited in the same way.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// How long a limit counts.
pub const WINDOW: Duration = Duration::from_mins(1);
/// The same, in milliseconds.
const WINDOW_MS: i64 = 60_000;
/// How many parts the keys are spread over, so that calls hardly ever wait for each other.
const SHARDS: usize = 64;
/// How many keys a part holds at least before those whose minute is over are forgotten.
const SWEEP_LEAST: usize = 64;

/// What a key has left of its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many calls a minute are admitted.
    pub limit: u32,
    /// How many more of them in this one.
    pub remaining: u32,
    /// When the next minute can begin.
    pub resets_in: Duration,
}

/// Counts the calls of each key that called within the last minute, and remembers no other.
#[derive(Debug)]
pub struct RateLimiter<K> {
    /// Boxed, so that what holds a limiter stays small.
    shards: Box<[Mutex<Shard<K>>; SHARDS]>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Shard<K> {
    windows: HashMap<K, Window>,
    /// How many keys it holds when those whose minute is over are next forgotten.
    sweep_at: usize,
}

/// One key's minute.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// In milliseconds since 1970.
    ends: i64,
    used: u32,
}

impl<K> Default for RateLimiter<K> {
    fn default() -> Self {
        let shard = || Shard { windows: HashMap::new(), sweep_at: SWEEP_LEAST };
        let shards = Box::new(std::array::from_fn(|_| Mutex::new(shard())));
        Self { shards, hasher: RandomState::new() }
    }
}

impl<K: Eq + Hash> RateLimiter<K> {
    /// Admits one more call, or not; either way, what is left.
    ///
    /// # Errors
    /// Nothing is left: the call is refused and does not count.
    pub fn admit(&self, key: K, limit: u32, now: Timestamp) -> Result<Quota, Quota> {
        let now = now.as_millisecond();
        let mut shard = self.shard(&key);
        let window = shard.window(key, now);
        let admitted = window.used < limit;
        if admitted {
            window.used = window.used.saturating_add(1);
        }
        let quota = window.quota(limit, now);
        if admitted { Ok(quota) } else { Err(quota) }
    }

    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "the remainder is less than the number of shards"
    )]
    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K>> {
        let shard = (self.hasher.hash_one(key) % SHARDS as u64) as usize;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Shard<K> {
    /// The key's current minute, begun now where it has none.
    fn window(&mut self, key: K, now: i64) -> &mut Window {
        if self.windows.len() >= self.sweep_at {
            self.windows.retain(|_, window| window.is_current(now));
            self.sweep_at = self.windows.len().saturating_mul(2).max(SWEEP_LEAST);
        }
        let new = Window { ends: now.saturating_add(WINDOW_MS), used: 0 };
        let window = self.windows.entry(key).or_insert(new);
        if !window.is_current(now) {
            *window = new;
        }
        window
    }
}

impl Window {
    /// A clock that is set back ends a minute as well, so that nobody is kept out for longer.
    fn is_current(self, now: i64) -> bool {
        (1..=WINDOW_MS).contains(&self.ends.saturating_sub(now))
    }

    fn quota(self, limit: u32, now: i64) -> Quota {
        let left = u64::try_from(self.ends.saturating_sub(now)).unwrap_or_default();
        let remaining = limit.saturating_sub(self.used);
        Quota { limit, remaining, resets_in: Duration::from_millis(left) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn a_minute_admits_as_many_as_the_limit_and_begins_with_the_first_call() {
        let limiter = RateLimiter::default();
        let admit = |now| limiter.admit('a', 2, at(now)).map_err(|quota| quota.resets_in);
        let quota = |remaining, seconds| Quota {
            limit: 2,
            remaining,
            resets_in: Duration::from_secs(seconds),
        };
        assert_eq!(admit(0), Ok(quota(1, 60)));
        assert_eq!(admit(15_000), Ok(quota(0, 45)));
        assert_eq!(admit(15_000), Err(Duration::from_secs(45)));
        assert_eq!(admit(59_999), Err(Duration::from_millis(1)));
        assert_eq!(admit(60_000), Ok(quota(1, 60)));
    }

    #[test]
    fn each_key_has_its_own() {
        let limiter = RateLimiter::default();
        let admitted = |key| limiter.admit(key, 1, at(0)).is_ok();
        assert!(admitted('a') && admitted('b'));
        assert!(!admitted('a') && !admitted('b'));
    }

    #[test]
    fn a_limit_that_is_changed_holds_within_the_minute() {
        let limiter = RateLimiter::default();
        let admitted = |limit| limiter.admit('a', limit, at(0)).is_ok();
        assert!(admitted(1) && !admitted(1));
        assert!(admitted(2) && !admitted(2) && !admitted(1));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out() {
        let limiter = RateLimiter::default();
        assert!(limiter.admit('a', 1, at(0)).is_ok());
        assert!(limiter.admit('a', 1, at(-1)).is_ok());
    }

    #[test]
    fn of_many_at_once_exactly_as_many_as_the_limit_are_admitted() {
        const LIMIT: u32 = 1_000;
        let (limiter, admitted, barrier) =
            (RateLimiter::default(), AtomicU32::new(0), Barrier::new(8));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    for call in 0..500 {
                        if limiter.admit('a', LIMIT, at(call)).is_ok() {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(admitted.into_inner(), LIMIT);
    }

    #[test]
    fn keys_whose_minute_is_over_are_forgotten() {
        let limiter = RateLimiter::default();
        let held = || limiter.shards.iter().map(|s| s.lock().unwrap().windows.len()).sum::<usize>();
        for key in 0..100_000 {
            assert!(limiter.admit(key, 1, at(i64::from(key) * 60)).is_ok());
        }
        // A thousand called within the last minute.
        assert!(held() <= 2 * SHARDS * SWEEP_LEAST, "{}", held());
    }
}
