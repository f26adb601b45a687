//! The format of a request: the query's `format` outranks the header `Content-Type`; JSON where
//! neither says.

use axum::http::HeaderMap;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;

/// Whether the request's body is, or is said to be, JSON.
#[must_use]
pub fn is_json(uri: &Uri, headers: &HeaderMap) -> bool {
    match query_format(uri) {
        Some(format) => format.eq_ignore_ascii_case("json"),
        None => headers.get(CONTENT_TYPE).is_none_or(|value| {
            let media_type =
                value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            let media_type = media_type.trim().to_ascii_lowercase();
            matches!(media_type.as_str(), "application/json" | "text/json")
                || media_type.ends_with("+json")
        }),
    }
}

fn query_format(uri: &Uri) -> Option<&str> {
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == "format").map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_query_outranks_the_header() {
        let json = |query: &str, content_type: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = content_type {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            is_json(&format!("/v1.1/customer/add{query}").parse().unwrap(), &headers)
        };
        assert!(json("", None));
        assert!(json("", Some("application/json")));
        assert!(json("", Some("Application/JSON; charset=utf-8")));
        assert!(json("", Some("application/vnd.api+json")));
        assert!(json("?format=json", Some("application/x-www-form-urlencoded")));
        assert!(json("?user_id=true&format=JSON", Some("text/plain")));
        assert!(!json("", Some("application/x-www-form-urlencoded")));
        assert!(!json("", Some("application/xml")));
        assert!(!json("?format=xml", Some("application/json")));
    }
}
