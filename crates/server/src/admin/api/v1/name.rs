//! Names in paths.

use patron_rules::text;
use serde::Deserialize;

/// A name in its canonical form. One with a control character never gets here:
/// [`super::signed_in::check`] answers that nothing has it.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct Name(pub(super) String);

impl From<String> for Name {
    fn from(sent: String) -> Self {
        Self(text::canonical(&sent).into_owned())
    }
}
