//! Reads a mapping and prints it at the same time: its fields are named once, in the order in which they are printed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::ConfigError;
use super::node::Node;
use super::out::{Fields, Out};
use super::secret::{HIDDEN, Secret};
use super::section::{Section, text_of};
use super::url::ApiUrl;
use super::value::Value;
use crate::duration::{print_go, print_prometheus};

/// A mapping that is being read.
///
/// Where a field has a default, a null is not the default but nothing (reference behaviour).
pub(super) struct Form<'a> {
    section: Section<'a>,
    kind: &'static str,
    asked: Vec<&'static str>,
    printed: Fields,
}

impl<'a> Form<'a> {
    /// Opens a mapping. `kind` is the reference's name of the type, for its error texts.
    pub(super) fn open(node: &'a Node, path: &str, kind: &'static str) -> Result<Self, ConfigError> {
        let section = Section::open_any(node, path, kind)?;
        Ok(Self { section, kind, asked: Vec::new(), printed: Fields::default() })
    }

    /// Refuses fields that nobody asked for: to call after the last field was read and before they are judged.
    pub(super) fn complete(&self) -> Result<(), ConfigError> {
        self.section.refuse_others(&self.asked, self.kind)
    }

    /// What is printed.
    pub(super) fn done(self) -> Result<Out, ConfigError> {
        self.complete()?;
        Ok(self.printed.done())
    }

    /// What is printed, unless `check` finds something wrong.
    pub(super) fn done_with(self, check: impl FnOnce(&Self) -> Result<(), ConfigError>) -> Result<Out, ConfigError> {
        self.complete()?;
        check(&self)?;
        Ok(self.printed.done())
    }

    /// Where the mapping or a field of it is in the document.
    pub(super) fn path(&self, name: &str) -> String {
        self.section.path(name)
    }

    /// An error about a field, or about the mapping when the field is not there.
    pub(super) fn error(&self, name: &str, message: impl Into<String>) -> ConfigError {
        self.section.error(name, message)
    }

    /// Fails with `message` at `name` if `wrong`.
    pub(super) fn refuse_if(&self, wrong: bool, name: &str, message: &str) -> Result<(), ConfigError> {
        if wrong { Err(self.error(name, message)) } else { Ok(()) }
    }

    /// Refuses a second one of fields that exclude each other.
    pub(super) fn at_most_one(&self, given: [(bool, &str); 3], message: &str) -> Result<(), ConfigError> {
        match given.into_iter().filter(|(given, _)| *given).nth(1) {
            Some((_, name)) => Err(self.error(name, message)),
            None => Ok(()),
        }
    }

    /// What will be printed of what was read so far.
    pub(super) fn printed(&mut self) -> &mut Fields {
        &mut self.printed
    }

