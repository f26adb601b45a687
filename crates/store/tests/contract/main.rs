//! What every engine promises: one suite of behaviours, run on each engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod engines;
mod given;
#[expect(dead_code, reason = "it is shared with tests that need more of it")]
#[path = "../postgresql/mod.rs"]
mod postgresql;

mod abandoned;
mod auditing;
mod cards;
mod closing;
mod concurrent;
mod configuration;
mod copying;
mod coupons;
mod credentials;
mod data_model;
mod database_check;
mod differential;
mod dry_run;
mod generated_ids;
mod ledger;
mod log;
mod maintenance;
mod merging;
mod once;
mod operators;
mod organisations;
mod portable;
mod postgres;
mod queue;
mod referral;
mod registering;
mod registry;
mod settings;
mod simulation;
mod sqlite;
mod tenants;
mod upgrading;
mod watching;
mod wire;
