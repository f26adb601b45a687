//! Who calls: a till by its user name and the digest of its password, or an API client by a token
//! that it generated with its key and secret.
//!
//! "Authentication/Authorization Type: Basic Auth." The user is the till's name; the password is
//! the lower-case hexadecimal MD5 of the till's password, or its SHA-256.
//!
//! Verifying a password or a secret costs an argon2id, so what was verified is remembered for a
//! short time; a change of what anybody signs in with is seen at once all the same. What is wrong is
//! limited by name and address.

pub(crate) mod basic;
pub mod operator;
pub mod password;
pub mod password_rules;
mod refusal;
mod remembered;
pub(crate) mod security_log;
pub mod token;
pub mod verifiers;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use patron_rules::organisation::CallerId;
use patron_store::{
    AccessToken, ClientCredential, Error, Store, TenantId, TillCredential, TokenHash,
};

use self::basic::Credentials;
pub use self::refusal::Refusal;
use self::remembered::{Proof, Remembered, Verified};
use self::security_log::{Actor, Event, Kind, Reason, SecurityLog};
use self::verifiers::{Overloaded, Verifiers};
use crate::config::Config;
use crate::limits::guesses::{Guess, Guesses};
use crate::observe::metrics::{Limit, Metrics};

/// How many callers' passwords are verified at a time.
pub(crate) const PLACES: usize = 2;
/// The most callers' verifications that run or wait; one more is refused as overload.
pub(crate) const WAITING_LIMIT: usize = 256;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The organisation.
    pub tenant: TenantId,
    /// The till or the API client.
    pub id: CallerId,
    /// Until when the token is good with which they call.
    pub expires_at: Option<Timestamp>,
}

/// Whose calls are counted together: a till's, by whichever digest of its password, or an API
/// client's, by whichever of its tokens.
pub type Key = (TenantId, CallerId);

impl Caller {
    /// The key with which they call.
    #[must_use]
    pub const fn key(&self) -> Key {
        (self.tenant, self.id)
    }
}

/// What a caller signs in with, as it came.
#[derive(Clone, Copy)]
enum Presented<'a> {
    Basic(&'a HeaderValue),
    Token(&'a str),
    Client { key: &'a str, secret: &'a str },
}

impl<'a> Presented<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        match token::sent(headers) {
            Some(token) => Ok(Self::Token(token)),
            None => headers.get(AUTHORIZATION).map(Self::Basic).ok_or(Refusal::Unauthorised),
        }
    }

    /// What tells it apart from everything else that may come.
    fn parts(&self) -> [&[u8]; 3] {
        match self {
            Self::Basic(header) => [b"basic", header.as_bytes(), b""],
            Self::Token(token) => [b"token", token.as_bytes(), b""],
            Self::Client { key, secret } => [b"client", key.as_bytes(), secret.as_bytes()],
        }
    }
}

/// Finds out who calls.
pub struct Authenticator {
    store: Arc<dyn Store>,
    remembered: Remembered,
    guesses: Guesses,
    verifiers: Verifiers,
    metrics: Arc<Metrics>,
    security_log: Arc<SecurityLog>,
}

impl Authenticator {
    /// An authenticator that looks credentials up in this store.
    ///
    /// # Errors
    /// A system without a source of randomness.
    pub fn new(
        store: Arc<dyn Store>,
        config: &Config,
        metrics: Arc<Metrics>,
        security_log: Arc<SecurityLog>,
    ) -> anyhow::Result<Self> {
        let time_to_live = Duration::from_secs(config.credential_cache_seconds);
        Ok(Self {
            store,
            remembered: Remembered::new(time_to_live)?,
            guesses: Guesses::new(config.wrong_passwords_per_minute),
            verifiers: Verifiers::new(PLACES, WAITING_LIMIT),
            metrics,
            security_log,
        })
    }

    /// Finds out who calls, from the request's headers and the address it came from. Whether they
    /// are in use and their token is still good is for whoever knows the organisation.
    ///
    /// # Errors
    /// Why the caller is not let in.
    pub async fn authenticate(&self, headers: &HeaderMap, from: IpAddr) -> Result<Caller, Refusal> {
        self.verified(Presented::read(headers)?, from).await
    }

    /// The API client that has this key and secret.
    ///
    /// # Errors
    /// Why it is not let in.
    pub async fn client(&self, key: &str, secret: &str, from: IpAddr) -> Result<Caller, Refusal> {
        let actor = Actor::new(Kind::ApiClient, key, from);
        let key = self.security_log.key(Event::SignIn, actor)?;
        self.verified(Presented::Client { key: &key, secret }, from).await
    }

    async fn verified(&self, presented: Presented<'_>, from: IpAddr) -> Result<Caller, Refusal> {
        self.metrics.credential_lookups.inc();
        let key = self.remembered.key(&presented.parts()).ok_or(Refusal::Unavailable)?;
        let verified = self.remembered.get_or(key, self.verify(presented, from)).await?;
        if self.still_holds(&verified).await? {
            return Ok(verified.caller.clone());
        }
        self.remembered.forget(key).await;
        let verified = self.remembered.get_or(key, self.verify(presented, from)).await?;
        Ok(verified.caller.clone())
    }

