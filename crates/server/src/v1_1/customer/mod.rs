//! `/v1.1/customer/…`

pub mod add;
mod explain;
pub mod get;
pub mod request;
pub mod response;
