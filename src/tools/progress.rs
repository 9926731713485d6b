//! How far long work is, for who looks on: a bar on standard error where that is a terminal, and nothing elsewhere.

use std::io::Write as _;

use indicatif::{ProgressBar, ProgressStyle};

const LOOK: &str = "{bar:24} {pos}/{len} {msg} [{elapsed}]";

/// One bar; it's gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of so many steps.
    pub(crate) fn new(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        if let Ok(style) = ProgressStyle::with_template(LOOK) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many of them are done, and this is next.
    pub(crate) fn at(&self, done: u64, next: &str) {
        self.0.set_message(next.to_owned());
        self.0.set_position(done);
    }

    /// The same for steps that take so long that who reads a log wants to see them, too.
    pub(crate) fn tell(&self, done: u64, next: &str) {
        self.at(done, next);
        if self.0.is_hidden() {
            // nobody may be there to read it
            let _ = writeln!(std::io::stderr(), "{next}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
