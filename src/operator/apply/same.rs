//! Whether an object is already as wanted, although the API server has filled in defaults and normalised quantities.

use serde_json::Value;

/// Whether everything in `wanted` is so in `live`. Lists must have the same length; an object in `live` may have more.
pub(super) fn holds(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => {
            wanted.iter().all(|(key, value)| live.get(key).is_some_and(|live| holds(value, live)))
        }
        (Value::Array(wanted), Value::Array(live)) => {
            wanted.len() == live.len() && wanted.iter().zip(live).all(|(wanted, live)| holds(wanted, live))
        }
        (Value::String(wanted), Value::String(live)) => wanted == live || same_quantity(wanted, live),
        _ => wanted == live,
    }
}

fn same_quantity(a: &str, b: &str) -> bool {
    matches!((quantity(a), quantity(b)), (Some(a), Some(b)) if a == b)
}

/// A quantity in thousandths, when it has a short enough decimal form: `1.5Gi`, `500m`, `2`.
fn quantity(text: &str) -> Option<i128> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.is_empty() || number.len() > 18 || fraction.contains('.') {
        return None;
    }
    let scale: i128 = match suffix {
        "m" => 1,
        "" => 1000,
        "k" => 1000_i128.pow(2),
        "M" => 1000_i128.pow(3),
        "G" => 1000_i128.pow(4),
        "T" => 1000_i128.pow(5),
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        _ => return None,
    };
    let value: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let scaled = value.checked_mul(scale)?;
    (scaled % divisor == 0).then_some(scaled / divisor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_of_the_api_server_do_not_matter() {
        let wanted = json!({"spec": {"ports": [{"port": 1}], "emptyDir": {}}});
        let live = json!({"spec": {"ports": [{"port": 1, "protocol": "TCP"}], "emptyDir": {}, "x": 1}, "status": {}});
        assert!(holds(&wanted, &live));
    }

    #[test]
    fn what_differs_matters() {
        let wanted = json!({"a": [1, 2], "b": "x"});
        for live in [
            json!({"a": [1], "b": "x"}),
            json!({"a": [1, 2, 3], "b": "x"}),
            json!({"a": [1, 2], "b": "y"}),
            json!({"a": [1, 2]}),
        ] {
            assert!(!holds(&wanted, &live), "{live}");
        }
    }

    #[test]
    fn quantities_are_compared_by_value() {
        for (wanted, live) in [("1000m", "1"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("0.5", "500m"), ("2000", "2k")]
        {
            assert!(holds(&json!(wanted), &json!(live)), "{wanted} {live}");
        }
        for (wanted, live) in [("1", "2"), ("1M", "1Mi"), ("a", "b"), ("", "0"), ("1..2", "1"), ("1", "1x")] {
            assert!(!holds(&json!(wanted), &json!(live)), "{wanted} {live}");
        }
    }
}
