//! The CronJob that takes backups, and the init container of a member that may start from one.

use k8s_openapi::api::batch::v1::{CronJobSpec, JobSpec, JobTemplateSpec};
use k8s_openapi::api::core::v1::{
    Container, EnvFromSource, KeyToPath, PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, SecretEnvSource,
    SecretVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;

use super::pod::{OverlayError, container_security, mount, overlay, pod_security, resources, worker_image};
use super::stateful_set::DATA_VOLUME;
use super::{Other, Rendering};
use crate::crd::BackupPlace;
use crate::plan::{
    LABEL_BACKUP_OF, LABEL_CLUSTER, LABEL_NAME, MANAGEMENT_PORT, NAME_BACKUP, STORAGE_DIR, WEB_DIR, WEB_PORT,
    WEB_TOKEN_FILE,
};

const PLACE_VOLUME: &str = "backups";
const PLACE_DIR: &str = "/backups";
const TOKEN_VOLUME: &str = "token";
/// A backup takes seconds; a bucket that doesn't answer mustn't keep the next one from being taken.
const DEADLINE_SECONDS: i64 = 900;
/// More attempts of one backup, after the first.
const RETRIES: i32 = 2;
/// A controller manager that was away takes what it has missed, if it's not longer ago.
const LATE_SECONDS: i64 = 3600;

pub(super) fn cron_job(cluster: &Rendering<'_>) -> Result<Other, OverlayError> {
    let content = match &cluster.spec.backup {
        Some(_) => Some(json!({ "spec": schedule(cluster)? })),
        None => None,
    };
    Ok(cluster.other(("batch", "v1", "CronJob"), "Kubernetes", cluster.plan.names.backup(), |_| {}, content))
}

fn schedule(cluster: &Rendering<'_>) -> Result<CronJobSpec, OverlayError> {
    let wanted = cluster.spec.backup.clone().unwrap_or_default();
    let object = cluster.plan.names.object.as_str();
    let labelled = |labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Some(ObjectMeta { labels: Some(labels.collect()), ..ObjectMeta::default() })
    };
    // a pod has not the labels of members: nobody must take it for one
    let (of_job, of_pod) = ([(LABEL_CLUSTER, object)], [(LABEL_NAME, NAME_BACKUP), (LABEL_BACKUP_OF, object)]);
    let given = overlay(&cluster.spec.pod_template)?.unwrap_or_default();
    let token = cluster.spec.web.is_protected().then(|| token_volume(cluster));
    let pod = PodSpec {
        restart_policy: Some("Never".to_owned()),
        service_account_name: Some(cluster.plan.names.base()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(pod_security()),
        // wherever members may run
        image_pull_secrets: given.image_pull_secrets,
        node_selector: given.node_selector,
        tolerations: given.tolerations,
        priority_class_name: given.priority_class_name,
        volumes: Some(volume(&wanted.place).into_iter().chain(token).collect()),
        containers: vec![container(cluster, &wanted.place, wanted.keep_days)],
        ..PodSpec::default()
    };
    Ok(CronJobSpec {
        schedule: wanted.schedule,
        time_zone: wanted.time_zone,
        suspend: Some(wanted.suspend || cluster.plan.replicas == 0),
        concurrency_policy: Some("Forbid".to_owned()),
        starting_deadline_seconds: Some(LATE_SECONDS),
        successful_jobs_history_limit: Some(1),
        failed_jobs_history_limit: Some(1),
        job_template: JobTemplateSpec {
            metadata: labelled(&[&of_job[..], &of_pod].concat()),
            spec: Some(JobSpec {
                backoff_limit: Some(RETRIES),
                active_deadline_seconds: Some(DEADLINE_SECONDS),
                template: PodTemplateSpec { metadata: labelled(&of_pod), spec: Some(pod) },
                ..JobSpec::default()
            }),
        },
    })
}

fn container(cluster: &Rendering<'_>, place: &BackupPlace, keep_days: u32) -> Container {
    let protected = cluster.spec.web.is_protected();
    let peers = cluster.plan.peers_host();
    let member = |name: String| match protected {
        true => format!("http://{name}.{peers}:{MANAGEMENT_PORT}"),
        false => format!("http://{name}.{peers}:{WEB_PORT}{}", cluster.plan.prefix),
    };
    let mut args = vec!["backup".to_owned(), format!("--to={}", target(place)), format!("--keep-days={keep_days}")];
    args.extend(protected.then(|| format!("--token-file={WEB_DIR}/{WEB_TOKEN_FILE}")));
    args.extend(cluster.plan.member_names().into_iter().map(member));
    let token = protected.then(|| mount(TOKEN_VOLUME, WEB_DIR.to_owned(), true));
    tool(cluster, place, NAME_BACKUP, args, place_mount(place, false).into_iter().chain(token).collect())
}

/// What fills the storage of a member that has none, if that is wanted.
pub(super) fn restorer(cluster: &Rendering<'_>) -> Option<Container> {
    let wanted = cluster.spec.restore_from.as_ref()?;
    let mut args = vec![
        "restore".to_owned(),
        format!("--from={}", target(&wanted.place)),
        format!("--data-dir={STORAGE_DIR}"),
        "--if-empty".to_owned(),
        format!("--unless-alive={}:{MANAGEMENT_PORT}", cluster.plan.peers_host()),
    ];
    args.push(wanted.name.clone().unwrap_or_else(|| "--or-none".to_owned()));
    let data = mount(DATA_VOLUME, STORAGE_DIR.to_owned(), false);
    let mounts = [data].into_iter().chain(place_mount(&wanted.place, true)).collect();
    Some(tool(cluster, &wanted.place, "restore", args, mounts))
}

/// The volume of what [`restorer`] reads, if it is one.
pub(super) fn restored_volume(cluster: &Rendering<'_>) -> Option<Volume> {
    volume(&cluster.spec.restore_from.as_ref()?.place)
}

fn tool(
    cluster: &Rendering<'_>,
    place: &BackupPlace,
    name: &str,
    args: Vec<String>,
    mounts: Vec<VolumeMount>,
) -> Container {
    let credentials = place.credentials_secret_name.clone().map(|name| EnvFromSource {
        secret_ref: Some(SecretEnvSource { name, optional: Some(false) }),
        ..EnvFromSource::default()
    });
    Container {
        name: name.to_owned(),
        image: Some(worker_image(cluster)),
        image_pull_policy: cluster.spec.image_pull_policy.map(|policy| policy.as_str().to_owned()),
        args: Some(args),
        env_from: credentials.map(|source| vec![source]),
        volume_mounts: Some(mounts),
        resources: resources(&cluster.spec.resources),
        security_context: Some(container_security()),
        // the cause of a failure is then in the pod's status, from where the operator tells it
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn target(place: &BackupPlace) -> &str {
    place.url.as_deref().unwrap_or(PLACE_DIR)
}

fn volume(place: &BackupPlace) -> Option<Volume> {
    let claim_name = place.claim_name.clone()?;
    Some(Volume {
        name: PLACE_VOLUME.to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource { claim_name, read_only: None }),
        ..Volume::default()
    })
}

fn place_mount(place: &BackupPlace, read_only: bool) -> Option<VolumeMount> {
    place.claim_name.is_some().then(|| mount(PLACE_VOLUME, PLACE_DIR.to_owned(), read_only))
}

/// The operator's own token, and nothing else of that Secret.
fn token_volume(cluster: &Rendering<'_>) -> Volume {
    let item = KeyToPath { key: WEB_TOKEN_FILE.to_owned(), path: WEB_TOKEN_FILE.to_owned(), mode: None };
    Volume {
        name: TOKEN_VOLUME.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(cluster.plan.names.web_secret()),
            default_mode: Some(0o440),
            items: Some(vec![item]),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}
