//! Metrics: counted where things happen, written for Prometheus when they are asked for.
//!
//! A label's value is one of a few that Patron itself names: a route, a method, a status, a code, a
//! limit; never anything that was sent, and no organisation.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use patron_rules::codes::{self, Code};
use patron_rules::decide::Decision;
use patron_store::{Group, Size, Store, Watch};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// The upper bounds of the histograms of times, in seconds.
const SECONDS: [f64; 15] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    10.0,
];
/// The upper bounds of the histograms of how many there are.
const COUNTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// What Patron counts and measures of itself.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    request_durations: Family<Endpoint, Histogram, fn() -> Histogram>,
    items: Family<ByCode, Counter>,
    warnings: Family<ByCode, Counter>,
    limits: Family<ByLimit, Counter>,
    /// How often a request got the answer that was given before.
    pub(crate) replays: Counter,
    /// How often credentials were looked for among those that are remembered.
    pub(crate) credential_lookups: Counter,
    /// How often they were not there.
    pub(crate) credential_misses: Counter,
    waiting: Gauge,
    database: Gauge<f64, AtomicU64>,
    log: Gauge<f64, AtomicU64>,
    groups: Groups,
}

/// How the store writes.
struct Groups {
    requests: Histogram,
    customers: Histogram,
    durations: Histogram,
    commits: Histogram,
    failures: Counter,
}

/// A limit that somebody may run into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The open connections of all.
    Connections,
    /// The open connections of one address.
    ConnectionsOfAddress,
    /// The calls a minute of a till or an API client.
    Calls,
    /// The changes a minute of an operator.
    Changes,
    /// The wrong passwords for one name, or from one address.
    WrongPasswords,
    /// The passwords that wait to be verified.
    PasswordChecks,
    /// The size of a request's body.
    BodySize,
    /// The time in which a request's body arrives.
    BodyTime,
    /// The customers of one call.
    Batch,
    /// The large bodies of an organisation that wait to be read.
    LargeBodies,
    /// The requests that wait for the store.
    Store,
    /// The replies that are kept for a till or an API client.
    KeptReplies,
}

impl Limit {
    const ALL: [Self; 12] = [
        Self::Connections,
        Self::ConnectionsOfAddress,
        Self::Calls,
        Self::Changes,
        Self::WrongPasswords,
        Self::PasswordChecks,
        Self::BodySize,
        Self::BodyTime,
        Self::Batch,
        Self::LargeBodies,
        Self::Store,
        Self::KeptReplies,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsOfAddress => "connections_of_address",
            Self::Calls => "calls",
            Self::Changes => "changes",
            Self::WrongPasswords => "wrong_passwords",
            Self::PasswordChecks => "password_checks",
            Self::BodySize => "body_size",
            Self::BodyTime => "body_time",
            Self::Batch => "batch",
            Self::LargeBodies => "large_bodies",
            Self::Store => "store",
            Self::KeptReplies => "kept_replies",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    method: &'static str,
    route: Route,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    #[prometheus(flatten)]
    endpoint: Endpoint,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLimit {
    limit: &'static str,
}

/// A path as it is routed, its variable parts by their names; `none` where no route has it.
#[derive(Debug, Clone)]
struct Route(Option<MatchedPath>);

impl Route {
    fn name(&self) -> &str {
        self.0.as_ref().map_or("none", MatchedPath::as_str)
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.name().encode(encoder)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("patron");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        let metrics = Self {
            requests: Family::default(),
            request_durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            items: Family::default(),
            warnings: Family::default(),
            limits: Family::default(),
            replays: Counter::default(),
            credential_lookups: Counter::default(),
            credential_misses: Counter::default(),
            waiting: Gauge::default(),
            database: Gauge::default(),
            log: Gauge::default(),
            groups: Groups {
                requests: Histogram::new(COUNTS),
                customers: Histogram::new(COUNTS),
                durations: Histogram::new(SECONDS),
                commits: Histogram::new(SECONDS),
                failures: Counter::default(),
            },
            registry,
        };
        // What never happened is 0, and not absent.
        for limit in Limit::ALL {
            metrics.limits.get_or_create_owned(&ByLimit { limit: limit.name() });
        }
        metrics.items.get_or_create_owned(&ByCode { code: codes::REGISTERED.number });
        metrics.registered()
    }
}

impl Metrics {
    /// Gives each its name and its meaning.
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "http_requests",
            "Requests that were answered, by method, route and HTTP status",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's headers until its reply is ready to be sent, by method and route",
            Unit::Seconds,
            self.request_durations.clone(),
        );
        registry.register(
            "items",
            "Customers who were to be registered, by the code of their item_status; dry runs are not counted",
            self.items.clone(),
        );
        registry.register(
            "item_warnings",
            "Warnings about customers who were registered, by code",
            self.warnings.clone(),
        );
        registry.register(
            "limit_hits",
            "How often a limit refused something, or closed a connection in favour of another one, by limit",
            self.limits.clone(),
        );
        registry.register(
            "replays",
            "Registrations that got the answer that was given before, since they were repeats",
            self.replays.clone(),
        );
        registry.register(
            "credential_cache_lookups",
            "How often credentials were looked for among those that were verified lately",
            self.credential_lookups.clone(),
        );
        registry.register(
            "credential_cache_misses",
            "How often they were not there and were verified",
            self.credential_misses.clone(),
        );
        registry.register(
            "store_queue_customers",
            "Customers who wait to be written or are being written",
            self.waiting.clone(),
        );
        registry.register_with_unit(
            "store_database",
            "Size of the database; NaN while it cannot be read",
            Unit::Bytes,
            self.database.clone(),
        );
        registry.register_with_unit(
            "store_log",
            "Size of the database's log; NaN while it cannot be read",
            Unit::Bytes,
            self.log.clone(),
        );
        self.groups.register(registry);
        self
    }

