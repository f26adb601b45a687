//! Which other sites' pages may call Patron from a browser: none, unless `cors_origins` names them.

use axum::http::header::{HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::access_log::{DRY_RUN, REQUEST_ID};
use crate::config::Config;
use crate::limits::headers;
use crate::v1_1::idempotency::REPLAYED;

/// What such a page may read of a reply besides its body.
const EXPOSED: [HeaderName; 6] =
    [REQUEST_ID, RETRY_AFTER, REPLAYED, DRY_RUN, headers::POLICY, headers::STATE];

/// Answers what a browser asks before and reads after a call; `None` where no site is named.
pub(super) fn layer(config: &Config) -> Option<CorsLayer> {
    let origins: Vec<_> =
        config.origins().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED);
    (!origins.is_empty()).then(|| layer.allow_origin(AllowOrigin::list(origins)))
}
