//! What a printed config is made of, before it has quotes and lines.

use super::value::Value;

/// A value to print.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Out {
    Null,
    /// A boolean or number, printed as it is.
    Bare(String),
    /// Quoted if it has to be.
    Text(String),
    List(Vec<Self>),
    /// Keys in the order given, each with whether its value asks for the one-line form.
    Struct(Vec<(&'static str, Self, bool)>),
    /// Printed in the order of the keys.
    Map(Vec<(String, Self)>),
    /// The same with keys that need not be texts.
    Any(Vec<(Value, Self)>),
}

impl Out {
    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    pub(super) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(|t| Self::text(t.as_ref())).collect())
    }

    /// A map of texts.
    pub(super) fn text_map<'a>(map: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::Map(map.into_iter().map(|(k, v)| (k.to_owned(), Self::text(v))).collect())
    }

    /// Whether it is a struct with this field.
    pub(super) fn has(&self, name: &str) -> bool {
        matches!(self, Self::Struct(fields) if fields.iter().any(|(other, _, _)| *other == name))
    }

    /// Whether the reference leaves it out where empty values are left out.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bare(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Struct(fields) => fields.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Any(entries) => entries.is_empty(),
        }
    }
}

/// Collects the fields of one [`Out::Struct`].
#[derive(Default)]
pub(super) struct Fields(Vec<(&'static str, Out, bool)>);

impl Fields {
    /// Adds a field.
    pub(super) fn put(&mut self, name: &'static str, value: Out) {
        self.0.push((name, value, false));
    }

    /// Adds a field unless it is empty.
    pub(super) fn put_some(&mut self, name: &'static str, value: Out) {
        if !value.is_empty() {
            self.put(name, value);
        }
    }

    /// Adds a field that asks for the one-line form, unless it is empty.
    pub(super) fn put_flow(&mut self, name: &'static str, value: Out) {
        if !value.is_empty() {
            self.0.push((name, value, true));
        }
    }

    /// Adds a field after those of `before` that are there already, or as the first; replaces it if it is there.
    pub(super) fn insert_after(&mut self, before: &[&str], name: &'static str, value: Out) {
        self.0.retain(|(other, _, _)| *other != name);
        let at = self.0.iter().rposition(|(other, _, _)| before.contains(other)).map_or(0, |at| at + 1);
        self.0.insert(at, (name, value, false));
    }

    /// The value of a field, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&Out> {
        self.0.iter().find(|(other, _, _)| *other == name).map(|(_, value, _)| value)
    }

    /// Changes the value of a field, if it is there.
    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(Out) -> Out) {
        if let Some((_, old, _)) = self.0.iter_mut().find(|(other, _, _)| *other == name) {
            *old = change(std::mem::replace(old, Out::Null));
        }
    }

    /// The fields of a struct, to go on with it.
    pub(super) fn of(value: Out) -> Self {
        match value {
            Out::Struct(fields) => Self(fields),
            _ => Self::default(),
        }
    }

    /// The struct.
    pub(super) fn done(self) -> Out {
        Out::Struct(self.0)
    }
}
