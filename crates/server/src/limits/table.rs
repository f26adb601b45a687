//! Every limit on what arrives from outside, as `docs/limits.md` lists them. The values are those of the
//! code that keeps each limit.

use std::time::Duration;

use patron_rules::identifier::{email, external_id};
use patron_rules::organisation::{
    AccessGroup, ApiClient, PATTERNS_LIMIT_BYTES, Resource, RewardRule, Store, Till,
};
use patron_rules::profile::{
    CustomField, ExtendedField, channel, extended_field, field, name, pattern, subscription,
};
use patron_store::limits;
use patron_store::operators::SESSIONS_LIMIT;

use super::{activity, guesses, shares};
use crate::admin::api::v1::{body, local};
use crate::api_gateway::v2::audits::parameters;
use crate::app::HASHING_LIMIT;
use crate::auth::verifiers::queue;
use crate::auth::{self, basic, operator, security_log};
use crate::config::{Config, Form, Key};
use crate::http::serve;
use crate::v1_1::customer::{decoded, request_xml};
use crate::v1_1::idempotency;
use crate::v3::oauth::token::generate;

/// Limits of one subject.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// One limit.
pub(crate) struct Row {
    /// What has the limit.
    pub(crate) subject: String,
    /// Its value, or its default.
    pub(crate) value: String,
    /// For what it is counted.
    pub(crate) scope: Scope,
    /// What sets it.
    pub(crate) setting: Setting,
    /// What happens beyond it.
    pub(crate) beyond: &'static str,
}

/// For what a limit is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    Process,
    Address,
    Connection,
    Request,
    Customer,
    Organisation,
    /// A till or an API client.
    Caller,
    Operator,
}

/// What sets a limit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Setting {
    Fixed,
    /// A key of the configuration.
    Key(&'static str),
    /// A setting of the organisation.
    Organisation(&'static str),
    /// The organisation's document of the kind `limits`, or a key of the configuration.
    Document(&'static str),
}

impl Scope {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Address => "address",
            Self::Connection => "connection",
            Self::Request => "request",
            Self::Customer => "customer",
            Self::Organisation => "organisation",
            Self::Caller => "till or API client",
            Self::Operator => "operator",
        }
    }
}

/// A value in a unit.
fn amount(value: impl TryInto<u64>, unit: &str) -> String {
    let value = value.try_into().unwrap_or(u64::MAX);
    let scaled = match unit {
        "bytes" if value >= 1 << 20 && value.is_multiple_of(1 << 20) => Some((value >> 20, "MiB")),
        "bytes" if value >= 1 << 10 && value.is_multiple_of(1 << 10) => Some((value >> 10, "KiB")),
        _ => None,
    };
    let (value, unit) = scaled.unwrap_or((value, unit));
    format!("{} {unit}", grouped(value)).trim_end().to_owned()
}

/// A number with commas between thousands.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn fixed(
    subject: &str,
    value: impl TryInto<u64>,
    unit: &str,
    scope: Scope,
    beyond: &'static str,
) -> Row {
    let (subject, value) = (subject.to_owned(), amount(value, unit));
    Row { subject, value, scope, setting: Setting::Fixed, beyond }
}

/// A limit that a key of the configuration sets.
fn key(subject: &str, name: &'static str, scope: Scope, beyond: &'static str) -> Row {
    Row {
        subject: subject.to_owned(),
        value: default_of(name),
        scope,
        setting: Setting::Key(name),
        beyond,
    }
}

/// The default of a key of the configuration.
fn default_of(name: &str) -> String {
    let defaults = toml::Table::try_from(Config::default()).unwrap_or_default();
    let unit = match Key::named(name).map(|key| key.form) {
        Some(Form::Number { unit, .. }) => unit,
        _ => "",
    };
    let value = defaults.get(name).and_then(toml::Value::as_integer).unwrap_or_default();
    amount(value, unit)
}

/// Every limit.
pub(crate) fn sections() -> Vec<Section> {
    vec![
        Section { title: "Connections", rows: connections() },
        Section { title: "Requests", rows: requests() },
        Section { title: "Customers", rows: customers() },
        Section { title: "Callers and operators", rows: callers() },
        Section { title: "Organisations", rows: organisations() },
        Section { title: "Waiting work", rows: waiting() },
    ]
}

