//! What an API server would refuse in an object by the schema of its CRD, beyond what the types refuse.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::Value;

/// The first thing in `object` that its schema does not allow, with the path to it.
pub(super) fn fault<K: CustomResourceExt>(object: &Value) -> Option<Fault> {
    let crd = K::crd();
    let schema = crd.spec.versions.first()?.schema.as_ref()?.open_api_v3_schema.as_ref()?;
    // `metadata`, `apiVersion` and `kind` belong to Kubernetes.
    let spec = schema.properties.as_ref()?.get("spec")?;
    match object.get("spec") {
        Some(value) => check(value, spec, "spec"),
        None => Some(Fault { key: String::new(), text: "spec is missing".to_owned() }),
    }
}

/// What is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The last part of the path, by which its line may be found.
    pub key: String,
    /// Path and reason.
    pub text: String,
}

fn check(value: &Value, schema: &JSONSchemaProps, path: &str) -> Option<Fault> {
    let fault = |text: String| {
        let key = path.rsplit('.').next().unwrap_or(path).to_owned();
        Some(Fault { key, text })
    };
    if let Some(wanted) = schema.type_.as_deref().filter(|wanted| !is(value, wanted)) {
        return fault(format!("{path} must be of type {wanted}"));
    }
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let path = format!("{path}.{name}");
            if let Some(schema) = schema.properties.as_ref().and_then(|properties| properties.get(name)) {
                return check(value, schema, &path);
            }
            match &schema.additional_properties {
                Some(JSONSchemaPropsOrBool::Schema(schema)) => check(value, schema, &path),
                Some(JSONSchemaPropsOrBool::Bool(true)) => None,
                Some(JSONSchemaPropsOrBool::Bool(false)) | None => {
                    let open = schema.x_kubernetes_preserve_unknown_fields == Some(true) || schema.properties.is_none();
                    (!open).then(|| Fault { key: name.clone(), text: format!("unknown field {path}") })
                }
            }
        }),
        Value::Array(items) => {
            let Some(JSONSchemaPropsOrArray::Schema(schema)) = &schema.items else { return None };
            items.iter().enumerate().find_map(|(idx, item)| check(item, schema, &format!("{path}[{idx}]")))
        }
        Value::Number(number) => {
            let number = number.as_f64()?;
            if let Some(min) = schema.minimum.filter(|&min| number < min) {
                return fault(format!("{path} must be at least {min}"));
            }
            let max = schema.maximum.filter(|&max| number > max)?;
            fault(format!("{path} must be at most {max}"))
        }
        Value::String(text) => {
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            let min = schema.min_length.filter(|&min| length < min)?;
            fault(format!("{path} must have at least {min} characters"))
        }
        Value::Null | Value::Bool(_) => None,
    }
}

/// Whether a value is of a type of JSON schema; nothing is of any type.
fn is(value: &Value, wanted: &str) -> bool {
    match wanted {
        "object" => value.is_object() || value.is_null(),
        "array" => value.is_array() || value.is_null(),
        "string" => value.is_string() || value.is_null(),
        "boolean" => value.is_boolean() || value.is_null(),
        "integer" => value.is_i64() || value.is_u64() || value.is_null(),
        "number" => value.is_number() || value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crd::AlertmanagerCluster;
    use serde_json::json;

    fn text(object: &Value) -> Option<String> {
        fault::<AlertmanagerCluster>(object).map(|fault| fault.text)
    }

    #[test]
    fn finds_what_an_api_server_would_refuse() {
        let good = json!({"spec": {"replicas": 3, "config": {"configMapRef": {"name": "c"}}}});
        assert_eq!(text(&good), None);
        let table = [
            (json!({}), "spec is missing"),
            (json!({"spec": {"replcas": 3}}), "unknown field spec.replcas"),
            (json!({"spec": {"config": {"configMapRef": {"nam": "c"}}}}), "unknown field spec.config.configMapRef.nam"),
            (json!({"spec": {"replicas": 0}}), "spec.replicas must be at least 1"),
            (json!({"spec": {"replicas": "three"}}), "spec.replicas must be of type integer"),
            (json!({"spec": {"storage": []}}), "spec.storage must be of type object"),
            (json!({"spec": {"replicas": 100}}), "spec.replicas must be at most 99"),
            (
                json!({"spec": {"config": {"configMapRef": {"name": ""}}}}),
                "spec.config.configMapRef.name must have at least 1 characters",
            ),
        ];
        for (object, expected) in table {
            assert_eq!(text(&object).as_deref(), Some(expected));
        }
    }
}
