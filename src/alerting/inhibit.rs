//! Inhibition: alerts that keep others quiet while they fire.
//!
//! What a rule says about an alert is computed once per label set; sources are filed by the values of the rule's
//! `equal` labels, so that asking whether an alert is inhibited is one look-up per rule that it is a target of.

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::config::InhibitRule;
use crate::index::MatcherIndex;
use crate::label::LabelSet;

/// What the rules say about one alert.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roles {
    source_of: SmallVec<[Role; 1]>,
    target_of: SmallVec<[Role; 1]>,
}

#[derive(Clone, Copy, Debug)]
struct Role {
    rule: u32,
    /// Hash of the values of the rule's `equal` labels.
    equal: u64,
    /// The alert is on the other side of the rule too.
    both: bool,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    alert: u32,
    is_target: bool,
}

/// The rules of a configuration and the alerts that are sources, by their number in the alert store.
#[derive(Debug, Default)]
pub(crate) struct Inhibitor {
    rules: Vec<InhibitRule>,
    by_source: MatcherIndex,
    by_target: MatcherIndex,
    sources: HashMap<(u32, u64), SmallVec<[Source; 1]>>,
}

impl Inhibitor {
    /// Without any sources yet.
    pub(crate) fn new(rules: &[InhibitRule]) -> Self {
        let mut inhibitor = Self { rules: rules.to_vec(), ..Self::default() };
        for (rule, number) in rules.iter().zip(0..) {
            inhibitor.by_source.insert(&rule.source, number);
            inhibitor.by_target.insert(&rule.target, number);
        }
        inhibitor
    }

    /// The place of one of the rules, from 0.
    pub(crate) fn place_of(&self, rule: &InhibitRule) -> Option<usize> {
        self.rules.iter().position(|known| std::ptr::eq(known, rule))
    }

    /// What the rules say about an alert of these labels.
    pub(crate) fn roles(&self, labels: &LabelSet) -> Roles {
        let mut roles = Roles::default();
        if self.rules.is_empty() {
            return roles;
        }
        self.by_source.candidates(labels, 0, |rule| {
            let about = &self.rules[rule as usize];
            if matches(&about.source, labels) {
                let both = matches(&about.target, labels);
                roles.source_of.push(Role { rule, equal: equal_hash(about, labels), both });
            }
        });
        self.by_target.candidates(labels, 0, |rule| {
            let about = &self.rules[rule as usize];
            if matches(&about.target, labels) {
                let both = matches(&about.source, labels);
                roles.target_of.push(Role { rule, equal: equal_hash(about, labels), both });
            }
        });
        // the first rule of the file that inhibits is the one that counts
        roles.target_of.sort_by_key(|role| role.rule);
        roles
    }

    /// Files an alert under the rules that it is a source of.
    pub(crate) fn add_source(&mut self, alert: u32, roles: &Roles) {
        for role in &roles.source_of {
            let sources = self.sources.entry((role.rule, role.equal)).or_default();
            if !sources.iter().any(|s| s.alert == alert) {
                sources.push(Source { alert, is_target: role.both });
            }
        }
    }

    /// Takes an alert away that is no longer stored.
    pub(crate) fn remove_source(&mut self, alert: u32, roles: &Roles) {
        for role in &roles.source_of {
            if let Some(sources) = self.sources.get_mut(&(role.rule, role.equal)) {
                sources.retain(|s| s.alert != alert);
                if sources.is_empty() {
                    self.sources.remove(&(role.rule, role.equal));
                }
            }
        }
    }

    /// The first source that inhibits an alert with these roles, and the rule. `fires` tells whether a source counts:
    /// it is not resolved now, and it has the same values as the alert for the labels named.
    ///
    /// If the alert is itself on the source side, sources on the target side don't count: neither itself nor its
    /// likes can inhibit it (reference behaviour).
    pub(crate) fn inhibition(
        &self,
        roles: &Roles,
        mut fires: impl FnMut(u32, &InhibitRule) -> bool,
    ) -> Option<(&InhibitRule, u32)> {
        roles.target_of.iter().find_map(|role| {
            let sources = self.sources.get(&(role.rule, role.equal))?;
            let rule = &self.rules[role.rule as usize];
            let counts = |s: &&Source| !(role.both && s.is_target);
            sources.iter().filter(counts).find(|s| fires(s.alert, rule)).map(|s| (rule, s.alert))
        })
    }
}

/// Whether two alerts have the same values for the rule's `equal` labels; absent is empty.
pub(crate) fn same_equal_labels(rule: &InhibitRule, a: &LabelSet, b: &LabelSet) -> bool {
    rule.equal.iter().all(|name| a.value(name) == b.value(name))
}

fn matches(matchers: &[crate::matcher::Matcher], labels: &LabelSet) -> bool {
    matchers.iter().all(|m| m.matches(labels))
}

fn equal_hash(rule: &InhibitRule, labels: &LabelSet) -> u64 {
    let mut hash = xxhash_rust::xxh64::Xxh64::new(0);
    for name in &rule.equal {
        hash.update(labels.value(name).as_bytes());
        hash.update(&[0xff]);
    }
    hash.digest()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::matcher::{Matcher, Op};

    fn rule(source: &[(&str, &str)], target: &[(&str, &str)], equal: &[&str]) -> InhibitRule {
        let side = |pairs: &[(&str, &str)]| -> Vec<Matcher> {
            pairs.iter().map(|(n, v)| Matcher::new(Op::Equal, *n, *v).unwrap()).collect()
        };
        let equal = equal.iter().map(|name| (*name).into()).collect();
        InhibitRule { name: None, source: side(source), target: side(target), equal }
    }

    /// The number of the alert that inhibits the last one.
    fn last_inhibited(rules: &[InhibitRule], alerts: &[&[(&str, &str)]]) -> Option<u32> {
        let mut inhibitor = Inhibitor::new(rules);
        let sets: Vec<LabelSet> = alerts.iter().map(|a| LabelSet::new(a.iter().copied())).collect();
        for (set, number) in sets.iter().zip(0..) {
            inhibitor.add_source(number, &inhibitor.roles(set));
        }
        let target = sets.last().unwrap();
        let found = inhibitor.inhibition(&inhibitor.roles(target), |source, rule| {
            same_equal_labels(rule, &sets[source as usize], target)
        });
        found.map(|(_, source)| source)
    }

    #[test]
    fn equal_labels_decide() {
        let rules = [rule(&[("sev", "crit")], &[("sev", "warn")], &["zone", "absent"])];
        let crit: &[_] = &[("sev", "crit"), ("zone", "a")];
        assert_eq!(last_inhibited(&rules, &[crit, &[("sev", "warn"), ("zone", "a")]]), Some(0));
        assert_eq!(last_inhibited(&rules, &[crit, &[("sev", "warn"), ("zone", "b")]]), None);
    }

    #[test]
    fn nothing_inhibits_itself_or_its_likes() {
        let everything = [rule(&[], &[], &[])];
        assert_eq!(last_inhibited(&everything, &[&[("a", "1")], &[("a", "2")]]), None);
        let one_sided = [rule(&[("a", "1")], &[], &[])];
        assert_eq!(last_inhibited(&one_sided, &[&[("a", "1")], &[("a", "2")]]), Some(0));
        assert_eq!(last_inhibited(&one_sided, &[&[("a", "1")], &[("a", "1"), ("b", "x")]]), None);
    }
}
