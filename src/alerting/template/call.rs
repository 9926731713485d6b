//! What functions take, and what they may use.

use std::collections::BTreeMap;

use regex::bytes::Regex;

use super::functions::backquoted;
use super::gotime::GoTime;
use super::value::Value;
use crate::matcher::re2;

/// Go's type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    /// `string`
    Text,
    /// `[]string`
    Texts,
    /// `time.Time`
    Time,
    /// `any`
    Any,
    /// `[]any`
    Anys,
    /// `reflect.Value`: anything, looked at by the function itself.
    Raw,
    /// `int`
    Int,
    /// `time.Duration`
    Duration,
    /// `*time.Location`
    Location,
}

/// What a function may use beside its arguments.
pub(super) struct Context<'a> {
    pub(super) now: &'a GoTime,
    /// The most bytes that a result may have.
    pub(super) bytes_max: usize,
    /// Text of the first argument, for `call`.
    pub(super) callee: String,
    /// Expressions compiled so far.
    pub(super) regexes: &'a mut BTreeMap<String, Regex>,
    /// What the call has cost beyond the length of its values.
    pub(super) extra_steps: usize,
}

/// Expressions that one rendering keeps.
const REGEXES_MAX: usize = 64;

/// What it costs to compile an expression.
const COMPILING: usize = 20_000;

impl Context<'_> {
    /// An expression, compiled once for all calls of a rendering.
    pub(super) fn regex(&mut self, pattern: &str) -> Result<&Regex, String> {
        if !self.regexes.contains_key(pattern) {
            let compiled = re2::compile_search(pattern);
            let compiled =
                compiled.map_err(|error| format!("error parsing regexp: {error}: {}", backquoted(pattern)))?;
            self.extra_steps += COMPILING;
            if self.regexes.len() >= REGEXES_MAX {
                self.regexes.clear();
            }
            self.regexes.insert(pattern.to_owned(), compiled);
        }
        self.regexes.get(pattern).ok_or_else(String::new)
    }
}

impl Param {
    /// Go's name of the type.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Texts => "[]string",
            Self::Time => "time.Time",
            Self::Any => "interface {}",
            Self::Anys => "[]interface {}",
            Self::Raw => "reflect.Value",
            Self::Int => "int",
            Self::Duration => "time.Duration",
            Self::Location => "*time.Location",
        }
    }

    /// The value, if it may be given for this parameter; otherwise the reference's complaint.
    pub(super) fn accept(self, value: Value) -> Result<Value, String> {
        let fits = match (self, &value) {
            (_, Value::Nil) if self.may_be_nil() => true,
            (_, Value::Nil) => return Err(format!("invalid value; expected {}", self.type_name())),
            (Self::Any | Self::Raw, _)
            | (Self::Text, Value::Text(_))
            | (Self::Texts, Value::Strings(_) | Value::TextList(_))
            | (Self::Time, Value::Time(_))
            | (Self::Anys, Value::List(_))
            | (Self::Int, Value::Int(_))
            | (Self::Duration, Value::Duration(_))
            | (Self::Location, Value::Location(_)) => true,
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        let (wanted, got) = (self.type_name(), value.type_name());
        Err(format!("wrong type for value; expected {wanted}; got {got}"))
    }
}
