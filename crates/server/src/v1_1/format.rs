//! The format of a request and of its reply: JSON or XML.
//!
//! The query's `format` outranks every header. Without it a request is what its `Content-Type` says,
//! JSON where nothing is said; a reply is what `Accept` prefers, and in the request's format where
//! that has no preference.

use std::cmp::Ordering;

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::http::query;

/// A format of requests and replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The default.
    Json,
    /// In the same members: a list is an element repeated.
    Xml,
}

impl Format {
    fn of_media_type(media_type: &str) -> Option<Self> {
        let media_type = media_type.trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/json" | "text/json" => Some(Self::Json),
            "application/xml" | "text/xml" => Some(Self::Xml),
            other if other.ends_with("+json") => Some(Self::Json),
            other if other.ends_with("+xml") => Some(Self::Xml),
            _ => None,
        }
    }
}

/// The format of a request's body, by the query's `format` if it is passed. `None` for one that is
/// neither JSON nor XML.
#[must_use]
pub fn of_request(query_format: Option<&str>, headers: &HeaderMap) -> Option<Format> {
    match query_format {
        Some(name) => named(name),
        None => of_content_type(headers),
    }
}

/// The format of a request's reply.
#[must_use]
pub fn of_reply(uri: &Uri, headers: &HeaderMap) -> Format {
    let named = query::text(uri, "format").as_deref().and_then(named);
    named
        .or_else(|| preferred(headers))
        .or_else(|| of_content_type(headers))
        .unwrap_or(Format::Json)
}

/// The encoding of a request's body, as its media type names it.
#[must_use]
pub fn charset(headers: &HeaderMap) -> Option<&str> {
    let parameters = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').skip(1);
    let mut pairs = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches(['"', '\''])).filter(|label| !label.is_empty())
}

fn named(name: &str) -> Option<Format> {
    match name.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "xml" => Some(Format::Xml),
        _ => None,
    }
}

fn of_content_type(headers: &HeaderMap) -> Option<Format> {
    let value = headers.get(CONTENT_TYPE).map_or(b"".as_slice(), HeaderValue::as_bytes);
    match str::from_utf8(value).ok()?.split(';').next()?.trim() {
        "" => Some(Format::Json),
        media_type => Format::of_media_type(media_type),
    }
}

/// The default `Accept` of Java's `HttpURLConnection`, with which API clients call.
const JAVA_DEFAULT: &str = "text/html, image/gif, image/jpeg,";

/// Whether a person reads the reply in a browser: `Accept` names `text/html`, prefers it to JSON and
/// XML, the query names no format, and the body is neither JSON nor XML.
#[must_use]
pub fn prefers_html(uri: &Uri, headers: &HeaderMap) -> bool {
    if query::text(uri, "format").as_deref().and_then(named).is_some() {
        return false;
    }
    // A browser's form has neither of these content types.
    if headers.contains_key(CONTENT_TYPE) && of_content_type(headers).is_some() {
        return false;
    }
    let first = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if first.is_none_or(|accept| accept.starts_with(JAVA_DEFAULT)) {
        return false;
    }
    let ranges = ranges(headers);
    let best = |holds: &dyn Fn(&str) -> bool| {
        let held = ranges.iter().filter(|(media_type, _)| holds(media_type));
        held.map(|(_, quality)| *quality).fold(0.0, f32::max)
    };
    let html = best(&|media_type| media_type.eq_ignore_ascii_case("text/html"));
    let data = best(&|media_type| {
        media_type != "application/xhtml+xml" && Format::of_media_type(media_type).is_some()
    });
    html > data && html >= best(&|media_type| media_type.contains('*'))
}

/// What `Accept` prefers, if it names one of the formats above the other (RFC 9110, 12.5.1).
fn preferred(headers: &HeaderMap) -> Option<Format> {
    let ranges = ranges(headers);
    let quality = |format| {
        let of = |holds: &dyn Fn(&str) -> bool| {
            let held = ranges.iter().filter(|(media_type, _)| holds(media_type));
            held.map(|(_, quality)| *quality).reduce(f32::max)
        };
        // The closest range that holds a format decides about it.
        of(&|media_type| Format::of_media_type(media_type) == Some(format))
            .or_else(|| of(&|media_type| media_type == "application/*"))
            .or_else(|| of(&|media_type| media_type == "*/*"))
            .unwrap_or(0.0)
    };
    match quality(Format::Json).partial_cmp(&quality(Format::Xml))? {
        Ordering::Greater => Some(Format::Json),
        Ordering::Less => Some(Format::Xml),
        Ordering::Equal => None,
    }
}

/// The media types that `Accept` names, each with how much it is wanted.
fn ranges(headers: &HeaderMap) -> Vec<(&str, f32)> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(range).collect()
}

