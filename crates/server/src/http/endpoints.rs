//! Every endpoint, and who may call it: the one table of it. What does not stand here is let through
//! to nobody.

use axum::http::Method;
use patron_rules::organisation::{Action, Api, ApiResource, Need};

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody: it tells nothing of anybody, or asks for more by itself.
    Open,
    /// A till or an API client whose access group permits one of these.
    Caller(&'static [Need]),
}

/// An endpoint's method, its path as it is routed, and who may call it.
pub type Endpoint = (Method, &'static str, Access);

/// Every endpoint.
pub const ENDPOINTS: &[Endpoint] = &[
    (Method::GET, "/", Access::Open),
    (Method::GET, "/api_gateway/v2/audits", READ_AUDIT),
    (Method::GET, "/docs", Access::Open),
    (Method::GET, "/docs/", Access::Open),
    (Method::GET, "/docs/{file}", Access::Open),
    (Method::GET, "/livez", Access::Open),
    (Method::GET, "/metrics", Access::Open),
    (Method::GET, "/openapi.json", Access::Open),
    (Method::GET, "/readyz", Access::Open),
    (Method::POST, "/v1.1/customer/add", WRITE_CUSTOMER),
    (Method::GET, "/v1.1/customer/get", READ_CUSTOMER),
    (Method::GET, "/v2/auditLog/get", READ_AUDIT),
    (Method::GET, "/v2/referral/validate", READ_CUSTOMER),
    (Method::POST, "/v3/oauth/token/generate", Access::Open),
];

/// Reading customers.
pub(crate) const CUSTOMER_READ: Need = data(ApiResource::Customer, Action::Read);

/// "Write access to customer group resource."
const WRITE_CUSTOMER: Access = Access::Caller(&[data(ApiResource::Customer, Action::Write)]);
const READ_CUSTOMER: Access = Access::Caller(&[CUSTOMER_READ]);
/// The documents name two resources for the audit; either will do.
const READ_AUDIT: Access =
    Access::Caller(&[CUSTOMER_READ, data(ApiResource::BehaviouralEvent, Action::Read)]);

const fn data(resource: ApiResource, action: Action) -> Need {
    Need { api: Api::Data, resource, action }
}

/// Who may call what is routed at this path; `None` where that stands nowhere.
#[must_use]
pub fn access(method: &Method, route: &str) -> Option<Access> {
    // What answers GET answers HEAD as well.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let row = ENDPOINTS.iter().find(|(known, path, _)| known == method && *path == route);
    row.map(|(_, _, access)| *access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_endpoint_stands_twice() {
        for (index, (method, path, _)) in ENDPOINTS.iter().enumerate() {
            let same = |(other, at, _): &Endpoint| other == method && at == path;
            assert_eq!(ENDPOINTS.iter().position(same), Some(index), "{method} {path}");
        }
    }

    #[test]
    fn what_stands_nowhere_is_nobodys() {
        assert_eq!(access(&Method::POST, "/v1.1/customer/add"), Some(WRITE_CUSTOMER));
        assert_eq!(access(&Method::HEAD, "/v1.1/customer/get"), Some(READ_CUSTOMER));
        assert_eq!(access(&Method::GET, "/v1.1/customer/add"), None);
        assert_eq!(access(&Method::GET, "/v1.1/customer/{nothing}"), None);
    }
}
