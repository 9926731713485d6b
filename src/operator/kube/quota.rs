//! The ResourceQuota of the namespace.

use serde_json::json;

use super::{Other, Rendering};

pub(super) fn render(cluster: &Rendering<'_>) -> Other {
    let wanted = cluster.spec.resource_quota.as_ref();
    let content = wanted.map(|quota| json!({ "spec": { "hard": quota.hard } }));
    cluster.other(("", "v1", "ResourceQuota"), "Kubernetes", cluster.plan.names.base(), |_| {}, content)
}
