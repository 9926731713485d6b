//! Secrets in files that are read once.

use alerting::config::AppliedFile;

/// What a file holds, or a line that says why there is nothing to be had.
pub(super) fn read(file: &AppliedFile) -> Result<String, String> {
    match std::fs::read(&file.path) {
        Ok(content) => Ok(String::from_utf8_lossy(&content).into_owned()),
        Err(error) => Err(format!("{}: {}: open {}: {error}", file.place, file.failure, file.path)),
    }
}
