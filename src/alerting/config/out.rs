//! What a printed config is made of, before it has quotes and lines.

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

    /// Whether the reference leaves it out where empty values are left out.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bare(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Struct(fields) => fields.is_empty(),
            Self::Map(entries) => entries.is_empty(),
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

    /// The struct.
    pub(super) fn done(self) -> Out {
        Out::Struct(self.0)
    }
}
