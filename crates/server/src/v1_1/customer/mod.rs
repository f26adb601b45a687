//! `/v1.1/customer/…`

pub mod add;
pub mod request;
pub mod response;
