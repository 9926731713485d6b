//! How backups went, from their Jobs; the API server is asked only for the words of one that failed.

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};

use crate::crd::BackupStatus;
use crate::plan::Standing;
use crate::plan::backups::{BackupRun, stand, unexplained};
use crate::plan::trouble::last_words;

/// How the backups of a cluster stand, by its Jobs, after what was known of them.
///
/// # Errors
/// When the API server doesn't say.
pub(crate) async fn look(
    client: &Client,
    namespace: &str,
    jobs: &[Job],
    before: Option<&BackupStatus>,
) -> Result<(BackupStatus, Standing), kube::Error> {
    let runs: Vec<BackupRun> = jobs.iter().filter_map(run).collect();
    let why = match unexplained(before, &runs) {
        Some(failed) => words(client, namespace, failed).await?.or_else(|| verdict(jobs, failed)),
        None => None,
    };
    Ok(stand(before, &runs, why.as_deref()))
}

/// `None`: it goes on.
fn run(job: &Job) -> Option<BackupRun> {
    let ended = ending(job)?;
    let at = ended.last_transition_time.as_ref().map_or_else(Timestamp::now, |time| time.0);
    Some(BackupRun {
        ended: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        job: job.name_any(),
        succeeded: ended.type_ == "Complete",
    })
}

fn ending(job: &Job) -> Option<&JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|of| matches!(of.type_.as_str(), "Complete" | "Failed") && of.status == "True")
}

/// What the program said last, from its newest pod.
async fn words(client: &Client, namespace: &str, failed: &BackupRun) -> Result<Option<String>, kube::Error> {
    let api = Api::<Pod>::namespaced(client.clone(), namespace);
    let mut pods = api.list(&ListParams::default().labels(&format!("job-name={}", failed.job))).await?.items;
    pods.sort_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
    let last = pods.iter().rev().flat_map(|pod| pod.status.iter().flat_map(|status| &status.container_statuses));
    let mut ends = last.flatten().filter_map(|container| container.state.as_ref()?.terminated.as_ref());
    let said = ends.find_map(|end| end.message.as_deref()).map(last_words);
    Ok(said.filter(|words| !words.is_empty()).map(str::to_owned))
}

/// Why Kubernetes gave it up: it may never have run.
fn verdict(jobs: &[Job], failed: &BackupRun) -> Option<String> {
    let job = jobs.iter().find(|job| job.name_any() == failed.job)?;
    ending(job)?.message.clone()
}