/// A media type, or several by `*`, with how much it is wanted.
fn range(sent: &str) -> (&str, f32) {
    let mut parts = sent.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q="));
    (media_type, quality.and_then(|text| text.parse().ok()).unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn uri(query: &str) -> Uri {
        format!("/v1.1/customer/add{query}").parse().unwrap()
    }

    fn headers(sent: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pairs = sent.iter().filter(|(_, value)| !value.is_empty());
        pairs.map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn of_a_request() {
        const JSON: Option<Format> = Some(Format::Json);
        const XML: Option<Format> = Some(Format::Xml);
        for (query, content_type, wanted) in [
            ("", "", JSON),
            ("", "application/json", JSON),
            ("", "Application/JSON; charset=utf-8", JSON),
            ("", "application/vnd.api+json", JSON),
            ("", "application/xml", XML),
            ("", "text/xml;charset=ISO-8859-1", XML),
            ("", "application/soap+xml", XML),
            ("", "application/x-www-form-urlencoded", None),
            ("?format=json", "application/x-www-form-urlencoded", JSON),
            ("?user_id=true&format=JSON", "text/plain", JSON),
            ("?format=json", "application/xml", JSON),
            ("?format=xml", "application/json", XML),
            ("?format=XML", "", XML),
            ("?format=csv", "application/json", None),
            ("?format=", "application/xml", XML),
            ("?format=%20json+", "application/xml", JSON),
            ("?format=x%6Dl", "", XML),
            ("", ";charset=utf-8", JSON),
        ] {
            let headers = headers(&[(CONTENT_TYPE, content_type)]);
            let format = query::text(&uri(query), "format");
            let format = of_request(format.as_deref(), &headers);
            assert_eq!(format, wanted, "{query} {content_type}");
        }
    }

    #[test]
    fn of_a_reply() {
        for (query, accept, content_type, wanted) in [
            ("", "", "", Format::Json),
            ("", "", "application/xml", Format::Xml),
            ("", "*/*", "application/xml", Format::Xml),
            ("", "*/*", "", Format::Json),
            ("", "text/html", "application/xml", Format::Xml),
            ("", "application/json", "application/xml", Format::Json),
            ("", "application/xml", "application/json", Format::Xml),
            ("", "text/xml", "", Format::Xml),
            ("", "application/json, application/xml", "application/xml", Format::Xml),
            ("", "application/json;q=0.5, application/xml;q=0.9", "", Format::Xml),
            ("", "application/xml;q=0.5, */*", "", Format::Json),
            ("", "application/xml;q=0.5, */*;q=0.1", "", Format::Xml),
            ("", "application/json;q=0, application/*", "", Format::Xml),
            ("", "application/xml;q=x", "", Format::Xml),
            ("", "application/xml;q=nan", "", Format::Json),
            ("?format=json", "application/xml", "application/xml", Format::Json),
            ("?format=xml", "application/json", "application/json", Format::Xml),
            ("?format=csv", "application/xml", "", Format::Xml),
            ("", "", "text/plain", Format::Json),
        ] {
            let headers = headers(&[(ACCEPT, accept), (CONTENT_TYPE, content_type)]);
            let format = of_reply(&uri(query), &headers);
            assert_eq!(format, wanted, "{query} {accept} {content_type}");
        }
    }

    #[test]
    fn browsers_prefer_html_and_api_clients_do_not() {
        const CHROMIUM: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
        const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (query, accept, wanted) in [
            ("", CHROMIUM, true),
            ("", FIREFOX, true),
            ("", "text/html, application/xhtml+xml, */*", true),
            ("", "text/html", true),
            ("", "Text/HTML;q=0.9, application/json;q=0.8", true),
            ("?mobile=1", FIREFOX, true),
            ("?format=csv", FIREFOX, true),
            ("?format=json", FIREFOX, false),
            ("?mobile=1&format=XML", FIREFOX, false),
            ("", "", false),
            ("", "*/*", false),
            ("", "text/*", false),
            ("", "application/json, text/plain, */*", false),
            ("", "application/json, text/html", false),
            ("", "text/html;q=0.5, application/json", false),
            ("", "text/html;q=0.5, */*", false),
            ("", "text/html;q=0", false),
            ("", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", false),
            ("", "text/html, image/gif, image/jpeg, */*; q=0.2", false),
        ] {
            let headers = headers(&[(ACCEPT, accept)]);
            assert_eq!(prefers_html(&uri(query), &headers), wanted, "{query} {accept}");
        }
    }

    #[test]
    fn requests_that_carry_data_prefer_no_html() {
        for (content_type, wanted) in [
            ("application/json", false),
            ("application/json; charset=utf-8", false),
            ("text/xml", false),
            ("application/x-www-form-urlencoded", true),
        ] {
            let headers =
                headers(&[(ACCEPT, "text/html, */*;q=0.8"), (CONTENT_TYPE, content_type)]);
            assert_eq!(prefers_html(&uri(""), &headers), wanted, "{content_type}");
        }
    }

    #[test]
    fn charsets() {
        for (content_type, wanted) in [
            ("application/xml", None),
            ("application/xml; charset=ISO-8859-1", Some("ISO-8859-1")),
            ("application/xml;Charset=\"utf-8\"", Some("utf-8")),
            ("application/xml; a=b; charset = utf-16 ", Some("utf-16")),
        ] {
            assert_eq!(charset(&headers(&[(CONTENT_TYPE, content_type)])), wanted);
        }
    }
}
