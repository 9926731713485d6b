//! The functions that a template may call: Go's own and Alertmanager's.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::{Context, Param};
use super::gotime::{self, GoTime, Zone};
use super::value::Value;
use super::{bounds, builtins, json, print, quote, title};

/// A function, and what it takes.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// One of the template language itself.
    pub(super) builtin: bool,
    pub(super) params: &'static [Param],
    /// Any number of these may follow.
    pub(super) rest: Option<Param>,
    pub(super) run: Run,
    /// Its arguments become text.
    pub(super) prints: bool,
}

/// The arguments are of the types in [`Function::params`].
pub(super) type Run = fn(&mut Context<'_>, &[Value]) -> Result<Value, String>;

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn own(name: &'static str, params: &'static [Param], run: Run) -> Function {
    Function { name, builtin: false, params, rest: None, run, prints: false }
}

const fn own_many(name: &'static str, params: &'static [Param], rest: Param, run: Run) -> Function {
    Function { name, builtin: false, params, rest: Some(rest), run, prints: false }
}

const fn builtin(name: &'static str, params: &'static [Param], rest: Option<Param>, run: Run) -> Function {
    Function { name, builtin: true, params, rest, run, prints: false }
}

const fn printing(function: Function) -> Function {
    Function { prints: true, ..function }
}

use Param::{Any, Anys, Raw, Text, Texts, Time};

/// In the order of their names.
static FUNCTIONS: [Function; 44] = [
    builtin("and", &[Raw], Some(Raw), builtins::never),
    own_many("append", &[Anys], Any, append),
    own("base64decode", &[Text], base64_decode),
    own("base64encode", &[Text], base64_encode),
    builtin("call", &[Raw], Some(Raw), builtins::call),
    own("date", &[Text, Time], |_, args| Ok(Value::text(time(&args[1]).format(text(&args[0]))))),
    own_many("dict", &[], Any, dict),
    builtin("eq", &[Raw], Some(Raw), builtins::eq),
    builtin("ge", &[Raw, Raw], None, builtins::ge),
    builtin("gt", &[Raw, Raw], None, builtins::gt),
    printing(builtin("html", &[], Some(Any), builtins::html)),
    own("humanizeDuration", &[Any], humanize_duration),
    builtin("index", &[Raw], Some(Raw), builtins::index),
    own("join", &[Text, Texts], join),
    printing(builtin("js", &[], Some(Any), builtins::js)),
    builtin("le", &[Raw, Raw], None, builtins::le),
    builtin("len", &[Raw], None, builtins::len),
    own_many("list", &[], Any, |_, args| Ok(Value::List(args.into()))),
    builtin("lt", &[Raw, Raw], None, builtins::lt),
    own("match", &[Text, Text], matches),
    own("mustToDate", &[Text, Text], |_, args| gotime::parse(text(&args[0]), text(&args[1])).map(Value::Time)),
    builtin("ne", &[Raw, Raw], None, builtins::ne),
    builtin("not", &[Raw], None, |_, args| Ok(Value::Bool(!args[0].is_true()))),
    own("now", &[], |context, _| Ok(Value::Time(context.now.clone()))),
    builtin("or", &[Raw], Some(Raw), builtins::never),
    printing(builtin("print", &[], Some(Any), |_, args| Ok(Value::text(print::sprint(args))))),
    printing(builtin("printf", &[Text], Some(Any), builtins::printf)),
    printing(builtin("println", &[], Some(Any), |_, args| Ok(Value::text(print::sprintln(args))))),
    own("reReplaceAll", &[Text, Text, Text], replace),
    own("routeLabels", &[Text], builtins::never),
    own("safeHtml", &[Text], |_, args| Ok(Value::Html(text(&args[0]).clone()))),
    own("safeUrl", &[Text], |_, args| Ok(Value::Url(text(&args[0]).clone()))),
    own("since", &[Time], |context, args| Ok(Value::Duration(context.now.since(time(&args[0]))))),
    builtin("slice", &[Raw], Some(Raw), builtins::slice),
    own_many("stringSlice", &[], Text, |_, args| Ok(Value::TextList(args.iter().map(|a| text(a).clone()).collect()))),
    own("title", &[Text], |_, args| Ok(Value::text(title::title(text(&args[0]))))),
    own("toDate", &[Text, Text], |_, args| {
        Ok(Value::Time(gotime::parse(text(&args[0]), text(&args[1])).unwrap_or(GoTime::UNSET)))
    }),
    printing(own("toJson", &[Any], |_, args| json::encode(&args[0]).map(Value::text))),
    own("toLower", &[Text], |_, args| Ok(Value::text(lower(text(&args[0]))))),
    own("toUpper", &[Text], |_, args| Ok(Value::text(upper(text(&args[0]))))),
    own("trimSpace", &[Text], |_, args| Ok(Value::text(text(&args[0]).trim()))),
    own("tz", &[Text, Time], in_zone),
    own("urlUnescape", &[Text], url_unescape),
    printing(builtin("urlquery", &[], Some(Any), builtins::urlquery)),
];

/// The function of that name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter()
}

