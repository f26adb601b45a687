//! `/v1.1/customer/…`

pub mod add;
pub mod decoded;
pub mod request;
mod request_xml;
pub mod response;
