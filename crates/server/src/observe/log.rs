//! Logs: to standard error, for people on a terminal and as JSON elsewhere.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use super::traces::Traces;
use crate::config::{Config, LogFormat};

/// Sets up logging for the process, and traces where they are configured; those go on until what is
/// returned is dropped.
pub(crate) fn start(config: &Config) -> anyhow::Result<Option<Traces>> {
    let filter: EnvFilter = config.log.parse().context("the configuration's `log`")?;
    let traces = Traces::configured(config)?;
    match &traces {
        None => registry().with(filter).with(layer(config.log_format)).init(),
        Some(traces) => {
            let log = layer(config.log_format).with_filter(filter);
            registry().with(traces.layer()).with(log).init();
        }
    }
    Ok(traces)
}

/// Sets up logging for a command that serves nothing: errors and the security log, for people.
pub(crate) fn start_for_command() {
    let log = fmt::layer().with_writer(stderr).log_internal_errors(false);
    let log = log.with_ansi(stderr().is_terminal()).with_target(false).without_time();
    registry().with(EnvFilter::new("error,security=info")).with(log).init();
}

fn layer<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // Of a log that cannot be written, nothing can be said where it would be written.
    let log = fmt::layer().with_writer(stderr).log_internal_errors(false);
    let terminal = stderr().is_terminal();
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    if json {
        log.json().flatten_event(true).boxed()
    } else {
        log.with_ansi(terminal).with_target(false).boxed()
    }
}
