//! Values as text, as Go's `fmt` prints them.

use std::sync::{Arc, LazyLock};

use super::data::{AlertData, Data};
use super::gotime::{MONTHS, WEEKDAYS};
use super::quote;
use super::value::{Value, sorted_pairs};

/// What an action prints.
pub(super) fn action(value: &Value, out: &mut String) {
    match value {
        Value::Nil => out.push_str("<no value>"),
        Value::Text(text) => out.push_str(text),
        Value::Data(data) => write_data(data, out),
        other => write(other, out),
    }
}

/// Like `%v`; of nothing `<nil>`.
pub(super) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Nil => out.push_str("<nil>"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) | Value::Int64(value) => out.push_str(&value.to_string()),
        Value::Byte(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&float(*value)),
        Value::Text(text) | Value::Html(text) | Value::Url(text) => out.push_str(text),
        Value::Data(data) => {
            out.push('&');
            write_data(data, out);
        }
        Value::Alerts(alerts) | Value::AlertList(alerts) => write_alerts(alerts, out),
        Value::Alert(alert) => write_alert(alert, out),
        Value::Kv(labels) => write_pairs(sorted_pairs(labels), out),
        Value::Pairs(pairs) => write_pairs(pairs.iter().map(|(name, value)| (&**name, &**value)), out),
        Value::Pair(name, value) => out.push_str(&format!("{{{name} {value}}}")),
        Value::Strings(list) | Value::TextList(list) => {
            out.push('[');
            for (at, text) in list.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                out.push_str(text);
            }
            out.push(']');
        }
        Value::List(list) => {
            out.push('[');
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                write(element, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                write(value, out);
            }
            out.push(']');
        }
        Value::Time(time) => out.push_str(&time.to_string()),
        Value::Duration(duration) => out.push_str(&duration.to_string()),
        Value::Month(month) => out.push_str(named(&MONTHS, usize::from(*month).wrapping_sub(1))),
        Value::Weekday(day) => out.push_str(named(&WEEKDAYS, usize::from(*day))),
        Value::Location(zone) => out.push_str(zone.name()),
    }
}

/// Like `%v`, as a text of its own.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// Like Go's `Sprint`: a space between operands neither of which is a text.
pub(super) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    for (at, value) in values.iter().enumerate() {
        let is_text = |value: &Value| value.as_text().is_some();
        if at > 0 && !is_text(value) && !is_text(&values[at - 1]) {
            out.push(' ');
        }
        write(value, &mut out);
    }
    out
}

/// Like Go's `Sprintln`.
pub(super) fn sprintln(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(text).collect();
    texts.join(" ") + "\n"
}

fn named<'a>(names: &[&'a str], index: usize) -> &'a str {
    names.get(index).copied().unwrap_or_default()
}

fn write_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, out: &mut String) {
    for (at, (name, value)) in pairs.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
}

fn write_alerts(alerts: &[Arc<AlertData>], out: &mut String) {
    out.push('[');
    for (at, alert) in alerts.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        write_alert(alert, out);
    }
    out.push(']');
}

fn write_alert(alert: &AlertData, out: &mut String) {
    out.push('{');
    out.push_str(&alert.status);
    for labels in [&alert.labels, &alert.annotations] {
        out.push(' ');
        write_pairs(sorted_pairs(labels), out);
    }
    for time in [&alert.starts_at, &alert.ends_at] {
        out.push(' ');
        out.push_str(&time.to_string());
    }
    for text in [&alert.generator_url, &alert.fingerprint] {
        out.push(' ');
        out.push_str(text);
    }
    out.push('}');
}

fn write_data(data: &Data, out: &mut String) {
    out.push('{');
    out.push_str(&data.receiver);
    out.push(' ');
    out.push_str(&data.status);
    out.push(' ');
    write_alerts(&data.alerts, out);
    out.push(' ');
    out.push_str(&data.notification_reason);
    for labels in [&data.group_labels, &data.common_labels, &data.common_annotations, &data.route_labels] {
        out.push(' ');
        write_pairs(sorted_pairs(labels), out);
    }
    out.push_str(&format!(" {} {}}}", data.external_url, data.labels_rendered));
}

