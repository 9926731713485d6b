//! Fields and methods of values.

use super::call::Param;
use super::functions::{text, time};
use super::gotime::{Civil, Duration, GoTime, NANOS, Zone};
use super::value::{Value, sorted_pairs};
use crate::label::LabelSet;

/// A method: what it takes and does.
pub(super) struct Method {
    pub(super) params: &'static [Param],
    pub(super) run: fn(&Value, &[Value]) -> Result<Value, String>,
    /// Go's templates call nothing that returns more than one value.
    pub(super) results: u8,
}

/// What a name is on a value.
pub(super) enum Member {
    Method(Method),
    /// A field of a struct, or of a map.
    Value(Value),
    /// An entry of a map, which is there or not.
    Entry(Value),
    /// A field that templates must not see.
    Hidden,
    None,
}

/// Looks a name up, as Go does: methods first.
pub(super) fn member(value: &Value, name: &str) -> Member {
    if let Some(method) = method(value, name) {
        return Member::Method(method);
    }
    match value {
        Value::Kv(labels) => Member::Entry(Value::text(labels.get(name).unwrap_or_default())),
        Value::Map(map) => Member::Entry(map.get(name).cloned().unwrap_or(Value::Nil)),
        Value::Data(data) => Member::Value(match name {
            "Receiver" => Value::Text(data.receiver.clone()),
            "Status" => Value::Text(data.status.clone()),
            "Alerts" => Value::Alerts(data.alerts.clone()),
            "NotificationReason" => Value::Text(data.notification_reason.clone()),
            "GroupLabels" => Value::Kv(data.group_labels.clone()),
            "CommonLabels" => Value::Kv(data.common_labels.clone()),
            "CommonAnnotations" => Value::Kv(data.common_annotations.clone()),
            "RouteLabels" => Value::Kv(data.route_labels.clone()),
            "ExternalURL" => Value::Text(data.external_url.clone()),
            "routeLabelsRendered" => return Member::Hidden,
            _ => return Member::None,
        }),
        Value::Alert(alert) => Member::Value(match name {
            "Status" => Value::Text(alert.status.clone()),
            "Labels" => Value::Kv(alert.labels.clone()),
            "Annotations" => Value::Kv(alert.annotations.clone()),
            "StartsAt" => Value::Time(alert.starts_at.clone()),
            "EndsAt" => Value::Time(alert.ends_at.clone()),
            "GeneratorURL" => Value::Text(alert.generator_url.clone()),
            "Fingerprint" => Value::Text(alert.fingerprint.clone()),
            _ => return Member::None,
        }),
        Value::Pair(pair_name, pair_value) => Member::Value(match name {
            "Name" => Value::Text(pair_name.clone()),
            "Value" => Value::Text(pair_value.clone()),
            _ => return Member::None,
        }),
        Value::Time(_) if matches!(name, "wall" | "ext" | "loc") => Member::Hidden,
        _ => Member::None,
    }
}

fn method(value: &Value, name: &str) -> Option<Method> {
    let plain = |run| Some(Method { params: &[], run, results: 1 });
    match (value, name) {
        (Value::Kv(_) | Value::Pairs(_), "Names") => plain(|value, _| Ok(Value::Strings(pairs(value, |pair| pair.0)))),
        (Value::Kv(_) | Value::Pairs(_), "Values") => plain(|value, _| Ok(Value::Strings(pairs(value, |pair| pair.1)))),
        (Value::Kv(_), "SortedPairs") => plain(|value, _| {
            let Value::Kv(labels) = value else { return Ok(Value::Nil) };
            Ok(Value::Pairs(sorted_pairs(labels).map(|(name, value)| (name.into(), value.into())).collect()))
        }),
        (Value::Kv(_), "Remove") => Some(Method { params: &[Param::Texts], run: remove, results: 1 }),
        (Value::Strings(_), "Join") => Some(Method {
            params: &[Param::Text],
            run: |value, args| Ok(Value::text(value.as_texts().map(|l| l.join(&**text(&args[0]))).unwrap_or_default())),
            results: 1,
        }),
        (Value::Alerts(_), "Firing") => plain(|value, _| Ok(with_status(value, "firing"))),
        (Value::Alerts(_), "Resolved") => plain(|value, _| Ok(with_status(value, "resolved"))),
        (
            Value::Kv(_)
            | Value::Pairs(_)
            | Value::Time(_)
            | Value::Duration(_)
            | Value::Month(_)
            | Value::Weekday(_)
            | Value::Location(_),
            "String",
        ) => plain(|value, _| Ok(Value::text(super::print::text(value)))),
        (Value::Time(_), name) => time_method(name),
        (Value::Duration(_), name) => duration_method(name),
        _ => None,
    }
}

