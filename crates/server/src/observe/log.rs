//! Logs: to standard error, for people on a terminal and as JSON elsewhere.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Sets up logging for the process.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    let filter: EnvFilter = config.log.parse().context("the configuration's `log`")?;
    // Of a log that cannot be written, nothing can be said where it would be written.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .log_internal_errors(false);
    let terminal = stderr().is_terminal();
    let json = match config.log_format {
        LogFormat::Auto => !terminal,
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    if json {
        log.json().flatten_event(true).init();
    } else {
        log.with_ansi(terminal).with_target(false).init();
    }
    Ok(())
}
