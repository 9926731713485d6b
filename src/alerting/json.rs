//! JSON with the bytes that Go's encoder would write.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::ser::Formatter;

use crate::label::LabelSet;

/// Without a newline at the end. Keys of maps must be texts.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, GoFormatter);
    // into memory, and maps have strings for keys: this can't fail
    let _ = value.serialize(&mut serializer);
    out
}

/// A label set as an object.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a>(pub &'a LabelSet);

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// `<`, `>`, `&` and the two line separators of Unicode are escaped, so that the text may stand in HTML and scripts.
struct GoFormatter;

impl Formatter for GoFormatter {
    /// A whole number has no point, a very large or small one an exponent.
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
            return write!(writer, "{value}");
        }
        let scientific = format!("{value:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        write!(writer, "{digits}e{sign}{exponent}")
    }

    /// JSON that was given as a text: only what is between its values is left out.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(quote) = rest.find('"') {
            let (outside, text) = rest.split_at(quote);
            write_compact(writer, outside)?;
            let mut escaped = false;
            let end = text[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            let (text, after) = text.split_at(end.map_or(text.len(), |end| end + 2));
            self.write_string_fragment(writer, text)?;
            rest = after;
        }
        write_compact(writer, rest)
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        let mut from = 0;
        while let Some(found) = bytes[from..].iter().position(|b| matches!(b, b'<' | b'>' | b'&' | 0xe2)) {
            let at = from + found;
            let (escape, len): (&[u8], usize) = match &bytes[at..] {
                [b'<', ..] => (b"\\u003c", 1),
                [b'>', ..] => (b"\\u003e", 1),
                [b'&', ..] => (b"\\u0026", 1),
                [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 3),
                [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 3),
                _ => (&bytes[at..=at], 1),
            };
            writer.write_all(&bytes[from..at])?;
            writer.write_all(escape)?;
            from = at + len;
        }
        writer.write_all(&bytes[from..])
    }
}

fn write_compact<W: ?Sized + Write>(writer: &mut W, json: &str) -> io::Result<()> {
    json.split([' ', '\t', '\n', '\r']).try_for_each(|part| writer.write_all(part.as_bytes()))
}
