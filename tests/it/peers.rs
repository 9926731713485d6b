//! Programs of the real Alertmanager.

use std::path::PathBuf;
use std::process::Command;

/// Where a program of the test bed is; fails with how to get it.
pub(crate) fn path(program: &str) -> PathBuf {
    let home = || std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cache = || std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home().join(".cache"), PathBuf::from);
    let bin = std::env::var_os("TESTBED_BIN");
    let bin = bin.map_or_else(|| cache().join("alertmanager-operator-testbed/bin"), PathBuf::from);
    let found = bin.join(program);
    assert!(found.exists(), "{} is missing: `make packages peers-fast` gets it", found.display());
    found
}

/// Runs amtool; its exit code, standard output and standard error.
pub(crate) fn amtool(args: &[&str]) -> (i32, String, String) {
    // Its own configuration files must not have a say.
    let output = Command::new(path("amtool")).args(args).env("HOME", "/nonexistent").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}
