//! `GET /v2/auditLog/get`: the older address of [`crate::api_gateway::v2::audits`], and the same.

pub(crate) use crate::api_gateway::v2::audits::get;
