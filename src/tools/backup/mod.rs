//! `backup`, `restore` and `cleanup`: the state of a cluster, into a directory or a bucket, and back.
//!
//! `place` (where), `archive` (what a backup is), `gather` (from members or a directory), `bring_back` (to them). Works with
//! the Go Alertmanager, too: by its API without the notification log, by its data directory with it.

mod alive;
mod archive;
mod bring_back;
mod gather;
mod place;
mod silences;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::Finished;
use crate::clock::now;
use crate::diagnose::{self, DiagnoseError, Members};
use crate::output::Output;
pub use archive::ArchiveError;
pub use bring_back::RestoreError;
pub use gather::GatherError;
use place::Place;
pub use place::PlaceError;

/// `alertmanager-operator backup`.
#[derive(Clone, Debug, clap::Args)]
pub struct BackupFlags {
    /// The members: URLs, or `host:port` of what speaks HTTP
    #[arg(value_name = "URL", required_unless_present_any = ["dns", "data_dir"])]
    members: Vec<String>,

    /// A name all of whose addresses are members, as `host:port`
    #[arg(long, value_name = "HOST:PORT")]
    dns: Option<String>,

    /// The storage directory of a member that does not run, of this program or of the Go Alertmanager
    #[arg(long, value_name = "DIR", conflicts_with_all = ["members", "dns"])]
    data_dir: Option<PathBuf>,

    /// Certificates of an authority that members' certificates are from, besides those of the system (PEM)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// A token for members whose API has passwords, at their management port (`--web.management-token-file`)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Afterwards remove backups that are older than so many days, as `cleanup` does; the newest is never removed
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,

    /// Where it goes: a directory, s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH
    #[arg(long, value_name = "PLACE")]
    to: String,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

/// `alertmanager-operator restore`.
#[derive(Clone, Debug, clap::Args)]
pub struct RestoreFlags {
    /// Which backup; the newest unless given
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// Where backups are
    #[arg(long, value_name = "PLACE")]
    from: String,

    /// A running cluster, which gets the silences that still work and that it doesn't have
    #[arg(long, value_name = "URL", required_unless_present_any = ["data_dir", "list"], conflicts_with_all = ["data_dir", "list"])]
    to: Option<String>,

    /// The storage directory of a member to be started, which gets silences and notification log
    #[arg(long, value_name = "DIR", conflicts_with = "list")]
    data_dir: Option<PathBuf>,

    /// Certificates of an authority that members' certificates are from, besides those of the system (PEM)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Also silences that have ended; with --data-dir only: no API takes them
    #[arg(long, requires = "data_dir")]
    expired: bool,

    /// Do nothing, successfully, when there is state in the storage directory already
    #[arg(long, requires = "data_dir")]
    if_empty: bool,

    /// Do nothing, successfully, when there is no backup at all
    #[arg(long, requires = "data_dir", conflicts_with = "name")]
    or_none: bool,

    /// Do nothing, successfully, when a member answers at any address of this name: it has newer state to give
    #[arg(long, value_name = "HOST:PORT", requires = "data_dir")]
    unless_alive: Option<String>,

    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,

    /// Only say which backups there are
    #[arg(long)]
    list: bool,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

/// `alertmanager-operator cleanup`.
#[derive(Clone, Debug, clap::Args)]
pub struct CleanupFlags {
    /// Where backups are
    #[arg(long = "in", value_name = "PLACE")]
    place: String,

