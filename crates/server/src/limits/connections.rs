//! How many connections there may be: of one address, and of all. At a limit, a connection of the
//! address with the most connections makes room: the one that has gone longest without a request.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::activity::Activity;
use super::network;

/// The connections that are open.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: Limits,
    table: Mutex<Table>,
}

/// The most connections that are open at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Of all, besides the reserve.
    pub(crate) all: usize,
    /// Of one address, besides the reserve.
    pub(crate) per_address: usize,
    /// For probes, where all others handle requests.
    pub(crate) reserve: usize,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Entry>,
    /// How many of them are of the reserve.
    reserved: usize,
    /// How many of the others each address has, if it has any.
    per_address: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Entry {
    address: Option<IpAddr>,
    is_reserved: bool,
    activity: Arc<Activity>,
    /// Closes the connection when it is dropped.
    _open: oneshot::Sender<()>,
}

/// Why a connection is refused, or another one closed in its favour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooMany {
    #[error("as many connections are open as `connection_limit` allows")]
    InAll,
    #[error("this address has as many connections open as `connection_limit_per_address` allows")]
    OfAddress,
}

/// An open connection. It counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) activity: Arc<Activity>,
    /// Whether it may only probe.
    pub(crate) is_reserved: bool,
    /// The limit at which it was admitted, in place of another one or from the reserve.
    pub(crate) at_limit: Option<TooMany>,
    /// Completes once the connection is to be closed in favour of another one.
    pub(crate) evicted: oneshot::Receiver<()>,
    _place: Place,
}

/// A row of the table, until this is dropped.
#[derive(Debug)]
struct Place {
    connections: Arc<Connections>,
    number: u64,
}