    /// The node of a field that is there and not null; prints nothing.
    pub(super) fn node(&mut self, name: &'static str) -> Option<&'a Node> {
        self.ask(name).get(name)
    }

    /// Whether a field is there, maybe as a null; prints nothing.
    pub(super) fn has(&mut self, name: &'static str) -> bool {
        self.ask(name).has(name)
    }

    /// A text that is empty when it is absent or null; prints nothing.
    pub(super) fn raw(&mut self, name: &'static str) -> Result<String, ConfigError> {
        Ok(self.ask(name).text(name)?.unwrap_or_default().to_owned())
    }

    /// Whether a text is there and not empty, whatever it is else; prints nothing.
    pub(super) fn is_set(&mut self, name: &'static str) -> bool {
        self.ask(name).text(name).is_ok_and(|text| text.is_some_and(|text| !text.is_empty()))
    }

    /// The same as [`Self::raw`], read as the reference's type `kind`.
    pub(super) fn raw_of(&mut self, name: &'static str, kind: &str) -> Result<String, ConfigError> {
        let Some(node) = self.ask(name).get(name) else { return Ok(String::new()) };
        text_of(node, &self.path(name), kind).map(str::to_owned)
    }

    /// A text, printed unless it is empty.
    pub(super) fn text(&mut self, name: &'static str, default: &str) -> Result<String, ConfigError> {
        let text = if self.has(name) { self.raw(name)? } else { default.to_owned() };
        self.printed.put_some(name, Out::text(&text));
        Ok(text)
    }

    /// A text, always printed.
    pub(super) fn text_shown(&mut self, name: &'static str, default: &str) -> Result<String, ConfigError> {
        let text = if self.has(name) { self.raw(name)? } else { default.to_owned() };
        self.printed.put(name, Out::text(&text));
        Ok(text)
    }

    /// A text, or `inherited` if it is empty.
    pub(super) fn text_or(&mut self, name: &'static str, inherited: &str) -> Result<String, ConfigError> {
        let own = self.raw(name)?;
        let text = if own.is_empty() { inherited.to_owned() } else { own };
        self.printed.put_some(name, Out::text(&text));
        Ok(text)
    }

    /// A path as it is written.
    pub(super) fn file(&mut self, name: &'static str) -> Result<Option<String>, ConfigError> {
        self.file_or(name, None)
    }

    /// A path as it is written; prints nothing.
    pub(super) fn raw_file(&mut self, name: &'static str) -> Result<Option<String>, ConfigError> {
        Ok(Some(self.raw(name)?).filter(|path| !path.is_empty()))
    }

    /// A path as it is written, or `inherited` if there is none.
    pub(super) fn file_or(
        &mut self,
        name: &'static str,
        inherited: Option<&String>,
    ) -> Result<Option<String>, ConfigError> {
        let path = self.raw_file(name)?.or_else(|| inherited.cloned());
        self.printed.put_some(name, Out::text(path.as_deref().unwrap_or_default()));
        Ok(path)
    }

    /// A secret, printed as hidden; `None` when it is empty.
    pub(super) fn secret(&mut self, name: &'static str) -> Result<Option<Secret>, ConfigError> {
        self.secret_or(name, None)
    }

    /// A secret, or `inherited` if it is empty.
    pub(super) fn secret_or(
        &mut self,
        name: &'static str,
        inherited: Option<&Secret>,
    ) -> Result<Option<Secret>, ConfigError> {
        let secret = self.raw_secret(name, "config.plain")?.or_else(|| inherited.cloned());
        self.put_secret(name, secret.is_some());
        Ok(secret)
    }

    /// A secret that is read as the reference's type `kind`.
    pub(super) fn secret_of(&mut self, name: &'static str, kind: &str) -> Result<Option<Secret>, ConfigError> {
        let secret = self.raw_secret(name, kind)?;
        self.put_secret(name, secret.is_some());
        Ok(secret)
    }

    fn raw_secret(&mut self, name: &'static str, kind: &str) -> Result<Option<Secret>, ConfigError> {
        let Some(node) = self.ask(name).get(name) else { return Ok(None) };
        let text = text_of(node, &self.path(name), kind)?;
        Ok(Some(text).filter(|text| !text.is_empty()).map(Secret::new))
    }

    /// A secret that may be there and empty, which is printed as null.
    pub(super) fn optional_secret(
        &mut self,
        name: &'static str,
        inherited: Option<&Secret>,
    ) -> Result<Option<Secret>, ConfigError> {
        let own = self.ask(name).get(name);
        let own = own.map(|node| text_of(node, &self.path(name), "config.plain").map(Secret::new)).transpose()?;
        let secret = own.or_else(|| inherited.cloned());
        match &secret {
            Some(secret) if secret.is_empty() => self.printed.put(name, Out::Null),
            secret => self.put_secret(name, secret.is_some()),
        }
        Ok(secret)
    }

    /// Prints a secret that is there.
    pub(super) fn put_secret(&mut self, name: &'static str, given: bool) {
        if given {
            self.printed.put(name, Out::text(HIDDEN));
        }
    }

    /// A boolean, always printed.
    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        let flag = self.ask(name).flag(name, default)?;
        self.printed.put(name, Out::Bare(flag.to_string()));
        Ok(flag)
    }

