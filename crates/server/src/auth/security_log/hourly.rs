//! Lines that a network causes once an hour.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_hours(1);
/// The most networks that cause a line an hour.
const NETWORKS_LIMIT: usize = 100;

/// The networks that caused a line within the present hour.
pub(super) struct Hourly {
    since: Instant,
    networks: HashSet<IpAddr>,
}

impl Hourly {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, networks: HashSet::new() }
    }

    /// Whether a line of this network is logged.
    pub(super) fn admit(&mut self, network: IpAddr, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= WINDOW {
            *self = Self::new(now);
        }
        self.networks.len() < NETWORKS_LIMIT && self.networks.insert(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_a_network_once_an_hour_and_a_hundred_networks() {
        let start = Instant::now();
        let mut hourly = Hourly::new(start);
        let mut admitted = |seconds| {
            let now = start + Duration::from_secs(seconds);
            (0..150).filter(|n| hourly.admit(IpAddr::V4(u32::into(*n)), now)).count()
        };
        assert_eq!([0, 1, 3_599, 3_600].map(&mut admitted), [100, 0, 0, 100]);
    }
}
