//! What is going to happen, the earliest first; of what happens at one time, what was said first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use alerting::time::Timestamp;

/// Small keys are sorted, what they stand for stays where it is: nearly all time of a simulation goes through here.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// When, how many were pushed before, and where it lies.
    order: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    pushed: u64,
    places: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { order: BinaryHeap::new(), pushed: 0, places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Queue<T> {
    pub(crate) fn push(&mut self, at: Timestamp, what: T) {
        let place = self.free.pop().unwrap_or(self.places.len());
        match self.places.get_mut(place) {
            Some(free) => *free = Some(what),
            None => self.places.push(Some(what)),
        }
        self.pushed += 1;
        self.order.push(Reverse((at, self.pushed, place)));
    }

    /// The next, unless it is after `end`.
    pub(crate) fn pop_until(&mut self, end: Timestamp) -> Option<(Timestamp, T)> {
        let next = self.order.peek_mut().filter(|next| next.0.0 <= end)?;
        let Reverse((at, _, place)) = PeekMut::pop(next);
        let what = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        Some((at, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_what_was_said_first() {
        let at = Timestamp::from_secs;
        let mut queue = Queue::default();
        [(3, "c"), (1, "a"), (3, "d"), (2, "b")].into_iter().for_each(|(secs, what)| queue.push(at(secs), what));
        assert_eq!(queue.pop_until(at(0)), None);
        assert_eq!(queue.pop_until(at(1)), Some((at(1), "a")));
        queue.push(at(3), "e");
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop_until(at(3))).map(|(_, what)| what).collect();
        assert_eq!((rest, queue.places.len()), (vec!["b", "c", "d", "e"], 4));
    }
}
