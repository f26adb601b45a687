//! Passwords, of which the store keeps an argon2id: of tills, which send a digest, and of operators.

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
        if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
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

fn argon2id() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::default(), params))
}

/// Hashes a till's password for the store.
///
/// # Errors
/// A system without a source of randomness.
pub fn hash(password: &str) -> anyhow::Result<PasswordHashes> {
    let argon2 = argon2id()?;
    let argon2id = |digest: String| argon2.hash_password(digest.as_bytes());
    Ok(PasswordHashes {
        md5: argon2id(md5_hex(password))?.to_string(),
        sha256: argon2id(sha256_hex(password))?.to_string(),
    })
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

/// Hashes a password that is sent as it is, not as a digest.
///
/// # Errors
/// A system without a source of randomness.
pub fn hash_text(password: &str) -> anyhow::Result<String> {
    Ok(argon2id()?.hash_password(password.as_bytes())?.to_string())
}

/// Whether this is the hashed password. Takes as long where there is none.
#[must_use]
pub fn verify_text(password: &str, hash: Option<&str>) -> bool {
    let right = matches(password, hash.unwrap_or(NOBODY), &mut Scratch::default());
    right.unwrap_or(false) && hash.is_some()
}

/// What one verification works in: kept for the next one, since memory of this size that comes and
/// goes is not given back to the system.
#[derive(Default)]
pub struct Scratch(Vec<Block>);

/// Whether this is the digest of the hashed password. Takes as long where there is none.
#[must_use]
pub fn verify(digest: &Digest, hashes: Option<&PasswordHashes>, scratch: &mut Scratch) -> bool {
    let (text, hash) = match (digest, hashes) {
        (Digest::Md5(text), Some(hashes)) => (text, hashes.md5.as_str()),
        (Digest::Sha256(text), Some(hashes)) => (text, hashes.sha256.as_str()),
        (Digest::Md5(text) | Digest::Sha256(text), None) => (text, NOBODY),
    };
    let right = matches(text, hash, scratch);
    right.unwrap_or(false) && hashes.is_some()
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
        let mut verify =
            |text: String| verify(&Digest::read(&text).unwrap(), Some(&hashes), &mut scratch);
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
        let digest = Digest::read(&md5_hex("demo")).unwrap();
        assert!(!verify(&digest, None, &mut Scratch::default()));
    }
}
