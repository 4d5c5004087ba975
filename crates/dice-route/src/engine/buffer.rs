//! Events that wait for their time, in the order of their time.

use std::collections::{BTreeMap, VecDeque};

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
    /// How many arrived before it since they were last written, plus one; 0 once it is written.
    pub(crate) fresh: u32,
    /// What the machine took from it.
    pub(crate) payload: P,
}

impl<P> Item<P> {
    /// What decides between two: the time, then the partition, then the place in it.
    fn order(&self) -> (i64, u32, u64) {
        (self.at_ms, self.partition, self.offset)
    }

    fn page(&self) -> i64 {
        self.at_ms >> PAGE_BITS
    }
}

/// A page has the events of so many milliseconds, as a power of two.
const PAGE_BITS: u32 = 6;

/// Pages that lie side by side: about a minute.
const MAX_NEAR: usize = 1_024;

/// Pages that are kept for use when they are empty.
const MAX_SPARE: usize = 64;

/// The room of such a page at most.
const MAX_SPARE_ITEMS: usize = 4_096;

/// Events of a short time, in no order.
#[derive(Debug)]
struct Page<P> {
    first_ms: i64,
    /// So many of the items are written, unless it was open before.
    n_written: usize,
    items: Vec<Item<P>>,
}

impl<P> Page<P> {
    fn new(items: Vec<Item<P>>) -> Page<P> {
        let first_ms = items.iter().map(|item| item.at_ms).min().unwrap_or(i64::MAX);
        Page { first_ms, n_written: 0, items }
    }

    fn push(&mut self, item: Item<P>) {
        self.first_ms = self.first_ms.min(item.at_ms);
        self.items.push(item);
    }
}

/// Moves events to where none are, the first event last. Most arrive in their order: only the others are sorted.
fn put_in_order<P>(items: &mut Vec<Item<P>>, ordered: &mut Vec<Item<P>>) {
    let mut latest = None;
    let is_stray = |item: &mut Item<P>| {
        let order = Some(item.order());
        let is_stray = order < latest;
        latest = order.max(latest);
        is_stray
    };
    let mut strays: Vec<Item<P>> = items.extract_if(.., is_stray).collect();
    strays.sort_unstable_by_key(Item::order);
    ordered.reserve(items.len() + strays.len());
    while let Some(stray) = strays.pop() {
        while let Some(item) = items.pop_if(|item| item.order() > stray.order()) {
            ordered.push(item);
        }
        ordered.push(stray);
    }
    ordered.extend(items.drain(..).rev());
}

/// Events that wait for their time, on pages of 64 ms. A page is put in order when its first event is taken.
#[derive(Debug)]
pub(crate) struct Buffer<P> {
    /// The page that is being taken, the first event last.
    open: Vec<Item<P>>,
    /// Its number.
    open_page: i64,
    /// The next pages, one beside the other; the first is not empty.
    near: VecDeque<Page<P>>,
    /// The number of the first of them.
    near_page: i64,
    /// All others, by number.
    far: BTreeMap<i64, Page<P>>,
    spare: Vec<Vec<Item<P>>>,
    len: usize,
    n_fresh: u32,
}

impl<P> Default for Buffer<P> {
    fn default() -> Buffer<P> {
        Buffer {
            open: Vec::new(),
            open_page: i64::MIN,
            near: VecDeque::new(),
            near_page: 0,
            far: BTreeMap::new(),
            spare: Vec::new(),
            len: 0,
            n_fresh: 0,
        }
    }
}

impl<P> Buffer<P> {
    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts one in that has just arrived.
    pub(crate) fn push_fresh(&mut self, mut item: Item<P>) {
        self.n_fresh = self.n_fresh.saturating_add(1);
        item.fresh = self.n_fresh;
        self.push(item);
    }

