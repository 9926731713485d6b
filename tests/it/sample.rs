//! Copies of `config/samples` that tests may edit, with shorter times and ports of their own.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The root of the repository.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The port of the sample's sink.
pub(crate) const SINK_PORT: u16 = 8080;

/// A directory with a copy.
pub(crate) struct Sample {
    dir: TempDir,
}

impl Sample {
    /// The sample with its sink on `sink_port` and with timers that tests can wait for.
    pub(crate) fn quick(sink_port: u16) -> Self {
        let copy = Self::copy();
        copy.edit(|text| {
            let lines = text.lines().map(|line| {
                let indent = &line[..line.len() - line.trim_start().len()];
                match line.trim_start().split(':').next() {
                    Some("group_wait") => format!("{indent}group_wait: 2s"),
                    Some("group_interval") => format!("{indent}group_interval: 3s"),
                    _ => line.replace(&SINK_PORT.to_string(), &sink_port.to_string()),
                }
            });
            lines.map(|line| line + "\n").collect()
        });
        copy
    }

    fn copy() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(Path::new(ROOT).join("config/samples")).unwrap().flatten() {
            // other samples lie in directories of their own
            if entry.path().is_dir() {
                continue;
            }
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        Self { dir }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Changes every file that `change` changes.
    pub(crate) fn edit(&self, change: impl Fn(&str) -> String) {
        let mut edited = 0;
        for entry in std::fs::read_dir(self.dir.path()).unwrap().flatten() {
            let before = std::fs::read_to_string(entry.path()).unwrap();
            let after = change(&before);
            if before != after {
                std::fs::write(entry.path(), after).unwrap();
                edited += 1;
            }
        }
        assert!(edited > 0, "the edit changed nothing");
    }
}
