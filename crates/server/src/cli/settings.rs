//! `patron settings`: the catalogue of settings, which is `docs/settings.md`.

use patron_rules::settings::{CONTRADICTIONS, Settings, TABLE};

const INTRODUCTION: &str = "\
# Settings of an organisation

What an organisation can configure for registration, by name: the published one where there is one. Replies give every value as a text, and
booleans as `0` and `1`. Numbers, `true` and `false` of JSON and TOML are accepted as well. A change whose settings contradict each other is
rejected as a whole.

This page is the output of `patron settings`.

| Setting | Meaning | Takes | Default |
| --- | --- | --- | --- |
";

#[expect(clippy::unnecessary_wraps, reason = "commands can fail")]
pub(super) fn run() -> anyhow::Result<()> {
    let defaults = Settings::default();
    let rows = TABLE.iter().zip(defaults.texts()).map(|(setting, (name, default))| {
        let alias = setting.alias.map(|alias| format!(", also `{alias}`")).unwrap_or_default();
        let default = if default.is_empty() { default } else { format!("`{default}`") };
        format!("| `{name}`{alias} | {} | {} | {default} |\n", setting.meaning, setting.form)
    });
    let contradictions =
        CONTRADICTIONS.iter().map(|contradiction| format!("- {}\n", contradiction.reason));
    super::say(
        format!(
            "{INTRODUCTION}{}\n## What is refused\n\n{}",
            rows.collect::<String>(),
            contradictions.collect::<String>()
        )
        .trim_end(),
    );
    Ok(())
}
