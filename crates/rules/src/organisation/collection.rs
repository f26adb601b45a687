//! The resources of one kind.

use std::collections::{BTreeMap, HashMap};

use super::document::NOT_FOUND;
use super::resource::{check_canonical, check_name, read, write};
use super::{Document, Documents, Invalid, Organisation, Refused, Resource};
use crate::text;

/// The highest number, which every reader of JSON has exactly.
const NUMBER_MOST: i64 = (1 << 53) - 1;

/// The resources of one kind, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection<T> {
    entries: BTreeMap<String, Entry<T>>,
    /// The names of those that have a number.
    names: BTreeMap<i64, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry<T> {
    resource: T,
    is_active: bool,
}

impl<T> Default for Collection<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), names: BTreeMap::new() }
    }
}

impl<T: Resource> Collection<T> {
    /// These resources, all of them active.
    ///
    /// # Errors
    /// The first one that is wrong by itself or clashes with one before.
    pub fn of(resources: impl IntoIterator<Item = T>) -> Result<Self, Invalid> {
        let mut collection = Self::default();
        for resource in resources {
            if collection.entries.contains_key(resource.name()) {
                return Err(Invalid::at(
                    "/name",
                    format!("{} exists already", T::KIND.label(resource.name())),
                ));
            }
            collection.put_resource(resource)?;
        }
        Ok(collection)
    }

    /// Whether there are none, in use or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Those that are in use, by name.
    pub fn active(&self) -> impl Iterator<Item = &T> {
        self.entries.values().filter(|entry| entry.is_active).map(|entry| &entry.resource)
    }

    /// All of them, in use or not, by name.
    pub fn every(&self) -> impl Iterator<Item = &T> {
        self.entries.values().map(|entry| &entry.resource)
    }

    /// The one of this name, in its canonical form, if it is in use.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&T> {
        self.entries.get(name).filter(|entry| entry.is_active).map(|entry| &entry.resource)
    }

    /// The one of this name, in its canonical form, in use or not.
    #[must_use]
    pub fn get_any(&self, name: &str) -> Option<&T> {
        self.entries.get(name).map(|entry| &entry.resource)
    }

    /// The one of this number, in use or not.
    #[must_use]
    pub fn with_id(&self, id: i64) -> Option<&T> {
        self.entries.get(self.names.get(&id)?).map(|entry| &entry.resource)
    }

    /// The one of this number, if it is in use.
    #[must_use]
    pub fn active_with_id(&self, id: i64) -> Option<&T> {
        self.named(self.names.get(&id)?)
    }

    fn put_resource(&mut self, mut resource: T) -> Result<String, Invalid> {
        let name = resource.name().to_owned();
        check_name(&name, T::NAME_LIMIT)?;
        let held = self.entries.get(&name);
        if held.is_none() && self.entries.len() >= T::COUNT_LIMIT {
            let (kind, limit) = (T::KIND.plural(), T::COUNT_LIMIT);
            return Err(Invalid::at("", format!("an organisation has at most {limit} {kind}")));
        }
        let is_active = held.is_none_or(|entry| entry.is_active);
        if let Some(id) = resource.id() {
            let id = self.number(&name, id)?;
            resource.set_id(id);
            self.names.insert(id, name.clone());
        }
        self.entries.insert(name.clone(), Entry { resource, is_active });
        Ok(name)
    }

    /// The number of a resource that asks for `asked`.
    fn number(&self, name: &str, asked: i64) -> Result<i64, Invalid> {
        let held = self.entries.get(name).and_then(|entry| entry.resource.id());
        let refused = |reason: String| Err(Invalid::at("/id", reason));
        match (asked, held) {
            (0, Some(held)) => Ok(held),
            (0, None) => Ok(self.next_number()),
            (asked, Some(held)) if asked != held => {
                refused(format!("the number is {held} and cannot change"))
            }
            (asked, None) if !(1..=NUMBER_MOST).contains(&asked) => {
                refused(format!("a number from 1 to {NUMBER_MOST}"))
            }
            (asked, _) => match self.names.get(&asked) {
                Some(other) if other != name => refused(format!("`{other}` has this number")),
                _ => Ok(asked),
            },
        }
    }

    /// A number that is free: behind the last one, or before it where there is none behind.
    fn next_number(&self) -> i64 {
        let behind = self.names.keys().next_back().map_or(1, |last| last.saturating_add(1));
        if behind <= NUMBER_MOST {
            return behind;
        }
        (1..NUMBER_MOST).find(|number| !self.names.contains_key(number)).unwrap_or(behind)
    }

    fn document(name: &str, entry: &Entry<T>) -> Document {
        let Entry { resource, is_active } = entry;
        Document { name: name.to_owned(), is_active: *is_active, json: write(resource) }
    }
}

impl<T: Resource> Documents for Collection<T> {
    fn put(&mut self, json: &str) -> Result<String, Invalid> {
        self.put_resource(read(&text::document(json))?)
    }

    fn set_active(&mut self, name: &str, is_active: bool) -> Result<(), Invalid> {
        let entry = self.entries.get_mut(name);
        entry.ok_or_else(|| Invalid::at("/name", NOT_FOUND))?.is_active = is_active;
        Ok(())
    }

    fn get(&self, name: &str) -> Option<Document> {
        self.entries.get(name).map(|entry| Self::document(name, entry))
    }

