//! Content codings of a request's body: `Content-Encoding`.

use std::io::Read;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use encoding_rs::Encoding;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::body::Error;
use super::header;

/// The content coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Deflate,
}

impl Coding {
    /// The coding that the headers name. The name of a character encoding says nothing of a coding: clients
    /// send `Content-Encoding: utf-8` where they mean a `charset`.
    ///
    /// # Errors
    /// A coding that is not known, or several.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let mut coding = Self::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            for name in header::text(value).split(',').map(|name| name.trim().to_ascii_lowercase())
            {
                let next = match name.as_str() {
                    "" | "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "deflate" => Self::Deflate,
                    name if Encoding::for_label(name.as_bytes()).is_some() => continue,
                    _ => return Err(Error::UnknownCoding),
                };
                if coding != Self::Identity {
                    return Err(Error::UnknownCoding);
                }
                coding = next;
            }
        }
        Ok(coding)
    }
}

/// Undoes a body's coding, up to this many bytes.
///
/// # Errors
/// The body is larger, or not in this coding.
pub(super) fn decode(body: Bytes, coding: Coding, limit_bytes: usize) -> Result<Bytes, Error> {
    let sent = body.as_ref();
    match coding {
        Coding::Identity => Ok(body),
        Coding::Gzip => read(MultiGzDecoder::new(sent), "gzip", limit_bytes),
        Coding::Deflate if has_zlib_header(sent) => {
            read(ZlibDecoder::new(sent), "deflate", limit_bytes)
        }
        Coding::Deflate => read(DeflateDecoder::new(sent), "deflate", limit_bytes),
    }
}

/// Whether a `deflate` body is in the zlib format (RFC 1950), as it should be. Some clients leave it out.
fn has_zlib_header(body: &[u8]) -> bool {
    let [method, flags, ..] = *body else { return false };
    method & 0x0f == 8 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

fn read(decoder: impl Read, name: &'static str, limit_bytes: usize) -> Result<Bytes, Error> {
    let limit = u64::try_from(limit_bytes).unwrap_or(u64::MAX);
    let mut whole = Vec::new();
    let mut decoder = decoder.take(limit.saturating_add(1));
    decoder.read_to_end(&mut whole).map_err(|_| Error::NotInCoding(name))?;
    if whole.len() > limit_bytes { Err(Error::TooLarge(limit_bytes)) } else { Ok(whole.into()) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[&'static str]) -> Result<Coding, Error> {
        let pair = |value: &&'static str| (CONTENT_ENCODING, HeaderValue::from_static(value));
        let mut headers = HeaderMap::new();
        for (name, value) in values.iter().map(pair) {
            headers.append(name, value);
        }
        Coding::of(&headers)
    }

    fn whole(mut reader: impl Read) -> Bytes {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes.into()
    }

    fn gzip(text: &[u8]) -> Bytes {
        whole(GzEncoder::new(text, Compression::default()))
    }

    #[test]
    fn names_of_codings() {
        for (values, wanted) in [
            ([].as_slice(), Ok(Coding::Identity)),
            (&[""], Ok(Coding::Identity)),
            (&["identity"], Ok(Coding::Identity)),
            (&["UTF-8"], Ok(Coding::Identity)),
            (&["iso-8859-1"], Ok(Coding::Identity)),
            (&["gzip"], Ok(Coding::Gzip)),
            (&[" X-GZip "], Ok(Coding::Gzip)),
            (&["gzip, identity"], Ok(Coding::Gzip)),
            (&["utf-8", "deflate"], Ok(Coding::Deflate)),
            (&["br"], Err(Error::UnknownCoding)),
            (&["zstd"], Err(Error::UnknownCoding)),
            (&["gzip, gzip"], Err(Error::UnknownCoding)),
            (&["deflate", "gzip"], Err(Error::UnknownCoding)),
            (&["base64"], Err(Error::UnknownCoding)),
        ] {
            assert_eq!(of(values), wanted, "{values:?}");
        }
    }

    #[test]
    fn rejects_what_is_not_in_its_coding() {
        let truncated = gzip(b"{}").slice(..15);
        for body in [Bytes::from_static(b"{}"), Bytes::new(), truncated] {
            assert_eq!(decode(body, Coding::Gzip, 100), Err(Error::NotInCoding("gzip")));
        }
        let body = Bytes::from_static(b"\xff\xff");
        assert_eq!(decode(body, Coding::Deflate, 100), Err(Error::NotInCoding("deflate")));
    }

    #[test]
    fn rejects_a_bomb() {
        let bomb = gzip(&vec![0; 50_000_000]);
        assert!(bomb.len() < 100_000);
        let read = decode(bomb.clone(), Coding::Gzip, 1_000_000);
        assert_eq!(read, Err(Error::TooLarge(1_000_000)));
        let twice = Bytes::from([gzip(b"12345"), gzip(b"67890")].concat());
        assert_eq!(decode(twice.clone(), Coding::Gzip, 9), Err(Error::TooLarge(9)));
        assert_eq!(decode(twice, Coding::Gzip, 10).as_deref(), Ok(b"1234567890".as_slice()));
    }

    proptest! {
        #[test]
        fn reads_what_was_encoded(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = text.as_slice();
            let deflated = whole(DeflateEncoder::new(text, Compression::default()));
            let zipped = gzip(text);
            let zlib = whole(ZlibEncoder::new(text, Compression::default()));
            let (limit, text) = (text.len(), Ok(Bytes::copy_from_slice(text)));
            if !has_zlib_header(&deflated) {
                prop_assert_eq!(&decode(deflated, Coding::Deflate, limit), &text);
            }
            prop_assert_eq!(decode(zipped, Coding::Gzip, limit), text.clone());
            prop_assert_eq!(decode(zlib, Coding::Deflate, limit), text);
        }

        #[test]
        fn any_bytes_are_read_or_rejected(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for coding in [Coding::Identity, Coding::Gzip, Coding::Deflate] {
                drop(decode(bytes.clone().into(), coding, 100));
            }
        }
    }
}
