//! Prints a config as the reference does: its YAML library's choice of quotes, its line width, its order of keys.

use super::out::Out;
use super::quote::{Style, is_break, is_printable, key_order, natural_order, style_of};

/// Past this column a text is broken at a blank.
const WIDTH: usize = 80;
const INDENT: usize = 2;

/// The document as text.
pub(super) fn print(value: Out) -> String {
    let mut printer =
        Printer { out: String::new(), column: 0, indent: None, blank: true, fresh: true, depth: 0, flow: false };
    printer.value(value, Place::Root);
    printer.break_and_indent();
    printer.out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Key,
    Value,
}

/// State of the reference's emitter, as far as it shows in the output.
struct Printer {
    out: String,
    column: usize,
    indent: Option<usize>,
    /// The last character was a blank (or the line's start).
    blank: bool,
    /// Only indentation and dashes on this line so far.
    fresh: bool,
    /// How many one-line collections are open.
    depth: usize,
    /// The next collection asks for the one-line form. The reference forgets to take this back after a text: what
    /// follows a time interval with a location is printed on one line.
    flow: bool,
}

impl Printer {
    fn value(&mut self, value: Out, place: Place) {
        match value {
            Out::Null => self.scalar("null", Style::Plain, place),
            Out::Bare(text) => self.scalar(&text, Style::Plain, place),
            Out::Text(text) => {
                let style = style_of(&text, self.depth > 0, place == Place::Key);
                self.scalar(&text, style, place);
            }
            Out::List(items) => self.list(items, place),
            Out::Struct(fields) => {
                let entries = fields.into_iter().map(|(key, value, flow)| (Out::text(key), value, Some(flow)));
                self.mapping(entries.collect());
            }
            Out::Map(mut entries) => {
                entries.sort_by(|a, b| natural_order(&a.0, &b.0));
                self.mapping(entries.into_iter().map(|(key, value)| (Out::Text(key), value, None)).collect());
            }
            Out::Any(mut entries) => {
                entries.sort_by(|a, b| key_order(&a.0, &b.0));
                self.mapping(entries.into_iter().map(|(key, value)| (key.out(), value, None)).collect());
            }
        }
    }

    fn list(&mut self, items: Vec<Out>, place: Place) {
        let inline = std::mem::take(&mut self.flow) || self.depth > 0 || items.is_empty();
        let outer = self.indent;
        if inline {
            self.open("[");
            for (at, item) in items.into_iter().enumerate() {
                self.separate(at);
                self.value(item, Place::Item);
            }
            self.depth -= 1;
            self.mark("]", false, false, false);
        } else {
            // a list below a key stands in the key's column
            if place != Place::Value || self.fresh {
                self.deepen(false);
            }
            for item in items {
                self.break_and_indent();
                self.mark("-", true, false, true);
                self.value(item, Place::Item);
            }
        }
        self.indent = outer;
    }

    fn mapping(&mut self, entries: Vec<(Out, Out, Option<bool>)>) {
        let inline = std::mem::take(&mut self.flow) || self.depth > 0 || entries.is_empty();
        let outer = self.indent;
        if inline {
            self.open("{");
        } else {
            self.deepen(false);
        }
        for (at, (key, value, flow)) in entries.into_iter().enumerate() {
            if inline {
                self.separate(at);
            } else {
                self.break_and_indent();
            }
            self.value(key, Place::Key);
            self.mark(":", false, false, false);
            if let Some(flow) = flow {
                self.flow = flow;
            }
            self.value(value, Place::Value);
        }
        if inline {
            self.depth -= 1;
            self.mark("}", false, false, false);
        }
        self.indent = outer;
    }

    fn open(&mut self, bracket: &str) {
        self.mark(bracket, true, true, false);
        self.deepen(true);
        self.depth += 1;
    }

    fn separate(&mut self, at: usize) {
        if at > 0 {
            self.mark(",", false, false, false);
        }
        if self.column > WIDTH {
            self.break_and_indent();
        }
    }

