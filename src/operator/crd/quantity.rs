//! Amounts of compute resources, as users write them: `1`, `500m`, `64Mi`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Compute resources of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// What a member may use at most, by resource. Example: `{memory: 256Mi}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, Quantity>,

    /// What is set aside for a member, by resource. Example: `{cpu: 50m, memory: 64Mi}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, Quantity>,
}

/// An amount as Kubernetes writes it. An integer in a manifest is taken as its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Quantity(pub String);

impl Resources {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.requests.is_empty()
    }
}

impl Quantity {
    /// How much it is, in whole units; `None` when it can't be read, or is less than nothing.
    pub fn units(&self) -> Option<u128> {
        let split = self.0.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')));
        let (number, suffix) = self.0.split_at(split.unwrap_or(self.0.len()));
        let factor = match suffix {
            "" => 1.0,
            "n" => 1e-9,
            "u" => 1e-6,
            "m" => 1e-3,
            "k" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            "T" => 1e12,
            "P" => 1e15,
            "E" => 1e18,
            "Ki" => 1_024_f64,
            "Mi" => 1_024_f64.powi(2),
            "Gi" => 1_024_f64.powi(3),
            "Ti" => 1_024_f64.powi(4),
            "Pi" => 1_024_f64.powi(5),
            "Ei" => 1_024_f64.powi(6),
            exponent => 10_f64.powi(exponent.get(1..)?.parse().ok()?),
        };
        let units = (number.parse::<f64>().ok()? * factor).ceil();
        (units >= 0.0).then_some(units as u128)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // the pattern of the Kubernetes API's own quantities
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$",
        })
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntOrString)
    }
}

struct IntOrString;

impl Visitor<'_> for IntOrString {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity such as 1, 500m or 64Mi")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
        Ok(Quantity(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, amount: i64) -> Result<Quantity, E> {
        Ok(Quantity(amount.to_string()))
    }

    fn visit_u64<E: Error>(self, amount: u64) -> Result<Quantity, E> {
        Ok(Quantity(amount.to_string()))
    }

    fn visit_f64<E: Error>(self, amount: f64) -> Result<Quantity, E> {
        Ok(Quantity(amount.to_string()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_a_quantity() {
        let resources: Resources = serde_json::from_str(r#"{"requests":{"cpu":1,"memory":"64Mi"}}"#).unwrap();
        assert_eq!(resources.requests["cpu"], Quantity("1".into()));
        assert_eq!(resources.requests["memory"], Quantity("64Mi".into()));
        assert!(serde_json::from_str::<Resources>(r#"{"limits":{"cpu":[]}}"#).is_err());
    }
}
