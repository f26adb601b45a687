//! `/admin/…`: what operators set up.

pub(crate) mod api;
