//! `patron codes`: the catalogue of codes, which is `docs/errors.md`.

use patron_rules::codes::{ALL, Code, Kind, UNUSED, Unused};

const INTRODUCTION: &str = "\
# Codes

Every code that a reply can carry: what it means, who acts on it, and how. A whole request has its code in `response.status.code`; each
customer has one in `item_status.code`, and those of its warnings in `item_status.warnings.warning`. Messages are as documented where a
document words them; `{x}` and `{y}` stand for what the occasion fills in.

Requests that were looked at travel under HTTP 200, with the codes 200, 201 or 500 in the body. 1015 and 1060 travel under HTTP 400, 498 and
320001 under 401, 4000 under 403, 407 under 500 and 4001 under 503; every other code of a request is also its HTTP status. 320001 stands in
`errors` of the reply to `POST /v3/oauth/token/generate`, as does every other code of that call.

This page is the output of `patron codes`.
";

const UNUSED_INTRODUCTION: &str = "
## Documented, and not used

Codes that documents name for registration, and why no reply carries them.

| Code | Message | Reason |
| --- | --- | --- |
";

#[expect(clippy::unnecessary_wraps, reason = "commands can fail")]
pub(super) fn run() -> anyhow::Result<()> {
    super::say(catalogue().trim_end());
    Ok(())
}

fn catalogue() -> String {
    let sections = [
        section(Kind::Request, "Of a request"),
        section(Kind::Success, "Of a customer who went through"),
        section(Kind::Error, "Of a customer who was refused"),
        section(Kind::Warning, "Warnings"),
    ];
    let row = |Unused { numbers, message, reason }: &Unused| {
        format!("| {numbers} | {message} | {reason} |\n")
    };
    let unused: String = UNUSED.iter().map(row).collect();
    format!("{INTRODUCTION}{}{UNUSED_INTRODUCTION}{unused}", sections.concat())
}

fn section(kind: Kind, title: &str) -> String {
    let row = |code: &Code| {
        let Code { number, message, meaning, source, .. } = code;
        format!("| {number} | {message} | {meaning} | {source} |\n")
    };
    let rows: String = ALL.iter().filter(|code| code.kind == kind).map(|code| row(code)).collect();
    format!(
        "\n## {title}\n\n| Code | Message | Meaning | Source |\n| --- | --- | --- | --- |\n{rows}"
    )
}
