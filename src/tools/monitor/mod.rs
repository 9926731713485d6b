//! `monitor`: `diagnose` again and again. Says what changes, serves metrics, and has the members that are left page about
//! those that are not. Works with the Go Alertmanager, too.

mod serve;
mod tell;
mod watch;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use serde_json::json;

use crate::Finished;
use crate::chain::chain;
use crate::clock::{duration, now};
use crate::diagnose::{self, DiagnoseError, Members};
use crate::output::Output;
use crate::stopped::stopped;
use tell::Teller;
use watch::Watch;

/// `alertmanager-operator monitor`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    members: Members,

    /// Between two looks
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = interval)]
    interval: Duration,

    /// So many looks in a row make a failure, or an inconsistency
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    threshold: u32,

    /// End after so many looks, with 1 if anything is wrong then
    #[arg(long, value_name = "N")]
    looks: Option<u64>,

    /// Serve /metrics here, as host:port
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// Don't post AlertmanagerNodeFailure and AlertmanagerClusterInconsistent to the members
    #[arg(long)]
    no_alerts: bool,

    /// Is told in JSON when a member fails or is back: for taking it out of a load balancer
    #[arg(long, value_name = "URL")]
    webhook: Option<Url>,

    /// How to print changes: as lines for people, or as one JSON object each
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

/// Why it can't go on.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The members can't be named.
    #[error(transparent)]
    Members(#[from] DiagnoseError),
    /// Metrics can't be served.
    #[error("listening for metrics at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Changes can't be printed.
    #[error("printing what has changed")]
    Print(#[source] std::io::Error),
}

/// What the last look came to.
#[derive(Debug)]
struct Seen {
    watch: Watch,
    looks: u64,
    took: Duration,
}

/// Looks until SIGINT or SIGTERM, or as often as the flags say.
///
/// # Errors
/// When what is given names no members, or metrics can't be served. Whatever happens to members is no error.
pub async fn run(flags: Flags) -> Result<Finished, MonitorError> {
    let seen = Arc::new(Mutex::new(Seen { watch: Watch::new(flags.threshold), looks: 0, took: Duration::ZERO }));
    if let Some(address) = flags.listen {
        let failed = |source| MonitorError::Listen { address, source };
        serve::start(address, Arc::clone(&seen)).await.map_err(failed)?;
    }
    let mut teller = Teller::new(&flags, flags.members.client().await?);
    let mut stop = std::pin::pin!(stopped());
    let mut next = tokio::time::interval(flags.interval);
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for look in 1.. {
        tokio::select! {
            () = &mut stop => break,
            _ = next.tick() => {}
        }
        let started = Instant::now();
        let (members, findings) = tokio::select! {
            () = &mut stop => break,
            looked = diagnose::look(&flags.members) => match looked {
                Ok(looked) => looked,
                // a name that can't be looked up now may be back, but not one that never could
                Err(error) if look > 1 => {
                    print(&flags, &now().rfc3339_millis(), "lookup_failed", &chain(&error), &json!({"error": chain(&error)}))?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            },
        };
        let (changes, alerts, well) = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let changes = seen.watch.look(&members, &findings);
            (seen.looks, seen.took) = (look, started.elapsed());
            (changes, seen.watch.alerts(), seen.watch.all_is_well())
        };
        let at = now().rfc3339_millis();
        for change in &changes {
            print(&flags, &at, "change", &change.sentence(), &serde_json::to_value(change).unwrap_or_default())?;
        }
        for complaint in teller.tell(&members, &changes, &alerts).await {
            print(&flags, &at, "untold", &complaint, &json!({"untold": complaint}))?;
        }
        if flags.looks == Some(look) {
            return Ok(Finished { text: String::new(), warning: None, success: well });
        }
    }
    Ok(Finished::good(String::new()))
}

fn print(flags: &Flags, at: &str, kind: &str, text: &str, value: &serde_json::Value) -> Result<(), MonitorError> {
    let line = match flags.output {
        Output::Text => format!("{at} {text}\n"),
        Output::Json => {
            let mut value = value.clone();
            if let Some(object) = value.as_object_mut() {
                object.insert("at".to_owned(), json!(at));
                object.insert("kind".to_owned(), json!(kind));
            }
            format!("{value}\n")
        }
    };
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).map_err(MonitorError::Print)
}

/// One that looks may be repeated at.
fn interval(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|given| if given.is_zero() { Err("must not be zero".to_owned()) } else { Ok(given) })
}
