//! The journal on disk: segments `journal.NNNNNNNN` that only grow. Each start and each snapshot begins a new one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use alerting::journal::{MAGIC, put_frame};
use bytes::Bytes;

/// What segments are called before their number.
const PREFIX: &str = "journal.";

/// The segments in a directory, the oldest first.
///
/// # Errors
/// When the directory can't be read.
pub(super) fn segments(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if let Some(number) = digits.filter(|d| d.len() == 8).and_then(|digits| digits.parse().ok()) {
            segments.push((number, entry.path()));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

/// The end of the journal, where it grows.
#[derive(Debug)]
pub(super) struct Journal {
    directory: PathBuf,
    /// Of the segment that is written now, or will be.
    number: u64,
    segment: Option<Segment>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Segment {
    file: File,
    /// Where the next frame goes.
    written: u64,
    /// So much is durable.
    synced: u64,
}

impl Journal {
    /// Goes on after the last segment; nothing is written yet.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub(super) fn after_last(directory: &Path) -> io::Result<Self> {
        let last = segments(directory)?.last().map_or(0, |(number, _)| *number);
        Ok(Self { directory: directory.to_owned(), number: last + 1, segment: None, buffer: Vec::new() })
    }

    /// Appends these records as one frame; with `sync`, they and all before them are durable when this returns.
    /// The bytes by which the journal grew.
    ///
    /// # Errors
    /// When that fails. Then the records don't count as written, and the next ones go to a new segment.
    pub(super) fn append(&mut self, records: &[Bytes], sync: bool) -> io::Result<u64> {
        let path = self.path();
        let segment = match &mut self.segment {
            Some(segment) => segment,
            None => {
                let file = File::create_new(&path)?;
                self.segment.insert(Segment { file, written: 0, synced: 0 })
            }
        };
        self.buffer.clear();
        if segment.written == 0 {
            self.buffer.extend_from_slice(&MAGIC);
        }
        put_frame(records, segment.synced, &mut self.buffer);
        let appended = segment.file.write_all_at(&self.buffer, segment.written).and_then(|()| {
            let written = segment.written + self.buffer.len() as u64;
            if sync {
                segment.file.sync_data()?;
                if segment.synced == 0 {
                    // the name of the file must last too
                    File::open(&self.directory)?.sync_all()?;
                }
                segment.synced = written;
            }
            segment.written = written;
            Ok(self.buffer.len() as u64)
        });
        // a burst must not be remembered for ever
        self.buffer.shrink_to(1 << 16);
        if appended.is_err() {
            self.abandon();
        }
        appended
    }

    /// Makes everything durable that was appended.
    ///
    /// # Errors
    /// When that fails.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let Some(segment) = self.segment.as_mut().filter(|segment| segment.synced < segment.written) else {
            return Ok(());
        };
        let synced = segment.file.sync_data().and_then(|()| File::open(&self.directory)?.sync_all());
        match &synced {
            Ok(()) => segment.synced = segment.written,
            Err(_) => self.abandon(),
        }
        synced
    }

    /// Begins a new segment; the number of the last one that has anything in it now.
    pub(super) fn rotate(&mut self) -> u64 {
        if self.segment.take().is_some() {
            self.number += 1;
        }
        self.number - 1
    }

    /// Leaves a segment after a failure, as it was before. Whatever can't be taken back is a torn end.
    fn abandon(&mut self) {
        let Some(segment) = self.segment.take() else { return };
        if segment.written == 0 && fs::remove_file(self.path()).is_ok() {
            return;
        }
        // best effort: the frame was not promised to anybody
        let _ = segment.file.set_len(segment.written);
        self.number += 1;
    }

    fn path(&self) -> PathBuf {
        self.directory.join(format!("{PREFIX}{:08}", self.number))
    }
}
