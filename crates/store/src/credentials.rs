//! How long tokens are kept, the same for every engine.

use jiff::SignedDuration;

/// For how long a token that has expired is still known, so that its user can be told.
pub(crate) const TOLD_FOR: SignedDuration = SignedDuration::from_hours(24);
