//! How many refusals are logged a minute.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long lines count.
const WINDOW: Duration = Duration::from_mins(1);
/// The most lines a minute that one network causes.
pub(crate) const NETWORK_LIMIT: u32 = 100;
/// The most lines a minute that all networks cause.
pub(crate) const LIMIT: u32 = 10_000;

/// The lines of the present minute.
pub(super) struct Budget {
    since: Instant,
    lines: u32,
    left_out: u64,
    networks: HashMap<IpAddr, u32>,
    lockouts: HashSet<(u64, IpAddr)>,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            lines: 0,
            left_out: 0,
            networks: HashMap::new(),
            lockouts: HashSet::new(),
        }
    }

    /// Begins another minute if this one is over. Returns how many lines the old one left out.
    pub(super) fn turn(&mut self, now: Instant) -> u64 {
        if now.saturating_duration_since(self.since) < WINDOW {
            return 0;
        }
        let left_out = self.left_out;
        *self = Self::new(now);
        left_out
    }

    /// Whether one more line of this network is logged. A lock-out of the same name from the same
    /// network is logged once a minute.
    pub(super) fn admit(&mut self, network: IpAddr, lockout: Option<u64>) -> bool {
        let is_repeated = lockout.is_some_and(|name| self.lockouts.contains(&(name, network)));
        let lines = self.networks.get(&network).copied().unwrap_or_default();
        if is_repeated || lines >= NETWORK_LIMIT || self.lines >= LIMIT {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        self.lines = self.lines.saturating_add(1);
        self.networks.insert(network, lines.saturating_add(1));
        self.lockouts.extend(lockout.map(|name| (name, network)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn limits_each_network_and_counts_the_rest() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let admitted =
            |budget: &mut Budget, n| (0..150).filter(|_| budget.admit(network(n), None)).count();
        assert_eq!(admitted(&mut budget, 1), 100);
        assert_eq!(admitted(&mut budget, 2), 100);
        assert_eq!(budget.turn(start + Duration::from_secs(59)), 0);
        assert_eq!(admitted(&mut budget, 1), 0);
        assert_eq!(budget.turn(start + WINDOW), 250);
        assert_eq!(budget.turn(start + WINDOW + WINDOW), 0);
        assert_eq!(admitted(&mut budget, 1), 100);
    }

    #[test]
    fn limits_all_networks_together() {
        let mut budget = Budget::new(Instant::now());
        let admitted = (0..20_000).filter(|n| budget.admit(network(*n), None)).count();
        assert_eq!(admitted, 10_000);
        assert_eq!(budget.networks.len(), 10_000);
    }

    #[test]
    fn logs_a_lockout_once_a_minute_for_each_name_and_network() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        for (name, n, wanted) in
            [(1, 1, true), (1, 1, false), (2, 1, true), (1, 2, true), (1, 2, false)]
        {
            assert_eq!(budget.admit(network(n), Some(name)), wanted, "{name} {n}");
        }
        assert_eq!(budget.turn(start + WINDOW), 2);
        assert!(budget.admit(network(1), Some(1)));
    }
}
