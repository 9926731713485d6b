//! The process that is the Alertmanager: sockets, files, HTTP around the engine of crate `alerting`.
//!
//! Invariants: one task owns the engine (`event_loop`); whatever the engine asks for is carried out or answered; no
//! lock is held over an await; the engine's task never waits for the network or the disk.

pub mod api;
mod clock;
mod deliver;
mod event_loop;
pub mod flags;
pub mod handle;
mod health;
mod log;
mod metrics;
mod net;
mod observed;
mod process;
mod reach;
pub mod receivers;
mod recorder;
pub mod reload;
mod run;
mod serve;
mod store;
mod trace;
mod url;
mod web_config;

pub use flags::{Exit, Flags};
pub use log::init as init_log;
pub use process::StopError;
pub use run::{Error, run};
pub use serve::ListenError;
pub use store::StoreError;
pub use trace::TraceError;
pub use url::UrlError;
pub use web_config::WebConfigError;

/// The Alertmanager that this program stands in for: what `--version`, the status API and `alertmanager_build_info`
/// answer, since amtool compares it with its own. Our own version is given as the branch.
pub const COMPATIBLE_VERSION: &str = "0.34.2";
