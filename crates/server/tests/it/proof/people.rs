//! People who are registered: each has a number, from which follows everything about them.

use serde_json::{Value, json};

/// The kinds of identifiers, by their names on the wire.
pub const KINDS: [&str; 3] = ["mobile", "email", "external_id"];
/// The place of the mobile number, which is the primary identifier.
pub const MOBILE: usize = 0;
/// From this number on people are registered in dry runs alone.
pub const REHEARSED: u64 = 100_000_000;

/// Some of a person's identifiers, by their places in [`KINDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Identifiers(u8);

impl Identifiers {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(0b111);

    /// One of the seven that are not empty.
    pub fn some(choice: u8) -> Self {
        Self(choice % 7 + 1)
    }

    pub fn of(places: impl IntoIterator<Item = usize>) -> Self {
        Self(places.into_iter().fold(0, |bits, place| bits | 1 << place))
    }

    pub fn has(self, place: usize) -> bool {
        self.0 & 1 << place != 0
    }

    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..KINDS.len()).filter(move |place| self.has(*place))
    }

    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }
}

/// A person's identifier of this kind.
pub fn identifier(person: u64, place: usize) -> String {
    match KINDS[place] {
        "mobile" => (919_000_000_000 + person).to_string(),
        "email" => format!("p{person}@example.com"),
        _ => format!("P-{person}"),
    }
}

fn city(person: u64) -> String {
    format!("City {person}")
}

/// What is sent to register a person by these of their identifiers.
pub fn submission(person: u64, identifiers: Identifiers) -> Value {
    let mut sent = json!({
        "firstname": "Proof",
        "custom_fields": {"field": [{"name": "City_name", "value": city(person)}]},
    });
    for place in identifiers.places() {
        sent[KINDS[place]] = json!(identifier(person, place));
    }
    sent
}

/// Which identifiers a reply shows of a person.
///
/// # Errors
/// One that is not theirs.
pub fn shown(person: u64, customer: &Value) -> Result<Identifiers, String> {
    let mut shown = Identifiers::NONE;
    for (place, kind) in KINDS.into_iter().enumerate() {
        match customer[kind].as_str() {
            None => {}
            Some(value) if value == identifier(person, place) => {
                shown = shown.and(Identifiers::of([place]));
            }
            Some(value) => return Err(format!("the {kind} {value} is not theirs")),
        }
    }
    Ok(shown)
}

/// Whether a reply shows everything that every registration of a person brings.
///
/// # Errors
/// What is missing.
pub fn whole(person: u64, customer: &Value) -> Result<(), String> {
    let field = json!([{"name": "City_name", "value": city(person)}]);
    for (pointer, expected) in [
        ("/firstname", json!("Proof")),
        ("/custom_fields/field", field),
        ("/type", json!("LOYALTY")),
        ("/current_slab", json!("Base")),
    ] {
        let found = customer.pointer(pointer).cloned().unwrap_or_default();
        if found != expected {
            return Err(format!("{pointer} is {found}, not {expected}"));
        }
    }
    Ok(())
}
