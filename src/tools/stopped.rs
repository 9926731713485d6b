//! Whether somebody wants it to end.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Returns with SIGINT or SIGTERM.
pub(crate) async fn stopped() {
    // without a handler the signal ends the process, which is what is wanted
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// The same for who has to tidy up first.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// From now on signals end nothing by themselves.
    pub(crate) fn listen() -> Self {
        let (told, stop) = watch::channel(false);
        tokio::spawn(async move {
            stopped().await;
            told.send_replace(true);
        });
        Self(stop)
    }

    /// Whether the signal came.
    pub(crate) fn came(&self) -> bool {
        *self.0.borrow()
    }

    /// Until then, or a signal.
    pub(crate) async fn sleep(&self, for_: std::time::Duration) {
        let mut told = self.0.clone();
        // who listens ends with the runtime
        let _ = tokio::time::timeout(for_, told.wait_for(|came| *came)).await;
    }
}
