//! `patron limits`: the catalogue of limits, which is `docs/limits.md`.

use crate::limits::table::{Row, Section, Setting, sections};

const INTRODUCTION: &str = "\
# Limits

Every limit on what arrives from outside: for what it is counted, what sets it, and what happens beyond it. Keys are those of
[configuration.md](configuration.md), settings those of [settings.md](settings.md). An address is an IPv4 address or the first 64 bits of an
IPv6 address; connections of a trusted proxy count for the address that the proxy names. The limits of a process hold in each process that
serves the same data. [security.md](security.md) says what the limits protect.

This page is the output of `patron limits`.
";

#[expect(clippy::unnecessary_wraps, reason = "commands can fail")]
pub(super) fn run() -> anyhow::Result<()> {
    let sections: String = sections().into_iter().map(section).collect();
    super::say(format!("{INTRODUCTION}{sections}").trim_end());
    Ok(())
}

fn section(Section { title, rows }: Section) -> String {
    let rows: String = rows.into_iter().map(row).collect();
    format!(
        "\n## {title}\n\n| Limit | Default | Counted for each | Set by | Beyond it |\n| --- | --- | --- | --- | --- |\n{rows}"
    )
}

fn row(Row { subject, value, scope, setting, beyond }: Row) -> String {
    let setting = match setting {
        Setting::Fixed => "fixed".to_owned(),
        Setting::Key(name) => format!("key `{name}`"),
        Setting::Organisation(name) => format!("setting `{name}`"),
        Setting::Document(name) => format!("key `{name}`, the organisation's `limits`"),
    };
    format!("| {subject} | {value} | {} | {setting} | {beyond} |\n", scope.name())
}
