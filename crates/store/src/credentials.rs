//! How long tokens are kept, the same for every engine.

use jiff::SignedDuration;

/// How many tokens of a client are kept, those included that have expired; with one more the oldest
/// is gone.
pub(crate) const TOKENS_LIMIT: u32 = 1_000;
/// For how long a token that has expired is still known, so that its user can be told.
pub(crate) const TOLD_FOR: SignedDuration = SignedDuration::from_hours(24);