/// An argument that is a text.
pub(super) fn text(value: &Value) -> &Arc<str> {
    static EMPTY: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(|| "".into());
    value.as_text().unwrap_or(&EMPTY)
}

/// An argument that is a time.
pub(super) fn time(value: &Value) -> &GoTime {
    static UNSET: GoTime = GoTime::UNSET;
    match value {
        Value::Time(time) => time,
        _ => &UNSET,
    }
}

/// Go maps each letter to one letter, whatever the language would have.
fn upper(text: &str) -> String {
    text.chars().map(|c| single(c, c.to_uppercase())).collect()
}

fn lower(text: &str) -> String {
    text.chars().map(|c| single(c, c.to_lowercase())).collect()
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (c, mapped.next(), mapped.next()) {
        ('\u{130}', ..) => 'i',
        (_, Some(one), None) => one,
        _ => c,
    }
}

fn append(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let mut list = match &args[0] {
        Value::List(list) => list.to_vec(),
        _ => Vec::new(),
    };
    list.extend_from_slice(&args[1..]);
    Ok(Value::List(list.into()))
}

fn dict(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    if !args.len().is_multiple_of(2) {
        return Err("dict requires an even number of arguments".to_owned());
    }
    let mut map = BTreeMap::new();
    for pair in args.chunks_exact(2) {
        let Value::Text(key) = &pair[0] else { return Err("dict keys must be strings".to_owned()) };
        map.insert(key.clone(), pair[1].clone());
    }
    Ok(Value::Map(Arc::new(map)))
}

fn join(context: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let (Some(list), separator) = (args[1].as_texts(), text(&args[0])) else { return Ok(Value::text("")) };
    let parts: usize = list.iter().map(|part| part.len()).sum();
    if parts.saturating_add(separator.len().saturating_mul(list.len())) > context.bytes_max {
        return Err(bounds::TOO_LONG.to_owned());
    }
    Ok(Value::text(list.join(&**separator)))
}

fn matches(context: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let regex = context.regex(text(&args[0]))?;
    Ok(Value::Bool(regex.is_match(text(&args[1]).as_bytes())))
}

fn replace(context: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let pattern = text(&args[0]);
    let regex = context.regex(pattern).map_err(|error| format!("regexp: Compile({}): {error}", backquoted(pattern)))?;
    let regex = regex.clone();
    let (with, from) = (text(&args[1]).as_bytes(), text(&args[2]).as_bytes());
    let references = with.iter().filter(|byte| **byte == b'$').count();
    let (mut replaced, mut done) = (Vec::with_capacity(from.len()), 0);
    for found in regex.captures_iter(from) {
        let Some(whole) = found.get(0) else { continue };
        let most = with.len().saturating_add(references.saturating_mul(whole.len()));
        if replaced.len().saturating_add(most).saturating_add(whole.start() - done) > context.bytes_max {
            return Err(bounds::TOO_LONG.to_owned());
        }
        replaced.extend_from_slice(&from[done..whole.start()]);
        found.expand(with, &mut replaced);
        done = whole.end();
    }
    replaced.extend_from_slice(&from[done..]);
    Ok(Value::text(String::from_utf8_lossy(&replaced).into_owned()))
}

