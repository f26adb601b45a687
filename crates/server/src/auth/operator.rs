//! Operators: their passwords, and the tokens of their sessions.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use patron_rules::text;
use patron_store::Store;
use patron_store::operators::{OperatorId, TokenHash};
use sha2::{Digest as _, Sha256};

use super::Refusal;
use super::checks::PasswordChecks;
use super::security_log::{Actor, Event, Kind, Reason, SecurityLog};
use super::token::SESSION_PREFIX;
use super::verifiers::Verifiers;
use crate::config::Config;
use crate::observe::metrics::Metrics;

/// How much of a token is chance, in bytes.
const BYTES: usize = 32;
/// The most verifications that wait: of operators who were right lately, and of all others.
pub(crate) const WAITING_LIMIT: usize = 64;
/// The longest name, in characters.
pub const NAME_LIMIT: usize = 50;

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
        let text = format!("{SESSION_PREFIX}{}", URL_SAFE_NO_PAD.encode(chance));
        Ok((Self::of(&text), text))
    }

    /// Reads the header `Authorization: Bearer …` (RFC 6750); `None` where it carries no token of a
    /// session.
    #[must_use]
    pub fn read(header: &HeaderValue) -> Option<Self> {
        let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
        let token = token.trim();
        let is_one = scheme.eq_ignore_ascii_case("bearer") && token.starts_with(SESSION_PREFIX);
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

/// Verifies the passwords of operators.
pub struct SignIn {
    store: Arc<dyn Store>,
    checks: PasswordChecks,
    security_log: Arc<SecurityLog>,
}

impl SignIn {
    /// Verifies with what is in this store, and as many wrong passwords a minute for one name from
    /// one address as the configuration says.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        config: &Config,
        metrics: Arc<Metrics>,
        security_log: Arc<SecurityLog>,
    ) -> Self {
        let checks = PasswordChecks::new(
            config.wrong_passwords_per_minute,
            // Apart from tills and API clients, and one at a time: sign-ins are rare.
            Verifiers::new(1, WAITING_LIMIT),
            metrics,
            Arc::clone(&security_log),
        );
        Self { store, checks, security_log }
    }

    /// Returns the operator of this name in the organisation of this name, or for everywhere without
    /// one. Fails unless this is the password; takes as long if no such operator or organisation
    /// exists. The log has a refusal as that of this event.
    ///
    /// # Errors
    /// Why they are not let in.
    pub(crate) async fn verify(
        &self,
        event: Event,
        (organisation, name): (Option<&str>, &str),
        plain: String,
        from: IpAddr,
    ) -> Result<OperatorId, Refusal> {
        let sent = Actor { account_of: organisation, ..Actor::new(Kind::Operator, name, from) };
        let name = self.security_log.key(event, sent)?;
        let organisation = match organisation {
            Some(organisation) => Some(text::key(organisation).ok_or_else(|| {
                self.security_log.refused(event, sent, Reason::UnknownName);
                Refusal::Unauthorised
            })?),
            None => None,
        };
        let organisation = organisation.as_deref();
        let actor = Actor { name: &name, account_of: organisation, ..sent };
        let attempt = self.checks.attempt(event, actor, from);
        let guess = self.checks.admit(&attempt)?;
        let known = self.store.operator_credential(organisation, &name).await.map_err(|error| {
            tracing::error!(error = error.chain(), "an operator cannot be looked up");
            Refusal::Unavailable
        })?;
        let (operator, hash) = known.map(|known| (known.operator, known.password)).unzip();
        if self.checks.is_right(&attempt, plain, hash, guess).await?
            && let Some(operator) = operator
        {
            self.checks.was_right(&attempt);
            return Ok(operator);
        }
        let reason = if operator.is_some() { Reason::WrongPassword } else { Reason::UnknownName };
        self.security_log.refused(event, attempt.actor, reason);
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
}
