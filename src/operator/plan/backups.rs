//! How the backups of a cluster stand, from the Jobs that took them.

use crate::crd::{BackupFailure, BackupStatus};

use super::Standing;

/// One Job that has ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupRun {
    /// When it ended, RFC 3339 in UTC.
    pub ended: String,
    /// The Job.
    pub job: String,
    /// Whether there is a backup.
    pub succeeded: bool,
}

/// The newest of them, and how backups stand: what is known from before is kept, since Jobs are removed. `why` is what
/// the newest said when it failed.
pub fn stand(before: Option<&BackupStatus>, runs: &[BackupRun], why: Option<&str>) -> (BackupStatus, Standing) {
    let newest = |succeeded| runs.iter().filter(|run| run.succeeded == succeeded).max();
    let mut status = before.cloned().unwrap_or_default();
    if let Some(run) = newest(true) {
        status.last_successful_time = status.last_successful_time.max(Some(run.ended.clone()));
    }
    if let Some(run) = newest(false)
        && status.last_failure.as_ref().is_none_or(|known| known.time < run.ended || why.is_some())
    {
        let message = why.unwrap_or("its Job failed").to_owned();
        status.last_failure = Some(BackupFailure { time: run.ended.clone(), job: run.job.clone(), message });
    }
    let standing = match (&status.last_successful_time, &status.last_failure) {
        (good, Some(failure)) if good.as_ref().is_none_or(|good| *good < failure.time) => Standing {
            ready: false,
            reason: "LastFailed",
            message: format!("{} failed at {}: {}", failure.job, failure.time, failure.message),
        },
        (Some(good), _) => {
            Standing { ready: true, reason: "LastSucceeded", message: format!("the last one was taken at {good}") }
        }
        (None, _) => Standing { ready: false, reason: "NoneYet", message: "none has been taken yet".to_owned() },
    };
    (status, standing)
}

/// The Job whose words are still to be asked for: the newest, if it failed and isn't known.
pub fn unexplained<'a>(before: Option<&BackupStatus>, runs: &'a [BackupRun]) -> Option<&'a BackupRun> {
    let known = before.and_then(|status| status.last_failure.as_ref()).map(|failure| failure.job.as_str());
    runs.iter().max().filter(|run| !run.succeeded && known != Some(run.job.as_str()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(hour: u32, succeeded: bool) -> BackupRun {
        BackupRun { ended: format!("2026-01-01T0{hour}:00:00Z"), job: format!("j{hour}"), succeeded }
    }

    #[test]
    fn the_newest_counts_and_what_was_known_stays() {
        let (none, standing) = stand(None, &[], None);
        assert_eq!((none.clone(), standing.reason), (BackupStatus::default(), "NoneYet"));
        let (first, standing) = stand(Some(&none), &[run(1, true)], None);
        assert_eq!((standing.ready, &*standing.message), (true, "the last one was taken at 2026-01-01T01:00:00Z"));
        let runs = [run(1, true), run(2, false)];
        assert_eq!(unexplained(Some(&first), &runs).unwrap().job, "j2");
        let (failed, standing) = stand(Some(&first), &runs, Some("no such bucket"));
        assert_eq!((standing.ready, &*standing.message), (false, "j2 failed at 2026-01-01T02:00:00Z: no such bucket"));
        assert_eq!(failed.last_successful_time.as_deref(), Some("2026-01-01T01:00:00Z"));
        assert_eq!(unexplained(Some(&failed), &runs), None);
        // asked no more, it's still known; and once the Jobs are gone, too
        assert_eq!(stand(Some(&failed), &runs, None).0, failed);
        assert_eq!(stand(Some(&failed), &[], None).0, failed);
        let (good, standing) = stand(Some(&failed), &[run(2, false), run(3, true)], None);
        assert_eq!((standing.ready, unexplained(Some(&good), &[run(2, false), run(3, true)])), (true, None));
        assert_eq!(stand(Some(&good), &[run(2, true)], None).0, good, "time goes on only");
    }
}