/// As Go's regexp package quotes an expression.
pub(super) fn backquoted(text: &str) -> String {
    if text.contains(['`', '\u{feff}']) || text.chars().any(|c| c.is_control() && c != '\t') {
        return quote(text);
    }
    format!("`{text}`")
}

fn in_zone(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    Ok(Value::Time(time(&args[1]).in_zone(Zone::find(text(&args[0]))?)))
}

fn humanize_duration(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let seconds = match &args[0] {
        Value::Float(value) => *value,
        Value::Int(value) | Value::Int64(value) => *value as f64,
        Value::Duration(duration) => duration.seconds(),
        Value::Text(text) => parse_float(text)?,
        other => return Err(format!("can't convert {} to float", other.type_name())),
    };
    let short = |value: f64, unit: &str| print::printf("%.4g", &[Value::Float(value)]) + unit;
    if !seconds.is_finite() {
        return Ok(Value::text(print::float(seconds)));
    }
    if seconds == 0.0 {
        return Ok(Value::text(short(seconds, "s")));
    }
    if seconds.abs() >= 1.0 {
        let (sign, size) = (if seconds < 0.0 { "-" } else { "" }, seconds.abs());
        let whole = size as i64;
        let (days, hours, minutes, rest) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
        return Ok(Value::text(match (days, hours, minutes) {
            (0, 0, 0) => format!("{sign}{}", short(size, "s")),
            (0, 0, _) => format!("{sign}{minutes}m {rest}s"),
            (0, ..) => format!("{sign}{hours}h {minutes}m {rest}s"),
            _ => format!("{sign}{days}d {hours}h {minutes}m {rest}s"),
        }));
    }
    let (mut value, mut prefix) = (seconds, "");
    for smaller in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = smaller;
        value *= 1000.0;
    }
    Ok(Value::text(short(value, &format!("{prefix}s"))))
}

fn parse_float(text: &str) -> Result<f64, String> {
    let plain = text.replace('_', "x");
    plain.parse().map_err(|_| format!("strconv.ParseFloat: parsing {}: invalid syntax", quote(text)))
}

fn url_unescape(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let text = text(&args[0]);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
                let valid = hex.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
                let Some(value) = valid.and_then(|hex| u8::from_str_radix(hex, 16).ok()) else {
                    let end = tail.len().min(2);
                    let shown = String::from_utf8_lossy(&tail[..end]).into_owned();
                    return Err(format!("invalid URL escape {}", quote(&format!("%{shown}"))));
                };
                bytes.push(value);
                rest = &tail[2..];
            }
            byte => bytes.push(*byte),
        }
    }
    Ok(Value::text(String::from_utf8_lossy(&bytes).into_owned()))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64_encode(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let mut out = String::new();
    for chunk in text(&args[0]).as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 63;
            out.push(if digit > chunk.len() { '=' } else { char::from(BASE64[index as usize]) });
        }
    }
    Ok(Value::text(out))
}

fn base64_decode(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    // line breaks are left out, as Go does
    let text: Vec<(usize, u8)> =
        text(&args[0]).bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n')).collect();
    let illegal = |at: usize| format!("illegal base64 data at input byte {at}");
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for (number, chunk) in text.chunks(4).enumerate() {
        let mut bits = 0_u32;
        let mut digits = 0;
        for (at, byte) in chunk {
            match BASE64.iter().position(|digit| digit == byte) {
                Some(value) if digits < 4 => bits = bits << 6 | value as u32,
                _ if *byte == b'=' && digits >= 2 => break,
                _ => return Err(illegal(*at)),
            }
            digits += 1;
        }
        let last = (number + 1) * 4 >= text.len();
        if chunk.len() < 4 {
            return Err(illegal(chunk[0].0));
        }
        if digits < 4 {
            if chunk[digits..].iter().any(|(_, byte)| *byte != b'=') {
                return Err(illegal(chunk[digits].0));
            }
            if !last {
                return Err(illegal(chunk[3].0 + 1));
            }
        }
        let bits = bits << (6 * (4 - digits));
        out.extend_from_slice(&bits.to_be_bytes()[1..digits]);
    }
    Ok(Value::text(String::from_utf8_lossy(&out).into_owned()))
}
