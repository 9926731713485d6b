//! Templates as the reference renders them: Go's template language over a notification's data.
//!
//! [`Templates`] is a parsed set: the built-in ones and the user's files. A field of the config is a template of its own
//! that may call those. The parser and the executor are ours, since what matters is Go's types and methods (`.Labels`
//! prints itself, `.StartsAt.Format` is a call) and Go's verdict on what is wrong; escaping for HTML is the crate
//! `gotmpl`'s.
//!
//! No template can hold a member up: its steps, its depth and what it prints are limited ([`Limits`]).

mod ast;
mod bounds;
mod builtins;
mod call;
mod cli;
mod data;
mod defaults;
mod error;
mod exec;
mod functions;
mod gotime;
mod html;
mod json;
mod lex;
mod literal;
mod members;
mod parse;
mod print;
mod title;
mod value;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use ast::{Definition, is_blank};
use exec::{Out, Scope, Shared};
use parse::{Known, Parsed, parse};
use value::Value;

pub use cli::{DataError, parse_data, sample_data};
pub use data::Data;
pub use error::{ParseError, TemplateError};

use crate::label::{GoQuoted, LabelSet};

/// Fields that are kept parsed; a config has far fewer.
const CACHED_MAX: usize = 4096;

/// What one rendering may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Nodes and commands carried out, long values counted by their length.
    pub steps: u64,
    /// Bytes printed, and bytes of any text in between.
    pub bytes: usize,
}

impl Default for Limits {
    /// About a second of work, and more than any receiver takes.
    fn default() -> Self {
        Self { steps: 5_000_000, bytes: 16 << 20 }
    }
}

/// What the result of a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Any text.
    Text,
    /// HTML: values are escaped for the place where they stand.
    Html,
}

/// An immutable set of parsed templates; cheap to clone.
#[derive(Debug, Clone)]
pub struct Templates {
    definitions: Arc<BTreeMap<Arc<str>, Arc<Definition>>>,
    limits: Limits,
    /// Parsed fields, by their text. Only saves time: the same text is always the same template.
    fields: Arc<Mutex<BTreeMap<Arc<str>, Arc<Field>>>>,
}

/// A field of the config, parsed.
#[derive(Debug)]
struct Field {
    parsed: Parsed,
    /// What it defines, itself included, as far as that takes effect.
    own: Vec<Arc<Definition>>,
    /// Whether it can be escaped for HTML; found out when that is first wanted.
    escapes: OnceLock<Result<(), TemplateError>>,
}

/// What became of the labels of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteLabels {
    /// Those that could be rendered.
    pub labels: LabelSet,
    /// The others, and why.
    pub failed: Vec<(Arc<str>, TemplateError)>,
}

impl Default for Templates {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Templates {
    /// The built-in templates alone.
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Templates> = LazyLock::new(|| {
            let mut definitions = BTreeMap::new();
            for text in defaults::texts() {
                // a test parses them; what doesn't parse would not be there
                if let Ok(parsed) = parse("", &text, Known::All) {
                    add(&mut definitions, parsed.defines);
                }
            }
            Templates::of(definitions)
        });
        // with a cache of its own: a set lives as long as its config
        Self { fields: Arc::default(), ..BUILTIN.clone() }
    }

    fn of(definitions: BTreeMap<Arc<str>, Arc<Definition>>) -> Self {
        Self { definitions: Arc::new(definitions), limits: Limits::default(), fields: Arc::default() }
    }

    /// The built-in templates and those of files, given as path and text in the order in which they count: of two that
    /// define the same name the later one wins, unless it is blank (reference behaviour). A file as a whole goes by the
    /// last part of its path.
    ///
    /// # Errors
    /// The first file that does not parse, and where.
    pub fn new<P: AsRef<str>, T: AsRef<str>>(files: impl IntoIterator<Item = (P, T)>) -> Result<Self, ParseError> {
        let mut definitions = (*Self::builtin().definitions).clone();
        for (path, text) in files {
            let path = path.as_ref();
            let name = path.rsplit('/').next().unwrap_or(path);
            let parsed = parse(name, text.as_ref(), Known::All)?;
            add(&mut definitions, parsed.defines);
            add(&mut definitions, vec![parsed.main]);
        }
        Ok(Self::of(definitions))
    }

