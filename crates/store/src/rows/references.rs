//! Columns that name a customer or an organisation, as both engines have them.

/// The columns that name a customer or an organisation, in every table.
pub(crate) const CUSTOMER: &str = "customer_id";
pub(crate) const ORGANISATION: &str = "organisation_id";
/// The id that stands for no customer or organisation.
const NONE: i64 = 0;
/// Columns that name a customer by another name.
const CUSTOMERS: [(&str, &str); 4] = [
    ("customer", "merged_into"),
    ("ledger_entry", "other_id"),
    ("merge", "survivor_id"),
    ("merge", "victim_id"),
];

/// A column that names a customer or an organisation.
pub(crate) struct Reference {
    pub(crate) table: String,
    pub(crate) column: String,
}

/// Rows that name a customer or an organisation that does not exist.
pub(crate) struct Orphans {
    pub(crate) organisation: i64,
    pub(crate) id: i64,
    pub(crate) rows: i64,
}

impl Reference {
    /// Of the columns of these names in all tables, those that refer to another table's row, and the
    /// columns with other names.
    pub(crate) fn all(named: Vec<Self>) -> Vec<Self> {
        let owns = |reference: &Self| {
            matches!(
                (reference.table.as_str(), reference.column.as_str()),
                ("customer", CUSTOMER) | ("organisation", ORGANISATION)
            )
        };
        let other = |(table, column): (&str, &str)| Self {
            table: table.to_owned(),
            column: column.to_owned(),
        };
        let others = CUSTOMERS.into_iter().map(other);
        // A mark of a commit says that it happened, whatever it changed.
        let is_mark = |reference: &Self| reference.table == "commit_mark";
        let named = named.into_iter().filter(|reference| !owns(reference) && !is_mark(reference));
        named.chain(others).collect()
    }

    /// The table of what is named.
    fn owner(&self) -> &'static str {
        if self.column == ORGANISATION { "organisation" } else { "customer" }
    }

    /// Selects the orphans of this column, as `organisation`, `id` and `count`.
    pub(crate) fn orphans(&self) -> String {
        let Self { table, column } = self;
        let owner = self.owner();
        let mut key = format!("owner.{ORGANISATION} = r.{ORGANISATION}");
        if owner == "customer" {
            key = format!("{key} AND owner.{CUSTOMER} = r.{column}");
        }
        format!(
            "SELECT r.{ORGANISATION} AS organisation, r.{column} AS id, count(*) AS count
             FROM {table} AS r
             WHERE r.{column} <> {NONE}
                 AND NOT EXISTS (SELECT 1 FROM {owner} AS owner WHERE {key})
             GROUP BY r.{ORGANISATION}, r.{column}"
        )
    }

    /// The orphans of this column in words.
    pub(crate) fn describe(&self, orphans: &Orphans) -> String {
        let Self { table, column } = self;
        let Orphans { organisation, id, rows } = orphans;
        format!(
            "organisation {organisation}: `{table}` names {} {id} in {column}, which does not exist \
             (rows: {rows})",
            self.owner()
        )
    }
}
