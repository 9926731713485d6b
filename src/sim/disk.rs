//! A member's disk: its state files and its journal, which a crash may cut anywhere after what was made durable.

use alerting::effects::{Restored, Snapshots};
use alerting::engine::AlertsPicture;
use alerting::journal::{MAGIC, put_frame, read};
use alerting::time::Timestamp;
use bytes::Bytes;

#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: Option<Files>,
    /// Segments that the files have replaced, but which are still there.
    old: Vec<Vec<u8>>,
    segment: Vec<u8>,
    /// So much of the segment is durable.
    synced: usize,
}

#[derive(Debug, Clone)]
struct Files {
    silences: Bytes,
    notification_log: Bytes,
    alerts: Option<Vec<Bytes>>,
}

impl Disk {
    pub(crate) fn append(&mut self, records: Bytes, sync: bool) {
        if !records.is_empty() {
            if self.segment.is_empty() {
                self.segment.extend_from_slice(&MAGIC);
            }
            put_frame(&[records], self.synced as u64, &mut self.segment);
        }
        if sync {
            self.synced = self.segment.len();
        }
    }

    /// Puts new files in place; the journal that they replace is removed or stays.
    pub(crate) fn snapshot(&mut self, snapshots: Snapshots, removed: bool) {
        self.old.push(std::mem::take(&mut self.segment));
        self.synced = 0;
        if removed {
            self.old.clear();
        }
        self.files = Some(Files {
            silences: snapshots.silences,
            notification_log: snapshots.notification_log,
            alerts: snapshots.alerts.map(AlertsPicture::payloads).map(Iterator::collect),
        });
    }

    /// The machine stops: `lost` of what isn't durable is gone, 0 to 1. The next life writes another segment.
    pub(crate) fn crash(&mut self, lost: f64) {
        let unsynced = (self.segment.len() - self.synced) as f64;
        self.segment.truncate(self.segment.len() - (unsynced * lost) as usize);
    }

    /// What a start finds.
    pub(crate) fn restored(&mut self, started_at: Timestamp) -> Restored {
        if !self.segment.is_empty() {
            self.old.push(std::mem::take(&mut self.segment));
            self.synced = 0;
        }
        let segments = self.old.iter().map(|segment| read(&Bytes::copy_from_slice(segment)));
        let journal = segments.flat_map(|content| match content {
            Ok(content) => content.payloads,
            // an end that was cut off is no damage; the acknowledged silences would be missing
            Err(_) => Vec::new(),
        });
        let files = self.files.clone();
        Restored {
            silences: files.as_ref().map(|files| files.silences.clone()),
            notification_log: files.as_ref().map(|files| files.notification_log.clone()),
            alerts: files.and_then(|files| files.alerts),
            journal: journal.collect(),
            started_at,
            ..Restored::default()
        }
    }
}
