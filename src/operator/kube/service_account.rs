//! Who the members are: an account of their own that may do nothing.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::Rendering;

pub(super) fn render(cluster: &Rendering<'_>) -> ServiceAccount {
    ServiceAccount {
        metadata: cluster.metadata(cluster.plan.names.base()),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
