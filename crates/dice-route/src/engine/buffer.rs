//! Events that wait for their time, in the order of their time.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// An event that waits.
#[derive(Debug, Clone)]
pub(crate) struct Item<P> {
    /// When it happened.
    pub(crate) at_ms: i64,
    /// Where it stands in its partition.
    pub(crate) offset: u64,
    /// Its partition.
    pub(crate) partition: u32,
    /// The number of its key.
    pub(crate) slot: u32,
    /// Where it came from.
    pub(crate) origin: u32,
    /// What the machine took from it.
    pub(crate) payload: P,
}

impl<P> Item<P> {
    /// What decides between two: the time, then the partition, then the place in it.
    fn order(&self) -> (i64, u32, u64) {
        (self.at_ms, self.partition, self.offset)
    }
}

/// An item that sorts the other way round, so that the largest is the first of them.
#[derive(Debug)]
struct Early<P>(Item<P>);

impl<P> PartialEq for Early<P> {
    fn eq(&self, other: &Early<P>) -> bool {
        self.0.order() == other.0.order()
    }
}

impl<P> Eq for Early<P> {}

impl<P> PartialOrd for Early<P> {
    fn partial_cmp(&self, other: &Early<P>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<P> Ord for Early<P> {
    fn cmp(&self, other: &Early<P>) -> Ordering {
        other.0.order().cmp(&self.0.order())
    }
}

/// Events that wait for their time. Most arrive in order and stand in a queue; the others in a heap.
#[derive(Debug)]
pub(crate) struct Buffer<P> {
    sorted: VecDeque<Item<P>>,
    others: BinaryHeap<Early<P>>,
}

impl<P> Default for Buffer<P> {
    fn default() -> Buffer<P> {
        Buffer { sorted: VecDeque::new(), others: BinaryHeap::new() }
    }
}

impl<P> Buffer<P> {
    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.sorted.len() + self.others.len()
    }

    /// Puts one in.
    pub(crate) fn push(&mut self, item: Item<P>) {
        if self.sorted.back().is_none_or(|last| last.order() <= item.order()) {
            self.sorted.push_back(item);
        } else {
            self.others.push(Early(item));
        }
    }

    /// When the first of them happened.
    pub(crate) fn first_ms(&self) -> Option<i64> {
        match (self.sorted.front(), self.others.peek()) {
            (Some(one), Some(other)) => Some(one.at_ms.min(other.0.at_ms)),
            (Some(one), None) => Some(one.at_ms),
            (None, Some(other)) => Some(other.0.at_ms),
            (None, None) => None,
        }
    }

    /// Takes the first of them.
    pub(crate) fn pop(&mut self) -> Option<Item<P>> {
        match (self.sorted.front(), self.others.peek()) {
            (Some(one), Some(other)) if other.0.order() < one.order() => {
                self.others.pop().map(|early| early.0)
            }
            (Some(_), _) => self.sorted.pop_front(),
            (None, _) => self.others.pop().map(|early| early.0),
        }
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item<P>> {
        self.sorted.iter().chain(self.others.iter().map(|early| &early.0))
    }
}
