//! The text of a request's body, in whichever character encoding it came.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::decoded::Error;
use crate::v1_1::format::Format;

/// Where an XML declaration ends at the latest, in bytes.
const DECLARATION_LIMIT_BYTES: usize = 1_024;

/// Decodes a body; `charset` is what its media type says of its encoding.
///
/// A byte order mark, or what the first character looks like in UTF-16, outranks every name. JSON that is
/// valid UTF-8 is UTF-8 whatever its media type says, since "a `charset` parameter … has no effect" (RFC
/// 8259); only other JSON is decoded by its `charset`. XML is decoded by its `charset`, else by its
/// declaration, else as UTF-8. Where it names no encoding and is not UTF-8, it is read as Windows-1252,
/// which contains Latin-1.
///
/// # Errors
/// The encoding is not known, or the body is not in it.
pub fn text<'a>(
    body: &'a [u8],
    format: Format,
    charset: Option<&str>,
) -> Result<Cow<'a, str>, Error> {
    if let Some((encoding, mark)) = Encoding::for_bom(body) {
        return decode(body.get(mark..).unwrap_or_default(), encoding);
    }
    match body {
        [0, b'<' | b'{' | b'[', ..] => return decode(body, UTF_16BE),
        [b'<' | b'{' | b'[', 0, ..] => return decode(body, UTF_16LE),
        _ => {}
    }
    match format {
        Format::Json => match (str::from_utf8(body), charset) {
            (Ok(text), _) => Ok(text.into()),
            (Err(_), Some(label)) => decode(body, named(label, body)?),
            (Err(error), None) => {
                let reason = "`Content-Type` names no `charset`, and the body is not UTF-8";
                Err(Error::at(reason, body, error.valid_up_to()))
            }
        },
        Format::Xml => match charset.or_else(|| declared(body)) {
            Some(label) => decode(body, named(label, body)?),
            None => decode(body, UTF_8).or_else(|_| decode(body, WINDOWS_1252)),
        },
    }
}

/// The encoding of this name.
fn named(label: &str, body: &[u8]) -> Result<&'static Encoding, Error> {
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        // Programs that build a text in UTF-16 leave that name in it, whatever they then send.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => Err(Error::at(&format!("the encoding `{label}` is not known"), body, 0)),
    }
}

fn decode<'a>(body: &'a [u8], encoding: &'static Encoding) -> Result<Cow<'a, str>, Error> {
    if encoding == UTF_8
        && let Ok(text) = str::from_utf8(body)
    {
        return Ok(text.into());
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let longest = decoder.max_utf8_buffer_length_without_replacement(body.len());
    let mut text = String::with_capacity(longest.unwrap_or_default());
    match decoder.decode_to_string_without_replacement(body, &mut text, true).0 {
        DecoderResult::InputEmpty => Ok(text.into()),
        DecoderResult::Malformed(..) | DecoderResult::OutputFull => {
            let reason = format!("the body is not {}", encoding.name());
            Err(Error::at(&reason, text.as_bytes(), text.len()))
        }
    }
}

/// The encoding that an XML declaration names.
fn declared(body: &[u8]) -> Option<&str> {
    let declaration = body.strip_prefix(b"<?xml")?;
    let declaration = declaration.get(..DECLARATION_LIMIT_BYTES).unwrap_or(declaration);
    let end = declaration.windows(2).position(|two| two == b"?>")?;
    let declaration = str::from_utf8(declaration.get(..end)?).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(label, _)| label)
}
