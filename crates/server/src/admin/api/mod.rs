//! `/admin/api/…`

pub(crate) mod v1;
