//! `patron config`

use anyhow::Context;

use super::Sources;

pub(super) fn run(sources: &Sources) -> anyhow::Result<()> {
    let config = sources.load()?;
    let text = toml::to_string(&config).context("cannot write the configuration")?;
    super::say(text.trim_end());
    Ok(())
}
