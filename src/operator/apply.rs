//! The fourth step: making the objects so, by server-side apply, and writing nothing when they are so already.

mod same;

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use kube::core::{DynamicObject, Status};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kube::{Objects, Other};
use crate::observe::Live;
use crate::plan::{ANNOTATION_APPLIED_HASH, ANNOTATION_CERTIFICATES, ANNOTATION_CONFIG_HASH, MANAGER};

/// Changing it makes the kubelet look at the pod's volumes again.
const ANNOTATION_REFRESH: &str = "alertmanager.dev/refresh";

/// What applying did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What was written, as `Kind name`.
    pub written: Vec<String>,
    /// Whether the StatefulSet is new.
    pub created: bool,
    /// Whether the StatefulSet was let go of (with its pods kept), to be made anew by the next reconcile.
    pub recreating: bool,
}

/// Why an object could not be made so.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It exists and belongs to somebody else.
    #[error("{what} exists and does not belong to this AlertmanagerCluster")]
    Foreign {
        /// The object, as `Kind name`.
        what: String,
    },
    /// The API server refuses it: trying again does not help by itself.
    #[error("the API server refuses {what}: {message}")]
    Rejected {
        /// The object, as `Kind name`.
        what: String,
        /// The API server's words.
        message: String,
    },
    /// Somebody else keeps setting a field of it.
    #[error("{what}: somebody else applies the same fields: {fields}")]
    Contested {
        /// The object, as `Kind name`.
        what: String,
        /// Who and what.
        fields: String,
    },
    /// The API server could not be asked.
    #[error("applying {what}")]
    Api {
        /// The object, as `Kind name`.
        what: String,
        /// What went wrong.
        #[source]
        source: kube::Error,
    },
    /// The object has no JSON form, which is a bug.
    #[error("writing {what} as JSON")]
    Json {
        /// The object, as `Kind name`.
        what: String,
        /// What went wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// The object of a name, as far as it is known without asking.
pub(crate) struct Seen<'a, K> {
    live: Option<&'a K>,
    /// Whether there is none if none is seen.
    surely: bool,
}

impl<'a, K> Seen<'a, K> {
    /// All of the kind are seen.
    pub(crate) const fn surely(live: Option<&'a K>) -> Self {
        Self { live, surely: true }
    }

    /// Only what is marked as ours is seen.
    pub(crate) const fn ours(live: Option<&'a K>) -> Self {
        Self { live, surely: false }
    }
}

impl ApplyError {
    /// Whether somebody has to change something before it can succeed.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Foreign { .. } | Self::Rejected { .. } | Self::Contested { .. })
    }
}

/// Applies what differs. `owner` is the UID of the object that everything belongs to.
///
/// # Errors
/// At the first object that cannot be made so; those before it are.
pub async fn apply(client: &Client, wanted: &Objects, live: &Live, owner: &str) -> Result<Applied, ApplyError> {
    let mut done = Applied::default();
    let mut note = |written: Option<String>| done.written.extend(written);
    note(object(client, &wanted.service_account, Seen::surely(live.service_account.as_ref()), owner).await?);
    note(object(client, &wanted.peers_service, Seen::surely(live.peers_service.as_ref()), owner).await?);
    note(object(client, &wanted.client_service, Seen::surely(live.client_service.as_ref()), owner).await?);
    note(
        optional(client, wanted.disruption_budget.as_ref(), Seen::surely(live.disruption_budget.as_ref()), owner)
            .await?,
    );
    note(optional(client, wanted.network_policy.as_ref(), Seen::ours(live.network_policy.as_ref()), owner).await?);
    note(optional(client, wanted.ingress.as_ref(), Seen::ours(live.ingress.as_ref()), owner).await?);
    note(optional(client, wanted.autoscaler.as_ref(), Seen::ours(live.autoscaler.as_ref()), owner).await?);
    for live in &live.member_services {
        if !wanted.member_services.iter().any(|wanted| wanted.name_any() == live.name_any()) {
            note(optional(client, None, Seen::ours(Some(live)), owner).await?);
        }
    }
    for wanted in &wanted.member_services {
        let live = live.member_services.iter().find(|live| live.name_any() == wanted.name_any());
        note(object(client, wanted, Seen::surely(live), owner).await?);
    }
    if let Some(secret) = &wanted.config_secret {
        note(object(client, secret, live.seen_secret(live.config_secret.as_ref()), owner).await?);
    }
    note(optional(client, wanted.web_secret.as_ref(), live.seen_secret(live.web_secret.as_ref()), owner).await?);
    if let Some([authority, members]) = &wanted.gossip_secrets {
        // the one whose key was used last
        note(object(client, authority, live.seen_secret(live.authority_secret.as_ref()), owner).await?);
        note(object(client, members, live.seen_secret(live.gossip_secret.as_ref()), owner).await?);
    }
    if let Some(set) = &wanted.stateful_set {
        match object(client, set, Seen::surely(live.stateful_set.as_ref()), owner).await {
            Ok(written) => {
                note(written);
                done.created = live.stateful_set.is_none();
            }
            Err(error) => {
                let Some(old) = live.stateful_set.as_ref().filter(|_| is_immutable(&error)) else { return Err(error) };
                let_go(client, old).await?;
                done.recreating = true;
            }
        }
    }
    Ok(done)
}

