//! Where backups are: a directory, or a bucket.

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use reqwest::Url;

/// A place for backups.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) store: Box<dyn ObjectStore>,
    pub(super) root: Path,
}

/// There can't be backups.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It can't be made.
    #[error("making the directory `{0}`")]
    Directory(String, #[source] std::io::Error),
    /// It is of no kind that is known, or lacks what is needed to get there.
    #[error(
        "opening `{0}`: a directory, s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH is expected, and the variables of its tools (AWS_…, GOOGLE_…, AZURE_…) for the credentials"
    )]
    Open(String, #[source] object_store::Error),
}

impl Place {
    /// A path, or a URL; credentials are those of the environment. `make`: a directory that isn't there is made.
    pub(super) fn open(named: &str, make: bool) -> Result<Self, PlaceError> {
        // whoever came first in this process has decided already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |source| PlaceError::Open(named.to_owned(), source);
        match Url::parse(named) {
            Ok(url) if url.scheme() != "file" && named.contains("://") => {
                let variables = std::env::vars().map(|(name, value)| (name.to_lowercase(), value));
                let (store, root) = object_store::parse_url_opts(&url, variables).map_err(failed)?;
                Ok(Self { store, root })
            }
            _ => {
                let directory = named.strip_prefix("file://").unwrap_or(named);
                if make {
                    let making = |error| PlaceError::Directory(directory.to_owned(), error);
                    std::fs::create_dir_all(directory).map_err(making)?;
                }
                let store = LocalFileSystem::new_with_prefix(directory).map_err(failed)?;
                Ok(Self { store: Box::new(store.with_fsync(true).with_automatic_cleanup(true)), root: Path::default() })
            }
        }
    }

    pub(super) fn path(&self, name: &str, file: &str) -> Path {
        self.root.clone().join(name).join(file)
    }
}
