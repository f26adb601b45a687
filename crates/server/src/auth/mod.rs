//! Who calls: a till by its user name and the digest of its password, or an API client by a token
//! that it generated with its key and secret.
//!
//! "Authentication/Authorization Type: Basic Auth." The user is the till's name; the password is
//! the lower-case hexadecimal MD5 of the till's password, or its SHA-256.
//!
//! Verifying a password or a secret costs an argon2id, so what was verified is remembered for a
//! short time; a change of what anybody signs in with is seen at once all the same. Wrong ones are
//! limited by name and address.

pub(crate) mod basic;
mod checks;
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

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use jiff::Timestamp;
use patron_rules::organisation::CallerId;
use patron_store::{
    AccessToken, ClientCredential, Error, Store, TenantId, TillCredential, TokenHash,
};

use self::basic::Credentials;
use self::checks::{Attempt, PasswordChecks};
use self::password::Digest;
pub use self::refusal::Refusal;
use self::remembered::{Proof, Remembered, Verified};
use self::security_log::{Actor, Event, Kind, Reason, SecurityLog};
use self::verifiers::Verifiers;
use crate::config::Config;
use crate::observe::metrics::Metrics;

/// How many callers' passwords are verified at a time.
pub(crate) const PLACES: usize = 2;
/// The most callers' verifications that wait: of those who were right lately, and of all others.
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

/// What a caller signs in with.
#[derive(Clone, Copy)]
enum Presented<'a> {
    Token(&'a str),
    Till(Attempt<'a>, &'a Digest),
    Client(Attempt<'a>, &'a str),
}

impl<'a> Presented<'a> {
    /// The try that is limited; `None` for a token, which cannot be guessed.
    const fn attempt(&self) -> Option<&Attempt<'a>> {
        match self {
            Self::Token(_) => None,
            Self::Till(attempt, _) | Self::Client(attempt, _) => Some(attempt),
        }
    }

    /// What tells it apart from everything else that may come.
    fn parts(&self) -> [&[u8]; 3] {
        match self {
            Self::Token(token) => [b"token", token.as_bytes(), b""],
            Self::Till(attempt, digest) => {
                [b"till", attempt.actor.name.as_bytes(), digest.text().as_bytes()]
            }
            Self::Client(attempt, secret) => {
                [b"client", attempt.actor.name.as_bytes(), secret.as_bytes()]
            }
        }
    }
}

/// Finds out who calls.
pub struct Authenticator {
    store: Arc<dyn Store>,
    remembered: Remembered,
    checks: PasswordChecks,
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
        let checks = PasswordChecks::new(
            config.wrong_passwords_per_minute,
            Verifiers::new(PLACES, WAITING_LIMIT),
            Arc::clone(&metrics),
            Arc::clone(&security_log),
        );
        let remembered = Remembered::new(time_to_live)?;
        Ok(Self { store, remembered, checks, metrics, security_log })
    }

    /// Finds out who calls, from the request's headers and the address it came from. Whether they
    /// are in use and their token is still good is for whoever knows the organisation.
    ///
    /// # Errors
    /// Why the caller is not let in.
    pub async fn authenticate(&self, headers: &HeaderMap, from: IpAddr) -> Result<Caller, Refusal> {
        if let Some(token) = token::sent(headers) {
            return self.verified(Presented::Token(token)).await;
        }
        let header = headers.get(AUTHORIZATION).ok_or(Refusal::Unauthorised)?;
        let Credentials { username, digest } =
            Credentials::read(header).inspect_err(|refusal| self.log_unreadable(refusal, from))?;
        let actor = Actor::new(Kind::Till, &username, from);
        let digest = digest.ok_or_else(|| {
            self.security_log.refused(Event::SignIn, actor, Reason::NotADigest);
            Refusal::NotADigest
        })?;
        let username = self.security_log.key(Event::SignIn, actor)?;
        let attempt =
            self.checks.attempt(Event::SignIn, Actor::new(Kind::Till, &username, from), from);
        self.verified(Presented::Till(attempt, &digest)).await
    }

    fn log_unreadable(&self, refusal: &Refusal, from: IpAddr) {
        if *refusal == Refusal::UnreadableHeader {
            let nameless = Actor::new(Kind::Till, "", from);
            self.security_log.refused(Event::SignIn, nameless, Reason::UnreadableHeader);
        }
    }

    /// The API client that has this key and secret.
    ///
    /// # Errors
    /// Why it is not let in.
    pub async fn client(&self, key: &str, secret: &str, from: IpAddr) -> Result<Caller, Refusal> {
        let actor = Actor::new(Kind::ApiClient, key, from);
        let key = self.security_log.key(Event::SignIn, actor)?;
        let attempt =
            self.checks.attempt(Event::SignIn, Actor::new(Kind::ApiClient, &key, from), from);
        self.verified(Presented::Client(attempt, secret)).await
    }

    /// A caller who is locked out is refused before anything is looked up: what is remembered would
    /// answer guesses without a limit.
    async fn verified(&self, presented: Presented<'_>) -> Result<Caller, Refusal> {
        if let Some(attempt) = presented.attempt() {
            self.checks.check(attempt)?;
        }
        self.metrics.credential_lookups.inc();
        let key = self.remembered.key(&presented.parts()).ok_or(Refusal::Unavailable)?;
        let mut verified = self.remembered.get_or(key, self.verify(presented)).await?;
        if !self.still_holds(&verified).await? {
            self.remembered.forget(key).await;
            verified = self.remembered.get_or(key, self.verify(presented)).await?;
        }
        if let Some(attempt) = presented.attempt() {
            self.checks.was_right(attempt);
        }
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

    async fn verify(&self, presented: Presented<'_>) -> Result<Arc<Verified>, Refusal> {
        self.metrics.credential_misses.inc();
        // Before anything is looked up: a change meanwhile has it looked up again.
        let generation = self.store.generation();
        let (caller, proof) = match presented {
            Presented::Token(text) => {
                let hash = token::hash(text).ok_or(Refusal::UnknownToken)?;
                self.token(hash).await?.ok_or(Refusal::UnknownToken)?
            }
            Presented::Till(attempt, digest) => {
                let guess = self.checks.admit(&attempt)?;
                let found = self.till(attempt.actor.name).await?;
                let hash = found.as_ref().and_then(|(_, proof)| proof.hash_for(digest));
                let text = digest.text().to_owned();
                let right = self.checks.is_right(&attempt, text, hash, guess).await?;
                self.outcome(attempt.actor, found, right).await?
            }
            Presented::Client(attempt, secret) => {
                let guess = self.checks.admit(&attempt)?;
                let found = self.api_client(attempt.actor.name).await?;
                let hash = found.as_ref().and_then(|(_, proof)| proof.secret_hash());
                let right = self.checks.is_right(&attempt, secret.to_owned(), hash, guess).await?;
                self.outcome(attempt.actor, found, right).await?
            }
        };
        Ok(Verified::new(caller, proof, generation))
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
