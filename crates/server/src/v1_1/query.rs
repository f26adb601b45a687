//! The query of a request: `name=value&…`, percent-encoded.

use std::borrow::Cow;

use axum::http::Uri;
use patron_rules::text::canonical;
use percent_encoding::percent_decode_str;

/// Which parameter cannot be taken, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parameter `{name}` takes {form}")]
pub struct Refused {
    name: &'static str,
    form: &'static str,
}

/// The value of a parameter, read; `None` where it is not passed.
///
/// # Errors
/// It cannot be read.
pub fn optional<T>(
    uri: &Uri,
    name: &'static str,
    form: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Refused> {
    text(uri, name).map(|text| read(&text).ok_or(Refused { name, form })).transpose()
}

/// The value of a parameter, read.
///
/// # Errors
/// It is not passed, or cannot be read.
pub fn required<T>(
    uri: &Uri,
    name: &'static str,
    form: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Refused> {
    optional(uri, name, form, read)?.ok_or(Refused { name, form })
}

/// The value of this name; the first one where it stands more than once.
#[must_use]
pub fn value<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    Some(percent_decode_str(encoded(uri, name)?).decode_utf8_lossy())
}

/// The value of this name in its canonical form without blanks around it, a `+` being a blank; `None`
/// where it is empty.
#[must_use]
pub fn text(uri: &Uri, name: &str) -> Option<String> {
    let spaced = encoded(uri, name)?.replace('+', " ");
    let text = canonical(&percent_decode_str(&spaced).decode_utf8_lossy()).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The values of this name, separated by commas; a comma within one is percent-encoded. A `+` is a
/// blank, but in an email address, which has none.
#[must_use]
pub fn values(uri: &Uri, name: &str, email: bool) -> Vec<String> {
    let decoded = |value: &str| {
        let spaced = if email { value.to_owned() } else { value.replace('+', " ") };
        percent_decode_str(&spaced).decode_utf8_lossy().trim().to_owned()
    };
    let values = encoded(uri, name).unwrap_or_default().split(',').map(decoded);
    values.filter(|value| !value.is_empty()).collect()
}

fn encoded<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Whether this name is asked for: `name=true`, or `1`.
#[must_use]
pub fn flag(uri: &Uri, name: &str) -> bool {
    value(uri, name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let uri: Uri = "/x?a=1&b=x%2By%40z+w,v%2C,&b=2&c&explain=True&dry_run=0".parse().unwrap();
        assert_eq!(value(&uri, "a").as_deref(), Some("1"));
        assert_eq!(values(&uri, "b", false), ["x+y@z w", "v,"]);
        assert_eq!(values(&uri, "b", true), ["x+y@z+w", "v,"]);
        assert_eq!((value(&uri, "c"), values(&uri, "c", false)), (None, vec![]));
        assert!(flag(&uri, "explain") && flag(&uri, "a"));
        assert!(!flag(&uri, "dry_run") && !flag(&uri, "nothing"));
    }
}