/// A float as `%v` prints it: the shortest digits, with an exponent from a million on and below a ten-thousandth.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Like Go's `Sprintf`, by the library, which knows the verbs and flags.
pub(super) fn printf(format: &str, args: &[Value]) -> String {
    static CALLS: LazyLock<Vec<Option<gotmpl::Template>>> =
        LazyLock::new(|| (0..9).map(|count| printf_call(count).ok()).collect());
    let verbs = verbs(format);
    let mut format = format.to_owned();
    let mut data = std::collections::BTreeMap::new();
    for (at, arg) in args.iter().enumerate() {
        let verb = verbs.as_ref().and_then(|verbs| verbs.get(at));
        let shown = match (verb, arg) {
            (Some(Verb { letter: 'q', at, plain: true }), Value::Text(text)) => {
                // of what can't be printed the library knows less than Go
                format.replace_range(*at..at + 1, "s");
                gotmpl::Value::String(quote(text).into())
            }
            (verb, arg) => for_verb(arg, verb.map_or('v', |verb| verb.letter)),
        };
        data.insert(Arc::from(format!("a{at}")), shown);
    }
    data.insert(Arc::from("f"), gotmpl::Value::String(format.into()));
    let data = gotmpl::Value::Map(Arc::new(data));
    let rendered = match CALLS.get(args.len()) {
        Some(Some(template)) => template.execute_to_string(&data),
        _ => printf_call(args.len()).and_then(|template| template.execute_to_string(&data)),
    };
    rendered.unwrap_or_else(|error| format!("%!({error})"))
}

fn printf_call(args: usize) -> Result<gotmpl::Template, gotmpl::TemplateError> {
    let args: String = (0..args).map(|at| format!(" .a{at}")).collect();
    gotmpl::Template::new("printf").parse(&format!("{{{{printf .f{args}}}}}"))
}

/// What a format does with an argument.
struct Verb {
    letter: char,
    /// Where that letter stands.
    at: usize,
    /// Nothing but a width is asked for.
    plain: bool,
}

/// The verb of each argument; nothing if they are taken out of order.
fn verbs(format: &str) -> Option<Vec<Verb>> {
    let mut verbs = Vec::new();
    let mut rest = format.char_indices();
    while let Some((start, c)) = rest.next() {
        if c != '%' {
            continue;
        }
        match rest.find(|(_, c)| !"+-# 0123456789.".contains(*c)) {
            Some((_, '[' | '*')) => return None,
            Some((_, '%')) | None => {}
            Some((at, letter)) => {
                let plain = !format[start..at].contains(['+', '#', '.', ' ', '0']);
                verbs.push(Verb { letter, at, plain });
            }
        }
    }
    Some(verbs)
}

/// A value as the library has it; what prints itself is a text, except where a number is wanted.
fn for_verb(value: &Value, verb: char) -> gotmpl::Value {
    match value {
        Value::Duration(_) | Value::Month(_) | Value::Weekday(_) if !"vsqxX".contains(verb) => {
            gotmpl::Value::Int(value.as_int().unwrap_or_default())
        }
        Value::Float(value) if verb == 'v' || !value.is_finite() => gotmpl::Value::String(float(*value).into()),
        Value::Strings(_) | Value::TextList(_) if verb == 's' => gotmpl::Value::String(text(value).into()),
        value => plain(value),
    }
}

/// A value as the library has it.
pub(super) fn plain(value: &Value) -> gotmpl::Value {
    let texts = |list: &[Arc<str>]| list.iter().cloned().map(gotmpl::Value::String).collect();
    match value {
        Value::Nil => gotmpl::Value::Nil,
        Value::Bool(value) => gotmpl::Value::Bool(*value),
        Value::Int(value) | Value::Int64(value) => gotmpl::Value::Int(*value),
        Value::Byte(value) => gotmpl::Value::Uint(u64::from(*value)),
        Value::Float(value) => gotmpl::Value::Float(*value),
        Value::Text(text) | Value::Html(text) | Value::Url(text) => gotmpl::Value::String(text.clone()),
        Value::Strings(list) | Value::TextList(list) => gotmpl::Value::List(texts(list)),
        Value::List(list) => gotmpl::Value::List(list.iter().map(plain).collect()),
        Value::Map(map) => {
            gotmpl::Value::Map(Arc::new(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()))
        }
        other => gotmpl::Value::String(text(other).into()),
    }
}
