//! Ways in from outside: an Ingress, or a HTTPRoute of the Gateway API.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec,
    IngressTLS, ServiceBackendPort,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::{Other, Rendering};
use crate::crd::HttpRouteSpec;
use crate::plan::WEB_PORT;

/// The kind of a HTTPRoute, which not every API server knows.
const HTTP_ROUTE: (&str, &str, &str) = ("gateway.networking.k8s.io", "v1", "HTTPRoute");

pub(super) fn ingress(cluster: &Rendering<'_>) -> Option<Ingress> {
    let wanted = cluster.spec.ingress.as_ref()?;
    let mut metadata = cluster.metadata(cluster.plan.names.base());
    metadata.annotations = (!wanted.annotations.is_empty()).then(|| wanted.annotations.clone());
    let backend = IngressBackend {
        service: Some(IngressServiceBackend {
            name: cluster.plan.names.base(),
            port: Some(ServiceBackendPort { name: Some("web".to_owned()), number: None }),
        }),
        resource: None,
    };
    let rule = |host: &String| IngressRule {
        host: Some(host.clone()),
        http: Some(HTTPIngressRuleValue {
            paths: vec![HTTPIngressPath {
                path: Some(path(cluster)),
                path_type: "Prefix".to_owned(),
                backend: backend.clone(),
            }],
        }),
    };
    let tls =
        |secret: &String| vec![IngressTLS { hosts: Some(wanted.hosts.clone()), secret_name: Some(secret.clone()) }];
    Some(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.clone(),
            rules: Some(wanted.hosts.iter().map(rule).collect()),
            tls: wanted.tls_secret_name.as_ref().map(tls),
            default_backend: None,
        }),
        status: None,
    })
}

pub(super) fn http_route(cluster: &Rendering<'_>) -> Other {
    let wanted = cluster.spec.http_route.as_ref();
    let annotations = wanted.map(|wanted| wanted.annotations.clone()).filter(|annotations| !annotations.is_empty());
    let annotate = |metadata: &mut ObjectMeta| metadata.annotations = annotations;
    let content = wanted.map(|wanted| json!({ "spec": http_route_spec(cluster, wanted) }));
    cluster.other(HTTP_ROUTE, "the Gateway API", cluster.plan.names.base(), annotate, content)
}

fn http_route_spec(cluster: &Rendering<'_>, wanted: &HttpRouteSpec) -> Value {
    let mut spec = json!({
        "parentRefs": wanted.parent_refs,
        "rules": [{
            "matches": [{"path": {"type": "PathPrefix", "value": path(cluster)}}],
            "backendRefs": [{"name": cluster.plan.names.base(), "port": WEB_PORT}],
        }],
    });
    if !wanted.hostnames.is_empty() {
        spec["hostnames"] = json!(wanted.hostnames);
    }
    spec
}

fn path(cluster: &Rendering<'_>) -> String {
    let prefix = &cluster.plan.prefix;
    if prefix.is_empty() { "/".to_owned() } else { prefix.clone() }
}
