//! The wiring, top to bottom, in the reference's order of start.

use crate::flags::{FlagError, Flags};

/// Why the worker did not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line makes no sense.
    #[error(transparent)]
    Flags(#[from] FlagError),
}

/// Runs a member until it is told to stop.
///
/// # Errors
/// When it can't start or a listener fails.
pub async fn run(flags: Flags) -> Result<(), Error> {
    let _settings = flags.check()?;
    std::future::ready(()).await;
    Ok(())
}
