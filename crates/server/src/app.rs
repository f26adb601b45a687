//! What is there for the whole time that Patron serves.

use std::sync::Arc;

use jiff::Timestamp;
use patron_store::Store;

use crate::auth::Authenticator;
use crate::config::Config;

/// What every endpoint may use.
pub struct App {
    /// How Patron runs.
    pub config: Config,
    /// Where customers are kept.
    pub store: Arc<dyn Store>,
    /// Who calls.
    pub authenticator: Authenticator,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl App {
    /// An application on this store, with the system's clock.
    ///
    /// # Errors
    /// A system without a source of randomness.
    pub fn new(config: Config, store: Arc<dyn Store>) -> anyhow::Result<Self> {
        let authenticator = Authenticator::new(Arc::clone(&store), &config)?;
        Ok(Self { config, store, authenticator, clock: Timestamp::now })
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
