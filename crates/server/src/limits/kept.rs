//! How much may be kept for each caller: replies to requests that are answered once.
//!
//! What is kept is taken from a budget, which fills again evenly over the time for which a reply is
//! kept. So what is kept for a caller at once is at most twice the budget, and a caller who has used
//! it up is slowed down and not shut out. Budgets are the process's own, and full when it starts.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// How many callers are remembered at least before those with a full budget are forgotten.
const SWEEP_LEAST: usize = 1_024;

/// A budget's size, and how long it takes to fill.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// In bytes.
    pub limit: u64,
    /// For how long what is taken is kept.
    pub period: Duration,
}

/// The budgets of those who have taken something from theirs.
#[derive(Debug)]
pub struct Budgets<K> {
    used: Mutex<Used<K>>,
}

#[derive(Debug)]
struct Used<K> {
    /// When each budget is full again, in microseconds since 1970.
    full_at: HashMap<K, i64>,
    /// How many are held when those that are full are next forgotten.
    sweep_at: usize,
}

impl<K> Default for Budgets<K> {
    fn default() -> Self {
        Self { used: Mutex::new(Used { full_at: HashMap::new(), sweep_at: SWEEP_LEAST }) }
    }
}

impl<K: Eq + Hash> Budgets<K> {
    /// # Errors
    /// The budget is used up; something is left of it after this time.
    pub fn check(&self, key: &K, budget: Budget, now: Timestamp) -> Result<(), Duration> {
        let period = budget.period_us();
        let filling = self.used().filling(key, period, now);
        match filling.checked_sub(period) {
            Some(over @ 0..) => {
                Err(Duration::from_micros(over.unsigned_abs()).max(Duration::from_secs(1)))
            }
            _ => Ok(()),
        }
    }

    /// Takes bytes that are kept by now, though they may be more than the budget has left.
    pub fn take(&self, key: K, budget: Budget, bytes: usize, now: Timestamp) {
        let period = budget.period_us();
        let taken = i128::from(period)
            .saturating_mul(i128::try_from(bytes).unwrap_or(i128::MAX))
            .checked_div(i128::from(budget.limit))
            .map_or(0, |taken| i64::try_from(taken).unwrap_or(i64::MAX));
        let mut used = self.used();
        let filling = used.filling(&key, period, now);
        used.sweep(now.as_microsecond());
        let filling = filling.saturating_add(taken).min(longest(period));
        let full_at = now.as_microsecond().saturating_add(filling);
        used.full_at.insert(key, full_at);
    }

    fn used(&self) -> MutexGuard<'_, Used<K>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Budget {
    fn period_us(self) -> i64 {
        i64::try_from(self.period.as_micros()).unwrap_or(i64::MAX)
    }
}

/// For how long a budget fills at most, however much was taken.
const fn longest(period: i64) -> i64 {
    period.saturating_mul(2)
}

impl<K: Eq + Hash> Used<K> {
    /// For how long a budget still fills, in microseconds. Where the clock was set back by more than
    /// the longest such time, it is taken for full, so that its caller is not kept out.
    fn filling(&self, key: &K, period: i64, now: Timestamp) -> i64 {
        let full_at = self.full_at.get(key).copied().unwrap_or(i64::MIN);
        let filling = full_at.saturating_sub(now.as_microsecond());
        if (0..=longest(period)).contains(&filling) { filling } else { 0 }
    }

    fn sweep(&mut self, now: i64) {
        if self.full_at.len() >= self.sweep_at {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.sweep_at = self.full_at.len().saturating_mul(2).max(SWEEP_LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUDGET: Budget = Budget { limit: 1_000, period: Duration::from_secs(100) };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn refuses_once_the_budget_is_used_up_and_until_something_is_left() {
        let budgets = Budgets::default();
        assert_eq!(budgets.check(&'a', BUDGET, at(0)), Ok(()));
        budgets.take('a', BUDGET, 999, at(0));
        assert_eq!(budgets.check(&'a', BUDGET, at(0)), Ok(()));
        // More than is left, by as much as fills in 20 seconds.
        budgets.take('a', BUDGET, 201, at(0));
        assert_eq!(budgets.check(&'a', BUDGET, at(0)), Err(Duration::from_secs(20)));
        assert_eq!(budgets.check(&'a', BUDGET, at(19)), Err(Duration::from_secs(1)));
        assert_eq!(budgets.check(&'a', BUDGET, at(21)), Ok(()));
        assert_eq!(budgets.check(&'b', BUDGET, at(0)), Ok(()));
        budgets.take('b', BUDGET, 1_000_000, at(0));
        assert_eq!(budgets.check(&'b', BUDGET, at(0)), Err(Duration::from_secs(100)));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out() {
        let budgets = Budgets::default();
        budgets.take('a', BUDGET, 1_000, at(0));
        assert!(budgets.check(&'a', BUDGET, at(0)).is_err());
        assert_eq!(budgets.check(&'a', BUDGET, at(-201)), Ok(()));
    }

    #[test]
    fn full_budgets_are_forgotten() {
        let budgets = Budgets::default();
        for key in 0..100_000 {
            budgets.take(key, BUDGET, 10, at(key));
        }
        assert!(budgets.used().full_at.len() <= 2 * SWEEP_LEAST);
    }

    proptest! {
        /// Whatever is asked for, what is kept at once is at most twice the budget, and one reply.
        #[test]
        fn keeps_at_most_twice_the_budget(asked in prop::collection::vec((0..20_i64, 1..400_usize), 1..300)) {
            let budgets = Budgets::default();
            let (mut now, mut kept) = (0, Vec::new());
            for (later, bytes) in asked {
                now += later;
                if budgets.check(&'a', BUDGET, at(now)).is_ok() {
                    budgets.take('a', BUDGET, bytes, at(now));
                    kept.push((now, bytes));
                }
                let current = kept.iter().filter(|(taken, _)| now - taken < 100);
                prop_assert!(current.map(|(_, bytes)| bytes).sum::<usize>() <= 2_000 + 400);
            }
        }
    }
}
