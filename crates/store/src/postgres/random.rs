//! What nobody can foretell.

use std::sync::Mutex;

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};

use super::lock;
use crate::Error;

/// A source of randomness that every task of the store may use.
pub(super) struct Randomness(Mutex<StdRng>);

impl Randomness {
    pub(super) fn from_system() -> Result<Self, Error> {
        let random = StdRng::try_from_rng(&mut SysRng).map_err(|error| Error::Io {
            what: "cannot get randomness from the system".to_owned(),
            source: std::io::Error::other(error),
        })?;
        Ok(Self(Mutex::new(random)))
    }

    pub(super) fn u64(&self) -> u64 {
        lock(&self.0).next_u64()
    }

    pub(super) fn u128(&self) -> u128 {
        (u128::from(self.u64()) << 64) | u128::from(self.u64())
    }
}