    /// The same templates with other limits.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// Names of all templates of the set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.definitions.keys().map(|name| &**name)
    }

    /// Renders the text of a field.
    ///
    /// # Errors
    /// When it is no template, can't be carried out with this data, or exceeds the limits.
    pub fn text(&self, template: &str, data: &Data) -> Result<String, TemplateError> {
        self.render(Mode::Text, template, data)
    }

    /// Renders the text of a field as HTML.
    ///
    /// # Errors
    /// As [`Self::text`], and when its values can't be escaped safely.
    pub fn html(&self, template: &str, data: &Data) -> Result<String, TemplateError> {
        self.render(Mode::Html, template, data)
    }

    /// Renders the text of a field as either.
    ///
    /// # Errors
    /// As [`Self::text`] and [`Self::html`].
    pub fn render(&self, mode: Mode, template: &str, data: &Data) -> Result<String, TemplateError> {
        let mut shared = self.shared(mode, data);
        self.render_shared(template, &mut shared)
    }

    /// Whether a text is a template of this set, without rendering it.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn check(&self, template: &str) -> Result<(), ParseError> {
        self.field(template).map(drop)
    }

    /// Renders the labels of a route for a group; the labels in `data` are those of the config. Each may call
    /// `routeLabels` for the others.
    pub fn route_labels(&self, data: Data) -> RouteLabels {
        if data.route_labels.iter().all(|(_, value)| !value.contains("{{")) {
            return RouteLabels { labels: data.route_labels, failed: Vec::new() };
        }
        let data = data.with_raw_labels();
        let mut shared = self.shared(Mode::Text, &data);
        let (mut labels, mut failed) = (Vec::new(), Vec::new());
        for (name, _) in data.route_labels.iter() {
            shared.steps = self.limits.steps;
            match shared.route_label(name) {
                Ok(value) => labels.push((name, value)),
                Err(error) => failed.push((name.into(), error)),
            }
        }
        RouteLabels { labels: LabelSet::new(labels), failed }
    }

    fn shared(&self, mode: Mode, data: &Data) -> Shared<'_> {
        Shared {
            templates: self,
            mode,
            root: Value::Data(Arc::new(data.clone())),
            now: data.now.clone(),
            limits: self.limits,
            steps: self.limits.steps,
            depth: 0,
            regexes: BTreeMap::new(),
            labels: BTreeMap::new(),
            busy: Vec::new(),
        }
    }

    fn render_shared(&self, template: &str, shared: &mut Shared<'_>) -> Result<String, TemplateError> {
        if template.is_empty() || (shared.mode == Mode::Text && !template.contains("{{")) {
            return Ok(template.to_owned());
        }
        let field = self.field(template)?;
        let scope = Scope { own: &field.own, base: &self.definitions };
        if shared.mode == Mode::Html {
            field.escapes.get_or_init(|| html::check(&field.parsed.main, scope)).clone()?;
        }
        match exec::run(&field.parsed.main, scope, shared)? {
            Out::Text(text) => Ok(text),
            Out::Html { pieces, .. } => html::escape(pieces),
        }
    }

    fn field(&self, template: &str) -> Result<Arc<Field>, ParseError> {
        let lock = || self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(field) = lock().get(template) {
            return Ok(field.clone());
        }
        let parsed = parse("", template, Known::All)?;
        let takes_effect = |d: &&Arc<Definition>| !is_blank(&d.body) || !self.definitions.contains_key(&d.name);
        let mut own: Vec<_> = parsed.defines.iter().filter(takes_effect).cloned().collect();
        own.push(parsed.main.clone());
        let field = Arc::new(Field { parsed, own, escapes: OnceLock::new() });
        let mut fields = lock();
        if fields.len() >= CACHED_MAX {
            fields.clear();
        }
        fields.insert(template.into(), field.clone());
        Ok(field)
    }
}

/// Whether a text parses with nothing but Go's own functions: the rule for a webhook's `url` and the type of an
/// opsgenie responder.
///
/// # Errors
/// When it doesn't, and where.
pub fn check_builtin(text: &str) -> Result<(), ParseError> {
    parse("", text, Known::Builtin).map(drop)
}

fn add(definitions: &mut BTreeMap<Arc<str>, Arc<Definition>>, new: Vec<Arc<Definition>>) {
    for definition in new {
        if !is_blank(&definition.body) || !definitions.contains_key(&definition.name) {
            definitions.insert(definition.name.clone(), definition);
        }
    }
}

/// A text as Go quotes it.
fn quote(text: &str) -> String {
    GoQuoted(text).to_string()
}

#[cfg(test)]
mod tests;
