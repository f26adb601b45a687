//! See [`patron_server`].

use std::process::ExitCode;

fn main() -> ExitCode {
    patron_server::cli::main()
}
