//! What is there for the whole time that Patron serves.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use patron_store::Store;
use patron_store::operators::OperatorId;

use crate::auth::operator::SignIn;
use crate::auth::security_log::SecurityLog;
use crate::auth::verifiers::Verifiers;
use crate::auth::{Authenticator, Key};
use crate::config::Config;
use crate::http::health::Readiness;
use crate::http::metrics::Scrapers;
use crate::limits::kept::Budgets;
use crate::limits::proxies::Proxies;
use crate::limits::rate::{Quota, RateLimiter};
use crate::limits::shares::Shares;
use crate::observe::metrics::{Limit, Metrics};

/// The most passwords and secrets that wait to be hashed; one more is refused as overload.
pub(crate) const HASHING_LIMIT: usize = 64;

/// What every endpoint may use.
pub struct App {
    /// How Patron runs.
    pub config: Config,
    /// Where customers are kept.
    pub store: Arc<dyn Store>,
    /// Who calls.
    pub authenticator: Authenticator,
    /// Who signs in as an operator.
    pub operators: SignIn,
    /// Where new passwords and secrets are hashed. One at a time, and apart from sign-ins and callers:
    /// operators who set many passwords hold up each other alone.
    pub hashing: Verifiers,
    /// How often each key has called.
    pub rates: RateLimiter<Key>,
    /// How many changes each operator has requested.
    pub changes: RateLimiter<OperatorId>,
    /// How much is kept for each key, by how long it is kept.
    pub kept_replies: Budgets<(Key, SignedDuration)>,
    /// What each organisation has of the work that takes long.
    pub shares: Shares,
    /// The proxies that are trusted to say for whom they call.
    pub proxies: Proxies,
    /// Sign-ins, refusals and changed credentials.
    pub security_log: Arc<SecurityLog>,
    /// Whether the store answers.
    pub readiness: Readiness,
    /// What is counted and measured.
    pub metrics: Arc<Metrics>,
    /// Who may read that.
    pub scrapers: Scrapers,
    /// Whether the store has the demo, whose passwords are public.
    pub has_demo: bool,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl App {
    /// An application on this store, with the system's clock.
    ///
    /// # Errors
    /// A system without a source of randomness; a configuration that cannot be.
    pub fn new(config: Config, store: Arc<dyn Store>) -> anyhow::Result<Self> {
        let metrics: Arc<Metrics> = Arc::default();
        let security_log: Arc<SecurityLog> = Arc::default();
        store.watch(Arc::clone(&metrics) as _);
        Ok(Self {
            authenticator: Authenticator::new(
                Arc::clone(&store),
                &config,
                Arc::clone(&metrics),
                Arc::clone(&security_log),
            )?,
            operators: SignIn::new(
                Arc::clone(&store),
                &config,
                Arc::clone(&metrics),
                Arc::clone(&security_log),
            ),
            hashing: Verifiers::new(1, HASHING_LIMIT),
            rates: RateLimiter::default(),
            changes: RateLimiter::default(),
            kept_replies: Budgets::default(),
            shares: Shares::default(),
            proxies: config.proxies()?,
            security_log,
            readiness: Readiness::default(),
            metrics,
            scrapers: Scrapers::configured(&config.metrics_token_file)?,
            has_demo: false,
            clock: Timestamp::now,
            config,
            store,
        })
    }

    /// Counts a call; what its key has left, or `None` where nothing limits it. Where the organisation
    /// sets no limit, the configuration does.
    ///
    /// # Errors
    /// The key has called as often as it may.
    pub fn count(
        &self,
        key: Key,
        limit: Option<u32>,
        now: Timestamp,
    ) -> Result<Option<Quota>, Quota> {
        match limit.unwrap_or(self.config.rate_limit_per_minute) {
            0 => Ok(None),
            limit => self
                .rates
                .admit(key, limit, now)
                .map(Some)
                .inspect_err(|_| self.metrics.hit(Limit::Calls)),
        }
    }

    /// Counts a change that an operator requests; what the operator has left, or `None` without a
    /// limit.
    ///
    /// # Errors
    /// The operator has requested as many as a minute admits.
    pub fn count_change(
        &self,
        operator: &OperatorId,
        now: Timestamp,
    ) -> Result<Option<Quota>, Quota> {
        match self.config.change_limit_per_minute {
            0 => Ok(None),
            limit => self
                .changes
                .admit(operator.clone(), limit, now)
                .map(Some)
                .inspect_err(|_| self.metrics.hit(Limit::Changes)),
        }
    }
}

/// How many customers a request held; an endpoint leaves it with its reply.
#[derive(Debug, Clone, Copy)]
pub struct Items {
    /// All of them.
    pub total: usize,
    /// Those that were carried out.
    pub succeeded: usize,
}
