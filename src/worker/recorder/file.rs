//! A file that lines are added to. Renamed or removed by whoever rotates logs, it is made anew.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// An open file.
#[derive(Debug)]
pub(super) struct FileOutput {
    path: PathBuf,
    name: String,
    file: File,
    /// Device and number, which a renamed file keeps.
    identity: (u64, u64),
}

impl FileOutput {
    /// # Errors
    /// When the file can't be opened or made.
    pub(super) async fn open(path: &Path) -> io::Result<Self> {
        let (file, identity) = open(path).await?;
        Ok(Self { path: path.to_owned(), name: format!("file:{}", path.display()), file, identity })
    }

    /// Label of the metrics.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Adds whole lines; looks first whether the file is still the one of that name.
    ///
    /// # Errors
    /// When the file can't be opened anew or written.
    pub(super) async fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let there = tokio::fs::metadata(&self.path).await.ok().map(|found| (found.dev(), found.ino()));
        if there != Some(self.identity) {
            (self.file, self.identity) = open(&self.path).await?;
        }
        self.file.write_all(lines).await?;
        self.file.flush().await
    }
}

async fn open(path: &Path) -> io::Result<(File, (u64, u64))> {
    let file = OpenOptions::new().append(true).create(true).open(path).await?;
    let found = file.metadata().await?;
    Ok((file, (found.dev(), found.ino())))
}