    /// Puts one in.
    pub(crate) fn push(&mut self, item: Item<P>) {
        self.len += 1;
        let number = item.page();
        if !self.open.is_empty() {
            if number == self.open_page {
                let place = self.open.partition_point(|known| known.order() > item.order());
                return self.open.insert(place, item);
            }
            if number < self.open_page {
                // An event came for a time before the page that is being taken.
                let items = std::mem::take(&mut self.open);
                self.far.insert(self.open_page, Page::new(items));
            }
        }
        if self.near.is_empty() {
            self.near_page = number;
        }
        let place = number.wrapping_sub(self.near_page);
        if !(0..MAX_NEAR as i64).contains(&place) {
            return self.far.entry(number).or_insert_with(|| Page::new(Vec::new())).push(item);
        }
        let place = place as usize;
        while self.near.len() <= place {
            self.near.push_back(Page::new(Vec::new()));
        }
        let page = &mut self.near[place];
        if page.items.capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            page.items = spare;
        }
        page.push(item);
    }

    /// When the first of them happened.
    pub(crate) fn first_ms(&self) -> Option<i64> {
        if let Some(item) = self.open.last() {
            return Some(item.at_ms);
        }
        let near = self.near.front().map(|page| page.first_ms);
        match self.far.first_key_value().map(|(_, page)| page.first_ms) {
            Some(far_ms) => Some(near.map_or(far_ms, |near_ms| near_ms.min(far_ms))),
            None => near,
        }
    }

    /// Takes the first of them.
    pub(crate) fn pop(&mut self) -> Option<Item<P>> {
        self.turn();
        let item = self.open.pop()?;
        self.len -= 1;
        Some(item)
    }

    /// Opens the first page, if none is open, and gives what is on it.
    pub(crate) fn turn(&mut self) -> Option<&[Item<P>]> {
        if !self.open.is_empty() {
            return None;
        }
        let near = (!self.near.is_empty()).then_some(self.near_page);
        let far = self.far.first_key_value().map(|(number, _)| *number);
        let number = near.into_iter().chain(far).min()?;
        let mut items = Vec::new();
        if near == Some(number) {
            items = self.near.pop_front()?.items;
            self.near_page += 1;
            while self.near.front().is_some_and(|page| page.items.is_empty()) {
                self.near.pop_front();
                self.near_page += 1;
            }
        }
        if far == Some(number) {
            items.append(&mut self.far.pop_first()?.1.items);
        }
        if self.open.capacity() > MAX_SPARE_ITEMS {
            self.open = Vec::new();
        }
        put_in_order(&mut items, &mut self.open);
        if self.spare.len() < MAX_SPARE && (1..=MAX_SPARE_ITEMS).contains(&items.capacity()) {
            self.spare.push(items);
        }
        self.open_page = number;
        Some(&self.open)
    }

    /// Those that have arrived since the last call, in the order of their arrival.
    pub(crate) fn take_fresh(&mut self) -> Vec<Item<P>>
    where
        P: Clone,
    {
        self.n_fresh = 0;
        let mut fresh = Vec::new();
        let mut take = |item: &mut Item<P>| {
            if item.fresh > 0 {
                fresh.push(item.clone());
                item.fresh = 0;
            }
        };
        self.open.iter_mut().for_each(&mut take);
        for page in self.near.iter_mut().chain(self.far.values_mut()) {
            page.items[page.n_written..].iter_mut().for_each(&mut take);
            page.n_written = page.items.len();
        }
        fresh.sort_by_key(|item| item.fresh);
        fresh
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item<P>> {
        self.open.iter().chain(self.near.iter().chain(self.far.values()).flat_map(|page| &page.items))
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, Item};

    fn check(times: &[i64]) {
        let mut buffer = Buffer::default();
        let mut sorted = Vec::new();
        for (offset, at_ms) in times.iter().enumerate() {
            let offset = offset as u64;
            buffer.push(Item {
                at_ms: *at_ms,
                offset,
                partition: 0,
                slot: 0,
                origin: 0,
                fresh: 0,
                payload: (),
            });
            sorted.push((*at_ms, offset));
            sorted.sort();
            assert_eq!((buffer.len(), buffer.first_ms()), (sorted.len(), Some(sorted[0].0)));
            if offset % 3 == 2 {
                let first = sorted.remove(0);
                assert_eq!(buffer.pop().map(|item| (item.at_ms, item.offset)), Some(first));
            }
        }
        for first in sorted {
            assert_eq!(buffer.pop().map(|item| (item.at_ms, item.offset)), Some(first));
        }
        assert!(buffer.pop().is_none());
    }

    #[test]
    fn events_come_out_in_their_order() {
        check(&[5, 5, 4, 7, 1, 200, 199, 3, 150, 64, 63, 65, 130]);
        check(&[0, 100_000, 1_000_000, 2, 99_999, 64_000, 70_000, 70_001, 3, 1_000_001, 130_000, 131_000]);
        check(&[i64::MAX, i64::MIN, 0, -1, i64::MAX - 64, i64::MIN + 1, 5, -64, -65]);
    }
}
