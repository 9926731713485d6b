//! A larger size in the object makes the volumes larger, in place.

use crate::kubectl::{json, kubectl};
use crate::sample::{NAMESPACE, SELECTOR, Sample};
use crate::wait::{same, until};

#[test]
fn volumes_grow_and_no_member_is_restarted() {
    let sample = Sample::ready();
    let pods = sample.incarnations().unwrap();
    let sizes = || {
        let claims = json(&["get", "pvc", "-n", NAMESPACE, "-l", SELECTOR]);
        let size = |claim: &serde_json::Value| claim["status"]["capacity"]["storage"].to_string();
        claims["items"].as_array().into_iter().flatten().map(size).collect::<Vec<_>>()
    };
    assert_eq!(sizes(), vec!["\"64Mi\""; 3]);
    let size = r#"{"spec": {"storage": {"volumeClaimTemplate": {"resources": {"requests": {"storage": "96Mi"}}}}}}"#;
    kubectl(&["patch", "-n", NAMESPACE, "amc", "main", "--type=merge", "-p", size]);
    until("the volumes are larger", || same(sizes(), &vec!["\"96Mi\"".to_owned(); 3]));
    until("StorageReady says so", || {
        let (status, told) = sample.condition("StorageReady")?;
        same((status, told.contains("Bound")), &("True".to_owned(), true)).map_err(|seen| format!("{seen} {told}"))
    });
    until("all is well", || sample.settled(3));
    let template = json(&["get", "sts", "-n", NAMESPACE, "alertmanager-main"]);
    let wanted = &template["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"];
    assert_eq!(wanted, "96Mi", "members that come later have as much");
    assert_eq!(sample.incarnations().unwrap(), pods, "no pod was replaced or restarted");
    // volumes don't shrink: for the tests that come after this one
    kubectl(&["delete", "-n", NAMESPACE, "amc", "main", crate::wait::TIMEOUT]);
    until("the volumes are gone", || same(sizes().len(), &0));
}