    fn all(&self) -> Vec<Document> {
        self.entries.iter().map(|(name, entry)| Self::document(name, entry)).collect()
    }

    fn check(&self, organisation: &Organisation) -> Vec<Refused> {
        let mut holders = HashMap::new();
        let mut taken = |resource: &T| {
            resource.unique().into_iter().find_map(|(pointer, text)| {
                if let Err(invalid) = check_canonical(pointer, &text) {
                    return Some(invalid);
                }
                let holder = holders.insert((pointer, text), resource.name().to_owned())?;
                let holder = T::KIND.label(&holder);
                Some(Invalid::at(pointer, format!("{holder} has the same value")))
            })
        };
        let mut refused = |resource: &T| {
            let invalid = resource.check(organisation).err().or_else(|| taken(resource))?;
            Some(Refused { kind: T::KIND, name: resource.name().to_owned(), invalid })
        };
        self.active().filter_map(&mut refused).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::{Till, TillId};

    fn tills(documents: &[&str]) -> Result<Collection<Till>, Invalid> {
        let mut tills = Collection::default();
        documents.iter().try_for_each(|document| tills.put(document).map(drop))?;
        Ok(tills)
    }

    #[rstest]
    #[case::numbered_in_turn(&[r#"{"name":"a"}"#, r#"{"name":"b"}"#], &[("a", 1), ("b", 2)])]
    #[case::behind_the_last(&[r#"{"name":"a","id":7}"#, r#"{"name":"b"}"#], &[("a", 7), ("b", 8)])]
    #[case::before_the_highest(
        &[r#"{"name":"a","id":9007199254740991}"#, r#"{"name":"b"}"#, r#"{"name":"c"}"#],
        &[("a", 9_007_199_254_740_991), ("b", 1), ("c", 2)]
    )]
    #[case::for_good(&[r#"{"name":"a","id":7}"#, r#"{"name":"a"}"#], &[("a", 7)])]
    fn numbers(#[case] documents: &[&str], #[case] expected: &[(&str, i64)]) {
        let tills = tills(documents).unwrap();
        let found: Vec<_> = tills.active().map(|till| (till.name.as_str(), till.id.0)).collect();
        assert_eq!(found, expected);
        for (name, id) in expected {
            assert_eq!(tills.with_id(*id).map(|till| till.name.as_str()), Some(*name));
        }
    }

    #[rstest]
    #[case::no_name(&[r#"{"name":""}"#], "/name")]
    #[case::blank(&[r#"{"name":" a"}"#], "/name")]
    #[case::long(&[r#"{"name":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#], "/name")]
    #[case::control(&[r#"{"name":"a\u0007"}"#], "/name")]
    #[case::joiner(&[r#"{"name":"a\u200db"}"#], "/name")]
    #[case::wrong_type(&[r#"{"name":"a","id":"x"}"#], "/id")]
    #[case::negative(&[r#"{"name":"a","id":-1}"#], "/id")]
    #[case::too_high(&[r#"{"name":"a","id":9007199254740992}"#], "/id")]
    #[case::taken(&[r#"{"name":"a","id":1}"#, r#"{"name":"b","id":1}"#], "/id")]
    #[case::changed(&[r#"{"name":"a","id":1}"#, r#"{"name":"a","id":2}"#], "/id")]
    #[case::unknown(&[r#"{"name":"a","colour":"red"}"#], "/colour")]
    #[case::no_document(&[r#"["a"]"#], "")]
    #[case::two_documents(&[r#"{"name":"a"}{}"#], "")]
    fn what_is_wrong_is_named(#[case] documents: &[&str], #[case] pointer: &str) {
        assert_eq!(tills(documents).unwrap_err().pointer, pointer);
    }

    #[test]
    fn what_is_out_of_use_keeps_its_number_and_is_not_found_by_name() {
        let mut tills = tills(&[r#"{"name":"a"}"#]).unwrap();
        tills.set_active("a", false).unwrap();
        assert_eq!(tills.named("a"), None);
        assert_eq!(tills.with_id(1).map(|till| till.id), Some(TillId(1)));
        tills.put(r#"{"name":"a"}"#).unwrap();
        assert!(!tills.get("a").unwrap().is_active);
        tills.set_active("a", true).unwrap();
        assert!(tills.named("a").is_some());
        assert!(tills.set_active("b", true).is_err());
    }

    #[test]
    fn stores_documents_in_their_one_form() {
        let mut tills = tills(&[r#"{"name":"caf\u0065\u0301\u200b 1"}"#]).unwrap();
        assert_eq!(tills.active().next().map(|till| till.name.as_str()), Some("café 1"));
        let same = tills.put(r#"{"name":"\ufeffcafé 1","description":"می\u200cخواهم"}"#).unwrap();
        assert_eq!((same.as_str(), tills.all().len()), ("café 1", 1));
        assert!(tills.all()[0].json.contains("می\u{200c}خواهم"));
    }

    #[test]
    fn a_document_is_written_as_it_is_read() {
        let tills = tills(&[r#"{"name":"a"}"#, r#"{"name":"b"}"#]).unwrap();
        let mut copy = Collection::<Till>::default();
        for document in tills.all() {
            copy.put(&document.json).unwrap();
        }
        assert_eq!(copy, tills);
    }
}
