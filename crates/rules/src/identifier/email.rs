//! Email addresses.
//!
//! "The customer's valid email address. Supported characters: a-z A-Z 0-9 - _ + . and @". At most
//! 255 characters, all of the canonical form. Compared without regard to case; the case is stored
//! and returned as sent.

use crate::codes::{self, Code};
use crate::text;

/// The longest address, in characters.
pub const LENGTH_LIMIT: usize = 255;

/// An email address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    sent: String,
    key: String,
}

impl Email {
    /// Reads an address as sent: a local part, one `@`, and a domain of at least two labels.
    ///
    /// # Errors
    /// 1002 when it is none.
    pub fn parse(sent: &str) -> Result<Self, &'static Code> {
        let canonical = text::canonical(sent);
        let sent = canonical.trim();
        let valid = sent.len() <= LENGTH_LIMIT
            && sent
                .split_once('@')
                .is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
        if valid { Ok(Self::stored(sent.to_owned())) } else { Err(codes::INVALID_EMAIL) }
    }

    /// An address that was valid when it was stored.
    #[must_use]
    pub fn stored(sent: String) -> Self {
        let key = sent.to_ascii_lowercase();
        Self { sent, key }
    }

    /// The address as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.sent
    }

    /// The address in lower case: two addresses with one key are one address.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

fn is_local(local: &str) -> bool {
    !local.is_empty()
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+.".contains(&byte))
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.') && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("testing1Nee113@gmail.com", true)]
    #[case("a@b.co", true)]
    #[case("first.last+tag@mail-1.example.com", true)]
    #[case("_under-score_@example.com", true)]
    #[case("  a@b.co  ", true)]
    #[case("\u{feff}a@b.co\u{200b}", true)]
    #[case("a@b", false)]
    #[case("a@b..co", false)]
    #[case("a@.co", false)]
    #[case("a@-b.co", false)]
    #[case("a@b-.co", false)]
    #[case("@b.co", false)]
    #[case("a@", false)]
    #[case("a", false)]
    #[case("a@b@c.co", false)]
    #[case("a b@c.co", false)]
    #[case("a!b@c.co", false)]
    #[case("ä@c.co", false)]
    #[case("a@ä.co", false)]
    #[case("a@b_c.co", false)]
    #[case("<script>@c.co", false)]
    #[case("a\0@c.co", false)]
    fn addresses(#[case] sent: &str, #[case] valid: bool) {
        assert_eq!(Email::parse(sent).is_ok(), valid);
    }

    #[test]
    fn case_does_not_make_another_address() {
        let (one, other) = (Email::parse("Foo@X.com").unwrap(), Email::parse("foo@x.COM").unwrap());
        assert_eq!(one.key(), other.key());
        assert_eq!(one.as_str(), "Foo@X.com");
    }

    #[test]
    fn at_most_255_characters() {
        let of = |length: usize| format!("{}@example.com", "a".repeat(length - 12));
        assert!(Email::parse(&of(255)).is_ok());
        assert_eq!(Email::parse(&of(256)), Err(codes::INVALID_EMAIL));
    }
}
