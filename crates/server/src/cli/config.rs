//! `patron config`

use anyhow::Context;
use clap::Args;

use super::Sources;
use crate::config;

#[derive(Args)]
pub(super) struct Arguments {
    /// Print the reference of all keys instead, as Markdown.
    #[arg(long)]
    reference: bool,
    #[command(flatten)]
    sources: Sources,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let text = if arguments.reference {
        config::reference()?
    } else {
        let config = arguments.sources.load()?;
        toml::to_string(&config).context("cannot write the configuration")?
    };
    super::say(text.trim_end());
    Ok(())
}
