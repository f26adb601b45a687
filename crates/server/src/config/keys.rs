//! Every key of the configuration: its flag, its form and its meaning.

use toml::Value;
use tracing_subscriber::EnvFilter;

use super::{Config, is_path_prefix};

/// A key of the configuration.
pub struct Key {
    /// Its name in the file. In capitals and after `PATRON_`, the name of its variable.
    pub name: &'static str,
    /// Its flag.
    pub flag: Option<&'static str>,
    /// What it takes.
    pub form: Form,
    /// What it sets.
    pub meaning: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy)]
pub enum Form {
    /// An address and port.
    Address,
    /// A whole number.
    Number {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
        /// Of what; empty for plain counts.
        unit: &'static str,
    },
    /// True or false.
    Switch,
    /// One of these words.
    Word(&'static [&'static str]),
    /// What to log.
    LogFilter,
    /// The URL of a collector of OpenTelemetry.
    Collector,
    /// The path before other paths.
    PathPrefix,
    /// A text without a further form here, described by these words. It may be a secret.
    Text(&'static str),
}

/// The levels of the log, from the fewest lines to the most.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl Form {
    /// The form in words.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Address => "ADDRESS:PORT such as 127.0.0.1:8080".to_owned(),
            Self::Number { least, most, unit: "" } => {
                format!("a whole number from {least} to {most}")
            }
            Self::Number { least, most, unit } => {
                format!("a whole number of {unit} from {least} to {most}")
            }
            Self::Switch => "true or false".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::LogFilter => {
                format!("a level ({}) or `target=level,…`", LEVELS.join(", "))
            }
            Self::Collector => "a URL such as http://127.0.0.1:4318, or nothing".to_owned(),
            Self::PathPrefix => "a path such as /api, or nothing".to_owned(),
            Self::Text(words) => words.to_owned(),
        }
    }

    /// Fails with what was expected unless the value has this form.
    ///
    /// # Errors
    /// What was expected, and the value unless it may be a secret.
    pub fn check(self, value: &Value) -> Result<(), String> {
        let fits = match (self, value) {
            (Self::Number { least, most, .. }, Value::Integer(number)) => {
                u64::try_from(*number).is_ok_and(|number| (least..=most).contains(&number))
            }
            (Self::Switch, Value::Boolean(_)) | (Self::Text(_), Value::String(_)) => true,
            (Self::Address, Value::String(text)) => text.parse::<std::net::SocketAddr>().is_ok(),
            (Self::Word(words), Value::String(text)) => words.contains(&text.as_str()),
            (Self::LogFilter, Value::String(text)) => is_log_filter(text),
            (Self::Collector, Value::String(text)) => {
                text.is_empty() || text.starts_with("http://")
            }
            (Self::PathPrefix, Value::String(text)) => is_path_prefix(text),
            _ => false,
        };
        let expected = || format!("expected {}", self.expected());
        match value {
            _ if fits => Ok(()),
            _ if matches!(self, Self::Text(_)) => Err(expected()),
            Value::String(text) => Err(format!("{}, not `{text}`", expected())),
            other => Err(format!("{}, not `{other}`", expected())),
        }
    }

    /// Reads a text, of a variable or a flag, as this form's value. A text that does not fit stays a
    /// text.
    #[must_use]
    pub fn value(self, text: &str) -> Value {
        let trimmed = text.trim();
        match self {
            Self::Number { .. } => trimmed.parse().map(Value::Integer).ok(),
            Self::Switch => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "1" => Some(Value::Boolean(true)),
                "false" | "0" => Some(Value::Boolean(false)),
                _ => None,
            },
            _ => None,
        }
        .unwrap_or_else(|| Value::String(text.to_owned()))
    }
}

/// Whether a text is a list of levels and `target=level`. The parser takes any other word as a target,
/// so that a misspelt level would silence the log.
fn is_log_filter(text: &str) -> bool {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    text.split(',').all(|directive| directive.contains(['=', '[']) || is_level(directive))
        && text.parse::<EnvFilter>().is_ok()
}

impl Key {
    const fn new(
        name: &'static str,
        flag: Option<&'static str>,
        form: Form,
        meaning: &'static str,
    ) -> Self {
        Self { name, flag, form, meaning }
    }

    /// The key of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }
}

const fn number(least: u64, most: u64) -> Form {
    Form::Number { least, most, unit: "" }
}

const fn seconds(least: u64, most: u64) -> Form {
    Form::Number { least, most, unit: "seconds" }
}

const fn mib(most: u64) -> Form {
    Form::Number { least: 1, most, unit: "MiB" }
}

const FILE: Form = Form::Text("a file, or nothing");

