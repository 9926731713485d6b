//! Log lines as operators of Alertmanager know them, logfmt or JSON, on standard error.

pub(crate) mod event;

use std::fmt::{self, Write as _};
use std::path::Path;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::flags::{LogFormat, LogLevel};

/// Prints an event as `time=… level=… source=file:line msg="…" key=value`, or the same as a JSON object.
#[derive(Debug, Clone, Copy)]
struct Line {
    format: LogFormat,
}

/// Sends the log of the whole process to standard error; does nothing if somebody did so before.
pub fn init(level: LogLevel, format: LogFormat) {
    // a second start in the same process (tests) keeps the first one's log
    let _ = tracing::subscriber::set_global_default(subscriber(level, format, std::io::stderr));
}

fn subscriber(
    level: LogLevel,
    format: LogFormat,
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let others = level.min(LevelFilter::ERROR);
    let targets = Targets::new().with_default(others).with_target("worker", level).with_target("alertmanager", level);
    let lines = tracing_subscriber::fmt::layer().event_format(Line { format }).with_writer(writer);
    tracing_subscriber::registry().with(targets).with(lines)
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let now = crate::clock::now();
        let time = match self.format {
            LogFormat::Logfmt => now.rfc3339_millis(),
            LogFormat::Json => now.rfc3339_nano(),
        };
        let head = [
            ("time", Value::String(time)),
            ("level", Value::String(level_name(*metadata.level()).to_owned())),
            ("source", Value::String(source(metadata))),
            ("msg", Value::String(fields.message)),
        ];
        let all = head.into_iter().chain(fields.rest);
        match self.format {
            LogFormat::Json => {
                for (at, (key, value)) in all.enumerate() {
                    let gap = if at == 0 { '{' } else { ',' };
                    write!(writer, "{gap}{}:{value}", Value::from(key))?;
                }
                writeln!(writer, "}}")
            }
            LogFormat::Logfmt => {
                for (at, (key, value)) in all.enumerate() {
                    let gap = if at == 0 { "" } else { " " };
                    write!(writer, "{gap}{key}=")?;
                    match value {
                        Value::String(text) => write_value(&mut writer, &text)?,
                        other => write!(writer, "{other}")?,
                    }
                }
                writeln!(writer)
            }
        }
    }
}

/// The fields of one event, in the order in which they were given.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    rest: Vec<(&'static str, Value)>,
}

impl Fields {
    fn take(&mut self, field: &Field, value: Value) {
        if field.name() == "message" {
            self.message = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
        } else {
            self.rest.push((field.name(), value));
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}").into());
    }
}

/// An error with all that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // writing to a string can't fail
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

fn source(metadata: &Metadata<'_>) -> String {
    let file = metadata.file().and_then(|path| Path::new(path).file_name()).map(|name| name.to_string_lossy());
    format!("{}:{}", file.as_deref().unwrap_or("unknown"), metadata.line().unwrap_or(0))
}

/// Quoted when it's empty or would end the value early, as Go's `slog` does.
fn write_value(writer: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let odd = |c: char| matches!(c, ' ' | '"' | '=') || c.is_control() || (!c.is_ascii() && c.is_whitespace());
    if !text.is_empty() && !text.contains(odd) {
        return writer.write_str(text);
    }
    writer.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => writer.write_str("\\\"")?,
            '\\' => writer.write_str("\\\\")?,
            '\n' => writer.write_str("\\n")?,
            '\r' => writer.write_str("\\r")?,
            '\t' => writer.write_str("\\t")?,
            c if c.is_control() => write!(writer, "\\u{:04x}", u32::from(c))?,
            c => writer.write_char(c)?,
        }
    }
    writer.write_char('"')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        tracing::subscriber::with_default(subscriber(LogLevel::Info, format, move || writer.clone()), log);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_has_the_references_keys() {
        let line = logged(LogFormat::Logfmt, || {
            tracing::info!(address = %"[::]:9093", count = 3, odd = "a=b \"c\"", "Listening on");
            tracing::debug!("not at this level");
            tracing::info!(target: "hyper", "not ours");
        });
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.starts_with("time=2") && time.ends_with('Z'), "{time}");
        let (level, rest) = rest.split_once(" source=log.rs:").unwrap();
        assert_eq!(level, "level=INFO");
        let (_, rest) = rest.split_once(' ').unwrap();
        assert_eq!(rest, "msg=\"Listening on\" address=[::]:9093 count=3 odd=\"a=b \\\"c\\\"\"\n");
    }

    #[test]
    fn a_json_line_is_an_object() {
        let line = logged(LogFormat::Json, || tracing::warn!(n = 3, text = "line\nbreak", "Odd"));
        let object: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["level"], "WARN");
        assert_eq!(object["msg"], "Odd");
        assert_eq!(object["n"], 3);
        assert_eq!(object["text"], "line\nbreak");
        assert!(object["source"].as_str().unwrap().starts_with("log.rs:"));
        assert_eq!(line.lines().count(), 1);
        assert!(line.starts_with("{\"time\":"), "{line}");
    }
}
