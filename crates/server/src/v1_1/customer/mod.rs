//! `/v1.1/customer/…`

pub mod add;
pub mod customers;
pub mod decoded;
pub mod encoding;
mod examples;
mod explain;
pub mod get;
mod head;
mod members;
pub mod place;
pub mod request;
pub mod request_xml;
pub mod response;
mod xml_tag;
