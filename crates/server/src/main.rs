//! See [`patron_server`].

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A registration allocates some hundred times, on one thread, and frees on another. Without huge
/// pages, since with them an idle server holds half as much memory again and is no faster.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    patron_server::cli::main()
}