    /// Whether what was right is right now, although something may have been changed since.
    async fn still_holds(&self, verified: &Verified) -> Result<bool, Refusal> {
        let generation = self.store.generation();
        if verified.is_current(generation) {
            return Ok(true);
        }
        let found = match &verified.proof {
            Proof::Till { username, .. } => self.till(username).await?,
            Proof::Client { key, .. } => self.api_client(key).await?,
            Proof::Token(hash) => self.token(*hash).await?,
        };
        let holds = found.is_some_and(|(_, proof)| proof == verified.proof);
        if holds {
            verified.holds_at(generation);
        }
        Ok(holds)
    }

    async fn verify(
        &self,
        presented: Presented<'_>,
        from: IpAddr,
    ) -> Result<Arc<Verified>, Refusal> {
        self.metrics.credential_misses.inc();
        // Before anything is looked up: a change meanwhile has it looked up again.
        let generation = self.store.generation();
        let (caller, proof) = match presented {
            Presented::Token(text) => {
                let hash = token::hash(text).ok_or(Refusal::UnknownToken)?;
                self.token(hash).await?.ok_or(Refusal::UnknownToken)?
            }
            Presented::Basic(header) => {
                let Credentials { username, digest } =
                    Credentials::read(header).ok_or(Refusal::Unauthorised)?;
                let actor = Actor::new(Kind::Till, &username, from);
                let digest = digest.ok_or_else(|| {
                    self.security_log.refused(Event::SignIn, actor, Reason::NotADigest);
                    Refusal::NotADigest
                })?;
                let username = self.security_log.key(Event::SignIn, actor)?;
                let actor = Actor { name: &username, ..actor };
                let guess = self.guess(actor, from)?;
                let found = self.till(&username).await.inspect_err(|_| guess.give_back())?;
                let hash = found.as_ref().and_then(|(_, proof)| proof.hash_for(&digest));
                let right = self.is_right(digest.into_text(), hash, &guess).await?;
                self.outcome(actor, found, right).await?
            }
            Presented::Client { key, secret } => {
                let actor = Actor::new(Kind::ApiClient, key, from);
                let guess = self.guess(actor, from)?;
                let found = self.api_client(key).await.inspect_err(|_| guess.give_back())?;
                let hash = found.as_ref().and_then(|(_, proof)| proof.secret_hash());
                let right = self.is_right(secret.to_owned(), hash, &guess).await?;
                self.outcome(actor, found, right).await?
            }
        };
        Ok(Verified::new(caller, proof, generation))
    }

    fn guess(&self, actor: Actor<'_>, from: IpAddr) -> Result<Guess, Refusal> {
        self.guesses.admit(actor.name, from).map_err(|wait| {
            self.metrics.hit(Limit::WrongPasswords);
            self.security_log.refused(Event::SignIn, actor, Reason::LockedOut);
            Refusal::TooManyGuesses(wait)
        })
    }

    /// Returns what was found if the password is right. The refusal never says whether the name is
    /// known; the log does.
    async fn outcome(
        &self,
        actor: Actor<'_>,
        found: Option<(Caller, Proof)>,
        right: bool,
    ) -> Result<(Caller, Proof), Refusal> {
        let (reason, tenant) = match found {
            Some(found) if right => return Ok(found),
            Some((caller, _)) => {
                (Reason::WrongPassword, self.store.tenant(caller.tenant).await.ok())
            }
            None => (Reason::UnknownName, None),
        };
        let organisation =
            tenant.as_ref().map(|tenant| tenant.organisation().details.name.as_str());
        self.security_log.refused(Event::SignIn, Actor { organisation, ..actor }, reason);
        Err(Refusal::Unauthorised)
    }

    /// Verifies a password or secret. Gives the guess back if it is right or cannot be verified.
    async fn is_right(
        &self,
        text: String,
        hash: Option<String>,
        guess: &Guess,
    ) -> Result<bool, Refusal> {
        let right = self.verifiers.verify(text, hash).await.map_err(|Overloaded| {
            self.metrics.hit(Limit::PasswordChecks);
            guess.give_back();
            tracing::warn!("more passwords wait to be verified than may");
            Refusal::Unavailable
        })?;
        if right {
            guess.give_back();
        }
        Ok(right)
    }

    async fn till(&self, username: &str) -> Result<Option<(Caller, Proof)>, Refusal> {
        let found = self.store.till_credential(username).await.map_err(unavailable)?;
        Ok(found.map(|TillCredential { tenant, till, hashes }| {
            let caller = Caller { tenant, id: CallerId::Till(till), expires_at: None };
            (caller, Proof::Till { username: username.to_owned(), hashes })
        }))
    }

    async fn api_client(&self, key: &str) -> Result<Option<(Caller, Proof)>, Refusal> {
        let found = self.store.client_credential(key).await.map_err(unavailable)?;
        Ok(found.map(|ClientCredential { tenant, client, secret_hash }| {
            let caller = Caller { tenant, id: CallerId::ApiClient(client), expires_at: None };
            (caller, Proof::Client { key: key.to_owned(), secret_hash })
        }))
    }

    async fn token(&self, hash: TokenHash) -> Result<Option<(Caller, Proof)>, Refusal> {
        let found = self.store.token(hash).await.map_err(unavailable)?;
        Ok(found.map(|AccessToken { tenant, client, expires_at }| {
            let expires_at = Some(expires_at);
            let caller = Caller { tenant, id: CallerId::ApiClient(client), expires_at };
            (caller, Proof::Token(hash))
        }))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn unavailable(error: Error) -> Refusal {
    tracing::error!(error = error.chain(), "credentials cannot be looked up");
    Refusal::Unavailable
}
