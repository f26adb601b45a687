//! Rows on their way from one engine to another.

use std::cmp::Ordering;

use super::tables::{Column, Kind, Table};

/// Columns that say of whom or what a row is, besides those of its key.
const OWNERS: [&str; 2] = ["organisation_id", "customer_id"];

/// What a column of a row holds. Values of one column are ordered as both engines order them: texts
/// and bytes byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Null,
    Number(i64),
    Small(i16),
    Flag(bool),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    /// How much memory it takes beside itself, in bytes.
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Null | Self::Number(_) | Self::Small(_) | Self::Flag(_) => 0,
        }
    }
}

/// A row: the values of a table's columns, in their order.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Row(pub(crate) Vec<Value>);

impl Row {
    /// By what it is known in its table.
    pub(crate) fn key(&self, table: &Table) -> Key {
        Key(self.0.iter().take(table.key_length()).cloned().collect())
    }

    /// Which one comes first in their table.
    pub(crate) fn order(&self, other: &Self, table: &Table) -> Ordering {
        let [one, other] = [self, other].map(|row| row.0.iter().take(table.key_length()));
        one.cmp(other)
    }

    /// How much memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let size = |value: &Value| size_of::<Value>().saturating_add(value.size());
        self.0.iter().map(size).sum()
    }

    /// Which row it is, by the numbers of organisations, customers and the like alone: keys may
    /// be personal data.
    pub(crate) fn describe(&self, table: &Table) -> String {
        let is_told = |place: usize, column: &Column| {
            let is_key = place < table.key_length();
            let is_number = matches!(column.kind, Kind::Number | Kind::Small);
            is_key && is_number || OWNERS.contains(&column.name)
        };
        let told = table.columns.iter().zip(&self.0).enumerate();
        let told = told.filter_map(|(place, (column, value))| {
            let name = column.name.trim_end_matches("_id").replace('_', " ");
            match value {
                Value::Number(number) if is_told(place, column) => Some(format!("{name} {number}")),
                Value::Small(number) if is_told(place, column) => Some(format!("{name} {number}")),
                _ => None,
            }
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { "one row".to_owned() } else { told.join(", ") }
    }

    /// The columns in which two rows of one key differ.
    pub(crate) fn differences(&self, other: &Self, table: &Table) -> Vec<&'static str> {
        let values = self.0.iter().zip(&other.0);
        let columns = table.columns.iter().zip(values);
        columns.filter(|(_, (one, other))| one != other).map(|(column, _)| column.name).collect()
    }
}

/// The key of a row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) Vec<Value>);

/// Rows that are held at once: so many, and no more than fit into so much memory, but one always.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

/// Gathers rows until there are enough.
pub(crate) struct Gathered {
    pub(crate) rows: Vec<Row>,
    limit: Chunk,
    bytes: usize,
}

impl Gathered {
    pub(crate) const fn none(limit: Chunk) -> Self {
        Self { rows: Vec::new(), limit, bytes: 0 }
    }

    /// Whether there is room for another one.
    pub(crate) fn has_room(&self) -> bool {
        self.rows.len() < self.limit.rows && self.bytes < self.limit.bytes
    }

    pub(crate) fn add(&mut self, row: Row) {
        self.bytes = self.bytes.saturating_add(row.size());
        self.rows.push(row);
    }
}