fn pairs(value: &Value, part: impl for<'a> Fn((&'a str, &'a str)) -> &'a str) -> std::sync::Arc<[std::sync::Arc<str>]> {
    match value {
        Value::Kv(labels) => sorted_pairs(labels).map(|pair| part(pair).into()).collect(),
        Value::Pairs(pairs) => pairs.iter().map(|(name, value)| part((name, value)).into()).collect(),
        _ => [].into(),
    }
}

fn remove(value: &Value, args: &[Value]) -> Result<Value, String> {
    let Value::Kv(labels) = value else { return Ok(Value::Nil) };
    let names = args[0].as_texts();
    let keeps = |name: &str| !names.is_some_and(|names| names.iter().any(|n| **n == *name));
    Ok(Value::Kv(LabelSet::new(labels.iter().filter(|(name, _)| keeps(name)))))
}

fn with_status(value: &Value, status: &str) -> Value {
    match value {
        Value::Alerts(alerts) => Value::AlertList(alerts.iter().filter(|a| *a.status == *status).cloned().collect()),
        _ => Value::Nil,
    }
}

fn time_method(name: &str) -> Option<Method> {
    const TIME: &[Param] = &[Param::Time];
    const SPAN: &[Param] = &[Param::Duration];
    let method = |params, run| Some(Method { params, run, results: 1 });
    let plain = |run| Some(Method { params: &[], run, results: 1 });
    let many = |results| Some(Method { params: &[], run: |_, _| Ok(Value::Nil), results });
    match name {
        "Format" => method(&[Param::Text], |v, args| Ok(Value::text(time(v).format(text(&args[0]))))),
        "Sub" => method(TIME, |v, args| Ok(Value::Duration(time(v).since(time(&args[0]))))),
        "Add" => method(SPAN, |v, args| Ok(Value::Time(moved(time(v), args[0].as_int().unwrap_or_default())))),
        "AddDate" => method(&[Param::Int, Param::Int, Param::Int], |v, args| Ok(Value::Time(add_date(time(v), args)))),
        "After" => method(TIME, |v, args| Ok(Value::Bool(time(v).nanos > time(&args[0]).nanos))),
        "Before" => method(TIME, |v, args| Ok(Value::Bool(time(v).nanos < time(&args[0]).nanos))),
        "Equal" => method(TIME, |v, args| Ok(Value::Bool(time(v).nanos == time(&args[0]).nanos))),
        "Compare" => method(TIME, |v, args| Ok(Value::Int(time(v).nanos.cmp(&time(&args[0]).nanos) as i64))),
        "Truncate" => method(SPAN, |v, args| Ok(Value::Time(rounded(time(v), &args[0], false)))),
        "Round" => method(SPAN, |v, args| Ok(Value::Time(rounded(time(v), &args[0], true)))),
        "In" => method(&[Param::Location], |v, args| match &args[0] {
            Value::Location(zone) => Ok(Value::Time(time(v).in_zone(zone.clone()))),
            _ => Err("time: missing Location in call to Time.In".to_owned()),
        }),
        // the reference's own zone is its machine's; here it's UTC
        "UTC" | "Local" => plain(|v, _| Ok(Value::Time(time(v).in_zone(Zone::Utc)))),
        "Unix" => plain(|v, _| Ok(Value::Int64(time(v).seconds()))),
        "UnixMilli" => plain(|v, _| Ok(unix(v, 1_000_000))),
        "UnixMicro" => plain(|v, _| Ok(unix(v, 1_000))),
        "UnixNano" => plain(|v, _| Ok(Value::Int64(time(v).nanos as i64))),
        "IsZero" => plain(|v, _| Ok(Value::Bool(time(v).is_zero()))),
        "IsDST" => plain(|v, _| Ok(Value::Bool(is_dst(time(v))))),
        "Year" => plain(|v, _| Ok(Value::Int(date(v).year))),
        "Month" => plain(|v, _| Ok(Value::Month(date(v).month))),
        "Day" => plain(|v, _| Ok(Value::Int(date(v).day.into()))),
        "Hour" => plain(|v, _| Ok(Value::Int(date(v).hour.into()))),
        "Minute" => plain(|v, _| Ok(Value::Int(date(v).minute.into()))),
        "Second" => plain(|v, _| Ok(Value::Int(date(v).second.into()))),
        "Nanosecond" => plain(|v, _| Ok(Value::Int(date(v).nanos.into()))),
        "Weekday" => plain(|v, _| Ok(Value::Weekday(date(v).weekday))),
        "YearDay" => plain(|v, _| Ok(Value::Int(date(v).year_day.into()))),
        "Location" => plain(|v, _| Ok(Value::Location(time(v).zone.clone()))),
        "ISOWeek" | "Zone" | "ZoneBounds" => many(2),
        "Date" | "Clock" => many(3),
        _ => None,
    }
}

