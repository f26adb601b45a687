//! Requests that are answered once: whoever repeats one gets the first answer again, and nothing is
//! carried out a second time.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jiff::SignedDuration;
use patron_rules::decide::Decision;

use crate::Error;
use crate::rows::corrupt;

/// How many expired answers one transaction removes.
pub(crate) const REMOVED_AT_ONCE: u32 = 256;
/// What a kept answer takes besides itself: its digests, and its entries in two indexes.
const ROW_BYTES: usize = 200;
/// Shorter answers are not compressed: they fit into a page of the database.
const COMPRESSED_FROM: usize = 4_096;
/// The first byte of a kept answer says how it is kept.
const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

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
    /// Whether a new answer may be kept. Otherwise a request that was not answered before is
    /// refused.
    pub may_keep: bool,
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
        /// How much was kept for it, in bytes; 0 if nothing was stored.
        kept_bytes: usize,
    },
    /// It was carried out before, and this was the answer.
    Before(Vec<u8>),
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, content, keep_for, may_keep, answer: _ } = self;
        formatter
            .debug_struct("Once")
            .field("key", key)
            .field("content", content)
            .field("keep_for", keep_for)
            .field("may_keep", may_keep)
            .finish_non_exhaustive()
    }
}

/// An answer as it is kept. The answer for a batch has many members that are alike.
pub(crate) fn packed(answer: &[u8]) -> Vec<u8> {
    if answer.len() >= COMPRESSED_FROM
        && let Ok(deflated) = deflated(answer)
        && deflated.len() <= answer.len()
    {
        return deflated;
    }
    [&[PLAIN], answer].concat()
}

fn deflated(answer: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(vec![DEFLATED], Compression::fast());
    encoder.write_all(answer)?;
    encoder.finish()
}

/// The answer that is kept like this.
pub(crate) fn unpacked(kept: &[u8]) -> Result<Vec<u8>, Error> {
    match kept.split_first() {
        Some((&PLAIN, answer)) => Ok(answer.to_vec()),
        Some((&DEFLATED, deflated)) => {
            let mut answer = Vec::new();
            let read = DeflateDecoder::new(deflated).read_to_end(&mut answer);
            read.map_err(|_| corrupt("the kept answer to a request cannot be decompressed"))?;
            Ok(answer)
        }
        _ => Err(corrupt("the kept answer to a request has an unknown form")),
    }
}

/// How much room a packed answer takes, in bytes.
pub(crate) const fn kept_bytes(packed: &[u8]) -> usize {
    packed.len().saturating_add(ROW_BYTES)
}
