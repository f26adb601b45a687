//! What waits for the writer, and which of it comes next.
//!
//! Requests for few customers and requests for many wait in lanes of their own, each in order of
//! arrival. A group of both is committed together. So whoever registers one customer waits for one
//! share of the large requests at most, and a large request is not put off by small ones.

use std::collections::VecDeque;

/// The most customers of a small request.
const SMALL_LIMIT: usize = 8;
/// Once a group holds this many customers of small requests, it takes no further one.
const SMALL_SHARE: usize = 512;
/// Once a group holds this many customers of large requests, it takes no further one. Enough that
/// a commit's own cost is spread.
const LARGE_SHARE: usize = 128;

/// What waits, by size.
pub(crate) struct Lanes<T> {
    small: Lane<T>,
    large: Lane<T>,
}

/// Each with how many customers it is about.
type Lane<T> = VecDeque<(usize, T)>;

impl<T> Lanes<T> {
    pub(crate) const fn new() -> Self {
        Self { small: VecDeque::new(), large: VecDeque::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.small.is_empty() && self.large.is_empty()
    }

    pub(crate) fn push(&mut self, customers: usize, waiting: T) {
        let lane = if customers <= SMALL_LIMIT { &mut self.small } else { &mut self.large };
        lane.push_back((customers, waiting));
    }

    /// Takes what is committed together next; empty only where nothing waits.
    pub(crate) fn next_group(&mut self) -> Vec<T> {
        let mut group = Vec::new();
        for (lane, share) in [(&mut self.small, SMALL_SHARE), (&mut self.large, LARGE_SHARE)] {
            let mut taken: usize = 0;
            while taken < share
                && let Some((customers, next)) = lane.pop_front()
            {
                taken = taken.saturating_add(customers);
                group.push(next);
            }
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// What waits, and the groups in which it is committed.
    #[rstest]
    #[case::nothing(vec![], vec![])]
    #[case::one(vec![1], vec![vec![1]])]
    #[case::of_nobody(vec![0], vec![vec![0]])]
    #[case::small_ones_come_first(vec![100, 1, 100, 2], vec![vec![1, 2, 100, 100]])]
    #[case::large_ones_are_spread(vec![100, 100, 100, 1], vec![vec![1, 100, 100], vec![100]])]
    #[case::larger_than_the_share(vec![1000, 1000], vec![vec![1000], vec![1000]])]
    fn what_waits_is_grouped(#[case] waiting: Vec<usize>, #[case] expected: Vec<Vec<usize>>) {
        let mut lanes = Lanes::new();
        for customers in waiting {
            lanes.push(customers, customers);
        }
        let groups = std::iter::from_fn(|| (!lanes.is_empty()).then(|| lanes.next_group()));
        assert_eq!(groups.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_lane_moves_with_each_group_in_order_of_arrival() {
        let mut lanes = Lanes::new();
        let mut small = 0..;
        let mut large = 0..10;
        large.clone().for_each(|number| lanes.push(100, (100, number)));
        for round in 0..5 {
            // More small ones than a group takes keep arriving.
            small.by_ref().take(SMALL_SHARE * 2).for_each(|number| lanes.push(1, (1, number)));
            let first = round * SMALL_SHARE;
            let mut expected: Vec<_> = (first..first + SMALL_SHARE).map(|n| (1, n)).collect();
            expected.extend(large.by_ref().take(2).map(|number| (100, number)));
            assert_eq!(lanes.next_group(), expected);
        }
    }
}
