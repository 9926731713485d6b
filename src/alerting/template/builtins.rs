//! The functions of Go's template language.

use super::call::{Context, Param};
use super::value::{Basic, Value};
use super::{bounds, print};
use crate::label::is_printable;

type Answer = Result<Value, String>;

/// The executor carries these out itself.
pub(super) fn never(_: &mut Context<'_>, _: &[Value]) -> Answer {
    Ok(Value::Nil)
}

/// No value here is a function.
pub(super) fn call(context: &mut Context<'_>, args: &[Value]) -> Answer {
    match &args[0] {
        Value::Nil => Err("call of nil".to_owned()),
        other => Err(format!("non-function {} of type {}", context.callee, other.type_name())),
    }
}

pub(super) fn eq(_: &mut Context<'_>, args: &[Value]) -> Answer {
    if args.len() < 2 {
        return Err("missing argument for comparison".to_owned());
    }
    for other in &args[1..] {
        if equal(&args[0], other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(!equal(&args[0], &args[1])?))
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    let incompatible = || format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name());
    match (a.basic(), b.basic()) {
        (Some(Basic::Int), Some(Basic::Int | Basic::Uint)) | (Some(Basic::Uint), Some(Basic::Int | Basic::Uint)) => {
            Ok(a.as_int() == b.as_int())
        }
        (Some(Basic::Text), Some(Basic::Text)) => Ok(a.as_text() == b.as_text()),
        (Some(one), Some(other)) if one == other => match (a, b) {
            (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
            (Value::Float(a), Value::Float(b)) => Ok(a == b),
            _ => Ok(false),
        },
        (None, None) => same(a, b),
        // nothing is not equal to something
        _ if matches!(a, Value::Nil) || matches!(b, Value::Nil) => Ok(false),
        _ => Err(incompatible()),
    }
}

/// Go's kinds of what is neither a number nor a text.
#[derive(PartialEq, Eq)]
enum Shape {
    Nil,
    List,
    Map,
    Struct,
    Pointer,
}

fn shape(value: &Value) -> Shape {
    match value {
        Value::Nil => Shape::Nil,
        Value::Kv(_) | Value::Map(_) => Shape::Map,
        Value::Alert(_) | Value::Pair(..) | Value::Time(_) => Shape::Struct,
        Value::Data(_) | Value::Location(_) => Shape::Pointer,
        _ => Shape::List,
    }
}

/// Of two that are neither numbers nor texts.
fn same(a: &Value, b: &Value) -> Result<bool, String> {
    let (one, other) = (shape(a), shape(b));
    if one == Shape::Nil || other == Shape::Nil {
        return Ok(one == other);
    }
    if one != other {
        let (shown, with) = (print::text(a), print::text(b));
        return Err(format!("non-comparable types {shown}: {}, {}: {with}", a.type_name(), b.type_name()));
    }
    match (a, b) {
        (_, Value::Alert(_)) => Err(format!("non-comparable type {}: {}", print::text(b), b.type_name())),
        _ if other == Shape::List || other == Shape::Map => {
            Err(format!("non-comparable type {}: {}", print::text(b), b.type_name()))
        }
        (Value::Time(a), Value::Time(b)) => Ok(a.nanos == b.nanos && a.zone.name() == b.zone.name()),
        (Value::Pair(..), Value::Pair(..)) => Ok(print::text(a) == print::text(b)),
        (Value::Location(a), Value::Location(b)) => Ok(a.name() == b.name()),
        (Value::Data(_), Value::Data(_)) => Ok(true),
        _ => Ok(false),
    }
}

fn less(a: &Value, b: &Value) -> Result<bool, String> {
    let bad = "invalid type for comparison";
    let (Some(one), Some(other)) = (a.basic(), b.basic()) else { return Err(bad.to_owned()) };
    match (one, other) {
        (Basic::Int | Basic::Uint, Basic::Int | Basic::Uint) => Ok(a.as_int() < b.as_int()),
        (Basic::Text, Basic::Text) => Ok(a.as_text() < b.as_text()),
        (Basic::Float, Basic::Float) => match (a, b) {
            (Value::Float(a), Value::Float(b)) => Ok(a < b),
            _ => Ok(false),
        },
        (Basic::Bool, Basic::Bool) => Err(bad.to_owned()),
        _ => Err(format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name())),
    }
}

pub(super) fn lt(_: &mut Context<'_>, args: &[Value]) -> Answer {
    less(&args[0], &args[1]).map(Value::Bool)
}

pub(super) fn le(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(less(&args[0], &args[1])? || equal(&args[0], &args[1])?))
}

pub(super) fn gt(context: &mut Context<'_>, args: &[Value]) -> Answer {
    match le(context, args)? {
        Value::Bool(le) => Ok(Value::Bool(!le)),
        other => Ok(other),
    }
}

pub(super) fn ge(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Bool(!less(&args[0], &args[1])?))
}

pub(super) fn len(_: &mut Context<'_>, args: &[Value]) -> Answer {
    match &args[0] {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        value => match value.len() {
            Some(len) => Ok(Value::Int(len as i64)),
            // what a pointer points to
            None => Err(format!("len of type {}", value.type_name().trim_start_matches('*'))),
        },
    }
}