fn connections() -> Vec<Row> {
    use Scope::{Address, Connection, Process};
    const REFUSED: &str = "The connection is closed.";
    vec![
        key(
            "Open connections",
            "connection_limit",
            Process,
            "A connection of the address with the most of them is closed: the one that has gone longest without a request.",
        ),
        Row {
            value: amount(Config::default().connections_per_address(), ""),
            ..key(
                "Open connections of one address",
                "connection_limit_per_address",
                Address,
                "The address's connection that has gone longest without a request is closed.",
            )
        },
        key(
            "Further connections for `/livez` and `/readyz`",
            "connection_reserve",
            Process,
            "The connection is closed. Other requests on one of these get 503.",
        ),
        fixed(
            "Connections that wait to be accepted",
            serve::QUEUE.unsigned_abs(),
            "",
            Process,
            "The client's system tries again.",
        ),
        fixed(
            "HTTP/2 requests at once",
            serve::STREAMS_LIMIT,
            "",
            Connection,
            "The request is refused (`REFUSED_STREAM`).",
        ),
        fixed(
            "Bytes without effect, such as HTTP/2 pings",
            activity::OVERHEAD_LIMIT_BYTES,
            "bytes",
            Connection,
            REFUSED,
        ),
        key(
            "Bytes of replies that wait unsent",
            "unsent_limit_bytes",
            Connection,
            "The connection's next request waits.",
        ),
        key(
            "Time for headers, for a first request and for the TLS handshake",
            "header_timeout_seconds",
            Connection,
            REFUSED,
        ),
        key("Time between two requests", "idle_timeout_seconds", Connection, REFUSED),
        key(
            "Time in which a client takes no byte of a reply",
            "reply_timeout_seconds",
            Connection,
            REFUSED,
        ),
    ]
}

fn requests() -> Vec<Row> {
    use Scope::Request;
    const MALFORMED: &str = "400 with the line and column.";
    vec![
        fixed(
            "Request line and headers together",
            serve::HEADERS_LIMIT_BYTES,
            "bytes",
            Request,
            "431.",
        ),
        fixed(
            "Header `Authorization` with Basic credentials",
            basic::HEADER_LIMIT,
            "bytes",
            Request,
            "401.",
        ),
        fixed("Header `Idempotency-Key`", idempotency::LENGTH_LIMIT, "characters", Request, "400."),
        key("Body, as sent and without its content coding", "body_limit_bytes", Request, "413."),
        fixed("Body of the admin API", body::LIMIT_BYTES, "bytes", Request, "413."),
        fixed(
            "Body of a sign-in and of a token call",
            body::SIGN_IN_LIMIT_BYTES.max(generate::BODY_LIMIT),
            "bytes",
            Request,
            "413.",
        ),
        fixed("Organisation file", local::FILE_LIMIT_BYTES, "bytes", Request, "413."),
        key("Time for the body", "body_timeout_seconds", Request, "408."),
        fixed("Nesting of JSON and XML", decoded::DEPTH_LIMIT, "levels", Request, MALFORMED),
        fixed("XML elements", request_xml::ELEMENT_LIMIT, "", Request, MALFORMED),
        fixed("XML tag", request_xml::TAG_LIMIT_BYTES, "bytes", Request, MALFORMED),
        Row {
            subject: "Customers of a registration, identifiers of a look-up".to_owned(),
            value: patron_rules::settings::Settings::default().batch_limit.to_string(),
            scope: Request,
            setting: Setting::Organisation("BATCH_LIMIT"),
            beyond: "400 with code 1015.",
        },
        fixed("Entries of an audit page", parameters::LIMIT_MOST, "", Request, "400."),
    ]
}

fn customers() -> Vec<Row> {
    use Scope::Customer;
    const DROPPED: &str = "The entry is dropped with a warning.";
    const REFUSED: &str = "The customer is refused with the member's code.";
    vec![
        fixed("External id", external_id::LENGTH_LIMIT, "characters", Customer, REFUSED),
        fixed("Email address", email::LENGTH_LIMIT, "characters", Customer, REFUSED),
        fixed(
            "First and last name, each",
            name::LENGTH_LIMIT,
            "characters",
            Customer,
            "The name is dropped with a warning.",
        ),
        fixed("Custom fields, and extended fields", field::COUNT_LIMIT, "", Customer, DROPPED),
        fixed("Value of a field", field::VALUE_LIMIT_BYTES, "bytes", Customer, DROPPED),
        fixed(
            "Cost of the patterns of its fields: for each match the pattern's size times the value's length",
            pattern::BUDGET,
            "bytes",
            Customer,
            DROPPED,
        ),
        fixed("Communication channels", channel::COUNT_LIMIT, "", Customer, DROPPED),
        fixed("Subscriptions", subscription::COUNT_LIMIT, "", Customer, DROPPED),
    ]
}

