//! Requests that are answered once: whoever repeats one gets the first answer again, and nothing is
//! carried out a second time.

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use patron_rules::decide::Decision;

/// How many answers that are no longer kept are removed with each that is: more than one, so that
/// they become fewer.
pub(crate) const REMOVED_AT_ONCE: u32 = 4;

/// Writes the answer to a request whose customers are decided; may be asked more than once.
pub type WriteAnswer = Arc<dyn Fn(&[Decision]) -> Vec<u8> + Send + Sync>;

/// What makes a request one that is answered once.
#[derive(Clone)]
pub struct Once {
    /// By what the request is known again in its organisation; a digest, so that it tells nothing of
    /// the request.
    pub key: [u8; 32],
    /// A digest of all that it asks for.
    pub content: [u8; 32],
    /// For how long its answer is kept.
    pub keep_for: SignedDuration,
    /// Writes its answer, in the transaction that carries it out.
    pub answer: WriteAnswer,
}

/// What came of a request that is answered once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// It was carried out now.
    Now {
        /// What became of each customer, in order.
        decisions: Vec<Decision>,
        /// The answer: what is kept, if anything was stored.
        answer: Vec<u8>,
    },
    /// It was carried out before, and this was the answer.
    Before(Vec<u8>),
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, content, keep_for, answer: _ } = self;
        formatter
            .debug_struct("Once")
            .field("key", key)
            .field("content", content)
            .field("keep_for", keep_for)
            .finish_non_exhaustive()
    }
}
