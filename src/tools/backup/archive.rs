//! What a backup is: some parts, and a manifest that is written last. What has no manifest was interrupted, and is none.
//!
//! `<place>/<name>/<part>`, `<place>/<name>/manifest.json`. Names sort by time.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::time::Timestamp;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::place::Place;

/// Of this layout; a newer one is refused.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// What has no manifest after this long never gets one.
const UNFINISHED: Duration = Duration::from_secs(24 * 3600);

/// The parts of a backup, by name.
pub(super) type Parts = BTreeMap<&'static str, Bytes>;

/// Silences as API v2 lists them, the expired ones included.
pub(super) const SILENCES: &str = "silences.json";
/// The notification log as its file in a member's storage directory; not there where no member could give it.
pub(super) const NOTIFICATION_LOG: &str = "nflog";
/// Alerts as API v2 lists them.
pub(super) const ALERTS: &str = "alerts.json";
/// The config as the members print it: without secrets.
pub(super) const CONFIG: &str = "config.yml";
/// Who was asked, and what each said of itself.
pub(super) const CLUSTER: &str = "cluster.json";
const PARTS: [&str; 5] = [ALERTS, CLUSTER, CONFIG, NOTIFICATION_LOG, SILENCES];

/// Vouches for the parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    format: u32,
    /// RFC 3339, UTC.
    pub(super) taken_at: String,
    /// By which version of this program.
    program: String,
    /// What could not be had, in words.
    pub(super) lacks: Vec<String>,
    pub(super) parts: BTreeMap<String, Part>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) bytes: u64,
    /// Hex digits.
    sha256: String,
}

/// A backup that is whole, as far as its manifest says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Listed {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) manifest: Manifest,
}

/// Why a backup can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The place doesn't do what it's asked.
    #[error("{doing} {path}")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: Path,
        /// Why not.
        #[source]
        source: Answer,
    },
    /// It isn't there.
    #[error("there is no whole backup called `{0}` (`restore --list` shows all)")]
    NotFound(String),
    /// None is.
    #[error("there is no whole backup at all")]
    Empty,
    /// A newer version made it.
    #[error("backup `{name}` has format {format}, this version knows {FORMAT}: use a newer one")]
    Format {
        /// The backup.
        name: String,
        /// Its format.
        format: u32,
    },
    /// It isn't as it was written.
    #[error("backup `{name}` is damaged: {what}")]
    Damaged {
        /// The backup.
        name: String,
        /// In what.
        what: String,
    },
}

/// What the place says. A bucket answers with a page of XML: its code and its sentence are what helps.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Answer(String);

impl From<object_store::Error> for Answer {
    fn from(error: object_store::Error) -> Self {
        // it has its causes in its text
        let text = error.to_string();
        let between = |tag: &str| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            Some(rest.split_once('<')?.0)
        };
        match (between("Code"), between("Message")) {
            (Some(code), Some(message)) => Self(format!("{code}: {message}")),
            _ => Self(text),
        }
    }
}

/// Writes a backup; its name.
pub(super) async fn write(
    place: &Place,
    now: Timestamp,
    parts: &Parts,
    lacks: Vec<String>,
) -> Result<Listed, ArchiveError> {
    let taken_at = now.rfc3339_millis();
    let name = taken_at.replace([':', '.', '-'], "");
    let mut manifest = Manifest {
        format: FORMAT,
        taken_at,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        lacks,
        parts: BTreeMap::new(),
    };
    for (part, content) in parts {
        put(place, &place.path(&name, part), content.clone()).await?;
        let described = Part { bytes: content.len() as u64, sha256: digest(content) };
        manifest.parts.insert((*part).to_owned(), described);
    }
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    put(place, &place.path(&name, MANIFEST), text.into()).await?;
    Ok(Listed { name, manifest })
}

/// All that are whole, the oldest first.
pub(super) async fn list(place: &Place) -> Result<Vec<Listed>, ArchiveError> {
    let mut all = Vec::new();
    for (name, files) in names(place).await? {
        if files.contains_key(MANIFEST) {
            all.push(Listed { manifest: manifest(place, &name).await?, name });
        }
    }
    Ok(all)
}

