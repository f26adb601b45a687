//! The tables of a registry as both engines have them: the one place that says what is copied, under
//! which names, and what an engine has for itself.

/// What keeps a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number of 64 bits.
    Number,
    /// One of 16 bits; SQLite has the other sort alone.
    Small,
    /// Yes or no; 1 or 0 in SQLite.
    Flag,
    Text,
    Bytes,
}

/// A column.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The engine that has it in a table of its own, under the same key, and that table's name.
    apart: Option<(Engine, &'static str)>,
}

impl Column {
    const fn apart(self, engine: Engine, table: &'static str) -> Self {
        Self { apart: Some((engine, table)), ..self }
    }
}

/// A table.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// What is copied of it; the key comes first.
    pub(crate) columns: &'static [Column],
    /// How many columns the key has.
    key: usize,
    /// Whether it holds what is set up, and so few rows: before a copy goes on, all of them are
    /// compared with the source's.
    pub(crate) is_set_up: bool,
    /// What an engine has for itself, and what it begins with there.
    own: &'static [(Engine, &'static str, i64)],
    /// The same in a table of its own, under the same key: the table's name, the column, and what it
    /// begins with.
    own_apart: &'static [(Engine, &'static str, &'static str, i64)],
}

/// A table of an engine's, as far as it is written.
pub(crate) struct Part {
    pub(crate) table: &'static str,
    /// Its columns, by their places among those of the [`Table`].
    pub(crate) columns: Vec<usize>,
    /// What the engine has there for itself.
    pub(crate) own: Vec<(&'static str, i64)>,
}

impl Part {
    /// The names of its columns, those that the engine has for itself last.
    pub(crate) fn names(&self, table: &Table) -> Vec<&'static str> {
        let columns = self.columns.iter().filter_map(|place| table.columns.get(*place));
        let own = self.own.iter().map(|(name, _)| *name);
        columns.map(|column| column.name).chain(own).collect()
    }
}

impl Table {
    pub(crate) fn key(&self) -> impl Iterator<Item = &'static Column> + Clone {
        self.columns.iter().take(self.key)
    }

    /// How many columns the key has.
    pub(crate) const fn key_length(&self) -> usize {
        self.key
    }

    /// The tables that the engine keeps it in.
    pub(crate) fn parts(&self, engine: Engine) -> Vec<Part> {
        let apart = |column: &Column| column.apart.filter(|(whose, _)| *whose == engine);
        let places = || self.columns.iter().enumerate();
        let own = self.own.iter().filter(|(whose, _, _)| *whose == engine);
        let mut parts = vec![Part {
            table: self.name,
            columns: places().filter(|(_, c)| apart(c).is_none()).map(|(place, _)| place).collect(),
            own: own.map(|(_, name, value)| (*name, *value)).collect(),
        }];
        parts.extend(places().filter_map(|(place, column)| {
            let (_, table) = apart(column)?;
            let columns = (0..self.key).chain([place]).collect();
            Some(Part { table, columns, own: Vec::new() })
        }));
        let own_apart = self.own_apart.iter().filter(|(whose, ..)| *whose == engine);
        parts.extend(own_apart.map(|(_, table, name, value)| Part {
            table,
            columns: (0..self.key).collect(),
            own: vec![(*name, *value)],
        }));
        parts
    }

    /// What a query reads it from.
    fn source(&self, engine: Engine) -> String {
        let key = names(self.key());
        let mut parts = self.parts(engine).into_iter().map(|part| part.table);
        let first = parts.next().unwrap_or_default().to_owned();
        // What is missing there is no row less, so that it is found.
        parts.fold(first, |all, part| format!("{all} LEFT JOIN {part} USING ({key})"))
    }
}

/// Which rows of a table, by their keys.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    All,
    /// Those that follow a key.
    After,
    /// The one that has it.
    At,
    /// The last one.
    Last,
}

/// The query for rows of a table, in the order of their keys. The key is its parameters.
pub(crate) fn select(engine: Engine, table: &Table, which: Which) -> String {
    let mark = match engine {
        Engine::Sqlite => '?',
        Engine::Postgres => '$',
    };
    let key = names(table.key());
    let parameters: Vec<String> = (1..=table.key).map(|n| format!("{mark}{n}")).collect();
    let parameters = parameters.join(", ");
    let rows = match which {
        Which::All => format!("ORDER BY {key}"),
        Which::After => format!("WHERE ({key}) > ({parameters}) ORDER BY {key}"),
        Which::At => format!("WHERE ({key}) = ({parameters})"),
        Which::Last => format!("ORDER BY {} DESC LIMIT 1", key.replace(',', " DESC,")),
    };
    format!("SELECT {} FROM {} {rows}", names(table.columns.iter()), table.source(engine))
}

fn names<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    columns.map(|column| column.name).collect::<Vec<_>>().join(", ")
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, apart: None }
}

const fn number(name: &'static str) -> Column {
    column(name, Kind::Number)
}

const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

const fn bytes(name: &'static str) -> Column {
    column(name, Kind::Bytes)
}

const fn flag(name: &'static str) -> Column {
    column(name, Kind::Flag)
}

const fn set_up(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { is_set_up: true, ..growing(name, key, columns) }
}

