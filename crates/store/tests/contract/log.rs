//! What is logged.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;

/// What is logged on this thread from now on; so the test's runtime is to have one alone.
pub struct Log {
    lines: Lines,
    _until_dropped: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub fn begin() -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let logged = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        Self { lines, _until_dropped: tracing::subscriber::set_default(logged.finish()) }
    }

    /// The lines that have these words.
    pub fn with(&self, words: &str) -> Vec<String> {
        let logged = String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap();
        logged.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }
}