    fn scalar(&mut self, text: &str, style: Style, place: Place) {
        let outer = self.indent;
        self.deepen(true);
        let breaks = place != Place::Key;
        match style {
            Style::Plain => {
                if !self.blank {
                    self.put(' ');
                }
                self.folded(text, breaks, Style::Plain);
            }
            Style::Single => {
                self.mark("'", true, false, false);
                self.folded(text, breaks, Style::Single);
                self.mark("'", false, false, false);
            }
            Style::Double => {
                self.mark("\"", true, false, false);
                self.double_quoted(text, breaks);
                self.mark("\"", false, false, false);
            }
            Style::Literal => self.literal(text),
        }
        if style != Style::Literal {
            (self.blank, self.fresh) = (false, false);
        }
        self.indent = outer;
    }

    fn folded(&mut self, text: &str, breaks: bool, style: Style) {
        let mut after_space = false;
        let mut chars = text.chars().enumerate().peekable();
        let last = text.chars().count().saturating_sub(1);
        while let Some((at, c)) = chars.next() {
            let next_is_space = chars.peek().is_some_and(|(_, c)| *c == ' ');
            let inner = style == Style::Plain || (at > 0 && at < last);
            if c == ' ' && breaks && !after_space && self.column > WIDTH && inner && !next_is_space {
                self.break_and_indent();
            } else {
                if c == '\'' && style == Style::Single {
                    self.put('\'');
                }
                self.put(c);
            }
            after_space = c == ' ';
            self.fresh &= after_space;
        }
    }

    fn double_quoted(&mut self, text: &str, breaks: bool) {
        // a byte order mark at the start makes the reference escape all that follows
        let marked = text.starts_with('\u{feff}');
        let mut after_space = false;
        let mut chars = text.chars().enumerate().peekable();
        let last = text.chars().count().saturating_sub(1);
        while let Some((at, c)) = chars.next() {
            if c == ' ' && !marked {
                if breaks && !after_space && self.column > WIDTH && at > 0 && at < last {
                    self.break_and_indent();
                    if chars.peek().is_some_and(|(_, c)| *c == ' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                after_space = true;
                continue;
            }
            after_space = false;
            if !marked && is_printable(c) && !is_break(c) && !matches!(c, '"' | '\\') {
                self.put(c);
                continue;
            }
            let short = match c {
                '\0' => '0',
                '\u{7}' => 'a',
                '\u{8}' => 'b',
                '\t' => 't',
                '\n' => 'n',
                '\u{b}' => 'v',
                '\u{c}' => 'f',
                '\r' => 'r',
                '\u{1b}' => 'e',
                '"' | '\\' => c,
                '\u{85}' => 'N',
                '\u{a0}' => '_',
                '\u{2028}' => 'L',
                '\u{2029}' => 'P',
                _ => {
                    let code = c as u32;
                    let escape = match code {
                        0..=0xff => format!("\\x{code:02X}"),
                        0x100..=0xffff => format!("\\u{code:04X}"),
                        _ => format!("\\U{code:08X}"),
                    };
                    escape.chars().for_each(|c| self.put(c));
                    continue;
                }
            };
            self.put('\\');
            self.put(short);
        }
    }

    fn literal(&mut self, text: &str) {
        self.mark("|", true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.mark(&INDENT.to_string(), false, false, false);
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next()) {
            (false, _) => self.mark("-", false, false, false),
            (true, before) if before.is_none_or(is_break) => self.mark("+", false, false, false),
            _ => {}
        }
        self.line_break();
        (self.fresh, self.blank) = (true, true);
        let mut at_start = true;
        for c in text.chars() {
            if is_break(c) {
                self.line_break();
                self.fresh = true;
                at_start = true;
            } else {
                if at_start {
                    self.break_and_indent();
                }
                self.put(c);
                self.fresh = false;
                at_start = false;
            }
        }
    }

    fn deepen(&mut self, inline: bool) {
        self.indent = Some(match self.indent {
            None if inline => INDENT,
            None => 0,
            Some(indent) => indent + INDENT,
        });
    }

    fn mark(&mut self, mark: &str, needs_blank: bool, is_blank: bool, is_indention: bool) {
        if needs_blank && !self.blank {
            self.put(' ');
        }
        mark.chars().for_each(|c| self.put(c));
        self.blank = is_blank;
        self.fresh &= is_indention;
    }

    fn break_and_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.fresh || self.column > indent || (self.column == indent && !self.blank) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.blank, self.fresh) = (true, true);
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }
}
