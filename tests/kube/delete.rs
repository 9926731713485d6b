//! `kubectl delete` leaves nothing behind.

use crate::kubectl::{kubectl, try_kubectl};
use crate::sample::{NAMESPACE, SELECTOR, Sample};
use crate::wait::{TIMEOUT, until};

/// Everything namespaced that the operator or Kubernetes makes for a cluster.
const KINDS: &str = "statefulsets,controllerrevisions,pods,services,endpointslices,secrets,configmaps,serviceaccounts,\
    persistentvolumeclaims,poddisruptionbudgets,roles,rolebindings,leases";

#[test]
fn nothing_is_left_of_a_deleted_cluster() {
    let _sample = Sample::ready();
    let left = || try_kubectl(&["get", KINDS, "-n", NAMESPACE, "-o", "name", "--ignore-not-found"]);
    let of_cluster =
        |all: &str| all.lines().filter(|n| n.contains("alertmanager-main")).map(str::to_owned).collect::<Vec<_>>();
    assert!(of_cluster(&left().unwrap()).len() >= 7, "there is something to leave behind");

    kubectl(&["delete", "-n", NAMESPACE, "amc", "main", TIMEOUT]);
    until("nothing has its name or its label", || {
        let labelled =
            try_kubectl(&["get", KINDS, "-n", NAMESPACE, "-l", SELECTOR, "-o", "name", "--ignore-not-found"])?;
        let named = of_cluster(&left()?);
        if labelled.trim().is_empty() && named.is_empty() { Ok(()) } else { Err(format!("{labelled} {named:?}")) }
    });
    kubectl(&["get", "-n", NAMESPACE, "deployment/webhook-sink"]);
}
