//! The security log: sign-ins, refused requests, and changes of what callers sign in with.
//!
//! Only these lines have addresses, and names as callers sent them. They never have a password, a
//! digest, a secret or a token.
//!
//! A caller without credentials can cause refusals and warnings of proxies alone, so those are
//! bounded. Changes are always logged: a flood of refusals does not hide one.

pub(crate) mod budget;
mod hourly;

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::MatchedPath;
use axum::http::Method;
use patron_rules::text;

use self::budget::Budget;
use self::hourly::Hourly;
use super::Refusal;
use super::password::Digest;
use super::token::holds_secret;
use crate::limits::network;

/// The target of these lines, for the filter of the log.
const TARGET: &str = "security";
/// How many characters of a name are logged.
const NAME_LIMIT: usize = 64;

/// The kind of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Till,
    ApiClient,
    Operator,
}

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::Till => "till",
            Self::ApiClient => "API client",
            Self::Operator => "operator",
        }
    }
}

/// What a caller tries to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    SignIn,
    SignOut,
    /// A request that needs a permission.
    Request,
    PasswordChange,
    SecretChange,
    TokenRevocation,
    RoleChange,
    OperatorRemoval,
}

impl Event {
    const fn text(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::Request => "request",
            Self::PasswordChange => "password change",
            Self::SecretChange => "secret change",
            Self::TokenRevocation => "token revocation",
            Self::RoleChange => "role change",
            Self::OperatorRemoval => "operator removal",
        }
    }
}

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The header is not of its form, so no name is known. Tills only.
    UnreadableHeader,
    /// There is no such name.
    UnknownName,
    /// The password has not the form of a digest. Tills only.
    NotADigest,
    /// The digest, password or secret is another one's.
    WrongPassword,
    /// Too many wrong passwords lately, for the name or from the address.
    LockedOut,
    /// The till, the API client or its organisation is retired.
    OutOfUse,
    /// The access group does not permit the request, or the role of an operator.
    Denied,
    /// The operator has no role in the organisation.
    NoRole,
}

impl Reason {
    const fn text(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::UnreadableHeader, _) => "unreadable header",
            (Self::UnknownName, Kind::Till) => "no such till",
            (Self::UnknownName, Kind::ApiClient) => "no such API client",
            (Self::UnknownName, Kind::Operator) => "no such operator",
            (Self::NotADigest, _) => "not a digest",
            (Self::WrongPassword, Kind::Till) => "wrong digest",
            (Self::WrongPassword, Kind::ApiClient) => "wrong secret",
            (Self::WrongPassword, Kind::Operator) => "wrong password",
            (Self::LockedOut, _) => "locked out",
            (Self::OutOfUse, _) => "out of use",
            (Self::Denied, Kind::Operator) => "role does not permit it",
            (Self::Denied, _) => "access group does not permit it",
            (Self::NoRole, _) => "no role in the organisation",
        }
    }
}

/// A caller, as far as the log knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actor<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    /// `None` for a command on the same machine.
    pub(crate) address: Option<IpAddr>,
    /// The organisation in which the caller acts, where it is known.
    pub(crate) organisation: Option<&'a str>,
    /// The organisation to which an operator's account belongs, as sent where the operator signs in.
    /// `None` for operators for everywhere.
    pub(crate) account_of: Option<&'a str>,
}

impl<'a> Actor<'a> {
    pub(crate) const fn new(kind: Kind, name: &'a str, address: IpAddr) -> Self {
        Self { kind, name, address: Some(address), organisation: None, account_of: None }
    }

    fn account_of(&self) -> Option<String> {
        self.account_of.map(|organisation| printable(self.kind, organisation))
    }

    fn named(&self, kind: Kind) -> Option<String> {
        (self.kind == kind).then(|| printable(kind, self.name))
    }
}

/// What an accepted change is about.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject<'a> {
    /// The account whose password, secret, tokens or role changed.
    pub(crate) account: Option<(Kind, &'a str)>,
    /// The operator's new role.
    pub(crate) role: Option<&'a str>,
}

/// Logs what an authenticated caller did.
pub(crate) fn accepted(event: Event, actor: Actor<'_>, subject: Subject<'_>) {
    let account =
        subject.account.map(|(kind, name)| format!("{} {}", kind.text(), printable(kind, name)));
    tracing::info!(
        target: TARGET,
        event = event.text(),
        outcome = "accepted",
        till = actor.named(Kind::Till),
        client = actor.named(Kind::ApiClient),
        operator = actor.named(Kind::Operator),
        operator_of = actor.account_of(),
        organisation = actor.organisation,
        address = actor.address.map(tracing::field::display),
        account,
        role = subject.role,
        "{} accepted",
        event.text()
    );
}

/// The security log of a process.
pub struct SecurityLog {
    budget: Mutex<Budget>,
    untrusted_proxies: Mutex<Hourly>,
    names: RandomState,
}

impl Default for SecurityLog {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            budget: Mutex::new(Budget::new(now)),
            untrusted_proxies: Mutex::new(Hourly::new(now)),
            names: RandomState::new(),
        }
    }
}

