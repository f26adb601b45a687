//! Passwords and secrets, of which the store keeps an argon2id: of tills, which send a digest, of
//! operators and API clients, who send them as they are.

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use md5::Md5;
use patron_store::PasswordHashes;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

// One of the settings that OWASP gives as equally strong: that with the least memory.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;
const LANES: u32 = 1;
/// The most memory that a stored hash may ask for, in KiB.
const BLOCKS_LIMIT: usize = 64 * 1024;

/// What is verified where there is no such till, so that its absence takes no less time.
const NOBODY: &str = "$argon2id$v=19$m=7168,t=5,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$yHuOFmoYlJGpLEQDbvNLKnGx0ABGYrMPdVVOBcALEVM";

/// How much of a random password is chance, in bytes.
const RANDOM_BYTES: usize = 12;

/// A digest of a password, in lower-case hexadecimal.
pub enum Digest {
    /// Of the MD5: 32 characters.
    Md5(String),
    /// Of the SHA-256: 64 characters.
    Sha256(String),
}

impl Digest {
    /// Reads a digest in lower or upper case; `None` if the text is not a digest.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        match text.len() {
            32 => Some(Self::Md5(text.to_ascii_lowercase())),
            64 => Some(Self::Sha256(text.to_ascii_lowercase())),
            _ => None,
        }
    }

    /// Returns the digest as text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Md5(text) | Self::Sha256(text) => text,
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

/// Hashes a till's password for the store, from each of its digests.
///
/// # Errors
/// A system without a source of randomness.
pub fn hash(password: &str) -> anyhow::Result<PasswordHashes> {
    Ok(PasswordHashes {
        md5: argon2id(&md5_hex(password))?,
        sha256: argon2id(&sha256_hex(password))?,
    })
}

/// Hashes a password or secret that is sent as it is.
///
/// # Errors
/// A system without a source of randomness.
pub fn argon2id(text: &str) -> anyhow::Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), params);
    Ok(argon2.hash_password(text.as_bytes())?.to_string())
}

/// Makes a password that nobody can guess: 24 hexadecimal digits.
///
/// # Errors
/// A system without a source of randomness.
pub fn random() -> Result<String, getrandom::Error> {
    let mut chance = [0; RANDOM_BYTES];
    getrandom::fill(&mut chance)?;
    Ok(hex::encode(chance))
}

/// What one verification works in: kept for the next one, since memory of this size that comes and
/// goes is not given back to the system.
#[derive(Default)]
pub struct Scratch(Vec<Block>);

/// Whether this text was hashed. Takes as long where there is no hash.
#[must_use]
pub fn verify(text: &str, hash: Option<&str>, scratch: &mut Scratch) -> bool {
    let right = matches(text, hash.unwrap_or(NOBODY), scratch);
    right.unwrap_or(false) && hash.is_some()
}

/// `None` where the hash is none of ours.
fn matches(text: &str, hash: &str, scratch: &mut Scratch) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let (salt, expected) = (hash.salt?, hash.hash?);
    let params = Params::try_from(&hash).ok()?;
    let blocks = params.block_count();
    if blocks > BLOCKS_LIMIT {
        return None;
    }
    if scratch.0.len() < blocks {
        scratch.0.resize(blocks, Block::default());
    }
    let mut found = vec![0; expected.as_ref().len()];
    Argon2::new(Algorithm::Argon2id, Version::default(), params)
        .hash_password_into_with_memory(text.as_bytes(), salt.as_ref(), &mut found, &mut scratch.0)
        .ok()?;
    Some(found.ct_eq(expected.as_ref()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_digest_of_the_password_is_right() {
        let hashes = hash("demo").unwrap();
        let mut scratch = Scratch::default();
        let mut verify = |text: &str, hash: &str| verify(text, Some(hash), &mut scratch);
        assert!(verify(&md5_hex("demo"), &hashes.md5));
        assert!(verify(&sha256_hex("demo"), &hashes.sha256));
        assert!(!verify(&md5_hex("Demo"), &hashes.md5));
        assert!(!verify(&md5_hex("demo"), &hashes.sha256));
        assert!(!verify(&md5_hex("demo"), "no hash"));
    }

    #[test]
    fn reads_digests_in_either_case() {
        for digest in [md5_hex("demo"), sha256_hex("demo")] {
            for text in [digest.clone(), digest.to_uppercase()] {
                assert_eq!(Digest::read(&text).unwrap().text(), digest);
            }
        }
        for text in ["", "demo", &"0".repeat(33), &"g".repeat(32), &"é".repeat(16)] {
            assert!(Digest::read(text).is_none(), "{text}");
        }
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
        assert!(!verify("nobody", None, &mut Scratch::default()));
    }
}
