//! What the user sees: lines that stay, and below them, on a terminal, a short status that is redrawn.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// The standard output, shared by everything that has something to say.
pub(super) struct Screen {
    live: bool,
    drawn: Mutex<Drawn>,
}

struct Drawn {
    out: Box<dyn Write + Send>,
    status: Vec<String>,
}

impl Screen {
    /// The process's standard output; the live status only where somebody watches.
    pub(super) fn stdout() -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let live = std::io::stdout().is_terminal() && !dumb;
        Self::new(Box::new(std::io::stdout()), live)
    }

    /// Writes to `out`.
    fn new(out: Box<dyn Write + Send>, live: bool) -> Self {
        Self { live, drawn: Mutex::new(Drawn { out, status: Vec::new() }) }
    }

    /// Whether a status is shown, which a terminal can redraw.
    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// Prints a line that stays.
    pub(super) fn line(&self, text: &str) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = drawn.erased();
        let below = drawn.status_text();
        drawn.write(&format!("{shown}{}\n{below}", clean(text)));
    }

    /// Prints a line with the time in front.
    pub(super) fn event(&self, text: &str) {
        self.line(&format!("{}  {text}", jiff::Zoned::now().strftime("%H:%M:%S")));
    }

    /// Shows these lines below all others, in the place of those shown before.
    pub(super) fn status(&self, lines: Vec<String>) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let width = columns();
        let lines: Vec<String> = lines.iter().map(|line| clean(line).chars().take(width).collect()).collect();
        if !self.live || lines == drawn.status {
            return;
        }
        let shown = drawn.erased();
        drawn.status = lines;
        let text = drawn.status_text();
        drawn.write(&format!("{shown}{text}"));
    }
}

impl Drawn {
    /// What makes the status vanish.
    fn erased(&self) -> String {
        match self.status.len() {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }

    fn status_text(&self) -> String {
        self.status.iter().map(|line| format!("{line}\n")).collect()
    }

    /// A reader that went away (`| head`) is no reason to stop the cluster.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// Labels come from outside: a control character must not reach the terminal, nor break a line.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0).unwrap_or(80)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(live: bool, act: impl Fn(&Screen)) -> String {
        let page = Page::default();
        act(&Screen::new(Box::new(page.clone()), live));
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn plain_output_has_no_status_and_no_escapes() {
        let text = written(false, |screen| {
            screen.status(vec!["3/3".to_owned()]);
            screen.line("one\x1b[2J");
        });
        assert_eq!(text, "one\u{fffd}[2J\n");
    }

    #[test]
    fn the_status_stays_below_and_is_drawn_again_only_when_changed() {
        let text = written(true, |screen| {
            screen.status(vec!["a".to_owned(), "b".to_owned()]);
            screen.status(vec!["a".to_owned(), "b".to_owned()]);
            screen.line("one");
            screen.status(vec!["c".to_owned()]);
        });
        assert_eq!(text, "a\nb\n\x1b[2A\r\x1b[Jone\na\nb\n\x1b[2A\r\x1b[Jc\n");
    }
}
