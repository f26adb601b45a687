//! The binary `patron`: everything that talks.
//!
//! A request passes, in this order: [`http`] (limits, request id, log line), [`auth`] (who calls),
//! the endpoint (one file each, at the path of its URL: [`v1_1`], [`v2`], [`api_gateway`]), the store, and back.

mod admin;
pub mod api_gateway;
pub mod app;
pub mod audit;
pub mod auth;
pub mod cli;
pub mod config;
pub mod demo;
pub mod http;
pub mod limits;
pub mod observe;
pub mod openapi;
pub mod organisation_file;
mod upkeep;
pub mod v1_1;
pub mod v2;
pub mod v3;
