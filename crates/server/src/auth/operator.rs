//! Operators: their passwords, and the tokens of their sessions.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use patron_store::Store;
use patron_store::operators::TokenHash;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task;

use super::Refusal;
use super::password::{self, Scratch};
use super::sign_in_log::{self, Kind, Reason};
use crate::config::Config;
use crate::limits::guesses::Guesses;
use crate::observe::metrics::{Limit, Metrics};

/// By what a token is known for what it is, wherever somebody finds it.
const PREFIX: &str = "patron_session_";
/// How much of a token is chance, in bytes.
const BYTES: usize = 32;
/// The most verifications that wait for the one that runs; one more is refused as overload.
const WAITING_LIMIT: usize = 64;
/// The longest name, in characters.
pub const NAME_LIMIT: usize = 50;
/// How many characters a password has, at least and at most.
const PASSWORD_LENGTHS: std::ops::RangeInclusive<usize> = 12..=256;

/// The token of a session, as its hash: nobody but the operator has the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token(TokenHash);

impl Token {
    /// Makes a token, and the text of it for the operator.
    ///
    /// # Errors
    /// A system without a source of randomness.
    pub fn make() -> Result<(Self, String), getrandom::Error> {
        let mut chance = [0; BYTES];
        getrandom::fill(&mut chance)?;
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(chance));
        Ok((Self::of(&text), text))
    }

    /// Reads the header `Authorization: Bearer …` (RFC 6750); `None` where it carries no token of a
    /// session.
    #[must_use]
    pub fn read(header: &HeaderValue) -> Option<Self> {
        let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
        let token = token.trim();
        let is_one = scheme.eq_ignore_ascii_case("bearer") && token.starts_with(PREFIX);
        is_one.then(|| Self::of(token))
    }

    /// By what the store knows the session.
    #[must_use]
    pub const fn hash(&self) -> TokenHash {
        self.0
    }

    fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }
}

/// Hashes an operator's password for the store.
///
/// # Errors
/// One that is too short or too long, or a system without a source of randomness.
pub fn hash(plain: &str) -> anyhow::Result<String> {
    if !PASSWORD_LENGTHS.contains(&plain.chars().count()) {
        let (least, most) = PASSWORD_LENGTHS.into_inner();
        anyhow::bail!("a password has {least} to {most} characters");
    }
    password::argon2id(plain)
}

/// Verifies the passwords of operators.
pub struct SignIn {
    store: Arc<dyn Store>,
    guesses: Guesses,
    /// One verification at a time: nobody signs in often.
    verifying: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl SignIn {
    /// Verifies with what is in this store, and as many wrong passwords a minute for one name from
    /// one address as the configuration says.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, config: &Config, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            guesses: Guesses::new(config.wrong_passwords_per_minute),
            verifying: Arc::new(Semaphore::new(1)),
            waiting: Arc::new(Semaphore::new(WAITING_LIMIT)),
            metrics,
        }
    }

    /// Fails unless this is the operator's password; takes as long where there is no such operator.
    ///
    /// # Errors
    /// Why they are not let in.
    pub async fn verify(&self, name: &str, plain: String, from: IpAddr) -> Result<(), Refusal> {
        let name = sign_in_log::key(Kind::Operator, name, from)?;
        let name = name.as_ref();
        let guess = self.guesses.admit(name, from).map_err(|wait| {
            self.metrics.hit(Limit::WrongPasswords);
            sign_in_log::refused(Kind::Operator, name, from, Reason::LockedOut);
            Refusal::TooManyGuesses(wait)
        })?;
        let known = self.store.operator_password(name).await.map_err(|error| {
            tracing::error!(error = error.chain(), "an operator cannot be looked up");
            guess.give_back();
            Refusal::Unavailable
        })?;
        let reason = if known.is_some() { Reason::WrongPassword } else { Reason::UnknownName };
        let unavailable = |_| Refusal::Unavailable;
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| {
            self.metrics.hit(Limit::PasswordChecks);
            Refusal::Unavailable
        })?;
        let turn = Arc::clone(&self.verifying).acquire_owned().await.map_err(unavailable)?;
        let verified = task::spawn_blocking(move || {
            let _permits = (waiting, turn);
            password::verify(&plain, known.as_deref(), &mut Scratch::default())
        });
        if verified.await.map_err(|_| Refusal::Unavailable)? {
            guess.give_back();
            return Ok(());
        }
        sign_in_log::refused(Kind::Operator, name, from, reason);
        Err(Refusal::Unauthorised)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_its_header_alone() {
        let (token, text) = Token::make().unwrap();
        let read = |header: &str| Token::read(&HeaderValue::from_str(header).unwrap());
        assert_eq!(read(&format!("Bearer {text}")), Some(token));
        assert_eq!(read(&format!("bearer {text} ")), Some(token));
        assert_ne!(read(&format!("Bearer {text}x")), Some(token));
        for other in [text.as_str(), "Bearer", "Bearer x", &format!("Basic {text}")] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_ne!(Token::make().unwrap().1, text);
    }

    #[test]
    fn a_password_has_a_length() {
        assert!(hash("eleven char").is_err());
        assert!(hash(&"x".repeat(257)).is_err());
        let kept = hash("twelve chars").unwrap();
        assert!(password::verify("twelve chars", Some(&kept), &mut Scratch::default()));
        assert!(!password::verify("Twelve chars", Some(&kept), &mut Scratch::default()));
        assert!(!password::verify("twelve chars", None, &mut Scratch::default()));
    }
}
