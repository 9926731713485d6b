//! The differences that are meant: the table of configs in `differences.md`.

/// In what a config's outcome may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Differs {
    /// One takes it, the other refuses it.
    Verdict,
    /// Both refuse it, for different reasons.
    Error,
    /// Both take it and print it differently.
    Print,
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Meant {
    /// A config that has this text is meant.
    needle: String,
    pub(super) differs: Differs,
}

impl Meant {
    /// Whether it is about this config.
    pub(super) fn is_about(&self, text: &str) -> bool {
        text.contains(&self.needle)
    }
}

/// All rows.
pub(super) fn all() -> Vec<Meant> {
    let (_, table) = include_str!("../differences.md").split_once("## Configs\n").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let read = |row: &str| {
        let (needle, rest) = row.strip_prefix("| `").unwrap().split_once("` | ").unwrap();
        let differs = match rest.split_once(" | ").unwrap().0 {
            "verdict" => Differs::Verdict,
            "error" => Differs::Error,
            "print" => Differs::Print,
            other => panic!("{other} can't differ"),
        };
        Meant { needle: needle.replace("\\n", "\n"), differs }
    };
    rows.map(read).collect()
}