fn position(index: &Value, len: usize) -> Result<usize, String> {
    match index {
        Value::Nil => Err("cannot index slice/array with nil".to_owned()),
        index => {
            let Some(at) = index.as_int() else {
                return Err(format!("cannot index slice/array with type {}", index.type_name()));
            };
            usize::try_from(at).ok().filter(|at| *at <= len).ok_or_else(|| format!("index out of range: {at}"))
        }
    }
}

pub(super) fn index(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut item = args[0].clone();
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    for index in &args[1..] {
        item = match &item {
            Value::Kv(labels) => Value::text(labels.get(key(index)?).unwrap_or_default()),
            Value::Map(map) => map.get(key(index)?).cloned().unwrap_or(Value::Nil),
            Value::Nil => return Err("index of nil pointer".to_owned()),
            other => match other.len() {
                Some(len) => {
                    let out_of_range = match other.as_text() {
                        Some(_) => "reflect: string index out of range",
                        None => "reflect: slice index out of range",
                    };
                    other.element(position(index, len)?).ok_or(out_of_range)?
                }
                None => return Err(format!("can't index item of type {}", other.type_name().trim_start_matches('*'))),
            },
        };
    }
    Ok(item)
}

fn key(index: &Value) -> Result<&str, String> {
    match index {
        Value::Text(key) => Ok(key),
        Value::Nil => Err("value is nil; should be of type string".to_owned()),
        other => Err(format!("value has type {}; should be string", other.type_name())),
    }
}

pub(super) fn slice(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (item, indexes) = (&args[0], &args[1..]);
    if matches!(item, Value::Nil) {
        return Err("slice of untyped nil".to_owned());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let sliceable = !matches!(item, Value::Kv(_) | Value::Map(_));
    let Some(len) = item.len().filter(|_| sliceable) else {
        return Err(format!("can't slice item of type {}", item.type_name().trim_start_matches('*')));
    };
    if item.as_text().is_some() && indexes.len() == 3 {
        return Err("cannot 3-index slice a string".to_owned());
    }
    let mut bounds = [0, len, len];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, len)?;
    }
    for (from, to) in [(bounds[0], bounds[1]), (bounds[1], bounds[2])] {
        if from > to {
            return Err(format!("invalid slice index: {from} > {to}"));
        }
    }
    let (from, to) = (bounds[0], bounds[1]);
    Ok(match item {
        Value::Alerts(alerts) => Value::Alerts(alerts[from..to].into()),
        Value::AlertList(alerts) => Value::AlertList(alerts[from..to].into()),
        Value::Pairs(pairs) => Value::Pairs(pairs[from..to].into()),
        Value::Strings(list) => Value::Strings(list[from..to].into()),
        Value::TextList(list) => Value::TextList(list[from..to].into()),
        Value::List(list) => Value::List(list[from..to].into()),
        Value::Html(text) => Value::Html(part(text, from, to)),
        Value::Url(text) => Value::Url(part(text, from, to)),
        other => Value::Text(part(other.as_text().ok_or("slice of untyped nil")?, from, to)),
    })
}

/// Bytes of a text; what that cuts apart becomes U+FFFD.
fn part(text: &str, from: usize, to: usize) -> std::sync::Arc<str> {
    String::from_utf8_lossy(&text.as_bytes()[from..to]).into()
}

pub(super) fn printf(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let format = super::functions::text(&args[0]);
    let bytes = bounds::printed(args, context.bytes_max)?;
    bounds::formatted(format, bytes, context.bytes_max)?;
    Ok(Value::text(print::printf(format, &args[1..])))
}

pub(super) fn html(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::text(gotmpl::html_escape(&joined(args))))
}

pub(super) fn js(_: &mut Context<'_>, args: &[Value]) -> Answer {
    use std::fmt::Write;
    let mut out = String::new();
    // the library leaves what isn't ASCII as it is
    for c in gotmpl::js_escape(&joined(args)).chars() {
        if c.is_ascii() || is_printable(c) {
            out.push(c);
        } else {
            // writing to a String does not fail
            let _ = write!(out, "\\u{:04X}", c as u32);
        }
    }
    Ok(Value::text(out))
}

pub(super) fn urlquery(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::text(gotmpl::url_encode(&joined(args))))
}

/// The arguments of an escaper as one text.
fn joined(args: &[Value]) -> String {
    if let [Value::Text(text)] = args {
        return text.to_string();
    }
    let shown: Vec<Value> = args
        .iter()
        .map(|arg| match arg {
            Value::Nil | Value::Data(_) => {
                let mut text = String::new();
                print::action(arg, &mut text);
                Value::text(text)
            }
            other => other.clone(),
        })
        .collect();
    print::sprint(&shown)
}

impl Param {
    /// Whether nothing is a value of this type.
    pub(super) fn may_be_nil(self) -> bool {
        matches!(self, Self::Any | Self::Anys | Self::Raw | Self::Texts | Self::Location)
    }
}
