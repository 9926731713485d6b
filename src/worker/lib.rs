//! The process that is the Alertmanager: sockets, files, HTTP around the engine of crate `alerting`.
//!
//! Invariants: one task owns the engine (`event_loop`); whatever the engine asks for is carried out or answered; no
//! lock is held over an await; the engine's task never waits for the network or the disk.

pub mod flags;
pub mod handle;
pub mod reload;
mod run;

pub use flags::{Exit, Flags};
pub use run::{Error, run};
