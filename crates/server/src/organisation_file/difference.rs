//! What a file would change.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use patron_rules::organisation::{Document, Kind, Organisation};
use patron_store::{Change, Edit, Expected, Stored};
use serde_json::{Map, Value};

/// A document that differs from what there is.
pub(crate) struct Difference {
    kind: Kind,
    /// As it is; `None` where it is not there.
    before: Option<Stored>,
    /// As it is to be.
    after: Document,
}

impl Difference {
    /// The change that brings it about, if nobody changes it first.
    pub(crate) fn change(self) -> Change {
        let Self { kind, before, after } = self;
        Change {
            kind,
            name: after.name,
            expected: before.map_or(Expected::Nothing, |before| Expected::Version(before.version)),
            edit: Edit::Replace(after.json),
            is_active: Some(after.is_active),
        }
    }

    /// A line for the document, and one for each member that differs.
    fn describe(&self, to: &mut String) {
        let Self { kind, before, after } = self;
        let was_active = before.as_ref().is_some_and(|before| before.document.is_active);
        let sign = match (was_active, after.is_active) {
            (false, _) => '+',
            (true, true) => '~',
            (true, false) => '-',
        };
        // Writing to a text cannot fail.
        let _ = writeln!(to, "{sign} {} {}", kind.name(), after.name);
        if let Some(before) = before.as_ref().filter(|_| after.is_active) {
            let (old, new) = (members(&before.document), members(after));
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let (old, new) = (old.get(name), new.get(name));
                if old != new {
                    let _ = writeln!(to, "    {name}: {} → {}", shown(old), shown(new));
                }
            }
        }
    }
}

fn members(document: &Document) -> Map<String, Value> {
    serde_json::from_str(&document.json).unwrap_or_default()
}

fn shown(member: Option<&Value>) -> String {
    member.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

/// The documents of an organisation that differ from what is stored.
pub(crate) fn between(stored: &[Stored], after: &Organisation) -> Vec<Difference> {
    let stored: HashMap<(Kind, &str), &Stored> =
        stored.iter().map(|one| ((one.kind, one.document.name.as_str()), one)).collect();
    let differs = |kind, after: Document| {
        let known = stored.get(&(kind, after.name.as_str())).copied();
        let is_same = known.is_some_and(|known| known.document == after);
        (!is_same).then(|| Difference { kind, before: known.cloned(), after })
    };
    let mut differences = Vec::new();
    for kind in Kind::ALL {
        let documents = after.documents(kind).all();
        differences.extend(documents.into_iter().filter_map(|document| differs(kind, document)));
    }
    differences
}

/// Differences for people to read.
pub(crate) fn describe(differences: &[Difference]) -> String {
    let mut text = String::new();
    for difference in differences {
        difference.describe(&mut text);
    }
    text
}
