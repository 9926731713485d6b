//! A few bits that say which labels an alert can't have.
//!
//! Who looks for `node="a"` among many alerts runs over their signatures, which lie side by side, and then looks at the
//! few alerts that have the bits: an index that costs 16 bytes for an alert, and nothing to keep up.

use smallvec::SmallVec;

use crate::index::pair_hash;
use crate::label::LabelSet;
use crate::matcher::Matcher;

/// Two bits for each label, chosen by its name and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signature(u128);

impl Signature {
    /// The bits of all labels of a set.
    pub(crate) fn of(labels: &LabelSet) -> Self {
        Self(labels.iter().fold(0, |bits, (name, value)| bits | pair_bits(name, value)))
    }

    /// What a label set must include if the matcher is to hold, of several any; `None`: nothing is known.
    pub(crate) fn wanted(matcher: &Matcher) -> Option<SmallVec<[Self; 1]>> {
        let values = matcher.values()?.iter();
        Some(values.map(|value| Self(pair_bits(&matcher.name, value))).collect())
    }

    /// Whether all bits of another are in it.
    pub(crate) fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

fn pair_bits(name: &str, value: &str) -> u128 {
    let hash = pair_hash(name, value);
    (1 << (hash % 128)) | (1 << ((hash >> 32) % 128))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matcher::Op;

    proptest! {
        #[test]
        fn what_matches_is_never_left_out(
            pairs in prop::collection::vec(("[ab]", "[xyz]{0,2}"), 0..4),
            name in "[ab]",
            value in "[xyz]{0,2}(\\|[xyz])?",
            regex in any::<bool>(),
        ) {
            let labels = LabelSet::new(pairs);
            let matcher = Matcher::new(if regex { Op::Regex } else { Op::Equal }, name, value).unwrap();
            let includes = |any: SmallVec<[Signature; 1]>| any.iter().any(|w| Signature::of(&labels).includes(*w));
            let possible = Signature::wanted(&matcher).is_none_or(includes);
            prop_assert!(possible || !matcher.matches(&labels));
        }
    }
}
