//! Finds which of many matcher lists can match a label set, without trying them all.
//!
//! A list with a matcher that only a few values fulfil, `name="value"` or `name=~"a|b"`, is filed under those pairs of
//! name and value, and looked at only for label sets that carry one of them; the others are tried each time.

use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::label::LabelSet;
use crate::matcher::Matcher;

/// Matcher lists by number; a number is filed in ascending order and never used twice.
#[derive(Debug, Default)]
pub(crate) struct MatcherIndex {
    exact: HashMap<u64, SmallVec<[u32; 2]>>,
    rest: Vec<u32>,
}

impl MatcherIndex {
    /// Files `number` under `matchers`. Numbers come in ascending order.
    pub(crate) fn insert(&mut self, matchers: &[Matcher], number: u32) {
        let Some(matcher) = self.rarest(matchers) else { return self.rest.push(number) };
        for pair in pairs(matcher) {
            let numbers = self.exact.entry(pair).or_default();
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        }
    }

    /// Takes `number`, filed under `matchers`, away.
    pub(crate) fn remove(&mut self, matchers: &[Matcher], number: u32) {
        let mut any = false;
        // which of them was the rarest when it was filed isn't known
        for pair in matchers.iter().flat_map(pairs) {
            any = true;
            if let Some(numbers) = self.exact.get_mut(&pair) {
                numbers.retain(|n| *n != number);
                if numbers.is_empty() {
                    self.exact.remove(&pair);
                }
            }
        }
        if !any {
            self.rest.retain(|n| *n != number);
        }
    }

    /// The matcher under which the fewest lists are filed; of several that with the longest values.
    fn rarest<'m>(&self, matchers: &'m [Matcher]) -> Option<&'m Matcher> {
        let filed = |pair: u64| self.exact.get(&pair).map_or(0, |numbers| numbers.len());
        let usable = matchers.iter().filter_map(|matcher| Some((matcher, matcher.values()?)));
        let by_cost = |(matcher, values): &(&Matcher, &[Arc<str>])| {
            let shortest = values.iter().map(|value| value.len()).min();
            (pairs(matcher).map(filed).sum::<usize>(), values.len(), std::cmp::Reverse(shortest))
        };
        usable.min_by_key(by_cost).map(|(matcher, _)| matcher)
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

/// The pairs that a matcher asks for; none if any value may do.
fn pairs(matcher: &Matcher) -> impl Iterator<Item = u64> {
    let values = matcher.values().unwrap_or_default();
    values.iter().map(|value| pair_hash(&matcher.name, value))
}

/// Two pairs of the same hash only cost a needless try.
pub(crate) fn pair_hash(name: &str, value: &str) -> u64 {
    xxhash_rust::xxh64::xxh64(value.as_bytes(), xxhash_rust::xxh64::xxh64(name.as_bytes(), 0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::matcher::Op;

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
    fn a_list_of_words_is_filed_under_each() {
        let mut index = MatcherIndex::default();
        let words = [matcher(Op::Regex, "team", "db|web")];
        index.insert(&words, 1);
        index.insert(&[matcher(Op::Regex, "team", "|db")], 2);
        let (db, ops) = (LabelSet::new([("team", "db")]), LabelSet::new([("team", "ops")]));
        assert_eq!(found(&index, &db, 0), [1, 2]);
        assert_eq!(found(&index, &ops, 0), [2]);
        index.remove(&words, 1);
        assert_eq!(found(&index, &db, 0), [2]);
    }

    #[test]
    fn lists_are_filed_where_few_are() {
        let mut index = MatcherIndex::default();
        for number in 0..10 {
            let rule = format!("r{number}");
            index.insert(&[matcher(Op::Equal, "severity", "critical"), matcher(Op::Equal, "rule", &rule)], number);
        }
        let labels = LabelSet::new([("severity", "critical"), ("rule", "r7")]);
        assert_eq!(found(&index, &labels, 0), [7, 0]);
    }

    #[test]
    fn an_empty_value_matches_absent_labels_too() {
        let mut index = MatcherIndex::default();
        index.insert(&[matcher(Op::Equal, "team", "")], 7);
        assert_eq!(found(&index, &LabelSet::empty(), 0), [7]);
    }
}
