//! The header `Authorization: Basic …` (RFC 7617).

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
    /// Reads the header; `None` if it is not Basic.
    pub(super) fn read(header: &HeaderValue) -> Option<Self> {
        let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > HEADER_LIMIT {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (username, password) = decoded.split_once(':')?;
        // Some documentation shows a blank after the colon.
        Some(Self { username: username.to_owned(), digest: Digest::read(password.trim()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(plain: &str) -> Option<Credentials> {
        let value = format!("Basic {}", STANDARD.encode(plain));
        Credentials::read(&HeaderValue::from_str(&value).unwrap())
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
            assert!(read(plain).is_none(), "{plain}");
        }
        for header in ["", "Basic", "Basic !", "Bearer abc", "Basic dGlsbA=="] {
            assert!(Credentials::read(&HeaderValue::from_static(header)).is_none(), "{header}");
        }
    }
}
