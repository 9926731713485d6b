//! Finds which of many matcher lists can match a label set, without trying them all.
//!
//! A list with a matcher `name="value"` is filed under that pair and looked at only for label sets that carry it; the
//! others are tried each time.

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::label::LabelSet;
use crate::matcher::{Matcher, Op};

/// Matcher lists by number; a number is filed in ascending order and never used twice.
#[derive(Debug, Default)]
pub(crate) struct MatcherIndex {
    exact: HashMap<u64, SmallVec<[u32; 2]>>,
    rest: Vec<u32>,
}

impl MatcherIndex {
    /// Files `number` under `matchers`. Numbers come in ascending order.
    pub(crate) fn insert(&mut self, matchers: &[Matcher], number: u32) {
        match file_under(matchers) {
            Some(pair) => {
                let numbers = self.exact.entry(pair).or_default();
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
            }
            None => self.rest.push(number),
        }
    }

    /// Takes `number`, filed under `matchers`, away.
    pub(crate) fn remove(&mut self, matchers: &[Matcher], number: u32) {
        let Some(pair) = file_under(matchers) else {
            self.rest.retain(|n| *n != number);
            return;
        };
        if let Some(numbers) = self.exact.get_mut(&pair) {
            numbers.retain(|n| *n != number);
            if numbers.is_empty() {
                self.exact.remove(&pair);
            }
        }
    }

    /// Calls `found` with each number from `since` on whose list may match `labels`; a number may come twice.
    pub(crate) fn candidates(&self, labels: &LabelSet, since: u32, mut found: impl FnMut(u32)) {
        let mut tail = |numbers: &[u32]| {
            let from = numbers.partition_point(|n| *n < since);
            numbers[from..].iter().for_each(|n| found(*n));
        };
        if !self.exact.is_empty() {
            for (name, value) in labels.iter() {
                if let Some(numbers) = self.exact.get(&pair_hash(name, value)) {
                    tail(numbers);
                }
            }
        }
        tail(&self.rest);
    }
}

/// Of several equality matchers the longest value is taken for the rarest.
fn file_under(matchers: &[Matcher]) -> Option<u64> {
    let exact = matchers.iter().filter(|m| m.op == Op::Equal && !m.value.is_empty());
    exact.max_by_key(|m| m.value.len()).map(|m| pair_hash(&m.name, &m.value))
}

/// Two pairs of the same hash only cost a needless try.
fn pair_hash(name: &str, value: &str) -> u64 {
    xxhash_rust::xxh64::xxh64(value.as_bytes(), xxhash_rust::xxh64::xxh64(name.as_bytes(), 0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn matcher(op: Op, name: &str, value: &str) -> Matcher {
        Matcher::new(op, name, value).unwrap()
    }

    fn found(index: &MatcherIndex, labels: &LabelSet, since: u32) -> Vec<u32> {
        let mut numbers = Vec::new();
        index.candidates(labels, since, |n| numbers.push(n));
        numbers
    }

    #[test]
    fn only_lists_that_can_match_are_named() {
        let mut index = MatcherIndex::default();
        let by_team = [matcher(Op::Equal, "team", "db"), matcher(Op::Regex, "a", ".+")];
        let by_regex = [matcher(Op::Regex, "team", "d.*")];
        index.insert(&by_team, 1);
        index.insert(&by_regex, 2);
        index.insert(&by_team, 3);
        let (db, web) = (LabelSet::new([("team", "db")]), LabelSet::new([("team", "web")]));
        assert_eq!(found(&index, &db, 0), [1, 3, 2]);
        assert_eq!(found(&index, &db, 2), [3, 2]);
        assert_eq!(found(&index, &web, 0), [2]);
        index.remove(&by_team, 1);
        index.remove(&by_regex, 2);
        assert_eq!(found(&index, &db, 0), [3]);
    }

    #[test]
    fn an_empty_value_matches_absent_labels_too() {
        let mut index = MatcherIndex::default();
        index.insert(&[matcher(Op::Equal, "team", "")], 7);
        assert_eq!(found(&index, &LabelSet::empty(), 0), [7]);
    }
}
