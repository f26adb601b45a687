//! The log lines of refused sign-ins.
//!
//! Only these lines have addresses, and names as callers sent them. They never have a password, a
//! digest, a secret or a token.

use std::borrow::Cow;
use std::net::IpAddr;

use patron_rules::text;

use super::Refusal;
use super::password::Digest;

/// How many characters of a name are logged.
const NAME_LIMIT: usize = 64;

/// The kind of caller who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Till,
    ApiClient,
    Operator,
}

/// Why a sign-in is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
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
}

impl Reason {
    const fn text(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::UnknownName, Kind::Till) => "no such till",
            (Self::UnknownName, Kind::ApiClient) => "no such API client",
            (Self::UnknownName, Kind::Operator) => "no such operator",
            (Self::NotADigest, _) => "not a digest",
            (Self::WrongPassword, Kind::Till) => "wrong digest",
            (Self::WrongPassword, Kind::ApiClient) => "wrong secret",
            (Self::WrongPassword, Kind::Operator) => "wrong password",
            (Self::LockedOut, _) => "locked out",
            (Self::OutOfUse, _) => "out of use",
        }
    }
}

/// Logs a refused sign-in.
pub(crate) fn refused(kind: Kind, name: &str, from: IpAddr, reason: Reason) {
    let name = printable(kind, name);
    let of = |wanted| (kind == wanted).then_some(name.as_str());
    tracing::warn!(
        till = of(Kind::Till),
        client = of(Kind::ApiClient),
        operator = of(Kind::Operator),
        address = %from,
        reason = reason.text(kind),
        "sign-in refused"
    );
}

/// Returns the form in which a name is looked up. Refuses a name that cannot exist.
pub(crate) fn key(kind: Kind, name: &str, from: IpAddr) -> Result<Cow<'_, str>, Refusal> {
    text::key(name).ok_or_else(|| {
        refused(kind, name, from, Reason::UnknownName);
        Refusal::Unauthorised
    })
}

/// A name as bounded, escaped text. A digest in place of a till's name is hidden.
fn printable(kind: Kind, name: &str) -> String {
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
        let key = |name| key(Kind::Till, name, [127, 0, 0, 1].into());
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
        let key = "fe01ce2a7fbac8fafaed7c982a04e229";
        assert_eq!(printable(Kind::ApiClient, key), key, "a client's key is not secret");
    }
}
