//! Events: each change of a cluster told once, on the object.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::crd::{AlertmanagerClusterStatus, Condition, ConditionStatus, ConditionType};
use crate::plan::MANAGER;

/// The API server refuses longer notes.
const NOTE_BYTES_MAX: usize = 1024;

/// Something that happened, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether somebody should look.
    pub severity: Severity,
    /// What happened, as one word.
    pub reason: String,
    /// What the operator was doing, as one word.
    pub action: &'static str,
    /// What happened, as a sentence.
    pub note: String,
}

/// Whether somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It is as it should be.
    Normal,
    /// It is not.
    Warning,
}

/// What is worth telling about the way from one status to the next. The same status twice gives nothing.
pub fn notices(before: Option<&AlertmanagerClusterStatus>, after: &AlertmanagerClusterStatus) -> Vec<Notice> {
    let mut told = Vec::new();
    let mut tell = |severity, action, reason: &str, note: &str| {
        told.push(Notice { severity, reason: reason.to_owned(), action, note: note.to_owned() });
    };
    let changed = |type_| Change::of(type_, before, after);

    if let Some(Change { was, now }) = changed(ConditionType::ConfigValid) {
        match now.status {
            ConditionStatus::True if was.is_some_and(|was| was.status != ConditionStatus::True) => {
                tell(Severity::Normal, "Validate", "ConfigValid", &now.message);
            }
            ConditionStatus::False => tell(Severity::Warning, "Validate", &now.reason, &now.message),
            ConditionStatus::True | ConditionStatus::Unknown => {}
        }
    }
    if let Some(Change { now, .. }) = changed(ConditionType::Stalled)
        && matches!(now.reason.as_str(), "ApplyRejected" | "RolloutStopped")
    {
        tell(Severity::Warning, "Apply", &now.reason, &now.message);
    }
    let programmed = |status: &AlertmanagerClusterStatus| status.config.as_ref()?.programmed_hash.clone();
    if let Some(now) = after.condition(ConditionType::ConfigProgrammed)
        && programmed(after).is_some()
        && programmed(after) != before.and_then(programmed)
    {
        tell(Severity::Normal, "Rollout", "ConfigProgrammed", &now.message);
    }
    if let Some(Change { now, .. }) = changed(ConditionType::Ready)
        && now.status == ConditionStatus::True
        && before.and_then(|b| b.condition(ConditionType::Ready)).is_none_or(|was| was.status != now.status)
    {
        tell(Severity::Normal, "Reconcile", "Ready", &now.message);
    }
    let failure = |status: &AlertmanagerClusterStatus| status.backup.as_ref()?.last_failure.clone();
    if let Some(failed) = failure(after)
        && before.and_then(failure).is_none_or(|known| known.job != failed.job)
    {
        tell(Severity::Warning, "Backup", "BackupFailed", &format!("{}: {}", failed.job, failed.message));
    }
    told
}

/// Writes `notice` about the object `about`.
///
/// # Errors
/// When the API server does not take it.
pub async fn publish(client: &Client, about: &ObjectReference, notice: &Notice) -> Result<(), kube::Error> {
    let namespace = about.namespace.clone().unwrap_or_else(|| "default".to_owned());
    let event = Event {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", about.name.as_deref().unwrap_or(MANAGER))),
            namespace: Some(namespace.clone()),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime(Timestamp::now())),
        type_: Some(match notice.severity {
            Severity::Normal => "Normal".to_owned(),
            Severity::Warning => "Warning".to_owned(),
        }),
        reason: Some(notice.reason.clone()),
        action: Some(notice.action.to_owned()),
        note: Some(bounded(&notice.note).to_owned()),
        regarding: Some(about.clone()),
        reporting_controller: Some(format!("alertmanager.dev/{MANAGER}")),
        reporting_instance: Some(std::env::var("POD_NAME").unwrap_or_else(|_| MANAGER.to_owned())),
        ..Event::default()
    };
    Api::namespaced(client.clone(), &namespace).create(&PostParams::default(), &event).await.map(drop)
}

struct Change<'a> {
    was: Option<&'a Condition>,
    now: &'a Condition,
}

impl<'a> Change<'a> {
    fn of(
        type_: ConditionType,
        before: Option<&'a AlertmanagerClusterStatus>,
        after: &'a AlertmanagerClusterStatus,
    ) -> Option<Self> {
        let now = after.condition(type_)?;
        let was = before.and_then(|before| before.condition(type_));
        let same =
            was.is_some_and(|was| (was.status, &was.reason, &was.message) == (now.status, &now.reason, &now.message));
        (!same).then_some(Self { was, now })
    }
}

fn bounded(note: &str) -> &str {
    let mut end = note.len().min(NOTE_BYTES_MAX);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crd::ConfigStatus;

    fn status(conditions: &[(ConditionType, ConditionStatus, &str, &str)], hash: &str) -> AlertmanagerClusterStatus {
        let condition = |(type_, status, reason, message): &(ConditionType, ConditionStatus, &str, &str)| Condition {
            type_: type_.as_str().to_owned(),
            status: *status,
            observed_generation: None,
            last_transition_time: String::new(),
            reason: (*reason).to_owned(),
            message: (*message).to_owned(),
        };
        let programmed_hash = (!hash.is_empty()).then(|| hash.to_owned());
        AlertmanagerClusterStatus {
            conditions: conditions.iter().map(condition).collect(),
            config: Some(ConfigStatus { programmed_hash, ..ConfigStatus::default() }),
            ..AlertmanagerClusterStatus::default()
        }
    }

    fn reasons(before: Option<&AlertmanagerClusterStatus>, after: &AlertmanagerClusterStatus) -> Vec<String> {
        notices(before, after).into_iter().map(|notice| notice.reason).collect()
    }

    #[test]
    fn each_change_is_told_once() {
        use ConditionStatus::{False, True};
        use ConditionType::{ConfigProgrammed, ConfigValid, Ready};
        let valid = (ConfigValid, True, "Valid", "");
        let rolling = status(&[valid, (ConfigProgrammed, False, "RollingOut", ""), (Ready, False, "x", "")], "");
        let good = status(&[valid, (ConfigProgrammed, True, "Programmed", ""), (Ready, True, "y", "")], "a");
        let bad = |line| status(&[(ConfigValid, False, "ConfigInvalid", line), (Ready, False, "z", "")], "a");

        assert_eq!(reasons(None, &rolling), Vec::<String>::new());
        assert_eq!(reasons(Some(&rolling), &good), ["ConfigProgrammed", "Ready"]);
        assert_eq!(reasons(Some(&good), &good), Vec::<String>::new());
        assert_eq!(reasons(Some(&good), &bad("line 1")), ["ConfigInvalid"]);
        assert_eq!(reasons(Some(&bad("line 1")), &bad("line 1")), Vec::<String>::new());
        assert_eq!(reasons(Some(&bad("line 1")), &bad("line 2")), ["ConfigInvalid"]);
        assert_eq!(reasons(Some(&bad("line 2")), &good), ["ConfigValid", "Ready"]);
        // a member that restarts makes the cluster unready for a while; its configuration is no news
        let lost = status(&[valid, (ConfigProgrammed, False, "MembersNotReady", ""), (Ready, False, "x", "")], "a");
        assert_eq!(reasons(Some(&lost), &good), ["Ready"]);
    }

    #[test]
    fn notes_are_cut_between_characters() {
        assert_eq!(bounded(&"é".repeat(600)).len(), 1024);
        assert_eq!(bounded(&format!("a{}", "é".repeat(600))).len(), 1023);
        assert_eq!(bounded("short"), "short");
    }
}
