//! `patron config`

use anyhow::Context;

use super::Settings;

pub(super) fn run(settings: &Settings) -> anyhow::Result<()> {
    let config = settings.load()?;
    let text = toml::to_string(&config).context("cannot write the configuration")?;
    super::say(text.trim_end());
    Ok(())
}
