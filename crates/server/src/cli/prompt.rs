//! Asking whoever runs a command.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, bail};

use crate::auth::password_rules::Account;

/// Asks for a new password of the account of this name and checks it: twice on a terminal without
/// showing it, else it is a line of the standard input.
pub(super) fn new_password(account: Account, name: &str) -> anyhow::Result<String> {
    let password = ask_password(account)?;
    account.check(name, &password)?;
    Ok(password)
}

fn ask_password(account: Account) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let (least, most) = account.lengths().into_inner();
        let needed = format!("no password: send a line of {least} to {most} characters");
        return line()?.context(needed);
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
    Ok(line()?.is_some_and(|line| matches!(line.to_lowercase().as_str(), "y" | "yes")))
}

/// A line of the standard input; `None` if it is empty or the input has ended.
fn line() -> anyhow::Result<Option<String>> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the standard input")?;
    let line = line.trim_end_matches(['\r', '\n']);
    Ok((!line.is_empty()).then(|| line.to_owned()))
}
