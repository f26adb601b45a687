//! Passwords of tills: a client sends a digest, the store keeps an argon2id of it.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use md5::Md5;
use patron_store::PasswordHashes;
use sha2::{Digest as _, Sha256};

// One of the settings that OWASP gives as equally strong: that with the least memory.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;
const LANES: u32 = 1;

/// What is verified where there is no such till, so that its absence takes no less time.
const NOBODY: &str = "$argon2id$v=19$m=7168,t=5,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$yHuOFmoYlJGpLEQDbvNLKnGx0ABGYrMPdVVOBcALEVM";

/// A digest of a password, as a client sends it: lower-case hexadecimal.
pub enum Digest {
    /// Of the MD5: 32 characters.
    Md5(String),
    /// Of the SHA-256: 64 characters.
    Sha256(String),
}

impl Digest {
    /// Reads a digest; `None` where the text has not the form of one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if !text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return None;
        }
        match text.len() {
            32 => Some(Self::Md5(text.to_owned())),
            64 => Some(Self::Sha256(text.to_owned())),
            _ => None,
        }
    }
}

/// The lower-case hexadecimal MD5 of a password.
#[must_use]
pub fn md5_hex(password: &str) -> String {
    hex::encode(Md5::digest(password))
}

/// The lower-case hexadecimal SHA-256 of a password.
#[must_use]
pub fn sha256_hex(password: &str) -> String {
    hex::encode(Sha256::digest(password))
}

/// Hashes a password for the store.
///
/// # Errors
/// A system without a source of randomness.
pub fn hash(password: &str) -> anyhow::Result<PasswordHashes> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), params);
    let argon2id = |digest: String| argon2.hash_password(digest.as_bytes());
    Ok(PasswordHashes {
        md5: argon2id(md5_hex(password))?.to_string(),
        sha256: argon2id(sha256_hex(password))?.to_string(),
    })
}

/// Whether this is the digest of the hashed password. Takes as long where there is none.
#[must_use]
pub fn verify(digest: &Digest, hashes: Option<&PasswordHashes>) -> bool {
    let (text, hash) = match (digest, hashes) {
        (Digest::Md5(text), Some(hashes)) => (text, hashes.md5.as_str()),
        (Digest::Sha256(text), Some(hashes)) => (text, hashes.sha256.as_str()),
        (Digest::Md5(text) | Digest::Sha256(text), None) => (text, NOBODY),
    };
    let verified = PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(text.as_bytes(), &hash)
            .is_ok()
    });
    verified && hashes.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_digest_of_the_password_is_right() {
        let hashes = hash("demo").unwrap();
        let verify = |text: String| verify(&Digest::read(&text).unwrap(), Some(&hashes));
        assert!(verify(md5_hex("demo")));
        assert!(verify(sha256_hex("demo")));
        assert!(!verify(md5_hex("Demo")));
        assert!(!verify(sha256_hex("Demo")));
    }

    #[test]
    fn digests_are_the_usual_ones() {
        assert_eq!(md5_hex("demo"), "fe01ce2a7fbac8fafaed7c982a04e229");
        assert_eq!(
            sha256_hex("demo"),
            "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea"
        );
    }

    #[test]
    fn nobody_has_no_password() {
        let cost = |hash: &str| PasswordHash::new(hash).unwrap().params.to_string();
        assert_eq!(cost(NOBODY), cost(&hash("demo").unwrap().md5));
        assert!(!verify(&Digest::read(&md5_hex("demo")).unwrap(), None));
    }
}
