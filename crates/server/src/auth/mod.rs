//! Who calls: a till's user name and password digest become a [`Caller`].
//!
//! "Authentication/Authorization Type: Basic Auth." The user is the till's name; the password is
//! the lower-case hexadecimal MD5 of the till's password, or its SHA-256.
//!
//! Verifying costs an argon2id. So what was verified is remembered by a keyed hash of the whole
//! header, for a short time; what is wrong is never remembered, and limited by till and address.

mod basic;
pub mod operator;
pub mod password;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use hmac::{Hmac, KeyInit, Mac};
use moka::future::Cache;
use patron_rules::organisation::TillId;
use patron_store::{PasswordHashes, Store, TenantId};
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::task;

use self::basic::Credentials;
use crate::config::Config;
use crate::limits::guesses::Guesses;
use crate::limits::rate::Quota;

/// The most credentials that are remembered.
const REMEMBERED_LIMIT: u64 = 10_000;
/// How many passwords are verified at a time: each takes a processor and 7 MiB for its while.
const VERIFIERS: usize = 2;
/// The most verifications that wait; one more is refused as overload.
const WAITING_LIMIT: usize = 256;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The organisation.
    pub tenant: TenantId,
    /// The till.
    pub till: TillId,
    /// The till's name.
    pub till_name: Arc<str>,
}

/// Whose calls are counted together: a till's, by whichever digest of its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A till.
    Till(TenantId, TillId),
}

impl Caller {
    /// The key with which the caller signed in.
    #[must_use]
    pub const fn key(&self) -> Key {
        Key::Till(self.tenant, self.till)
    }
}

/// Why a caller was not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No credentials, or wrong ones.
    #[error("no credentials, or wrong ones")]
    Unauthorised,
    /// Too many wrong passwords.
    #[error("too many wrong passwords; try again in {0:?}")]
    TooManyGuesses(Duration),
    /// As many calls as a minute admits.
    #[error("as many calls as a minute admits")]
    TooManyCalls(Quota),
    /// The credentials cannot be looked up or verified at the moment.
    #[error("credentials cannot be verified at the moment")]
    Unavailable,
}

/// Finds out who calls.
pub struct Authenticator {
    store: Arc<dyn Store>,
    /// Made anew by each process, so that what is remembered says nothing to anyone else.
    key: [u8; 32],
    remembered: Cache<[u8; 32], Caller>,
    guesses: Guesses,
    verifiers: Arc<Verifiers>,
    waiting: Arc<Semaphore>,
}

/// Places at which a password is verified, each with its own memory.
struct Verifiers {
    places: Arc<Semaphore>,
    idle: Mutex<Vec<password::Scratch>>,
}

impl Verifiers {
    fn new(count: usize) -> Self {
        let idle = std::iter::repeat_with(password::Scratch::default).take(count).collect();
        Self { places: Arc::new(Semaphore::new(count)), idle: Mutex::new(idle) }
    }

    /// Verifies at one of the places; whoever calls holds its permit.
    fn verify(&self, digest: &password::Digest, hashes: Option<&PasswordHashes>) -> bool {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = idle().pop().unwrap_or_default();
        let right = password::verify(digest, hashes, &mut scratch);
        idle().push(scratch);
        right
    }
}

impl Authenticator {
    /// An authenticator that looks credentials up in this store.
    ///
    /// # Errors
    /// A system without a source of randomness.
    pub fn new(store: Arc<dyn Store>, config: &Config) -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            store,
            key,
            remembered: Cache::builder()
                .max_capacity(REMEMBERED_LIMIT)
                .time_to_live(Duration::from_secs(config.credential_cache_seconds))
                .build(),
            guesses: Guesses::new(config.wrong_passwords_per_minute),
            verifiers: Arc::new(Verifiers::new(VERIFIERS)),
            waiting: Arc::new(Semaphore::new(WAITING_LIMIT)),
        })
    }

    /// Finds out who calls, from the request's headers and the address it came from.
    ///
    /// # Errors
    /// Why the caller is not let in.
    pub async fn authenticate(&self, headers: &HeaderMap, from: IpAddr) -> Result<Caller, Refusal> {
        let header = headers.get(AUTHORIZATION).ok_or(Refusal::Unauthorised)?;
        let key = self.keyed_hash(header.as_bytes())?;
        // One verification for any number of requests that arrive with the same header at once.
        let verified = self.remembered.try_get_with(key, async {
            let credentials = Credentials::read(header).ok_or(Refusal::Unauthorised)?;
            self.verify(credentials, from).await
        });
        verified.await.map_err(|refusal: Arc<Refusal>| (*refusal).clone())
    }

    async fn verify(&self, credentials: Credentials, from: IpAddr) -> Result<Caller, Refusal> {
        let Credentials { username, digest } = credentials;
        let guess = self.guesses.admit(&username, from).map_err(Refusal::TooManyGuesses)?;
        let found = self.store.till_credential(&username).await.map_err(|error| {
            tracing::error!(error = error.chain(), "credentials cannot be looked up");
            Refusal::Unavailable
        })?;
        let hashes = found.as_ref().map(|credential| credential.hashes.clone());
        let right = self.verify_digest(digest, hashes).await?;
        match found {
            Some(credential) if right => {
                guess.give_back();
                let till_name = Arc::from(username);
                Ok(Caller { tenant: credential.tenant, till: credential.till, till_name })
            }
            _ => Err(Refusal::Unauthorised),
        }
    }

    /// Verifies off the asynchronous threads, a few at a time. The permits belong to the work: a
    /// client that hangs up does not make room for another while its hash is still computed.
    async fn verify_digest(
        &self,
        digest: password::Digest,
        hashes: Option<PasswordHashes>,
    ) -> Result<bool, Refusal> {
        let waiting =
            Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Refusal::Unavailable)?;
        let verifiers = Arc::clone(&self.verifiers);
        let place = Arc::clone(&verifiers.places)
            .acquire_owned()
            .await
            .map_err(|_| Refusal::Unavailable)?;
        let verification = task::spawn_blocking(move || {
            let _permits = (waiting, place);
            verifiers.verify(&digest, hashes.as_ref())
        });
        verification.await.map_err(|_| Refusal::Unavailable)
    }

    fn keyed_hash(&self, header: &[u8]) -> Result<[u8; 32], Refusal> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).map_err(|_| Refusal::Unavailable)?;
        mac.update(header);
        Ok(mac.finalize().into_bytes().into())
    }
}