    /// A boolean that is false unless given, and printed when it is true.
    pub(super) fn switch(&mut self, name: &'static str) -> Result<bool, ConfigError> {
        let flag = self.ask(name).flag(name, false)?;
        if flag {
            self.printed.put(name, Out::Bare("true".into()));
        }
        Ok(flag)
    }

    /// A boolean that may be open, and is then `inherited`.
    pub(super) fn optional_flag(
        &mut self,
        name: &'static str,
        inherited: Option<bool>,
    ) -> Result<Option<bool>, ConfigError> {
        let section = self.ask(name);
        let own = if section.get(name).is_some() { Some(section.flag(name, false)?) } else { None };
        let flag = own.or(inherited);
        if let Some(flag) = flag {
            self.printed.put(name, Out::Bare(flag.to_string()));
        }
        Ok(flag)
    }

    /// A whole number, not negative, always printed.
    pub(super) fn count(&mut self, name: &'static str) -> Result<u64, ConfigError> {
        let count = self.ask(name).count(name, 0)?;
        self.printed.put(name, Out::Bare(count.to_string()));
        Ok(count)
    }

    /// A whole number, printed unless it is 0. `kind`: the reference's type.
    pub(super) fn int(&mut self, name: &'static str, kind: &str) -> Result<i64, ConfigError> {
        let int = self.ask(name).int(name, kind)?;
        if int != 0 {
            self.printed.put(name, Out::Bare(int.to_string()));
        }
        Ok(int)
    }

    /// A duration in Go's form, always printed; 0 unless given.
    pub(super) fn go_duration(&mut self, name: &'static str) -> Result<Duration, ConfigError> {
        let duration = self.ask(name).go_duration(name)?;
        self.printed.put(name, Out::text(print_go(duration)));
        Ok(duration)
    }

    /// A duration in Prometheus' form, printed unless it is 0, which it is unless given.
    pub(super) fn duration(&mut self, name: &'static str) -> Result<Duration, ConfigError> {
        let duration = self.ask(name).duration(name)?.unwrap_or_default();
        if !duration.is_zero() {
            self.printed.put(name, Out::text(print_prometheus(duration)));
        }
        Ok(duration)
    }

    /// The same; prints nothing.
    pub(super) fn raw_duration(&mut self, name: &'static str) -> Result<Duration, ConfigError> {
        Ok(self.ask(name).duration(name)?.unwrap_or_default())
    }

    /// An http or https URL; prints nothing.
    pub(super) fn raw_url(&mut self, name: &'static str) -> Result<Option<ApiUrl>, ConfigError> {
        let Some(text) = self.ask(name).text(name)? else { return Ok(None) };
        ApiUrl::parse(text).map(Some).map_err(|message| self.error(name, message))
    }

    /// An http or https URL, or `inherited` if there is none.
    pub(super) fn url_or(
        &mut self,
        name: &'static str,
        inherited: Option<&ApiUrl>,
    ) -> Result<Option<ApiUrl>, ConfigError> {
        let url = self.raw_url(name)?.or_else(|| inherited.cloned());
        self.put_url(name, url.as_ref());
        Ok(url)
    }

    /// Prints a URL.
    pub(super) fn put_url(&mut self, name: &'static str, url: Option<&ApiUrl>) {
        self.printed.put_some(name, Out::text(url.map(ToString::to_string).unwrap_or_default()));
    }

    /// An http or https URL that is a secret. `<secret>` is taken as it is, so that a printed config can be read.
    pub(super) fn secret_url(&mut self, name: &'static str) -> Result<Option<Secret>, ConfigError> {
        let url = self.raw_secret_url(name)?;
        self.put_secret(name, url.is_some());
        Ok(url)
    }

