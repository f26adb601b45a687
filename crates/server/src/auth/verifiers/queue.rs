//! Who has the next place.
//!
//! Callers who were right lately go first, but not more than a few in a row while others wait. Within
//! both, networks take turns, so that none waits longer because another one asks more.

use std::collections::VecDeque;
use std::net::IpAddr;

use tokio::sync::oneshot::Sender;

/// How many callers who were right lately go before one other who waits.
const KNOWN_IN_A_ROW: u32 = 3;
/// The most requests of one network that wait, of callers who were not right lately.
pub(crate) const NETWORK_LIMIT: usize = 16;

/// Whose turn a request takes.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// The caller's network.
    pub network: IpAddr,
    /// Whether the caller was right there lately.
    pub is_known: bool,
}

/// More requests wait than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

/// Free places, and those who wait for one.
pub(super) struct Queue<T> {
    free: usize,
    known: Lane<T>,
    others: Lane<T>,
    known_in_a_row: u32,
}

/// Those who wait, by network, in the order of their turns. No network is without a request.
struct Lane<T> {
    networks: VecDeque<(IpAddr, VecDeque<Sender<T>>)>,
    limit: usize,
    network_limit: usize,
}

impl<T> Queue<T> {
    pub(super) const fn new(places: usize, waiting: usize) -> Self {
        Self {
            free: places,
            known: Lane::new(waiting, waiting),
            others: Lane::new(waiting, NETWORK_LIMIT),
            known_in_a_row: 0,
        }
    }

    pub(super) fn push(&mut self, turn: Turn, waiting: Sender<T>) -> Result<(), Overloaded> {
        let lane = if turn.is_known { &mut self.known } else { &mut self.others };
        lane.push(turn.network, waiting)
    }

    /// Takes a free place for the one whose turn it is.
    pub(super) fn take_next(&mut self) -> Option<Sender<T>> {
        let free = self.free.checked_sub(1)?;
        let next = if self.known_in_a_row < KNOWN_IN_A_ROW {
            self.next_known().or_else(|| self.next_other())
        } else {
            self.next_other().or_else(|| self.next_known())
        }?;
        self.free = free;
        Some(next)
    }

    /// A place is free again.
    pub(super) const fn free(&mut self) {
        self.free = self.free.saturating_add(1);
    }

    fn next_known(&mut self) -> Option<Sender<T>> {
        let next = self.known.pop()?;
        self.known_in_a_row = self.known_in_a_row.saturating_add(1);
        Some(next)
    }

    fn next_other(&mut self) -> Option<Sender<T>> {
        let next = self.others.pop()?;
        self.known_in_a_row = 0;
        Some(next)
    }
}

impl<T> Lane<T> {
    const fn new(limit: usize, network_limit: usize) -> Self {
        Self { networks: VecDeque::new(), limit, network_limit }
    }

    /// Adds a request. If the lane is full, it takes the room of the network that has most requests,
    /// unless that has no more than its own then.
    fn push(&mut self, network: IpAddr, waiting: Sender<T>) -> Result<(), Overloaded> {
        self.networks.retain_mut(|(_, requests)| {
            requests.retain(|request| !request.is_closed());
            !requests.is_empty()
        });
        let own = self.networks.iter().position(|(other, _)| *other == network);
        let count = own.and_then(|own| self.networks.get(own)).map_or(0, |(_, own)| own.len());
        if count >= self.network_limit {
            return Err(Overloaded);
        }
        if self.networks.iter().map(|(_, requests)| requests.len()).sum::<usize>() >= self.limit {
            let most = self.networks.iter_mut().max_by_key(|(_, requests)| requests.len());
            let (_, most) = most.ok_or(Overloaded)?;
            if most.len() <= count.saturating_add(1) {
                return Err(Overloaded);
            }
            most.pop_back();
        }
        match own.and_then(|own| self.networks.get_mut(own)) {
            Some((_, requests)) => requests.push_back(waiting),
            None => self.networks.push_back((network, [waiting].into())),
        }
        Ok(())
    }