fn callers() -> Vec<Row> {
    use Scope::{Address, Caller, Operator, Process};
    const TOO_MANY: &str = "429 with `Retry-After`.";
    vec![
        Row {
            setting: Setting::Document("rate_limit_per_minute"),
            ..key(
                "Calls a minute",
                "rate_limit_per_minute",
                Caller,
                "429 with code 429 and `Retry-After`.",
            )
        },
        key(
            "Wrong passwords a minute for one name from one address",
            "wrong_passwords_per_minute",
            Address,
            TOO_MANY,
        ),
        wider(
            "Wrong passwords a minute for one name from an address where it was right within a day: ten times as many",
            TOO_MANY,
        ),
        wider(
            "Wrong passwords a minute for all names from one address: ten times as many",
            TOO_MANY,
        ),
        Row {
            scope: Process,
            ..wider(
                "Wrong passwords for one name from all addresses: ten times as many. Every 10 minutes one is forgotten",
                "One try after a delay of 1 second to 5 minutes; 429 with `Retry-After` until then.",
            )
        },
        key(
            "Replies kept for `Idempotency-Key` and `REPEAT_WINDOW_SECONDS`",
            "kept_replies_limit_bytes",
            Caller,
            "429 with code 429 and `Retry-After`. Repeats are answered.",
        ),
        key("Changes of the configuration a minute", "change_limit_per_minute", Operator, TOO_MANY),
        fixed("Password checks at once", auth::PLACES, "", Process, "The check waits."),
        fixed(
            "Password checks that wait, of tills and API clients that were right within a day, and of all others",
            auth::WAITING_LIMIT,
            "",
            Process,
            "503 with `Retry-After`.",
        ),
        fixed(
            "Password checks that wait, of operators who were right within a day, and of all others",
            operator::WAITING_LIMIT,
            "",
            Process,
            "503 with `Retry-After`.",
        ),
        fixed(
            "Password checks that wait, of names that were not right from the address within a day",
            queue::NETWORK_LIMIT,
            "",
            Address,
            "503 with `Retry-After`.",
        ),
        fixed(
            "Passwords that are being set",
            HASHING_LIMIT,
            "",
            Process,
            "503 with `Retry-After`.",
        ),
        fixed("Sessions of an operator", SESSIONS_LIMIT, "", Operator, "The oldest session ends."),
        key("Duration of a session", "session_minutes", Operator, "The session ends."),
        fixed("Tokens of an API client", limits::TOKENS, "", Caller, "The oldest token ends."),
        fixed(
            "Lines of the security log a minute for one address",
            security_log::budget::NETWORK_LIMIT,
            "",
            Address,
            "A line says how many were left out.",
        ),
        fixed(
            "Lines of the security log a minute",
            security_log::budget::LIMIT,
            "",
            Process,
            "A line says how many were left out.",
        ),
    ]
}

/// A wider limit on wrong passwords.
fn wider(subject: &str, beyond: &'static str) -> Row {
    let most = Config::default().wrong_passwords_per_minute.saturating_mul(guesses::WIDER);
    Row {
        value: amount(most, ""),
        ..key(subject, "wrong_passwords_per_minute", Scope::Address, beyond)
    }
}

fn organisations() -> Vec<Row> {
    use Scope::Organisation;
    const REFUSED: &str = "The change is refused with 422.";
    let count = |subject, most: usize| fixed(subject, most, "", Organisation, REFUSED);
    let bytes = |subject, most: usize| fixed(subject, most, "bytes", Organisation, REFUSED);
    vec![
        count("Tills", Till::COUNT_LIMIT),
        count("Stores", Store::COUNT_LIMIT),
        count("API clients", ApiClient::COUNT_LIMIT),
        count("Access groups", AccessGroup::COUNT_LIMIT),
        count("Custom fields", CustomField::COUNT_LIMIT),
        count("Extended fields", ExtendedField::COUNT_LIMIT),
        count("`options` or `values` of a field", field::ALLOWED_LIMIT),
        count("`rules` of an extended field", extended_field::RULES_LIMIT),
        bytes("Pattern of a field", pattern::TEXT_LIMIT_BYTES),
        bytes("Pattern of a field, compiled", pattern::SIZE_LIMIT_BYTES),
        bytes("All patterns of fields, in use or not, compiled", PATTERNS_LIMIT_BYTES),
        count("Reward rules", RewardRule::COUNT_LIMIT),
    ]
}

fn waiting() -> Vec<Row> {
    use Scope::{Caller, Organisation, Process};
    const OVERLOADED: &str = "503 with `Retry-After`.";
    vec![
        fixed(
            "Body of a registration that is read beside others of the organisation",
            shares::LIGHT_BODY_BYTES,
            "bytes",
            Organisation,
            "Longer bodies are read one at a time, and so are shorter ones whose values could cost more than the patterns of one customer may.",
        ),
        fixed(
            "Such longer bodies that are read or wait for it",
            shares::WAITING_LIMIT,
            "",
            Organisation,
            OVERLOADED,
        ),
        fixed("Customers that wait to be written", limits::WRITES_WAITING, "", Process, OVERLOADED),
        fixed("Requests that wait to read", limits::READS_WAITING, "", Process, OVERLOADED),
        Row {
            subject: "Time for which the reply to an idempotency key is kept".to_owned(),
            value: format!("{} hours", hours(idempotency::KEPT_FOR.unsigned_abs())),
            scope: Caller,
            setting: Setting::Fixed,
            beyond: "A request with the key is carried out again.",
        },
    ]
}

const fn hours(time: Duration) -> u64 {
    time.as_secs() / 3_600
}