/// Tells the kubelet of `pod` that its files have changed to those with hash `hash`. `round` makes a repetition differ.
///
/// # Errors
/// When the API server does not take it.
pub async fn tell(client: &Client, namespace: &str, pod: &str, hash: &str, round: u32) -> Result<(), ApplyError> {
    let mut annotations = json!({ ANNOTATION_CONFIG_HASH: hash });
    if round > 0 {
        annotations[ANNOTATION_REFRESH] = json!(round.to_string());
    }
    annotate(client, namespace, pod, annotations).await
}

/// Tells the kubelet of `pod` that there are other certificates, those with this mark.
///
/// # Errors
/// When the API server does not take it.
pub async fn tell_of_certificates(client: &Client, namespace: &str, pod: &str, mark: &str) -> Result<(), ApplyError> {
    annotate(client, namespace, pod, json!({ ANNOTATION_CERTIFICATES: mark })).await
}

async fn annotate(client: &Client, namespace: &str, pod: &str, annotations: Value) -> Result<(), ApplyError> {
    let patch = json!({ "metadata": { "annotations": annotations } });
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let api = Api::<Pod>::namespaced(client.clone(), namespace);
    let answer = api.patch_metadata(pod, &params, &Patch::Merge(&patch)).await;
    answer.map(drop).map_err(|source| ApplyError::Api { what: format!("Pod {pod}"), source })
}

/// Deletes the pod of `member`, to be replaced by one of the newest template, unless it is another one by now. It has
/// `grace_seconds` to end, or what its template says.
///
/// # Errors
/// When the API server does not take it.
pub async fn replace(
    client: &Client,
    namespace: &str,
    member: &str,
    uid: Option<String>,
    grace_seconds: Option<u32>,
) -> Result<(), ApplyError> {
    let preconditions = Some(Preconditions { uid, resource_version: None });
    let params = DeleteParams { preconditions, grace_period_seconds: grace_seconds, ..DeleteParams::default() };
    match Api::<Pod>::namespaced(client.clone(), namespace).delete(member, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        Err(source) => Err(ApplyError::Api { what: format!("Pod {member}"), source }),
    }
}

/// The same for an object that may not be wanted: then it is deleted, if it is ours.
async fn optional<K>(
    client: &Client,
    wanted: Option<&K>,
    seen: Seen<'_, K>,
    owner: &str,
) -> Result<Option<String>, ApplyError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
{
    if let Some(wanted) = wanted {
        return object(client, wanted, seen, owner).await;
    }
    let Seen { live, .. } = seen;
    let ours = |live: &&K| live.owner_references().iter().any(|reference| reference.uid == owner);
    let Some(live) = live.filter(ours) else { return Ok(None) };
    let what = format!("{} {}", K::kind(&()), live.name_any());
    let preconditions = Some(Preconditions { uid: live.uid(), resource_version: None });
    let params = DeleteParams { preconditions, ..DeleteParams::default() };
    let api = Api::<K>::namespaced(client.clone(), &live.namespace().unwrap_or_default());
    match api.delete(&live.name_any(), &params).await {
        Ok(_) => Ok(Some(format!("{what} (deleted)"))),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
        Err(source) => Err(ApplyError::Api { what, source }),
    }
}

/// Asks for more space in a volume. Returns the API server's words if it refuses.
///
/// # Errors
/// When the API server can't be asked.
pub async fn grow(client: &Client, namespace: &str, claim: &str, size: &str) -> Result<Option<String>, ApplyError> {
    let patch = json!({ "spec": { "resources": { "requests": { "storage": size } } } });
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let api = Api::<PersistentVolumeClaim>::namespaced(client.clone(), namespace);
    match api.patch(claim, &params, &Patch::Merge(&patch)).await {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 422) => Ok(Some(status.message.clone())),
        Err(source) => Err(ApplyError::Api { what: format!("PersistentVolumeClaim {claim}"), source }),
    }
}

