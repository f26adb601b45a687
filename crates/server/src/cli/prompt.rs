//! Asking whoever runs a command.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, bail};

/// Asks for a password: on a terminal without showing it, and twice where it is to be a new one;
/// else it is a line of the standard input.
pub(super) fn new_password() -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let first = rpassword::prompt_password("Password: ").context("cannot ask for the password")?;
    let again = rpassword::prompt_password("Again: ").context("cannot ask for the password")?;
    if first != again {
        bail!("these are two different passwords");
    }
    Ok(first)
}

/// Asks a question whose answer is yes or no; no unless it is `y` or `yes`.
pub(super) fn agrees(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask on; say `--yes` to agree beforehand");
    }
    let mut out = io::stdout();
    write!(out, "{question} [y/N] ").and_then(|()| out.flush())?;
    Ok(matches!(line()?.to_lowercase().as_str(), "y" | "yes"))
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