    /// How long backups are kept; the newest is never removed
    #[arg(long, value_name = "DAYS", default_value = "30")]
    keep_days: u32,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The members can't be named.
    #[error(transparent)]
    Members(#[from] DiagnoseError),
    /// There is no place for backups.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The backup can't be written or read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// There is nothing to back up.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// It can't be restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

/// Takes a backup. What is missing of it is told; without any silences and alerts to be had it fails.
///
/// # Errors
/// When nothing can be read, or it can't be written.
pub async fn backup(flags: BackupFlags) -> Result<Finished, BackupError> {
    let now = now();
    let place = Place::open(&flags.to, true)?;
    let gathered = match &flags.data_dir {
        Some(directory) => gather::from_directory(directory)?,
        None => {
            let members = Members::new(flags.members, flags.dns, flags.ca_file, flags.token_file);
            let client = members.client().await?;
            gather::from_members(now, &client, &diagnose::urls(&members).await?).await?
        }
    };
    let written = archive::write(&place, now, &gathered.parts, gathered.lacks).await?;
    let removed = match flags.keep_days {
        Some(days) => archive::clean(&place, now, self::days(days)).await?,
        None => Vec::new(),
    };
    let text = match flags.output {
        Output::Json => {
            let mut said = json!(written);
            said["removed"] = json!(removed);
            format!("{said:#}\n")
        }
        Output::Text => {
            let parts = written.manifest.parts.iter().map(|(name, part)| format!("{name} {} bytes", part.bytes));
            let text = format!("{} in {}: {}\n", written.name, flags.to, parts.collect::<Vec<_>>().join(", "));
            removed.iter().fold(text, |text, name| text + &format!("removed {name}\n"))
        }
    };
    let lacks = &written.manifest.lacks;
    let warning = (!lacks.is_empty()).then(|| format!("not in the backup: {}", lacks.join("; ")));
    Ok(Finished { text, warning, success: true })
}

/// Brings a backup back, or lists what there is. Fails (exit code 1) if a part of it could not be.
///
/// # Errors
/// When the backup can't be read, or nothing at all could be done.
pub async fn restore(flags: RestoreFlags) -> Result<Finished, BackupError> {
    let (now, place) = (now(), Place::open(&flags.from, false)?);
    if flags.list {
        let all = archive::list(&place).await?;
        let text = match flags.output {
            Output::Json => format!("{:#}\n", json!(all)),
            Output::Text => all.iter().fold(String::new(), |text, one| {
                let bytes: u64 = one.manifest.parts.values().map(|part| part.bytes).sum();
                text + &format!("{}  {}  {bytes} bytes\n", one.name, one.manifest.taken_at)
            }),
        };
        return Ok(Finished::good(text));
    }
    let skipped = |reason: String| {
        let text = match flags.output {
            Output::Json => format!("{:#}\n", json!({ "skipped": reason })),
            Output::Text => format!("nothing restored: {reason}\n"),
        };
        Finished::good(text)
    };
    if let Some(reason) = needless(&flags).await {
        return Ok(skipped(reason));
    }
    let (listed, parts) = match archive::read(&place, flags.name.as_deref()).await {
        Err(ArchiveError::Empty) if flags.or_none => return Ok(skipped(format!("{} has no backup", flags.from))),
        found => found?,
    };
    let done = match (&flags.data_dir, &flags.to) {
        (Some(directory), _) => bring_back::to_directory(now, &parts, directory, flags.expired, flags.dry_run)?,
        (None, Some(url)) => {
            let client = diagnose::client(flags.ca_file.as_deref(), None).map_err(DiagnoseError::from)?;
            bring_back::to_cluster(now, &client, &parts, url, flags.dry_run).await?
        }
        // the command line asks for one of them
        (None, None) => bring_back::Done::default(),
    };
    let would = if flags.dry_run { " (nothing was changed: --dry-run)" } else { "" };
    let text = match flags.output {
        Output::Json => format!("{:#}\n", json!({"backup": listed.name, "dryRun": flags.dry_run, "done": done.json()})),
        Output::Text => format!("from {}{would}: {}", listed.name, done.text()),
    };
    let log_missing = flags.data_dir.is_some() && !parts.contains_key(archive::NOTIFICATION_LOG);
    let warning = log_missing.then(|| "the backup has no notification log: what fires is told once more".to_owned());
    Ok(Finished { text, warning, success: done.failed.is_empty() })
}

/// Why there is nothing to restore, for who starts members again and again with the same command line.
async fn needless(flags: &RestoreFlags) -> Option<String> {
    let directory = flags.data_dir.as_deref()?;
    if flags.if_empty
        && let Some(path) = bring_back::state_in(directory)
    {
        return Some(format!("{} is there already", path.display()));
    }
    let name = flags.unless_alive.as_deref()?;
    alive::at(name).await.map(|address| format!("{address} is alive, and has the state"))
}

fn days(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 86_400)
}

/// Removes old backups.
///
/// # Errors
/// When the place doesn't do what it's asked.
pub async fn cleanup(flags: CleanupFlags) -> Result<Finished, BackupError> {
    let place = Place::open(&flags.place, false)?;
    let gone = archive::clean(&place, now(), days(flags.keep_days)).await?;
    let text = match flags.output {
        Output::Json => format!("{:#}\n", json!({ "removed": gone })),
        Output::Text => gone.iter().fold(format!("{} removed\n", gone.len()), |text, name| text + name + "\n"),
    };
    Ok(Finished::good(text))
}