impl Connections {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, table: Mutex::default() })
    }

    /// Admits one more, of this address if it counts by address, or returns why not.
    pub(crate) fn admit(self: &Arc<Self>, from: Option<IpAddr>) -> Result<Admitted, TooMany> {
        let address = from.map(network::of);
        let mut table = self.table();
        let at_limit = self.at_limit(&table, address);
        let is_reserved = match at_limit {
            None => false,
            Some(limit) => {
                let of_address =
                    |entry: &Entry| limit == TooMany::InAll || entry.address == address;
                !table.evict(|entry| !entry.is_reserved && of_address(entry))
            }
        };
        if let Some(limit) = at_limit.filter(|_| is_reserved)
            && table.reserved >= self.limits.reserve
            && !table.evict(|entry| entry.is_reserved)
        {
            return Err(limit);
        }
        let activity = Activity::new();
        let (open, evicted) = oneshot::channel();
        let entry = Entry { address, is_reserved, activity: Arc::clone(&activity), _open: open };
        let number = table.insert(entry);
        let place = Place { connections: Arc::clone(self), number };
        Ok(Admitted { activity, is_reserved, at_limit, evicted, _place: place })
    }

    /// Returns the limit that is reached for a connection of this address.
    fn at_limit(&self, table: &Table, address: Option<IpAddr>) -> Option<TooMany> {
        let of_address = address.and_then(|address| table.per_address.get(&address));
        if of_address.is_some_and(|open| *open >= self.limits.per_address) {
            Some(TooMany::OfAddress)
        } else if table.open.len().saturating_sub(table.reserved) >= self.limits.all {
            Some(TooMany::InAll)
        } else {
            None
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, entry: Entry) -> u64 {
        if entry.is_reserved {
            self.reserved = self.reserved.saturating_add(1);
        } else if let Some(address) = entry.address {
            let of_address = self.per_address.entry(address).or_default();
            *of_address = of_address.saturating_add(1);
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.open.insert(number, entry);
        number
    }

    /// Removes a connection, which closes it; whether it was there.
    fn remove(&mut self, number: u64) -> bool {
        let Some(entry) = self.open.remove(&number) else { return false };
        if entry.is_reserved {
            self.reserved = self.reserved.saturating_sub(1);
        } else if let Some(address) = entry.address
            && let Some(of_address) = self.per_address.get_mut(&address)
        {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                self.per_address.remove(&address);
            }
        }
        true
    }

    /// Closes one of these; whether one could be closed. It is of the address with the most
    /// connections, so that addresses with many never close those of an address with few, and the one
    /// of these that has gone longest without a request.
    fn evict(&mut self, holds: impl Fn(&Entry) -> bool) -> bool {
        let candidates = self.open.iter().filter(|(_, entry)| holds(entry));
        let order = candidates.filter_map(|(number, entry)| {
            Some((Reverse(self.of_address(entry)), entry.activity.evictable_since()?, *number))
        });
        let first = order.min().map(|(.., number)| number);
        first.is_some_and(|number| self.remove(number))
    }

    /// Returns how many connections the address of this one has; 0 if it does not count by address.
    fn of_address(&self, entry: &Entry) -> usize {
        let address = entry.address.and_then(|address| self.per_address.get(&address));
        address.copied().unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.table().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    const LIMITS: Limits = Limits { all: 3, per_address: 2, reserve: 1 };

    fn address(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    /// Connections that arrive one second after the other.
    async fn admit(connections: &Arc<Connections>, from: u8) -> Result<Admitted, TooMany> {
        advance(Duration::from_secs(1)).await;
        connections.admit(Some(address(from)))
    }

    fn is_open(admitted: &mut Admitted) -> bool {
        admitted.evicted.try_recv() == Err(oneshot::error::TryRecvError::Empty)
    }

    #[tokio::test(start_paused = true)]
    async fn evicts_the_one_longest_without_a_request() {
        let connections = Connections::new(LIMITS);
        let mut first = admit(&connections, 1).await.unwrap();
        let mut second = admit(&connections, 2).await.unwrap();
        let mut third = admit(&connections, 3).await.unwrap();
        advance(Duration::from_secs(1)).await;
        drop(first.activity.begin(false));
        let fourth = admit(&connections, 4).await.unwrap();
        assert_eq!((fourth.at_limit, fourth.is_reserved), (Some(TooMany::InAll), false));
        assert!(is_open(&mut first) && !is_open(&mut second) && is_open(&mut third));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_with_many_makes_room_before_one_with_few() {
        let connections = Connections::new(LIMITS);
        let mut only = admit(&connections, 1).await.unwrap();
        let mut first = admit(&connections, 2).await.unwrap();
        let mut second = admit(&connections, 2).await.unwrap();
        let mut third = admit(&connections, 3).await.unwrap();
        assert!(is_open(&mut only) && !is_open(&mut first));
        assert!(is_open(&mut second) && is_open(&mut third));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_at_its_limit_evicts_its_own() {
        let connections = Connections::new(LIMITS);
        let mut other = admit(&connections, 1).await.unwrap();
        let mut first = admit(&connections, 2).await.unwrap();
        let mut second = admit(&connections, 2).await.unwrap();
        let third = admit(&connections, 2).await.unwrap();
        assert_eq!(third.at_limit, Some(TooMany::OfAddress));
        assert!(is_open(&mut other) && !is_open(&mut first) && is_open(&mut second));
    }

    #[tokio::test(start_paused = true)]
    async fn never_evicts_one_that_handles_a_request() {
        let connections = Connections::new(LIMITS);
        let mut open = Vec::new();
        for n in 1..=3 {
            let mut admitted = admit(&connections, n).await.unwrap();
            assert!(is_open(&mut admitted));
            let request = admitted.activity.begin(false);
            request.handle();
            open.push((admitted, request));
        }
        let probe = admit(&connections, 4).await.unwrap();
        assert!(probe.is_reserved);
        let probe_request = probe.activity.begin(false);
        probe_request.handle();
        assert_eq!(admit(&connections, 4).await.unwrap_err(), TooMany::InAll);
        probe_request.answer(0);
        assert!(admit(&connections, 4).await.unwrap().is_reserved, "probes make room for probes");
        assert!(open.iter_mut().all(|(admitted, _)| is_open(admitted)));
        open[1].1.answer(0);
        assert!(!admit(&connections, 4).await.unwrap().is_reserved);
        assert!(!is_open(&mut open[1].0));
    }

    #[tokio::test(start_paused = true)]
    async fn counts_the_connections_of_a_proxy_only_in_all() {
        let connections = Connections::new(LIMITS);
        let admit = || connections.admit(None).unwrap();
        let open = [admit(), admit(), admit()];
        assert!(open.iter().all(|admitted| admitted.at_limit.is_none()));
        assert_eq!(admit().at_limit, Some(TooMany::InAll));
    }

    #[tokio::test(start_paused = true)]
    async fn forgets_addresses_without_connections() {
        let connections = Connections::new(LIMITS);
        for n in 0..=255 {
            drop(admit(&connections, n).await.unwrap());
        }
        let table = connections.table();
        assert_eq!((table.open.len(), table.per_address.len(), table.reserved), (0, 0, 0));
    }
}
