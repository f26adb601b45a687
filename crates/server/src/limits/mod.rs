//! How much a caller may ask for: calls a minute, guesses, connections, replies that are kept, long work.

pub(crate) mod activity;
pub(crate) mod connections;
pub(crate) mod guesses;
pub(crate) mod headers;
pub mod kept;
pub(crate) mod network;
pub mod proxies;
pub mod rate;
pub mod shares;
pub(crate) mod table;
