//! Limits that hold on every engine.

/// The most customers that wait to be written; work for more is refused as overload. At some thousands
/// a second, what waits is done within about one.
pub const WRITES_WAITING: u32 = 8_192;
/// The most readers that wait for a connection; one more is refused as overload.
pub const READS_WAITING: usize = 4_096;
/// The most tokens that are kept for an API client, with those that have expired; the oldest go first.
pub const TOKENS: u32 = 1_000;
