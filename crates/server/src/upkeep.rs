//! What is done every so often while Patron serves.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;

/// How often replies that are kept no longer are removed.
const REMOVED_EVERY: Duration = Duration::from_mins(1);

/// Removes what is kept no longer, until it is aborted.
pub(crate) async fn keep(app: &App) {
    let mut ticks = interval(REMOVED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = app.store.remove_expired_answers((app.clock)()).await {
            tracing::warn!(error = error.chain(), "expired replies cannot be removed");
        }
    }
}