/// Every key, in the order of [`Config`].
pub const KEYS: &[Key] = &[
    Key::new("listen", Some("--listen"), Form::Address, "The address and port to listen on."),
    Key::new(
        "data",
        Some("--data"),
        Form::Text("a directory, or `:memory:`"),
        "The directory of the data. `:memory:` keeps nothing.",
    ),
    Key::new(
        "database",
        Some("--database"),
        Form::Text("`postgres://USER@HOST/NAME`, `sqlite:DIRECTORY`, or nothing"),
        "The PostgreSQL database of the data, instead of a directory.",
    ),
    Key::new(
        "database_ca",
        Some("--database-ca"),
        FILE,
        "The certificates that verify the database's own, PEM. Without a file, the connection does \
         not use TLS; for a host other than this machine, that is a warning in the log unless \
         `database` has `sslmode=disable`.",
    ),
    Key::new(
        "database_connections",
        None,
        number(1, 1_000),
        "Connections to the database that read, besides those that write.",
    ),
    Key::new(
        "database_deadline_seconds",
        None,
        seconds(1, 60),
        "How long the database may take for one request.",
    ),
    Key::new(
        "must_exist",
        Some("--must-exist"),
        Form::Switch,
        "`patron serve` fails if the directory holds no registry, instead of creating one. On \
         PostgreSQL, `serve` never creates one.",
    ),
    Key::new(
        "recent_identifiers",
        Some("--recent-identifiers"),
        number(1, 10_000_000),
        "How many identifiers of new customers gather in memory before they are flushed to their \
         table. At most twice as many are kept, at about 100 bytes each. SQLite only.",
    ),
    Key::new(
        "writer_cache_mib",
        Some("--writer-cache"),
        mib(65_536),
        "How much of the database the writer keeps in memory. SQLite only.",
    ),
    Key::new(
        "checkpoint_mib",
        Some("--checkpoint"),
        mib(4_096),
        "How much is logged before it is copied into the database. SQLite only.",
    ),
    Key::new(
        "tls_cert",
        Some("--tls-cert"),
        FILE,
        "The certificate and its chain, PEM. With it, Patron only speaks TLS.",
    ),
    Key::new("tls_key", Some("--tls-key"), FILE, "The certificate's private key, PEM."),
    Key::new("docs", None, Form::Switch, "Whether `/docs` and `/openapi.json` are served."),
    Key::new(
        "connection_limit",
        None,
        number(1, 1_000_000),
        "The most connections that are open at once.",
    ),
    Key::new(
        "connection_limit_per_address",
        None,
        number(0, 1_000_000),
        "The most connections of one address that are open at once. 0 is a tenth of \
         `connection_limit`. Connections of a trusted proxy are not counted by address.",
    ),
    Key::new(
        "connection_reserve",
        None,
        number(0, 1_000),
        "How many more connections may open for `/livez` and `/readyz` alone, while all others \
         handle requests.",
    ),
    Key::new(
        "trusted_proxies",
        Some("--trusted-proxy"),
        Form::Text("networks such as 10.0.0.0/8, separated by commas"),
        "The networks whose `X-Forwarded-For` is trusted.",
    ),
    Key::new(
        "idle_timeout_seconds",
        None,
        seconds(1, 86_400),
        "How long a connection is kept open between two requests. Keep it longer than a proxy does.",
    ),
    Key::new(
        "path_prefix",
        None,
        Form::PathPrefix,
        "The path below which the API of tills and API clients is served as well.",
    ),
    Key::new(
        "cors_origins",
        None,
        Form::Text("origins such as https://shop.example, separated by commas"),
        "The sites whose pages may call Patron from a browser.",
    ),
    Key::new(
        "body_limit_bytes",
        None,
        Form::Number { least: 1, most: 1_000_000_000, unit: "bytes" },
        "The largest request body.",
    ),
    Key::new(
        "header_timeout_seconds",
        None,
        seconds(1, 3_600),
        "How long a request's headers, and the TLS handshake, may take to arrive.",
    ),
    Key::new(
        "body_timeout_seconds",
        None,
        seconds(1, 3_600),
        "How long a request's body may take to arrive.",
    ),
    Key::new(
        "reply_timeout_seconds",
        None,
        seconds(1, 3_600),
        "How long a client may take nothing of a reply before its connection is closed.",
    ),
    Key::new(
        "unsent_limit_bytes",
        None,
        Form::Number { least: 1, most: 1_000_000_000, unit: "bytes" },
        "How many bytes of replies may wait unsent for a connection before its next request waits \
         too.",
    ),
    Key::new(
        "shutdown_timeout_seconds",
        None,
        seconds(0, 3_600),
        "How long accepted requests may take to finish after a signal to stop. A second signal stops \
         at once.",
    ),
    Key::new(
        "credential_cache_seconds",
        None,
        seconds(0, 3_600),
        "How long a verified password is remembered. 0 verifies it with each request.",
    ),
    Key::new(
        "wrong_passwords_per_minute",
        None,
        number(1, 1_000_000),
        "The most wrong passwords a minute for one till, API client or operator from one address. Ten \
         times as many from one address for all of them.",
    ),
    Key::new(
        "rate_limit_per_minute",
        Some("--rate-limit"),
        number(0, 1_000_000_000),
        "The most calls a minute by one till or API client. 0 sets no limit.",
    ),
    Key::new(
        "change_limit_per_minute",
        Some("--change-limit"),
        number(0, 1_000_000_000),
        "The most changes a minute by one operator over HTTP. 0 sets no limit.",
    ),
    Key::new(
        "kept_replies_limit_bytes",
        None,
        Form::Number { least: 0, most: 1_000_000_000_000, unit: "bytes" },
        "How many bytes of replies are kept for the repeats of one till or API client: so many at \
         once, and as many again over 24 hours. 0 sets no limit.",
    ),
    Key::new(
        "metrics_token_file",
        None,
        FILE,
        "The file of the token that `/metrics` requires. Without a file, `/metrics` only answers the \
         same machine.",
    ),
    Key::new(
        "otlp_endpoint",
        Some("--otlp-endpoint"),
        Form::Collector,
        "The collector of OpenTelemetry that receives traces.",
    ),
    Key::new(
        "session_minutes",
        None,
        Form::Number { least: 1, most: 44_640, unit: "minutes" },
        "How long an operator stays signed in.",
    ),
    Key::new("log", None, Form::LogFilter, "What is logged, to standard error."),
    Key::new(
        "log_format",
        None,
        Form::Word(&["auto", "human", "json"]),
        "`human` is for people, `json` writes one object a line. `auto` is `human` on a terminal and \
         `json` elsewhere.",
    ),
];

