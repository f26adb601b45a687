//! Lists in documents that hold a limited number of entries.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a list of at most `MOST` entries. Entries beyond are not read, so they take no memory.
pub(super) fn at_most<'de, const MOST: usize, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(AtMost::<MOST, T>(PhantomData))
}

struct AtMost<const MOST: usize, T>(PhantomData<T>);

impl<'de, const MOST: usize, T: Deserialize<'de>> Visitor<'de> for AtMost<MOST, T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of at most {MOST} entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
        let mut read = Vec::new();
        while read.len() < MOST {
            let Some(entry) = entries.next_element()? else { return Ok(read) };
            read.push(entry);
        }
        match entries.next_element::<IgnoredAny>()? {
            None => Ok(read),
            Some(_) => Err(A::Error::custom(format_args!("at most {MOST} entries"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<u8>, String> {
        let read = at_most::<2, u8, _>(&mut serde_json::Deserializer::from_str(json));
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn reads_lists_up_to_the_limit() {
        assert_eq!(read("[]"), Ok(vec![]));
        assert_eq!(read("[1,2]"), Ok(vec![1, 2]));
        for beyond in ["[1,2,3]", "[1,2,\"no number\"]"] {
            assert!(read(beyond).unwrap_err().starts_with("at most 2 entries"));
        }
        assert!(read("1").unwrap_err().contains("expected a list of at most 2 entries"));
    }
}
