//! The header `Authorization: Basic …` (RFC 7617).

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::mem::decode_latin1;

use super::Refusal;
use super::password::Digest;

/// The longest header that is looked at, in bytes.
pub(crate) const HEADER_LIMIT: usize = 1_024;

/// A user name and a password, as sent.
pub(super) struct Credentials {
    pub(super) username: String,
    /// `None` if the password is not a digest.
    pub(super) digest: Option<Digest>,
}

impl Credentials {
    /// Reads the header. A name that is not UTF-8 is Latin-1: the RFC leaves the encoding open.
    ///
    /// # Errors
    /// [`Refusal::Unauthorised`] for another scheme, [`Refusal::UnreadableHeader`] for what is not of
    /// this form.
    pub(super) fn read(header: &HeaderValue) -> Result<Self, Refusal> {
        let (scheme, encoded) =
            split_at(header.as_bytes(), b' ').unwrap_or((header.as_bytes(), b""));
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Err(Refusal::Unauthorised);
        }
        Self::decode(encoded).ok_or(Refusal::UnreadableHeader)
    }

    fn decode(encoded: &[u8]) -> Option<Self> {
        if encoded.len() > HEADER_LIMIT {
            return None;
        }
        let decoded = STANDARD.decode(encoded.trim_ascii()).ok()?;
        let text = String::from_utf8(decoded)
            .unwrap_or_else(|error| decode_latin1(error.as_bytes()).into_owned());
        let (username, password) = text.split_once(':')?;
        // Some documentation shows a blank after the colon.
        Some(Self { username: username.to_owned(), digest: Digest::read(password.trim()) })
    }
}

/// The bytes before and after the first of this value.
fn split_at(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == separator)?;
    let (before, rest) = bytes.split_at_checked(place)?;
    Some((before, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(plain: impl AsRef<[u8]>) -> Result<Credentials, Refusal> {
        let value = format!("Basic {}", STANDARD.encode(plain));
        Credentials::read(&HeaderValue::from_str(&value).unwrap())
    }

    fn refusal(header: &[u8]) -> Option<Refusal> {
        Credentials::read(&HeaderValue::from_bytes(header).unwrap()).err()
    }

    #[test]
    fn a_user_name_and_a_digest() {
        let md5 = "fe01ce2a7fbac8fafaed7c982a04e229";
        let sha256 = "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea";
        for plain in
            [format!("till.001:{md5}"), format!("till.001: {md5}"), format!("till.001:{sha256}")]
        {
            let credentials = read(&plain).unwrap();
            assert_eq!(credentials.username, "till.001", "{plain}");
            assert!(credentials.digest.is_some(), "{plain}");
        }
        for plain in [":", "till.001:", "till.001:demo"] {
            assert!(read(plain).unwrap().digest.is_none(), "{plain}");
        }
        for plain in ["", "till.001"] {
            assert_eq!(read(plain).err(), Some(Refusal::UnreadableHeader), "{plain}");
        }
        let latin_1 = b"Z\xfcrich 1:x".as_slice();
        for plain in ["Zürich 1:x".as_bytes(), latin_1] {
            assert_eq!(read(plain).unwrap().username, "Zürich 1");
        }
    }

    #[test]
    fn what_is_no_basic_header_is_refused() {
        for header in [&b""[..], b"Bearer abc", b"\xfc x", b"Basic,x"] {
            assert_eq!(refusal(header), Some(Refusal::Unauthorised));
        }
        for header in [&b"Basic"[..], b"basic ", b"BASIC !", b"Basic dGlsbA==", b"Basic \xfc"] {
            assert_eq!(refusal(header), Some(Refusal::UnreadableHeader));
        }
        let long = format!("Basic {}", "eHg6".repeat(HEADER_LIMIT));
        assert_eq!(refusal(long.as_bytes()), Some(Refusal::UnreadableHeader));
    }
}
