//! How many connections there may be: of one address, and of all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::network;

/// Counts the connections that are open.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    most_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    per_address: HashMap<IpAddr, usize>,
}

/// Why there may not be one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooMany {
    #[error("as many connections are open as `connection_limit` allows")]
    InAll,
    #[error("this address has as many connections open as `connection_limit_per_address` allows")]
    OfAddress,
}

/// One connection; counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    connections: Arc<Connections>,
    /// For which address it counts besides, if for one.
    address: Option<IpAddr>,
}

impl Connections {
    pub(crate) fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_address, open: Mutex::default() })
    }

    /// Counts one more, of this address if it counts for one, or says why not.
    pub(crate) fn admit(self: &Arc<Self>, from: Option<IpAddr>) -> Result<Counted, TooMany> {
        let address = from.map(network::of);
        let mut open = self.open();
        if open.total >= self.most {
            return Err(TooMany::InAll);
        }
        if let Some(address) = address {
            let of_address = open.per_address.entry(address).or_default();
            if *of_address >= self.most_per_address {
                return Err(TooMany::OfAddress);
            }
            *of_address = of_address.saturating_add(1);
        }
        open.total = open.total.saturating_add(1);
        Ok(Counted { connections: Arc::clone(self), address })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.total = open.total.saturating_sub(1);
        let Some(address) = self.address else { return };
        if let Some(of_address) = open.per_address.get_mut(&address) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                open.per_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as it is counted")]
    fn address(n: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, n]))
    }

    #[test]
    fn of_one_address_and_of_all() {
        let connections = Connections::new(3, 2);
        let admit = |n| connections.admit(address(n));
        let first = admit(1).unwrap();
        let _second = admit(1).unwrap();
        assert_eq!(admit(1).unwrap_err(), TooMany::OfAddress);
        let third = admit(2).unwrap();
        assert_eq!(admit(2).unwrap_err(), TooMany::InAll);
        drop(third);
        drop(first);
        assert!(admit(1).is_ok());
    }

    #[test]
    fn a_proxys_count_only_in_all() {
        let connections = Connections::new(3, 1);
        let admit = || connections.admit(None);
        let _open = [admit().unwrap(), admit().unwrap(), admit().unwrap()];
        assert_eq!(admit().unwrap_err(), TooMany::InAll);
    }

    #[test]
    fn who_has_none_open_is_forgotten() {
        let connections = Connections::new(1, 1);
        for n in 0..=255 {
            drop(connections.admit(address(n)).unwrap());
        }
        assert_eq!(connections.open().per_address.len(), 0);
        let one = connections.admit(address(1)).unwrap();
        assert_eq!(connections.admit(address(2)).unwrap_err(), TooMany::InAll);
        drop(one);
    }
}
