//! How far long work has come: bars on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use patron_store::maintenance::Watch;

/// How often a part of which nobody knows how long it takes shows that it goes on.
const TICK: Duration = Duration::from_millis(100);
const WITH_STEPS: &str = "{msg:40} {wide_bar} {percent:>3}% {eta_precise}";
const WITHOUT_STEPS: &str = "{msg:40} {spinner} {elapsed_precise}";

/// One bar at a time, on standard error.
pub(super) struct Bars {
    bar: ProgressBar,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { bar: ProgressBar::hidden() }
    }
}

impl Watch for Bars {
    fn begin(&mut self, part: &str, steps: Option<u64>) {
        self.bar.finish_and_clear();
        let (bar, template) = match steps {
            Some(steps) => (ProgressBar::new(steps), WITH_STEPS),
            None => (ProgressBar::new_spinner(), WITHOUT_STEPS),
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar = bar.with_style(style).with_message(part.to_owned());
        self.bar.enable_steady_tick(TICK);
    }

    fn reach(&mut self, done: u64) {
        self.bar.set_position(done);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