/// The one called `name`, or the newest, each part as it was written.
pub(super) async fn read(place: &Place, name: Option<&str>) -> Result<(Listed, Parts), ArchiveError> {
    let whole: Vec<String> =
        names(place).await?.into_iter().filter(|(_, f)| f.contains_key(MANIFEST)).map(|(n, _)| n).collect();
    let name = match name {
        Some(name) if whole.iter().any(|one| one == name) => name.to_owned(),
        Some(name) => return Err(ArchiveError::NotFound(name.to_owned())),
        None => whole.last().cloned().ok_or(ArchiveError::Empty)?,
    };
    let manifest = manifest(place, &name).await?;
    let mut parts = Parts::new();
    for part in PARTS {
        let Some(described) = manifest.parts.get(part) else { continue };
        let content = get(place, &place.path(&name, part)).await?;
        if described.bytes != content.len() as u64 || described.sha256 != digest(&content) {
            let what = format!("{part} is not what was written (size or SHA-256)");
            return Err(ArchiveError::Damaged { name, what });
        }
        parts.insert(part, content);
    }
    Ok((Listed { name, manifest }, parts))
}

/// Removes what is older than `keep`, but never the newest whole one; and what was interrupted long ago. Their names.
pub(super) async fn clean(place: &Place, now: Timestamp, keep: Duration) -> Result<Vec<String>, ArchiveError> {
    let all = names(place).await?;
    let newest = all.iter().rfind(|(_, files)| files.contains_key(MANIFEST)).map(|(name, _)| name.clone());
    let mut gone = Vec::new();
    for (name, files) in &all {
        let whole = files.contains_key(MANIFEST);
        let Some(written) = files.values().max() else { continue };
        let old = now.since(*written) > if whole { keep } else { keep.min(UNFINISHED) };
        if !old || Some(name) == newest.as_ref() {
            continue;
        }
        // the manifest first: what is left if this is interrupted is no backup any more
        let rest = files.keys().filter(|file| *file != MANIFEST);
        for file in files.keys().filter(|file| *file == MANIFEST).chain(rest) {
            let path = place.path(name, file);
            let deleted = place.store.delete(&path).await;
            deleted.map_err(|error| ArchiveError::Store { doing: "deleting", path, source: error.into() })?;
        }
        gone.push(name.clone());
    }
    Ok(gone)
}

/// The files of each directory that may be a backup, with when they were written.
async fn names(place: &Place) -> Result<BTreeMap<String, BTreeMap<String, Timestamp>>, ArchiveError> {
    let listed: Result<Vec<_>, _> = place.store.list(Some(&place.root)).try_collect().await;
    let failed = |error: object_store::Error| ArchiveError::Store {
        doing: "listing",
        path: place.root.clone(),
        source: error.into(),
    };
    let listed = listed.map_err(failed)?;
    let mut all = BTreeMap::<String, BTreeMap<String, Timestamp>>::new();
    for object in listed {
        let Some(rest) = object.location.prefix_match(&place.root) else { continue };
        let rest: Vec<_> = rest.map(|part| part.as_ref().to_owned()).collect();
        // whatever else lies there is somebody else's
        if let [name, file] = rest.as_slice()
            && is_name(name)
        {
            let written = Timestamp::from_nanos(object.last_modified.timestamp_nanos_opt().unwrap_or(i64::MAX));
            all.entry(name.clone()).or_default().insert(file.clone(), written);
        }
    }
    Ok(all)
}

/// `20261130T162501123Z`
fn is_name(name: &str) -> bool {
    name.len() == 19
        && name.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            18 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}

async fn manifest(place: &Place, name: &str) -> Result<Manifest, ArchiveError> {
    let text = get(place, &place.path(name, MANIFEST)).await?;
    let damaged = |error: serde_json::Error| ArchiveError::Damaged { name: name.to_owned(), what: error.to_string() };
    let manifest: Manifest = serde_json::from_slice(&text).map_err(damaged)?;
    match manifest.format {
        FORMAT => Ok(manifest),
        format => Err(ArchiveError::Format { name: name.to_owned(), format }),
    }
}

async fn put(place: &Place, path: &Path, content: Bytes) -> Result<(), ArchiveError> {
    let failed =
        |error: object_store::Error| ArchiveError::Store { doing: "writing", path: path.clone(), source: error.into() };
    place.store.put(path, content.into()).await.map(drop).map_err(failed)
}