/// The reference of all keys, as Markdown.
///
/// # Errors
/// Defaults that cannot be written.
pub fn reference() -> anyhow::Result<String> {
    const INTRODUCTION: &str = "\
# Configuration

How a Patron process runs. Nothing has to be set. A value comes from, in increasing priority:

1. the default,
2. a TOML file, named by `--config FILE` or the variable `PATRON_CONFIG`,
3. an environment variable,
4. a flag of the command.

`data` and `database` both name where the data are; the one with the higher priority counts. `patron config` prints the configuration that
takes effect, without passwords. An unknown key or variable, or a value of the wrong form, is an error. Registration settings of an
organisation are another matter: [settings.md](settings.md).

This page is the output of `patron config --reference`.

| Key | Variable | Flag | Takes | Default | Meaning |
| --- | --- | --- | --- | --- | --- |
";
    let defaults = toml::Table::try_from(Config::default())?;
    let row = |Key { name, flag, form, meaning }: &Key| {
        let variable = format!("PATRON_{}", name.to_uppercase());
        let flag = flag.map(|flag| format!("`{flag}`")).unwrap_or_default();
        let default = match defaults.get(*name) {
            Some(Value::String(text)) if text.is_empty() => String::new(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(value) => format!("`{value}`"),
            None => String::new(),
        };
        let expected = form.expected();
        format!("| `{name}` | `{variable}` | {flag} | {expected} | {default} | {meaning} |\n")
    };
    let rows: String = KEYS.iter().map(row).collect();
    Ok(format!("{INTRODUCTION}{rows}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_keys_of_the_configuration() {
        let printed = toml::to_string(&Config::default()).unwrap();
        let keys = printed.lines().map(|line| line.split_once(" = ").unwrap().0);
        let listed: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(listed, keys.collect::<Vec<_>>());
    }

    #[test]
    fn every_default_has_the_form_of_its_key() {
        for (name, value) in toml::Table::try_from(Config::default()).unwrap() {
            Key::named(&name).unwrap().form.check(&value).unwrap();
        }
    }

    #[test]
    fn an_error_names_the_form_and_the_value() {
        for key in KEYS.iter().filter(|key| !matches!(key.form, Form::Text(_))) {
            let error = key.form.check(&key.form.value("?=")).unwrap_err();
            assert_eq!(
                error,
                format!("expected {}, not `?=`", key.form.expected()),
                "{}",
                key.name
            );
        }
    }

    #[test]
    fn a_log_filter_names_levels_and_targets() {
        let check = |text: &str| Form::LogFilter.check(&Value::String(text.to_owned()));
        for text in ["off", "WARN", "info,security=off", "patron=debug,error", "[request]=trace"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in
            ["warning", "inf", "", "info,", "info, debug", "patron", "warn,securty", "a=inf"]
        {
            let error = check(text).unwrap_err();
            assert!(error.contains("(off, error, warn, info, debug, trace)"), "{text}: {error}");
        }
    }

    #[test]
    fn the_page_is_the_output_of_the_command() {
        let page = include_str!("../../../../docs/configuration.md");
        assert_eq!(page, reference().unwrap(), "run `patron config --reference`");
    }
}