    /// The same; prints nothing.
    pub(super) fn raw_secret_url(&mut self, name: &'static str) -> Result<Option<Secret>, ConfigError> {
        match self.ask(name).text(name)? {
            None => Ok(None),
            Some(HIDDEN) => Ok(Some(Secret::new(HIDDEN))),
            Some(text) => {
                let url = ApiUrl::parse(text).map_err(|message| self.error(name, message))?;
                Ok(Some(Secret::new(url.to_string())))
            }
        }
    }

    /// A list of texts, printed unless it is empty.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        let texts = self.raw_texts(name)?;
        self.printed.put_some(name, Out::texts(&texts));
        Ok(texts)
    }

    /// The same; prints nothing.
    pub(super) fn raw_texts(&mut self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        let texts = self.ask(name).texts(name)?.unwrap_or_default();
        Ok(texts.into_iter().map(|(text, _, _)| text.to_owned()).collect())
    }

    /// A number, 0 unless given; prints nothing.
    pub(super) fn float(&mut self, name: &'static str) -> Result<f64, ConfigError> {
        self.ask(name).float(name)
    }

    /// A map of texts, printed unless it is empty.
    pub(super) fn text_map(&mut self, name: &'static str) -> Result<BTreeMap<String, String>, ConfigError> {
        let map = self.raw_text_map(name)?;
        self.printed.put_some(name, Out::text_map(map.iter().map(|(k, v)| (&**k, &**v))));
        Ok(map)
    }

    /// The same; prints nothing.
    pub(super) fn raw_text_map(&mut self, name: &'static str) -> Result<BTreeMap<String, String>, ConfigError> {
        let map = self.ask(name).text_map(name)?;
        Ok(map.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    /// Anything, printed unless it is absent or null.
    pub(super) fn value(&mut self, name: &'static str) -> Result<Option<Value>, ConfigError> {
        let Some(node) = self.node(name) else { return Ok(None) };
        let value = Value::read(node, &self.path(name))?;
        self.printed.put(name, value.out());
        Ok(Some(value))
    }

    /// The entries of a map with their paths, keys unique; prints nothing.
    pub(super) fn entries(
        &mut self,
        name: &'static str,
        kind: &str,
    ) -> Result<Vec<(&'a str, &'a Node, String)>, ConfigError> {
        self.ask(name).map(name, kind)
    }

    /// A map from texts to anything, printed unless it is empty.
    pub(super) fn values(&mut self, name: &'static str) -> Result<BTreeMap<String, Value>, ConfigError> {
        let map = self.raw_values(name)?;
        self.put_values(name, &map);
        Ok(map)
    }

    /// The same; prints nothing.
    pub(super) fn raw_values(&mut self, name: &'static str) -> Result<BTreeMap<String, Value>, ConfigError> {
        let entries = self.ask(name).map(name, "map[string]interface {}")?;
        entries.into_iter().map(|(key, node, path)| Ok((key.to_owned(), Value::read(node, &path)?))).collect()
    }

    /// Prints a map from texts to anything.
    pub(super) fn put_values(&mut self, name: &'static str, map: &BTreeMap<String, Value>) {
        self.printed.put_some(name, Out::Map(map.iter().map(|(key, value)| (key.clone(), value.out())).collect()));
    }

    /// The items of a list, each read by `read`, printed unless there are none.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        kind: &str,
        mut read: impl FnMut(&'a Node, &str) -> Result<(T, Out), ConfigError>,
    ) -> Result<Vec<T>, ConfigError> {
        let items = self.ask(name).list(name, kind)?.unwrap_or_default();
        let read = items.into_iter().map(|(path, node)| read(node, &path));
        let (values, printed): (Vec<T>, Vec<Out>) = read.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        self.printed.put_some(name, Out::List(printed));
        Ok(values)
    }

    fn ask(&mut self, name: &'static str) -> &Section<'a> {
        self.asked.push(name);
        &self.section
    }
}

/// Refuses a list item that is null, over which the reference would stumble later.
pub(super) fn not_null(node: &Node, path: &str, what: &str) -> Result<(), ConfigError> {
    if node.is_null() { Err(node.error(path, format!("missing {what}"))) } else { Ok(()) }
}
