//! A YAML document as a tree that knows its lines: aliases resolved, merge keys (`<<`) filled in.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::error::ConfigError;

/// Aliases may make a document so many nodes large; the reference has a similar guard.
const SIZE_MAX: usize = 1_000_000;
/// Collections within collections.
const DEPTH_MAX: usize = 200;

/// A value with its place, from 1.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) content: Content,
    /// Nodes in it, itself included, each alias counted in full.
    size: usize,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Content {
    /// `tag` is the short form, e.g. `!!str`.
    Scalar {
        text: String,
        plain: bool,
        tag: Option<String>,
    },
    Sequence(Vec<Rc<Node>>),
    /// Keys in the order of the file; not yet checked for being unique.
    Mapping(Entries),
}

/// Keys and values.
type Entries = Vec<(Rc<Node>, Rc<Node>)>;

/// Reads the first document of a text; `None` when there is none.
pub(super) fn read(text: &str) -> Result<Option<Rc<Node>>, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_version(text)?;
    let mut composer = Composer { parser: Parser::new_from_str(text), anchors: BTreeMap::new() };
    loop {
        match composer.next()? {
            None | Some((Event::StreamEnd | Event::DocumentEnd, _)) => return Ok(None),
            Some((Event::StreamStart | Event::DocumentStart(..) | Event::Comment(..), _)) => {}
            Some((event, span)) => return composer.node(event, span, 0).map(Some),
        }
    }
}

/// Refuses a document that says that it is not YAML 1.1.
fn check_version(text: &str) -> Result<(), ConfigError> {
    let directives = text.lines().enumerate().take_while(|(_, line)| line.starts_with(['%', '#']) || line.is_empty());
    let versions =
        directives.filter_map(|(at, line)| Some((at, line.strip_prefix("%YAML")?.split_whitespace().next())));
    match versions.into_iter().find(|(_, version)| *version != Some("1.1")) {
        Some((at, _)) => {
            let message = "yaml: found incompatible YAML document".to_owned();
            Err(ConfigError { line: Some(at + 1), column: None, path: String::new(), message })
        }
        None => Ok(()),
    }
}

impl Node {
    /// What stands for a mapping that is not there.
    pub(super) const fn empty_mapping() -> Self {
        Self { line: 0, column: 0, content: Content::Mapping(Vec::new()), size: 1 }
    }

    /// Whether it is YAML's null: nothing, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar { tag: Some(tag), .. } => tag == "!!null",
            Content::Scalar { text, plain: true, .. } => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            _ => false,
        }
    }

    /// An error at this place.
    pub(super) fn error(&self, path: &str, message: impl Into<String>) -> ConfigError {
        ConfigError { line: Some(self.line), column: Some(self.column), path: path.to_owned(), message: message.into() }
    }
}

struct Composer<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    anchors: BTreeMap<usize, Rc<Node>>,
}

impl<'a> Composer<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, ConfigError> {
        loop {
            match self.parser.next().transpose().map_err(syntax_error)? {
                Some((Event::Comment(..), _)) => {}
                other => return Ok(other),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Rc<Node>, ConfigError> {
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let fail = |message: &str| ConfigError {
            line: Some(line),
            column: Some(column),
            path: String::new(),
            message: format!("yaml: {message}"),
        };
        if depth > DEPTH_MAX {
            return Err(fail("document is nested too deeply"));
        }
        let (anchor, content) = match event {
            Event::Alias(id) => {
                let target = self.anchors.get(&id);
                return target.cloned().ok_or_else(|| fail("anchor value contains itself"));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                (anchor, Content::Scalar { text: text.into_owned(), plain, tag: tag.as_deref().map(short_tag) })
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                while let Some(item) = self.child(depth)? {
                    items.push(item);
                }
                (anchor, Content::Sequence(items))
            }
            Event::MappingStart(_, anchor, _) => {
                let mut entries = Vec::new();
                while let Some(key) = self.child(depth)? {
                    let value = self.child(depth)?.ok_or_else(|| fail("did not find expected value"))?;
                    entries.push((key, value));
                }
                (anchor, Content::Mapping(merged(entries)?))
            }
            _ => return Err(fail("did not find expected node content")),
        };
        let size = match &content {
            Content::Scalar { .. } => 1,
            Content::Sequence(items) => items.iter().map(|n| n.size).sum::<usize>() + 1,
            Content::Mapping(entries) => entries.iter().map(|(k, v)| k.size + v.size).sum::<usize>() + 1,
        };
        if size > SIZE_MAX {
            return Err(fail("document contains excessive aliasing"));
        }
        let node = Rc::new(Node { line, column, content, size });
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    /// The next node of a collection; `None` at its end.
    fn child(&mut self, depth: usize) -> Result<Option<Rc<Node>>, ConfigError> {
        match self.next()? {
            None | Some((Event::SequenceEnd | Event::MappingEnd, _)) => Ok(None),
            Some((event, span)) => self.node(event, span, depth + 1).map(Some),
        }
    }
}

/// Replaces `<<` by the entries of its mappings that are not given here.
fn merged(entries: Entries) -> Result<Entries, ConfigError> {
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| is_merge(key));
    for (_, source) in merges {
        let sources = match &source.content {
            Content::Mapping(_) => vec![Rc::clone(&source)],
            Content::Sequence(items) => items.clone(),
            Content::Scalar { .. } => vec![Rc::clone(&source)],
        };
        for source in sources {
            let Content::Mapping(inherited) = &source.content else {
                return Err(source.error("", "yaml: map merge requires map or sequence of maps as the value"));
            };
            for (key, value) in inherited {
                if !own.iter().any(|(k, _)| same_key(k, key)) {
                    own.push((Rc::clone(key), Rc::clone(value)));
                }
            }
        }
    }
    Ok(own)
}

fn is_merge(key: &Node) -> bool {
    match &key.content {
        Content::Scalar { text, plain, tag } => text == "<<" && (*plain || tag.as_deref() == Some("!!merge")),
        _ => false,
    }
}

fn same_key(a: &Node, b: &Node) -> bool {
    match (&a.content, &b.content) {
        (Content::Scalar { text: a, .. }, Content::Scalar { text: b, .. }) => a == b,
        _ => false,
    }
}

fn short_tag(tag: &Tag) -> String {
    match tag.handle() {
        "tag:yaml.org,2002:" => format!("!!{}", tag.suffix()),
        handle => format!("{handle}{}", tag.suffix()),
    }
}

fn syntax_error(error: ScanError) -> ConfigError {
    let mark = error.marker();
    ConfigError {
        line: Some(mark.line()),
        column: Some(mark.col() + 1),
        path: String::new(),
        message: format!("yaml: {}", error.info()),
    }
}
