//! From an `AlertmanagerCluster` to a healthy cluster: on Kubernetes, or as processes on a laptop.
//!
//! `crd` is what users write; `validate` and `plan` decide, purely; `kube` turns a plan into objects; `reconcile` is
//! the five steps observe, validate, plan, apply, status.

pub mod apply;
pub mod crd;
pub mod kube;
pub mod members;
pub mod observe;
pub mod local;
pub mod plan;
pub mod validate;
