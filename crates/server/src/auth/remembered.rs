//! What was verified is remembered for a while, by a keyed hash of what was sent; what is wrong is
//! never remembered.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use moka::future::Cache;
use patron_store::{PasswordHashes, TokenHash};
use sha2::Sha256;

use super::password::Digest;
use super::{Caller, Refusal};

/// The most credentials that are remembered.
const LIMIT: u64 = 10_000;

/// What was verified.
pub(super) struct Remembered {
    /// Made anew by each process, so that what is remembered says nothing to anyone else.
    key: [u8; 32],
    verified: Cache<[u8; 32], Arc<Verified>>,
}

/// Credentials that were right.
pub(super) struct Verified {
    pub(super) caller: Caller,
    pub(super) proof: Proof,
    /// The store's count of changes at which they were last compared with what it holds.
    compared_at: AtomicU64,
}

/// What the store held that made them right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    Till { username: String, hashes: PasswordHashes },
    Client { key: String, secret_hash: String },
    Token(TokenHash),
}

impl Proof {
    /// The hash that a till's digest is verified against.
    pub(super) fn hash_for(&self, digest: &Digest) -> Option<String> {
        match (self, digest) {
            (Self::Till { hashes, .. }, Digest::Md5(_)) => Some(hashes.md5.clone()),
            (Self::Till { hashes, .. }, Digest::Sha256(_)) => Some(hashes.sha256.clone()),
            _ => None,
        }
    }

    /// The hash that a client's secret is verified against.
    pub(super) fn secret_hash(&self) -> Option<String> {
        match self {
            Self::Client { secret_hash, .. } => Some(secret_hash.clone()),
            _ => None,
        }
    }
}

impl Verified {
    pub(super) fn new(caller: Caller, proof: Proof, generation: u64) -> Arc<Self> {
        Arc::new(Self { caller, proof, compared_at: AtomicU64::new(generation) })
    }

    /// Whether nothing was changed since they were compared with what the store holds.
    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.compared_at.load(Ordering::Acquire) == generation
    }

    /// They were compared, and are as right as they were.
    pub(super) fn holds_at(&self, generation: u64) {
        self.compared_at.store(generation, Ordering::Release);
    }
}

impl Remembered {
    pub(super) fn new(time_to_live: Duration) -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let verified = Cache::builder().max_capacity(LIMIT).time_to_live(time_to_live).build();
        Ok(Self { key, verified })
    }

    /// Under what these parts of what was sent are remembered.
    pub(super) fn key(&self, parts: &[&[u8]]) -> Option<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for part in parts {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().into())
    }

    /// What is remembered, else what verifying says: once for any number of requests that bring the
    /// same at once.
    pub(super) async fn get_or(
        &self,
        key: [u8; 32],
        verify: impl Future<Output = Result<Arc<Verified>, Refusal>>,
    ) -> Result<Arc<Verified>, Refusal> {
        let verified = self.verified.try_get_with(key, verify).await;
        verified.map_err(|refusal: Arc<Refusal>| (*refusal).clone())
    }

    pub(super) async fn forget(&self, key: [u8; 32]) {
        self.verified.invalidate(&key).await;
    }
}