    /// Counts a request that was answered.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: Option<MatchedPath>,
        status: StatusCode,
        took: Duration,
    ) {
        let endpoint = Endpoint { method: method_name(method), route: Route(route) };
        self.request_durations.get_or_create(&endpoint).observe(took.as_secs_f64());
        self.requests.get_or_create(&Answered { endpoint, status: status.as_u16() }).inc();
    }

    /// Counts what became of a customer who was to be registered.
    pub(crate) fn decided(&self, decision: &Decision) {
        let count = |family: &Family<ByCode, Counter>, code: &Code| {
            family.get_or_create(&ByCode { code: code.number }).inc();
        };
        match &decision.outcome {
            Ok(plan) => {
                count(&self.items, codes::REGISTERED);
                plan.warnings.iter().for_each(|warning| count(&self.warnings, warning.code));
            }
            Err(failure) => count(&self.items, failure.code),
        }
    }

    /// Counts a refusal because of a limit.
    pub(crate) fn hit(&self, limit: Limit) {
        self.limits.get_or_create(&ByLimit { limit: limit.name() }).inc();
    }

    /// Everything in the text format of OpenMetrics 1.0.
    ///
    /// # Errors
    /// A text that cannot be written.
    pub(crate) async fn written(&self, store: &dyn Store) -> Result<String, fmt::Error> {
        self.waiting.set(i64::try_from(store.waiting()).unwrap_or(i64::MAX));
        let size = store.size().await.ok();
        let bytes = |of: fn(&Size) -> u64| size.as_ref().map_or(f64::NAN, |size| float(of(size)));
        self.database.set(bytes(|size| size.database_bytes));
        self.log.set(bytes(|size| size.log_bytes));
        let mut written = String::new();
        text::encode(&mut written, &self.registry)?;
        Ok(written)
    }
}

impl Groups {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "store_group_requests",
            "Requests that were written in one group, with one commit",
            self.requests.clone(),
        );
        registry.register(
            "store_group_customers",
            "Customers who were written in one group, with one commit",
            self.customers.clone(),
        );
        registry.register_with_unit(
            "store_group_duration",
            "Time to write a group, from its first customer until its commit is on disk",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "store_commit_duration",
            "Time of a commit alone: its sync to disk and, now and then, copying the log into the database included",
            Unit::Seconds,
            self.commits.clone(),
        );
        registry.register(
            "store_commit_failures",
            "Groups that were not committed",
            self.failures.clone(),
        );
    }
}

impl Watch for Metrics {
    fn wrote(&self, group: Group) {
        let count = |count: usize| float(u64::try_from(count).unwrap_or(u64::MAX));
        self.groups.requests.observe(count(group.requests));
        self.groups.customers.observe(count(group.customers));
        self.groups.durations.observe(group.took.as_secs_f64());
        match group.commit {
            Some(took) => self.groups.commits.observe(took.as_secs_f64()),
            None => {
                self.groups.failures.inc();
            }
        }
    }

    fn refused(&self) {
        self.hit(Limit::Store);
    }
}

/// The method's name, where it is one that endpoints have.
pub(crate) fn method_name(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 7] = [
        (Method::POST, "POST"),
        (Method::GET, "GET"),
        (Method::HEAD, "HEAD"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::OPTIONS, "OPTIONS"),
    ];
    KNOWN.iter().find(|(known, _)| known == method).map_or("other", |(_, name)| name)
}

#[expect(clippy::cast_precision_loss, reason = "nobody looks at the sixteenth digit")]
const fn float(count: u64) -> f64 {
    count as f64
}