async fn get(place: &Place, path: &Path) -> Result<Bytes, ArchiveError> {
    let failed =
        |error: object_store::Error| ArchiveError::Store { doing: "reading", path: path.clone(), source: error.into() };
    place.store.get(path).await.map_err(failed)?.bytes().await.map_err(failed)
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn place(dir: &std::path::Path) -> Place {
        Place::open(&dir.display().to_string(), true).unwrap()
    }

    fn parts(silences: &'static str) -> Parts {
        Parts::from([(SILENCES, Bytes::from_static(silences.as_bytes())), (CONFIG, Bytes::from_static(b"route: x"))])
    }

    #[test]
    fn what_a_bucket_answers_is_a_sentence() {
        let error = |text: &str| object_store::Error::Generic { store: "S3", source: text.to_owned().into() };
        let page = "status 403: <?xml?><Error><Code>SignatureDoesNotMatch</Code><Message>Check your key</Message><X/>";
        assert_eq!(Answer::from(error(page)).to_string(), "SignatureDoesNotMatch: Check your key");
        assert_eq!(Answer::from(error("connection refused")).to_string(), "Generic S3 error: connection refused");
    }

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[tokio::test]
    async fn what_was_written_is_read_and_the_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        assert!(matches!(read(&place, None).await, Err(ArchiveError::Empty)));
        let first = write(&place, NOW, &parts("[1]"), vec!["the log".into()]).await.unwrap();
        assert_eq!(first.name, "20270115T080000000Z");
        let second = write(&place, NOW + Duration::from_secs(1), &parts("[2]"), Vec::new()).await.unwrap();
        let (listed, read_parts) = read(&place, None).await.unwrap();
        assert_eq!((listed.manifest, read_parts), (second.manifest, parts("[2]")));
        let (listed, read_parts) = read(&place, Some(&first.name)).await.unwrap();
        assert_eq!((listed.manifest.lacks, read_parts), (vec!["the log".to_owned()], parts("[1]")));
        assert_eq!(list(&place).await.unwrap().len(), 2);
        assert!(matches!(read(&place, Some("x")).await, Err(ArchiveError::NotFound(_))));
    }

    #[tokio::test]
    async fn what_is_interrupted_or_damaged_is_never_taken_for_whole() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        let first = write(&place, NOW, &parts("[1]"), Vec::new()).await.unwrap();
        let second = write(&place, NOW + Duration::from_secs(1), &parts("[2]"), Vec::new()).await.unwrap();
        std::fs::remove_file(dir.path().join(&second.name).join(MANIFEST)).unwrap();
        assert_eq!(read(&place, None).await.unwrap().0.name, first.name, "as if the second was cut off");
        std::fs::write(dir.path().join(&first.name).join(SILENCES), "[7]").unwrap();
        let error = read(&place, None).await.unwrap_err().to_string();
        assert!(error.contains("silences.json is not what was written"), "{error}");
        let manifest = dir.path().join(&first.name).join(MANIFEST);
        let newer = std::fs::read_to_string(&manifest).unwrap().replace("\"format\": 1", "\"format\": 2");
        std::fs::write(&manifest, newer).unwrap();
        assert!(matches!(read(&place, None).await, Err(ArchiveError::Format { format: 2, .. })));
    }

    #[tokio::test]
    async fn the_old_go_but_the_newest_whole_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        for secs in 0..3 {
            write(&place, NOW + Duration::from_secs(secs), &parts("[]"), Vec::new()).await.unwrap();
        }
        std::fs::create_dir(dir.path().join("mine")).unwrap();
        std::fs::write(dir.path().join("mine/file"), "").unwrap();
        std::fs::remove_file(dir.path().join("20270115T080002000Z").join(MANIFEST)).unwrap();
        let now = Timestamp::from_nanos(
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as i64,
        );
        let day = Duration::from_secs(86_400);
        assert!(clean(&place, now, day * 30).await.unwrap().is_empty());
        let gone = clean(&place, now + day * 2, day * 30).await.unwrap();
        assert_eq!(gone, ["20270115T080002000Z"], "nobody goes on with it");
        let gone = clean(&place, now + day * 31, day * 30).await.unwrap();
        assert_eq!(gone, ["20270115T080000000Z"]);
        assert!(clean(&place, now + day * 400, day * 30).await.unwrap().is_empty());
        assert_eq!(list(&place).await.unwrap().len(), 1);
        assert!(dir.path().join("mine/file").exists());
    }
}
