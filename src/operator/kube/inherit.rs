//! A newer operator leaves pods as they are: members are replaced when their user asks for something else, never because
//! the operator was.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::crd::AlertmanagerClusterSpec;

/// On the StatefulSet: which operator, with which image for members, made its pod template.
const MADE_BY: &str = "alertmanager.dev/made-by";
/// On the StatefulSet: the hash of what its user wanted then, of all that concerns pods.
const MADE_OF: &str = "alertmanager.dev/made-of";

/// What changes no pod.
const OTHER_FIELDS: &[&str] = &[
    "autoscaling",
    "backup",
    "health",
    "hibernate",
    "httpRoute",
    "ingress",
    "monitoring",
    "networkPolicy",
    "paused",
    "podDisruptionBudget",
    "replicas",
    "resourceQuota",
    "rollout",
    "service",
    "topology",
];

/// Marks `wanted`; or, if the user wants the same pods as when another operator made those of `live`, has it keep them.
/// `operator` stands for this operator.
pub fn inherit(wanted: &mut StatefulSet, live: Option<&StatefulSet>, spec: &AlertmanagerClusterSpec, operator: &str) {
    let made_of = wish(spec);
    let mark = |name: &str| live.and_then(|live| live.annotations().get(name));
    let same_wish = mark(MADE_OF) == Some(&made_of);
    let mut made_by = operator.to_owned();
    if let Some(before) = mark(MADE_BY).filter(|before| same_wish && *before != operator)
        && let Some(template) = live.and_then(|live| Some(live.spec.as_ref()?.template.clone()))
        && let Some(spec) = &mut wanted.spec
    {
        made_by.clone_from(before);
        spec.template = template;
    }
    let annotations = wanted.annotations_mut();
    annotations.insert(MADE_BY.to_owned(), made_by);
    annotations.insert(MADE_OF.to_owned(), made_of);
}

/// A hash of what concerns pods, without what is as it is by default: a field that is new in some version changes
/// nothing.
fn wish(spec: &AlertmanagerClusterSpec) -> String {
    let json = |spec: &AlertmanagerClusterSpec| serde_json::to_value(spec).unwrap_or_default();
    let empty: Option<AlertmanagerClusterSpec> = serde_json::from_str(r#"{"config": {}}"#).ok();
    let mut given = json(spec);
    let defaults = empty.as_ref().map(json).unwrap_or_default();
    if let Some(fields) = given.as_object_mut() {
        fields.retain(|name, _| !OTHER_FIELDS.contains(&name.as_str()));
        // which files there are, not what is in them
        let config = fields.remove("config").unwrap_or_default();
        for (name, mounts) in config.as_object().into_iter().flatten() {
            if matches!(name.as_str(), "secrets" | "configMaps") {
                fields.insert(format!("config.{name}"), mounts.clone());
            }
        }
        if let Some(storage) = fields.get_mut("storage").and_then(Value::as_object_mut) {
            storage.remove("retentionPolicy");
        }
    }
    let text = differing(&given, &defaults).to_string();
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn differing(given: &Value, default: &Value) -> Value {
    let Value::Object(fields) = given else { return given.clone() };
    let differs = |(name, value): (&String, &Value)| {
        let default = default.get(name).unwrap_or(&Value::Null);
        (value != default).then(|| (name.clone(), differing(value, default)))
    };
    Value::Object(fields.iter().filter_map(differs).collect::<Map<_, _>>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn spec(json: &str) -> AlertmanagerClusterSpec {
        serde_json::from_str(&format!(r#"{{"config": {{"inline": ""}}{json}}}"#)).unwrap()
    }

    fn set(image: &str) -> StatefulSet {
        let json = serde_json::json!({"metadata": {"name": "a"}, "spec": {"selector": {}, "template":
            {"spec": {"containers": [{"name": "alertmanager", "image": image}]}}}});
        serde_json::from_value(json).unwrap()
    }

    fn image(set: &StatefulSet) -> &str {
        set.spec.as_ref().unwrap().template.spec.as_ref().unwrap().containers[0].image.as_deref().unwrap()
    }

    #[test]
    fn only_a_user_s_wish_replaces_pods() {
        let mut live = set("old");
        inherit(&mut live, None, &spec(""), "operator 1");
        let next = |wish: &str, operator: &str, live: &StatefulSet| {
            let mut wanted = set("new");
            inherit(&mut wanted, Some(live), &spec(wish), operator);
            wanted
        };
        let kept = next("", "operator 2", &live);
        assert_eq!(image(&kept), "old");
        assert_eq!(image(&next("", "operator 3", &kept)), "old", "whichever comes next");
        assert_eq!(
            image(&next(r#", "replicas": 5, "paused": true"#, "operator 2", &live)),
            "old",
            "scaling is no such wish"
        );
        assert_eq!(image(&next(r#", "retention": "120h", "web": {}"#, "operator 2", &live)), "old", "nor is a default");
        assert_eq!(image(&next(r#", "retention": "48h""#, "operator 2", &live)), "new");
        assert_eq!(image(&next(r#", "restartedAt": "now""#, "operator 2", &live)), "new");
        assert_eq!(image(&next("", "operator 1", &live)), "new", "what the same operator wants is so");
    }
}
