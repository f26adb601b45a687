//! `patron openapi`: the OpenAPI document.

use anyhow::Context;

use crate::openapi;

pub(super) fn run() -> anyhow::Result<()> {
    let text = openapi::document().to_pretty_json();
    super::say(&text.context("the document cannot be written")?);
    Ok(())
}
