//! What a body looks like, for an error that says how to send it.

use std::fmt;

/// How much of a body may be the name of a form's first member, in bytes.
const NAME_LIMIT_BYTES: usize = 200;
const GZIP: &[u8] = b"\x1f\x8b";
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What a body looks like by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looks {
    Json,
    Xml,
    Form,
    Multipart,
    Gzip,
}

impl Looks {
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(MARK).unwrap_or(body).trim_ascii_start();
        match body {
            [b'{' | b'[', ..] => Some(Self::Json),
            [b'<', ..] => Some(Self::Xml),
            [b'-', b'-', ..] => Some(Self::Multipart),
            body if body.starts_with(GZIP) => Some(Self::Gzip),
            body => {
                let mut bytes = body.iter().take(NAME_LIMIT_BYTES);
                let end = bytes.position(|byte| !is_of_a_name(*byte))?;
                (end > 0 && body.get(end) == Some(&b'=')).then_some(Self::Form)
            }
        }
    }
}

impl fmt::Display for Looks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Json => "JSON",
            Self::Xml => "XML",
            Self::Form => "a form",
            Self::Multipart => "a multipart form",
            Self::Gzip => "gzip",
        })
    }
}

/// Whether a byte may stand in the encoded name of a form's member.
const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']' | b'%' | b'+')
}

/// For an endpoint that takes JSON alone: how to send what looks like something else.
pub(crate) fn instead_of_json(body: &[u8]) -> Option<String> {
    match Looks::of(body)? {
        Looks::Json => None,
        Looks::Gzip => Some("this looks like gzip; send `Content-Encoding: gzip`".to_owned()),
        other => Some(format!("this looks like {other}; send JSON")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_formats_by_their_first_bytes() {
        for (body, wanted) in [
            (b"{\"root\": 1}".as_slice(), Some(Looks::Json)),
            (b"\xef\xbb\xbf \r\n\t[", Some(Looks::Json)),
            (b"<?xml version='1.0'?>", Some(Looks::Xml)),
            (b" <root/>", Some(Looks::Xml)),
            (b"mobile=919876543210&x=y", Some(Looks::Form)),
            (b"root%5Bcustomer%5D[0].a-b_c+d=", Some(Looks::Form)),
            (b"------WebKitFormBoundary\r\nContent-Disposition: form-data", Some(Looks::Multipart)),
            (b"\x1f\x8b\x08\0", Some(Looks::Gzip)),
            (b"", None),
            (b"=1", None),
            (b"a b=1", None),
            (b"919876543210", None),
            (b"\"text\"", None),
        ] {
            assert_eq!(Looks::of(body), wanted, "{body:?}");
        }
        assert_eq!(Looks::of(&[[b'a'; 1_000].as_slice(), b"="].concat()), None);
    }
}
