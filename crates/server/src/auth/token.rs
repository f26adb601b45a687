//! Access tokens and secrets: how they are made, and how a token comes with a request.
//!
//! Both are 32 random bytes behind a prefix, so that a scanner finds one that leaked, and before a
//! checksum, so that what only looks like one costs no look-up.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use patron_store::TokenHash;
use sha2::{Digest, Sha256};

/// The header in which a client sends its token.
const TOKEN: HeaderName = HeaderName::from_static("x-cap-api-oauth-token");
/// How each secret text that Patron generates begins.
pub(super) const TOKEN_PREFIX: &str = "patron_token_";
pub(super) const SECRET_PREFIX: &str = "patron_secret_";
pub(super) const SESSION_PREFIX: &str = "patron_session_";
/// How many of the bytes are random.
const RANDOM: usize = 32;
/// How many check those before them.
const CHECKSUM: usize = 4;

/// What a random text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A client calls with it.
    Token,
    /// A client generates tokens with it.
    Secret,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Token => TOKEN_PREFIX,
            Self::Secret => SECRET_PREFIX,
        }
    }
}

/// A new token or secret.
///
/// # Errors
/// A system without a source of randomness.
pub fn generate(purpose: Purpose) -> anyhow::Result<String> {
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random)?;
    let bytes = [random.as_slice(), &checksum(&random)].concat();
    Ok(format!("{}{}", purpose.prefix(), URL_SAFE_NO_PAD.encode(bytes)))
}

/// A new key: 32 hexadecimal characters, which is no secret.
///
/// # Errors
/// A system without a source of randomness.
pub fn generate_key() -> anyhow::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    Ok(hex::encode(random))
}

/// By what a token is known; `None` where the text is none.
#[must_use]
pub fn hash(token: &str) -> Option<TokenHash> {
    let encoded = token.strip_prefix(Purpose::Token.prefix())?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let (random, check) = bytes.split_at_checked(RANDOM)?;
    (check == checksum(random)).then(|| TokenHash(Sha256::digest(token).into()))
}

/// Returns whether the text holds a secret that Patron generated, or a part of one.
pub(super) fn holds_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [TOKEN_PREFIX, SECRET_PREFIX, SESSION_PREFIX].iter().any(|prefix| text.contains(prefix))
}

fn checksum(random: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(random));
    [a, b, c, d]
}

/// The token that comes with a request: in its own header, where `Bearer` may stand before it, or as
/// `Authorization: Bearer`. `None` where there is none; one that is no text is an empty one.
pub(super) fn sent(headers: &HeaderMap) -> Option<&str> {
    let own = headers.get(TOKEN).map(|value| {
        let text = value.to_str().unwrap_or_default().trim();
        bearer(text).unwrap_or(text)
    });
    own.or_else(|| bearer(headers.get(AUTHORIZATION)?.to_str().ok()?))
}

fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn no_two_are_alike_and_each_is_known_by_its_hash() {
        let [one, other] = [(); 2].map(|()| generate(Purpose::Token).unwrap());
        assert_ne!(one, other);
        assert_ne!(hash(&one).unwrap(), hash(&other).unwrap());
        assert_eq!(one.len(), "patron_token_".len() + 48);
    }

    #[test]
    fn what_only_looks_like_a_token_is_none() {
        let token = generate(Purpose::Token).unwrap();
        let last = if token.ends_with('A') { "B" } else { "A" };
        for text in [
            String::new(),
            "patron_token_".to_owned(),
            token[..token.len() - 1].to_owned(),
            format!("{}{last}", &token[..token.len() - 1]),
            format!("{token}A"),
            token.replace("patron_token_", ""),
            generate(Purpose::Secret).unwrap(),
            "eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned(),
        ] {
            assert!(hash(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_token_comes_in_one_of_two_headers() {
        for (name, value, wanted) in [
            ("x-cap-api-oauth-token", "t", Some("t")),
            ("x-cap-api-oauth-token", "Bearer t", Some("t")),
            ("x-cap-api-oauth-token", " bearer  t ", Some("t")),
            ("x-cap-api-oauth-token", "", Some("")),
            ("authorization", "Bearer t", Some("t")),
            ("authorization", "BEARER t", Some("t")),
            ("authorization", "Basic t", None),
            ("authorization", "t", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(sent(&headers), wanted, "{name}: {value}");
        }
        assert_eq!(sent(&HeaderMap::new()), None);
    }

    #[test]
    fn its_own_header_outranks_the_other() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic x"));
        headers.insert(TOKEN, HeaderValue::from_static("t"));
        assert_eq!(sent(&headers), Some("t"));
    }
}
