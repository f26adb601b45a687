//! Patron from outside: a whole server on a real port for each test, spoken to over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::too_many_lines,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "a test fails by panicking"
)]

mod access;
mod admin;
mod app;
mod attacks;
mod attribution;
mod audit;
mod authentication;
mod batch;
mod beside_a_server;
mod bodies;
mod browsers;
mod cards;
mod clients;
mod command_line;
mod connections;
mod copying;
mod coupons;
mod data;
mod database_tls;
mod documents;
mod durability;
mod explain;
mod faults;
mod fields;
mod generated_ids;
mod get;
mod hierarchy;
mod hostile;
mod http;
mod idempotency;
mod identity;
mod limits;
mod log;
mod loyalty;
mod maintenance;
mod metrics;
mod openapi;
mod parameters;
#[path = "../../../store/tests/postgresql/mod.rs"]
mod postgresql;
mod processes;
mod proof;
mod referral;
mod security_log;
mod setting_up;
mod settings;
mod sources;
mod specification;
mod text;
mod tls;
mod traces;
mod wrong_forms;
mod xml;
