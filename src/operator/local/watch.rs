//! Edits of the manifest's files, seen by reading them again: it works with every editor and every file system.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::manifest::{Manifest, ManifestError, Sources};

/// How often the files are read.
const LOOK: Duration = Duration::from_millis(500);

/// A message for each edit of `paths`, which read as `known` when they were last looked at. `members`: so many whatever
/// the files say.
pub(super) fn edits(
    paths: Vec<PathBuf>,
    known: Sources,
    members: Option<u32>,
) -> mpsc::Receiver<Result<Manifest, ManifestError>> {
    let (sender, edits) = mpsc::channel(1);
    if !paths.is_empty() {
        tokio::spawn(watch(paths, known, members, sender));
    }
    edits
}

async fn watch(
    paths: Vec<PathBuf>,
    known: Sources,
    members: Option<u32>,
    edits: mpsc::Sender<Result<Manifest, ManifestError>>,
) {
    let mut known = Ok(known);
    let mut before = None;
    while !edits.is_closed() {
        sleep(LOOK).await;
        let paths = paths.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || Sources::read(&paths)).await else { return };
        let now = read.map_err(|error| crate::error_chain(&error));
        // An editor may be in the middle of writing: an edit counts when it has been seen twice.
        if now != known && before.as_ref() == Some(&now) {
            let edit = match &now {
                Ok(sources) => Manifest::new(sources).map(|manifest| manifest.with_members(members)),
                Err(error) => Err(ManifestError::Unreadable(error.clone())),
            };
            if edits.send(edit).await.is_err() {
                return;
            }
            known = now.clone();
        }
        before = Some(now);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tells_of_edits_and_of_their_faults() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.yaml");
        let text = |replicas: u32| {
            format!(
                "apiVersion: alertmanager.dev/v1alpha1\nkind: AlertmanagerCluster\nmetadata: {{name: main}}\n\
                 spec: {{replicas: {replicas}, config: {{inline: 'route: {{receiver: a}}\n\n    receivers: [{{name: a}}]'}}}}\n"
            )
        };
        std::fs::write(&file, text(1)).unwrap();
        let paths = vec![dir.path().to_owned()];
        let mut edits = edits(paths.clone(), Sources::read(&paths).unwrap(), None);
        std::fs::write(&file, text(2)).unwrap();
        assert_eq!(edits.recv().await.unwrap().unwrap().plan.replicas, 2);
        std::fs::write(&file, text(0)).unwrap();
        assert!(edits.recv().await.unwrap().is_err());
        std::fs::write(&file, text(2)).unwrap();
        assert!(edits.recv().await.unwrap().is_ok());
        std::fs::remove_dir_all(dir.path()).unwrap();
        let error = edits.recv().await.unwrap().unwrap_err().to_string();
        assert!(error.starts_with("reading "), "{error}");
    }
}