fn date(value: &Value) -> Civil {
    time(value).civil()
}

fn unix(value: &Value, unit: i128) -> Value {
    Value::Int64(i64::try_from(time(value).nanos.div_euclid(unit)).unwrap_or_default())
}

fn moved(from: &GoTime, nanos: i64) -> GoTime {
    GoTime { nanos: from.nanos + i128::from(nanos), zone: from.zone.clone() }
}

fn add_date(from: &GoTime, args: &[Value]) -> GoTime {
    // far more than any calendar has
    let arg = |at: usize| args[at].as_int().unwrap_or_default().clamp(-1_000_000, 1_000_000);
    let date = from.civil();
    let days = (date.year + arg(0), i64::from(date.month) + arg(1), i64::from(date.day) + arg(2));
    let seconds = (i64::from(date.hour) * 60 + i64::from(date.minute)) * 60 + i64::from(date.second);
    GoTime::of(days, seconds, date.nanos, from.zone.clone())
}

/// To a multiple of a span since the year 1.
fn rounded(from: &GoTime, span: &Value, nearest: bool) -> GoTime {
    let unit = i128::from(span.as_int().unwrap_or_default());
    if unit <= 0 {
        return from.clone();
    }
    let rest = (from.nanos - GoTime::UNSET.nanos).rem_euclid(unit);
    let up = if nearest && rest * 2 >= unit { unit } else { 0 };
    GoTime { nanos: from.nanos - rest + up, zone: from.zone.clone() }
}

fn is_dst(time: &GoTime) -> bool {
    match &time.zone {
        Zone::Named(_, zone) => {
            let moment = jiff::Timestamp::from_second(time.seconds()).unwrap_or_default();
            zone.to_offset_info(moment).dst().is_dst()
        }
        Zone::Utc | Zone::Fixed(..) => false,
    }
}

fn duration_method(name: &str) -> Option<Method> {
    const SPAN: &[Param] = &[Param::Duration];
    let plain = |run| Some(Method { params: &[], run, results: 1 });
    let span = |run| Some(Method { params: SPAN, run, results: 1 });
    match name {
        "Seconds" => plain(|v, _| Ok(Value::Float(duration(v).seconds()))),
        "Minutes" => plain(|v, _| Ok(Value::Float(units(v, 60)))),
        "Hours" => plain(|v, _| Ok(Value::Float(units(v, 3600)))),
        "Milliseconds" => plain(|v, _| Ok(Value::Int64(duration(v).0 / 1_000_000))),
        "Microseconds" => plain(|v, _| Ok(Value::Int64(duration(v).0 / 1_000))),
        "Nanoseconds" => plain(|v, _| Ok(Value::Int64(duration(v).0))),
        "Abs" => plain(|v, _| Ok(Value::Duration(Duration(duration(v).0.saturating_abs())))),
        "Truncate" => span(|v, args| Ok(Value::Duration(duration(v).truncate(duration(&args[0]))))),
        "Round" => span(|v, args| Ok(Value::Duration(duration(v).round(duration(&args[0]))))),
        _ => None,
    }
}

fn duration(value: &Value) -> Duration {
    Duration(value.as_int().unwrap_or_default())
}

fn units(value: &Value, seconds: i64) -> f64 {
    let unit = seconds * NANOS as i64;
    let nanos = duration(value).0;
    (nanos / unit) as f64 + (nanos % unit) as f64 / (seconds as f64 * 1e9)
}