impl SecurityLog {
    /// Logs a refused sign-in or password change.
    pub(crate) fn refused(&self, event: Event, actor: Actor<'_>, reason: Reason) {
        self.refuse(event, actor, reason, None);
    }

    /// Logs a request that the caller may not send: its method and route.
    pub(crate) fn denied(
        &self,
        actor: Actor<'_>,
        reason: Reason,
        (method, route): (&Method, Option<&MatchedPath>),
    ) {
        let route = route.map_or("none", MatchedPath::as_str);
        self.refuse(Event::Request, actor, reason, Some(&format!("{method} {route}")));
    }

    /// Logs that `X-Forwarded-For` of this peer is ignored. Once an hour for each network.
    pub(crate) fn untrusted_proxy(&self, peer: IpAddr) {
        let mut hourly = self.untrusted_proxies.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = hourly.admit(network::of(peer), Instant::now());
        drop(hourly);
        if admitted {
            tracing::warn!(
                target: TARGET,
                address = tracing::field::display(peer),
                "X-Forwarded-For is ignored: trusted_proxies does not contain its sender"
            );
        }
    }

    fn refuse(&self, event: Event, actor: Actor<'_>, reason: Reason, request: Option<&str>) {
        if actor.address.is_some_and(|address| !self.admit(actor, address, reason)) {
            return;
        }
        tracing::warn!(
            target: TARGET,
            event = event.text(),
            outcome = "refused",
            till = actor.named(Kind::Till),
            client = actor.named(Kind::ApiClient),
            operator = actor.named(Kind::Operator),
            operator_of = actor.account_of(),
            organisation = actor.organisation,
            address = actor.address.map(tracing::field::display),
            reason = reason.text(actor.kind),
            request,
            "{} refused",
            event.text()
        );
    }

    fn admit(&self, actor: Actor<'_>, address: IpAddr, reason: Reason) -> bool {
        let network = network::of(address);
        let lockout = (reason == Reason::LockedOut)
            .then(|| self.names.hash_one((actor.kind.text(), actor.account_of, actor.name)));
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let left_out = budget.turn(Instant::now());
        let admitted = budget.admit(network, lockout);
        drop(budget);
        if left_out > 0 {
            tracing::warn!(target: TARGET, lines = left_out, "lines of refusals were left out");
        }
        admitted
    }

    /// Returns the form in which a name is looked up. Refuses a name that cannot exist.
    pub(crate) fn key<'a>(&self, event: Event, actor: Actor<'a>) -> Result<Cow<'a, str>, Refusal> {
        text::key(actor.name).ok_or_else(|| {
            self.refused(event, actor, Reason::UnknownName);
            Refusal::Unauthorised
        })
    }
}

/// A name as bounded, escaped text. A digest in place of a till's name is hidden, and so is a secret.
fn printable(kind: Kind, name: &str) -> String {
    if holds_secret(name) {
        return "(a secret)".to_owned();
    }
    if kind == Kind::Till && Digest::read(name.trim()).is_some() {
        return "(a digest)".to_owned();
    }
    let mut escaped: String = name.chars().take(NAME_LIMIT).flat_map(char::escape_debug).collect();
    if name.chars().nth(NAME_LIMIT).is_some() {
        escaped.push('…');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_names_up_in_one_form() {
        let log = SecurityLog::default();
        let key = |name| {
            let actor = Actor::new(Kind::Till, name, [127, 0, 0, 1].into());
            log.key(Event::SignIn, actor).map(Cow::into_owned)
        };
        assert_eq!(key("till\u{200b}.001").unwrap(), "till.001");
        assert_eq!(key("till\0.001"), Err(Refusal::Unauthorised));
    }

    #[test]
    fn names_are_bounded_and_escaped() {
        let long = "x".repeat(1_000);
        let cut = format!("{}…", "x".repeat(NAME_LIMIT));
        for (name, wanted) in [
            ("till.001", "till.001"),
            ("Zürich 1", "Zürich 1"),
            ("", ""),
            ("a\r\nb\u{1b}[31m", r"a\r\nb\u{1b}[31m"),
            ("a\u{202e}b\0", r"a\u{202e}b\0"),
            ("\"quoted\"", r#"\"quoted\""#),
            (&long, &cut),
            ("fe01ce2a7fbac8fafaed7c982a04e229", "(a digest)"),
            (" FE01CE2A7FBAC8FAFAED7C982A04E229", "(a digest)"),
        ] {
            assert_eq!(printable(Kind::Till, name), wanted);
        }
        for secret in
            ["patron_secret_AbC", "patron_token_AbC", " x PATRON_SESSION_AbC", "patron_token_"]
        {
            for kind in [Kind::Till, Kind::ApiClient, Kind::Operator] {
                assert_eq!(printable(kind, secret), "(a secret)");
            }
        }
        let key = "fe01ce2a7fbac8fafaed7c982a04e229";
        assert_eq!(printable(Kind::ApiClient, key), key, "a client's key is not secret");
    }
}
