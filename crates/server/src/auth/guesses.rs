//! A limit on guessing: passwords that need verifying, by till and address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// How many keys may be known before those that are idle are forgotten.
const KEYS_LIMIT: usize = 10_000;

/// Counts the passwords that were tried.
pub(super) struct Guesses {
    limiter: DefaultKeyedRateLimiter<(String, IpAddr)>,
    clock: DefaultClock,
}

impl Guesses {
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
            clock: DefaultClock::default(),
        }
    }

    /// Admits one more try, or says how long to wait. One that turns out right is remembered, and
    /// so is not tried again for a while.
    pub(super) fn admit(&self, username: &str, from: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() > KEYS_LIMIT {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(&(username.to_owned(), from))
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }
}