const fn growing(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { name, columns, key, is_set_up: false, own: &[], own_apart: &[] }
}

/// Every table, in the order in which they are copied: first what is set up, by which a registry is
/// told from others.
pub(crate) static TABLES: [Table; 20] = [
    Table {
        own: &[(Engine::Sqlite, "identifiers_merged_to", 0)],
        own_apart: &[(Engine::Postgres, "configuration_version", "version", 1)],
        ..set_up(
            "organisation",
            1,
            &[
                number("organisation_id"),
                text("name"),
                flag("is_demo"),
                number("next_customer_id").apart(Engine::Postgres, "id_block"),
            ],
        )
    },
    set_up(
        "configuration",
        3,
        &[
            number("organisation_id"),
            text("resource"),
            text("name"),
            number("version"),
            flag("is_active"),
            text("document"),
        ],
    ),
    set_up(
        "configuration_change",
        2,
        &[
            number("organisation_id"),
            number("change"),
            number("changed_at"),
            text("changed_by"),
            text("changed_by_kind"),
            text("resource"),
            text("name"),
            text("before"),
            text("after"),
        ],
    ),
    set_up(
        "till_credential",
        1,
        &[
            text("username"),
            number("organisation_id"),
            number("till_id"),
            text("md5_hash"),
            text("sha256_hash"),
        ],
    ),
    set_up(
        "api_client_credential",
        1,
        &[
            text("client_key"),
            number("organisation_id"),
            number("api_client_id"),
            text("secret_hash"),
        ],
    ),
    set_up(
        "operator_account",
        2,
        &[number("organisation_id"), text("name"), text("password"), text("role")],
    ),
    set_up(
        "series",
        3,
        &[number("organisation_id"), text("kind"), text("name"), number("issued"), number("next")],
    ),
    growing(
        "access_token",
        1,
        &[
            bytes("token_hash"),
            number("organisation_id"),
            number("api_client_id"),
            number("issued_at"),
            number("expires_at"),
        ],
    ),
    growing(
        "operator_session",
        1,
        &[
            bytes("token_hash"),
            number("organisation_id"),
            text("operator"),
            number("opened_at"),
            number("expires_at"),
        ],
    ),
    Table {
        own: &[(Engine::Sqlite, "recent", 0)],
        ..growing(
            "customer",
            2,
            &[
                number("organisation_id"),
                number("customer_id"),
                text("mobile"),
                text("mobile_sent"),
                text("email"),
                text("external_id"),
                text("first_name"),
                text("last_name"),
                text("type"),
                text("source"),
                text("account_id"),
                number("registered_at"),
                number("updated_at"),
                number("registered_till"),
                number("associated_till"),
                text("fraud_status"),
                text("channels"),
                text("subscriptions"),
                text("kept"),
                text("custom_fields"),
                text("extended_fields"),
                number("merged_into"),
            ],
        )
    },
    growing(
        "identifier",
        3,
        &[
            number("organisation_id"),
            column("kind", Kind::Small),
            text("value"),
            number("customer_id"),
        ],
    ),
    growing("shared_email", 3, &[number("organisation_id"), text("value"), number("customer_id")]),
    growing(
        "merge",
        2,
        &[
            number("organisation_id"),
            number("victim_id"),
            number("survivor_id"),
            number("merged_at"),
            text("victim"),
            text("survivor"),
        ],
    ),
    growing(
        "enrolment",
        3,
        &[
            number("organisation_id"),
            number("customer_id"),
            number("programme_id"),
            number("tier"),
            number("tier_expires_at"),
            text("awarded"),
            text("redeemed"),
            text("expired"),
            text("returned"),
            text("adjusted"),
            text("purchased"),
            text("currencies"),
        ],
    ),
    growing(
        "ledger_entry",
        6,
        &[
            number("organisation_id"),
            number("customer_id"),
            text("reason"),
            text("rule"),
            number("other_id"),
            number("line"),
            number("programme_id"),
            text("currency"),
            text("kind"),
            text("amount"),
            number("entered_at"),
            number("expires_at"),
        ],
    ),
    growing(
        "audit_entry",
        3,
        &[
            number("organisation_id"),
            number("customer_id"),
            number("entry"),
            number("recorded_at"),
            bytes("request_id"),
            number("caller_till"),
            number("caller_client"),
            number("till_id"),
            number("store_id"),
            text("source"),
            text("user_context"),
            text("merge"),
            text("events"),
        ],
    ),
    growing(
        "card",
        2,
        &[
            number("organisation_id"),
            text("number"),
            number("customer_id"),
            text("series"),
            number("issued_at"),
        ],
    ),
    growing(
        "coupon",
        2,
        &[
            number("organisation_id"),
            text("code"),
            number("coupon_id"),
            number("customer_id"),
            text("series"),
            number("issued_at"),
            number("valid_till"),
        ],
    ),
    growing(
        "referral_code",
        2,
        &[
            number("organisation_id"),
            text("code"),
            number("customer_id"),
            text("campaign"),
            number("referrals"),
            number("issued_at"),
        ],
    ),
    growing(
        "answered_request",
        2,
        &[
            number("organisation_id"),
            bytes("request_key"),
            bytes("content"),
            number("kept_until"),
            bytes("answer"),
        ],
    ),
];
