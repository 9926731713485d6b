//! What the process has from the system: signals, the end of standard input, limits, its host's name.

use std::io::{self, Read};

use rustix::process::{Resource, Rlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Signals can't be received.
#[derive(Debug, thiserror::Error)]
#[error("listening for signals")]
pub struct StopError(#[from] io::Error);

/// Waits for the wish to end.
#[derive(Debug)]
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
    stdin: oneshot::Receiver<()>,
    /// Kept when standard input doesn't matter: then its end is never reported.
    _never: Option<oneshot::Sender<()>>,
}

/// Whoever starts us sets this to 1 and holds our standard input open: when it dies, however that happens, we end too.
const EXIT_ON_EOF: &str = "ALERTMANAGER_EXIT_ON_STDIN_EOF";

/// As the letters of a ULID are written.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Stop {
    /// Listens from now on; SIGHUP is returned apart, since it asks for something else.
    ///
    /// # Errors
    /// When signals can't be received.
    pub(crate) fn new() -> Result<(Self, Signal), StopError> {
        let (at_end, stdin) = oneshot::channel();
        let never = match std::env::var_os(EXIT_ON_EOF).is_some_and(|value| value == "1") {
            true => {
                // a thread of its own, since a read of standard input can't be cancelled
                std::thread::Builder::new().name("stdin".into()).spawn(move || wait_for_end(at_end))?;
                None
            }
            false => Some(at_end),
        };
        let stop = Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            stdin,
            _never: never,
        };
        Ok((stop, signal(SignalKind::hangup())?))
    }

    /// Returns when the process is to end.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = &mut self.stdin => {}
        }
    }
}

fn wait_for_end(at_end: oneshot::Sender<()>) {
    let mut ignored = [0; 256];
    loop {
        match io::stdin().read(&mut ignored) {
            Ok(1..) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    // it stops already
    let _ = at_end.send(());
}

/// Raises the number of files and sockets to what is allowed, as Go programs do.
pub(crate) fn raise_file_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        // then the old one has to do
        let _ = rustix::process::setrlimit(Resource::Nofile, raised);
    }
}

/// The host's name, or `localhost`.
pub(crate) fn host_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_str().ok().filter(|name| !name.is_empty()).unwrap_or("localhost").to_owned()
}

/// A name for a member that was given none: 26 letters, sorted by time, like a ULID.
pub(crate) fn random_name(now_ms: u64) -> String {
    let bits = (u128::from(now_ms) << 80) | (rand::random::<u128>() >> 48);
    let letter = |at: u32| char::from(CROCKFORD[(bits >> (at * 5)) as usize & 31]);
    (0..26).rev().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_names_differ_and_sort_by_time() {
        let names = [random_name(1_700_000_000_000), random_name(1_700_000_000_001)];
        assert!(names[0] < names[1]);
        assert_ne!(random_name(7), random_name(7));
        assert!(names.iter().all(|name| name.len() == 26 && name.starts_with("01")), "{names:?}");
    }
}
