//! What every request must satisfy before anything is done for it.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use patron_rules::codes;

use super::observed::Reserved;
use super::{ADMIN, health};
use crate::admin::api::v1::problem::{self, Problem};
use crate::app::App;
use crate::v1_1::envelope;

/// Refuses a request that may not be handled. Over HTTP/1.1 the connection ends after that. One of the
/// reserve ends over HTTP/2 as well, since the client's next one may be admitted.
pub(super) fn refusal(app: &App, request: &Request) -> Option<Response> {
    let is_admin = request.uri().path().starts_with(ADMIN);
    let refused = if reserved_for_others(request).is_some() {
        Some(if is_admin { problem::busy() } else { envelope::unavailable() })
    } else {
        let checked = check_framing(request).and_then(|()| check_host(app, request));
        checked.err().map(|(status, text)| {
            if is_admin {
                Problem::new(status, text).into_response()
            } else {
                envelope::refusal(status, codes::UNREADABLE, Some(text), 0)
            }
        })
    };
    refused.map(|mut reply| {
        if request.version() == Version::HTTP_2 {
            if let Some(reserved) = reserved_for_others(request) {
                reserved.end_connection();
            }
        } else {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    })
}

/// A connection of the reserve is for probes alone.
fn reserved_for_others(request: &Request) -> Option<&Reserved> {
    let reserved = request.extensions().get::<Reserved>()?;
    (!health::PROBES.contains(&request.uri().path())).then_some(reserved)
}

/// "A server that receives a request message with a transfer coding it does not understand SHOULD
/// respond with 501"; "a sender MUST NOT apply the chunked transfer coding more than once" (RFC 9112,
/// 6.1, 7).
fn check_framing(request: &Request) -> Result<(), (StatusCode, &'static str)> {
    let values = request.headers().get_all(TRANSFER_ENCODING).iter();
    let values = values.map(|value| value.to_str().unwrap_or_default());
    let mut codings = values.flat_map(|list| list.split(',')).map(str::trim);
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(()),
        (Some(coding), Some(next))
            if [coding, next].map(str::to_ascii_lowercase) == ["chunked"; 2] =>
        {
            Err((StatusCode::BAD_REQUEST, "`Transfer-Encoding` names `chunked` twice"))
        }
        _ => Err((StatusCode::NOT_IMPLEMENTED, "the only `Transfer-Encoding` is `chunked`")),
    }
}

/// "A server MUST respond with a 400 status code to any HTTP/1.1 request message that lacks a Host
/// header field and to any request message that contains more than one" (RFC 9112, 3.2).
///
/// The demo's passwords are public. It takes no other host than this machine, so that no page of
/// another site can call it by a name that leads here.
fn check_host(app: &App, request: &Request) -> Result<(), (StatusCode, &'static str)> {
    let invalid = |text| Err((StatusCode::BAD_REQUEST, text));
    let authority = match host(request.headers(), request.version()) {
        Ok(header) => header.or_else(|| request.uri().authority().cloned()),
        Err(text) => return invalid(text),
    };
    let is_private = app.has_demo && app.config.listen.ip().is_loopback();
    let is_foreign = |authority: Authority| !is_loopback(authority.host());
    if is_private && authority.is_some_and(is_foreign) {
        return invalid(
            "the demo takes requests for `localhost` or a loopback address only, by `Host`",
        );
    }
    Ok(())
}

/// Returns what `Host` names; `None` where it is missing and need not be there.
fn host(headers: &HeaderMap, version: Version) -> Result<Option<Authority>, &'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Err("there is more than one `Host`"),
        (Some(host), None) => {
            let authority = Authority::try_from(host.as_bytes());
            authority.map(Some).map_err(|_| "`Host` is not the name of a host")
        }
        (None, _) if version == Version::HTTP_11 => Err("HTTP/1.1 requires `Host`"),
        (None, _) => Ok(None),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    bare.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
        || name == "localhost"
        || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_loopback_names_only() {
        for (host, wanted) in [
            ("localhost", true),
            ("LocalHost.", true),
            ("patron.localhost", true),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("rebound.evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("evillocalhost", false),
            ("192.0.2.7", false),
            ("0.0.0.0", false),
            ("[2001:db8::1]", false),
        ] {
            assert_eq!(is_loopback(host), wanted, "{host}");
        }
    }
}
