//! Texts that come again and again, kept once.

use std::sync::Arc;

use hashbrown::HashSet;

/// The texts met so far: names of labels, receivers and the like, of which there are few.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<Arc<str>>);

impl Names {
    /// The text, shared with those who asked for the same before.
    pub(crate) fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.0.insert(name.clone());
        name
    }
}
