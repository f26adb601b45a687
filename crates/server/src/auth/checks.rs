//! Checks of passwords and secrets, within the limits on guesses and on load.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Refusal;
use super::security_log::{Actor, Event, Reason, SecurityLog};
use super::verifiers::{Overloaded, Turn, Verifiers};
use crate::limits::guesses::{Guess, Guesses, Refused, Source};
use crate::observe::metrics::{Limit, Metrics};

/// Checks passwords and secrets.
pub(super) struct PasswordChecks {
    guesses: Guesses,
    verifiers: Verifiers,
    metrics: Arc<Metrics>,
    security_log: Arc<SecurityLog>,
}

/// One caller's try to sign in, or to do what needs the password.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) event: Event,
    /// The account that the caller names.
    pub(super) actor: Actor<'a>,
    source: Source,
}

impl PasswordChecks {
    /// Admits so many wrong passwords a minute for one name from one address.
    pub(super) fn new(
        wrong_passwords_per_minute: u32,
        verifiers: Verifiers,
        metrics: Arc<Metrics>,
        security_log: Arc<SecurityLog>,
    ) -> Self {
        Self { guesses: Guesses::new(wrong_passwords_per_minute), verifiers, metrics, security_log }
    }

    /// A try of a caller at this address who names this account.
    pub(super) fn attempt<'a>(&self, event: Event, actor: Actor<'a>, from: IpAddr) -> Attempt<'a> {
        let account = (actor.account_of, actor.name);
        Attempt { event, actor, source: self.guesses.source(account, from, Instant::now()) }
    }

    /// Fails while the account is locked out at the caller's address, or that address is.
    pub(super) fn check(&self, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        let checked = self.guesses.check(&attempt.source, Instant::now());
        checked.map_err(|wait| self.locked_out(attempt, wait))
    }

    /// Admits a password that is to be verified.
    pub(super) fn admit(&self, attempt: &Attempt<'_>) -> Result<Guess, Refusal> {
        self.guesses.admit(&attempt.source, Instant::now()).map_err(|refused| match refused {
            Refused::LockedOut(wait) => self.locked_out(attempt, wait),
            Refused::Busy => self.overloaded(),
        })
    }

    /// Whether the hash is of this text. If it is not, the guess counts. The caller waits for its
    /// turn.
    pub(super) async fn is_right(
        &self,
        attempt: &Attempt<'_>,
        text: String,
        hash: Option<String>,
        guess: Guess,
    ) -> Result<bool, Refusal> {
        let Attempt { source, .. } = attempt;
        let turn = Turn { network: source.network(), is_known: source.is_known() };
        let verified = self.verifiers.verify(turn, text, hash).await;
        let is_right = verified.map_err(|Overloaded| self.overloaded())?;
        if !is_right {
            guess.was_wrong(Instant::now());
        }
        Ok(is_right)
    }

    /// The caller knows the password: wrong passwords of others do not lock the account out at the
    /// caller's address.
    pub(super) fn was_right(&self, attempt: &Attempt<'_>) {
        self.guesses.was_right(&attempt.source, Instant::now());
    }

    fn locked_out(&self, attempt: &Attempt<'_>, wait: Duration) -> Refusal {
        self.metrics.hit(Limit::WrongPasswords);
        self.security_log.refused(attempt.event, attempt.actor, Reason::LockedOut);
        Refusal::TooManyGuesses(wait)
    }

    fn overloaded(&self) -> Refusal {
        self.metrics.hit(Limit::PasswordChecks);
        tracing::warn!("more passwords wait to be verified than may");
        Refusal::Unavailable
    }
}
