//! A file that takes all the room of a disk.

use std::io::Write as _;
use std::path::{Path, PathBuf};

const NAME: &str = "filled-by-drill";
/// More is never written: other things may live on the same disk.
const FILL_MAX: u64 = 1 << 30;

/// Why a disk must not be filled: it has that much room. `None`: it may be.
///
/// # Errors
/// When the system doesn't say.
pub(super) fn too_large(directory: &Path) -> Result<Option<String>, String> {
    let disk =
        rustix::fs::statvfs(directory).map_err(|error| format!("looking at {}: {error}", directory.display()))?;
    let room = disk.f_bavail.saturating_mul(disk.f_frsize);
    let gib = |bytes: u64| bytes as f64 / (1_u64 << 30) as f64;
    let words = || format!("its disk has {:.1} GiB left, and {:.0} at most are filled", gib(room), gib(FILL_MAX));
    Ok((room > FILL_MAX).then(words))
}

/// Until there is no room any more.
pub(super) fn fill(directory: &Path) -> Result<(), String> {
    let mut file = std::fs::File::create(path(directory)).map_err(|error| format!("filling the disk: {error}"))?;
    let mut written = 0;
    for size in [64 << 10, 1] {
        let piece = vec![0; size];
        while written < FILL_MAX && file.write_all(&piece).is_ok() {
            written += size as u64;
        }
    }
    Ok(())
}

/// And now there is again.
pub(super) fn free(directory: &Path) -> Result<(), String> {
    std::fs::remove_file(path(directory)).map_err(|error| format!("making room on the disk: {error}"))
}

fn path(directory: &Path) -> PathBuf {
    directory.join(NAME)
}
