//! Randomness from a seed: the same questions in each run.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Rolls numbers.
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// From 0 up to, but not, `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0.random_range(0..limit)
    }

    /// Both ends included.
    pub(crate) fn within(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// Drops, doubles, swaps or replaces some characters; what comes in is from `alphabet`.
    pub(crate) fn mutate(&mut self, text: &str, alphabet: &[char]) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(3) {
            let at = self.below(chars.len() + 1);
            let new = alphabet[self.below(alphabet.len())];
            match self.below(4) {
                0 if at < chars.len() => drop(chars.remove(at)),
                1 if at < chars.len() => chars[at] = new,
                2 if at + 1 < chars.len() => chars.swap(at, at + 1),
                _ => chars.insert(at, new),
            }
        }
        chars.into_iter().collect()
    }
}