/// Makes an object so whose kind is not watched; or deletes it.
///
/// # Errors
/// When the API server does not know the kind although it is wanted, or refuses the object.
pub async fn foreign_kind(
    client: &Client,
    namespace: &str,
    other: &Other,
    owner: &str,
) -> Result<Option<String>, ApplyError> {
    let Other { resource, needs, name, object: wanted } = other;
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, resource);
    let what = format!("{} {name}", resource.kind);
    let found = match api.get_opt(name).await {
        Ok(found) => found,
        // the path itself is not known, and with it the kind; or the kind is not the operator's business here
        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) && wanted.is_none() => return Ok(None),
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let message = format!("the API server does not know this kind: install {needs}");
            return Err(ApplyError::Rejected { what, message });
        }
        Err(source) => return Err(rejected(what, source)),
    };
    let Some(wanted) = wanted.as_ref() else {
        let ours = |live: &&DynamicObject| live.owner_references().iter().any(|reference| reference.uid == owner);
        let Some(live) = found.as_ref().filter(ours) else { return Ok(None) };
        let preconditions = Some(Preconditions { uid: live.uid(), resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        let deleted = api.delete(name, &params).await;
        return match deleted {
            Ok(_) => Ok(Some(format!("{what} (deleted)"))),
            Err(source) => Err(ApplyError::Api { what, source }),
        };
    };
    make(&api, what, wanted, found.as_ref(), owner).await
}

async fn object<K>(client: &Client, wanted: &K, seen: Seen<'_, K>, owner: &str) -> Result<Option<String>, ApplyError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
{
    let what = format!("{} {}", K::kind(&()), wanted.name_any());
    let api = Api::<K>::namespaced(client.clone(), &wanted.namespace().unwrap_or_default());
    if seen.live.is_some() || seen.surely {
        return make(&api, what, wanted, seen.live, owner).await;
    }
    let found = api.get_opt(&wanted.name_any()).await;
    let found = found.map_err(|source| ApplyError::Api { what: what.clone(), source })?;
    make(&api, what, wanted, found.as_ref(), owner).await
}

async fn make<K>(
    api: &Api<K>,
    what: String,
    wanted: &K,
    live: Option<&K>,
    owner: &str,
) -> Result<Option<String>, ApplyError>
where
    K: Resource + Serialize + DeserializeOwned + Clone + Debug,
{
    let name = wanted.name_any();
    let json =
        |object: &K| serde_json::to_value(object).map_err(|source| ApplyError::Json { what: what.clone(), source });
    let body = stamped(json(wanted)?);
    if let Some(live) = live {
        if !live.owner_references().iter().any(|reference| reference.uid == owner) {
            return Err(ApplyError::Foreign { what });
        }
        if same::holds(&body, &json(live)?) {
            return Ok(None);
        }
    }
    let params = PatchParams::apply(MANAGER);
    let answer = match api.patch(&name, &params, &Patch::Apply(&body)).await {
        Err(kube::Error::Api(status)) if status.code == 409 => match contested(&status) {
            Some(fields) => return Err(ApplyError::Contested { what, fields }),
            None => api.patch(&name, &params.force(), &Patch::Apply(&body)).await,
        },
        answer => answer,
    };
    answer.map_err(|source| rejected(what.clone(), source))?;
    Ok(Some(what))
}

/// The fields that another applier owns, which would go on to set them: with who that is. What was changed once (the
/// API server then names the version that was used) is simply put back.
fn contested(status: &Status) -> Option<String> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let others = causes.filter(|cause| cause.reason == "FieldManagerConflict" && !cause.message.contains(" using "));
    let others: Vec<_> = others.map(|cause| format!("{} ({})", cause.field, cause.message)).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

/// Puts the hash of the object onto the object: a field that is no longer wanted shows by it, though nothing that is
/// wanted differs.
fn stamped(mut body: Value) -> Value {
    let digest = Sha256::digest(body.to_string());
    let hash: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(ANNOTATION_APPLIED_HASH.to_owned(), json!(hash));
        }
    }
    body
}

fn rejected(what: String, source: kube::Error) -> ApplyError {
    match source {
        kube::Error::Api(status) if matches!(status.code, 400 | 403 | 422) => {
            ApplyError::Rejected { what, message: status.message.clone() }
        }
        source => ApplyError::Api { what, source },
    }
}

/// A StatefulSet's volume claims can't be changed in place.
fn is_immutable(error: &ApplyError) -> bool {
    matches!(error, ApplyError::Rejected { message, .. } if message.contains("updates to statefulset spec"))
}

async fn let_go(client: &Client, old: &StatefulSet) -> Result<(), ApplyError> {
    let name = old.name_any();
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Orphan),
        preconditions: Some(Preconditions { uid: old.uid(), resource_version: None }),
        ..DeleteParams::default()
    };
    let api = Api::<StatefulSet>::namespaced(client.clone(), &old.namespace().unwrap_or_default());
    match api.delete(&name, &params).await {
        Ok(_) => Ok(()),
        Err(source) => Err(ApplyError::Api { what: format!("StatefulSet {name}"), source }),
    }
}
