//! `docs/data-model.md` beside the schema that it describes.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::engines::{Engine, Place};

/// What the migrations have made of which they keep account themselves.
const OF_THE_MIGRATIONS: &str = "refinery_schema_history";

/// The columns of each table, and whether they are of its key.
type Tables = BTreeMap<String, BTreeSet<(String, bool)>>;

fn of_the_schema() -> Tables {
    let place = Place::new(Engine::SqliteInADirectory);
    drop(place.open());
    let database = Connection::open(place.directory.path().join("patron.sqlite")).unwrap();
    let mut columns = database
        .prepare(
            "SELECT t.name, c.name, c.pk > 0 FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table'",
        )
        .unwrap();
    let mut tables = Tables::new();
    let rows = columns.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    for row in rows {
        let (table, column) = row.unwrap();
        tables.entry(table).or_default().insert(column);
    }
    tables.remove(OF_THE_MIGRATIONS).unwrap();
    tables
}

/// Each heading that is a table's name, with the names in the first cells under it.
fn of_the_page() -> Tables {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data-model.md");
    let page = std::fs::read_to_string(page).unwrap();
    let sections = page.split("\n### ").skip(1).map(|section| {
        let (heading, text) = section.split_once('\n').unwrap();
        let cells = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
        let names = cells.flat_map(|cell| cell.split(", `")).map(|name| {
            let (name, mark) = name.split_once('`').unwrap();
            (name.to_owned(), mark.contains('🔑'))
        });
        (heading.trim_matches('`').to_owned(), names.collect())
    });
    sections.collect()
}

#[test]
fn every_table_and_column_is_described() {
    let (described, known) = (of_the_page(), of_the_schema());
    assert!(known.len() > 10);
    for table in described.keys().chain(known.keys()) {
        assert_eq!(described.get(table), known.get(table), "{table}");
    }
}
