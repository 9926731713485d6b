//! From an `AlertmanagerCluster` to a healthy cluster: on Kubernetes, or as processes on a laptop.
//!
//! The map: `crd` is what users write. `plan` says what a cluster is without saying where it runs; `validate` decides
//! whether a configuration may reach it. `kube` turns a plan into objects, `local` into processes. `reconcile` is the
//! five steps observe, validate, plan, apply, status; `controller` says what sets them off, `caches` keeps copies of what is
//! observed. `health` asks members all the time, `heal` acts on it; `certificates` is the authority of gossip; by `lease`
//! one operator works at a time. `backups` asks how those went.
//!
//! Invariants: `validate`, `plan`, `kube` and the computation of a status are pure. A configuration that a worker would
//! refuse reaches no member. What has not changed is not written. No object of a user stops the operator.

pub mod apply;
mod backups;
mod caches;
pub mod certificates;
pub mod context;
mod controller;
pub mod crd;
mod endpoints;
pub mod events;
mod heal;
pub mod health;
pub mod kube;
mod lease;
pub mod local;
pub mod members;
pub mod metrics;
pub mod observe;
pub mod options;
pub mod plan;
pub mod reconcile;
pub mod status;
pub mod validate;

pub use controller::{OperatorError, run};
pub use crd::crd_yaml;
pub use options::OperatorOptions;

/// An error and its causes on one line.
pub(crate) fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error_text(error);
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = error_text(next);
        // some libraries repeat their cause in their own words
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        // the API server's answer says all there is to say
        cause = if next.is::<::kube::Error>() { None } else { next.source() };
    }
    text
}

/// The API server's own words, without the dump of its answer that the client adds.
fn error_text(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<::kube::Error>() {
        Some(::kube::Error::Api(status)) => status.message.clone(),
        Some(_) | None => error.to_string(),
    }
}