    /// Takes the first request of the network whose turn it is.
    fn pop(&mut self) -> Option<Sender<T>> {
        loop {
            let (network, mut requests) = self.networks.pop_front()?;
            let next = requests.pop_front();
            if !requests.is_empty() {
                self.networks.push_back((network, requests));
            }
            if let Some(next) = next.filter(|next| !next.is_closed()) {
                return Some(next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::{self, Receiver};

    use super::*;

    /// A queue, and who waits in it.
    struct Waiting {
        queue: Queue<()>,
        requests: Vec<(&'static str, Receiver<()>)>,
    }

    impl Waiting {
        /// A queue of so many requests of either sort, without a free place.
        fn new(limit: usize) -> Self {
            Self { queue: Queue::new(0, limit), requests: Vec::new() }
        }

        fn push(&mut self, name: &'static str, network: u32, is_known: bool) -> bool {
            let (waiting, request) = oneshot::channel();
            let turn = Turn { network: IpAddr::V4(network.into()), is_known };
            let pushed = self.queue.push(turn, waiting).is_ok();
            if pushed {
                self.requests.push((name, request));
            }
            pushed
        }

        /// In which order the requests have their turns.
        fn order(&mut self) -> Vec<&'static str> {
            let mut order = Vec::new();
            self.queue.free();
            while let Some(next) = self.queue.take_next() {
                next.send(()).unwrap();
                self.queue.free();
                let served = self.requests.iter_mut().position(|(_, one)| one.try_recv().is_ok());
                order.push(self.requests.remove(served.unwrap()).0);
            }
            order
        }
    }

    #[test]
    fn networks_take_turns() {
        let mut waiting = Waiting::new(100);
        for (name, network) in [("a1", 1), ("a2", 1), ("a3", 1), ("b1", 2), ("c1", 3), ("b2", 2)] {
            assert!(waiting.push(name, network, false));
        }
        assert_eq!(waiting.order(), ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn callers_who_were_right_lately_go_first_a_few_in_a_row() {
        let mut waiting = Waiting::new(100);
        for (name, is_known) in [("o1", false), ("o2", false), ("o3", false)] {
            assert!(waiting.push(name, 1, is_known));
        }
        for name in ["k1", "k2", "k3", "k4", "k5"] {
            assert!(waiting.push(name, 1, true));
        }
        assert_eq!(waiting.order(), ["k1", "k2", "k3", "o1", "k4", "k5", "o2", "o3"]);
    }

    #[test]
    fn a_network_has_a_share_of_the_queue() {
        let mut waiting = Waiting::new(100);
        let pushed = (0..100).filter(|_| waiting.push("a", 1, false)).count();
        assert_eq!(pushed, NETWORK_LIMIT);
        assert!(waiting.push("b", 2, false));
        let known = (0..200).filter(|_| waiting.push("k", 1, true)).count();
        assert_eq!(known, 100, "callers who were right lately share the whole queue");
    }

    #[test]
    fn a_full_queue_has_room_for_who_has_less_in_it() {
        let mut waiting = Waiting::new(4);
        for name in ["a1", "a2", "a3", "a4"] {
            assert!(waiting.push(name, 1, false));
        }
        assert!(!waiting.push("a5", 1, false));
        assert!(waiting.push("b1", 2, false) && waiting.push("b2", 2, false));
        assert!(!waiting.push("b3", 2, false));
        assert!(waiting.push("c1", 3, false));
        assert!(waiting.push("d1", 4, false) && !waiting.push("e1", 5, false));
        assert_eq!(waiting.order(), ["a1", "b1", "c1", "d1"]);
    }

    #[test]
    fn who_hangs_up_leaves_its_room() {
        let mut waiting = Waiting::new(100);
        let pushed = (0..100).filter(|_| waiting.push("a", 1, false)).count();
        waiting.requests.drain(1..);
        assert_eq!((0..100).filter(|_| waiting.push("b", 1, false)).count(), pushed - 1);
        waiting.requests.drain(1..);
        assert_eq!(waiting.order(), ["a"]);
    }
}
