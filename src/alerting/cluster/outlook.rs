//! What the others see, as they told with their last comparison: who sees whom, and who runs another config. For people only;
//! nothing is decided by it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::time::Timestamp;
use crate::wire;

/// The outlooks of the peers, by name.
#[derive(Debug, Default)]
pub(super) struct Outlooks(BTreeMap<Arc<str>, Heard>);

#[derive(Debug)]
struct Heard {
    at: Timestamp,
    said: wire::Outlook,
}

/// What a peer sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// When it said so.
    pub at: Timestamp,
    /// The beginning of its config's hash; 0: it has none.
    pub config: u64,
    /// Names of the members that it sees, among those that this one sees; itself included.
    pub sees: Vec<String>,
}

/// What this member tells.
pub(super) fn own<'a>(config: u64, names: impl Iterator<Item = &'a str>) -> wire::Outlook {
    wire::Outlook { config, sees: names.map(short).collect() }
}

/// Names are told by what is enough to know them again.
fn short(name: &str) -> u32 {
    xxhash_rust::xxh64::xxh64(name.as_bytes(), 0) as u32
}

impl Outlooks {
    pub(super) fn heard(&mut self, now: Timestamp, from: &Arc<str>, said: Option<wire::Outlook>) {
        if let Some(said) = said {
            self.0.insert(from.clone(), Heard { at: now, said });
        }
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Of one, with the names among `names` that it sees; `None`: it hasn't said.
    pub(super) fn of<'a>(&self, name: &str, names: impl Iterator<Item = &'a str>) -> Option<Outlook> {
        let heard = self.0.get(name)?;
        let sees = |other: &&str| *other == name || heard.said.sees.contains(&short(other));
        Some(Outlook { at: heard.at, config: heard.said.config, sees: names.filter(sees).map(str::to_owned).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_again() {
        let (mut outlooks, b) = (Outlooks::default(), Arc::from("b"));
        let now = Timestamp::from_secs(7);
        outlooks.heard(now, &b, Some(own(9, ["a", "d"].into_iter())));
        outlooks.heard(now, &b, None);
        let seen = outlooks.of("b", ["a", "b", "c"].into_iter());
        assert_eq!(seen, Some(Outlook { at: now, config: 9, sees: vec!["a".into(), "b".into()] }));
        outlooks.forget("b");
        assert_eq!(outlooks.of("b", ["a"].into_iter()), None);
    }
}
