//! How the rest of the process talks to the event loop, which alone owns the engine.

use alerting::effects::{Answer, Input, Ticket};
use alerting::engine::View;
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait for the event loop; beyond that, who asks waits (a slow loop slows its clients down instead
/// of filling the memory).
pub const QUEUE: usize = 1024;

/// What runs on the event loop with a picture of the engine.
pub type Look = Box<dyn FnOnce(&mut View<'_>) + Send>;

/// Makes an input once the event loop has chosen its ticket.
pub type MakeInput = Box<dyn FnOnce(Ticket) -> Input + Send>;

/// Something for the event loop to do.
pub enum Command {
    /// Hand an input to the engine, keep the reply until the engine answers to the ticket.
    Ask {
        /// Called with a fresh ticket.
        make: MakeInput,
        /// The span of the request that brings it.
        request: Option<opentelemetry::Context>,
        /// Where the answer goes. Its receiver may be gone: a client that hung up is no error.
        reply: oneshot::Sender<Answer>,
    },
    /// Run this with a view of the engine as of now. It must be short: take handles, serialise elsewhere.
    View(Look),
    /// Hand an input without a ticket to the engine.
    Feed(Input),
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ask { .. } => "Ask",
            Self::View(_) => "View",
            Self::Feed(_) => "Feed",
        })
    }
}

/// The event loop has ended: the process is about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("asking the engine: it has stopped")]
pub struct Stopped;

/// The sending end; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    tx: mpsc::Sender<Command>,
}

impl Handle {
    /// A handle and what the event loop receives from.
    pub fn new() -> (Self, mpsc::Receiver<Command>) {
        let (tx, rx) = mpsc::channel(QUEUE);
        (Self { tx }, rx)
    }

    /// Hands an input to the engine and waits for its answer.
    ///
    /// # Errors
    /// When the event loop has ended, before or after it took the input.
    pub async fn ask(&self, make: impl FnOnce(Ticket) -> Input + Send + 'static) -> Result<Answer, Stopped> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Ask { make: Box::new(make), request: crate::trace::of_request(), reply };
        self.tx.send(command).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Runs `look` on the event loop with a view of the engine as of then, and returns what it returns. Keep it short:
    /// nothing else happens meanwhile.
    ///
    /// # Errors
    /// When the event loop has ended.
    pub async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut View<'_>) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (reply, seen) = oneshot::channel();
        let look: Look = Box::new(move |view| {
            // nobody waits any more: the client hung up
            let _ = reply.send(look(view));
        });
        self.tx.send(Command::View(look)).await.map_err(|_| Stopped)?;
        seen.await.map_err(|_| Stopped)
    }

    /// Hands an input without a ticket to the engine; returns when it's queued.
    ///
    /// # Errors
    /// When the event loop has ended.
    pub async fn feed(&self, input: Input) -> Result<(), Stopped> {
        self.tx.send(Command::Feed(input)).await.map_err(|_| Stopped)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_finds_who_asked() {
        let (handle, mut commands) = Handle::new();
        let asker =
            tokio::spawn(async move { handle.ask(|ticket| Input::Alerts { ticket, alerts: Vec::new() }).await });
        let Some(Command::Ask { make, reply, .. }) = commands.recv().await else { panic!("expected a question") };
        assert!(matches!(make(7), Input::Alerts { ticket: 7, .. }));
        reply.send(Answer::Done).unwrap();
        assert_eq!(asker.await.unwrap(), Ok(Answer::Done));
    }

    #[tokio::test]
    async fn a_stopped_loop_leaves_nobody_waiting() {
        let (handle, mut commands) = Handle::new();
        let asker = tokio::spawn({
            let handle = handle.clone();
            async move { handle.view(|_| ()).await }
        });
        let command = commands.recv().await;
        drop((command, commands));
        assert_eq!(asker.await.unwrap(), Err(Stopped));
        assert_eq!(handle.feed(Input::Tick).await, Err(Stopped));
    }
}
