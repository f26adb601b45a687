//! What is set up, as documents: the form that the store, the admin API and files share.

use super::patch::merged;
use super::{Invalid, Organisation, Refused};
use crate::text;

/// Why a document that does not exist is not changed.
pub(super) const NOT_FOUND: &str = "no document has this name";

/// A document as it is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name, unique within its kind.
    pub name: String,
    /// Whether it is in use.
    pub is_active: bool,
    /// The document itself in its one form: JSON, with every member that has a default written out.
    pub json: String,
}

impl Document {
    /// The document with `is_active` among its members, as people are shown it.
    #[must_use]
    pub fn shown(&self) -> String {
        let members = self.json.strip_suffix('}').unwrap_or(&self.json);
        let comma = if members.ends_with('{') { "" } else { "," };
        format!(r#"{members}{comma}"is_active":{}}}"#, self.is_active)
    }
}

/// The documents of one kind.
pub trait Documents {
    /// Puts a document in place of the one of the same name, or beside the others; returns its name.
    /// It is as active as the one before; a new one is active.
    ///
    /// # Errors
    /// The member that is wrong by itself or clashes with a document of the same kind. What needs
    /// the rest of the organisation is left to [`Self::check`].
    fn put(&mut self, json: &str) -> Result<String, Invalid>;

    /// Applies a merge patch (RFC 7396) to the document of this name: members that it does not name
    /// stay, those that it names as null take their default. Returns the name afterwards.
    ///
    /// # Errors
    /// There is no such document, or those of [`Self::put`].
    fn patch(&mut self, name: &str, patch: &str) -> Result<String, Invalid> {
        let document = self.get(name).ok_or_else(|| Invalid::at("/name", NOT_FOUND))?;
        self.put(&merged(&document.json, &text::document(patch))?)
    }

    /// Takes a document out of use, or back into it.
    ///
    /// # Errors
    /// There is no such document, or it cannot be taken out of use.
    fn set_active(&mut self, name: &str, is_active: bool) -> Result<(), Invalid>;

    /// The document of this name.
    fn get(&self, name: &str) -> Option<Document>;

    /// Every document, by name.
    fn all(&self) -> Vec<Document>;

    /// Checks every active document against the organisation that they belong to.
    fn check(&self, organisation: &Organisation) -> Vec<Refused>;
}
