//! The query of a request: `name=value&…`, percent-encoded.

use std::borrow::Cow;

use axum::http::Uri;
use percent_encoding::percent_decode_str;

/// The value of this name; the first one where it stands more than once.
#[must_use]
pub fn value<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, encoded) = pairs.find(|(known, _)| *known == name)?;
    if encoded.contains('+') {
        let spaced = encoded.replace('+', " ");
        return Some(Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned()));
    }
    Some(percent_decode_str(encoded).decode_utf8_lossy())
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
        let uri: Uri = "/x?a=1&b=x%2By%40z+w&b=2&c&explain=True&dry_run=0".parse().unwrap();
        assert_eq!(value(&uri, "a").as_deref(), Some("1"));
        assert_eq!(value(&uri, "b").as_deref(), Some("x+y@z w"));
        assert_eq!(value(&uri, "c"), None);
        assert!(flag(&uri, "explain") && flag(&uri, "a"));
        assert!(!flag(&uri, "dry_run") && !flag(&uri, "nothing"));
    }
}
